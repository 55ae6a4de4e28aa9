"""models/search.py: a search finds what the same words find as a rule of a brand, on both databases."""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import cube, mentions, search
from models import organisation as organisations
from models.access import Window
from models.database import Database
from models.errors import SearchError
from models.folding import KIND, UNSPACED, WORD
from models.mentions import newest
from models.networks import BY_KEY
from models.rule_tree import Rule
from models.rules import Subject, parse
from tests import rules_made_up
from tests.builders import CORVANE, EVERYTHING, HALDEN, NOW, keep, load, mention, number, rows, scope
from tests.few import few

pytestmark = pytest.mark.both

HOUR = timedelta(hours=1)
_hours = itertools.count(1)

TEXTS = (
    "my bag was lost at the gate",
    "The GATE was closed; lost, my bag!",
    "delta_force and a subdelta",
    "thanks @Delta, see #delta",
    "Delta's staff don\u2019t care",
    "STRASSE und Straße",
    "cafe\u0301 au lait, un café",
    "flying and flew, butterfly",
    "ΟΔΟΣ, ὁδός, οδος",
    "私は東京都に住む",
    "yes \U0001f600",
    "C++ is it; c is not",
    "OR so they say, AND nobody knows",
    "हिन्दी में देर",
    "самолёт опоздал",
    "12,50 euro",
    "'; DROP TABLE mention; -- \" or 1=1 :limit %s",
)
QUERIES = (
    "bag", "BAG lost", '"lost at the gate"', '"the lost gate"', "bag -thanks", "gate -closed", "delta", "@delta",
    "#delta", "delta -@delta", "delta OR bag", "(delta OR bag) gate", "lost NEAR/2 bag", "lost NEAR/1 bag", "strasse",
    "straße", "café", "don't", "fly*", "butter*", '"c++"', "οδος", "οδοσ", "東京", "都", "\U0001f600", "हिन्दी",
    "САМОЛЁТ опоздал", "12,50", '"OR so"', '"1=1"', "limit", '"%s"', "author:ada", "author:@ADA -bag", "lang:en delta",
    "lang:en,und bag", "delta -lang:de", "network:x bag", "bag NOT network:x,reddit", "gate OR (delta lang:de)",
    "bag OR author:bob.b@c.social", "NOT NOT bag", "-(delta OR fly*) bag",
)  # fmt: skip


def stored(database: Database, subjects: Sequence[Subject]) -> Window:
    """Store posts in an hour of their own; the window of that hour."""
    start = NOW - HOUR * next(_hours)
    if number(database, "select count(*) from brand") == 1:
        load(database)
    with database.read() as connection:
        organisation = organisations.current(connection, NOW)
    said = [
        mention(
            f"{start.isoformat()} {place}",
            posted_at=start + timedelta(seconds=place),
            text=subject.text,
            author=subject.author or "nobody",
            handle=subject.author,
            language=subject.language,
            network=subject.network,
            brand_id=(CORVANE, HALDEN)[place % 2],
        )
        for place, subject in enumerate(subjects)
    ]
    keep(database, said, organisation)
    return Window("made up", start, start + HOUR, 900, live=False)


def found(database: Database, query: str, window: Window) -> list[int]:
    """The places of the posts that a search finds, and that a figure counts as many."""
    with database.read() as connection:
        shown = newest(connection, scope(search=query), window, limit=500)
    return sorted(int(item.external_id.split()[-1]) for item in shown)


def expected(query: str, subjects: Sequence[Subject]) -> list[int]:
    """The places of the posts that the same words find as a rule."""
    rule = parse(query)
    return [place for place, subject in enumerate(subjects) if rule.matches(subject) is not None]


@pytest.fixture
def subjects() -> list[Subject]:
    authors, languages, networks = ("ada", "@Ada", "bob.b@c.social", None), ("en", "de", None, "pt-BR"), ("x", "rss")
    return [
        Subject(text, authors[n % 4], languages[n // 2 % 4], networks[n % 2])
        for n, text in enumerate(itertools.chain.from_iterable(zip(TEXTS, TEXTS, strict=True)))
    ]


def test_a_search_finds_what_the_same_words_find_as_a_rule(database: Database, subjects: list[Subject]) -> None:
    window = stored(database, subjects)

    differing = {q: (found(database, q, window), expected(q, subjects)) for q in QUERIES}

    assert {q: both for q, both in differing.items() if both[0] != both[1]} == {}
    assert sum(len(right) for _, right in differing.values()) > 60


def ordinary(text: str) -> bool:
    """Written as people and their keyboards write: every word between blanks or marks that end a word."""
    kinds = [KIND[character] for character in text]
    glued = any(UNSPACED in pair and WORD in pair for pair in itertools.pairwise(kinds))
    return not (glued or re.search("[\u200d\u0301._/&<-]|\\d|\\w@", text))


_ordinary_words = (
    *("fly", "Flying", "DELTA", "@delta", "#fly", "#delta,", "ab", "o'hare", "O\u2019Hare!", "stra\u00dfe", "STRASSE"),
    *("delta's", "del", "(c++)", "\u6771\u4eac", "\u4eac\u90fd\u3002", "\U0001f600", "\u092e\u0948\u0902"),
)
_ordinary = st.lists(st.sampled_from(_ordinary_words), max_size=10).map(" ".join)
_subjects = st.builds(
    Subject,
    _ordinary | _ordinary | rules_made_up.texts,
    st.none() | st.sampled_from(("delta", "@United", "someone", "a.b@c.social")),
    st.none() | st.sampled_from(("en", "de", "pt", "pt-BR", "pt_br")),
    st.sampled_from(("x", "reddit", "other")),
)
_checks = (HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow)


def check(database: Database, subjects: list[Subject], rules: list[Rule]) -> None:
    """Nothing else is found, and nothing ordinary is missed."""
    window = stored(database, subjects)
    for rule in rules:
        query = str(rule)
        right, shown = set(expected(query, subjects)), set(found(database, query, window))
        assert shown <= right, (query, [subjects[place] for place in shown - right])
        missed = [subjects[place] for place in right - shown if ordinary(subjects[place].text)]
        assert missed == [], query


many_subjects = st.lists(_subjects, min_size=20, max_size=30)
some_rules = st.lists(rules_made_up.rules, min_size=3, max_size=5)


@given(subjects=many_subjects, rules=some_rules)
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=_checks)
def test_whatever_is_searched_for_is_found_as_a_rule_finds_it(
    database: Database, subjects: list[Subject], rules: list[Rule]
) -> None:
    check(database, subjects, rules)


@pytest.mark.prove
@pytest.mark.timeout(900)
@given(subjects=many_subjects, rules=some_rules)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=_checks)
def test_forty_times_whatever_is_searched_for_is_found_as_a_rule_finds_it(
    database: Database, subjects: list[Subject], rules: list[Rule]
) -> None:
    check(database, subjects, rules)


@pytest.mark.parametrize(
    ("text", "query", "databases"),
    few(
        [
            ("pay\u200bpal", "paypal", ("postgresql",)),
            ("\uff44\uff45\uff4c\uff54\uff41 in full width", "delta", ("postgresql",)),
            ("\u79c1\u306fapple\u304c\u597d\u304d", "apple", ("postgresql",)),
            ("\u79c1\u306fapple\u304c\u597d\u304d", "apple \u597d", ("postgresql",)),
            ("\u79c1\u306fapple\u304c\u597d\u304d", "\u597d", ("sqlite", "postgresql")),
            ("gate/desk", "desk", ("sqlite", "postgresql")),
            ("see delta.com", "delta", ("sqlite", "postgresql")),
            ("me@delta.com", "com", ("sqlite", "postgresql")),
            ("a bag-less gate", "less", ("sqlite", "postgresql")),
            ("w" * 3_000, "w" * 3_000, ("sqlite", "postgresql")),
        ],
        3,
    ),
)
def test_what_the_index_cuts_otherwise_than_a_rule_is_known(
    database: Database, text: str, query: str, databases: tuple[str, ...]
) -> None:
    window = stored(database, [Subject(text)])

    assert expected(query, [Subject(text)]) == [0]
    assert found(database, query, window) == ([0] if database.url.get_backend_name() in databases else [])


def test_an_upgrade_gives_older_mentions_their_words(database: Database, subjects: list[Subject]) -> None:
    migration = importlib.import_module("models.migrations.versions.0008_words")
    stored(database, subjects)
    words = "select id, words from mention order by id"
    before = rows(database, words)

    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("update mention set words = null")
            migration._fill(connection)

    assert rows(database, words) == before
    assert any(row["words"] for row in before) is not database.is_sqlite


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("delta OR", "\u201cdelta \u25b8OR\u25c2\u201d: nothing follows this OR; add a word or remove it"),
        ("autor:delta", "\u201c\u25b8autor:\u25c2delta\u201d: there is no field"),
        (
            "NOT delta",
            "\u201c\u25b8NOT delta\u25c2\u201d: a search must look for something",
        ),
        ("lang:de", "a search must look for something"),
        ('delta "sky', "this quote is never closed"),
        ("((((", "in these parentheses|never closed|a word is missing"),
        ("  ", "the search is empty"),
    ],
)
def test_what_cannot_be_read_is_pointed_at_with_one_repair(query: str, message: str) -> None:
    with pytest.raises(SearchError, match=message):
        search.read(query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", ()),
        ("Late BAG late", ("late", "bag")),
        ('"late  bag" gate', ("late bag", "gate")),
        ("bag -gate lang:en author:ada", ("bag",)),
        ("fly* OR (gate NEAR/2 (desk OR agent))", ("fly", "gate", "desk", "agent")),
        ("a\x00b \ud800c", ("a", "b", "c")),
    ],
)
def test_the_words_of_a_search_are_what_it_looks_for(query: str, words: tuple[str, ...]) -> None:
    assert search.words(query) == words
    assert mentions.search_phrases(query) == words


def test_the_words_that_a_post_is_found_by_are_its_own() -> None:
    assert search.words_in("fly* -gate", "Flying or FLY") == ("flying", "fly")
    assert search.words_in("gate NEAR/1 desk", "gate, then desk; desk at gate") == ("gate", "desk")
    assert search.words_in("gate NEAR/1 desk", "gate far off from any desk") == ()
    assert search.words_in("", "anything") == ()


def test_a_figure_counts_what_the_feed_shows(database: Database, subjects: list[Subject]) -> None:
    window = stored(database, subjects)
    organisation = load(database)

    for query in ("bag -thanks", "delta", "lost NEAR/2 bag", "\u6771\u4eac", "author:ada"):
        with database.read() as connection:
            counted = cube.series(connection, scope(search=query), window, organisation)
        assert counted.total.mentions == len(expected(query, subjects)) > 0, query
        assert not counted.partial


def test_a_search_that_the_index_cannot_help_reads_so_many_rows_and_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = stored(database, [Subject("\u6771\u4eac"), *[Subject("the gate")] * 60])
    organisation = load(database)
    monkeypatch.setattr(mentions, "ROW_LIMIT", 40)
    monkeypatch.setattr(mentions, "FIRST_WALK", 16)

    with database.read() as connection:
        assert newest(connection, scope(search="\u6771\u4eac"), window) == ()
        assert cube.series(connection, scope(search="\u6771\u4eac"), window, organisation).partial
        assert cube.series(connection, scope(search="gate -\u6771\u4eac"), window, organisation).partial
    monkeypatch.setattr(mentions, "ROW_LIMIT", 61)
    with database.read() as connection:
        assert len(newest(connection, scope(search="\u6771\u4eac"), window)) == 1
        assert not cube.series(connection, scope(search="\u6771\u4eac"), window, organisation).partial


def test_many_that_the_index_proposes_and_the_rule_refuses_are_passed_over(database: Database) -> None:
    window = stored(database, [Subject("the gate, at last"), *[Subject("gate_keeper")] * 300])

    assert found(database, "gate", window) == [0]
    assert found(database, "gate -keeper", window) == [0]


def test_an_export_holds_what_a_search_finds_however_many_rows_it_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(database, [Subject("\u6771\u4eac"), *[Subject("the gate")] * 60, Subject("pay\u200bpal")])
    monkeypatch.setattr(mentions, "ROW_LIMIT", 5)
    monkeypatch.setattr(mentions, "EXPORT_PAGE", 7)
    organisation = load(database)

    with database.read() as connection:
        for query, count in (("\u6771\u4eac", 1), ("gate", 60), ("paypal", 1), ("zebra", 0)):
            asked = scope(search=query)
            assert len(list(mentions.export_rows(connection, asked, EVERYTHING, organisation))) == count


def test_networks_of_a_rule_are_those_that_are_stored() -> None:
    for network in BY_KEY.values():
        assert search.read(f"bag network:{network.key}").holds("bag", None, None, network.id)
        assert not search.read(f"bag -network:{network.key}").holds("bag", None, None, network.id)
    assert search.read("bag network:other").holds("bag", None, None, 99)


@given(rule=rules_made_up.rules, subject=rules_made_up.subjects | _subjects)
@settings(max_examples=100, deadline=None, suppress_health_check=_checks)
def test_a_post_is_asked_fast_what_the_rule_says_slowly(rule: Rule, subject: Subject) -> None:
    network_id = BY_KEY[subject.network].id

    asked = search.Search(rule).holds(subject.text, subject.author, subject.language, network_id)

    assert asked is (rule.matches(subject) is not None)
