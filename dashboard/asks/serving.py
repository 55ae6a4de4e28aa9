"""`GET` or `POST /read/NAME`, `POST /act/NAME`: each name has a right, the session's identity, one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from dashboard import attendance, gate, rights
from dashboard import scope as url_scope
from dashboard.asks import ACTS, READS
from dashboard.asks.ask import Asked, Conflict
from dashboard.views.view import Address
from models.access import Access
from models.database import Database
from models.errors import AccessDenied, InputError, NotFound, WatchfloorError
from models.explained import explained
from models.organisation import Organisation, Remembered
from models.settings import Settings

log = logging.getLogger("watchfloor.asks")

Find = Callable[[str], Address | None]
STATUS: tuple[tuple[type[WatchfloorError], int], ...] = ((NotFound, 404), (AccessDenied, 403))


def mount(
    server: FastAPI, database: Database, find_view: Find, settings: Settings, *, clicked: Callable[[], None]
) -> None:
    """Serve both; the gate has checked session, right, origin and token before. `clicked` is told of each request."""
    # Kept as long as the server: panels and asks find it by the database they read.
    server.state.attendance = attendance.serve(database)
    house = _House(database, find_view, settings)

    @server.get("/read/{name}", include_in_schema=False)
    async def read(request: Request, name: str) -> Response:
        clicked()
        access, given = gate.current().access, dict(request.query_params)
        return await asyncio.to_thread(_answer, lambda: _read(house, name, access, given))

    @server.post("/read/{name}", include_in_schema=False)
    async def read_at_length(request: Request, name: str) -> Response:
        # What is asked may be longer than an address.
        clicked()
        access, body = gate.current().access, await request.body()
        return await asyncio.to_thread(_answer, lambda: _read(house, name, access, _given(body)))

    @server.post("/act/{name}", include_in_schema=False)
    async def act(request: Request, name: str) -> Response:
        clicked()
        access, body = gate.current().access, await request.body()
        return await asyncio.to_thread(_answer, lambda: _act(house, name, access, body))


@dataclass(frozen=True)
class _House:
    """What every answer is given from."""

    database: Database
    find_view: Find
    settings: Settings
    organisation: Remembered = field(default_factory=Remembered)


def _read(house: _House, name: str, access: Access, given: Mapping[str, Any]) -> Mapping[str, Any]:
    now = datetime.now(UTC)
    if name not in READS:
        raise NotFound(f'there is nothing to read by the name "{name}"')
    access.require(rights.READS[name])
    with house.database.read() as connection:
        organisation = house.organisation.current(connection, now)
        return READS[name](connection, asked(house.find_view, access, organisation, now, given, house.settings))


def _act(house: _House, name: str, access: Access, body: bytes) -> Mapping[str, Any]:
    now = datetime.now(UTC)
    if name not in ACTS:
        raise NotFound(f'there is nothing to do by the name "{name}"')
    access.require(rights.ACTS[name])
    given = _given(body)
    with house.database.write() as connection:
        organisation = house.organisation.current(connection, now)
        return ACTS[name](connection, asked(house.find_view, access, organisation, now, given, house.settings))


def asked(
    find_view: Find,
    access: Access,
    organisation: Organisation,
    now: datetime,
    given: Mapping[str, Any],
    settings: Settings | None = None,
) -> Asked:
    """What is asked, with the question of the page that `given` names by path and search.

    NotFound, AccessDenied and ScopeError as the page itself would give them.
    """
    path, search = given.get("path"), given.get("search", "")
    if path is None:
        return Asked(access, organisation, now, given, settings=settings)
    if not isinstance(path, str) or not isinstance(search, str):
        raise InputError("path and search: texts are needed")
    try:
        address = find_view(path)
        if address is None:
            raise NotFound(f"there is no page at {path[:80]}")
        view = address.view
        access.require(view.right)
        about = (view.subject, address.subject_key) if view.subject else None
        question = url_scope.question(url_scope.parse(search), access, organisation, now, about=about)
    except WatchfloorError as fault:
        # A link that asks for nothing there is keeps nobody from their preferences.
        return Asked(access, organisation, now, given, fault=fault, settings=settings)
    return Asked(access, organisation, now, given, address, question, settings=settings)


def _given(body: bytes) -> Mapping[str, Any]:
    try:
        given = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise InputError("the body is no JSON") from error
    if not isinstance(given, dict):
        raise InputError("the body must be an object")
    return given


def _answer(work: Callable[[], Mapping[str, Any]]) -> Response:
    try:
        return _json(200, work())
    except Conflict as error:
        return _json(409, {"error": sentence(str(error)), **error.told})
    except WatchfloorError as error:
        status = next((status for kind, status in STATUS if isinstance(error, kind)), 400)
        return _json(status, {"error": sentence(str(error))})
    except SQLAlchemyError as error:
        log.error("ask_failed error=%s", type(error).__name__, exc_info=error)
        return _json(503, {"error": sentence(explained(error) or "the database could not do this; try again")})


def _json(status: int, said: Mapping[str, Any]) -> Response:
    return Response(
        orjson.dumps(said, option=orjson.OPT_STRICT_INTEGER),
        status,
        {"Cache-Control": "no-store"},
        media_type="application/json",
    )


def sentence(text: str) -> str:
    """A reason as a sentence of its own."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
