"""Policy: the strictest of all rules that fit, with its reasons, in versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models import policy
from models.access import Access, Grant
from models.checks import BLOCK, LEVELS, OFF, WARN
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound
from models.policy import Facts, Rule, When, required
from tests.builders import CORVANE, HALDEN, NOW, load, rows

ADMIN = Access.granted(90, "admin@meridian.example", "Admin", (Grant("admin"),))


def facts(**given: Any) -> Facts:
    values: dict[str, Any] = {
        "brand_id": CORVANE,
        "location_ids": frozenset({2, 6}),
        "team_id": 2,
        "account_id": 7,
        "text": "We look into it.",
    }
    return Facts(**{**values, **given})


def test_no_rule_that_fits_asks_nobody() -> None:
    asked = required([Rule("of Halden", When(brands=frozenset({HALDEN})), 2)], facts())
    assert (asked.signatures, asked.needs_manager, asked.why) == (0, False, ())
    assert asked.checks == LEVELS


@pytest.mark.parametrize(
    ("when", "fitting", "other"),
    [
        (When(brands=frozenset({CORVANE})), {}, {"brand_id": HALDEN}),
        (When(brands=frozenset({0})), {"brand_id": HALDEN}, None),
        (When(locations=frozenset({2})), {}, {"location_ids": frozenset({6})}),
        (When(teams=frozenset({2})), {}, {"team_id": 3}),
        (When(accounts=frozenset({7})), {}, {"account_id": None}),
        (When(words=("lawyer*",)), {"customer_text": "My LAWYERS will call."}, {"customer_text": "lawless"}),
        (When(words=("data breach",)), {"text": "No data  breach."}, {"text": "no breach of data"}),
        (When(reach=50_000), {"reach": 50_000}, {"reach": 49_999}),
        (When(reach=0), {"reach": 0}, {"reach": None}),
        (When(incident=True), {"incident": "INC-1"}, {}),
        (When(trainee=True), {"is_trainee": True}, {}),
    ],
)
def test_a_rule_fits_what_it_names(when: When, fitting: dict[str, Any], other: dict[str, Any] | None) -> None:
    rule = Rule("a rule", when, 1)
    assert required([rule], facts(**fitting)).signatures == 1
    if other is not None:
        assert required([rule], facts(**other)).signatures == 0


def test_of_rules_that_fit_the_strictest_counts_and_each_says_why() -> None:
    asked = required(
        [
            Rule("Two of us", When(), 2, checks={"promise": BLOCK, "length": OFF}),
            Rule("Far reach", When(reach=1_000), needs_manager=True, checks={"promise": WARN, "language": OFF}),
        ],
        facts(reach=125_000),
    )
    assert (asked.signatures, asked.needs_manager) == (2, True)
    assert asked.why == ("Two of us", "Far reach: the author has 125,000 followers, 1,000 or more")
    assert (asked.checks["promise"], asked.checks["length"], asked.checks["language"]) == (BLOCK, OFF, OFF)


def test_a_manager_signs_alone_where_a_rule_asks_for_nothing_else() -> None:
    assert required([Rule("manager", When(), 0, True)], facts()).signatures == 1
    held = required([], facts(incident="INC-4 Data centre", incident_manager=True))
    assert (held.signatures, held.needs_manager) == (1, True)
    assert "INC-4 Data centre" in held.why[0]


def test_a_fresh_organisation_has_the_rules_that_come_with_the_product(database: Database) -> None:
    with database.read() as connection:
        fresh = policy.rules(connection, NOW)
    assert [rule.name for rule in fresh] == [rule.name for rule in policy.DEFAULTS]
    assert required(fresh, facts(is_trainee=True)).signatures == 1
    assert required(fresh, facts(customer_text="I'll see you in court, says my lawyer")).needs_manager
    assert required(fresh, facts()).signatures == 0


def test_a_changed_rule_is_a_new_version_and_the_log_holds_both(database: Database) -> None:
    organisation = load(database)
    with database.write() as connection:
        far = next(rule for rule in policy.rules(connection, NOW) if rule.name == "Far reach")
        changed = Rule("Far reach", When(reach=9), 3)
        number = policy.save(connection, organisation, ADMIN, changed, now=NOW, replaces=far.id)
        later = policy.rules(connection, NOW + timedelta(seconds=1))
        earlier = rows_of(connection)

    assert number > len(policy.DEFAULTS)
    assert {rule.name: rule.signatures for rule in later}["Far reach"] == 3
    assert len(later) == len(policy.DEFAULTS)
    assert earlier == len(policy.DEFAULTS) + 1
    told = rows(database, "select action, details from audit where action = 'policy.saved'")
    assert len(told) == 1
    assert '"reach":50000' in str(told[0]["details"]).replace(" ", "").replace("'", '"')


def test_a_retired_rule_asks_for_nothing_and_the_defaults_do_not_come_back(database: Database) -> None:
    load(database)
    with database.write() as connection:
        for rule in policy.rules(connection, NOW):
            policy.retire(connection, ADMIN, rule.id, now=NOW)
        assert policy.rules(connection, NOW + timedelta(seconds=1)) == ()
        with pytest.raises(NotFound):
            policy.retire(connection, ADMIN, 1, now=NOW)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(" "), "name"),
        (Rule("a", signatures=4), "0 to 3"),
        (Rule("a", checks={"spelling": WARN}), "spelling"),
        (Rule("a", checks={"length": "sometimes"}), "length"),
        (Rule("a", When(brands=frozenset({99}))), "brands: there is no 99"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused(database: Database, rule: Rule, said: str) -> None:
    if not database.is_sqlite:
        pytest.skip("nothing of it is the database's")
    organisation = load(database)
    with database.write() as connection, pytest.raises(InputError, match=said):
        policy.save(connection, organisation, ADMIN, rule, now=NOW)


def test_what_a_form_sends_is_typed_or_refused() -> None:
    assert policy.when_of({"brands": [2], "words": [" data  breach ", ""], "reach": 5, "trainee": True}) == When(
        brands=frozenset({2}), words=("data breach",), reach=5, trainee=True
    )
    for given in ({"colour": 1}, {"brands": ["two"]}, {"reach": -1}, {"reach": True}):
        with pytest.raises(InputError):
            policy.when_of(given)


def test_only_administrators_change_policy(database: Database) -> None:
    organisation = load(database)
    agent = Access.granted(1, "a@meridian.example", "A", (Grant("manager"),))
    with database.write() as connection, pytest.raises(AccessDenied):
        policy.save(connection, organisation, agent, Rule("mine"), now=NOW)


def rows_of(connection: Any) -> int:
    return int(connection.exec_driver_sql("select count(*) from policy_rule").scalar_one())
