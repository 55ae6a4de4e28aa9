"""A whole web program behind the gate that says SECRET wherever it is reached: what a test sees of it, leaked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, Response

from dashboard import signin
from dashboard.gate import Gate, current, somebody
from dashboard.sessions import Sessions
from models import identity
from models.database import Database
from models.settings import Settings
from tests.asgi import Browser

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ANA = "ana.novak@meridian.example"
PASSWORD = "the lighthouse keeps its own hours"
SECRET = "SECRET"


class House:
    """The program, its clock (`now`, and `seconds` for what is remembered), and people in it."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.database = database
        self.now = NOW
        self.seconds = 0.0
        self.sessions = Sessions(database, clock=lambda: self.now, monotonic=lambda: self.seconds)
        chosen = Settings(home=Path("/nonexistent"), **settings)
        server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        server.include_router(signin.router(database, chosen, self.sessions, version="1.2.3", clock=lambda: self.now))
        server.add_api_route("/{path:path}", _everything, methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
        server.add_api_websocket_route("/{path:path}", _every_socket)
        self.app = Gate(server, sessions=self.sessions, settings=chosen, csp_hashes=lambda: ["sha256-abc="])

    def passes(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def add(self, email: str = ANA, *, role: str = "admin", password: str | None = None) -> int:
        with self.database.write() as connection:
            return identity.add_person(
                connection, email=email, name="Ana Novak", role=role, password=password, now=self.now
            )

    def link(self, email: str = ANA) -> str:
        with self.database.write() as connection:
            return identity.make_link(connection, email, self.now)

    def browser(self, **given: Any) -> Browser:
        return Browser(self.app, **given)

    def signed_in(self, email: str = ANA, **given: Any) -> Browser:
        """A browser that came in by a link: no password is compared, so this is quick."""
        browser = self.browser(**given)
        token = self.link(email)
        browser.get(f"/signin/link?token={token}")
        answer = browser.post_form("/signin/link", {"token": token, "csrf_token": form_token(browser)})
        assert answer.status == 303, answer
        return browser

    def close(self) -> None:
        self.sessions.close()


def form_token(browser: Browser) -> str:
    """The token of the sign-in form that this browser was given last."""
    return next(value for name, value in browser.cookies.items() if name.endswith("watchfloor_form"))


async def _everything(request: Request) -> Response:
    signed = somebody()
    body = await request.body()
    return PlainTextResponse(f"{SECRET} {signed.access.email if signed else 'nobody'} {len(body)}")


async def _every_socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(f"{SECRET} {current().access.email}")
    await socket.close()
