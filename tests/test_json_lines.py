"""JSON Lines as rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.written_files import COLUMNS, everything, written


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
