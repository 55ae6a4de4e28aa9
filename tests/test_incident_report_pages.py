"""dashboard/incident_report_*.py: the report as a page of paper and as a file, for who may see the incident."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from dashboard import incident_report_pages as pages
from dashboard.incident_report_curve import shapes
from dashboard.incident_report_html import page
from dashboard.incident_report_pdf import MISSING, _safe, pdf
from dashboard.incident_report_words import duration, told
from models.errors import NotFound
from models.incident_ending import RELEASE, Ending, end
from models.incident_reading import Incident
from models.incident_report import Change, Report, Words, sign, write_words
from models.tables import audit
from tests.builders import AMSTERDAM, AMSTERDAM_SITE, HALDEN, keep, mention
from tests.case_desk import hire
from tests.empty import empty_database
from tests.incident_desk import MINUTE, declare, do
from tests.reply_desk import Desk

HOSTILE = "<script>alert(1)</script>\"' & \u202eevil"
TOLD = Words(
    happened="The carrier was on strike.\nIt took a day.",
    well=("quick",),
    badly=("v1 promised a time",),
    changes=(Change("Holding statements", "Ana", "2026-11-24"), Change("Call them", "Ben", "", True)),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(empty_database(tmp_path))
    yield desk
    desk.database.close()


def over(desk: Desk, name: str = "Orders are late") -> Incident:
    """Declared, talked about, ended, written about and signed."""
    found = declare(desk, name=name)
    desk.wait(minutes=30)
    made = [
        mention(f"t{n}", posted_at=desk.now - 9 * MINUTE, author=f"a{n}", location_id=AMSTERDAM_SITE) for n in range(9)
    ]
    keep(desk.database, made, desk.organisation, now=desk.now)
    do(desk, "mona", end, found, Ending("the strike is over", RELEASE))
    do(desk, "mona", write_words, found, TOLD)
    do(desk, "mona", sign, found, words_hash=TOLD.hash)
    return found


def read(desk: Desk, found: Incident) -> Report:
    return pages.read(desk.database, desk.who["mona"], found.id, desk.now)[0]


def test_the_page_says_what_people_wrote_and_what_was_counted(desk: Desk) -> None:
    shown = page(read(desk, over(desk)), AMSTERDAM, "Meridian Group")

    for words in (
        "After-action report, INC-1", "The carrier was on strike.", "v1 promised a time", "24 Nov", ">done<",
        "signed 19 Nov 2026 16:02", "30 min", ">9<", "not yet", "Counted 9 mentions",
    ):  # fmt: skip
        assert words in shown, words


def test_no_text_of_anybody_is_markup_on_the_page_or_breaks_the_file(desk: Desk) -> None:
    found = over(desk, HOSTILE)

    shown = page(read(desk, found), AMSTERDAM, HOSTILE)

    assert "<script>alert" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert pdf(read(desk, found), AMSTERDAM, HOSTILE).startswith(b"%PDF-")


def test_a_report_is_shown_while_the_incident_goes_on_and_nobody_has_said_anything(desk: Desk) -> None:
    found = declare(desk)

    shown = page(read(desk, found), AMSTERDAM, "Meridian Group")

    assert "So far: it goes on" in shown
    assert shown.count("Nobody has written this yet.") == 4
    assert pdf(read(desk, found), AMSTERDAM, "Meridian Group").startswith(b"%PDF-")


def test_the_file_is_a_row_of_the_audit_log(desk: Desk) -> None:
    found = over(desk)

    answer = pages.as_file(desk.database, desk.who["ana"], found.id)

    assert (answer.media_type, bytes(answer.body)[:5]) == ("application/pdf", b"%PDF-")
    with desk.database.read() as connection:
        row = connection.execute(select(audit).where(audit.c.action == "incident.report_exported")).one()
    assert (row.actor, row.details["bytes"]) == ("ana@meridian.example", len(answer.body))


def test_a_foreign_report_is_not_found_as_one_that_never_was(desk: Desk) -> None:
    banker = hire(desk.database, "Bo", "viewer", brand_ids=[HALDEN])
    found = over(desk)

    said = set()
    for number in (found.id, 99):
        for answer in (pages.as_page, pages.as_file):
            with pytest.raises(NotFound) as refused:
                answer(desk.database, banker, number)
            said.add(str(refused.value))
    assert len(said) == 1


def test_what_the_font_has_no_letter_for_is_a_square() -> None:
    assert _safe("Zaj\u0105c \u5b57", frozenset(map(ord, "Zaj\u0105c "))) == f"Zaj\u0105c {MISSING}"


def test_the_curve_stays_in_its_box_and_names_its_instants(desk: Desk) -> None:
    drawn = shapes(read(desk, over(desk)), AMSTERDAM, width=600, height=150)

    assert all(0 <= x <= 600 and 0 <= y <= 150 for x, y in drawn.line)
    assert any(label.startswith("peak 15:5") for _, label in drawn.marks)
    assert len(drawn.ticks) >= 2


def test_a_long_incident_says_days() -> None:
    said = [duration(timedelta(**span).total_seconds()) for span in ({"minutes": 4}, {"minutes": 147}, {"hours": 50})]
    assert said == ["4 min", "2 h 27", "2 d 2 h"]


def test_the_timeline_of_the_report_keeps_its_beginning_and_its_end(desk: Desk) -> None:
    entries = told(read(desk, over(desk)), AMSTERDAM).timeline

    assert entries[0].text.startswith("Declared")
    assert entries[-1].text == "Ended: the strike is over"
