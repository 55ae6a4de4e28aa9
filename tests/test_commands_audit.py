"""`watchfloor audit`: what an auditor types."""

from __future__ import annotations

import gc
import json
import re
from pathlib import Path

from sqlalchemy import text

from models import audit
from tests.audit_made_up import made, tampering
from tests.command_line import Terminal, terminal

__all__ = ["terminal"]


def test_a_whole_log_is_said_to_be_whole_and_what_it_was_compared_with(terminal: Terminal) -> None:
    made(terminal.database(), terminal.home, 24)
    said = terminal.sees("audit", "verify")
    assert said.splitlines()[0] == "24 links of the chain hold; the newest was linked 2026-11-21 05:00:01 UTC."
    assert said.splitlines()[1] == "Compared with 2 heads that were noted; their signatures too."
    assert said.splitlines()[-1] == "The audit log is whole."


def test_a_broken_log_ends_with_the_place_and_an_exit_code(terminal: Terminal) -> None:
    database = terminal.database()
    made(database, terminal.home, 8)
    with tampering(database) as connection:
        connection.execute(text("delete from audit where id = (select audit_id from audit_link where number = 3)"))
        connection.execute(text("commit"))
        connection.execute(text("begin"))
    told = terminal.is_told("audit", "verify")
    assert told == "the audit log is not whole: row 3 is gone: its link is there, the row is not"


def test_a_log_without_heads_says_what_would_not_show(terminal: Terminal, tmp_path: Path) -> None:
    made(terminal.database(), tmp_path / "elsewhere", 2)
    said = terminal.sees("audit", "verify")
    assert "No signed head to compare with: a tail that was cut off would not show" in said


def test_heads_that_were_kept_elsewhere_prove_the_log_against_who_holds_home(
    terminal: Terminal, tmp_path: Path
) -> None:
    database = terminal.database()
    outside = made(database, terminal.home, 24)
    key, kept = outside.public_key(), tmp_path / "kept.jsonl"
    assert key is not None
    assert key in terminal.sees("audit", "head", "--sign")
    kept.write_text("".join(path.read_text() for path in sorted(outside.folder.glob("heads-*.jsonl"))))
    for path in outside.folder.glob("*.json*"):
        path.unlink()
    with tampering(database) as connection:
        for statement in (
            "delete from audit where id in (select audit_id from audit_link where number > 20)",
            "delete from audit_link where number > 20",
            "delete from audit_head",
            "commit",
            "begin",
        ):
            connection.execute(text(statement))
    assert "whole" in terminal.sees("audit", "verify")
    told = terminal.is_told("audit", "verify", "--heads", str(kept), "--key", key)
    assert "the head of 2026-11-20 at row 18, exported when it was signed, is not in the database" in told


def test_a_key_that_is_none_is_refused(terminal: Terminal) -> None:
    terminal.database()
    assert "is no public key" in terminal.is_told("audit", "verify", "--key", "abc")


def test_the_head_is_printed_with_the_key_that_signed_it(terminal: Terminal) -> None:
    database = terminal.database()
    assert "none signed yet" in terminal.sees("audit", "head")
    outside = made(database, terminal.home, 24)
    said = terminal.sees("audit", "head")
    assert re.search(r"public key  [0-9a-f]{64}\n", said)
    assert "for 2026-11-20" in said
    assert "row 24, " in terminal.sees("audit", "head", "--sign")
    assert outside.heads()[1].number == 24


def test_an_export_is_a_file_of_its_own_and_a_row_of_the_log(terminal: Terminal, tmp_path: Path) -> None:
    database = terminal.database()
    made(database, terminal.home, 8)
    file = tmp_path / "audit.jsonl"
    assert terminal.sees("audit", "export", str(file)) == f"Exported 8 rows to {file}.\n"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["kind"] for line in lines].count("row") == 8
    with database.read() as connection:
        newest = audit.newest(connection, 1)[0]
    assert (newest.action, newest.subject) == ("audit.exported", "audit log, 8 rows")
    assert "is there already" in terminal.is_told("audit", "export", str(file))


def test_a_restored_backup_is_noted_beside_the_database(terminal: Terminal, tmp_path: Path) -> None:
    database = terminal.database()
    outside = made(database, terminal.home, 8)
    database.close()
    backup = tmp_path / "backup.db"
    terminal.sees("backup", str(backup))
    made_later = outside.heads()[-1].number
    # What the command before had open goes with it in a process of its own.
    gc.collect()
    terminal.sees("restore", str(backup))
    said = terminal.sees("audit", "verify")
    assert f"a backup that ended with row {made_later} was restored" in said
    assert "The audit log is whole." in said
