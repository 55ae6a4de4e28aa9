"""ingest/importing.py: a file comes in whole and once, however often it is interrupted and repeated."""

from __future__ import annotations

import csv
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from ingest import importing
from models.database import Database
from models.tables import audit, source
from tests.command_line import Terminal, terminal
from tests.test_together import until

__all__ = ["terminal"]

FLAGS = ("-c", "network==x", "-c", "external_id=id", "-c", "text=text", "-c", "posted_at=at", "-c", "brand=brand")


def written(folder: Path, rows: list[tuple[str, str, str, str]], name: str = "posts.csv") -> str:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "at", "brand"), *rows])
    return str(path)


def posts(number: int) -> list[tuple[str, str, str, str]]:
    return [
        (str(i), f"flight {i} is late again, what now?", f"2015-02-2{i % 5} 12:{i % 60:02d}:00Z", "United")
        for i in range(number)
    ]


def stored(home: Path) -> int:
    path = home / "watchfloor.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("select count(*) from mention").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def at_least(number: int, home: Path) -> Callable[[], bool]:
    return lambda: stored(home) >= number


def summary(answer: str) -> str:
    return next(line for line in answer.splitlines() if " read: " in line)


@pytest.mark.data
def test_the_whole_week_of_five_airlines_comes_in_once(terminal: Terminal, data: Path) -> None:
    file = str(data / "airline" / "tweets.csv")
    flags = ["-c", "network==x", "-c", "external_id=tweet_id", "-c", "author=name", "-c", "text=text"]
    flags += ["-c", "posted_at=tweet_created", "-c", "place=tweet_location", "-c", "coordinates=tweet_coord"]
    flags += ["-c", "reposts=retweet_count", "-c", "brand=airline", "--zone", "America/Los_Angeles"]
    terminal.with_airlines()
    first = terminal.sees("import", file, *flags)
    assert summary(first) == "tweets.csv: 8,532 rows read: 8,526 stored, 6 repeated, 0 set aside."
    again = terminal.sees("import", file, *flags)
    assert summary(again) == "tweets.csv: 8,532 rows read: 0 stored, 8,532 repeated, 0 set aside."
    with closing(sqlite3.connect(terminal.home / "watchfloor.db")) as connection:
        by_brand = dict(
            connection.execute("select b.key, count(*) from mention m join brand b on b.id = m.brand_id group by 1")
        )
    assert by_brand == {
        "united": 2960,
        "us-airways": 2246,
        "southwest": 1959,
        "american": 977,
        "virgin-america": 384,
    }
    assert terminal.sees("cube", "check") == "Every cell says what its rows say.\n"


def test_an_import_that_is_killed_is_finished_by_the_same_command_at_once(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    file = written(tmp_path, posts(2500))
    command = [sys.executable, "-P", "-m", "app", "import", file, *FLAGS]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(at_least(200, terminal.home), "the first rows were stored")
    killed.kill()
    killed.wait()
    before = stored(terminal.home)
    assert 200 <= before < 2500
    answer = terminal.sees("import", file, *FLAGS)
    assert stored(terminal.home) == 2500
    read, new, repeated = _numbers(answer)
    # A page that was stored in part is read again.
    assert new == 2500 - before
    assert repeated == read - new < 1000
    assert terminal.sees("cube", "check") == "Every cell says what its rows say.\n"


def _numbers(answer: str) -> tuple[int, int, int]:
    found = re.search(r"([\d,]+) rows read: ([\d,]+) stored, ([\d,]+) repeated", answer)
    assert found is not None, answer
    read, new, repeated = (int(number.replace(",", "")) for number in found.groups())
    return read, new, repeated


def test_ctrl_c_ends_after_the_page_and_the_same_command_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    file = written(tmp_path, posts(2500))

    def press() -> None:
        until(at_least(200, terminal.home), "the first rows were stored")
        os.kill(os.getpid(), signal.SIGINT)

    finger = threading.Thread(target=press)
    finger.start()
    answer = terminal.run("import", file, *FLAGS)
    finger.join()
    assert answer.code == 1
    found = re.search(
        r"watchfloor: interrupted after ([\d,]+) rows; what was read is stored, the same command goes on", answer.err
    )
    assert found is not None, answer
    read = int(found[1].replace(",", ""))
    assert read == stored(terminal.home) < 2500
    with Database(f"sqlite:///{terminal.home}/watchfloor.db").read() as connection:
        # No worker goes on with what somebody just stopped.
        assert connection.execute(select(source.c.state, source.c.paused_by)).one() == ("paused", "command line")
    again = terminal.sees("import", file, *FLAGS)
    assert f"Going on from line {read + 2:,}, where the last import of this file stopped." in again
    assert summary(again) == f"posts.csv: {2500 - read:,} rows read: {2500 - read:,} stored, 0 repeated, 0 set aside."
    assert stored(terminal.home) == 2500


def test_rows_that_cannot_be_stored_are_counted_and_told_with_the_way_out(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    rows = [*posts(3), ("7", "", "2015-02-20T00:00Z", "United"), ("8", "hello", "2015-02-20T00:00Z", "Acme Air")]
    file = written(tmp_path, rows)
    answer = terminal.sees("import", file, *FLAGS)
    assert summary(answer) == "posts.csv: 5 rows read: 3 stored, 0 repeated, 2 set aside."
    assert 'there is no brand "acme-air"; load it with `watchfloor organisation load`, then import again' in answer
    assert "  1 row: the text is empty" in answer
    mapped = terminal.sees("import", file, *FLAGS, "--brand-value", "Acme Air=united")
    assert summary(mapped) == "posts.csv: 5 rows read: 1 stored, 3 repeated, 1 set aside."


def test_a_second_import_counts_the_same_rows_as_set_aside_again(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    file = written(tmp_path, [*posts(2), ("7", "", "2015-02-20T00:00Z", "United")])
    terminal.sees("import", file, *FLAGS)
    again = terminal.sees("import", file, *FLAGS)
    assert summary(again) == "posts.csv: 3 rows read: 0 stored, 2 repeated, 1 set aside."


def test_a_mapping_beside_the_file_is_used_without_a_flag(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    file = written(tmp_path, [("1", "late", "20.02.2015 12:00", "UA")])
    (tmp_path / "posts.toml").write_text(
        'zone = "America/Los_Angeles"\nposted_at_form = "%d.%m.%Y %H:%M"\n'
        '[columns]\nnetwork = "x"\nexternal_id = "id"\ntext = "text"\nposted_at = "at"\nbrand = "brand"\n'
        '[brands]\nUA = "united"\n'
    )
    answer = terminal.sees("import", file)
    assert 'posted_at: column "at"' in answer
    assert summary(answer) == "posts.csv: 1 row read: 1 stored, 0 repeated, 0 set aside."
    assert '"2015-02-20T20:00:00+00:00"' in terminal.sees("export", "--format", "jsonl")


def test_a_post_that_two_rules_match_is_two_mentions_and_the_summary_says_so(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.with_airlines()
    file = written(tmp_path, [("1", "@united or @usairways?", "2015-02-20T00:00Z", "")])
    answer = terminal.sees("import", file, *FLAGS)
    assert summary(answer) == (
        "posts.csv: 1 row read: 2 stored, 0 repeated, 0 set aside; "
        "1 more mentions than posts, as a post of two brands is two."
    )


def test_a_file_in_another_encoding_is_told_with_the_flag(terminal: Terminal, tmp_path: Path) -> None:
    text = 'id,text,at,brand\n1,"caf\u00e9 at the gate",2015-02-20T00:00Z,United\n'
    wide, narrow = tmp_path / "wide.csv", tmp_path / "narrow.csv"
    wide.write_bytes(text.encode("utf-16"))
    narrow.write_bytes(text.encode("cp1252"))
    terminal.with_airlines()
    assert "looks like UTF-16" in (told := terminal.is_told("import", str(wide), *FLAGS))
    assert "--encoding utf-16" in told
    assert "--encoding cp1252" in terminal.sees("import", str(narrow), *FLAGS)
    for path, encoding in ((wide, "utf-16"), (narrow, "cp1252")):
        answer = terminal.sees("import", str(path), *FLAGS, "--encoding", encoding)
        assert "0 set aside" in answer
    assert "caf\u00e9 at the gate" in terminal.sees("export")


def test_a_file_that_another_process_reads_is_left_to_it(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    file = written(tmp_path, posts(3))
    terminal.sees("import", file, *FLAGS)
    database = Database(f"sqlite:///{terminal.home}/watchfloor.db")
    later = datetime.now(UTC) + importing.HEAD_START
    with database.write() as connection:
        connection.execute(source.update().values(owner="a-worker-7", expires_at=later))
    told = terminal.is_told("import", file, *FLAGS)
    assert told == f"{file} is being read by another process (a-worker-7); wait for it, or stop it"
    alive, dead = (f"import-{socket.gethostname()[:24]}-{number}" for number in (os.getppid(), _dead_process()))
    with database.write() as connection:
        connection.execute(source.update().values(owner=alive))
    assert "is being read by another process" in terminal.is_told("import", file, *FLAGS)
    with database.write() as connection:
        connection.execute(source.update().values(owner=dead))
    assert "3 repeated" in terminal.sees("import", file, *FLAGS)


def _dead_process() -> int:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def test_a_very_long_path_has_a_name_that_fits(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    terminal.with_airlines()
    assert "3 stored" in terminal.sees("import", written(folder, posts(3)), *FLAGS)
    database = Database(f"sqlite:///{terminal.home}/watchfloor.db")
    with database.read() as connection:
        assert len(connection.execute(select(source.c.name)).scalar_one()) <= importing.LONGEST_SOURCE_NAME


def test_an_import_is_written_to_the_audit_log(terminal: Terminal, tmp_path: Path) -> None:
    terminal.with_airlines()
    file = written(tmp_path, posts(3))
    terminal.sees("import", file, *FLAGS)
    with Database(f"sqlite:///{terminal.home}/watchfloor.db").read() as connection:
        row = connection.execute(select(audit).where(audit.c.action == "file.imported")).one()
    assert (row.subject, row.actor) == (file, "command line")
    assert row.details == {"rows": 3, "stored": 3, "repeated": 0, "set_aside": 0, "error": None}


@pytest.mark.parametrize(
    ("content", "flags", "reason"),
    [
        ("", (), "posts.csv is empty"),
        ("id,text\n1,hello\n", (), 'no column "at"'),
        ("id,text,at,brand\n1,hello,2015-02-20 12:00,\n", (), "has no zone"),
        ("id,text,at,brand\n", ("--zone", "Mars/Olympus"), 'no zone "Mars/Olympus"'),
        ("id,text,at,brand\n", ("--encoding", "klingon"), 'encoding "klingon" is not known'),
        ("id,text,at,brand\n", ("-c", "mood=text"), 'no field or setting "mood"'),
        ("id,text,at,brand\n", ("-c", "author"), '--column "author": write it as NAME=VALUE'),
        ("id,text,at,brand\n", ("-c", "text=id"), '--column "text=id": text was given twice'),
        ("id,text,at,brand\n", ("--format", "xls"), "format: "),
    ],
)
def test_a_file_or_a_flag_that_cannot_be_used_is_told(
    terminal: Terminal, tmp_path: Path, content: str, flags: tuple[str, ...], reason: str
) -> None:
    path = tmp_path / "posts.csv"
    path.write_text(content)
    assert reason in terminal.is_told("import", str(path), *FLAGS, *flags)


def test_what_goes_wrong_inside_is_kept_in_a_log_and_not_on_the_terminal(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.with_airlines()
    file = written(tmp_path, posts(3))
    monkeypatch.setattr("ingest.keep.store.store", lambda *_, **__: 1 / 0)
    told = terminal.is_told("import", file, *FLAGS)
    assert "an unforeseen fault (ZeroDivisionError)" in told
    assert "ZeroDivisionError: division by zero" in (terminal.home / "logs" / "commands.log").read_text()
