"""The file connector: where it goes on, what it bears, real files."""

from __future__ import annotations

import csv
import gzip
import io
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import opened
from ingest.connectors import file
from ingest.connectors.file import Config, config_from, explained, fetch
from ingest.found import Cursor, Found
from models.errors import ConnectorError, InputError
from tests.written_files import COLUMNS, HEADER, NOW, everything, pages, written


def test_a_file_that_grew_goes_on_where_it_ended(tmp_path: Path) -> None:
    config = written(tmp_path, f"{HEADER}1,a,2026-01-01T00:00Z\n")
    (page,) = pages(config)
    with config.path.open("a") as grown:
        grown.write("2,b,2026-01-01T00:00Z\n")

    assert [post.text for page in pages(config, page.cursor) for post in page.found] == ["b"]


def test_a_file_that_changed_under_the_cursor_begins_again(tmp_path: Path) -> None:
    config = written(tmp_path, f"{HEADER}1,a,2026-01-01T00:00Z\n2,b,2026-01-01T00:00Z\n", page_rows=1)
    cursor = fetch(config, None, now=NOW).cursor
    written(tmp_path, f"{HEADER}3,c,2026-01-01T00:00Z\n4,d,2026-01-01T00:00Z\n")
    other = fetch(config, cursor, now=NOW)
    written(tmp_path, f"{HEADER}1,a,2026-01-01T00:00Z\n")
    shorter = fetch(config, fetch(config, None, now=NOW).cursor, now=NOW)

    assert [post.text for post in other.found] == ["c"]
    assert shorter.found == ()


def test_a_packed_file_reads_like_a_plain_one_whoever_goes_on(tmp_path: Path) -> None:
    rows = "".join(f'{n},"text\n{n}",2026-01-01T00:00Z\n' for n in range(1_000))
    plain = everything(written(tmp_path, HEADER + rows))[0]
    config = written(tmp_path, gzip.compress((HEADER + rows).encode()), "posts.csv.gz", page_rows=70)
    kept_open = everything(config)[0]
    found: list[Found] = []
    cursor: Cursor | None = None
    while True:
        page = fetch(config, cursor, now=NOW)
        # As after a kill: nothing is open any more.
        opened._parked.clear()
        found += page.found
        cursor = page.cursor
        if page.done:
            break

    assert len(plain) == 1_000
    assert kept_open == plain
    assert found == plain


def test_a_packed_file_that_is_cut_off_gives_what_it_has_and_then_says_so(tmp_path: Path) -> None:
    rows = "".join(f"{n},text {n * 7919 % 10007},2026-01-01T00:00Z\n" for n in range(20_000))
    packed = gzip.compress((HEADER + rows).encode())
    config = written(tmp_path, packed[: len(packed) // 2], "posts.csv.gz")
    found: list[Found] = []
    cursor: Cursor | None = None
    with pytest.raises(ConnectorError, match="cut off") as caught:  # noqa: PT012 - the pages before it count
        while True:
            page = fetch(config, cursor, now=NOW)
            found += page.found
            cursor = page.cursor

    assert caught.value.permanent
    assert [post.external_id for post in found] == [str(n) for n in range(len(found))]
    assert len(found) > 5_000


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.csv", "is empty"),
        (b" \n", "a.jsonl", "is empty"),
        (b"x", "a.xlsx", "name its format: csv, tsv or jsonl"),
    ],
)
def test_a_file_that_cannot_be_one_is_named(tmp_path: Path, content: bytes, name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        fetch(written(tmp_path, content, name), None, now=NOW)


def test_a_file_that_is_not_there_is_gone_until_a_person_acts(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="is not there") as caught:
        fetch(Config(path=tmp_path / "a.csv"), None, now=NOW)
    assert (caught.value.permanent, caught.value.kind) == (True, "gone")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConnectorError, match="cannot be read"):
        fetch(Config(path=tmp_path / "folder.csv"), None, now=NOW)
    with pytest.raises(ConnectorError, match="not gzip"):
        fetch(written(tmp_path, HEADER, "a.csv.gz"), None, now=NOW)


def test_a_file_of_a_header_alone_is_done_at_once(tmp_path: Path) -> None:
    assert everything(written(tmp_path, HEADER)) == ([], [])


CELL = st.text(alphabet=st.sampled_from('ab",\n\r\t ;ä😀\x00\u2028\u202e0'), max_size=12)


@pytest.mark.prove
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=20), page_rows=st.integers(1, 7), more=st.integers(0, 5)
)
def test_any_content_reads_the_same_at_any_page_size_and_after_any_kill(
    tmp_path: Path, texts: list[tuple[str, str]], page_rows: int, more: int
) -> None:
    rows = [(str(n), f"t{text}", "2026-01-01T00:00Z", place) for n, (text, place) in enumerate(texts)]
    table = io.StringIO()
    csv.writer(table).writerows([("id", "text", "posted_at", "place"), *rows])
    config = written(tmp_path, table.getvalue(), columns={**COLUMNS, "place": "place"}, page_rows=page_rows)
    whole = everything(config.model_copy(update={"page_rows": 1_000}))
    read = pages(config)
    # A kill before the commit reads the page again; the cursor before it is all there is.
    again = pages(config, read[more].cursor) if more < len(read) else []

    assert whole[1] == []
    assert [post.external_id for post in whole[0]] == [row[0] for row in rows]
    assert [post.text for post in whole[0]] == [row[1].replace("\x00", "\\u0000") for row in rows]
    assert [post for page in read for post in page.found] == whole[0]
    if again and more + 1 < len(read):
        assert [post for page in again for post in page.found] == [
            post for page in read[more + 1 :] for post in page.found
        ]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300), page_rows=st.integers(1, 3), name=st.sampled_from(["a.csv", "a.tsv", "a.jsonl"])
)
def test_any_bytes_are_read_to_the_end_and_none_is_lost(
    tmp_path: Path, content: bytes, page_rows: int, name: str
) -> None:
    header = b'{"id": "1", "text": "a", "posted_at": "2026-01-01T00:00Z"}\n'
    if name != "a.jsonl":
        header = HEADER.encode().replace(b",", b"\t" if name == "a.tsv" else b",")
    config = written(tmp_path, header + content, name, page_rows=page_rows, zone="UTC")
    found, set_aside = everything(config)

    raw = b"".join(aside.raw for aside in set_aside)
    if len(found) == (name == "a.jsonl"):
        # Nothing of it became a post, so every line that holds something is set aside as it stands.
        assert all(line in raw for line in content.split(b"\n") if line.decode("utf-8", "replace").strip())


def test_memory_stays_the_same_however_large_the_file(tmp_path: Path) -> None:
    row = "1,{},2026-01-01T00:00Z\n".format("x" * 200)
    config = written(tmp_path, HEADER + row * 100_000)
    tracemalloc.start()
    page = fetch(config, None, now=NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(page.found) == 1_000
    assert config.path.stat().st_size > 20_000_000
    assert most < 5_000_000


AIRLINE = {
    "network": "x",
    "external_id": "tweet_id",
    "text": "text",
    "author": "name",
    "posted_at": "tweet_created",
    "zone": "America/Los_Angeles",
    "place": "tweet_location",
    "coordinates": "tweet_coord",
    "reposts": "retweet_count",
    "brand": "airline",
}


@pytest.mark.data
def test_every_row_of_the_airline_file_comes_in(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_from(data / "airline/tweets.csv", AIRLINE)
    start = time.process_time()
    found, set_aside = everything(config)
    seconds = time.process_time() - start

    with capsys.disabled():
        print(f"\nairline: found {len(found)}, set aside {len(set_aside)}")
        print(f"airline: {len(found) / seconds:,.0f} rows per CPU-second")
    assert (len(found), set_aside) == (8_532, [])
    assert len({post.external_id for post in found}) == 8_526
    assert Counter(post.brand for post in found) == {
        "united": 2_960,
        "us-airways": 2_246,
        "southwest": 1_959,
        "american": 983,
        "virgin-america": 384,
    }
    assert sum(post.latitude is not None for post in found) == 594
    assert sum(post.place is not None for post in found) == 5_774
    assert all(
        datetime(2015, 2, 16, 8, tzinfo=UTC) <= post.posted_at < datetime(2015, 2, 25, 9, tzinfo=UTC) for post in found
    )


@pytest.mark.data
def test_every_row_of_the_support_file_is_accounted_for(data: Path) -> None:
    config = config_from(data / "twcs/twcs.csv", {"network": "x"})
    found, set_aside = everything(config)

    assert 'reply_to: column "in_response_to_tweet_id" (guessed from its name)' in explained(config)
    assert (len(found), len(set_aside)) == (2_999, 1)
    # One row lost its first cells and begins in the middle of a text.
    assert (set_aside[0].place, set_aside[0].reason) == ("line 2590", "the text is empty")
    assert {post.kind for post in found} == {"post", "reply"}
    assert found[2].reply_to == "4"
    assert file.NETWORK is None
