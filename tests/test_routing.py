"""Routing: which posts open a case, how urgent, whose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import case_duties, routing
from models.database import Database
from models.errors import AccessDenied, InputError
from models.organisation import Organisation
from models.routing import Decision, Facts, Routing, Rule, When, decide, defaults
from tests.builders import (
    AMSTERDAM_SITE,
    BERLIN,
    CORVANE,
    DUTCH_CARE,
    EMEA,
    EMEA_CARE,
    HALDEN,
    MUMBAI,
    NETHERLANDS,
    NO_TEAM,
    NOW,
    UTRECHT,
)
from tests.case_desk import HOUR, MINUTE, all_cases, arrive, hire, kinds, open_desk, ours, said, take


def facts(**given: Any) -> Facts:
    """A neutral post of nobody in particular."""
    plain = Facts(CORVANE, 1, 2, NO_TEAM, "post", "en", "corvane came", 10, 0, NOW)
    return replace(plain, **given)


def ready(organisation: Organisation, *rules: Rule) -> Routing:
    return Routing(rules or defaults(), organisation)


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@sqlite_only
def test_what_comes_with_the_product_opens_what_needs_a_reply_and_nothing_else(desk: Organisation) -> None:
    rules = ready(desk)
    said_of: list[tuple[dict[str, Any], str | None, bool, int]] = [
        ({}, None, False, 3),
        ({"kind": "article", "sentiment": -1}, None, False, 3),
        ({"kind": "repost", "text": "really?"}, None, False, 3),
        ({"sentiment": 1, "addresses_us": True}, "Praise", False, 3),
        ({"sentiment": 1, "text": "love it, is there a red one?"}, "Question", True, 3),
        ({"text": "see https://x.example/?a=1"}, None, False, 3),
        ({"text": "qué pasa？"}, "Question", True, 3),
        ({"sentiment": -1}, "Complaint", True, 3),
        ({"sentiment": -1, "text": "really?", "kind": "reply"}, None, False, 3),
        ({"sentiment": -1, "reach": 10_000}, "Loud complaint", True, 1),
        ({"sentiment": -1, "addresses_us": True}, "Complaint to us", True, 2),
        ({"text": "when?", "addresses_us": True}, "Question to us", True, 2),
        ({"addresses_us": True}, "Said to us", True, 3),
        ({"text": "I call my LAWYER now"}, "Words of risk", True, 1),
        ({"text": "the lawyers say"}, None, False, 3),
    ]
    for given, name, opens, priority in said_of:
        assert decide(rules, facts(**given)) == Decision(opens, priority, NO_TEAM, name), given


@sqlite_only
def test_the_first_rule_that_fits_decides_and_every_condition_counts(desk: Organisation) -> None:
    conditions: list[tuple[When, dict[str, Any], dict[str, Any]]] = [
        (When(brands=frozenset({HALDEN})), {"brand_id": HALDEN}, {}),
        (When(locations=frozenset({NETHERLANDS})), {"location_id": UTRECHT}, {"location_id": BERLIN}),
        (When(locations=frozenset({EMEA})), {"location_id": AMSTERDAM_SITE}, {"location_id": MUMBAI}),
        (When(networks=frozenset({3})), {"network_id": 3}, {}),
        (When(languages=frozenset({"nl"})), {"language": "nl"}, {"language": None}),
        (When(kinds=frozenset({"review"})), {"kind": "review"}, {}),
        (When(topic=("card declined", "pin")), {"text": "my Card Declined!"}, {"text": "spinning"}),
        (When(reach=1_000), {"reach": 1_000}, {"reach": None}),
        (When(sentiment=frozenset({-1, 0})), {"sentiment": -1}, {"sentiment": None}),
        (When(asks=False), {}, {"text": "so?"}),
        (When(addressed=True), {"addresses_us": True}, {}),
    ]
    for when, yes, no in conditions:
        rules = ready(desk, Rule(1, 10, "special", when, True, 1, DUTCH_CARE), Rule(2, 20, "rest", When(), False))
        assert decide(rules, facts(**yes)) == Decision(True, 1, DUTCH_CARE, "special"), when
        assert decide(rules, facts(**no)) == Decision(False, 3, NO_TEAM, "rest"), when
    assert decide(ready(desk, Rule(1, 10, "x", When(reach=5_000), True)), facts()) == Decision(False, 3, NO_TEAM, None)


@sqlite_only
def test_hours_are_those_of_the_place_and_may_cross_midnight(desk: Organisation) -> None:
    night = ready(desk, Rule(1, 10, "night", When(hours=(22, 6)), True))
    day = ready(desk, Rule(1, 10, "day", When(hours=(6, 22)), True))
    for hour, is_night in ((20, False), (21, True), (2, True), (4, True), (5, False)):
        at = datetime(2026, 1, 15, hour, 30, tzinfo=UTC)
        # Amsterdam is an hour ahead.
        assert decide(night, facts(at=at)).opens is is_night
        assert decide(day, facts(at=at)).opens is not is_night


def test_rules_are_saved_in_versions_by_administrators(database: Database, desk: Organisation) -> None:
    ada, bo = hire(database, "Admin", "admin"), hire(database, "Bo")
    when = When(brands=frozenset({HALDEN}), hours=(22, 6), topic=("card",), sentiment=frozenset({-1}))
    mine = Rule(0, 0, "Bank at night", when, True, 1, DUTCH_CARE, 40, EMEA_CARE)
    with database.write() as connection:
        assert routing.load(connection, desk, NOW).rules == defaults()
        with pytest.raises(AccessDenied):
            routing.save(connection, desk, bo, [mine], now=NOW)
        saved = routing.save(connection, desk, ada, [mine, Rule(0, 0, "Rest", When(), False)], now=NOW)
    with database.write() as connection:
        assert routing.load(connection, desk, NOW).rules == saved
        assert replace(saved[0], id=0, position=0) == mine
        routing.save(connection, desk, ada, [], now=NOW + MINUTE)
        # Whoever wants no rules gets none, not ours.
        assert routing.load(connection, desk, NOW + MINUTE).rules == ()


@sqlite_only
def test_a_rule_that_cannot_be_is_refused_with_every_fault(database: Database, desk: Organisation) -> None:
    ada = hire(database, "Admin", "admin")
    wrong = [
        (Rule(0, 0, " ", When(), True, 4), "give it a name"),
        (Rule(0, 0, "x", When(), True, 1, 999), "there is no team 999"),
        (Rule(0, 0, "x", When(), True, 1, None, 5), "overload needs"),
        (Rule(0, 0, "x", When(topic=()), True), "words"),
        (Rule(0, 0, "x", When(hours=(5, 5)), True), "two different hours"),
        (Rule(0, 0, "x", When(sentiment=frozenset({7})), True), "-1, 0 or 1"),
        (Rule(0, 0, "x", When(brands=frozenset({5})), True), "brands of ours"),
    ]
    with database.write() as connection:
        with pytest.raises(InputError) as refusal:
            routing.save(connection, desk, ada, [rule for rule, _ in wrong], now=NOW)
        for _, words in wrong:
            assert words in str(refusal.value)
        with pytest.raises(InputError, match='"moon" is no condition'):
            routing.when_of({"moon": 1})


def test_an_overrun_team_gets_help(database: Database, desk: Organisation) -> None:
    ada, ana = hire(database, "Admin", "admin"), hire(database, "Ana")
    rule = Rule(0, 0, "All", When(), True, 2, DUTCH_CARE, 2, EMEA_CARE)
    with database.write() as connection:
        routing.save(connection, desk, ada, [rule], now=NOW - HOUR)
    arrive(database, desk, *(said(str(n), author=f"p{n}", posted_at=NOW - MINUTE * (9 - n)) for n in range(4)))
    arrive(database, desk, said("9", author="p9"))
    assert [case.team_id for case in all_cases(database)] == [DUTCH_CARE] * 4 + [EMEA_CARE]
    take(database, desk, ana, all_cases(database)[3].key)
    with database.write() as connection:
        assert case_duties.reroute(connection, desk, now=NOW) == 2
    found = all_cases(database)
    assert [case.team_id for case in found] == [DUTCH_CARE, EMEA_CARE, EMEA_CARE, DUTCH_CARE, EMEA_CARE]
    assert kinds(database, found[2].key)[-1] == "rerouted"
    with database.write() as connection:
        assert case_duties.reroute(connection, desk, now=NOW) == 0


def test_what_was_answered_and_is_silent_settles_by_itself(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    arrive(
        database, desk, said("1", posted_at=NOW - HOUR), said("3", author="bob"), ours=[ours("2", "1", at=NOW - MINUTE)]
    )
    with database.write() as connection:
        assert case_duties.keep_in_order(connection, desk, now=NOW + timedelta(hours=71)).settled == 0
        assert case_duties.keep_in_order(connection, desk, now=NOW + timedelta(hours=72)).settled == 1
    found = {case.author_key: case for case in all_cases(database)}
    assert (found["ada"].state, found["bob"].state) == ("resolved", "new")
    assert kinds(database, found["ada"].key)[-1] == "settled"
    assert take(database, desk, ana, found["bob"].key)
