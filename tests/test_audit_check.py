"""models/audit_check.py: whatever is done to the audit log behind its back is found, and named."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models.audit_check import Known, verify
from models.audit_heads import Outside
from models.database import Database, time_id
from tests.audit_made_up import BEGAN, STEP, WAYS, link, made, switch_off, tampering, write

ROWS = 24
NOW = BEGAN + ROWS * STEP
FEW, MANY = 60, 1_000


def known(outside: Outside) -> Known:
    key = outside.public_key()
    assert key is not None
    return Known(outside.heads(), frozenset({key}))


@pytest.fixture
def outside(database: Database, tmp_path: Path) -> Outside:
    return made(database, tmp_path, ROWS)


def test_a_log_that_nobody_touched_is_whole(database: Database, outside: Outside) -> None:
    with database.read() as connection:
        verdict = verify(connection, known(outside), now=NOW)
    assert verdict.is_whole
    assert verdict.rows == ROWS
    assert verdict.heads == 2
    assert verdict.last_at == BEGAN + (ROWS - 1) * STEP + timedelta(seconds=1)
    assert verdict.unchained.rows == 0


def test_an_empty_log_is_whole(database: Database) -> None:
    with database.read() as connection:
        verdict = verify(connection, Known(), now=NOW)
    assert verdict.is_whole
    assert verdict.rows == 0


def tampered(database: Database, outside: Outside, count: int) -> tuple[Counter[str], list[str]]:
    """So many tamperings by way, and those that were not found."""
    rng, done, missed = random.Random(count), Counter[str](), []
    held = known(outside)
    if database.is_sqlite:
        switch_off(database)
    for number in range(count):
        way = list(WAYS)[number % len(WAYS)]
        with tampering(database) as connection:
            what = WAYS[way](connection, rng)
            verdict = verify(connection, held, now=NOW)
        done[way] += 1
        if verdict.is_whole:
            missed.append(f"{way}: {what}")
    return done, missed


def test_every_tampering_is_found(database: Database, outside: Outside) -> None:
    done, missed = tampered(database, outside, FEW)
    assert missed == []
    assert min(done.values()) >= 10
    with database.read() as connection:
        assert verify(connection, known(outside), now=NOW).is_whole, "what was done was taken back"


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_a_thousand_tamperings_are_found(database: Database, outside: Outside) -> None:
    done, missed = tampered(database, outside, MANY)
    print(f"{sum(done.values()) - len(missed)} of {sum(done.values())} tamperings found: {dict(done)}")
    assert missed == []
    assert sum(done.values()) == MANY


SAID = (
    ("update audit set subject = 'x' where id = :row", "edited", "row 20 was edited"),
    ("update audit_link set hash = 'x' where number = 20", "edited", "link 20 was edited"),
    ("delete from audit where id = :row", "deleted", "row 20 is gone: its link is there"),
    ("delete from audit_link where number between 20 and 22", "deleted", "links 20 to 22 are gone"),
    ("delete from audit_link where number > 21", "cut", "the last 3 rows were cut off: the chain ends with row 21"),
    ("delete from audit_head", "head", "the head of 2026-11-20 at row 18"),
    ("update audit_head set number = 15", "head", "signed by no key"),
)


def test_what_was_done_is_said(database: Database, outside: Outside) -> None:
    for statement, kind, words in SAID:
        with tampering(database) as connection:
            row = connection.execute(text("select audit_id from audit_link where number = 20")).scalar_one()
            connection.execute(text(statement), {"row": row} if ":row" in statement else {})
            fault = verify(connection, known(outside), now=NOW).fault
        assert fault is not None, statement
        assert fault.kind == kind, statement
        assert words in fault.words, statement


def test_swapped_and_put_in_rows_are_told_apart(database: Database, outside: Outside) -> None:
    for seed in range(12):
        for way, kind in (("swap", "swapped"), ("insert", "inserted")):
            with tampering(database) as connection:
                what = WAYS[way](connection, random.Random(seed))
                fault = verify(connection, known(outside), now=NOW).fault
            assert fault is not None
            assert fault.kind == kind, what


def test_without_what_lies_outside_a_cut_tail_and_a_log_made_anew_do_not_show(
    database: Database, outside: Outside
) -> None:
    for way in ("cut", "rewrite"):
        with tampering(database) as connection:
            # Links alone may be cut too: then their rows wait for new ones.
            WAYS[way](connection, random.Random(1))
            connection.execute(text("delete from audit_head"))
            assert verify(connection, Known(), now=NOW).is_whole
            assert not verify(connection, known(outside), now=NOW).is_whole


def test_a_head_that_another_key_signed_is_no_proof(database: Database, outside: Outside, tmp_path: Path) -> None:
    other = Outside(tmp_path / "other")
    other.seal(b"makes a key")
    key = other.public_key()
    assert key is not None
    with database.read() as connection:
        fault = verify(connection, Known(outside.heads(), frozenset({key})), now=NOW).fault
    assert fault is not None
    assert fault.words.endswith("is signed by another key")


def test_the_tail_without_links_is_named_with_its_age(database: Database, outside: Outside) -> None:
    for number in (ROWS, ROWS + 1):
        write(database, number)
    with database.read() as connection:
        verdict = verify(connection, known(outside), now=NOW + timedelta(hours=2))
    assert verdict.is_whole
    assert (verdict.unchained.rows, verdict.unchained.oldest_at) == (2, NOW)
    assert verdict.unchained.words == "2 rows not linked yet"


def test_a_row_that_a_slow_transaction_brings_late_is_no_fault(database: Database, outside: Outside) -> None:
    write(database, ROWS)
    link(database, NOW + timedelta(minutes=1))
    write(database, ROWS, at=NOW - timedelta(minutes=5))
    link(database, NOW + timedelta(minutes=2))
    with database.read() as connection:
        assert verify(connection, known(outside), now=NOW + timedelta(minutes=2)).is_whole


def test_what_was_written_while_nobody_linked_is_no_fault(database: Database, outside: Outside) -> None:
    for number in range(ROWS, ROWS + 20):
        write(database, number)
    late = NOW + 30 * STEP
    link(database, late)
    with database.read() as connection:
        assert verify(connection, known(outside), now=late).is_whole


def test_a_row_of_another_year_or_of_no_time_at_all_stops_no_check(database: Database, outside: Outside) -> None:
    with tampering(database) as connection:
        connection.execute(
            text("insert into audit (id, at, actor, action, subject) values (:id, :at, 'x', 'y.z', 's')"),
            {"id": time_id(BEGAN, 1), "at": -(2**62)},
        )
        fault = verify(connection, known(outside), now=NOW).fault
    assert fault is not None
    assert fault.kind == "inserted"
