"""Edits: the newest text stands in the mention, every earlier one in `mention_version`, and the figures follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from ingest.pipeline import Enriched
from models.correction_fields import PERSON
from models.cube import Cells, packed_sentiment
from models.database import EARLIEST
from models.search_index import words_of
from models.tables.base import to_microseconds

COUNTS = ("likes", "replies", "reposts", "impressions")

MentionKey = tuple[int, int, str]
"""(brand, network, external id)."""


@dataclass(slots=True)
class Held:
    """A mention that is stored already, as far as a newer measurement or an edit of it matters."""

    id: int
    location_id: int
    team_id: int
    posted_at: int
    sentiment: int | None
    edited_at: int | None
    # Likes, replies, reposts, impressions.
    counts: tuple[int | None, ...]
    copy_id: int | None


def with_newer(first: Enriched, again: Enriched) -> Enriched:
    """A post that stands twice in a page: its newest edit, with what the later one says of its engagement."""
    said = {name: count for name in COUNTS if (count := getattr(again.post.counts, name)) is not None}
    counts = replace(first.post.counts, **said)
    text = again if _written(again) > _written(first) else first
    return replace(text, post=replace(text.post, counts=counts))


def _written(mention: Enriched) -> datetime:
    return mention.post.edited_at or EARLIEST


def rewrite(
    connection: Connection,
    known: Mapping[MentionKey, Enriched],
    held: Mapping[MentionKey, Held],
    cells: Cells,
    now: datetime,
) -> set[int]:
    """Apply the edits among `known`; returns the brands touched.

    Only what says when it was written is an edit, so that an old copy from a slower source never replaces a newer text;
    it is kept as the earlier version that it is.
    """
    touched = set()
    for key, mention in known.items():
        old = held[key]
        written = None if mention.post.edited_at is None else to_microseconds(mention.post.edited_at)
        if written == old.edited_at:
            continue
        stored = connection.execute(
            text(
                "select text, author_handle, author_name, sentiment_by from mention"
                " where brand_id = :brand and id = :id"
            ),
            {"brand": key[0], "id": old.id},
        ).one()
        if stored.text == mention.post.text:
            continue
        if written is None or (old.edited_at is not None and written < old.edited_at):
            _keep(connection, key[0], old.id, mention.post.text, written, now)
            continue
        _keep(connection, key[0], old.id, stored.text, old.edited_at, now)
        if stored.sentiment_by == PERSON:
            # What a person said of it is not overwritten by a model.
            mention = replace(mention, sentiment=old.sentiment, sentiment_score=None, sentiment_by=PERSON)
        _replace(connection, key, mention, old, stored, written)
        seconds = old.posted_at // 1_000_000
        if old.sentiment != mention.sentiment:
            packed = packed_sentiment(old.sentiment, mention.sentiment)
            cells.add(key[0], old.location_id, old.team_id, key[1], seconds, packed)
        touched.add(key[0])
    return touched


def _keep(connection: Connection, brand_id: int, mention_id: int, body: str, edited: int | None, now: datetime) -> None:
    """Keep an earlier text, once."""
    key = {"brand": brand_id, "id": mention_id}
    versions = connection.execute(
        text("select number, edited_at from mention_version where brand_id = :brand and mention_id = :id"), key
    ).all()
    if any(row.edited_at == edited for row in versions):
        return
    connection.execute(
        text(
            "insert into mention_version (brand_id, mention_id, number, text, edited_at, replaced_at)"
            " values (:brand, :id, :number, :text, :edited, :at)"
        ),
        {
            **key,
            "number": max((row.number for row in versions), default=0) + 1,
            "text": body,
            "edited": edited,
            "at": to_microseconds(now),
        },
    )


def _replace(
    connection: Connection, key: MentionKey, mention: Enriched, old: Held, stored: Any, written: int | None
) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        for values in (
            ("delete", old.id, stored.text, stored.author_handle, stored.author_name),
            (None, old.id, mention.post.text, stored.author_handle, stored.author_name),
        ):
            named = "mention_text, " if values[0] else ""
            connection.exec_driver_sql(
                f"insert into mention_text ({named}rowid, text, author_handle, author_name)"  # noqa: S608
                f" values ({'?, ' if values[0] else ''}?, ?, ?, ?)",
                values if values[0] else values[1:],
            )
    connection.execute(
        text(
            "update mention set text = :text, words = :words, language = :language, language_by = :language_by,"
            " sentiment = :sentiment, sentiment_score = :score, sentiment_by = :by, matched = :matched,"
            " edited_at = :edited where brand_id = :brand and id = :id"
        ),
        {
            "text": mention.post.text,
            "words": None if is_sqlite else words_of(mention.post.text, stored.author_handle),
            "language": mention.language,
            "language_by": mention.language_by,
            "sentiment": mention.sentiment,
            "score": mention.sentiment_score,
            "by": mention.sentiment_by,
            "matched": orjson.dumps(mention.matched).decode() if mention.matched else None,
            "edited": written,
            "brand": key[0],
            "id": old.id,
        },
    )
