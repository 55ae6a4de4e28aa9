"""dashboard/gate.py: without a session nothing, with one only what is listed, and never for another site."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard import cookies, rights
from dashboard.gate import LARGEST_BODY, LARGEST_FORM, current
from models import identity, leaving
from models.errors import AccessDenied
from tests.asgi import PAGE, Browser
from tests.empty import empty_database
from tests.house import ANA, SECRET, House, form_token

JSON = {"content-type": "application/json", "origin": "http://localhost:8050", "sec-fetch-site": "same-origin"}
HIDDEN = [
    "/",
    "/wall",
    "/_dash-layout",
    "/_dash-dependencies",
    "/_dash-update-component",
    "/_dash-component-suites/dash/deps/react@18.v1_2m3.min.js",
    "/_dash-ws-callback",
    "/_reload-hash",
    "/_alive_x",
    "/_mcp",
    "/_favicon.ico",
    "/assets/live.js",
    "/assets/",
    "/assets",
    "/live",
    "/live/state",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/nosuch",
    "/signout",
    "/SIGNIN",
    "/signin/",
    "/signin/link/",
    "/signin/../",
    "/signin/..%2f_dash-layout",
    "/signin%2f..%2f",
    "/signin;/../_dash-layout",
    "/signin;x",
    "/signin.",
    "/signin%00",
    "/signin%20",
    "/signin\t",
    "//",
    "//signin",
    "//_dash-layout",
    "/./_dash-layout",
    "/assets/../",
    "/assets/tokens.css/../live.js",
    "/assets/tokens.css/",
    "/assets/tokens.css.",
    "/assets/tokens.css%00.js",
    "/assets/TOKENS.CSS",
    "/assets/%2e%2e/app.py",
    "/assets/%252e%252e/app.py",
    "/assets/..%5capp.py",
    "/assets/.env",
    "/%2e%2e/",
    "/healthz/../_dash-layout",
    "/healthz/",
    "/HEALTHZ",
    "/_dash-layout;/healthz",
    "/_dash-layout?/healthz",
    "/_dash-layout%3f/healthz",
    "/_dash-layout#/healthz",
    "",
    "*",
    "http://localhost:8050/healthz",
    "/%f0%9f%92%a9",
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """On SQLite with one person in it: what the gate asks of a database is held on both by test_identity."""
    database = empty_database(tmp_path)
    house = House(database)
    house.add()
    yield house
    house.close()
    database.close()


# -- nobody ------------------------------------------------------------------------------------------------


def test_without_a_session_nothing_is_served(house: House) -> None:
    assert len(HIDDEN) > 50
    for target in HIDDEN:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
            for accept in ("text/html", "*/*"):
                answer = house.browser().ask(method, target, {"accept": accept})
                assert answer.status in (303, 400, 401), (method, target, answer.status)
                assert SECRET not in answer.text, (method, target)


def test_a_person_is_led_to_the_form_and_a_program_gets_401(house: House) -> None:
    answer = house.browser().get("/?brand=quartz&window=7d")
    assert (answer.status, answer.headers["location"]) == (303, "/signin?next=/%3Fbrand%3Dquartz%26window%3D7d")
    assert house.browser().get("/").headers["location"] == "/signin"
    answer = house.browser().ask("GET", "/live/state", {"accept": "application/json"})
    assert (answer.status, json.loads(answer.text)) == (401, {"error": "sign in first"})


def test_only_the_form_its_assets_and_the_health_of_the_server_are_open(house: House) -> None:
    for target in (
        "/healthz",
        "/readyz",
        "/assets/tokens.css",
        "/assets/signin.css",
        "/assets/theme.js",
        "/assets/land.svg",
        "/assets/favicon.svg",
    ):
        assert house.browser().get(target).text == f"{SECRET} nobody 0"
    opened = [route.pattern.pattern for route in rights.ROUTES if route.right == rights.OPEN]
    assert opened == [
        "/healthz|/readyz",
        "/signin|/signin/link|/signin/over",
        "/signin/company|/signin/company/back",
        r"/assets/(tokens\.css|signin\.css|theme\.js|land\.svg|favicon\.svg)",
    ]


def test_without_a_session_no_socket_opens(house: House) -> None:
    for target in ("/live", "/", "/_dash-ws-callback", "/healthz", "/signin", "/live/", "//live", "/live;x"):
        assert house.browser().open_socket(target) == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("value", ["", "x", "A" * 43, "' or 1=1 --", "A" * 10_000, "é" * 43, '"' + "A" * 41 + '"'])
def test_a_forged_session_is_none(house: House, value: str) -> None:
    browser = house.browser()
    assert browser.ask("GET", "/", {"cookie": f"watchfloor={value}"}).status == 401
    assert browser.open_socket("/live", cookie=f"watchfloor={value}")[0]["type"] == "websocket.close"


def test_nobody_is_current_outside_a_request(house: House) -> None:
    with pytest.raises(AccessDenied, match="nobody is signed in"):
        current()


# -- somebody ----------------------------------------------------------------------------------------------


def test_with_a_session_the_listed_pages_and_the_socket_open(house: House) -> None:
    browser = house.signed_in()
    for target in ("/", "/_dash-layout", "/assets/live.js", "/assets/vendor/plotly.min.js?m=1", "/live/state?x=1"):
        answer = browser.get(target)
        assert (answer.status, answer.text) == (200, f"{SECRET} {ANA} 0"), target
    accepted, said, *_ = browser.open_socket("/live", origin="http://localhost:8050")
    assert accepted["type"] == "websocket.accept"
    assert said["text"] == f"{SECRET} {ANA}"


def test_with_a_session_what_is_not_listed_does_not_exist(house: House) -> None:
    browser = house.signed_in()
    for target in HIDDEN:
        path = target.partition("?")[0]
        route = rights.route_for(path)
        if route is None or "GET" not in route.methods:
            assert browser.get(target).status in (400, 404, 405), target
    assert browser.ask("DELETE", "/").status == 405
    assert browser.ask("OPTIONS", "/").headers["allow"] == "GET, HEAD"
    for target in ("/", "/_dash-ws-callback", "/live/state"):
        assert browser.open_socket(target)[0]["type"] == "websocket.close"


def test_a_viewer_gets_no_admin_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "ROUTES", (rights._route("/people", rights.READ, "admin"), *rights.ROUTES))
    monkeypatch.setattr(rights, "SOCKETS", {"/live": "admin"})
    house.add("vic@meridian.example", role="viewer")
    viewer = house.signed_in("vic@meridian.example")
    answer = viewer.get("/people")
    assert answer.status == 403
    assert "“admin”" in answer.text
    assert viewer.open_socket("/live")[0]["type"] == "websocket.close"
    assert house.signed_in().get("/people").status == 200


@pytest.mark.parametrize("end", ["disabled", "signed out elsewhere", "idle", "right withdrawn"])
def test_a_session_that_ended_is_gone_within_five_seconds(house: House, end: str) -> None:
    browser = house.signed_in()
    digest = identity.session_hash(browser.cookies["watchfloor"])
    assert browser.get("/").status == 200
    with house.database.write() as connection:
        if end == "disabled":
            leaving.disable_person(connection, ANA, house.now)
        elif end == "signed out elsewhere":
            identity.sign_out(connection, digest, house.now)
        elif end == "right withdrawn":
            connection.exec_driver_sql("update membership set valid_to = valid_from")
    house.passes(5 if end != "idle" else 12 * 3600)
    assert browser.get("/").status == 303
    assert browser.open_socket("/live")[0]["type"] == "websocket.close"
    assert asyncio.run(house.sessions.recheck([digest])) == {}


def test_who_is_remembered_is_not_asked_for_while_everybody_is_looked_up(house: House) -> None:
    browser = house.signed_in()
    session_id = browser.cookies["watchfloor"]
    asked: list[int] = []
    look_up = house.sessions._look_up

    def counted(digests: Collection[str]) -> dict[str, identity.Signed]:
        asked.append(len(digests))
        return look_up(digests)

    house.sessions._look_up = counted  # type: ignore[method-assign]

    async def meanwhile() -> None:
        assert await house.sessions.find(session_id) is not None
        asked.clear()
        rechecking = asyncio.create_task(house.sessions.recheck((identity.session_hash(session_id),)))
        # It has begun, and its thread cannot have answered to this loop yet.
        await asyncio.sleep(0)
        assert await house.sessions.find(session_id) is not None
        assert len(await rechecking) == 1

    asyncio.run(meanwhile())
    assert asked == [1]


def test_looking_at_the_screen_counts_as_use_until_the_longest_life_is_over(house: House) -> None:
    browser = house.signed_in()
    digest = identity.session_hash(browser.cookies["watchfloor"])
    hours = 0
    while asyncio.run(house.sessions.recheck([digest])):
        house.passes(3_600)
        hours += 1
    assert hours == 7 * 24


def test_a_session_is_looked_up_once_in_two_seconds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.signed_in()
    asked: list[int] = []
    signed_in = identity.signed_in

    def counted(*given: Any) -> Any:
        asked.append(1)
        return signed_in(*given)

    monkeypatch.setattr(identity, "signed_in", counted)
    house.passes(60)
    for _ in range(20):
        assert browser.get("/").status == 200
        house.passes(0.1)
    assert len(asked) == 1


def test_signing_out_ends_the_session_at_once(house: House) -> None:
    browser, other = house.signed_in(), house.signed_in()
    kept = dict(browser.cookies)
    assert "Sign out" in browser.get("/signout").text
    answer = browser.post_form("/signout", {"csrf_token": browser.cookies["_csrf_token"]})
    assert (answer.status, answer.headers["location"]) == (303, "/signin")
    assert "watchfloor" not in browser.cookies
    browser.cookies = kept
    assert browser.get("/").status == 303
    assert other.get("/").status == 200


# -- other sites -------------------------------------------------------------------------------------------


def changed(browser: Browser, **headers: str) -> int:
    sent = JSON | {"x-csrftoken": browser.cookies.get("_csrf_token", "")} | headers
    return browser.ask("POST", "/signout", sent, (b"{}",)).status


CHANGES: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 303),
    ({"sec-fetch-site": ""}, 303),
    ({"origin": "", "sec-fetch-site": ""}, 303),
    ({"origin": "https://evil.example", "sec-fetch-site": ""}, 403),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "https://localhost:8050", "sec-fetch-site": ""}, 403),
    ({"origin": "http://localhost:8051", "sec-fetch-site": ""}, 403),
    ({"origin": "http://localhost:8050.evil.example", "sec-fetch-site": ""}, 403),
    ({"origin": "null", "sec-fetch-site": ""}, 403),
    ({"origin": "null", "sec-fetch-site": "same-origin"}, 303),
    ({"origin": "http://[", "sec-fetch-site": ""}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "none"}, 403),
    ({"x-csrftoken": ""}, 403),
    ({"x-csrftoken": "wrong"}, 403),
    ({"x-csrftoken": "A" * 43}, 403),
    ({"x-csrftoken": "é"}, 403),
)


def test_a_change_needs_the_same_origin_and_the_token(house: House) -> None:
    for headers, status in CHANGES:
        browser = house.signed_in()
        assert changed(browser, **headers) == status, headers
        assert browser.get("/").status == (200 if status == 403 else 303), headers


def test_the_token_of_one_session_does_not_serve_another(house: House) -> None:
    mine, other = house.signed_in(), house.signed_in()
    # A foreign cookie beside the header is what double submission alone would accept.
    mine.cookies["_csrf_token"] = other.cookies["_csrf_token"]
    assert changed(mine) == 403
    answer = mine.get("/")
    assert "_csrf_token" in answer.cookies
    assert changed(mine) == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://localhost:8050.x"])
def test_a_page_of_another_site_opens_no_socket(house: House, origin: str) -> None:
    assert house.signed_in().open_socket("/live", origin=origin)[0]["type"] == "websocket.close"


# -- forged requests ---------------------------------------------------------------------------------------

CALLBACK = "/_dash-update-component"
# What somebody sends who does not use our pages: (method, path, headers, body). JSON goes with the session's token.
FORGED: tuple[tuple[str, str, dict[str, str], bytes], ...] = (
    # A layout, a store, a callback of their own.
    ("POST", "/_dash-layout", {}, b'{"props": {"id": "evil"}}'),
    ("POST", "/_dash-dependencies", {}, b"[]"),
    ("PUT", "/_dash-layout", {}, b"{}"),
    ("POST", CALLBACK, {}, b'{"output": "view.data", "inputs": []}'),
    ("POST", CALLBACK, {}, b'{"output": "no-such.data", "inputs": []}'),
    ("POST", CALLBACK, {}, b'{"output": "source-done.data", "inputs": [{"id": "x"}]}'),
    ("POST", CALLBACK, {}, b'{"output": {"id": "view"}, "inputs": []}'),
    ("POST", CALLBACK, {}, b'{"output": ["view.data"], "inputs": []}'),
    ("POST", CALLBACK, {}, b'{"output": null}'),
    ("POST", CALLBACK, {}, b'{"inputs": []}'),
    # Ids that are patterns, and worse.
    ("POST", CALLBACK, {}, b'{"output": "{\\"index\\":[\\"MATCH\\"],\\"type\\":\\"x\\"}.data", "inputs": []}'),
    ("POST", CALLBACK, {}, b'{"output": "{\\"__proto__\\":1}.children", "inputs": []}'),
    ("POST", CALLBACK, {}, b'{"output": "view.data@%s", "inputs": []}' % (b"a" * 64)),
    ("POST", CALLBACK, {}, b'{"output": "../../etc/passwd.data", "inputs": []}'),
    # Malformed.
    ("POST", CALLBACK, {}, b""),
    ("POST", CALLBACK, {}, b"{"),
    ("POST", CALLBACK, {}, b"[]"),
    ("POST", CALLBACK, {}, b"null"),
    ("POST", CALLBACK, {}, b"\xff\xfe\x00"),
    ("POST", CALLBACK, {}, b"[" * 50_000),
    ("POST", CALLBACK, {}, b'{"output": ' + b"9" * 5_000 + b"}"),
    ("POST", CALLBACK, {"content-type": "text/plain"}, b"{}"),
    ("POST", CALLBACK, {"content-type": "application/x-www-form-urlencoded"}, b"output=view.data"),
    ("POST", CALLBACK, {"content-length": "-5"}, b"{}"),
    ("POST", "/act/", {}, b"{}"),
    ("POST", "/act/Log.Add", {}, b"{}"),
    ("POST", "/act/log.add/x", {}, b"{}"),
    ("POST", "/read/../act/log.add", {}, b"{}"),
    ("GET", "/act/log.add", {}, b""),
    ("DELETE", "/act/log.add", {}, b""),
    ("PATCH", "/read/log", {}, b"{}"),
    ("GET", "/_dash-component-suites/../app.py", {}, b""),
    ("GET", "/assets/%2e%2e/app.py", {}, b""),
    ("GET", "/assets/.git/config", {}, b""),
    # From another site, or without the token.
    ("POST", "/act/log.add", {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, b"{}"),
    ("POST", "/act/log.add", {"origin": "null", "sec-fetch-site": ""}, b"{}"),
    ("POST", "/act/log.add", {"x-csrftoken": ""}, b"{}"),
    ("POST", "/act/log.add", {"x-csrftoken": "A" * 43}, b"{}"),
    ("POST", "/act/log.add", {"cookie": "watchfloor=" + "A" * 43}, b"{}"),
    ("POST", "/act/log.add", {"host": "evil.example"}, b"{}"),
    ("POST", CALLBACK, {"origin": "https://evil.example"}, b"{}"),
    ("POST", "/signout", {"origin": "http://localhost:8050.evil.example"}, b"{}"),
    ("GET", "/live/state", {"host": "evil.example"}, b""),
    ("POST", "/live/state", {}, b"{}"),
    ("POST", "/signin/company/back", {}, b"{}"),
    ("POST", "/signin/over", {}, b"{}"),
)


def test_a_forged_request_is_refused_and_never_answered_nor_breaks_anything(house: House) -> None:
    refused = 0
    for is_signed in (True, False):
        for method, path, headers, body in FORGED:
            browser = house.signed_in() if is_signed else house.browser()
            sent = JSON | {"x-csrftoken": browser.cookies.get("_csrf_token", "")} | headers
            answer = browser.ask(method, path, sent, (body,))
            assert answer.status in (400, 401, 403, 404, 405, 413, 415), (method, path, body[:60], answer.status)
            assert SECRET not in answer.text, (method, path)
            refused += 1
    sockets = 0
    for path in ("/live", "/_dash-ws-callback", "/", "/live/../live", "/act/log.add"):
        for origin in ("https://evil.example", "null", "http://localhost:8050.evil.example", ""):
            for browser in (house.signed_in(), house.browser()):
                if path == "/live" and origin == "" and browser.cookies:
                    continue
                assert browser.open_socket(path, origin=origin)[0]["type"] == "websocket.close", (path, origin)
                sockets += 1
    print(f"{refused} forged requests and {sockets} forged sockets refused")
    assert (refused, sockets) == (2 * len(FORGED), 39)


# -- headers and bodies ------------------------------------------------------------------------------------


def test_every_answer_carries_the_headers(house: House) -> None:
    browser = house.signed_in()
    answers = [browser.get(target) for target in ("/", "/nosuch", "/assets/live.js", "/signout", "//")]
    answers += [house.browser().get(target) for target in ("/", "/signin", "/signin/link?token=x", "/healthz")]
    answers.append(house.browser(host="evil.example").get("/"))
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
        policy = answer.headers["content-security-policy"]
        for part in ("default-src 'self'", "object-src 'none'", "frame-ancestors 'none'", "form-action 'self'"):
            assert part in policy
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts
        assert "strict-transport-security" not in answer.headers
    assert "script-src 'self' 'sha256-abc=';" in answers[3].headers["content-security-policy"]
    assert answers[0].headers["referrer-policy"] == "no-referrer"


def test_pages_are_never_kept_and_fingerprinted_files_are(house: House) -> None:
    browser = house.signed_in()
    assert browser.get("/").headers["cache-control"] == "no-store"
    assert browser.get("/_dash-layout").headers["cache-control"] == "no-store"
    assert browser.get("/assets/live.js").headers["cache-control"] == "no-cache"
    assert "immutable" in browser.get("/assets/live.js?m=1763.2").headers["cache-control"]


def test_session_cookies_are_out_of_the_reach_of_scripts_and_other_sites(house: House) -> None:
    browser = house.browser()
    token = house.link()
    browser.get(f"/signin/link?token={token}")
    answer = browser.post_form("/signin/link", {"token": token, "csrf_token": form_token(browser)})
    assert answer.cookies["watchfloor"].endswith("; Path=/; Max-Age=604800; SameSite=Lax; HttpOnly")
    assert answer.cookies["_csrf_token"].endswith("; Path=/; Max-Age=604800; SameSite=Lax")
    assert (
        cookies.for_session("x", True) == "__Host-watchfloor=x; Path=/; Max-Age=604800; SameSite=Lax; Secure; HttpOnly"
    )
    assert cookies.for_csrf("x", True) == "_csrf_token=x; Path=/; Max-Age=604800; SameSite=Lax; Secure"


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(house: House) -> None:
    browser = house.signed_in()
    sent = JSON | {"x-csrftoken": browser.cookies["_csrf_token"]}
    chunk = b"x" * 65_536
    pieces = LARGEST_BODY // len(chunk)
    for headers in (sent, sent | {"content-length": "5"}, sent | {"content-length": str(LARGEST_BODY + 1)}):
        answer = browser.ask("POST", "/_dash-update-component", headers, [chunk] * (pieces + 1))
        assert answer.status == 413
        assert answer.headers["connection"] == "close"
    assert browser.ask("POST", "/_dash-update-component", sent, [chunk] * pieces).status == 400
    assert browser.ask("POST", "/signout", sent | {"content-length": "9" * 5_000}, [b""]).status == 413
    assert browser.ask("POST", "/signout", sent | {"content-length": "-1"}, [b""]).status == 400


def test_a_megabyte_of_password_is_refused_before_it_costs(house: House) -> None:
    browser = house.browser()
    browser.get("/signin")
    fields = {"email": ANA, "password": "x" * 1_048_576, "csrf_token": form_token(browser)}
    started = time.process_time()
    assert browser.post_form("/signin", fields).status == 413
    assert time.process_time() - started < 0.5
    assert LARGEST_FORM < 20_000


def test_a_body_that_nobody_asked_for_is_not_read(house: House) -> None:
    browser = house.signed_in()
    answer = browser.ask("GET", "/_dash-layout", JSON, [b"x" * 100_000] * 3)
    assert answer.text == f"{SECRET} {ANA} 0"


def test_addresses_and_headers_beyond_measure_are_refused(house: House) -> None:
    browser = house.signed_in()
    assert browser.ask("GET", "/" + "x" * 5_000).status == 414
    assert browser.ask("GET", "/?" + "x" * 9_000).status == 414
    assert browser.ask("GET", "/", {"x-filler": "x" * 40_000}).status == 431


def test_an_unreachable_database_is_a_503_and_not_a_way_in(house: House) -> None:
    browser = house.signed_in()
    house.passes(10)
    with house.database.write() as connection:
        connection.exec_driver_sql("alter table session rename to elsewhere")
    answer = browser.get("/")
    assert answer.status == 503
    assert SECRET not in answer.text
    assert browser.open_socket("/live")[0]["type"] == "websocket.close"


def test_the_gate_serves_pages_to_html_and_json_to_programs(house: House) -> None:
    browser = house.signed_in()
    page = browser.ask("GET", "/nosuch", PAGE)
    assert page.headers["content-type"].startswith("text/html")
    assert "There is no such page" in page.text
    assert json.loads(browser.ask("GET", "/nosuch").text) == {"error": "there is no such page"}
