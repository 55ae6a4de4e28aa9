"""The admin pages of the organisation and the set-up: what the forms and files do, what retiring leaves, the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.asks import ACTS, READS, serving
from dashboard.panels import admin_brands, admin_locations, admin_setup, admin_teams
from dashboard.views import by_path
from ingest import demo as first_start
from models import demo_data
from models import organisation as organisations
from models.access import Access
from models.database import Database
from models.errors import InputError, OrganisationError
from models.tables import audit, change, competitor
from tests.few import few
from tests.small_organisation import NOW
from tests.small_organisation import organisation as small
from tests.small_store import fill

ADMIN = Access(99, "admin@meridian.example", "Admin", frozenset({"admin"}))
CSV = "thing,key,name,kind,covers\nbrand,acme,Acme,own,\nteam,sales,Sales,,acme@*\n"


@pytest.fixture
def there(database: Database) -> Database:
    fill(database)
    return database


def act(database: Database, name: str, /, **given: Any) -> dict[str, Any]:
    with database.write() as connection:
        organisation = organisations.current(connection, NOW)
        return dict(ACTS[name](connection, serving.asked(by_path, ADMIN, organisation, NOW, given)))


def now_there(database: Database) -> organisations.Organisation:
    with database.read() as connection:
        return organisations.current(connection, NOW)


def drawn(database: Database, panel: Any, path: str) -> dict[str, Any]:
    with database.read() as connection:
        organisation = organisations.current(connection, NOW)
        question = serving.asked(by_path, ADMIN, organisation, NOW, {"path": path}).asked()
        found = panel.draw(panel.query(connection, question))
        [props] = [props for part, props in found.items() if not part.endswith("-state")]
        return dict(props)


def changes(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(change.c.n).where(change.c.topic == "organisation")).scalar() or 0


def test_a_brand_is_added_by_its_form_and_every_screen_is_told(there: Database) -> None:
    before = changes(there)
    values = {"key": "acme", "name": "Acme", "kind": "own", "competitors": "rival", "rules": "acme OR @acme"}
    said = act(there, "organisation.save", kind="brand", new=True, values=values)

    assert said == {"words": "Acme is saved.", "faults": {}}
    brand = now_there(there).brand_by_key("acme")
    assert brand.rules == ("acme OR @acme",)
    assert now_there(there).competitors[brand.id] == (5,)
    assert changes(there) > before
    act(there, "organisation.save", kind="brand", new=False, values={"key": "acme", "name": "Acme Ltd", "kind": "own"})
    assert (now_there(there).brand_by_key("acme").name, now_there(there).brand_by_key("acme").rules) == (
        "Acme Ltd",
        ("acme OR @acme",),
    )


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    few(
        [
            ("brand", {"key": "Acme!", "name": "Acme"}, "key"),
            ("brand", {"key": "corvane", "name": "Acme"}, "key"),
            ("brand", {"key": "all", "name": "Acme"}, "key"),
            ("brand", {"key": "acme", "name": ""}, "name"),
            ("brand", {"key": "acme", "name": "Acme", "competitors": "nobody"}, "competitors"),
            ("brand", {"key": "acme", "name": "Acme", "competitors": "acme"}, "competitors"),
            ("brand", {"key": "acme", "name": "Acme", "rules": "acme OR OR"}, "rules"),
            ("brand", {"key": "acme", "name": "Acme", "monogram": "ABCDE"}, "monogram"),
            ("location", {"key": "rome", "name": "Rome", "zone": "Mars/Base"}, "zone"),
            ("location", {"key": "rome", "name": "Rome", "latitude": "north", "longitude": "1"}, "latitude"),
            ("location", {"key": "rome", "name": "Rome", "latitude": "41.9"}, "latitude"),
            ("location", {"key": "rome", "name": "Rome", "parent": "nowhere"}, "parent"),
            ("team", {"key": "sales", "name": "Sales", "covers": "nobody@*"}, "covers"),
        ],
        4,
    ),
)
def test_what_cannot_be_used_is_said_at_its_field_and_nothing_is_written(
    there: Database, kind: str, values: dict[str, str], field: str
) -> None:
    before = now_there(there)
    said = act(there, "organisation.save", kind=kind, new=True, values=values)
    assert list(said["faults"]) == [field]
    assert now_there(there) == before


def test_a_file_is_looked_at_before_it_is_loaded(there: Database) -> None:
    before = now_there(there)
    looked = act(there, "organisation.look", name="own.csv", content=CSV)
    assert now_there(there) == before
    assert [row[:3] for row in looked["rows"]] == [
        ["add", "brand", "acme"],
        ["add", "team", "sales"],
        ["change", "team", "sales"],
    ]

    act(there, "organisation.save", kind="brand", new=True, values={"key": "acme", "name": "Acme", "kind": "own"})
    again = act(there, "organisation.load", name="own.csv", content=CSV, seen=looked["seen"])
    assert not again["done"]
    assert "sales" not in {item.key for item in now_there(there).teams}
    done = act(there, "organisation.load", name="own.csv", content=CSV, seen=again["seen"])
    assert (done["done"], done["words"]) == (True, "2 changes loaded.")
    with pytest.raises(OrganisationError, match="columns"):
        act(there, "organisation.look", name="own.csv", content="a,b\n1,2\n")


def test_what_is_retired_leaves_nothing_that_refers_to_it_and_comes_back_by_its_key(there: Database) -> None:
    act(
        there,
        "organisation.save",
        kind="team",
        new=False,
        values={"key": "care", "name": "Care", "covers": "rival@berlin"},
    )
    act(there, "organisation.retire", kind="brand", key="rival")
    after = now_there(there)
    assert "rival" not in {item.key for item in after.brands}
    assert (after.covers, dict(after.competitors)) == ((), {})
    with there.read() as connection:
        assert connection.execute(select(competitor)).all() == []
        assert connection.execute(select(audit.c.action)).scalars().all()[-1] == "brand.retired"
    with pytest.raises(InputError, match=r"Berlin.* stand in it"):
        act(there, "organisation.retire", kind="location", key="emea")

    act(
        there,
        "organisation.save",
        kind="brand",
        new=True,
        values={"key": "rival", "name": "Rival", "kind": "competitor"},
    )
    assert now_there(there).brand_by_key("rival").id == 5


def test_a_key_of_the_hidden_demo_is_refused_in_words(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        first_start.create(connection, rate=1.0, home=tmp_path, now=NOW)
    act(database, "demo.hide")
    said = act(database, "organisation.save", kind="brand", new=True, values={"key": "corvane", "name": "Corvane"})
    assert "hidden demo data" in said["faults"]["key"]


def test_the_tables_say_what_there_is(there: Database) -> None:
    brands = drawn(there, admin_brands, "/admin/brands")
    assert brands["rows"][0]["cells"][:4] == ["Corvane", "own", "co", "Rival"]
    assert brands["rows"][0]["values"]["competitors"] == "rival"
    places = drawn(there, admin_locations, "/admin/locations")
    assert [(row["key"], row["depth"]) for row in places["rows"]] == [
        ("emea", 0), ("berlin", 1), ("kenya", 1), ("nairobi", 2), ("tokyo", 0),
    ]  # fmt: skip
    teams = drawn(there, admin_teams, "/admin/teams")
    assert [row["cells"] for row in teams["rows"]] == [["Customer care", "nothing yet"]]
    assert small().brands


def test_the_set_up_says_what_is_done_and_what_comes_next(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        first_start.create(connection, rate=1.0, home=tmp_path, now=NOW)
        first_start.first_administrator(connection, NOW)
    props = drawn(database, admin_setup, "/admin/setup")
    assert [(step["done"], step["next"]) for step in props["steps"]] == [
        (True, False), (False, True), (False, False), (False, False),
    ]  # fmt: skip
    assert props["demo"]["state"] == "shown"

    act(database, "demo.hide")
    assert drawn(database, admin_setup, "/admin/setup")["demo"]["state"] == "hidden"
    values = {"key": "acme", "name": "Acme", "kind": "own", "rules": "acme"}
    act(database, "organisation.save", kind="brand", new=True, values=values)
    steps = drawn(database, admin_setup, "/admin/setup")["steps"]
    assert [step["done"] for step in steps] == [True, True, False, True]
    with pytest.raises(InputError, match="sure"):
        act(database, "demo.remove")
    act(database, "demo.remove", sure=True)
    with database.read() as connection:
        assert demo_data.of(connection).state == demo_data.REMOVING
        assert (
            READS["demo"](connection, serving.asked(by_path, ADMIN, now_there(database), NOW, {}))["state"]
            == "removing"
        )
