"""dashboard/scope.py: a link reproduces the screen, and a malformed one is explained."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import scope as scopes
from dashboard.scope import MOST_POINTS, WINDOWS, UrlScope, parse, question, window_at
from models.access import Access, Window
from models.errors import NotFound, ScopeError, SearchError
from tests.small_organisation import ADMIN, NOW, organisation, person

# Hypothesis wants the bounds of instants without a zone.
RANGE = (datetime(2000, 1, 2), datetime(2026, 11, 18))  # noqa: DTZ001
keys = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1, max_size=20)
key_lists = st.lists(keys, max_size=4).map(lambda found: tuple(sorted(set(found))))
texts = st.text(st.characters(exclude_categories=["C"]), max_size=80).map(lambda text: " ".join(text.split()))
# In quotes anything is looked for as it stands, but for quotes and stars.
QUOTES = re.compile('[*"“”„‟«»＂]')
searches = st.just("") | texts.map(lambda text: " ".join(('"word ' + QUOTES.sub("", text) + ' end"').split()))
days = st.dates(date(2000, 1, 2), date(2026, 11, 18))
instants = st.one_of(
    days,
    st.datetimes(*RANGE).map(lambda at: at.replace(microsecond=0)),
    st.datetimes(*RANGE, timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
)


@given(
    asked=st.builds(
        UrlScope,
        brands=key_lists,
        locations=key_lists,
        teams=key_lists,
        networks=st.lists(st.sampled_from(["x", "reddit", "rss"]), max_size=3).map(
            lambda found: tuple(sorted(set(found)))
        ),
        window=st.sampled_from(list(WINDOWS)),
        search=searches,
        at=st.one_of(st.none(), instants),
    )
)
def test_a_link_reproduces_the_scope(asked: UrlScope) -> None:
    assert parse(asked.to_search()) == asked


@given(span=st.tuples(instants, instants))
def test_a_link_reproduces_a_window_of_two_instants(span: tuple[Any, Any]) -> None:
    asked = UrlScope(window="custom", span=span)

    assert parse(asked.to_search()) == asked


@given(st.text(max_size=300))
def test_whatever_stands_in_the_address_is_read_or_refused_in_words(search: str) -> None:
    try:
        found = parse(search)
    except ScopeError:
        return
    assert parse(found.to_search()) == found


def test_a_search_that_cannot_be_read_is_pointed_at() -> None:
    with pytest.raises(SearchError, match="“delta ▸OR◂”: nothing follows this OR; add a word or remove it"):
        parse("?q=delta%20OR")


def test_an_empty_address_means_everything_of_the_last_24_hours() -> None:
    assert parse("") == UrlScope()
    assert UrlScope().to_search() == ""


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("?brnad=x", "“brnad” is no filter"),
        ("?window=2h", "“2h” is none of 15m, 1h, 24h, 7d, 30d"),
        ("?window=2015-02-30..2015-03-01", "“2015-02-30” is no day of the calendar"),
        ("?window=1h&window=24h", "given 2 times"),
        ("?network=twiter", "no network"),
        ("?at=yesterday", "“yesterday” is no instant"),
        ("?at=2015-02-20T25:00Z", "no time of day"),
        ("?at=2015-02-20&window=2015-02-01..2015-02-02", "its own end"),
        ("?q=" + "a" * 201, "201 characters"),
        ("?q=a%00b", "control characters"),
        ("?brand=%ff%fe", "cannot be read"),
        ("?brand=" + ",".join(f"b{n}" for n in range(101)), "101 values"),
        ("?q=" + "a" * 5000, "characters after"),
    ],
)
def test_a_malformed_address_names_the_value_and_the_way_out(search: str, says: str) -> None:
    with pytest.raises(ScopeError, match=says.replace("?", r"\?")):
        parse(search)


def test_what_cannot_be_seen_in_a_value_is_not_repeated_on_the_page() -> None:
    with pytest.raises(ScopeError) as failure:
        parse("?window=%E2%80%AE" + "x" * 500)

    assert "\u202e" not in str(failure.value)
    assert len(str(failure.value)) < 200


@pytest.mark.parametrize(("name", "points"), [("15m", 15), ("1h", 12), ("24h", 96), ("7d", 168), ("30d", 120)])
def test_a_live_window_ends_now_and_starts_on_an_edge(name: str, points: int) -> None:
    window = window_at(UrlScope(window=name), organisation(), NOW)

    assert window.live
    assert window.end == NOW
    assert ceil((window.end - window.start).total_seconds() / window.step_seconds) == points
    last = window.start + timedelta(seconds=(points - 1) * window.step_seconds)
    local = last.astimezone(ZoneInfo("Europe/Amsterdam"))
    assert (local.hour * 3600 + local.minute * 60 + local.second) % window.step_seconds == 0


@given(
    at=st.datetimes(*RANGE, timezones=st.just(UTC)).filter(lambda at: at.year > 2000),
    name=st.sampled_from(list(WINDOWS)),
    zone=st.sampled_from(["Asia/Kolkata", "America/Los_Angeles", "Australia/Lord_Howe", "UTC"]),
)
def test_a_window_never_reaches_further_back_than_its_name(at: datetime, name: str, zone: str) -> None:
    window = window_at(UrlScope(window=name, at=at), organisation(zone), NOW)

    span, step = WINDOWS[name]
    assert not window.live
    assert window.end == at
    assert timedelta(seconds=span - step) < window.end - window.start <= timedelta(seconds=span)


@given(span=st.tuples(instants, instants))
def test_a_custom_window_has_few_points_or_steps_of_a_day(span: tuple[Any, Any]) -> None:
    try:
        window = window_at(UrlScope(window="custom", span=span), organisation(), NOW)
    except ScopeError:
        return
    points = ceil((window.end - window.start).total_seconds() / window.step_seconds)
    assert points <= MOST_POINTS + 1 or window.step_seconds == 86_400
    assert points <= 733


def test_a_day_in_the_address_is_the_whole_day_on_the_organisations_clock() -> None:
    window = window_at(parse("?window=2015-02-16..2015-02-22"), organisation("America/Los_Angeles"), NOW)

    assert window.start == datetime(2015, 2, 16, 8, tzinfo=UTC)
    assert window.end == datetime(2015, 2, 23, 8, tzinfo=UTC)
    assert window.step_seconds == 3_600


def test_an_instant_without_a_zone_is_on_the_organisations_clock() -> None:
    there = organisation("America/Los_Angeles")

    assert window_at(parse("?at=2015-02-20T12:00"), there, NOW).end == datetime(2015, 2, 20, 20, tzinfo=UTC)
    assert window_at(parse("?at=2015-02-20T12:00Z"), there, NOW).end == datetime(2015, 2, 20, 12, tzinfo=UTC)
    assert window_at(parse("?at=2015-02-20T12:00+01:00"), there, NOW).end == datetime(2015, 2, 20, 11, tzinfo=UTC)


def test_a_step_of_a_day_starts_at_local_midnight_across_summer_time() -> None:
    window = window_at(parse("?window=2025-01-01..2026-06-30"), organisation("America/New_York"), NOW)

    assert window.step_seconds == 86_400
    assert window.start == datetime(2025, 1, 1, 5, tzinfo=UTC)
    assert window.end == datetime(2026, 7, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("?window=2020-01-01..2026-01-01", "at most two years"),
        ("?window=2026-01-02..2026-01-01T00:00Z", "ends before it begins"),
        ("?window=1999-12-31..2000-02-01", "out of range"),
        ("?window=2026-01-01..9999-12-31", "out of range"),
        ("?window=2027-01-01..2027-01-02", "future"),
        ("?at=2031-01-01", "future"),
        ("?at=0001-01-01", "out of range"),
    ],
)
def test_a_window_that_cannot_be_answered_says_why(search: str, says: str) -> None:
    with pytest.raises(ScopeError, match=says):
        window_at(parse(search), organisation(), NOW)


def test_a_window_that_reaches_past_now_is_live_and_ends_now() -> None:
    window = window_at(parse("?window=2026-11-19..2026-11-20"), organisation(), NOW)

    assert window.live
    assert window.end == NOW


def test_the_question_carries_the_rows_that_the_person_may_see() -> None:
    asked = question(parse("?location=emea"), person(location_ids=frozenset({3})), organisation(), NOW)

    assert asked.scope.location_ids == (3, 4)
    assert asked.zone == "Europe/Amsterdam"
    assert asked.now == NOW


def test_a_brand_of_others_is_not_found() -> None:
    with pytest.raises(NotFound, match='no brand "halden"'):
        question(parse("?brand=halden"), person(brand_ids=frozenset({2})), organisation(), NOW)


@pytest.mark.parametrize(
    "access",
    [ADMIN, person(), person(brand_ids=frozenset({3})), person(location_ids=frozenset({3, 5}))],
    ids=["admin", "viewer", "one brand", "two places"],
)
def test_the_scope_bar_offers_exactly_what_the_query_would_answer(access: Access) -> None:
    there = organisation()
    offered = scopes.options(access, there)

    for kind, everything in (("brand", there.brands), ("location", there.locations)):
        names = {option["key"] for option in offered[kind]}
        for item in everything:
            if item.key == "unknown":
                continue
            try:
                question(parse(f"?{kind}={item.key}"), access, there, NOW)
                answered = True
            except NotFound:
                answered = False
            assert (item.key in names) == answered, (kind, item.key)


def test_locations_are_offered_as_a_tree() -> None:
    offered = scopes.options(ADMIN, organisation())["location"]

    assert [(item["key"], item["depth"]) for item in offered] == [
        ("emea", 0),
        ("berlin", 1),
        ("kenya", 1),
        ("nairobi", 2),
        ("tokyo", 0),
    ]


def test_the_scope_is_said_in_words() -> None:
    there = organisation()

    def said(search: str) -> str:
        asked = question(parse(search), person(), there, NOW)
        return scopes.words(asked.scope, asked.window, there)

    assert said("") == "all brands, last 24 h"
    assert said("?brand=corvane&location=nairobi&window=15m") == "Corvane, Nairobi, last 15 min"
    assert said("?location=emea,tokyo&q=card%20declined") == ("all brands, Emea and Tokyo, “card declined”, last 24 h")
    assert said("?at=2026-11-01T12:00") == "all brands, last 24 h to 1 Nov 2026 12:00"


def test_widening_ends_at_the_longest_window() -> None:
    assert parse("?window=15m&brand=x").widened() == UrlScope(window="1h", brands=("x",))
    assert parse("?window=30d").widened() is None


def test_the_edge_of_a_quarter_hour_is_itself() -> None:
    at = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)

    assert scopes.edge_before(at, 900, ZoneInfo("Asia/Kolkata")) == at
    assert isinstance(window_at(UrlScope(), organisation(), at), Window)
