"""All rules at once agree with each rule asked alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.enrich.brands import Match, Matcher
from models.rule_tree import Rule
from models.rules import Subject, parse
from tests import brand_rules, rules_made_up


@pytest.mark.prove
@given(st.lists(rules_made_up.rules, max_size=8), st.lists(rules_made_up.subjects, min_size=1, max_size=6))
@settings(max_examples=70, deadline=None)
def test_all_rules_at_once_find_what_each_rule_alone_finds(rules: list[Rule], subjects: list[Subject]) -> None:
    matcher = Matcher(list(enumerate(rules)))
    for subject in subjects:
        expected = [(place, rule.matches(subject)) for place, rule in enumerate(rules)]
        assert matcher.match(subject) == tuple(Match(place, words) for place, words in expected if words is not None)


@given(st.lists(rules_made_up.rules, min_size=1, max_size=4), rules_made_up.subjects)
@settings(max_examples=40, deadline=None)
def test_several_rules_of_one_brand_are_one_match_with_the_words_of_all(rules: list[Rule], subject: Subject) -> None:
    alone = [words for rule in rules if (words := rule.matches(subject)) is not None]
    together = Matcher([(7, rule) for rule in rules]).match(subject)
    assert [match.brand_id for match in together] == ([7] if alone else [])
    for match in together:
        assert set(match.words) == {word for words in alone for word in words}
        assert len(match.words) == len(set(match.words))


def test_brands_come_in_ascending_order_each_once() -> None:
    matcher = Matcher([(9, parse("delta")), (3, parse("fly*")), (9, parse("flying")), (5, parse("author:united"))])
    found = matcher.match(Subject("flying Delta", author="@United"))
    assert found == (Match(3, ("flying",)), Match(5, ()), Match(9, ("flying", "delta")))


def test_no_rules_and_no_text_match_nothing() -> None:
    assert Matcher([]).match(Subject("delta")) == ()
    assert Matcher([(2, parse("delta"))]).match(Subject("")) == ()
    assert Matcher([(2, parse("author:delta"))]).match(Subject("", author="delta")) == (Match(2, ()),)


def test_a_word_found_inside_a_longer_one_is_no_match_but_overlapping_words_are() -> None:
    matcher = Matcher([(2, parse("air")), (3, parse('"air france"')), (4, parse("france")), (5, parse("air*"))])
    assert [match.brand_id for match in matcher.match(Subject("Air France airport"))] == [2, 3, 4, 5]
    assert [match.brand_id for match in matcher.match(Subject("airport repair"))] == [5]


def test_one_matcher_serves_many_threads() -> None:
    matcher = Matcher([(number, parse(f"word{number} -stop NEAR/2 it")) for number in range(2, 60)])
    subjects = [Subject(f"see word{number} and word{number + 1}") for number in range(2, 58)] * 10
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(matcher.match, subjects)) == [matcher.match(subject) for subject in subjects]


def test_a_hostile_text_is_read_in_one_pass() -> None:
    matcher = Matcher([(2, parse("aa* -b")), (3, parse("a NEAR/3 aa")), (4, parse("ab OR ba"))])
    assert [match.brand_id for match in matcher.match(Subject("aa a " * 8_000))] == [2, 3]


@pytest.mark.data
@pytest.mark.parametrize("company", brand_rules.COMPANIES)
def test_a_written_rule_tells_a_company_from_what_only_has_its_name(company: str, data: Path) -> None:
    (quality,) = [each for each in brand_rules.qualities(data) if each.company == company]
    assert quality.right + quality.wrong + quality.missed + quality.left_out >= 250
    assert quality.precision >= 0.90
    assert quality.recall >= 0.80
