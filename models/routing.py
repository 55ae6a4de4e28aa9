"""Which posts open a case, how urgent it is and whose it is: rules in order, the first that fits decides.

`decide` is pure. Rules are read once a transaction; while nobody has saved any, those that come with the product count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from models import audit
from models.access import ADMIN, Access
from models.case_steps import HIGHEST, LOWEST, NEW, OPEN
from models.database import raise_change
from models.errors import InputError
from models.organisation import Organisation
from models.tables import desk_case, routing_rule

TOPIC = "settings"
MOST_RULES = 100
MOST_WORDS = 100
LONGEST_NAME = 120
# What a person says; what is passed on or reported is addressed to nobody.
SPOKEN = ("post", "reply", "quote", "review", "comment")
# What does not speak to somebody else: who talks with a friend about us does not wait for us to join in.
TOLD_TO_ALL = ("post", "review")
LOUD = 10_000
RISK_WORDS = (
    "fraud", "scam", "stolen", "hacked", "lawyer", "lawsuit", "police", "injured", "unsafe", "dangerous", "leaked",
    "betrug", "anwalt", "polizei", "fraude", "advocaat", "politie", "estafa", "abogado", "arnaque", "avocat",
)  # fmt: skip
_URL = re.compile(r"https?://\S+")
_QUESTION = re.compile("[?؟？]")


_IN_FORCE = (
    select(routing_rule)
    .where(
        routing_rule.c.valid_from <= bindparam("now"),
        or_(routing_rule.c.valid_to.is_(None), routing_rule.c.valid_to > bindparam("now")),
    )
    .order_by(routing_rule.c.position, routing_rule.c.id)
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a post when it is routed. `reach` = its author's followers; `addresses_us` = names a handle of
    ours, or answers a post of ours."""

    brand_id: int
    location_id: int
    network_id: int
    team_id: int
    kind: str
    language: str | None
    text: str
    reach: int | None
    sentiment: int | None
    at: datetime
    addresses_us: bool = False

    @property
    def asks(self) -> bool:
        """Whether it holds a question."""
        return _QUESTION.search(self.text) is not None and _QUESTION.search(_URL.sub("", self.text)) is not None


@dataclass(frozen=True, slots=True)
class When:
    """What a rule asks of a post; None = anything. `locations` hold what is below them, `topic` any of its words,
    `reach` at least so many followers, `hours` [from, to) of the local day, which may cross midnight."""

    brands: frozenset[int] | None = None
    locations: frozenset[int] | None = None
    networks: frozenset[int] | None = None
    languages: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    topic: tuple[str, ...] | None = None
    reach: int | None = None
    sentiment: frozenset[int] | None = None
    hours: tuple[int, int] | None = None
    asks: bool | None = None
    addressed: bool | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of `routing_rule`. `team_id` None = the team of the post; above `overload` open cases of that team the
    `overflow_team_id` gets it."""

    id: int
    position: int
    name: str
    when: When
    opens: bool
    priority: int = LOWEST
    team_id: int | None = None
    overload: int | None = None
    overflow_team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of a post; `rule_name` None = none of them fits, and then nothing opens."""

    opens: bool
    priority: int
    team_id: int
    rule_name: str | None


@dataclass(frozen=True)
class Routing:
    """The rules made ready for one state of the organisation. `loads` = open cases by team, where a rule asks."""

    rules: tuple[Rule, ...]
    organisation: Organisation
    loads: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def _tests(self) -> tuple[tuple[Rule, frozenset[int] | None, re.Pattern[str] | None], ...]:
        return tuple((rule, self._below(rule.when.locations), _words(rule.when.topic)) for rule in self.rules)

    def _below(self, tops: Collection[int] | None) -> frozenset[int] | None:
        return None if tops is None else frozenset(below for top in tops for below in self.organisation.below(top))

    def fitting(self, facts: Facts) -> Rule | None:
        """The first rule that fits."""
        for rule, locations, words in self._tests:
            if (
                _fits(rule.when, facts)
                and (locations is None or facts.location_id in locations)
                and (words is None or words.search(facts.text) is not None)
                and (rule.when.hours is None or self._is_within(rule.when.hours, facts))
            ):
                return rule
        return None

    def _is_within(self, hours: tuple[int, int], facts: Facts) -> bool:
        start, end = hours
        hour = facts.at.astimezone(ZoneInfo(self.organisation.zone_of(facts.location_id))).hour
        return start <= hour < end if start < end else hour >= start or hour < end


def decide(routing: Routing, facts: Facts) -> Decision:
    """Whether a post opens a case, how urgent and whose."""
    rule = routing.fitting(facts)
    if rule is None:
        return Decision(False, LOWEST, facts.team_id, None)
    team_id = rule.team_id if rule.team_id is not None else facts.team_id
    is_full = rule.overload is not None and routing.loads.get(team_id, 0) >= rule.overload
    if is_full and rule.overflow_team_id is not None:
        team_id = rule.overflow_team_id
    return Decision(rule.opens, rule.priority, team_id, rule.name)


def defaults() -> tuple[Rule, ...]:
    """What counts until somebody saves rules: what needs a reply opens, praise and news do not."""
    spoken, told = frozenset(SPOKEN), frozenset(TOLD_TO_ALL)
    negative, positive = frozenset({-1}), frozenset({1})
    given: tuple[tuple[str, When, bool, int], ...] = (
        ("Praise", When(sentiment=positive, asks=False), False, LOWEST),
        ("Words of risk", When(kinds=spoken, topic=RISK_WORDS), True, HIGHEST),
        ("Loud complaint", When(kinds=spoken, sentiment=negative, reach=LOUD), True, HIGHEST),
        ("Complaint to us", When(kinds=spoken, sentiment=negative, addressed=True), True, 2),
        ("Question to us", When(kinds=spoken, asks=True, addressed=True), True, 2),
        ("Said to us", When(kinds=spoken, addressed=True), True, LOWEST),
        ("Question", When(kinds=told, asks=True), True, LOWEST),
        ("Complaint", When(kinds=told, sentiment=negative), True, LOWEST),
    )
    return tuple(
        Rule(number, number * 10, name, when, opens, priority)
        for number, (name, when, opens, priority) in enumerate(given, start=1)
    )


def load(connection: Connection, organisation: Organisation, now: datetime) -> Routing:
    """The rules in force, by position."""
    rows = connection.execute(_IN_FORCE, {"now": now}).all()
    rules = tuple(_rule(row) for row in rows)
    if not rules:
        # Whoever retired all rules wants no cases; nobody has retired any where there never was one.
        ever = connection.execute(select(routing_rule.c.id).limit(1)).first()
        rules = () if ever else defaults()
    loads = team_loads(connection, organisation) if any(rule.overload is not None for rule in rules) else {}
    return Routing(rules, organisation, loads)


def team_loads(connection: Connection, organisation: Organisation) -> dict[int, int]:
    """Cases that need a reply, by team."""
    loads: dict[int, int] = {}
    for brand in organisation.brands:
        if brand.kind != "own":
            continue
        rows = connection.execute(
            select(desk_case.c.team_id, func.count().label("cases"))
            .where(desk_case.c.brand_id == brand.id, desk_case.c.state.in_((NEW, OPEN)))
            .group_by(desk_case.c.team_id)
        )
        for row in rows:
            loads[row.team_id] = loads.get(row.team_id, 0) + row.cases
    return loads


def save(
    connection: Connection, organisation: Organisation, who: Access, rules: Sequence[Rule], *, now: datetime
) -> tuple[Rule, ...]:
    """Put these rules, in this order, in place of those in force; what was stays readable. InputError, AccessDenied."""
    who.require(ADMIN)
    faults = [fault for number, rule in enumerate(rules, start=1) for fault in _faults(number, rule, organisation)]
    if len(rules) > MOST_RULES:
        faults.append(f"{len(rules)} rules are more than {MOST_RULES}")
    if faults:
        raise InputError("; ".join(faults))
    before = load(connection, organisation, now).rules
    connection.execute(update(routing_rule).where(routing_rule.c.valid_to.is_(None)).values(valid_to=now))
    first = int(connection.execute(select(func.coalesce(func.max(routing_rule.c.id), 0))).scalar_one()) + 1
    saved = tuple(
        Rule(first + n, (n + 1) * 10, r.name, r.when, r.opens, r.priority, r.team_id, r.overload, r.overflow_team_id)
        for n, r in enumerate(rules)
    )
    for rule in saved:
        connection.execute(insert(routing_rule).values(**_row(rule), actor=who.name, valid_from=now))
    audit.record(
        connection,
        at=now,
        action="routing.saved",
        subject="routing rules",
        actor=who.name,
        person_id=who.person_id,
        details={"before": [_row(rule) for rule in before], "after": [_row(rule) for rule in saved]},
    )
    raise_change(connection, TOPIC)
    return saved


# -- one rule --------------------------------------------------------------------------------------------------


def _fits(when: When, facts: Facts) -> bool:
    """All that needs no preparation; places, words and hours are asked afterwards."""
    return (
        (when.kinds is None or facts.kind in when.kinds)
        and (when.brands is None or facts.brand_id in when.brands)
        and (when.networks is None or facts.network_id in when.networks)
        and (when.languages is None or facts.language in when.languages)
        and (when.sentiment is None or facts.sentiment in when.sentiment)
        and (when.reach is None or (facts.reach or 0) >= when.reach)
        and (when.addressed is None or facts.addresses_us == when.addressed)
        and (when.asks is None or facts.asks == when.asks)
    )


def _words(topic: Iterable[str] | None) -> re.Pattern[str] | None:
    if topic is None:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(word) for word in topic) + r")(?!\w)", re.IGNORECASE)


def _faults(number: int, rule: Rule, organisation: Organisation) -> list[str]:
    place = f'rule {number} "{audit.shown(rule.name)[:LONGEST_NAME]}"'
    when, teams = rule.when, organisation.team_names
    faults = []
    if not rule.name.strip() or len(rule.name) > LONGEST_NAME:
        faults.append(f"{place}: give it a name of 1 to {LONGEST_NAME} characters")
    if not HIGHEST <= rule.priority <= LOWEST:
        faults.append(f"{place}: priority {rule.priority}: use {HIGHEST} (most urgent) to {LOWEST}")
    named = [team_id for team_id in (rule.team_id, rule.overflow_team_id) if team_id is not None]
    faults += [f"{place}: there is no team {team_id}" for team_id in named if team_id not in teams]
    if rule.overload is not None and (rule.overload < 1 or rule.overflow_team_id is None):
        faults.append(f"{place}: overload needs a number from 1 and the team that gets the rest")
    if when.topic is not None and (not 1 <= len(when.topic) <= MOST_WORDS or not all(w.strip() for w in when.topic)):
        faults.append(f"{place}: give 1 to {MOST_WORDS} words")
    if when.hours is not None and (not all(0 <= hour <= 24 for hour in when.hours) or when.hours[0] == when.hours[1]):
        faults.append(f"{place}: hours {when.hours[0]} to {when.hours[1]}: use two different hours from 0 to 24")
    if when.sentiment is not None and not when.sentiment <= {-1, 0, 1}:
        faults.append(f"{place}: sentiment is -1, 0 or 1")
    if when.locations is not None and not when.locations <= organisation.location_names.keys():
        faults.append(f"{place}: there is no such location")
    if when.brands is not None and not when.brands <= {b.id for b in organisation.brands if b.kind == "own"}:
        faults.append(f"{place}: name brands of ours")
    return faults


_SETS = ("brands", "locations", "networks", "languages", "kinds", "sentiment")
_LISTS = ("topic", "hours")
_PLAIN = ("reach", "asks", "addressed")


def _row(rule: Rule) -> dict[str, Any]:
    when: dict[str, Any] = {}
    for name in (*_SETS, *_LISTS, *_PLAIN):
        value = getattr(rule.when, name)
        if value is not None:
            when[name] = sorted(value) if name in _SETS else list(value) if name in _LISTS else value
    return {
        "id": rule.id,
        "position": rule.position,
        "name": rule.name,
        "when": when,
        "opens": rule.opens,
        "priority": rule.priority,
        "team_id": rule.team_id,
        "overload": rule.overload,
        "overflow_team_id": rule.overflow_team_id,
    }


def when_of(said: Mapping[str, Any]) -> When:
    """The conditions that a row or a form says. InputError for a condition that is none."""
    if unknown := said.keys() - {*_SETS, *_LISTS, *_PLAIN}:
        raise InputError(f'"{min(unknown)}" is no condition; known: {", ".join((*_SETS, *_LISTS, *_PLAIN))}')
    values: dict[str, Any] = {name: frozenset(said[name]) for name in _SETS if said.get(name) is not None}
    values |= {name: tuple(said[name]) for name in _LISTS if said.get(name) is not None}
    return When(**values, **{name: said[name] for name in _PLAIN if said.get(name) is not None})


def _rule(row: Any) -> Rule:
    return Rule(
        row.id,
        row.position,
        row.name,
        when_of(row.when),
        row.opens,
        row.priority,
        row.team_id,
        row.overload,
        row.overflow_team_id,
    )
