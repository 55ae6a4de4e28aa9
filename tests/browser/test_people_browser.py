"""The people in a real browser: one added and given a role, a file looked at, a lapsed session opened over the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update

from dashboard.web import SCREEN
from models import identity
from models.database import Database
from models.tables import session
from tests.browser.conftest import Watched
from tests.builders import load
from tests.empty import empty_database
from tests.serving import Served, served

pytestmark = pytest.mark.browser

SLOWLY = 20_000
PASSWORD = "the lighthouse keeps its own hours"
FILE = "email,name,role,brands\nnoor@m.example,Noor Haddad,,\nmo@m.example,Mo Okafor,,\nbad,,,\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    home: Path = tmp_path_factory.mktemp("people")
    database = empty_database(home)
    load(database)
    yield database
    database.close()


@pytest.fixture(scope="module")
def web(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(database, tmp_path_factory.mktemp("home"), SCREEN) as running:
        yield running


@pytest.mark.prove
def test_people_are_added_by_form_and_file_and_a_lapsed_session_loses_nothing(
    web: Served, context: BrowserContext, page: Page, watched: Watched, database: Database
) -> None:
    name, _, value = web.person("hedda").cookie.partition("=")
    with database.write() as connection:
        identity.set_password(connection, "hedda@meridian.example", PASSWORD, datetime.now(UTC))
        connection.execute(update(session).values(revoked_at=None))
    context.add_cookies([{"name": name, "value": value, "url": web.address}])
    page.goto(f"{web.address}/admin/people")

    # By keyboard: A opens the form.
    expect(page.get_by_text("hedda@meridian.example")).to_be_visible(timeout=SLOWLY)
    page.keyboard.press("a")
    page.get_by_label("Name", exact=True).fill("Mo <b>Okafor</b>")
    page.get_by_label("Work email").fill("mo@m.example")
    page.get_by_label("Role", exact=True).select_option("agent")
    page.get_by_label("Brands", exact=True).select_option("halden")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".person-row", has_text="Mo <b>Okafor</b>")).to_contain_text("Halden Bank", timeout=SLOWLY)
    expect(page.get_by_role("heading", name="Mo <b>Okafor</b>")).to_be_visible()

    page.get_by_role("button", name="Load people file").click()
    page.locator(".people-file input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    expect(page.get_by_text("line 4: “bad” is no work address")).to_be_visible(timeout=SLOWLY)
    page.get_by_role("button", name="Load 2 changes").click()
    expect(page.locator("#toast")).to_contain_text("2 changes loaded.", timeout=SLOWLY)
    expect(page.locator(".person-row", has_text="Mo Okafor")).to_be_visible(timeout=SLOWLY)

    # What is typed while the session ends is still there when it is open again, and goes where it was going.
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("Name", exact=True).fill("Keiko Mori")
    page.get_by_label("Work email").fill("keiko@m.example")
    with database.write() as connection:
        connection.execute(update(session).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible(timeout=SLOWLY)
    expect(dialog.get_by_label("Work email")).to_have_value("hedda@meridian.example")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0, timeout=SLOWLY)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Keiko Mori")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Keiko Mori")).to_be_visible(timeout=SLOWLY)
    assert page.evaluate("LIVE.status().link") == "open"

    # Signed out elsewhere: then what stands here is nobody's to see.
    with database.write() as connection:
        connection.execute(update(session).values(revoked_at=datetime.now(UTC)))
    page.wait_for_url("**/signin?next=**", timeout=SLOWLY)
    assert [fault for fault in watched.errors if "401" not in fault] == []
    assert watched.foreign == []
