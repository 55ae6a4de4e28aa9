"""models/rule_faults.py: every fault with its place and one repair that takes it away."""

from __future__ import annotations

import random

import pytest

from models.rule_faults import check, fault_of
from models.rules import parse

REPAIRS = (
    ("a OR OR b", "a OR b", "Remove it"),
    ("a OR", "a", "Remove it"),
    ("OR a", "a", "Remove it"),
    ('halden AND "gift card', 'halden AND "gift card"', "Close the quote"),
    ('(a OR "gift card)\nAND b', '(a OR "gift card")\nAND b', "Close the quote"),
    ("(a OR b", "(a OR b)", "Close it at the end"),
    ("a)", "a", "Remove it"),
    ("() a", "a", "Remove it"),
    ("a, b", "a OR b", "Write OR"),
    ("a | b", "a OR b", "Write OR"),
    ("!a b", "-a b", "Write -a"),
    ("fl*y a", "fly* a", "Write fly*"),
    ("a NEAR b", "a NEAR/5 b", "Write NEAR/5"),
    ("from:x a", "author:x a", "Write author:"),
    ("lang:english a", "lang:en a", "Write en"),
    ("network:twitter a", "network:x a", "Write x"),
    ("network:twiter a", "network:x a", "Write x"),
    ("zzz:foo", '"zzz:foo"', "Quote it"),
    ("(a OR -b)", "(a)", "Remove it"),
)


@pytest.mark.parametrize(("text", "mended", "words"), REPAIRS)
def test_a_fault_has_one_repair_that_takes_it_away(text: str, mended: str, words: str) -> None:
    checked = check(text)
    assert checked.mended == mended
    (fault,) = checked.faults
    assert fault.repair is not None
    assert fault.repair.words == words
    assert text[: fault.repair.start] + fault.repair.text + text[fault.repair.end :] == mended


def test_a_rule_that_reads_has_no_fault_and_stays_as_it_is() -> None:
    checked = check('(halden OR "halden bank")\nAND card')
    assert checked.faults == ()
    assert checked.mended == '(halden OR "halden bank")\nAND card'


def test_every_fault_stands_at_its_place_in_the_text_as_it_was_written() -> None:
    text = "(halden OR OR bank)\nAND (card OR OR karte)\nlang:dutch"
    checked = check(text)
    assert [(fault.line, fault.column, text[fault.start : fault.end]) for fault in checked.faults] == [
        (1, 9, "OR"),
        (2, 11, "OR"),
        (3, 6, "dutch"),
    ]
    assert checked.mended == "(halden OR bank)\nAND (card OR karte)\nlang:nl"
    # Each repair fits the text as it was written, whatever else is wrong in it.
    for fault in checked.faults:
        assert fault.repair is not None
        once = text[: fault.repair.start] + fault.repair.text + text[fault.repair.end :]
        assert len(check(once).faults) == 2


@pytest.mark.parametrize("text", ["", "  \n", "NOT x", "lang:en", "("])
def test_what_looks_for_nothing_has_no_repair(text: str) -> None:
    checked = check(text)
    assert checked.mended is None
    assert checked.faults
    assert all(fault.repair is None for fault in checked.faults)
    assert all(0 <= fault.start <= fault.end <= len(text) for fault in checked.faults)


def test_whatever_is_typed_is_answered_and_what_is_called_mended_reads() -> None:
    dice = random.Random(4)
    pieces = [
        "a",
        "OR",
        "AND",
        "NOT",
        "NEAR/2",
        "NEAR",
        "(",
        ")",
        '"',
        '"b c"',
        "-",
        "lang:en",
        "from:x",
        "\n",
        "d*",
        ",",
    ]
    mended = 0
    for _ in range(400):
        text = " ".join(dice.choice(pieces) for _ in range(dice.randint(1, 12)))
        checked = check(text)
        assert (fault_of(text) is None) == (checked.faults == ())
        assert [fault.start for fault in checked.faults] == sorted(fault.start for fault in checked.faults)
        for fault in checked.faults:
            assert 0 <= fault.start <= fault.end <= len(text)
            assert fault.line == text.count("\n", 0, fault.start) + 1
        if checked.mended is not None:
            parse(checked.mended)
            mended += 1
    assert mended >= 150
