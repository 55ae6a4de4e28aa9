"""The file connector: what it makes of rows, what it bears, where it goes on."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest import opened, records
from ingest.connectors import file
from ingest.connectors.file import STORED, Config, config_from, describe, explained, fetch
from ingest.door import LONGEST_TEXT
from ingest.found import Cursor, Found, Page, SetAside
from models.database import EARLIEST, latest
from models.errors import ConnectorError, InputError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = "id,text,posted_at\n"
COLUMNS = {"network": "x"}


def pages(config: Config, cursor: Cursor | None = None) -> list[Page]:
    """Every page from the cursor to the end of the file."""
    read: list[Page] = []
    while not read or read[-1].more:
        read.append(fetch(config, cursor, now=NOW))
        cursor = json.loads(json.dumps(read[-1].cursor))
    assert read[-1].done
    assert read[-1].progress == 1.0
    return read


def everything(config: Config) -> tuple[list[Found], list[SetAside]]:
    read = pages(config)
    return [post for page in read for post in page.found], [aside for page in read for aside in page.set_aside]


def written(folder: Path, content: bytes | str, name: str = "posts.csv", **named: Any) -> Config:
    """A config for a file with this content, its network named."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Config.model_validate({"path": path, "columns": COLUMNS, **named})


def one(folder: Path, **cells: str) -> tuple[Found, tuple[SetAside, ...]]:
    """The post of a row with these cells, and what was set aside of it."""
    row = {"id": "1", "text": "hello", "posted_at": "2026-02-22T10:00:00Z", **cells}
    table = io.StringIO()
    csv.writer(table).writerows([row.keys(), row.values()])
    columns = {**COLUMNS, **{name: name for name in cells if name != "text"}}
    page = fetch(written(folder, table.getvalue(), columns=columns), None, now=NOW)
    assert len(page.found) == 1, page.set_aside
    return page.found[0], page.set_aside


# What a row becomes


def test_a_row_becomes_a_post_with_everything_the_columns_say(tmp_path: Path) -> None:
    post, set_aside = one(
        tmp_path,
        author="@AnnOde",
        author_name="Ann Ode",
        followers="1,234",
        place="Berlin",
        coordinates="[52.5, 13.4]",
        likes="0",
        replies="3.0",
        impressions="",
        language="pt_BR",
        reply_to="17.0",
        url="https://x.example/1",
        brand="US Airways",
    )

    assert set_aside == ()
    assert (post.network, post.external_id, post.text, post.kind) == ("x", "1", "hello", "reply")
    assert post.posted_at == datetime(2026, 2, 22, 10, tzinfo=UTC)
    assert (post.author.key, post.author.handle, post.author.name) == ("annode", "AnnOde", "Ann Ode")
    assert post.author.followers == 1234
    # Silence is not zero.
    assert (post.counts.likes, post.counts.replies, post.counts.reposts, post.counts.impressions) == (0, 3, None, None)
    assert (post.place, post.latitude, post.longitude) == ("Berlin", 52.5, 13.4)
    assert (post.language, post.reply_to, post.url, post.brand) == ("pt-br", "17", "https://x.example/1", "us-airways")


def test_the_network_may_stand_in_a_column_and_equal_ids_on_two_networks_are_two_posts(tmp_path: Path) -> None:
    rows = (
        "platform,id,text,posted_at\nX,1,a,2026-01-01Z\nreddit ,1,b,2026-01-01T00:00Z\nmyspace,1,c,2026-01-01T00:00Z\n"
    )
    found, set_aside = everything(written(tmp_path, rows.replace("01Z", "01T00:00Z"), columns={}))

    assert [(post.network, post.external_id) for post in found] == [("x", "1"), ("reddit", "1")]
    assert 'network "myspace" is not known; known: bluesky' in set_aside[0].reason


def test_a_post_without_an_author_has_the_unknown_one(tmp_path: Path) -> None:
    post, _ = one(tmp_path, author=" ")

    assert (post.author.key, post.author.handle) == ("unknown", None)


def test_a_number_is_the_id_of_an_author_and_not_a_handle(tmp_path: Path) -> None:
    post, _ = one(tmp_path, author="115712")

    assert (post.author.key, post.author.handle) == ("115712", None)


def test_brands_are_named_by_a_table_or_by_themselves(tmp_path: Path) -> None:
    brands = enumerate(("US Airways", "Ünited", ""))
    rows = "id,text,posted_at,line\n" + "".join(f"{n},a,2026-01-01T00:00Z,{name}\n" for n, name in brands)
    found, _ = everything(written(tmp_path, rows, columns={**COLUMNS, "brand": "line"}, brands={"Ünited": "ua"}))

    assert [post.brand for post in found] == ["us-airways", "ua", None]


def test_the_order_of_coordinates_can_be_named(tmp_path: Path) -> None:
    rows = 'id,text,posted_at,at\n1,a,2026-01-01T00:00Z,"13.4;52.5"\n'
    config = written(tmp_path, rows, columns={**COLUMNS, "coordinates": "at"}, coordinates_order="lon,lat")

    assert [(post.latitude, post.longitude) for post in everything(config)[0]] == [(52.5, 13.4)]


def test_two_columns_of_coordinates_make_a_pair(tmp_path: Path) -> None:
    post, _ = one(tmp_path, latitude="52.5", longitude="13.4")

    assert (post.latitude, post.longitude) == (52.5, 13.4)


@pytest.mark.parametrize(
    ("field", "value", "attribute"),
    [
        ("likes", "-3", "counts.likes"),
        ("likes", "NaN", "counts.likes"),
        ("likes", "1e300", "counts.likes"),
        ("likes", "9007199254740993", "counts.likes"),
        ("likes", "9" * 5_000, "counts.likes"),
        ("likes", "many", "counts.likes"),
        ("followers", "-1", "author.followers"),
        ("coordinates", "[91, 0]", "latitude"),
        ("coordinates", "nan, 0", "latitude"),
        ("coordinates", "[1, 2, 3]", "latitude"),
        ("coordinates", "Berlin", "latitude"),
        ("language", "English (US)", "language"),
        ("url", "javascript:alert(1)", "url"),
        ("url", "http://a b", "url"),
        ("reply_to", "9" * 600 + "x", "reply_to"),
    ],
)
def test_a_wrong_optional_value_costs_the_value_and_not_the_row(
    tmp_path: Path, field: str, value: str, attribute: str
) -> None:
    post, set_aside = one(tmp_path, **{field: value})

    held: Any = post
    for name in attribute.split("."):
        held = getattr(held, name)
    assert held is None
    assert [aside.place for aside in set_aside] == ["line 2"]
    assert set_aside[0].reason.startswith(f'{STORED} without {field}: "{value[:20]}')
    assert value.encode() in set_aside[0].raw


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",hello,2026-01-01T00:00Z", "external_id is empty"),
        ("5.69587E+17,hello,2026-01-01T00:00Z", 'external_id "5.69587E+17" lost its last digits'),
        ("9" * 600 + ",hello,2026-01-01T00:00Z", "has 600 characters, at most 512"),
        ("1, ,2026-01-01T00:00Z", "the text is empty"),
        ("1,hello,", "posted_at is empty"),
        ("1,hello,yesterday", 'posted_at "yesterday" is no date we know'),
        ("1,hello,02/03/2026", "name its form"),
        ("1,hello,2026-01-01T00:00", "has no zone; name the zone"),
        ("1,hello", "2 cells where the header has 3"),
        ("1,hello,2026-01-01T00:00Z,x", "4 cells where the header has 3"),
        ("id,text,posted_at", "the line repeats the header"),
        ('1,"he"llo",2026-01-01T00:00Z', "a quote inside a quoted cell is not doubled"),
    ],
)
def test_a_row_that_cannot_be_stored_is_set_aside_and_the_rest_goes_in(tmp_path: Path, row: str, reason: str) -> None:
    config = written(tmp_path, f"{HEADER}a,before,2026-01-01T00:00Z\n{row}\nb,after,2026-01-01T00:00Z\n")
    found, set_aside = everything(config)

    assert [post.text for post in found] == ["before", "after"]
    assert [(aside.place, aside.raw.decode()) for aside in set_aside] == [("line 3", f"{row}\n")]
    assert reason in set_aside[0].reason


def test_a_text_that_is_too_long_is_cut_and_set_aside_whole(tmp_path: Path) -> None:
    text = "ä" * 1_000_000
    post, set_aside = one(tmp_path, text=text)

    assert post.text == text[:LONGEST_TEXT]
    assert text.encode() in set_aside[0].raw
    assert "without the text after its first 40000 characters (it has 1000000)" in set_aside[0].reason


def test_hostile_text_is_kept_readable(tmp_path: Path) -> None:
    post, _ = one(tmp_path, text="a\x00b \u202eevil\u202c <script>", author="\x00", place="\x00")

    assert post.text == "a\\u0000b \u202eevil\u202c <script>"
    assert "\x00" not in post.author.key + (post.place or "")


@pytest.mark.parametrize(
    ("value", "at"), [("0000-01-01 00:00:00", EARLIEST), ("9999-12-31T23:59:59Z", latest(NOW)), ("1e9", None)]
)
def test_an_instant_outside_our_range_is_clamped_and_kept(tmp_path: Path, value: str, at: datetime | None) -> None:
    config = written(tmp_path, f"{HEADER}1,a,{value}\n", zone="UTC")
    found, set_aside = everything(config)

    assert [(post.posted_at, post.posted_at_given) for post in found] == ([(at, value)] if at else [])
    assert len(set_aside) == (0 if at else 1)


def test_an_id_is_made_of_the_content_only_when_asked_for(tmp_path: Path) -> None:
    rows = "text,posted_at\na,2026-01-01T00:00Z\nb,2026-01-01T00:00Z\na,2026-01-01T00:00Z\n"
    with pytest.raises(InputError, match=r"external_id: name its column.* or id_from"):
        fetch(written(tmp_path, rows), None, now=NOW)
    found, _ = everything(written(tmp_path, rows, id_from="hash"))

    assert len({post.external_id for post in found}) == 2
    assert found[0].external_id == found[2].external_id


def test_texts_that_are_markup_are_reduced_when_said_so(tmp_path: Path) -> None:
    rows = f"{HEADER}1,<p>Fish &amp; chips</p>,2026-01-01T00:00Z\n"

    assert everything(written(tmp_path, rows))[0][0].text == "<p>Fish &amp; chips</p>"
    assert everything(written(tmp_path, rows, text_is="html"))[0][0].text == "Fish & chips"


# Which column means what


def test_well_known_names_are_guessed_and_it_is_said(tmp_path: Path) -> None:
    config = written(tmp_path, "Tweet ID,Full Text,Created At,Retweet Count,source\n1,a,2026-01-01T00:00Z,7,web\n")
    found, _ = everything(config)

    assert (found[0].external_id, found[0].text, found[0].counts.reposts) == ("1", "a", 7)
    assert 'reposts: column "Retweet Count" (guessed from its name)' in explained(config)
    assert 'network: always "x"' in explained(config)


def test_once_a_column_is_named_nothing_optional_is_guessed(tmp_path: Path) -> None:
    rows = "id,text,posted_at,likes,author\n1,a,2026-01-01T00:00Z,7,ann\n"
    found, _ = everything(written(tmp_path, rows, columns={**COLUMNS, "author": "author"}))

    assert (found[0].author.key, found[0].counts.likes) == ("ann", None)


@pytest.mark.parametrize(
    ("header", "columns", "reason"),
    [
        ("id,text,posted_at", {}, r'network: name its column, or one network for all rows, e.g. network = "x"'),
        ("id,text,when", COLUMNS, r"posted_at: name its column; the file has: id, text, when"),
        ("id,texts,posted_at", COLUMNS, r'text: name its column \(did you mean "texts"\?\)'),
        ("id,body,posted_at", {**COLUMNS, "text": "bodi"}, r'no column "bodi" \(did you mean "body"\?\); the file has'),
        ("id,text,text,posted_at", {**COLUMNS, "text": "text"}, r'2 columns "text"; give them different names'),
        ("id,text,posted_at", {"network": "=myspace"}, r'no network "myspace"; known: bluesky'),
        ("id;text;posted_at", COLUMNS, r"one column .*name delimiter = ';'"),
    ],
)
def test_a_mapping_that_does_not_fit_names_the_way_out(
    tmp_path: Path, header: str, columns: dict[str, str], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        fetch(written(tmp_path, f"{header}\n", columns=columns), None, now=NOW)


def test_a_file_whose_first_instant_has_no_zone_is_asked_about_before_all_of_it_is_set_aside(tmp_path: Path) -> None:
    config = written(tmp_path, f"{HEADER}1,a,2026-01-01 10:00\n")

    with pytest.raises(InputError, match=r"line 2: posted_at .*name the zone"):
        fetch(config, None, now=NOW)


def test_a_toml_beside_the_file_says_how_it_is_read_and_the_config_wins(tmp_path: Path) -> None:
    config = written(tmp_path, "nr;said;at;who\n1;a;22.02.2026 10:00;United\n", columns={"author": "who"})
    (tmp_path / "posts.toml").write_text(
        'zone = "Europe/Berlin"\ndelimiter = ";"\nposted_at_form = "%d.%m.%Y %H:%M"\n[brands]\nUnited = "ua"\n'
        '[columns]\nnetwork = "x"\nexternal_id = "nr"\ntext = "said"\nposted_at = "at"\n'
        'author = "nobody"\nbrand = "who"\n'
    )
    found, _ = everything(config)

    assert (found[0].posted_at.hour, found[0].author.key, found[0].brand) == (9, "united", "ua")


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("zone = 3 3", "posts.toml cannot be read"),
        ('zone = "Mars/North"', 'posts.toml: zone: .*no zone "Mars/North"'),
        ('zoen = "UTC"', "posts.toml: zoen"),
        ('[columns]\ntexte = "a"', r'no field "texte" \(did you mean "text"\?\)'),
    ],
)
def test_a_wrong_toml_is_named_with_its_fault(tmp_path: Path, toml: str, reason: str) -> None:
    config = written(tmp_path, HEADER)
    (tmp_path / "posts.toml").write_text(toml)

    with pytest.raises(InputError, match=reason):
        fetch(config, None, now=NOW)


def test_flags_name_columns_and_settings_alike(tmp_path: Path) -> None:
    config = config_from(tmp_path / "a.csv", {"text": "body", "network": "x", "zone": "UTC"})

    assert (config.columns, config.zone) == ({"text": "body", "network": "x"}, "UTC")
    assert describe(config) == "file a.csv, zone UTC"
    with pytest.raises(InputError, match=r'no field or setting "zon" \(did you mean "zone"\?\)'):
        config_from(tmp_path / "a.csv", {"zon": "UTC"})
    with pytest.raises(InputError, match=r'the flags: zone: .*no zone "X"'):
        config_from(tmp_path / "a.csv", {"zone": "X"})


def test_a_config_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r'no field "txt" \(did you mean "text"\?\)'):
        Config(path=tmp_path, columns={"txt": "a"})
    with pytest.raises(ValidationError, match="is no form"):
        Config(path=tmp_path, posted_at_form="dd.mm.yyyy")


# JSON Lines


def lines(*objects: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in objects)


def test_json_lines_are_read_inside_their_objects(tmp_path: Path) -> None:
    row = {
        "id": 1234567890123456789,
        "text": "a\nb",
        "created_at": 1318965755,
        "user": {"screen_name": "Ann", "followers": 7},
        "geo": {"coordinates": [52.5, 13.4]},
        "likes": None,
        "reposts": 0,
    }
    named = {"author": "user.screen_name", "followers": "user.followers", "coordinates": "geo.coordinates"}
    config = written(
        tmp_path, lines(row), "a.jsonl", columns={**COLUMNS, **named, "likes": "likes", "reposts": "reposts"}
    )
    (post,), set_aside = everything(config)

    assert set_aside == []
    assert (post.external_id, post.text, post.posted_at.year) == ("1234567890123456789", "a\nb", 2011)
    assert (post.author.key, post.author.followers, post.latitude) == ("ann", 7, 52.5)
    assert (post.counts.likes, post.counts.reposts) == (None, 0)


def test_a_json_field_that_few_posts_have_may_be_missing_at_first(tmp_path: Path) -> None:
    rows = [{"id": n, "text": "a", "date": "2026-01-01T00:00Z"} for n in range(150)]
    rows[140]["reply_to"] = 3
    config = written(tmp_path, lines(*rows), "a.ndjson", columns={**COLUMNS, "reply_to": "reply_to"})

    assert [post.external_id for post in everything(config)[0] if post.reply_to == "3"] == ["140"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "2", "text": ', "malformed JSON"),
        ("[1, 2]", "the line is JSON, but no object: [1, 2]"),
        ("[" * 100_000, "malformed JSON: nested too deeply"),
        ('{"id": 123456789012345678901234567890, "text": "a", "posted_at": 1318965755}', "lost its last digits"),
        ('{"id": true, "posted_at": 1318965755}', "the text is empty"),
    ],
)
def test_a_json_line_that_is_no_post_is_set_aside(tmp_path: Path, line: str, reason: str) -> None:
    good = lines({"id": "1", "text": "a", "posted_at": "2026-01-01T00:00Z"})
    found, set_aside = everything(written(tmp_path, f"{good}{line}\n\n{good}", "a.jsonl"))

    assert len(found) == 2
    assert [aside.place for aside in set_aside] == ["line 2"]
    assert reason in set_aside[0].reason


def test_half_a_character_and_no_number_in_json_are_borne(tmp_path: Path) -> None:
    row = '{"id": "1", "text": "a \\ud800 b", "posted_at": "2026-01-01T00:00Z", "likes": NaN}\n'
    (post,), (aside,) = everything(written(tmp_path, row, "a.jsonl", columns={**COLUMNS, "likes": "likes"}))

    assert (post.text, post.counts.likes) == ("a \\ud800 b", None)
    assert 'likes: "nan"' in aside.reason


# Bytes


ROW = "1,Grüße aus Köln,2026-01-01T00:00Z\r\n2,\u0a0a\u0d0a \u010a,2026-01-01T00:00Z\r\n"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-32", "utf-32"),
    ],
)
def test_texts_are_the_same_in_every_encoding_and_page_size(tmp_path: Path, encoding: str, named: str) -> None:
    config = written(tmp_path, (HEADER + ROW * 3).encode(encoding), encoding=named, page_rows=1)
    found, set_aside = everything(config)

    assert set_aside == []
    assert [post.text for post in found] == ["Grüße aus Köln", "\u0a0a\u0d0a \u010a"] * 3


def test_other_encodings_are_read_only_when_named(tmp_path: Path) -> None:
    content = f"{HEADER}1,Köln,2026-01-01T00:00Z\n2,Bonn,2026-01-01T00:00Z\n".encode("cp1252")
    found, set_aside = everything(written(tmp_path, content))

    assert [post.text for post in found] == ["Bonn"]
    assert "byte 0xF6 in line 2 is not UTF-8; name the file's encoding" in set_aside[0].reason
    assert set_aside[0].raw == content.splitlines(keepends=True)[1]
    assert [post.text for post in everything(written(tmp_path, content, encoding="cp1252"))[0]] == ["Köln", "Bonn"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_that_looks_like_utf_16_is_refused_with_the_way_out(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match="--encoding utf-16"):
        fetch(written(tmp_path, (HEADER + ROW).encode(encoding)), None, now=NOW)


@pytest.mark.parametrize("encoding", ["utf-9", "hex", "undefined", "\x00"])
def test_an_encoding_that_does_not_exist_is_named(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match="is not known"):
        fetch(written(tmp_path, HEADER, encoding=encoding), None, now=NOW)


def test_a_quote_that_is_never_closed_costs_its_row_alone(tmp_path: Path) -> None:
    rows = [f'{n},"text, {n}",2026-01-01T00:00Z\n' for n in range(500)]
    rows[100] = '100,"left open,2026-01-01T00:00Z\n'
    rows[300] = '300,"left open\nover lines,2026-01-01T00:00Z\n'
    found, set_aside = everything(written(tmp_path, HEADER + "".join(rows)))

    assert {post.external_id for post in found} == {str(n) for n in range(500)} - {"100", "300"}
    assert [aside.place for aside in set_aside] == ["line 102", "lines 302-303"]
    assert [aside.raw.decode() for aside in set_aside] == [rows[100], rows[300]]


@pytest.mark.parametrize("text", ["x", '"x'])
def test_an_open_quote_before_a_long_plain_rest_costs_its_row_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(records, "LONGEST_RECORD", 20_000)
    rows = [f"{n},plain {n},2026-01-01T00:00Z\n" for n in range(3_000)]
    rows[5] = f'5,"{text},2026-01-01T00:00Z\n'
    found, set_aside = everything(written(tmp_path, HEADER + "".join(rows)))

    assert len(found) == 2_999
    assert [(aside.place, aside.raw.decode()) for aside in set_aside] == [("line 7", rows[5])]


def test_a_last_row_that_is_cut_off_in_a_quote_is_set_aside(tmp_path: Path) -> None:
    found, set_aside = everything(written(tmp_path, f'{HEADER}1,a,2026-01-01T00:00Z\n2,"cut o'))

    assert [post.text for post in found] == ["a"]
    assert "the file ends before it closes" in set_aside[0].reason


def test_a_text_over_several_lines_is_one_row_and_its_place_names_them(tmp_path: Path) -> None:
    rows = f'{HEADER}1,"a\r\nb\n""c""",2026-01-01T00:00Z\r\n2,"d\ne",never\n'
    found, set_aside = everything(written(tmp_path, rows, page_rows=1))

    assert [post.text for post in found] == ['a\r\nb\n"c"']
    assert [(aside.place, aside.raw) for aside in set_aside] == [("lines 5-6", b'2,"d\ne",never\n')]


def test_a_line_without_end_is_passed_over_and_its_place_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LONGEST_RECORD", 10_000)
    monkeypatch.setattr(records, "_LONGEST_LINE", 10_004)
    rows = f"{HEADER}1,{'x' * 95_000},2026-01-01T00:00Z\n2,b,2026-01-01T00:00Z\n3,\n"
    found, set_aside = everything(written(tmp_path, rows))

    assert [post.text for post in found] == ["b"]
    assert [aside.place for aside in set_aside] == ["line 2", "line 4"]
    assert "a line of 95021 bytes" in set_aside[0].reason
    assert f"at byte {len(HEADER)} of the file" in set_aside[0].reason


# Where it goes on


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
    import tracemalloc

    row = "1,{},2026-01-01T00:00Z\n".format("x" * 200)
    config = written(tmp_path, HEADER + row * 100_000)
    tracemalloc.start()
    page = fetch(config, None, now=NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(page.found) == 1_000
    assert config.path.stat().st_size > 20_000_000
    assert most < 5_000_000


# Real files


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
