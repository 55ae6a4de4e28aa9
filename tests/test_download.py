"""Downloads, bounded whatever the server does, seen through the feed connector."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from ingest.connectors.feed import Config, describe, fetch
from ingest.feed_entries import TooSlow, read_entries_within
from ingest.found import Page
from models.errors import ConnectorError
from tests.feed_server import FeedServer, feed_server

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://news.example/feed.xml"


def rss(*items: str, channel: str = "<title>Example News</title>") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{body}</channel></rss>'.encode()


ONE = rss("<title>Late</title><guid>https://news.example/1</guid><pubDate>Sun, 22 Feb 2026 10:00:00 GMT</pubDate>")


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as server:
        yield server


def read(server: FeedServer, path: str = "/feed", cursor: object = None, **settings: object) -> Page:
    config = Config.model_validate({"url": server.url + path, **settings})
    return fetch(config, cursor, now=NOW)  # type: ignore[arg-type]


def test_a_packed_feed_is_unpacked(server: FeedServer) -> None:
    server.answer("/feed", gzip.compress(ONE[:50]) + gzip.compress(ONE[50:]), headers={"Content-Encoding": "gzip"})
    server.answer("/old", zlib.compress(ONE, wbits=-15), headers={"Content-Encoding": "deflate"})

    assert len(read(server).found) == 1
    assert len(read(server, "/old").found) == 1


def test_a_small_answer_that_unpacks_to_a_huge_one_is_ended(server: FeedServer) -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)
    server.answer("/feed", bomb, headers={"Content-Encoding": "gzip"})

    tracemalloc.start()
    with pytest.raises(ConnectorError, match="larger than 100000 bytes"):
        read(server, largest_bytes=100_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Unpacked as a whole, one chunk of it alone is 15 MB.
    assert most < 5_000_000


def test_a_body_without_end_is_ended(server: FeedServer) -> None:
    server.write("/feed", b"HTTP/1.1 200 OK\r\n\r\n", for_ever=b"<rss>" * 10_000)

    with pytest.raises(ConnectorError, match="larger than 1000000 bytes"):
        read(server, largest_bytes=1_000_000)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""], ids=["body", "headers", "nothing"]
)
def test_a_byte_now_and_then_does_not_keep_us(server: FeedServer, head: bytes) -> None:
    server.write("/feed", head, every_seconds=0.05, for_ever=b"a" if head else b"")
    start = time.monotonic()

    with pytest.raises(ConnectorError, match=r"did not answer in full within 0\.5 s|does not answer") as caught:
        read(server, seconds=0.5)
    assert caught.value.kind == "passing"
    assert time.monotonic() - start < 2


def test_a_cut_connection_is_a_passing_error(server: FeedServer) -> None:
    server.write("/feed", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<rss>")

    with pytest.raises(ConnectorError, match="does not answer") as caught:
        read(server)
    assert (caught.value.permanent, caught.value.kind) == (False, "passing")


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"\x00" * 100]
)
def test_what_is_no_http_is_an_error_of_ours(server: FeedServer, answer: bytes) -> None:
    server.write("/feed", answer)

    with pytest.raises(ConnectorError):
        read(server)


def test_a_server_that_is_not_there_is_a_passing_error() -> None:
    with feed_server() as server:
        url = server.url
    with pytest.raises(ConnectorError, match="does not answer") as caught:
        fetch(Config(url=url), None, now=NOW)
    assert caught.value.kind == "passing"


def test_a_body_that_does_not_unpack_is_an_error(server: FeedServer) -> None:
    server.answer("/feed", b"\x1f\x8b" + ONE, headers={"Content-Encoding": "gzip"})

    with pytest.raises(ConnectorError, match="does not unpack"):
        read(server)


def test_a_web_page_is_told_from_a_feed(server: FeedServer) -> None:
    server.answer("/feed", b"<!DOCTYPE html><html><head><title>News</title></head><body><p>Hi</p></body></html>")

    with pytest.raises(ConnectorError, match="web page, not a feed; look for its RSS link") as caught:
        read(server)
    assert (caught.value.permanent, caught.value.kind) == (False, "unknown")


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff\xfe" * 50])
def test_what_is_no_feed_is_an_error(server: FeedServer, body: bytes) -> None:
    server.answer("/feed", body)

    with pytest.raises(ConnectorError, match="no feed"):
        read(server)


def test_an_empty_feed_is_a_quiet_page(server: FeedServer) -> None:
    server.answer("/feed", rss())

    assert read(server).found == ()


def test_a_feed_that_keeps_the_parser_busy_is_ended() -> None:
    start = time.monotonic()

    # The parser takes the square of this; three minutes here.
    with pytest.raises(TooSlow):
        read_entries_within(1, b"<rss><channel><item><description>" + b"<a " * 150_000, {})
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("url", ["file:///etc/passwd", "feed.xml", "ftp://a/b", "https://", "http://a b/"])
def test_only_the_web_is_read(url: str) -> None:
    with pytest.raises(ValidationError, match="no address of the web"):
        Config(url=url)


def test_a_password_in_the_address_is_not_shown() -> None:
    assert describe(Config(url="https://ann:secret@news.example/feed")) == "feed https://news.example/feed"
