"""Where rules are written: drafts and examples, and the step from a draft to what ingest finds brands by.

The one writer of rule_draft and rule_example. Nothing anybody wrote is lost: what would overwrite another's text is
answered with that text instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from models import audit
from models.bulk import lock_brands
from models.database import new_id, raise_change
from models.errors import InputError, NotFound
from models.networks import BY_ID, BY_KEY
from models.organisation import Brand
from models.organisation_rules import publish_rule, published
from models.rule_faults import check
from models.rules import LONGEST_RULE, Rule, Subject, parse
from models.tables import brand, mention, rule_draft, rule_example

TOPIC = "rules"
MOST_EXAMPLES = 200
LONGEST_EXAMPLE = 2_000
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Who:
    """Who writes."""

    person_id: int
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What is being written for a brand, over the published version it began from."""

    brand_id: int
    base_version: int
    query: str
    person_id: int
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another text that stands in the way. `kind` is published (a newer version) or draft (saved by somebody else)."""

    kind: str
    query: str
    version: int
    actor: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Example:
    """What the rule of a brand must find, or must not. `mention_id` None = somebody typed it in."""

    id: int
    brand_id: int
    must_match: bool
    subject: Subject
    mention_id: int | None
    actor: str
    at: datetime


# -- drafts ------------------------------------------------------------------------------------------------


def draft_of(connection: Connection, brand_id: int) -> Draft | None:
    """The draft of a brand; None where nobody is writing."""
    return drafts(connection, [brand_id]).get(brand_id)


def drafts(connection: Connection, brand_ids: Collection[int]) -> Mapping[int, Draft]:
    """The drafts there are, by brand."""
    rows = connection.execute(select(rule_draft).where(rule_draft.c.brand_id.in_(list(brand_ids))))
    return {r.brand_id: Draft(r.brand_id, r.base_version, r.query, r.person_id, r.actor, r.at) for r in rows}


def save_draft(
    connection: Connection,
    brand_id: int,
    query: str,
    *,
    base_version: int,
    seen_at: datetime | None,
    who: Who,
    now: datetime,
) -> Draft | Conflict:
    """Keep what was written, however wrong it is; or say what somebody else wrote meanwhile, and keep that.

    `base_version` is the published version it was written over, `seen_at` the instant of the draft it goes on from.
    """
    if len(query) > LONGEST_RULE:
        raise InputError(f"the rule has {len(query):,} characters, at most {LONGEST_RULE:,} are allowed")
    lock_brands(connection, [brand_id])
    conflict = _conflict(connection, brand_id, query, base_version=base_version, seen_at=seen_at)
    if conflict is not None:
        return conflict
    values = {"base_version": base_version, "query": query, "person_id": who.person_id, "actor": who.name, "at": now}
    of_brand = rule_draft.c.brand_id == brand_id
    if connection.execute(update(rule_draft).where(of_brand).values(**values)).rowcount == 0:
        connection.execute(insert(rule_draft).values(brand_id=brand_id, **values))
    raise_change(connection, TOPIC)
    return Draft(brand_id, base_version, query, who.person_id, who.name, now)


def discard_draft(connection: Connection, of: Brand, *, who: Who, now: datetime) -> None:
    """Throw a draft away; the published version counts as before. NotFound where there is none."""
    held = draft_of(connection, of.id)
    if held is None:
        raise NotFound(f"there is no draft of the rule of {of.name}")
    connection.execute(delete(rule_draft).where(rule_draft.c.brand_id == of.id))
    _record(connection, "rule.draft_discarded", of, who, now, {"query": " ".join(held.query.split()), "by": held.actor})
    raise_change(connection, TOPIC)


def publish(
    connection: Connection,
    of: Brand,
    query: str,
    *,
    base_version: int,
    seen_at: datetime | None,
    who: Who,
    now: datetime,
) -> int | Conflict:
    """Let `query` be the rule from now on and return its version, or the text that stands in the way.

    InputError, in words, while it has an error, while an example fails, and where nothing changed.
    """
    lock_brands(connection, [of.id])
    why_not = hindrance(query, examples(connection, of.id))
    if why_not is not None:
        raise InputError(why_not)
    conflict = _conflict(connection, of.id, query, base_version=base_version, seen_at=seen_at)
    if conflict is not None:
        return conflict
    before = published(connection, of.id)
    if before.query.strip() == query.strip():
        raise InputError(f"this is version {before.version}, which counts already; nothing was changed")
    version = publish_rule(connection, of.id, query, who.name, now)
    connection.execute(delete(rule_draft).where(rule_draft.c.brand_id == of.id))
    details = {"version": version, "before": before.version, "query": " ".join(query.split())}
    _record(connection, "rule.published", of, who, now, details)
    raise_change(connection, TOPIC)
    return version


def hindrance(query: str, held: Collection[Example]) -> str | None:
    """Why a rule cannot be published: its first error, or the examples that fail; None where nothing hinders."""
    faults = check(query).faults
    if faults:
        return f"line {faults[0].line}, column {faults[0].column}: {faults[0].reason}"
    rule = parse(query)
    failing = [item for item in held if not passes(rule, item)]
    if not failing:
        return None
    must = "must match and does not" if failing[0].must_match else "must not match and does"
    text = " ".join(failing[0].subject.text.split())
    shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    others = len(failing) - 1
    more = ("", "; one more example fails")[others] if others < 2 else f"; {others} more examples fail"
    return f"the example “{shown}” {must}{more}"


def _conflict(
    connection: Connection, brand_id: int, query: str, *, base_version: int, seen_at: datetime | None
) -> Conflict | None:
    held, there = draft_of(connection, brand_id), published(connection, brand_id)
    if there.version != base_version:
        return Conflict("published", there.query, there.version, there.actor, there.at)
    if held is not None and held.at != seen_at and held.query != query:
        return Conflict("draft", held.query, held.base_version, held.actor, held.at)
    return None


# -- examples ----------------------------------------------------------------------------------------------


def examples(connection: Connection, brand_id: int) -> tuple[Example, ...]:
    """The examples of a brand: what must match first, each group in the order it was added."""
    rows = connection.execute(select(rule_example).where(rule_example.c.brand_id == brand_id)).all()
    found = [
        Example(
            r.id,
            r.brand_id,
            r.must_match,
            Subject(r.text, r.facts.get("author"), r.facts.get("language"), r.facts.get("network", "other")),
            r.mention_id,
            r.actor,
            r.at,
        )
        for r in rows
    ]
    return tuple(sorted(found, key=lambda item: (not item.must_match, item.id)))


def passes(rule: Rule, example: Example) -> bool:
    """Whether a rule does with an example what it must."""
    return (rule.matches(example.subject) is not None) == example.must_match


def add_example(
    connection: Connection,
    of: Brand,
    subject: Subject,
    *,
    must_match: bool,
    who: Who,
    now: datetime,
    mention_id: int | None = None,
) -> int:
    """Add an example and return its id. InputError where the text is empty, too long or there already."""
    if not subject.text.strip():
        raise InputError("an example needs a text")
    if len(subject.text) > LONGEST_EXAMPLE:
        raise InputError(f"the text has {len(subject.text):,} characters; at most {LONGEST_EXAMPLE:,} fit")
    if subject.network not in BY_KEY:
        raise InputError(f'there is no network "{subject.network}"')
    lock_brands(connection, [of.id])
    same = select(rule_example.c.id).where(rule_example.c.brand_id == of.id, rule_example.c.text == subject.text)
    if connection.execute(same).first() is not None:
        raise InputError(f"this text is an example of {of.name} already; remove that one first")
    held = select(func.count()).select_from(rule_example).where(rule_example.c.brand_id == of.id)
    if (connection.execute(held).scalar() or 0) >= MOST_EXAMPLES:
        raise InputError(f"{of.name} has {MOST_EXAMPLES} examples, and more do not fit; remove one first")
    facts = {"author": subject.author, "network": subject.network, "language": subject.language}
    identifier = new_id(now)
    connection.execute(
        insert(rule_example).values(
            id=identifier,
            brand_id=of.id,
            must_match=must_match,
            text=subject.text,
            facts=facts,
            mention_id=mention_id,
            person_id=who.person_id,
            actor=who.name,
            at=now,
        )
    )
    _record(connection, "rule.example_added", of, who, now, {"example": identifier, "must_match": must_match})
    raise_change(connection, TOPIC)
    return identifier


def pin_example(
    connection: Connection,
    of: Brand,
    mention_id: int,
    *,
    among: Collection[int],
    must_match: bool,
    who: Who,
    now: datetime,
) -> int:
    """Make an example of a stored mention of one of the brands `among`. NotFound where there is none."""
    row = connection.execute(
        select(
            mention.c.text, mention.c.author_handle, mention.c.language, mention.c.network_id, mention.c.deleted_at
        ).where(mention.c.brand_id.in_(sorted(among)), mention.c.id == mention_id)
    ).first()
    if row is None:
        raise NotFound("there is no such mention")
    if row.deleted_at is not None:
        raise InputError("its network deleted this mention; its text is gone")
    subject = Subject(row.text[:LONGEST_EXAMPLE], row.author_handle, row.language, BY_ID[row.network_id].key)
    return add_example(connection, of, subject, must_match=must_match, who=who, now=now, mention_id=mention_id)


def remove_example(connection: Connection, of: Brand, example_id: int, *, who: Who, now: datetime) -> None:
    """Take an example away. NotFound where the brand has no such one."""
    lock_brands(connection, [of.id])
    gone = connection.execute(
        delete(rule_example).where(rule_example.c.id == example_id, rule_example.c.brand_id == of.id)
    )
    if gone.rowcount == 0:
        raise NotFound("there is no such example")
    _record(connection, "rule.example_removed", of, who, now, {"example": example_id})
    raise_change(connection, TOPIC)


def forget(connection: Connection, mention_ids: Collection[int]) -> None:
    """Examples that were pinned from mentions whose network deleted them go with their text."""
    if not mention_ids:
        return
    # A brand has few examples: all of them are fewer than the mentions of one deletion run.
    brands = connection.execute(select(brand.c.id)).scalars().all()
    statement = delete(rule_example).where(
        rule_example.c.brand_id.in_(brands), rule_example.c.mention_id.in_(bindparam("ids", expanding=True))
    )
    if connection.execute(statement, {"ids": sorted(mention_ids)}).rowcount:
        raise_change(connection, TOPIC)


def _record(
    connection: Connection, action: str, of: Brand, who: Who, now: datetime, details: Mapping[str, Any]
) -> None:
    audit.record(
        connection, at=now, action=action, subject=of.name, actor=who.email, person_id=who.person_id, details=details
    )
