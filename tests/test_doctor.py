"""models/doctor.py: everything that could be wrong is found, named, and has a way out; looking changes nothing."""

from __future__ import annotations

import http.server
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models import sources
from models.database import Database
from models.doctor import Finding, examine
from models.settings import Settings
from models.tables import source
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.empty import empty_database
from tests.test_status import NOW, filled


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, port=free_port())


def bad(settings: Settings, now: datetime = NOW) -> list[Finding]:
    return [finding for finding in examine(settings, now) if not finding.is_well]


def test_a_fresh_machine_is_well_and_nothing_is_made_by_looking(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "not" / "yet", port=free_port())
    found = list(examine(settings, NOW))
    assert all(finding.is_well for finding in found)
    assert found[-1].seen == "none yet; `watchfloor run` makes one"
    assert not (tmp_path / "not").exists()


def test_a_healthy_installation_is_well_all_through(chosen: Settings, tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    (tmp_path / "watchfloor.db").chmod(0o600)
    filled(database)
    before = sorted(tmp_path.iterdir())
    found = {finding.subject: finding.seen for finding in examine(chosen, NOW)}
    assert bad(chosen) == []
    assert found["Integrity"] == "every page of the file is sound"
    assert found["Organisation"] == "Five airlines, 5 brands of ours"
    assert found["Rollups"] == "agree with their rows"
    assert found["Source Press"] == "live: the feed said 503"
    assert sorted(tmp_path.iterdir()) == before


def test_postgresql_is_looked_at_too_and_its_password_stays_hidden(tmp_path: Path) -> None:
    url = new_postgres_database()
    try:
        settings = Settings(home=tmp_path, port=free_port(), database_url=url)
        now = datetime.now(UTC)
        found = {finding.subject: finding for finding in examine(settings, now)}
        assert all(finding.is_well for finding in found.values())
        assert found["Clock"].seen.endswith("s between this machine and the database")
        database = Database(url)
        with database.write() as connection:
            connection.execute(text("update alembic_version set version_num = '0000'"))
        database.close()
        (finding,) = bad(settings, now)
        assert "run `watchfloor db upgrade`" in finding.seen
    finally:
        drop_postgres_database(url)
    (finding,) = bad(Settings(home=tmp_path, port=free_port(), database_url="postgresql://a:hunter2@127.0.0.1:1/x"))
    assert "does not answer" in finding.seen
    assert "hunter2" not in finding.seen


def test_rollups_that_differ_from_their_rows_are_found(chosen: Settings, tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    (tmp_path / "watchfloor.db").chmod(0o600)
    filled(database)
    with database.write() as connection:
        connection.execute(text("update cube set mentions = mentions + 1 where granularity = 3600"))
    (finding,) = bad(chosen)
    assert finding.subject == "Rollups"
    assert finding.seen.startswith("differ from their rows for ")
    assert "united" in finding.seen
    assert finding.seen.endswith("; run `watchfloor cube rebuild`")


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "UTC"])
def test_local_days_that_begin_at_half_past_are_no_difference(chosen: Settings, tmp_path: Path, zone: str) -> None:
    database = empty_database(tmp_path)
    filled(database, zone)
    assert not [finding for finding in bad(chosen) if finding.subject == "Rollups"]


def test_a_damaged_file_is_found_and_the_way_out_is_a_backup(chosen: Settings, tmp_path: Path) -> None:
    path = tmp_path / "watchfloor.db"
    path.write_bytes(b"scrambled" * 1000)
    path.chmod(0o600)
    found = bad(chosen)
    assert {finding.subject for finding in found} == {"Integrity", "Database"}
    assert all("restore a backup with `watchfloor restore FILE`" in finding.seen for finding in found)


def test_a_database_that_everybody_may_read_is_found(chosen: Settings, tmp_path: Path) -> None:
    empty_database(tmp_path).close()
    (tmp_path / "watchfloor.db").chmod(0o644)
    (finding,) = bad(chosen)
    assert finding.seen.endswith(f"run: chmod 600 {tmp_path}/watchfloor.db")


def test_a_home_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (finding,) = bad(Settings(home=tmp_path / "file" / "home", port=free_port()))
    assert finding.subject == "Home"
    assert finding.seen.endswith("cannot be written; give it to this user or set WATCHFLOOR_HOME")


def test_a_disk_that_is_nearly_full_is_found(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000_000))
    (finding,) = bad(chosen)
    assert finding.seen == f"{chosen.home}, 0.5 GiB free; make room, or set WATCHFLOOR_HOME to a folder on another disk"


def test_a_port_held_by_another_program_is_told_from_our_own(tmp_path: Path) -> None:
    answers = {"/healthz": b'{"status":"up"}'}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers.get(self.path, b""))

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        settings = Settings(home=tmp_path, port=server.server_port)
        assert next(f for f in examine(settings, NOW) if f.subject == "Port").seen.endswith("is served by Watchfloor")
        answers.clear()
        (finding,) = bad(settings)
        assert finding.seen.endswith("is taken by another program; stop it, or set WATCHFLOOR_PORT")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_sources_that_are_not_fetched_and_those_that_gave_up_are_found(chosen: Settings, tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    (tmp_path / "watchfloor.db").chmod(0o600)
    with database.write() as connection:
        for name, kind, state in (("Late", "feed", "active"), ("Dead", "feed", "gone"), ("F", "file", "disconnected")):
            sources.add(connection, name=name, kind=kind, network_id=7, config={}, every_seconds=10, now=NOW)
            connection.execute(
                source.update()
                .where(source.c.name == name)
                .values(state=state, last_success_at=NOW - timedelta(hours=1), last_error="410")
            )
    found = {finding.subject: finding.seen for finding in bad(chosen)}
    assert found == {
        "Ingest": "no source was fetched in its time; is `watchfloor run` or `ingest` running?",
        "Source Late": "stale: 410",
        "Source Dead": "gone: 410; when that is mended: watchfloor source resume 'Dead'",
        "Source F": "disconnected: 410; when that is mended: import the file again",
    }
