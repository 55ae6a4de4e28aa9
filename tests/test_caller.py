"""dashboard/caller.py: under which names we are called, and whose word about the caller counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.caller import Callers
from models.settings import Settings
from tests.empty import empty_database
from tests.house import House

HOSTS = (
    ("localhost:8050", 303),
    ("LOCALHOST", 303),
    ("127.0.0.1:8050", 303),
    ("[::1]:8050", 303),
    ("192.0.2.7:8050", 303),
    ("evil.example", 400),
    ("localhost.evil.example", 400),
    ("localhost:8050:1", 400),
    ("localhost/x", 400),
    ("user@localhost", 400),
    ("x" * 5_000, 400),
)


def test_only_our_own_names_are_answered_to(tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    house = House(database)
    for host, status in HOSTS:
        assert house.browser(host=host).get("/").status == status, host
        assert house.browser(host=host).get("/healthz").status == 200, host
    house.close()
    database.close()


def test_behind_a_proxy_the_public_address_counts(tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    house = House(database, public_url="https://watch.example.org", trusted_proxies=("10.0.0.0/8",))
    house.add()
    public = {"host": "watch.example.org", "scheme": "https"}
    browser = house.signed_in(**public)
    answer = browser.get("/")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert set(browser.cookies) == {"__Host-watchfloor", "_csrf_token", "__Host-watchfloor_form"}
    leaving = {"csrf_token": browser.cookies["_csrf_token"]}
    assert browser.post_form("/signout", leaving, origin="http://watch.example.org").status == 403
    assert browser.post_form("/signout", leaving, origin="https://watch.example.org:443").status == 303
    assert house.browser(host="localhost:8050").get("/").status == 400
    assert house.browser(host="localhost:8050", client="10.1.2.3").get("/").status == 303
    house.close()
    database.close()


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, garbage, 10.0.0.2", "10.0.0.2"),
    ],
)
def test_a_forwarded_address_counts_from_trusted_proxies_only(client: str, forwarded: str, address: str) -> None:
    callers = Callers(Settings(trusted_proxies=("10.0.0.0/8",)))
    scope = {"client": (client, 1), "scheme": "http"}
    caller = callers.caller(scope, {"host": "localhost", "x-forwarded-for": forwarded, "x-forwarded-proto": "https"})
    assert caller is not None
    assert (caller.address, caller.is_secure) == (address, client.startswith("10."))
