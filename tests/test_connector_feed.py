"""The feed connector: what it asks, what it bears, what it makes of entries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ingest.connectors import feed
from ingest.connectors.feed import Config, fetch, parse
from ingest.door import LONGEST_TEXT
from ingest.download import _target, retry_after
from ingest.feed_entries import Crashed, TooSlow, read_entries_within
from ingest.found import Found, Page
from models.database import EARLIEST, latest
from models.errors import ConnectorError
from tests.feed_server import FeedServer, feed_server
from tests.test_html_text import elements

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://news.example/feed.xml"


def rss(*items: str, channel: str = "<title>Example News</title>") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{body}</channel></rss>'.encode()


ONE = rss("<title>Late</title><guid>https://news.example/1</guid><pubDate>Sun, 22 Feb 2026 10:00:00 GMT</pubDate>")


def posts(body: bytes, language: str | None = None) -> tuple[Found, ...]:
    return parse(body, {"content-type": "application/xml"}, url=URL, now=NOW, language=language)[0]


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as server:
        yield server


def read(server: FeedServer, path: str = "/feed", cursor: object = None, **settings: object) -> Page:
    config = Config.model_validate({"url": server.url + path, **settings})
    return fetch(config, cursor, now=NOW)  # type: ignore[arg-type]


# What an entry becomes


def test_an_entry_becomes_an_article_with_its_text_author_and_instant() -> None:
    (post,) = posts(
        rss(
            "<title>Flight &amp;amp; fight</title><link>https://news.example/a</link><guid>https://news.example/?p=1</guid>"
            "<description>&lt;p&gt;It is &lt;b&gt;late&lt;/b&gt;.&lt;/p&gt;"
            "&lt;script&gt;alert(1)&lt;/script&gt;</description>"
            "<author>Ann Ode</author><pubDate>Sun, 22 Feb 2026 10:00:00 +0100</pubDate>"
            '<enclosure url="https://news.example/a.jpg" type="image/jpeg"/>',
            channel="<title>Example News</title><language>en-US</language>",
        )
    )

    assert post.text == "Flight & fight — It is late."
    assert (post.network, post.kind, post.external_id) == ("rss", "article", "https://news.example/?p=1")
    assert post.posted_at == datetime(2026, 2, 22, 9, tzinfo=UTC)
    assert (post.author.key, post.author.name) == ("news.example/ann ode", "Ann Ode")
    assert (post.url, post.language, post.media) == ("https://news.example/a", "en-us", (("image", ""),))


def test_an_atom_entry_is_read_with_its_full_content() -> None:
    (post,) = posts(
        b'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>N</title><entry><id>tag:n,1</id>'
        b'<title>Hallo</title><summary>kurz</summary><content type="html">&lt;p&gt;viel l&#228;nger&lt;/p&gt;</content>'
        b'<updated>2026-02-22T10:00:00Z</updated><link href="/a"/><author><name>Uwe</name></author></entry></feed>'
    )

    assert (post.text, post.language, post.url) == ("Hallo — viel länger", "de", "https://news.example/a")
    assert (post.external_id, post.posted_at.hour) == ("tag:n,1", 10)


def test_a_title_that_begins_the_text_is_not_said_twice() -> None:
    (post,) = posts(rss("<title>Late again</title><description>Late again, says Ann</description><guid>1</guid>"))

    assert post.text == "Late again, says Ann"


def test_a_short_id_is_made_unique_by_the_address_of_its_feed() -> None:
    (post,) = posts(rss('<title>a</title><guid isPermaLink="false">17</guid>'))

    assert post.external_id == f"{URL}#17"


def test_an_entry_without_id_and_link_has_the_same_id_whenever_it_is_read() -> None:
    body = rss("<title>a</title>")
    (first,) = posts(body)
    (second,) = parse(body, {}, url=URL, now=datetime(2026, 3, 2, tzinfo=UTC))[0]

    assert first.external_id == second.external_id
    assert first.external_id.startswith("sha256:")


def test_an_entry_without_a_date_is_dated_by_when_it_was_seen() -> None:
    (post,) = posts(rss("<title>a</title><guid>1</guid>"))

    assert post.posted_at == NOW


@pytest.mark.parametrize(("given", "at"), [("9999-12-31T23:59:59Z", latest(NOW)), ("1969-01-01T00:00:00Z", EARLIEST)])
def test_an_instant_outside_our_range_is_clamped_and_kept_as_given(given: str, at: datetime) -> None:
    (post,) = posts(rss(f"<title>a</title><guid>1</guid><pubDate>{given}</pubDate>"))

    assert (post.posted_at, post.posted_at_given) == (at, given)


def test_an_entry_without_title_and_text_is_set_aside() -> None:
    found, set_aside = parse(rss("<guid>1</guid>", "<title>a</title>"), {}, url=URL, now=NOW)

    assert [post.text for post in found] == ["a"]
    assert [(aside.place, aside.reason) for aside in set_aside] == [("entry 1", "the entry has neither title nor text")]
    assert b"https://news.example/1" in set_aside[0].raw


def test_a_text_that_is_too_long_is_cut_and_set_aside_whole() -> None:
    found, set_aside = parse(rss(f"<description>{'a' * 1_000_000}</description>"), {}, url=URL, now=NOW)

    assert len(found[0].text) == LONGEST_TEXT
    assert "stored without" in set_aside[0].reason
    assert b"a" * 1_000_000 in set_aside[0].raw


def test_an_address_that_runs_is_not_kept() -> None:
    (post,) = posts(rss("<title>a</title><link>javascript:alert(1)</link><guid isPermaLink='false'>1</guid>"))

    assert post.url is None


def test_the_language_that_a_person_named_wins() -> None:
    body = rss("<title>a</title><guid>1</guid>", channel="<language>en-us</language>")

    assert posts(body, language="de")[0].language == "de"


def test_a_broken_feed_gives_what_it_has() -> None:
    found = posts(b"<rss><channel><item><title>one</title></item><item><title>two &nosuch; <b></title><link>x")

    assert [post.text for post in found] == ["one", "two &nosuch"]


def test_entities_that_grow_end_with_the_parser() -> None:
    steps = zip("abcdefgh", "bcdefghi", strict=True)
    bomb = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in steps)
    doctype = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">{bomb}]>'

    # Unfolded, the title is two hundred million letters.
    try:
        entries = read_entries_within(1, doctype.encode() + rss("<title>&i;.</title>")[21:], {}).entries
    except (TooSlow, Crashed):
        entries = ()
    assert sum(len(entry.title) for entry in entries) < 20_000_000


# What is asked


def test_a_feed_is_asked_with_what_it_answered_before_and_may_say_nothing_new(server: FeedServer) -> None:
    validators = {"ETag": '"v1"', "Last-Modified": "Sun, 22 Feb 2026 10:00:00 GMT"}
    server.answer("/feed", ONE, headers=validators)
    first = read(server)
    server.answer("/feed", status=304)
    second = read(server, cursor=first.cursor)

    assert [post.text for post in first.found] == ["Late"]
    assert (second.found, second.set_aside, second.more) == ((), (), False)
    assert second.cursor == first.cursor
    asked = server.asked[1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', validators["Last-Modified"])
    assert "if-none-match" not in server.asked[0].headers


def test_the_same_bytes_again_are_a_quiet_page(server: FeedServer) -> None:
    server.answer("/feed", ONE)
    first = read(server)

    assert read(server, cursor=first.cursor).found == ()


def test_a_long_feed_comes_in_pages_and_none_is_lost(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PAGE_ENTRIES", 100)
    server.answer("/feed", rss(*(f"<title>{n}</title><guid>g{n}</guid>" for n in range(234))), headers={"ETag": '"v1"'})
    page = read(server)
    pages = [page]
    while page.more:
        page = read(server, cursor=page.cursor)
        pages.append(page)

    assert [len(page.found) for page in pages] == [100, 100, 34]
    assert len({post.external_id for page in pages for post in page.found}) == 234
    # A server that answers 304 to the second request would hide the rest.
    assert all("if-none-match" not in asked.headers for asked in server.asked)
    assert read(server, cursor=page.cursor).found == ()
    assert server.asked[-1].headers["if-none-match"] == '"v1"'


def test_a_feed_that_moved_for_good_is_asked_there_from_then_on(server: FeedServer) -> None:
    server.answer("/feed", status=301, headers={"Location": "/new"})
    server.answer("/new", ONE)
    first = read(server)
    read(server, cursor=first.cursor)

    assert [asked.path for asked in server.asked] == ["/feed", "/new", "/new"]


def test_a_feed_that_moved_for_now_is_asked_where_it_was(server: FeedServer) -> None:
    server.answer("/feed", status=302, headers={"Location": "/elsewhere"})
    server.answer("/elsewhere", status=301, headers={"Location": "/new"})
    server.answer("/new", ONE)
    first = read(server)
    read(server, cursor=first.cursor)

    assert [asked.path for asked in server.asked] == ["/feed", "/elsewhere", "/new"] * 2


def test_when_the_new_address_is_gone_the_known_one_is_asked_again(server: FeedServer) -> None:
    server.answer("/feed", ONE)
    cursor = {"of": server.url + "/feed", "url": server.url + "/lost"}

    assert len(read(server, cursor=cursor).found) == 1


def test_redirects_without_end_are_ended(server: FeedServer) -> None:
    server.answer("/feed", status=301, headers={"Location": "/feed"})

    with pytest.raises(ConnectorError, match="redirects more than 5 times"):
        read(server)
    assert len(server.asked) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/x", "https://", "//[", "data:text/xml,x"])
def test_a_redirect_leads_to_the_web_or_nowhere(server: FeedServer, target: str) -> None:
    server.answer("/feed", status=302, headers={"Location": target})

    with pytest.raises(ConnectorError, match=r"is no http address|leads to no address"):
        read(server)


def test_a_redirect_from_outside_does_not_lead_inside() -> None:
    with pytest.raises(ConnectorError, match="private network"):
        _target("https://news.example/feed", "http://169.254.169.254/latest/meta-data")
    assert _target("http://10.0.0.5/feed", "http://10.0.0.6/feed") == "http://10.0.0.6/feed"


@pytest.mark.parametrize(
    ("status", "permanent", "kind", "words"),
    [
        (410, True, "gone", "gone for good"),
        (401, True, "dead_token", "password"),
        (403, False, "unknown", "refuses"),
        (404, False, "unknown", "not there"),
        (429, False, "rate_limited", "too often"),
        (500, False, "passing", "fault of its own"),
        (503, False, "passing", "fault of its own"),
    ],
)
def test_a_refusal_is_told_in_words(server: FeedServer, status: int, permanent: bool, kind: str, words: str) -> None:
    server.answer("/feed", status=status)

    with pytest.raises(ConnectorError, match=words) as caught:
        read(server)
    assert (caught.value.permanent, caught.value.kind, caught.value.retry_after) == (permanent, kind, None)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("99999999999999999999", 900),
        (format_datetime(datetime(2026, 3, 1, 12, 2, tzinfo=UTC), usegmt=True), 120),
        (format_datetime(datetime(1999, 1, 1, tzinfo=UTC), usegmt=True), 1),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_the_wait_a_server_asks_for_is_kept_within_bounds(given: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": given}, now=NOW) == seconds


def test_the_wait_a_server_asks_for_goes_with_the_error(server: FeedServer) -> None:
    server.answer("/feed", status=429, headers={"Retry-After": "77"})

    with pytest.raises(ConnectorError) as caught:
        read(server)
    assert caught.value.retry_after == 77


# Real feeds


@pytest.mark.prove
@pytest.mark.data
def test_every_recorded_feed_goes_through_and_leaves_nothing_that_runs(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [path for path in sorted((data / "payloads/feedparser/tests").rglob("*")) if path.is_file()]
    found: list[Found] = []
    unreadable = set_aside = 0
    for path in files:
        some, aside = parse(path.read_bytes(), {}, url=URL, now=NOW)
        found += some
        unreadable += any(one.place == "feed" for one in aside)
        set_aside += len(aside)

    with capsys.disabled():
        print(f"\nfeeds {len(files)}, posts {len(found)}, set aside {set_aside}, not readable at all {unreadable}")
    assert len(files) > 1_700
    assert len(found) > 200
    running = [text for post in found for text in spoken(post) if elements(text)]
    assert running == []
    assert [post.url for post in found if post.url and urlsplit(post.url).scheme not in ("http", "https")] == []
    assert all(post.text and EARLIEST <= post.posted_at <= latest(NOW) for post in found)


def spoken(post: Found) -> list[str]:
    """Every text of a post that a screen may show."""
    return [post.text, post.author.name or "", post.author.key, *(alt for _, alt in post.media)]
