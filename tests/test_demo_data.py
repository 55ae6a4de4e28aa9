"""models/demo_data.py and demo_removal.py: the demo hidden, shown again and removed, with real posts beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from ingest import demo as first_start
from ingest.leases import take
from models import cube, demo_data, people, sources
from models import organisation as organisations
from models.access import Request, narrow
from models.database import Database
from models.demo_data import BECAUSE
from models.demo_removal import remove_some
from models.errors import InputError, NotFound
from models.organisation import UNKNOWN
from models.organisation_file import apply, read
from models.tables import audit, brand, location, log_entry, mention, metadata, source, team
from models.tables.audit import KEPT
from tests.few import few
from tests.small_organisation import ADMIN, NOW
from tests.small_store import Said
from tests.small_store import _enriched as enriched

WHO: dict[str, Any] = {"actor": "hedda@meridian.example", "person_id": 1, "now": NOW}
OWN = """
[[brand]]
key = "acme"
name = "Acme"
rules = ["acme"]
[[location]]
key = "rotterdam"
name = "Rotterdam"
kind = "site"
parent = "netherlands"
[[team]]
key = "own-team"
name = "Own team"
covers = [{brand = "acme"}]
"""


def posted(database: Database, said: list[Said], source_id: int) -> None:
    from ingest.store import store

    with database.write() as connection:
        there = organisations.current(connection, NOW)
        store(
            connection,
            [enriched(item, n, NOW) for n, item in enumerate(said)],
            source_id=source_id,
            organisation=there,
            now=NOW,
        )


def fill(database: Database, folder: Path) -> dict[str, Any]:
    """The demo as a first start makes it with posts in it, and beside it a real brand, place and source."""
    with database.write() as connection:
        first_start.create(connection, rate=1.0, home=folder, now=NOW)
        file = folder / "own.toml"
        file.write_text(OWN)
        apply(connection, read(file), actor="a test", now=NOW)
        real = sources.add(connection, name="Press", kind="feed", network_id=2, config={}, every_seconds=60, now=NOW)
        there = organisations.current(connection, NOW)
        demo = demo_data.of(connection)
    acme, rotterdam = there.brand_by_key("acme").id, there.location_by_key("rotterdam").id
    berlin = there.location_by_key("berlin").id
    said = [
        Said(
            f"post {n % 7} of the demo",
            minutes=n * 9,
            brand_id=to,
            author=f"d{n % 5}",
            sentiment=n % 3 - 1,
            location_id=berlin,
        )
        for to in (*demo.brands[:3], UNKNOWN, acme)
        for n in range(30)
    ]
    posted(database, said, demo.sources[0])
    kept = [
        Said(f"a real post {n % 4}", minutes=n * 7 + 1, brand_id=to, author=f"a{n % 5}", location_id=rotterdam)
        for to in (acme, UNKNOWN)
        for n in range(20)
    ]
    posted(database, kept, real)
    with database.write() as connection:
        line = {
            "at": NOW,
            "person_id": 1,
            "author": "Ana",
            "text": "look",
            "pinned": "source",
            "pinned_id": demo.sources[0],
        }
        connection.execute(insert(log_entry).values(id=1, brand_id=0, **line))
        connection.execute(insert(log_entry).values(id=2, brand_id=demo.brands[0], **line))
    return {"demo": demo, "acme": acme, "real": real, "rotterdam": rotterdam}


def now_() -> Any:
    return NOW


def remove(database: Database) -> bool:
    return remove_some(database, now=now_, is_over=lambda: False)


def left_of(database: Database, demo: demo_data.Demo, brands: tuple[int, ...]) -> list[str]:
    """Every table and column in which something of the demo still stands."""
    ids = {
        "brand_id": brands,
        "competitor_id": brands,
        "source_id": demo.sources,
        "location_id": demo.locations,
        "team_id": demo.teams,
        "account_id": demo.accounts,
    }
    found = []
    with database.read() as connection:
        # The audit log keeps what was done with it.
        for table in [table for table in metadata.sorted_tables if table not in KEPT]:
            for column, wanted in ids.items():
                if (
                    column in table.c
                    and connection.execute(
                        select(func.count()).select_from(table).where(table.c[column].in_(wanted))
                    ).scalar()
                ):
                    found.append(f"{table.name}.{column}")
        for table, wanted in ((brand, brands), (location, demo.locations), (team, demo.teams), (source, demo.sources)):
            if connection.execute(select(table.c.id).where(table.c.id.in_(wanted))).first():
                found.append(table.name)
    return found


def test_a_hidden_demo_is_nowhere_and_its_sources_rest(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path)
    with database.write() as connection:
        demo_data.hide(connection, by="Hedda", **WHO)
        there = organisations.current(connection, NOW)
        assert [item.key for item in there.brands] == ["unmatched", "acme"]
        assert [item.key for item in there.teams if item.id > 1] == ["care-emea", "own-team"]
        assert (there.simulated, there.name, dict(there.competitors)) == (False, "Watchfloor", {})
        # What a real place stands in, and where a real brand was spoken of, stays.
        places = {item.key for item in there.locations if item.id > 1}
        assert places == {"europe", "netherlands", "rotterdam", "germany", "berlin"}
        with pytest.raises(NotFound):
            narrow(Request(brands=("halden-bank",)), ADMIN, there)
        states = connection.execute(select(source.c.kind, source.c.state)).all()
    assert {row.state for row in states if row.kind == "simulator"} == {"paused"}
    taken = take(database, "w", now=NOW)
    assert taken is not None
    assert taken.name == "Press"
    assert take(database, "w", now=NOW) is None


def test_what_was_hidden_comes_back_as_it_was(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path)
    with database.write() as connection:
        before = organisations.current(connection, NOW)
        sources.pause(connection, "X", by="Ana", at=NOW, because="too loud")
        demo_data.hide(connection, by="Hedda", **WHO)
        with pytest.raises(InputError, match="no demo data to hide"):
            demo_data.hide(connection, by="Hedda", **WHO)
        demo_data.show(connection, **WHO)
        assert organisations.current(connection, NOW) == before
        rows = connection.execute(select(source.c.name, source.c.state, source.c.paused_because)).all()
        actions = connection.execute(select(audit.c.action)).scalars().all()
    assert {row.name: row.state for row in rows if row.state != "active"} == {"X": "paused"}
    assert BECAUSE not in {row.paused_because for row in rows}
    assert {"demo.hidden", "demo.shown"} <= set(actions)


@pytest.mark.prove
def test_a_demo_of_an_earlier_release_is_known_by_its_keys(database: Database, tmp_path: Path) -> None:
    there = fill(database, tmp_path)
    with database.write() as connection:
        connection.execute(text("delete from setting where key = 'demo'"))
        assert demo_data.of(connection) == there["demo"]
        assert len(there["demo"].brands) == 11


@pytest.mark.parametrize("steps", few([None, 5], 1))
def test_what_is_real_survives_and_nothing_of_the_demo_is_left(
    database: Database, tmp_path: Path, steps: int | None
) -> None:
    there = fill(database, tmp_path)
    demo = there["demo"]
    with database.write() as connection:
        number = people.add_person(
            connection, email="a@b.example", name="Ana", role="viewer", now=NOW, brand_ids=[demo.brands[0]]
        )
        demo_data.ask_removal(connection, by="Hedda", **WHO)
    assert len(left_of(database, demo, demo.brands)) > 8

    rounds = 0
    while steps is not None:
        # Killed after a few steps, again and again.
        left = iter(range(steps * (rounds + 1)))
        rounds += 1
        if remove_some(database, now=now_, is_over=lambda left=left: next(left, None) is None):  # type: ignore[misc]
            break
        with database.read() as connection:
            assert cube.check(connection, organisations.current(connection, NOW), NOW) == []
    else:
        assert remove(database)

    # What real posts were counted in, and what a real place stands in, stays: two locations and a team.
    assert len(set(demo.locations) & _ids(database, location)) == 2
    assert len(set(demo.teams) & _ids(database, team)) == 1
    assert left_of(database, _gone(database, demo), demo.brands) == []
    with database.read() as connection:
        current = organisations.current(connection, NOW)
        assert cube.check(connection, current, NOW) == []
        rows = connection.execute(select(mention.c.brand_id, func.count()).group_by(mention.c.brand_id)).all()
        assert sorted(tuple(row) for row in rows) == [(UNKNOWN, 20), (there["acme"], 20)]
        assert [item.key for item in current.brands] == ["unmatched", "acme"]
        assert {item.key for item in current.locations if item.id > 1} == {"europe", "netherlands", "rotterdam"}
        assert (current.simulated, current.name) == (False, "Watchfloor")
        assert people.list_people(connection, NOW)[-1].brand_ids == frozenset()
        assert number
        [line] = connection.execute(select(log_entry.c.id, log_entry.c.pinned)).all()
        assert tuple(line) == (1, None)
        assert connection.execute(select(audit.c.action).order_by(audit.c.id)).scalars().all()[-1] == "demo.removed"
        assert not first_start.is_wanted(connection, NOW)
    if database.is_sqlite:
        with database.write() as connection:
            connection.execute(text("insert into mention_text (mention_text, rank) values ('integrity-check', 1)"))


@pytest.mark.prove
def test_a_brand_of_the_demo_with_real_posts_stays_with_them(database: Database, tmp_path: Path) -> None:
    there = fill(database, tmp_path)
    kept = there["demo"].brands[0]
    posted(database, [Said("really about it", brand_id=kept, minutes=3, location_id=there["rotterdam"])], there["real"])
    with database.write() as connection:
        demo_data.ask_removal(connection, by="Hedda", **WHO)
    assert remove(database)
    with database.read() as connection:
        current = organisations.current(connection, NOW)
        assert kept in current.brand_names
        assert cube.check(connection, current, NOW) == []
        assert demo_data.mentions_of(connection, kept) == 1
    assert left_of(database, _gone(database, there["demo"]), there["demo"].brands[1:]) == []


@pytest.mark.prove
def test_an_installation_emptied_of_its_demo_gets_none_again(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        assert first_start.is_wanted(connection, NOW)
        first_start.create(connection, rate=1.0, home=tmp_path, now=NOW)
        demo_data.ask_removal(connection, by="Hedda", **WHO)
        assert not first_start.is_wanted(connection, NOW)
    assert remove(database)
    assert not remove(database)
    with database.read() as connection:
        assert first_start.is_empty(connection)
        assert not first_start.is_wanted(connection, NOW)
        assert [item.id for item in organisations.current(connection, NOW).brands] == [UNKNOWN]


def _gone(database: Database, demo: demo_data.Demo) -> demo_data.Demo:
    """The demo without the places and teams that something real refers to."""
    places, teams = _ids(database, location), _ids(database, team)
    return replace(
        demo,
        locations=tuple(one for one in demo.locations if one not in places),
        teams=tuple(one for one in demo.teams if one not in teams),
    )


def _ids(database: Database, table: Any) -> set[int]:
    with database.read() as connection:
        return set(connection.execute(select(table.c.id)).scalars())
