"""models/passwords.py: what is accepted and how it is compared."""

from __future__ import annotations

import time

import pytest

from models import passwords
from models.errors import InputError


def test_a_password_matches_however_its_letters_are_composed() -> None:
    kept = passwords.hashed("cafe\u0301 au lait s'il vous plaît")
    assert passwords.matches(kept, "café au lait s'il vous plaît")
    assert not passwords.matches(kept, "cafe au lait s'il vous plait")
    assert not passwords.is_outdated(kept)


def test_a_megabyte_is_refused_before_anything_is_computed() -> None:
    kept = passwords.hashed("a sentence of some length")
    started = time.process_time()
    for _ in range(100):
        assert not passwords.matches(kept, "x" * 1_048_576)
    assert time.process_time() - started < 0.5


def test_nothing_matches_where_there_is_no_hash_or_a_broken_one() -> None:
    for password in ("", "nobody", "x" * 40, "\ud800", "\x00"):
        assert not passwords.matches(None, password)
        assert not passwords.matches("not a hash", password)


def test_what_an_unknown_mail_is_compared_with_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_NOBODY", passwords.hashed("the sentence of nobody"))
    assert not passwords.matches(None, "the sentence of nobody")


def test_a_length_that_grows_by_composition_is_still_bounded() -> None:
    with pytest.raises(InputError, match="longer"):
        passwords.hashed("\ufdfa" * 300)
