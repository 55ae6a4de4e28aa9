"""dashboard/asks/{views,log,since}.py: what a person keeps and reads at their desk, as a browser gets it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from dashboard.asks import ACTS, READS, serving
from dashboard.panels import shift_log as pulse
from dashboard.views import by_path
from models import organisation as organisations
from models import people, preferences
from models.access import Access
from models.database import Database, new_id
from models.errors import InputError, NotFound, ScopeError
from models.tables import alert, mention
from tests import small_organisation
from tests.empty import empty_database
from tests.small_organisation import NOW
from tests.small_store import Said, fill, say

HOUR = timedelta(hours=1)
ADMIN = Access(99, "admin@meridian.example", "Admin", frozenset({"admin"}))


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Database]:
    database = empty_database(tmp_path)
    fill(database)
    yield database
    database.close()


@pytest.fixture
def ana(there: Database) -> Access:
    with there.write() as connection:
        number = people.add_person(connection, email="a@meridian.example", name="Ana Novak", role="viewer", now=NOW)
    return Access(number, "a@meridian.example", "Ana Novak", frozenset({"viewer"}))


def read(database: Database, who: Access, name: str, /, **given: Any) -> dict[str, Any]:
    with database.read() as connection:
        organisation = organisations.current(connection, NOW)
        return dict(READS[name](connection, serving.asked(by_path, who, organisation, NOW, given)))


def act(database: Database, who: Access, name: str, /, **given: Any) -> dict[str, Any]:
    with database.write() as connection:
        organisation = organisations.current(connection, NOW)
        return dict(ACTS[name](connection, serving.asked(by_path, who, organisation, NOW, given)))


# -- views -------------------------------------------------------------------------------------------------


def test_a_view_keeps_the_address_of_the_page_and_gives_it_back(there: Database, ana: Access) -> None:
    made = act(there, ana, "view.save", path="/", search="?brand=corvane&window=7d", name="Corvane week")
    act(there, ana, "view.start", id=made["view"]["id"])

    assert made["words"] == "Saved as “Corvane week”."
    assert read(there, ana, "views") == {
        "views": [made["view"] | {"start": True}],
        "start": "/?brand=corvane&window=7d",
    }
    assert isinstance(made["view"]["id"], str)


def test_a_view_is_updated_renamed_deleted_and_brought_back(there: Database, ana: Access) -> None:
    made = act(there, ana, "view.save", path="/", search="", name="all")["view"]
    act(there, ana, "view.update", path="/audience", search="?window=7d", id=made["id"])
    act(there, ana, "view.rename", id=made["id"], name="audience, a week")
    gone = act(there, ana, "view.delete", id=made["id"])["view"]
    assert read(there, ana, "views")["views"] == []

    given = {key: gone[key] for key in ("name", "path", "search")}
    act(there, ana, "view.save", **given, start=True)

    [back] = read(there, ana, "views")["views"]
    assert (back["name"], back["path"], back["search"], back["start"]) == (
        "audience, a week",
        "/audience",
        "?window=7d",
        True,
    )
    assert act(there, ana, "view.start")["words"] == "You begin at Command now."
    assert read(there, ana, "views")["start"] == "/"


@pytest.mark.parametrize(
    ("path", "search", "error"),
    [
        ("/", "?window=2h", ScopeError),
        ("/nowhere", "", NotFound),
        ("/", "?brand=nobody", NotFound),
        (None, "", InputError),
    ],
)
def test_what_is_no_page_is_not_kept(
    path: str | None, search: str, error: type[Exception], there: Database, ana: Access
) -> None:
    with pytest.raises(error):
        act(there, ana, "view.save", path=path, search=search, name="no page")
    assert read(there, ana, "views")["views"] == []


# -- shift log ---------------------------------------------------------------------------------------------


def test_a_line_is_said_plainly_and_its_pin_leads_to_the_mention(there: Database, ana: Access) -> None:
    say(there, [Said("My card is declined", brand_id=3, author="sanne")])
    with there.read() as connection:
        number = connection.execute(select(mention.c.id)).scalar_one()
    act(there, ana, "log.add", text="She waits", pinned="mention", pinned_id=str(number))

    said = read(there, ADMIN, "log")

    [line] = said["lines"]
    assert (said["waiting"], said["more"], said["newest"]) == (1, False, line["id"])
    assert (line["author"], line["text"], line["about"], line["clock"], line["mine"]) == (
        "Ana Novak", "She waits", "Halden Bank", "15:32", False,
    )  # fmt: skip
    # The newest mention of a window that ends a second after it.
    assert line["pin"] == {"words": "sanne on X", "href": "/?brand=halden&window=1h&at=2026-11-19T14:27:11Z"}
    assert read(there, ana, "log")["lines"][0]["mine"]


def test_a_pin_that_leads_nowhere_for_this_person_is_words_alone(there: Database, ana: Access) -> None:
    act(there, ana, "log.add", text="token renewed", pinned="source", pinned_id="1")

    assert read(there, ADMIN, "log")["lines"][0]["pin"] == {
        "words": "source X search",
        "href": "/admin/sources#source-1",
    }
    assert read(there, ana, "log")["lines"][0]["pin"] == {"words": "source X search", "href": ""}


def test_the_log_is_read_page_by_page_and_signed_up_to_a_line(there: Database, ana: Access) -> None:
    for number in range(52):
        act(there, ana, "log.add", text=f"line {number}")
    first = read(there, ADMIN, "log")
    rest = read(there, ADMIN, "log", before=first["lines"][-1]["id"])

    assert (len(first["lines"]), first["more"], len(rest["lines"]), rest["more"]) == (50, True, 2, False)
    assert act(there, ADMIN, "log.sign", up_to=first["lines"][0]["id"])["words"] == "You took over; 52 lines signed."
    assert read(there, ana, "log")["lines"][0]["signed"] == "Admin, 15:32"
    with pytest.raises(InputError, match="whole number"):
        act(there, ADMIN, "log.sign", up_to="newest")


def test_what_a_line_can_be_about_are_spikes_of_these_days_and_sources(there: Database, ana: Access) -> None:
    with there.write() as connection:
        for hours in (3, 80):
            at = NOW - hours * HOUR
            values = {"brand_id": 2, "kind": "volume", "source_id": 0, "started_at": at, "flagged_at": at, "words": "w"}
            connection.execute(insert(alert).values(**values, id=new_id(at)))

    said = read(there, ana, "log.about")

    assert [row["words"] for row in said["alerts"]] == ["Corvane, 12:32"]
    assert said["sources"] == [{"id": "1", "words": "X search"}]
    bank = Access(ana.person_id, ana.email, ana.name, ana.rights, brand_ids=frozenset({3}))
    assert read(there, bank, "log.about")["alerts"] == []


def test_the_pulse_says_that_there_is_something_new_and_not_what(there: Database, ana: Access) -> None:
    def props() -> dict[str, Any]:
        with there.read() as connection:
            return dict(pulse.PANEL.draw(pulse.PANEL.query(connection, small_organisation.asked()))["log-pulse"])

    assert props() == {"newest": "", "signed": ""}
    line = act(there, ana, "log.add", text="secret words")["line"]
    act(there, ADMIN, "log.sign", up_to=line["id"])
    assert props() == {"newest": line["id"], "signed": NOW.isoformat()}
    assert pulse.PANEL.place().id == "log-pulse"


# -- since you looked --------------------------------------------------------------------------------------


def seen(database: Database, who: Access, value: Any) -> None:
    with database.write() as connection:
        preferences.put(connection, who.person_id, "seen", value, now=NOW)


@pytest.mark.parametrize("value", [None, "yesterday", 17, "2026-11-19T14:10:00Z", "2026-11-19T02:00:00"])
def test_who_was_here_or_never_looked_is_told_nothing(value: Any, there: Database, ana: Access) -> None:
    if value is not None:
        seen(there, ana, value)
    assert read(there, ana, "since") == {"away": False, "newest": ""}


def test_who_was_away_is_told_in_lines_that_each_lead_somewhere(there: Database, ana: Access) -> None:
    seen(there, ana, "2026-11-19T06:02:00Z")
    at = NOW - 3 * HOUR
    with there.write() as connection:
        connection.execute(
            insert(alert).values(
                brand_id=2, id=new_id(at), kind="volume", source_id=0, started_at=at, flagged_at=at, seen=90.0,
                expected=30.0, words="90 mentions where 30 are usual.",
            )
        )  # fmt: skip
    say(there, [Said(f"{n}", minutes=30 + n, sentiment=-1) for n in range(40)])
    say(there, [Said(f"{n}", minutes=9 * 60 + n, sentiment=1) for n in range(40)])
    act(there, ADMIN, "log.add", text="from the night", about="corvane")

    said = read(there, ana, "since")

    assert (said["away"], said["clock"], said["about"]) == (True, "07:02", "8 h 30 min, all brands")
    assert [(line["glyph"], line["title"], line["value"]) for line in said["lines"]] == [
        ("◆", "Corvane, 12:32", "×3.0"),
        ("●", "40 mentions", ""),
        ("▼", "Net sentiment", "+100 → −100"),
        ("●", "Sources", "1 of 1"),
    ]
    assert said["lines"][0]["href"] == "/?brand=corvane&window=2026-11-19T09:32Z..2026-11-19T12:32Z"
    assert [line["text"] for line in said["log"]] == ["from the night"]
    assert (said["unsigned"], said["more"], said["newest"]) == (1, 0, said["log"][0]["id"])
    for line in said["lines"]:
        path, _, search = line["href"].partition("?")
        assert serving.asked(by_path, ADMIN, _organisation(there), NOW, {"path": path, "search": f"?{search}"}).question


def test_a_change_by_chance_is_not_called_better_or_worse(there: Database, ana: Access) -> None:
    seen(there, ana, "2026-11-19T06:02:00Z")
    say(there, [Said(f"{n}", minutes=30 + n, sentiment=n % 2) for n in range(40)])
    say(there, [Said(f"{n}", minutes=9 * 60 + n, sentiment=(n % 4) // 2) for n in range(40)])

    mood = read(there, ana, "since")["lines"][1]

    assert (mood["glyph"], mood["tone"], mood["value"]) == ("●", "", "+50 → +50")
    assert mood["sub"].startswith("no clear change")


def _organisation(database: Database) -> Any:
    with database.read() as connection:
        return organisations.current(connection, NOW)
