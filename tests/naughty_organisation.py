"""An organisation in which every text that people or networks write is a naughty string (tests/naughty, MIT).

What the product's doors make of such texts is tested elsewhere; here they stand in the rows as they are, so that
nothing but the screen is between them and a browser.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, String, insert, select, update

from models import audit, claims, replies
from models import organisation as organisations
from models.access import Access
from models.cases import advance
from models.database import Database, new_id
from models.incident_reading import IncidentScope
from models.incidents import declare
from models.shift_log import add as write_in_log
from models.tables import (
    account,
    account_health,
    alert,
    brand,
    canned_reply,
    incident_person,
    incident_statement,
    incident_task,
    location,
    metadata,
    our_post,
    person,
    saved_view,
    setting,
    shift_pattern,
    source,
    team,
    team_cover,
)
from tests.builders import CORVANE, DUTCH_CARE, EMEA, OWN
from tests.case_desk import X, all_cases, arrive, hire, open_desk, said
from tests.hostile_payloads import naughty_strings

MORE = 24
DAYS = timedelta(days=900)
# Table -> columns that hold what somebody wrote; ids, keys and states of ours are none.
WRITTEN: dict[str, tuple[str, ...]] = {
    "account": ("handle", "name", "purpose", "audience"),
    "account_health": ("error",),
    "alert": ("words", "acknowledged_by"),
    "brand": ("name", "monogram"),
    "canned_reply": ("name", "text", "actor"),
    "case_event": ("actor",),
    "desk_case": ("author_handle", "author_name"),
    "incident": ("name", "reason", "declared_by"),
    "incident_event": ("text", "actor"),
    "incident_person": ("part",),
    "incident_statement": ("text", "author", "approved_by"),
    "incident_task": ("text",),
    "location": ("name", "monogram"),
    "log_entry": ("author", "text"),
    "mention": ("author_handle", "author_name", "text", "url", "home", "place"),
    "our_post": ("text", "url"),
    "person": ("name",),
    "reply": ("text", "author", "url", "error"),
    "saved_view": ("name",),
    "source": ("name", "last_error"),
    "team": ("name",),
}


@dataclass(frozen=True)
class Naughty:
    """The database, how many texts were put in, and a key for each kind of page about one thing."""

    database: Database
    now: datetime
    texts: int
    subjects: dict[str, str]


def made(database: Database) -> Naughty:
    """Brands, places, teams, people, mentions, cases with notes and drafts, an incident, and what else speaks."""
    now = datetime.now(UTC)
    open_desk(database)
    writer = hire(database, "Writer", "admin")
    with database.write() as connection:
        _grown(connection, now)
    with database.read() as connection:
        there = organisations.current(connection, now)
    posts = [
        said(
            f"post {n}",
            author=f"author {n}",
            text="@corvane where is it?",
            brand_id=OWN[n % 3],
            location_id=EMEA,
            team_id=DUTCH_CARE,
            posted_at=now - timedelta(minutes=1 + n),
            sentiment=(-1, 0, 1)[n % 3],
        )
        for n in range(len(naughty_strings()))
    ]
    arrive(database, there, *posts, now=now)
    _worked_on(database, writer, now)
    with database.write() as connection:
        declare(
            connection, there, writer, name="Fire", severity=1, scope=IncidentScope(brand_ids=OWN), reason="smoke",
            lead_id=writer.person_id, expires_at=now + timedelta(hours=4), now=now,
        )  # fmt: skip
        _told(connection, writer, now)
        texts = sum(_overwritten(connection, table, columns) for table, columns in WRITTEN.items())
        connection.execute(update(setting).where(setting.c.key == "name").values(value=naughty_strings()[-1]))
    return Naughty(
        database, now, texts, {"brand": "corvane", "location": "emea", "team": "dutch-care", "incident": "1"}
    )


def _grown(connection: Connection, now: datetime) -> None:
    """More brands, places, teams and accounts, so that many of the strings are somebody's name."""
    since = now - DAYS
    for number in range(MORE):
        there = {"id": 100 + number, "key": f"more-{number}", "name": "x", "valid_from": since}
        connection.execute(insert(brand).values(**there, kind=("own", "competitor")[number % 2], monogram="x"))
        connection.execute(
            insert(location).values(
                **there, kind="site", parent_id=EMEA, aliases=[], monogram="x", latitude=50, longitude=4
            )
        )
        connection.execute(insert(team).values(**there))
        connection.execute(insert(team_cover).values(team_id=there["id"], brand_id=0, location_id=0, rank=50 + number))
        connection.execute(
            insert(account).values(
                id=there["id"],
                network_id=X,
                handle=f"h{number}",
                name="x",
                kind="support",
                brand_id=CORVANE,
                valid_from=since,
            )
        )
        connection.execute(
            insert(account_health).values(account_id=there["id"], capability="reply", failed_at=now, error="x")
        )
        connection.execute(
            insert(person).values(id=500 + number, email=f"p{number}@meridian.example", name="x", created_at=since)
        )
        connection.execute(
            insert(shift_pattern).values(
                id=number + 1, team_id=DUTCH_CARE, person_id=500 + number, weekday=number % 7, start_minute=0,
                end_minute=1_440, valid_from=since,
            )
        )  # fmt: skip
        connection.execute(
            insert(source).values(
                id=100 + number, name=f"x{number}", kind="file", network_id=X, config={},
                state=("active", "paused")[number % 2],
                every_seconds=60.0, priority=5, fence=0, due_at=now, failures=3, created_at=since, last_error="x",
            )
        )  # fmt: skip


def _worked_on(database: Database, writer: Access, now: datetime) -> None:
    """Notes, tags, claims and drafts in the cases that are most urgent."""
    strings = itertools.cycle(naughty_strings())
    with database.read() as connection:
        there = organisations.current(connection, now)
    for place, case in enumerate(all_cases(database)[:MORE]):
        with database.write() as connection:
            held = claims.claim(connection, there, writer, case.key, now=now)
            note = next(text for text in strings if text.strip())
            given: dict[str, Any] = {"text": note[:500], "people": []}
            event = advance(connection, there, writer, case.key, "noted", now=now, details=given)
            replies.save_draft(
                connection, there, writer, case.key, text=note, account_id=None, claim_token=held.token,
                event_seen=event.number, now=now,
            )  # fmt: skip
            if place % 2:
                claims.release(connection, there, writer, case.key, held.token, now=now)


def _told(connection: Connection, writer: Access, now: datetime) -> None:
    """What else speaks: alerts, log lines, canned texts, statements, tasks, saved views, posts of ours, the audit."""
    there = organisations.current(connection, now)
    texts = [text for text in naughty_strings() if text.strip()]
    mine = {"author_id": writer.person_id, "author": "x"}
    for number in range(MORE):
        at = now - timedelta(minutes=number)
        connection.execute(
            insert(alert).values(
                brand_id=OWN[number % 3],
                id=new_id(at),
                kind="volume",
                source_id=0,
                started_at=at,
                flagged_at=at,
                words="x",
            )
        )
        write_in_log(connection, writer, there, "x", now=at)
        connection.execute(
            insert(canned_reply).values(
                id=number + 1, brand_id=0, language="en", name="x", text="x", actor="x", valid_from=now - DAYS
            )
        )
        connection.execute(
            insert(incident_statement).values(
                incident_id=1, version=number + 1, text="x", state="in_use" if number == MORE - 1 else "draft", **mine,
                written_at=at, in_use_at=at, approved_by="x",
            )
        )  # fmt: skip
        connection.execute(
            insert(incident_task).values(
                incident_id=1, number=number + 1, text="x", owner_id=writer.person_id, due_at=at
            )
        )
        connection.execute(insert(incident_person).values(incident_id=1, person_id=500 + number, part="x", since=at))
        connection.execute(
            insert(saved_view).values(
                id=new_id(at),
                person_id=writer.person_id,
                name=f"x{number}",
                path="/",
                search="",
                is_start=False,
                created_at=at,
            )
        )
        connection.execute(
            insert(our_post).values(
                brand_id=CORVANE, id=new_id(at), account_id=1, network_id=X, external_id=f"ours {number}", posted_at=at,
                kind="post", text="x", url="https://example.org", measured_at=at,
            )
        )  # fmt: skip
        # It refuses to be overwritten, so it is naughty from the first.
        audit.record(
            connection, at=at, action="settings.changed", subject=texts[number], actor=texts[-number - 1],
            person_id=writer.person_id, details={"before": {"name": texts[number * 2]}, "reason": texts[number * 3]},
        )  # fmt: skip


def _overwritten(connection: Connection, name: str, columns: tuple[str, ...]) -> int:
    """Every row of a table gets the next strings in these columns; how many texts that were."""
    table = metadata.tables[name]
    keys = list(table.primary_key.columns)
    strings = _from(name)
    found = connection.execute(select(*keys).order_by(*keys)).all()
    for row in found:
        values = {column: _fitting(next(strings), table.c[column].type) for column in columns}
        mine = (key == value for key, value in zip(keys, row, strict=True))
        connection.execute(update(table).where(*mine).values(values))
    assert found, f"{name} is empty: there would be nothing of it to see"
    return len(found) * len(columns)


def _from(name: str) -> Iterator[str]:
    """All strings for ever, from another place for each table; those that say nothing are no text of anybody."""
    strings = list(dict.fromkeys(text for text in naughty_strings() if text.strip()))
    begin = sum(name.encode()) * 7 % len(strings)
    return itertools.cycle(strings[begin:] + strings[:begin])


def _fitting(text: str, kind: Any) -> str:
    return text[: kind.length] if isinstance(kind, String) and kind.length else text
