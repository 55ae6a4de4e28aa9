"""dashboard/callback_request.py and rights.py: a callback runs for who may, asked for as it was registered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Input, Output, html
from fastapi import FastAPI

from dashboard import rights
from dashboard.gate import Gate, current
from dashboard.rights import RightsError, check_callbacks
from models.settings import Settings
from tests.asgi import Browser
from tests.empty import empty_database
from tests.house import ANA, SECRET, House

JSON = {"content-type": "application/json", "origin": "http://localhost:8050", "sec-fetch-site": "same-origin"}


@pytest.fixture
def dashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The gate before a real Dash with a callback for viewers, one for admins, and one that has no right."""
    database = empty_database(tmp_path)
    house = House(database)
    house.add()
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    dash = Dash("tests", backend="fastapi", server=server, serve_locally=True)
    dash.layout = html.Div([html.Button(id="ask"), html.Div(id="who"), html.Div(id="all"), html.Div(id="lost")])

    @dash.callback(Output("who", "children"), Input("ask", "n_clicks"))  # type: ignore[untyped-decorator]
    async def who(clicks: int) -> str:
        return f"{await asyncio.to_thread(lambda: current().access.email)} {clicks}"

    @dash.callback(Output("all", "children"), Input("ask", "n_clicks"))  # type: ignore[untyped-decorator]
    async def everything(_clicks: int) -> str:
        return SECRET

    dash.clientside_callback("function(n){return n}", Output("lost", "children"), Input("ask", "n_clicks"))
    monkeypatch.setattr(rights, "CALLBACKS", {"who.children": "viewer", "all.children": "admin"})
    dash._setup_server()
    check_callbacks(dash)
    original = house.app._app

    async def either(scope: Any, receive: Any, send: Any) -> None:
        is_dash = scope["path"].startswith("/_dash-")
        await (server if is_dash else original)(scope, receive, send)

    house.app = Gate(
        either, sessions=house.sessions, settings=Settings(home=Path("/nonexistent")), callbacks=dash.callback_map
    )
    yield house
    house.close()
    database.close()


def asked(output: str = "who.children", **changes: Any) -> dict[str, Any]:
    ident, prop = output.split(".")
    return {
        "output": output,
        "outputs": {"id": ident, "property": prop},
        "inputs": [{"id": "ask", "property": "n_clicks", "value": 3}],
        "changedPropIds": ["ask.n_clicks"],
    } | changes


def run(browser: Browser, body: Any, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = JSON | {"x-csrftoken": browser.cookies["_csrf_token"]} | headers
    return browser.ask("POST", "/_dash-update-component", sent, (raw,))


def test_a_callback_knows_who_asks(dashed: House) -> None:
    answer = run(dashed.signed_in(), asked())
    assert answer.status == 200
    assert json.loads(answer.text)["response"] == {"who": {"children": f"{ANA} 3"}}


def test_a_callback_needs_its_right(dashed: House) -> None:
    dashed.add("vic@meridian.example", role="viewer")
    viewer = dashed.signed_in("vic@meridian.example")
    assert run(viewer, asked()).status == 200
    assert run(viewer, asked("all.children")).status == 403
    assert SECRET in run(dashed.signed_in(), asked("all.children")).text


MALFORMED: tuple[tuple[Any, int], ...] = (
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"null", 400),
    (b"\xff\xfe{}", 400),
    (b"[" * 100_000, 400),
    ({}, 400),
    ({"output": 5}, 400),
    (asked("lost.children"), 404),
    (asked("nosuch.children"), 404),
    (asked(inputs=5), 400),
    (asked(inputs=[]), 400),
    (asked(inputs=[5]), 400),
    (asked(inputs=[{"id": "who", "property": "n_clicks"}]), 400),
    (asked(inputs=[{"id": "ask", "property": "__class__"}]), 400),
    (asked(inputs=[{"id": "ask", "property": "n_clicks"}] * 2), 400),
    (asked(state=[{"id": "ask", "property": "n_clicks"}]), 400),
    (asked(state={}), 400),
    (asked(outputs="x"), 400),
    (asked(changedPropIds=5), 400),
    (asked(changedPropIds=[5]), 400),
)


def test_a_malformed_callback_is_refused_in_words(dashed: House) -> None:
    browser = dashed.signed_in()
    for body, status in MALFORMED:
        answer = run(browser, body)
        assert answer.status == status, body
        assert json.loads(answer.text)["error"]


def test_a_callback_comes_as_json(dashed: House) -> None:
    assert run(dashed.signed_in(), asked(), **{"content-type": "text/plain"}).status == 415


def test_a_callback_without_a_declared_right_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    dash = Dash("tests", backend="fastapi", server=FastAPI())
    dash.callback(Output("a", "children"), Input("b", "value"))(lambda value: value)
    dash.callback(Output("a", "children", allow_duplicate=True), Input("c", "value"), prevent_initial_call=True)(
        lambda value: value
    )
    with pytest.raises(RightsError, match=r'callback "a\.children" has no right'):
        check_callbacks(dash)
    monkeypatch.setattr(rights, "CALLBACKS", {"a.children": "viewer"})
    check_callbacks(dash)
    monkeypatch.setattr(rights, "CALLBACKS", {"a.children": "everybody", "gone.children": "viewer"})
    with pytest.raises(RightsError, match=r'no callback "gone\.children".*needs "everybody"'):
        check_callbacks(dash)
