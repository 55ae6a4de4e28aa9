"""What no page of ours sends: every forged request to the real server is refused, and none of them breaks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboard.web import SCREEN
from models import identity, organisation
from tests import test_matrix
from tests.empty import empty_database
from tests.few import few
from tests.serving import Served, heard, served, subscribe
from tests.test_matrix import NAMES, SAMPLES, World, asked, no_row

REFUSED = {400, 401, 403, 404}
# What also says no, in its own words: a method, a kind of body, a size that are none of ours.
ALSO_REFUSED = {405, 413, 414, 415, 431}
CALLBACK = "/_dash-update-component"
PAGE_OUTPUT = "..page.children...notices.children...scope-options.data...view.data.."
ADMIN_OUTPUT = "source-done.data"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    database = empty_database(tmp_path_factory.mktemp("forged"))
    found = test_matrix.made(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(organisation, "current", lambda connection, now: found.there)
        yield found
    database.close()


@pytest.fixture(scope="module")
def web(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(world.database, tmp_path_factory.mktemp("web"), SCREEN) as running:
        yield running


def headers_of(web: Served, role: str, **changed: str) -> dict[str, str]:
    """Those of the browser of somebody with this role; an empty one is left out."""
    now, sent = datetime.now(UTC), {"Origin": web.address, "Content-Type": "application/json"}
    if role:
        with web.database.write() as connection:
            token = identity.make_link(connection, f"{role}@meridian.example", now)
            signed = identity.use_link(connection, token, "127.0.0.1", now)
        assert signed is not None
        sent |= {"Cookie": f"watchfloor={signed.session_id}", "X-CSRFToken": signed.csrf_token}
    return {name: value for name, value in (sent | changed).items() if value}


CLAIM = orjson.dumps({"case": "2-1"})


def callback(web: Served, output: str = PAGE_OUTPUT, **changed: Any) -> bytes:
    """A callback as a page asks for it, but for what is changed."""
    registered = web.program.dash.callback_map.get(output, {"inputs": [], "state": []})
    ids = output.strip(".").split("...") if output.startswith("..") else [output]
    outputs = [dict(zip(("id", "property"), one.rsplit(".", 1), strict=True)) for one in ids]
    body = {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [{**one, "value": None} for one in registered["inputs"]],
        "state": [{**one, "value": None} for one in registered["state"]],
        "changedPropIds": [],
    }
    return orjson.dumps(body | changed)


Request = tuple[str, str, str, dict[str, str], bytes]
"""What is wrong with it, method, target, headers, body."""


def without_right(web: Served) -> Iterator[Request]:
    """From nobody, from who may not, and for what is not served to anybody."""
    nobody, viewer, admin = (headers_of(web, role) for role in ("", "viewer", "admin"))
    for path in ("/_dash-layout", "/_dash-dependencies", "/live/state", "/assets/live.js", "/read/views", "/respond"):
        yield "nobody", "GET", path, nobody, b""
        yield "a session of nobody's", "GET", path, {**nobody, "Cookie": f"watchfloor={'A' * 43}"}, b""
    for path in ("/_reload-hash", "/_alive_x", "/_mcp", "/_dash-ws-callback", "/_dash-layout/", "/docs", "/redoc"):
        yield "what is not served", "GET", path, admin, b""
    for path in ("/admin/people", "/admin/sources", "/admin/rules", "/audit"):
        yield "a page of others", "GET", path, viewer, b""
    yield "nobody runs a callback", "POST", CALLBACK, nobody, callback(web)
    yield "a callback of administrators", "POST", CALLBACK, viewer, callback(web, ADMIN_OUTPUT)
    yield "an act of agents", "POST", "/act/case.claim", headers_of(web, "auditor"), CLAIM
    yield "a copy for auditors", "POST", "/export/audit", viewer, b"{}"


def callbacks(web: Served) -> Iterator[Request]:
    """Stores that are none of the page's, ids that are patterns, outputs that nobody registered."""
    viewer = headers_of(web, "viewer")
    view = {"id": "view", "property": "data", "value": {}}
    for state in ([{**view, "id": "scope-options"}], [view, view], [], "view.data", [{**view, "property": "modified"}]):
        yield f"the state {state!r}", "POST", CALLBACK, viewer, callback(web, state=state)
    stores: tuple[Any, ...] = ("x", 5, [], True, [{}])
    for value in stores:
        yield f"the store {value!r}", "POST", CALLBACK, viewer, callback(web, state=[{**view, "value": value}])
    search = {"id": "url", "property": "search", "value": ""}
    for ident in ({"type": "page", "index": "ALL"}, {"type": ["ALL"]}, {}, [], ["url"], 5, None, '{"type":"page"}'):
        items = [{"id": ident, "property": "pathname", "value": "/"}, search]
        yield f"the id {ident!r}", "POST", CALLBACK, viewer, callback(web, inputs=items)
    addresses: tuple[Any, ...] = (5, [], {}, False, ["/"])
    for value in addresses:
        items = [{"id": "url", "property": "pathname", "value": value}, search]
        yield f"the address {value!r}", "POST", CALLBACK, viewer, callback(web, inputs=items)
    for output in ('{"index":["ALL"],"type":"page"}.children', "page.children", "..page.children..", "view.data@x", ""):
        body = orjson.dumps(orjson.loads(callback(web)) | {"output": output})
        yield f"the output {output!r}", "POST", CALLBACK, viewer, body


def from_elsewhere(web: Served) -> Iterator[Request]:
    """From pages of other sites, and without the token of the session."""
    agent = headers_of(web, "agent")
    for origin in ("https://evil.example", "null", "http://localhost:1", f"{web.address}.evil.example", "x"):
        for path in ("/act/case.claim", CALLBACK, "/signout"):
            yield f"from {origin}", "POST", path, {**agent, "Origin": origin}, CLAIM
    for token in ("", "x", "A" * 43):
        yield f"the token {token!r}", "POST", "/act/case.claim", {**agent, "X-CSRFToken": token}, CLAIM
    for site in ("same-site", "cross-site", "none"):
        yield f"from a page that is {site}", "POST", "/act/case.claim", {**agent, "Sec-Fetch-Site": site}, CLAIM


def malformed(web: Served) -> Iterator[Request]:
    """From an administrator, whom no right stops."""
    admin = headers_of(web, "admin")
    for body in (
        b"{",
        b"[]",
        b"null",
        b"5",
        b'"x"',
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"case": NaN}',
        b'{"case": "\\ud800"}',
    ):
        for path in (CALLBACK, "/act/case.claim", "/read/case", "/export/audit"):
            yield f"the body {body[:20]!r}", "POST", path, admin, body
    for path in (
        "/act/nothing",
        "/read/nothing",
        "/act/case",
        "/act/__class__",
        "/act/case.claim/x",
        "/act/",
        "/read/..",
    ):
        yield "no such name", "POST", path, admin, b"{}"
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        yield "a method", method, "/act/case.claim", admin, b""
    texts = (
        "",
        "1",
        "-",
        "2-",
        "-2",
        "2-x",
        "2-1-1",
        "2-99999999999999999999",
        "\u0662-\u0661",
        "2-1'; drop table reply; --",
    )
    for case in (*texts, 5, None, True, [], {}, ["2-1"], {"brand_id": 2, "id": 1}):
        for path in ("/act/case.claim", "/read/case"):
            yield f"the case {case!r}", "POST", path, admin, orjson.dumps({"case": case})
    yield "text as a callback", "POST", CALLBACK, {**admin, "Content-Type": "text/plain"}, callback(web)
    yield "two megabytes", "POST", "/act/case.claim", admin, b"x" * 2_000_000
    yield "a long address", "GET", f"/{'x' * 3_000}", admin, b""


@pytest.mark.parametrize(
    ("forged", "least"), [(without_right, 25), (callbacks, 25), (from_elsewhere, 20), (malformed, 75)]
)
def test_no_forged_request_gets_anything_or_breaks_anything(
    web: Served, forged: Callable[[Served], Iterator[Request]], least: int
) -> None:
    seen: Counter[int] = Counter()
    with httpx.Client(base_url=web.address, timeout=60) as client:
        for wrong, method, target, headers, body in forged(web):
            answer = client.request(method, target, headers={"Accept": "application/json", **headers}, content=body)
            assert answer.status_code in REFUSED | ALSO_REFUSED, (wrong, method, target, answer, answer.text[:200])
            assert test_matrix.SECRET not in answer.text, (wrong, target)
            seen[answer.status_code] += 1
        assert client.get("/readyz").status_code == 200
    print(f"{seen.total()} forged requests: {dict(sorted(seen.items()))}")
    assert seen.total() >= least


def test_a_forged_store_changes_neither_who_asks_nor_what_they_see(web: Served) -> None:
    """The page's own state says what is drawn; whatever it claims, rights come from the session."""
    lies: tuple[Any, ...] = ({"rights": ["admin"], "drawn": "", "page": "people"}, {"rights": 5, "drawn": [{}]}, {})
    with httpx.Client(base_url=web.address, headers=headers_of(web, "manager"), timeout=60) as client:
        for lie in lies:
            for path, is_shown in (("/admin/rules", False), ("/brand/halden", False), ("/brand/corvane", True)):
                answer = client.post(CALLBACK, content=page_callback(web, path, lie))
                assert answer.status_code == 200, (lie, path, answer.text[:300])
                assert test_matrix.SECRET not in answer.text
                view = answer.json()["response"]["view"]["data"]
                assert "admin" not in view["rights"]
                assert (view["path"] is not None) == is_shown, (lie, path, view)


def test_an_address_that_no_browser_shows_is_no_page(web: Served) -> None:
    paths = ("x" * 20_000, "/\x00", "//", "\\", "/brand/", "/brand/../admin/people", "/incidents/99999999999999999999")
    with httpx.Client(base_url=web.address, headers=headers_of(web, "manager"), timeout=60) as client:
        for path in paths:
            for search in ("", "?brand=%00", "?window=1e400", "?q=" + "(" * 3_000, "?at=99999-01-01", "brand=halden"):
                answer = client.post(CALLBACK, content=page_callback(web, path, {}, search))
                assert answer.status_code == 200, (path[:40], search[:40], answer.text[:300])
                assert answer.json()["response"]["view"]["data"]["path"] in (None, "/"), (path[:40], search[:40])


def page_callback(web: Served, path: str, view: Any, search: str = "") -> bytes:
    """The callback that asks which page an address shows."""
    return callback(
        web,
        inputs=[
            {"id": "url", "property": "pathname", "value": path},
            {"id": "url", "property": "search", "value": search},
        ],
        state=[{"id": "view", "property": "data", "value": view}],
    )


def test_no_socket_opens_for_who_forges_the_handshake_and_none_tells_of_other_pages(web: Served) -> None:
    agent = headers_of(web, "agent")
    cookie = {"Cookie": agent["Cookie"]}
    tried = [("/live", web.address, {}), ("/live", web.address, {"Cookie": f"watchfloor={'A' * 43}"})]
    tried += [("/live", origin, cookie) for origin in ("https://evil.example", "null", f"{web.address}.evil.example")]
    tried += [
        (path, web.address, cookie) for path in ("/", "/_dash-ws-callback", "/live/", "/live/state", "/act/case.claim")
    ]
    for path, origin, headers in tried:
        with pytest.raises(InvalidStatus) as refused:
            connect(
                f"ws://localhost:{web.port}{path}", origin=Origin(origin), additional_headers=headers, compression=None
            )
        assert refused.value.response.status_code in REFUSED, (path, origin)
    with connect(
        f"ws://localhost:{web.port}/live", origin=Origin(web.address), additional_headers=cookie, compression=None
    ) as link:
        wrong = [
            ("/admin/rules", ""),
            ("/nowhere", ""),
            ("/", "?brand=halden"),
            ("/", "?at=never"),
            ("/incident/9", ""),
        ]
        for number, (path, search) in enumerate(wrong, start=1):
            assert "error" in subscribe(link, search, number=number, path=path), (path, search)
        link.send(orjson.dumps({"n": 90, "path": {"type": "page"}, "search": ""}).decode())
        with pytest.raises(Exception, match="4400"):
            heard(link)


HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 1.5, "", "x" * 20_000, "\x00", "2-", "2-99999999999999999999", "٣", "²"),
    *([], [[]], {}, {"a": {"b": 1}}, ["x"] * 300, [None]),
)


@pytest.mark.parametrize("every", few([29, 1], 1))
@pytest.mark.timeout(900)
def test_no_act_and_no_read_breaks_by_a_value_of_the_wrong_kind(world: World, every: int) -> None:
    """Each field of each of them, one after the other, for somebody who may do it all."""
    samples = [(kind, name, SAMPLES.get(name, no_row())(world.foreign)) for kind, name in NAMES]
    places = [(*sample, field, value) for sample in samples for field in sample[2] for value in HOSTILE]
    for kind, name, given, field, value in places[::every]:
        status, text = asked(world, "admin", kind, name, {**given, field: value})
        assert status in {200, 400, 403, 404, 409}, (name, field, value, text[:200])
    print(f"{len(places[::every]):,} of {len(places):,} values")
    assert len(places) > 4_000
