"""What calls people from the desk: an urgent answer that became late, a turn to sign, an incident; each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from dashboard.web import SCREEN
from models import incidents, people
from models.access import ADMIN, Access
from models.database import Database, raise_change
from models.incident_reading import IncidentScope
from models.tables import account, desk_case
from tests.browser.test_look_here_browser import STUBS, until
from tests.browser.test_respond_browser import customer_writes, there
from tests.builders import CORVANE
from tests.case_desk import open_desk
from tests.empty import empty_database
from tests.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.prove]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = empty_database(tmp_path)
    open_desk(database)
    with database.write() as connection:
        connection.execute(account.update().values(secrets=b"sealed"))
    customer_writes(database, "1", "@corvane where is my order? It is late.", "Ada")
    yield database
    database.close()


def test_a_late_urgent_answer_and_an_incident_call_a_manager_once(
    database: Database, tmp_path: Path, page: Page
) -> None:
    with served(database, tmp_path, SCREEN) as web:
        person = web.person("mona", "manager")
        key, _, value = person.cookie.partition("=")
        page.context.add_cookies([{"name": key, "value": value, "url": web.address}])
        page.add_init_script(STUBS)
        page.goto(f"{web.address}/audience")
        expect(page.locator("#due-count")).to_be_attached()
        expect(page.locator(".audience").first).to_be_visible()
        page.mouse.click(900, 130)
        page.evaluate("window.elsewhere = true; window.rung = 0")

        now = datetime.now(UTC)
        with database.read() as connection:
            number = people.person_by_email(connection, "mona@meridian.example").id
        with database.write() as connection:
            soon = now + timedelta(seconds=3)
            connection.execute(update(desk_case).values(priority=1, due_at=soon))
            raise_change(connection, "cases", (CORVANE,))
        until(page, "window.rung > 0 && document.title.startsWith('◆ 1 · ')")
        assert datetime.now(UTC) >= soon
        rung = page.evaluate("window.rung")

        with database.write() as connection:
            incidents.declare(
                connection,
                there(database),
                Access(number, "mona@meridian.example", "Mona", frozenset({ADMIN})),
                name="Data centre",
                reason="orders stand still",
                severity=1,
                scope=IncidentScope(brand_ids=(CORVANE,)),
                lead_id=number,
                expires_at=now + timedelta(days=1),
                now=datetime.now(UTC),
            )
        until(page, f"window.rung > {rung} && document.title.startsWith('◆ 2 · ')")
        rung = page.evaluate("window.rung")
        with database.write() as connection:
            raise_change(connection, "cases", (CORVANE,))
            raise_change(connection, "incidents", (CORVANE,))
        page.reload()
        expect(page.locator("#banner-list")).to_contain_text("Data centre")
        page.wait_for_timeout(6_000)
        assert page.evaluate("window.rung") == 0
