"""models/explained.py: what is no fault of the program is one sentence, what is one keeps its traceback."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from models.errors import InputError, SettingsError
from models.explained import explained


def of_sqlite(reason: str) -> OperationalError:
    return OperationalError("insert ...", {"password": "hunter2"}, sqlite3.OperationalError(reason))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("a sentence"), "a sentence"),
        (SettingsError(["one", "two"]), "one\ntwo"),
        (FileNotFoundError(2, "No such file or directory", "/x"), "/x: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (
            of_sqlite("database is locked"),
            "the database is busy: another process has been writing to it for 30 s; try again, or stop that one",
        ),
        (
            of_sqlite("database or disk is full"),
            "the disk is full (database or disk is full); make room, nothing that was stored is lost",
        ),
        (
            of_sqlite("attempt to write a readonly database"),
            "the database cannot be written (attempt to write a readonly database); "
            "give the file and its folder to this user",
        ),
        (
            DatabaseError("", {}, sqlite3.DatabaseError("database disk image is malformed")),
            "the database is damaged (database disk image is malformed); restore a backup with "
            "`watchfloor restore FILE`",
        ),
        (
            OperationalError("", {}, psycopg.OperationalError("connection refused\nis the server running?")),
            "the database does not answer: connection refused",
        ),
    ],
)
def test_what_went_wrong_outside_is_one_sentence(error: Exception, sentence: str) -> None:
    assert explained(error) == sentence


def test_a_fault_of_the_program_is_not_explained_away() -> None:
    assert explained(ZeroDivisionError()) is None
    assert explained(KeyError("x")) is None
