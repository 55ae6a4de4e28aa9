"""The X connector against a server that speaks its API: what it asks, what it makes of it, what it bears."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from ingest.connectors import x
from ingest.connectors.x import Config, canary, check, describe, fetch, look_up
from ingest.found import Found, Page
from ingest.limits import Limiter
from models.database import Database
from models.errors import ConnectorError
from models.tables import rate_limit
from tests import x_server as server_of
from tests.few import few
from tests.x_server import BEARER, KEYS, USER_TOKEN, XServer, x_server

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = "101", "102"
MINUTE = timedelta(minutes=1)


class Clock:
    """The instant of a test, for the connector and the server."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[XServer]:
    with x_server(clock) as server:
        monkeypatch.setattr(x, "API", server.url)
        server.add_user(ANN, "ann", location="Berlin &amp; Rome", public_metrics={"followers_count": 250})
        server.add_user(BOB, "bob")
        yield server


@pytest.fixture
def limiter(tmp_path: Path) -> Iterator[Limiter]:
    database = Database(f"sqlite:///{tmp_path / 'limits.db'}")
    with database.write() as connection:
        rate_limit.create(connection)
    yield Limiter(database)
    database.close()


def search(**given: Any) -> Config:
    return Config.model_validate({"query": "acme", "bearer_token": BEARER, "max_results": 10, **given})


def account(what: str = "account", **given: Any) -> Config:
    return Config.model_validate({"what": what, "handle": "acme", "bearer_token": BEARER, "max_results": 10, **given})


def walk(config: Config, cursor: Any, clock: Clock, limiter: Limiter) -> list[Page]:
    """Pages until the source has no more."""
    pages = [fetch(config, cursor, now=clock.now, limiter=limiter)]
    while pages[-1].more:
        assert len(pages) < 100
        pages.append(fetch(config, pages[-1].cursor, now=clock.now, limiter=limiter))
    # A cursor is stored as JSON.
    assert all(json.loads(json.dumps(page.cursor)) == page.cursor for page in pages)
    return pages


def texts(pages: list[Page]) -> list[str]:
    return [post.text for page in pages for post in page.found]


def refusal(work: Callable[[], object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        work()
    return raised.value


def total(pages: list[Page]) -> dict[str, int]:
    """What is charged for all pages together, each thing once."""
    return dict(Counter(unit for unit, _ in {thing for page in pages for thing in page.charged}))


# What is listened to


def test_a_search_brings_posts_with_their_authors_counts_and_places(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    server.media["3_1"] = {"media_key": "3_1", "type": "photo", "alt_text": "a broken &lt;seat&gt;"}
    server.places["p"] = {
        "id": "p",
        "full_name": "Mitte, Berlin",
        "place_type": "neighborhood",
        "geo": {"type": "Feature", "bbox": [13.3, 52.4, 13.5, 52.6], "properties": {}},
    }
    root = server.add_post("where is acme", by=BOB, at=NOW - 30 * MINUTE)
    server.add_post(
        "@bob acme &amp; co are late&#x21;",
        by=ANN,
        at=NOW - MINUTE,
        conversation_id=root,
        referenced_tweets=[{"type": "replied_to", "id": root}],
        public_metrics={
            "like_count": 3,
            "reply_count": 0,
            "retweet_count": 2,
            "quote_count": 9,
            "impression_count": 70,
        },
        attachments={"media_keys": ["3_1"]},
        geo={"place_id": "p"},
        lang="qme",
    )

    (page,) = walk(search(), None, clock, limiter)

    reply, first = page.found
    assert (reply.text, reply.kind, reply.reply_to, reply.conversation) == (
        "@bob acme & co are late&#x21;",
        "reply",
        root,
        root,
    )
    assert (reply.author.key, reply.author.handle, reply.author.name, reply.author.followers) == (
        ANN,
        "ann",
        "Ann",
        250,
    )
    assert (reply.counts.likes, reply.counts.replies, reply.counts.reposts, reply.counts.impressions) == (3, 0, 2, 70)
    assert (reply.home, reply.place, reply.language) == ("Berlin & Rome", "Mitte, Berlin", None)
    assert reply.latitude == pytest.approx(52.5)
    assert reply.longitude == pytest.approx(13.4)
    assert reply.media == (("image", "a broken <seat>"),)
    assert reply.posted_at == NOW - MINUTE
    assert reply.url == f"https://x.com/ann/status/{reply.external_id}"
    assert (first.kind, first.reply_to, first.language, first.conversation) == ("post", None, "en", root)
    assert page.rate_left == pytest.approx(449 / 450)


def test_mentions_and_posts_of_an_account_are_found_by_its_handle(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    server.add_post("hello @acme", by=ANN, at=NOW - MINUTE)
    server.add_post("we are open", by="7", at=NOW - 2 * MINUTE)

    assert texts(walk(account("mentions"), None, clock, limiter)) == ["hello @acme"]
    pages = walk(account(), None, clock, limiter)
    assert texts(pages) == ["we are open"]
    # The account is asked for once.
    walk(account(), pages[-1].cursor, clock, limiter)
    assert len(server.requests("users")) == 2


@pytest.mark.parametrize("keys", [{"user_token": USER_TOKEN}, KEYS], ids=["oauth2", "oauth1"])
def test_a_user_reads_its_own_posts_at_the_lower_price(
    server: XServer, clock: Clock, limiter: Limiter, keys: Mapping[str, str]
) -> None:
    server.add_post("we are open", by="7", at=NOW - MINUTE)

    pages = walk(account(bearer_token=None, **keys), None, clock, limiter)

    assert texts(pages) == ["we are open"]
    assert total(pages) == {"user": 1, "own": 2}
    assert {asked.status for asked in server.asked} == {200}


def test_a_wrong_signature_is_refused_by_the_server_of_these_tests(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    keys = {**KEYS, "access_token_secret": "another"}
    error = refusal(lambda: walk(account(bearer_token=None, **keys), None, clock, limiter))

    assert (error.kind, error.permanent) == ("dead_token", True)


# Windows and pages


def test_pages_are_walked_to_the_end_and_the_span_is_covered_by_the_last(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    for number in range(35):
        server.add_post(f"acme {number}", by=ANN, at=NOW - number * MINUTE)
    server.add_post("acme of yesterday", by=ANN, at=NOW - timedelta(days=1))

    pages = walk(search(), None, clock, limiter)

    assert sorted(texts(pages)) == sorted(f"acme {number}" for number in range(35))
    assert [page.window for page in pages[:-1]] == [(NOW, NOW)] * 3
    assert pages[-1].window == (NOW - timedelta(hours=1), NOW)


def test_the_next_walk_asks_since_the_newest_and_overlaps_for_what_surfaces_late(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    server.add_post("acme one", by=ANN, at=NOW - timedelta(seconds=5))
    cursor = walk(search(), None, clock, limiter)[-1].cursor
    server.add_post("acme late", by=BOB, at=NOW - timedelta(seconds=40))
    server.add_post("acme too late", by=BOB, at=NOW - timedelta(seconds=70))
    clock.now = NOW + MINUTE
    server.add_post("acme two", by=BOB, at=clock.now - timedelta(seconds=5))

    pages = walk(search(), cursor, clock, limiter)

    assert texts(pages) == ["acme two", "acme one", "acme late"]
    assert pages[-1].window == (NOW - MINUTE, NOW + MINUTE)
    assert "start_time" not in server.asked[-1].params


def test_a_quiet_search_stays_where_it_is(server: XServer, clock: Clock, limiter: Limiter) -> None:
    first = walk(search(), None, clock, limiter)[-1]
    assert (first.found, first.window, first.more) == ((), (NOW - timedelta(hours=1), NOW), False)

    server.add_post("acme", by=ANN, at=NOW)
    second = walk(search(), first.cursor, clock, limiter)[-1]
    again = walk(search(), second.cursor, clock, limiter)[-1]
    assert len(second.found) == len(again.found) == 1
    assert again.cursor is not None
    assert again.cursor["since_id"] == second.found[0].external_id


def test_a_search_that_found_nothing_yet_misses_nothing_while_it_is_paused(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    cursor = walk(search(), None, clock, limiter)[-1].cursor
    server.add_post("acme", by=ANN, at=NOW + MINUTE)
    clock.now = NOW + timedelta(hours=5)

    pages = walk(search(), cursor, clock, limiter)

    assert texts(pages) == ["acme"]
    assert pages[-1].window == (NOW - MINUTE, clock.now)


def test_posts_in_any_order_lead_to_the_largest_id(server: XServer, clock: Clock, limiter: Limiter) -> None:
    ids = [server.add_post(f"acme {n}", by=ANN, at=NOW - n * MINUTE) for n in (3, 1, 2)]
    shuffled = [server.posts[int(identity)] for identity in ids]
    server.script = [server_of.said({"data": shuffled, "meta": {"newest_id": ids[0], "oldest_id": ids[0]}})]

    (page,) = walk(search(), None, clock, limiter)

    assert len(page.found) == 3
    assert page.cursor is not None
    assert page.cursor["since_id"] == ids[1]


def test_a_source_that_slept_for_a_month_goes_on_from_seven_days_ago_and_shows_the_gap(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    server.add_post("acme", by=ANN, at=NOW)
    cursor = walk(search(), None, clock, limiter)[-1].cursor
    clock.now = NOW + timedelta(days=30)
    server.add_post("acme again", by=ANN, at=clock.now - timedelta(days=6))

    pages = walk(search(), cursor, clock, limiter)

    assert texts(pages) == ["acme again"]
    window = pages[-1].window
    assert window is not None
    assert timedelta(days=6.9) < clock.now - window[0] < timedelta(days=7)


def test_an_id_that_x_calls_too_old_is_replaced_by_a_time(server: XServer, clock: Clock, limiter: Limiter) -> None:
    server.add_post("acme", by=ANN, at=NOW)
    cursor = walk(search(), None, clock, limiter)[-1].cursor
    detail = "One or more parameters to your request was invalid."
    error = {"parameters": {"since_id": ["1"]}, "message": "'since_id' must be a tweet id created after [2026]"}
    server.script = [server_of.refused(400, "Invalid Request", detail, errors=[error])]

    pages = walk(search(), cursor, clock, limiter)

    assert texts(pages) == ["acme"]
    assert "since_id" not in server.asked[-1].params
    assert "start_time" in server.asked[-1].params


def test_a_page_token_that_x_forgot_begins_the_walk_anew(server: XServer, clock: Clock, limiter: Limiter) -> None:
    for number in range(15):
        server.add_post(f"acme {number}", by=ANN, at=NOW - number * MINUTE)
    first = fetch(search(), None, now=NOW, limiter=limiter)
    assert first.cursor is not None
    stale = {**first.cursor, "walk": {**first.cursor["walk"], "next_token": "forgotten"}}

    pages = walk(search(), stale, clock, limiter)

    assert sorted(texts(pages)) == sorted(f"acme {number}" for number in range(15))


def test_pages_in_a_circle_are_left_said_and_not_read_again(server: XServer, clock: Clock, limiter: Limiter) -> None:
    posts = [server.add_post(f"acme {n}", by=ANN, at=NOW - n * MINUTE) for n in range(3)]
    for number, token in enumerate(("one", "two", "one")):
        server.script.append(
            server_of.said({"data": [server.posts[int(posts[number])]], "meta": {"next_token": token}})
        )
    pages = [fetch(search(), None, now=NOW, limiter=limiter)]
    for _ in range(2):
        pages.append(fetch(search(), pages[-1].cursor, now=NOW, limiter=limiter))
    cursor = pages[-1].cursor

    assert len(texts(pages)) == 3
    assert all(page.window == (NOW, NOW) for page in pages)
    error = refusal(lambda: fetch(search(), cursor, now=NOW, limiter=limiter))
    assert (error.kind, error.permanent, error.retry_after) == ("unknown", False, 60)
    assert len(server.asked) == 3
    clock.now = NOW + MINUTE
    after = walk(search(), cursor, clock, limiter)
    assert after[-1].cursor is not None
    assert after[-1].cursor["since_id"] == posts[0]
    assert "fault" not in after[-1].cursor


def test_another_query_begins_anew(server: XServer, clock: Clock, limiter: Limiter) -> None:
    server.add_post("acme and more", by=ANN, at=NOW - 50 * MINUTE)
    server.add_post("acme", by=ANN, at=NOW)
    cursor = walk(search(), None, clock, limiter)[-1].cursor

    assert texts(walk(search(query="more"), cursor, clock, limiter)) == ["acme and more"]


# Money


def test_what_is_charged_equals_what_x_charges_each_post_once_a_day(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    config, cursor, pages = search(max_results=100), None, []
    for minute in range(12):
        clock.now = NOW + minute * MINUTE
        for number in range(25):
            author = server.add_user(f"{9}{minute:03}{number:03}", f"u{minute}_{number}")
            server.add_post(f"acme {minute} {number}", by=author, at=clock.now - timedelta(seconds=2 * number))
        # The overlap brings each post twice.
        pages += walk(config, cursor, clock, limiter)
        cursor = pages[-1].cursor

    assert len(texts(pages)) > 500
    assert total(pages) == server.charged() == {"post": 300, "user": 300}


def test_expanded_posts_are_charged_too(server: XServer, clock: Clock, limiter: Limiter) -> None:
    root = server.add_post("root", by=BOB, at=NOW - timedelta(days=2))
    server.add_post("acme", by=ANN, at=NOW, referenced_tweets=[{"type": "quoted", "id": root}])

    pages = walk(search(), None, clock, limiter)

    assert total(pages) == server.charged() == {"post": 2, "user": 1}
    assert pages[0].found[0].quote_of == root


# Known posts


def test_known_posts_are_looked_up_with_new_counts_edits_and_what_is_gone(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    grown = server.add_post("acme", by=ANN, at=NOW - 9 * MINUTE)
    edited = server.add_post("acme is bad", by=ANN, at=NOW - 8 * MINUTE)
    deleted = server.add_post("acme", by=ANN, at=NOW - 7 * MINUTE)
    shy = server.add_post("acme", by=BOB, at=NOW - 6 * MINUTE)
    server.posts[int(grown)]["public_metrics"]["like_count"] = 40
    server.edit(edited, "acme is good", at=NOW - 5 * MINUTE)
    server.delete(deleted)
    server.protected.add(BOB)

    page = look_up(search(), [grown, edited, deleted, shy, "not an id"], now=NOW, limiter=limiter)

    found = {post.external_id: post for post in page.found}
    assert found.keys() == {grown, edited}
    assert found[grown].counts.likes == 40
    assert (found[edited].text, found[edited].edited_at) == ("acme is good", NOW - 5 * MINUTE)
    assert found[edited].posted_at == NOW - 8 * MINUTE
    assert {(gone.external_id, gone.reason) for gone in page.gone} == {(deleted, "deleted"), (shy, "protected")}
    assert page.set_aside == ()
    assert total([page])["post"] == 3
    assert len(server.requests("look_up")) == 2


def test_what_was_looked_up_is_kept_when_the_newest_version_cannot_be_asked_for(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    plain = server.add_post("acme", by=ANN, at=NOW - 9 * MINUTE)
    edited = server.add_post("acme is bad", by=ANN, at=NOW - 8 * MINUTE)
    server.edit(edited, "acme is good", at=NOW - 5 * MINUTE)
    server.script = [server_of.ordinary, server_of.too_many("soon")]

    page = look_up(search(), [plain, edited], now=NOW, limiter=limiter)

    assert [post.external_id for post in page.found] == [plain]
    assert total([page])["post"] == 2


def test_an_edited_post_keeps_its_id_when_it_is_found_again(server: XServer, clock: Clock, limiter: Limiter) -> None:
    first = server.add_post("acme is bad", by=ANN, at=NOW - 3 * MINUTE)
    (before,) = walk(search(), None, clock, limiter)[0].found
    server.edit(first, "acme is good", at=NOW - MINUTE)
    page = fetch(search(), None, now=NOW, limiter=limiter)

    assert (before.external_id, before.edited_at) == (first, None)
    (after,) = page.found
    assert (after.external_id, after.text, after.edited_at) == (first, "acme is good", NOW - MINUTE)


def test_a_post_that_cannot_be_included_is_set_aside_with_its_reason(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    server.add_post("acme", by=ANN, at=NOW, referenced_tweets=[{"type": "replied_to", "id": "55"}])

    (page,) = walk(search(), None, clock, limiter)

    (aside,) = page.set_aside
    assert (aside.network, aside.external_id, aside.reason) == ("x", "55", "Could not find tweet [55].")
    assert json.loads(aside.raw)["title"] == "Not Found Error"
    assert page.gone == ()
    assert page.found[0].reply_to == "55"


# Is it there, does it work


def test_the_canary_hears_a_network_that_speaks_and_not_one_that_repeats_itself(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    assert not canary(search(), now=NOW, limiter=limiter)
    server.add_post("the weather", by=ANN, at=NOW - timedelta(hours=1))
    assert not canary(search(), now=NOW, limiter=limiter)
    server.add_post("the weather", by=ANN, at=NOW - MINUTE)
    assert canary(search(), now=NOW, limiter=limiter)


def test_a_check_says_who_reads_and_what_is_there(server: XServer, limiter: Limiter) -> None:
    server.add_post("acme", by=ANN, at=NOW)

    assert check(search(), now=NOW, limiter=limiter) == (
        "reads as the app, 1,998,800 posts of this month left; the search works, its newest post is of"
        " 01 Mar 2026 12:00 UTC"
    )
    assert check(search(query="nobody"), now=NOW, limiter=limiter).endswith("finds nothing in the last 7 days")
    user = account("mentions", handle="ann", bearer_token=None, user_token=USER_TOKEN)
    assert check(user, now=NOW, limiter=limiter) == f"reads as @acme; X knows the account (user {ANN})"
    error = refusal(lambda: check(account(handle="nobody"), now=NOW, limiter=limiter))
    assert (error.kind, "@nobody" in str(error)) == ("gone", True)
    assert refusal(lambda: check(search(bearer_token="old"), now=NOW, limiter=limiter)).kind == "dead_token"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"query": None}, "needs a query"),
        ({"query": "a" * 513}, "513 characters; 512"),
        ({"handle": "acme"}, "no handle"),
        ({"what": "mentions"}, "no query"),
        ({"what": "mentions", "query": None}, "needs a handle"),
        ({"what": "mentions", "query": None, "handle": "a b"}, "no handle of X"),
        ({"consumer_key": "a", "access_token": "b"}, "missing: consumer_secret, access_token_secret"),
        ({"bearer_token": "two words"}, "one word"),
        ({"api": "http://elsewhere"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        search(**given)


def test_a_source_without_keys_says_so_and_no_key_is_ever_shown(limiter: Limiter) -> None:
    error = refusal(lambda: fetch(search(bearer_token=None), None, now=NOW, limiter=limiter))
    assert (error.kind, error.permanent) == ("dead_token", True)
    config = account("mentions", **KEYS)
    for text in (describe(config), str(config), repr(config), describe(search())):
        assert not any(secret in text for secret in (BEARER, KEYS["consumer_secret"], KEYS["access_token_secret"]))
    assert describe(config) == "X mentions of @acme"


def test_no_key_is_written_into_the_log(
    server: XServer, clock: Clock, limiter: Limiter, caplog: pytest.LogCaptureFixture
) -> None:
    # Where a worker was started in this process, its log was made quieter.
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "httpx"):
        walk(account("mentions", **KEYS), None, clock, limiter)
        walk(search(), None, clock, limiter)

    assert len(server.asked) >= 3
    assert "httpx" in caplog.text
    assert not any(secret in caplog.text for secret in (BEARER, *KEYS.values()) if secret != KEYS["consumer_key"])
    assert "Authorization" not in caplog.text


# Refusals


def test_the_quota_of_the_answers_is_kept(server: XServer, clock: Clock, limiter: Limiter) -> None:
    server.limits["search"] = 3
    for _ in range(3):
        fetch(search(), None, now=NOW, limiter=limiter)
    error = refusal(lambda: fetch(search(), None, now=NOW, limiter=limiter))

    assert (error.kind, error.permanent) == ("rate_limited", False)
    assert error.retry_after is not None
    assert 895 < error.retry_after <= 900
    assert len(server.asked) == 3
    clock.now = NOW + timedelta(seconds=error.retry_after + 1)
    fetch(search(), None, now=clock.now, limiter=limiter)
    assert server.asked[-1].status == 200


@pytest.mark.parametrize("reset", [None, "soon", "-1", "0", "99999999999999", str(int(NOW.timestamp()) + 60)])
def test_after_a_429_nothing_is_asked_before_it_is_allowed(
    server: XServer, clock: Clock, limiter: Limiter, reset: str | None
) -> None:
    server.script = [server_of.too_many(reset)]
    error = refusal(lambda: fetch(search(), None, now=NOW, limiter=limiter))
    allowed = 60 if reset is not None and len(reset) == 10 else 1

    assert error.kind == "rate_limited"
    assert error.retry_after is not None
    assert allowed <= error.retry_after <= allowed * 1.3 + 1
    refusal(lambda: fetch(search(), None, now=NOW + timedelta(seconds=allowed - 0.5), limiter=limiter))
    assert len(server.asked) == 1
    clock.now = NOW + timedelta(seconds=allowed * 1.3 + 1)
    fetch(search(), None, now=clock.now, limiter=limiter)
    assert [asked.status for asked in server.asked] == [429, 200]


@pytest.mark.parametrize(
    ("step", "kind", "permanent", "words"),
    [
        (server_of.refused(401, "Unauthorized", "Unauthorized"), "dead_token", True, "make new ones"),
        (
            server_of.refused(401, "x", "x", errors=[{"code": 135, "message": "Timestamp out of bounds."}]),
            "unknown",
            False,
            "clock",
        ),
        (server_of.refused(402, "CreditsDepleted", "No credits."), "unknown", False, "buy some"),
        (
            server_of.refused(403, "Client Forbidden", "Must use keys from a Project.", reason="client-not-enrolled"),
            "unknown",
            False,
            "Must use keys from a Project.; put the app into a project",
        ),
        (server_of.refused(403, "Forbidden", "Suspended."), "unknown", False, "Suspended."),
        (server_of.refused(404, "Not Found", "No such thing."), "unknown", False, "404"),
        (server_of.refused(503, "Service Unavailable", "Over capacity"), "passing", False, "503: Over capacity"),
        (server_of.raw(b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\n[[1]"), "passing", False, "500"),
        (server_of.raw(b"HTTP/1.1 401 No\r\nContent-Length: 9000\r\n\r\n" + b"[" * 9000), "dead_token", True, "401"),
        (
            server_of.raw(b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
            "unknown",
            False,
            "302",
        ),
        (server_of.cut(), "passing", False, "X"),
        (server_of.raw(), "passing", False, "X"),
        (
            server_of.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8bzzz"),
            "passing",
            False,
            "unpack",
        ),
        (server_of.said(b"<html>"), "unknown", False, "no answer"),
        (server_of.said([]), "unknown", False, "no answer"),
        (server_of.said({}), "unknown", False, "no posts and no reason"),
        (server_of.said({"errors": [{"title": "Odd", "detail": "Very odd."}]}), "unknown", False, "Very odd."),
        (server_of.said(b"[" * 100_000), "unknown", False, "no answer"),
        (server_of.said(b'{"data": [' + b"{}," * 200_000 + b"{}]}"), "unknown", False, "values"),
    ],
)
def test_each_refusal_is_told_by_its_kind_and_in_words(
    server: XServer, limiter: Limiter, step: server_of.Step, kind: str, permanent: bool, words: str
) -> None:
    server.script = [step]
    error = refusal(lambda: fetch(search(), None, now=NOW, limiter=limiter))

    assert (error.kind, error.permanent) == (kind, permanent)
    assert words in str(error)
    assert len(str(error)) < 500
    assert len(server.asked) == 1
    # The source goes on when the fault is over.
    assert fetch(search(), None, now=NOW, limiter=limiter).found == ()


def test_a_query_that_x_does_not_understand_is_asked_once(server: XServer, limiter: Limiter) -> None:
    error = refusal(lambda: fetch(search(query="lang:en"), None, now=NOW, limiter=limiter))

    assert (error.kind, error.permanent) == ("unknown", False)
    assert "'query' is empty" in str(error)
    assert len(server.asked) == 1


# Time and memory

ATTACKS: dict[str, Callable[[], server_of.Step]] = {
    "black hole": server_of.black_hole,
    "a byte a second": lambda: server_of.dripping(0.1),
    "endless": server_of.endless,
    "bomb": lambda: server_of.bomb(100),
    "bytes without end in the headers": lambda: server_of.raw(
        b"HTTP/1.1 200 OK\r\nX: ", for_ever=b"a", every_seconds=0.1
    ),
}


def grown_by(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds and megabytes that a refused call took."""
    process = psutil.Process()
    before, began = process.memory_info().rss, monotonic()
    refusal(work)
    return monotonic() - began, (process.memory_info().rss - before) / 1e6


@pytest.mark.parametrize("name", few(list(ATTACKS), 2))
def test_an_answer_that_never_ends_is_given_up_in_time_and_does_not_fill_the_memory(
    server: XServer, limiter: Limiter, name: str
) -> None:
    fetch(search(), None, now=NOW, limiter=limiter)
    server.script = [ATTACKS[name]()]
    seconds, megabytes = grown_by(lambda: fetch(search(seconds=1.0), None, now=NOW, limiter=limiter))

    assert len(server.asked) == 2
    assert seconds < 3
    assert megabytes < 50


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", list(ATTACKS))
def test_with_the_limits_people_have_a_job_ends_within_thirty_seconds(
    server: XServer, limiter: Limiter, name: str
) -> None:
    fetch(search(), None, now=NOW, limiter=limiter)
    server.script = [ATTACKS[name]()]
    seconds, megabytes = grown_by(lambda: fetch(search(), None, now=NOW, limiter=limiter))
    print(name, f"{seconds:.1f} s, {megabytes:.1f} MB")

    assert len(server.asked) == 2
    assert seconds <= 30
    assert megabytes < 50


def test_all_requests_of_a_job_share_its_time(server: XServer, limiter: Limiter) -> None:
    config = search(seconds=1.0)
    cursor = {"of": x._identity(config), "since_id": str(2**60), "read_to": NOW.isoformat()}
    slow = server_of.refused(400, "Invalid Request", "x", errors=[{"message": "'since_id' is too old"}])

    def after_a_while(handler: server_of.XHandler) -> None:
        handler.state.stopped.wait(0.7)
        slow(handler)

    server.script = [after_a_while, server_of.black_hole()]
    seconds, _ = grown_by(lambda: fetch(config, cursor, now=NOW, limiter=limiter))

    assert len(server.asked) == 2
    assert seconds < 1.5


def test_a_page_as_large_as_x_sends_is_read_whole(server: XServer, clock: Clock, limiter: Limiter) -> None:
    for number in range(100):
        text = f"acme {number} " + "long words, and more of them; " * 800
        server.add_post("acme", by=ANN, at=NOW - timedelta(seconds=number), note_tweet={"text": text})

    (page,) = walk(search(max_results=100), None, clock, limiter)

    assert len(page.found) == 100
    assert all(len(post.text) > 24_000 for post in page.found)


def test_a_post_that_x_accepts_and_creates_is_found_by_the_next_search(
    server: XServer, clock: Clock, limiter: Limiter
) -> None:
    call = x._Call(account(bearer_token=None, **KEYS), limiter, NOW)
    answer = call.ask("create", lambda client, auth: client.create_tweet(text="acme is open", user_auth=auth))
    server.script = [server_of.accepted_in_silence]
    silent = x._Call(account(bearer_token=None, seconds=0.5, **KEYS), limiter, NOW)
    error = refusal(
        lambda: silent.ask("create", lambda client, auth: client.create_tweet(text="acme is shut", user_auth=auth))
    )

    assert error.kind == "passing"
    found: tuple[Found, ...] = walk(search(), None, clock, limiter)[0].found
    assert {post.text for post in found} == {"acme is open", "acme is shut"}
    assert answer["data"]["id"] in {post.external_id for post in found}
    assert len(server.created) == 2
