"""The published rules of a brand, every version kept: a part of models/organisation.py, which owns their table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from models.bulk import lock_brands
from models.database import raise_change
from models.rules import parse
from models.tables import brand_rule

# How far back a list of versions reaches.
MOST_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Published:
    """What a brand is found by now. `version` 0 = nothing was published yet; several rules are one text, a line each.

    `actor` is who published it, None where it came with a file.
    """

    version: int
    query: str
    actor: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version there ever was. `valid_to` None = it still counts."""

    version: int
    query: str
    actor: str | None
    valid_from: datetime
    valid_to: datetime | None


def published(connection: Connection, brand_id: int) -> Published:
    """The rule that counts for a brand."""
    of_brand = brand_rule.c.brand_id == brand_id
    rows = connection.execute(
        select(brand_rule).where(of_brand, brand_rule.c.valid_to.is_(None)).order_by(brand_rule.c.version)
    ).all()
    if not rows:
        # A file took the last rule away: its number stays taken.
        newest = connection.execute(select(func.max(brand_rule.c.version)).where(of_brand)).scalar()
        return Published(newest or 0, "", None, None)
    return Published(rows[-1].version, "\n".join(row.query for row in rows), rows[-1].actor, rows[-1].valid_from)


def versions(connection: Connection, brand_id: int) -> tuple[Version, ...]:
    """The versions of a brand's rule, newest first, at most MOST_VERSIONS."""
    rows = connection.execute(
        select(brand_rule)
        .where(brand_rule.c.brand_id == brand_id)
        .order_by(brand_rule.c.version.desc())
        .limit(MOST_VERSIONS)
    )
    return tuple(Version(r.version, r.query, r.actor, r.valid_from, r.valid_to) for r in rows)


def publish_rule(connection: Connection, brand_id: int, query: str, actor: str, now: datetime) -> int:
    """Let `query` be what a brand is found by from now on, and return its version; earlier ones are kept.

    RuleError where it does not read. Every ingest worker takes it up before its next page.
    """
    parse(query)
    lock_brands(connection, [brand_id])
    of_brand = brand_rule.c.brand_id == brand_id
    connection.execute(update(brand_rule).where(of_brand, brand_rule.c.valid_to.is_(None)).values(valid_to=now))
    version = (connection.execute(select(func.max(brand_rule.c.version)).where(of_brand)).scalar() or 0) + 1
    connection.execute(
        insert(brand_rule).values(brand_id=brand_id, version=version, query=query, actor=actor, valid_from=now)
    )
    raise_change(connection, "organisation")
    return version
