"""Records out of bytes: encodings, quotes, lines without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import records
from ingest.connectors.file import fetch
from models.errors import InputError
from tests.written_files import HEADER, NOW, everything, written

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
