"""What becomes of the cells of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.connectors.file import STORED, fetch
from ingest.door import LONGEST_TEXT
from models.database import EARLIEST, latest
from models.errors import InputError
from tests.written_files import COLUMNS, HEADER, NOW, everything, one, written


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
