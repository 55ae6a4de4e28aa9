"""Who must sign what: rules in versions, and what those that fit ask for together. The only writer of `policy_rule`.

Until somebody changes a rule, those of DEFAULTS are in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from models import audit
from models.access import ADMIN, Access
from models.checks import BLOCK, LEVELS, NAMES, OFF, WARN
from models.database import raise_change
from models.errors import InputError, NotFound
from models.organisation import ALL, Organisation
from models.tables import policy_rule
from models.wording import first_said

MOST_SIGNATURES = 3
MOST_RULES = 200
LONGEST_NAME = 120
# Who reaches so many people is answered with care.
FAR_REACH = 50_000
# When a rule was there from the beginning, for rules that came with the product.
PRODUCT = "Watchfloor"
_IDS = ("brands", "locations", "teams", "accounts")
_FLAGS = ("incident", "trainee")
_STRICTNESS = {OFF: 0, WARN: 1, BLOCK: 2}


@dataclass(frozen=True, slots=True)
class When:
    """What a rule is about; None = whatever it is. `brands` 0 = all of ours; locations count with those below them.

    `words`: said by the customer or by us. `reach`: the customer's followers, at least so many.
    """

    brands: frozenset[int] | None = None
    locations: frozenset[int] | None = None
    teams: frozenset[int] | None = None
    accounts: frozenset[int] | None = None
    words: tuple[str, ...] | None = None
    reach: int | None = None
    incident: bool = False
    trainee: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `signatures` 0 = asks for none, and then it is there for its `checks` (name -> block, warn or off)."""

    name: str
    when: When = When()
    signatures: int = 0
    needs_manager: bool = False
    checks: Mapping[str, str] = field(default_factory=dict)
    id: int = 0
    actor: str = PRODUCT
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at. `location_ids` = the case's location and all above it.

    `incident` is the name of an open incident in whose scope the case is; `incident_manager` = a senior manager signs
    everything there.
    """

    brand_id: int
    location_ids: frozenset[int]
    team_id: int
    account_id: int | None
    text: str
    customer_text: str = ""
    reach: int | None = None
    incident: str | None = None
    incident_manager: bool = False
    is_trainee: bool = False


@dataclass(frozen=True, slots=True)
class Required:
    """The strictest of all that fits: how many sign, whether one of them is a senior manager, and why, in words.

    `checks` says how strictly each check of the text is taken.
    """

    signatures: int
    needs_manager: bool
    why: tuple[str, ...]
    checks: Mapping[str, str]


DEFAULTS: tuple[Rule, ...] = (
    Rule("In training", When(trainee=True), signatures=1),
    Rule(
        "Words of risk",
        When(
            words=(
                *("lawyer*", "lawsuit", "sue", "journalist*", "reporter", "injur*", "ambulance", "discriminat*"),
                *("data breach", "identity theft", "suicid*", "advocaat", "rechtszaak", "journaliste", "gewond"),
                *("anwalt", "klage", "verletzt", "datenleck", "avocat", "blessé*", "abogado", "demanda", "herido*"),
            )
        ),
        signatures=1,
        needs_manager=True,
    ),
    Rule("Far reach", When(reach=FAR_REACH), signatures=1),
    Rule("During an incident", When(incident=True), signatures=1),
)


def required(rules: Sequence[Rule], facts: Facts) -> Required:
    """What the rules that fit ask for together: most signatures, a manager if one asks, each check at its strictest."""
    signatures, needs_manager, why = 0, False, []
    levels: dict[str, str] = {}
    for rule in rules:
        because = _fits(rule.when, facts)
        if because is None:
            continue
        for name, level in rule.checks.items():
            levels[name] = max(levels.get(name, OFF), level, key=lambda item: _STRICTNESS[item])
        if rule.signatures or rule.needs_manager:
            signatures = max(signatures, rule.signatures, int(rule.needs_manager))
            needs_manager |= rule.needs_manager
            why.append(": ".join([rule.name, "; ".join(because)]) if because else rule.name)
    if facts.incident is not None and facts.incident_manager:
        signatures, needs_manager = max(signatures, 1), True
        why.append(f"the incident “{facts.incident}” has a senior manager sign everything in its scope")
    return Required(signatures, needs_manager, tuple(why), {**LEVELS, **levels})


def _fits(when: When, facts: Facts) -> list[str] | None:
    """Why it fits, as far as that is not told by the rule itself; None where it does not."""
    if when.brands is not None and not when.brands & {ALL, facts.brand_id}:
        return None
    if when.locations is not None and not when.locations & facts.location_ids:
        return None
    if when.teams is not None and facts.team_id not in when.teams:
        return None
    if when.accounts is not None and facts.account_id not in when.accounts:
        return None
    because = []
    if when.words is not None:
        theirs, ours = first_said(facts.customer_text, when.words), first_said(facts.text, when.words)
        if theirs is None and ours is None:
            return None
        because.append(f"the customer says “{theirs}”" if theirs is not None else f"this answer says “{ours}”")
    if when.reach is not None:
        if facts.reach is None or facts.reach < when.reach:
            return None
        because.append(f"the author has {facts.reach:,} followers, {when.reach:,} or more")
    if when.incident:
        if facts.incident is None:
            return None
        because.append(f"“{facts.incident}” goes on")
    if when.trainee:
        if not facts.is_trainee:
            return None
        because.append("its author is in training")
    return because


def rules(connection: Connection, now: datetime) -> tuple[Rule, ...]:
    """The rules in force, by name; DEFAULTS, numbered from 1, while nobody has changed one."""
    rows = connection.execute(_IN_FORCE, {"now": now}).all()
    if rows or connection.execute(_ANY).first() is not None:
        return tuple(_rule(row) for row in rows)
    return _numbered()


_ANY = select(policy_rule.c.id).limit(1)
_IN_FORCE = (
    select(policy_rule)
    .where(
        policy_rule.c.valid_from <= bindparam("now"),
        or_(policy_rule.c.valid_to.is_(None), policy_rule.c.valid_to > bindparam("now")),
    )
    .order_by(policy_rule.c.name, policy_rule.c.id)
    .limit(MOST_RULES)
)


def save(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    rule: Rule,
    *,
    now: datetime,
    replaces: int | None = None,
) -> int:
    """Add a rule, or a new version of the rule `replaces`; returns its number. InputError, NotFound, AccessDenied."""
    who.require(ADMIN)
    _check(rule, organisation)
    held = _writable(connection, now)
    before = None if replaces is None else held.get(replaces)
    if replaces is not None and before is None:
        raise NotFound(f"no policy rule {replaces}")
    if before is None and len(held) >= MOST_RULES:
        raise InputError(f"there are {MOST_RULES} policy rules, which is the most; retire some")
    if before is not None:
        _end(connection, before.id, now)
    number = _next_id(connection)
    _add(connection, rule, number, who.name, now)
    audit.record(
        connection,
        at=now,
        action="policy.saved",
        subject=rule.name,
        actor=who.name,
        person_id=who.person_id,
        details={"rule": number, "before": None if before is None else _said(before), "after": _said(rule)},
    )
    raise_change(connection, "settings")
    return number


def retire(connection: Connection, who: Access, rule_id: int, *, now: datetime) -> None:
    """End a rule. NotFound where there is none in force."""
    who.require(ADMIN)
    before = _writable(connection, now).get(rule_id)
    if before is None:
        raise NotFound(f"no policy rule {rule_id}")
    _end(connection, rule_id, now)
    audit.record(
        connection,
        at=now,
        action="policy.retired",
        subject=before.name,
        actor=who.name,
        person_id=who.person_id,
        details={"rule": rule_id, "before": _said(before), "after": None},
    )
    raise_change(connection, "settings")


def when_of(given: Mapping[str, Any]) -> When:
    """What a form or a row says, typed; InputError for a word that is none and for a value of the wrong kind."""
    strange = set(given) - {*_IDS, *_FLAGS, "words", "reach"}
    if strange:
        raise InputError(f"a policy rule knows no “{sorted(strange)[0]}”; use {', '.join((*_IDS, 'words', 'reach'))}")
    values: dict[str, Any] = {}
    for name in _IDS:
        if given.get(name):
            values[name] = frozenset(_whole(item, name) for item in given[name])
    if given.get("words"):
        values["words"] = tuple(" ".join(str(word).split())[:80] for word in given["words"] if str(word).strip())[:500]
    if given.get("reach") is not None:
        values["reach"] = _whole(given["reach"], "reach")
    values |= {name: bool(given.get(name)) for name in _FLAGS}
    return When(**values)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise InputError(f"{name}: whole numbers are needed, not {str(value)[:40]!r}")
    return value


def _check(rule: Rule, organisation: Organisation) -> None:
    if not rule.name.strip() or len(rule.name) > LONGEST_NAME:
        raise InputError(f"the name of a policy rule has 1 to {LONGEST_NAME} characters, not {len(rule.name)}")
    if not 0 <= rule.signatures <= MOST_SIGNATURES:
        raise InputError(f"a policy rule asks for 0 to {MOST_SIGNATURES} signatures, not {rule.signatures}")
    for name, level in rule.checks.items():
        if name not in NAMES or level not in _STRICTNESS:
            raise InputError(f"check “{name}”: use {', '.join(NAMES)} with block, warn or off")
    known = {
        "brands": {ALL} | {item.id for item in organisation.brands},
        "locations": {item.id for item in organisation.locations},
        "teams": {item.id for item in organisation.teams},
        "accounts": {item.id for item in organisation.accounts},
    }
    for name, ids in known.items():
        strange = (getattr(rule.when, name) or frozenset()) - ids
        if strange:
            raise InputError(f"{name}: there is no {min(strange)} in this organisation")


def _writable(connection: Connection, now: datetime) -> dict[int, Rule]:
    """The rules in force by number; those that came with the product become rows with the first change."""
    held = {rule.id: rule for rule in rules(connection, now)}
    if connection.execute(select(policy_rule.c.id).limit(1)).first() is None:
        for rule in held.values():
            _add(connection, rule, rule.id, PRODUCT, now)
    return held


def _numbered() -> tuple[Rule, ...]:
    return tuple(
        Rule(rule.name, rule.when, rule.signatures, rule.needs_manager, rule.checks, number)
        for number, rule in enumerate(DEFAULTS, start=1)
    )


def _next_id(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(policy_rule.c.id), 0))).scalar_one()) + 1


def _end(connection: Connection, rule_id: int, now: datetime) -> None:
    connection.execute(update(policy_rule).where(policy_rule.c.id == rule_id).values(valid_to=now))


def _add(connection: Connection, rule: Rule, number: int, actor: str, now: datetime) -> None:
    connection.execute(insert(policy_rule).values(id=number, actor=actor, valid_from=now, **_said(rule)))


def _said(rule: Rule) -> dict[str, Any]:
    """A rule as plain values, as its row and the audit log hold it."""
    when: dict[str, Any] = {name: sorted(ids) for name in _IDS if (ids := getattr(rule.when, name)) is not None}
    if rule.when.words is not None:
        when["words"] = list(rule.when.words)
    if rule.when.reach is not None:
        when["reach"] = rule.when.reach
    when |= {name: True for name in _FLAGS if getattr(rule.when, name)}
    return {
        "name": " ".join(rule.name.split()),
        "when": when,
        "signatures": rule.signatures,
        "needs_manager": rule.needs_manager,
        "checks": dict(rule.checks),
    }


def _rule(row: Any) -> Rule:
    return Rule(
        row.name, when_of(row.when), row.signatures, row.needs_manager, row.checks, row.id, row.actor, row.valid_from
    )
