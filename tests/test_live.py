"""dashboard/live.py: the same bytes for everybody, nothing for who may not, no mercy for bad messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from dashboard import live, rights
from dashboard.hub import Hub
from dashboard.live import BURST, BadMessage, Budget, read_message
from models import identity, leaving, people
from models.tables import membership
from tests.empty import empty_database
from tests.live_screen import ADMIN, Clock, Screen, fill, mention_comes, opened
from tests.serving import Served, heard, served, shown, state, subscribe


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def web(tmp_path: Path, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # How both databases tell of a change is tested with the hub; here it is about the socket.
    database = empty_database(tmp_path)
    fill(database)
    monkeypatch.setattr(rights, "CALLBACKS", {})
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.2)
    with served(database, tmp_path, shown(screen)) as running:
        yield running
    database.close()


def closed_with(socket: ClientConnection) -> tuple[int, str]:
    """The code and reason the server closes with."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(10)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


def raw(socket: ClientConnection) -> bytes:
    """The next frame as it came."""
    while True:
        message = socket.recv(5)
        if isinstance(message, bytes):
            return message


def test_a_subscription_is_answered_with_the_whole_state(web: Served) -> None:
    with web.socket(web.person()) as socket:
        answer = subscribe(socket)
        assert set(answer) == {"n", "channel"}
        props = state(socket)
        assert props["count-words"] == {"children": "0 for Corvane, Halden, Velta"}
        assert props["sources-words"] == {"children": "sources of Europe/Amsterdam"}


def test_a_change_reaches_everybody_with_the_same_bytes_and_one_query(web: Served, screen: Screen) -> None:
    person = web.person()
    with ExitStack() as links:
        sockets = [links.enter_context(web.socket(person)) for _ in range(20)]
        for socket in sockets:
            subscribe(socket)
            state(socket)
        before = screen.asked("count")
        assert before == 1
        mention_comes(web.database, 3)
        frames = {raw(socket) for socket in sockets}
        assert len(frames) == 1
        found = opened(frames.pop())
        assert found["p"]["count-drawn"] == {"n": 1}
        assert "sources-words" not in found["p"]
        assert screen.asked("count") == 2


def test_a_person_limited_to_a_brand_gets_nothing_of_another(web: Served) -> None:
    with web.socket(web.person("ines", "viewer", {2})) as socket:
        subscribe(socket)
        assert state(socket)["count-words"] == {"children": "0 for Corvane"}
        answer = subscribe(socket, "?brand=halden", number=2)
        assert answer["error"]["kind"] == "not_found"
        assert "halden" in answer["error"]["reason"]
        mention_comes(web.database, 3)
        mention_comes(web.database, 2)
        assert subscribe(socket, "", number=3)["channel"]
        said = [heard(socket)["p"]["count-words"]["children"]]
        if said == ["0 for Corvane"]:
            said.append(heard(socket)["p"]["count-words"]["children"])
        assert said[-1] == "1 for Corvane"


def test_a_wrong_address_is_explained_and_the_link_stays_open(web: Served) -> None:
    with web.socket(web.person()) as socket:
        assert "fortnight" in subscribe(socket, "?window=fortnight")["error"]["reason"]
        assert subscribe(socket, path="/elsewhere", number=2)["error"]["kind"] == "not_found"
        assert "channel" in subscribe(socket, number=3)


def test_nobody_opens_a_link_without_a_session_or_from_another_site(web: Served) -> None:
    with pytest.raises(InvalidStatus) as anonymous:
        web.socket(None)
    assert anonymous.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as foreign:
        web.socket(web.person(), origin="https://evil.example")
    assert foreign.value.response.status_code == 403


def test_a_revoked_session_is_cut_off_and_gets_nothing_more(web: Served) -> None:
    person, other = web.person(), web.person("other")
    with web.socket(person) as socket, web.socket(other) as staying:
        subscribe(socket)
        subscribe(staying)
        state(staying)
        with web.database.write() as connection:
            assert identity.sign_out(connection, person.session_hash, datetime.now(UTC))
        code, _ = closed_with(socket)
        assert code == 4401
        mention_comes(web.database, 2)
        assert heard(staying)["p"]["count-drawn"] == {"n": 1}


def test_a_person_who_is_disabled_is_cut_off(web: Served) -> None:
    with web.socket(web.person("leaver", "viewer")) as socket:
        subscribe(socket)
        with web.database.write() as connection:
            leaving.disable_person(connection, "leaver@meridian.example", datetime.now(UTC))
        assert closed_with(socket)[0] == 4401


BAD_MESSAGES: tuple[str | bytes, ...] = (
    "",
    "no json",
    "[]",
    "3",
    '{"path": "/"}',
    '{"n": 1, "path": "/"}',
    '{"n": 1, "path": 3, "search": ""}',
    '{"n": true, "path": "/", "search": ""}',
    '{"n": 1.5, "path": "/", "search": ""}',
    '{"n": 99999999999999999999999, "path": "/", "search": ""}',
    '{"n": 1, "path": "' + "x" * 9000 + '"}',
    '{"retry": 3}',
    "[" * 5000,
    b"\x00\x01",
)


def test_a_message_that_no_browser_sends_closes_the_link_with_a_reason(web: Served) -> None:
    person = web.person()
    for message in BAD_MESSAGES:
        with web.socket(person) as socket:
            socket.send(message)
            code, reason = closed_with(socket)
            assert (message, code) == (message, 4400)
            assert reason


def test_a_flood_of_messages_closes_the_link(web: Served) -> None:
    with web.socket(web.person()) as socket:
        for number in range(BURST + 20):
            with suppress(ConnectionClosed):
                socket.send(orjson.dumps({"n": number, "path": "/", "search": ""}).decode())
        assert closed_with(socket)[0] == 4429


def test_a_session_has_a_limited_number_of_links(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SOCKETS_PER_SESSION", 2)
    person = web.person()
    with web.socket(person), web.socket(person) as second:
        with web.socket(person) as third:
            assert closed_with(third)[0] == 4429
        with web.socket(web.person("other")) as other:
            assert "channel" in subscribe(other)
        second.close()
        with web.socket(person) as again:
            assert "channel" in subscribe(again)


def test_leaving_a_page_ends_its_frames(web: Served) -> None:
    with web.socket(web.person()) as socket:
        subscribe(socket)
        state(socket)
        socket.send('{"n": 2, "leave": true}')
        assert heard(socket) == {"n": 2, "left": True}
        mention_comes(web.database, 2)
        assert subscribe(socket, number=3)["n"] == 3


def test_polling_gives_the_same_state_as_a_socket(web: Served) -> None:
    person = web.person()
    with web.socket(person) as socket, httpx.Client(base_url=web.address, headers=person.headers) as browser:
        answer = subscribe(socket)
        props = state(socket)
        polled = browser.get("/live/state", params={"path": "/", "search": ""})
        assert polled.status_code == 200
        assert polled.headers["x-live-channel"] == answer["channel"]
        assert opened(polled.content)["p"] == props
        assert opened(polled.content)["full"] is True
        assert "badge" in orjson.loads(polled.headers["x-live-beat"])["beat"]
        known = {"If-None-Match": polled.headers["etag"]}
        assert browser.get("/live/state", params={"path": "/"}, headers=known).status_code == 304
        mention_comes(web.database, 2)
        changed = heard(socket)
        again = browser.get("/live/state", params={"path": "/"}, headers=known)
        assert again.status_code == 200
        assert opened(again.content)["p"]["count-words"] == changed["p"]["count-words"]


def test_polling_alone_has_panels_computed(web: Served, screen: Screen) -> None:
    with httpx.Client(base_url=web.address, headers=web.person().headers) as browser:
        polled = browser.get("/live/state", params={"path": "/", "search": "?brand=velta"})
        assert opened(polled.content)["p"]["count-words"] == {"children": "0 for Velta"}
        assert browser.get("/live/state").status_code == 204
    assert screen.asked("count") == 1


def test_polling_refuses_as_a_socket_does(web: Served) -> None:
    with httpx.Client(base_url=web.address) as anonymous:
        assert anonymous.get("/live/state", params={"path": "/"}).status_code == 401
    with httpx.Client(base_url=web.address, headers=web.person("ines", "viewer", {2}).headers) as browser:
        foreign = browser.get("/live/state", params={"path": "/", "search": "?brand=halden"})
        assert (foreign.status_code, foreign.json()["error"]["kind"]) == (404, "not_found")
        wrong = browser.get("/live/state", params={"path": "/", "search": "?window=fortnight"})
        assert (wrong.status_code, wrong.json()["error"]["kind"]) == (400, "scope")


def test_one_failing_panel_leaves_the_others_alone_and_comes_back(web: Served, screen: Screen) -> None:
    screen.failing.add("count")
    with web.socket(web.person()) as socket:
        subscribe(socket)
        states: dict[str, Any] = {}
        while len(states) < 2:
            states |= heard(socket)["states"]
        assert states["sources"]["state"] == "live"
        assert states["count"]["state"] == "error"
        screen.failing.clear()
        socket.send('{"retry": "count"}')
        found = heard(socket)
        assert found["states"]["count"]["state"] == "live"
        assert found["p"]["count-words"] == {"children": "0 for Corvane, Halden, Velta"}


def test_who_reads_slowly_skips_to_the_newest_state(web: Served) -> None:
    """A link whose sends block is measured by what its viewer would get, not by filling the kernel's buffers."""

    class Blocked:
        """A socket that takes nothing until the test lets it."""

        def __init__(self) -> None:
            self.taken: list[str | bytes] = []
            self.gate = asyncio.Event()

        async def send_bytes(self, data: bytes) -> None:
            await self.gate.wait()
            self.taken.append(data)

        send_text = send_bytes

    async def steps() -> None:
        small, clock = Screen(), Clock()
        hub = Hub(web.database, small.find, clock=clock, wall=clock.wall)
        await hub.reload()
        socket = Blocked()
        link = live.Link(socket, hub, ADMIN)  # type: ignore[arg-type]
        link._take({"n": 1, "path": "/", "search": ""})
        writing = asyncio.create_task(link._write())
        for brand_id in (2, 3, 4, 2, 3, 4):
            clock.pass_(10)
            mention_comes(web.database, brand_id)
            hub.changed([("mentions", brand_id)])
            hub.step()
            await hub.settle()
            hub.step()
        socket.gate.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(socket.taken) == 2
        assert isinstance(socket.taken[1], bytes)
        assert opened(socket.taken[1])["p"]["count-drawn"] == {"n": 6}
        writing.cancel()
        await hub.stop()

    asyncio.run(steps())


def test_rights_that_change_narrow_an_open_link(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    person = web.person("ines", "viewer")
    with web.socket(person) as socket:
        subscribe(socket)
        assert state(socket)["count-words"] == {"children": "0 for Corvane, Halden, Velta"}
        limit(web, "ines@meridian.example", 2)
        while heard(socket).get("p", {}).get("count-words") != {"children": "0 for Corvane"}:
            pass


def limit(web: Served, email: str, brand_id: int) -> None:
    """Give a person's rights for one brand alone."""
    with web.database.write() as connection:
        row = people.person_by_email(connection, email)
        connection.execute(update(membership).where(membership.c.person_id == row.id).values(brand_ids=[brand_id]))


def test_messages_are_read_strictly() -> None:
    assert read_message('{"n": 1, "path": "/", "search": "?a"}')["search"] == "?a"
    assert read_message('{"retry": "feed"}') == {"retry": "feed"}
    assert read_message('{"n": 4, "leave": true}')["leave"] is True
    for wrong in (None, "", "null", '{"n": "1", "path": "/", "search": ""}'):
        with pytest.raises(BadMessage):
            read_message(wrong)


def test_a_budget_refills_with_time() -> None:
    budget = Budget()
    assert all(budget.take(10.0) for _ in range(BURST))
    assert not budget.take(10.0)
    assert budget.take(11.0)
