"""One file a network; the `kind` of a source is the name of its module here.

A connector is a module with `Config` (a pydantic model), `EVERY_SECONDS`, `NETWORK`, `describe(config)` and
`fetch(config, cursor, *, now) -> Page`. Dropping a file in here is all it takes to add a network.

What not every network can do is there where it can: `look_up(config, external_ids, *, now) -> Page` (engagement, edits
and deletions of known posts, LOOK_UP_SIZE a call, asked after for COMPLIANCE_DAYS), `canary(config, *, now) -> bool`
(does it answer what always has an answer?) and `check(config, *, now) -> str` (what works with these settings). With
LIMITED = True each of them is handed the shared `limiter` too. Settings of the type SecretStr are sealed at rest.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from models.errors import InputError


@cache
def kinds() -> tuple[str, ...]:
    """The kinds of source there are, in alphabetical order."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def by_kind(kind: str) -> ModuleType:
    """The connector of a kind; InputError names the known ones."""
    if kind not in kinds():
        raise InputError(f'no connector "{kind}"; known: {", ".join(kinds())}')
    return importlib.import_module(f"{__name__}.{kind}")
