"""The web program on a real uvicorn on loopback, with a signed-in person, for tests and measurements."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from websockets import Origin
from websockets.sync.client import ClientConnection, connect

from dashboard import shell
from dashboard.live import SERVER_OPTIONS
from dashboard.web import Program, assemble
from dashboard.web import Screen as Shown
from models import identity, people
from models.database import Database
from models.settings import Settings
from tests.live_screen import Screen, opened


@dataclass(frozen=True)
class Person:
    """A signed-in person: the session's cookie and its hash."""

    cookie: str
    session_hash: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": self.cookie}


@dataclass(frozen=True)
class Served:
    """A running server."""

    program: Program
    port: int
    database: Database

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def person(self, name: str = "admin", role: str = "admin", brand_ids: Collection[int] | None = None) -> Person:
        """Somebody new, signed in."""
        now, email = datetime.now(UTC), f"{name}@meridian.example"
        with self.database.write() as connection:
            people.add_person(connection, email=email, name=name.title(), role=role, now=now, brand_ids=brand_ids)
            token = identity.make_link(connection, email, now)
            signed = identity.use_link(connection, token, "127.0.0.1", now)
        assert signed is not None
        return Person(f"watchfloor={signed.session_id}", identity.session_hash(signed.session_id))

    def socket(self, person: Person | None = None, *, origin: str | None = None) -> ClientConnection:
        """An open live link."""
        return connect(
            f"ws://localhost:{self.port}/live",
            origin=Origin(origin or self.address),
            additional_headers=person.headers if person else {},
            compression=None,
            max_size=None,
            legacy=True,
        )


@contextmanager
def served(database: Database, home: Path, shown: Shown, *, port: int = 0) -> Iterator[Served]:
    """The program, until the block ends."""
    settings = Settings(home=home, database_url=database.url.render_as_string(hide_password=False))
    program = assemble(settings, database, shown)
    server = uvicorn.Server(uvicorn.Config(program, port=port, log_level="warning", **SERVER_OPTIONS))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server did not start within 20 s"
        time.sleep(0.01)
    try:
        yield Served(program, server.servers[0].sockets[0].getsockname()[1], database)
    finally:
        server.should_exit = True
        thread.join(10)


def shown(screen: Screen) -> Shown:
    """The small screen in a small shell: the address decides the subscription in the browser, without a callback."""

    def layout() -> Component:
        return html.Div(
            [
                dcc.Location(id="url"),
                dcc.Link("other", href="/?window=7d", id="other"),
                html.Span(
                    [html.Span(id="live-badge-words"), html.Span(id="live-badge-detail")],
                    id="live-badge",
                ),
                html.Div(id="page", children=screen.place()),
                html.Div(id="followed"),
            ]
        )

    def register(app: Dash, _database: Database, _settings: Settings) -> None:
        app.clientside_callback(
            "function (path, search) { return window.LIVE.sub(path, search); }",
            Output("followed", "data-followed"),
            Input("url", "pathname"),
            Input("url", "search"),
        )

    return Shown(screen.find, layout, register, shell.INDEX)


def heard(socket: ClientConnection, timeout: float = 5) -> dict[str, Any]:
    """The next message that is not a beat: an answer, or a frame (opened)."""
    while True:
        message = socket.recv(timeout)
        if isinstance(message, bytes):
            return opened(message)
        found = orjson.loads(message)
        assert isinstance(found, dict)
        if "beat" not in found:
            return found


def subscribe(socket: ClientConnection, search: str = "", *, number: int = 1, path: str = "/") -> dict[str, Any]:
    """The answer to a subscription."""
    socket.send(orjson.dumps({"n": number, "path": path, "search": search}).decode())
    while True:
        found = heard(socket)
        if found.get("n") == number and "k" not in found:
            return found


def state(socket: ClientConnection) -> dict[str, Any]:
    """All props once both panels have come, whether in one frame or in two."""
    props: dict[str, Any] = {}
    while not {"count-words", "sources-words"} <= props.keys():
        props |= heard(socket)["p"]
    return props
