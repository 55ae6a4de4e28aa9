"""Everything a browser may ask for beside the live screen, by name. Which right each needs stands in rights.py."""

from __future__ import annotations

from types import ModuleType

from dashboard.asks import (
    accounts,
    alerts,
    audience,
    audit,
    canned,
    cases,
    demo,
    incidents,
    log,
    made,
    mentions,
    organisation,
    people,
    preferences,
    replies,
    rules,
    shifts,
    since,
    tables,
    views,
)
from dashboard.asks.ask import Act, Asked, Read

# Each module has READS and ACTS, name -> function; a name begins with what it is about: "made", "log.add".
MODULES: tuple[ModuleType, ...] = (
    accounts,
    alerts,
    audience,
    audit,
    canned,
    cases,
    demo,
    incidents,
    log,
    made,
    mentions,
    organisation,
    people,
    preferences,
    replies,
    rules,
    shifts,
    since,
    tables,
    views,
)

READS: dict[str, Read] = {name: read for module in MODULES for name, read in module.READS.items()}
ACTS: dict[str, Act] = {name: act for module in MODULES for name, act in module.ACTS.items()}

__all__ = ["ACTS", "READS", "Act", "Asked", "Read"]
