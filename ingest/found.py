"""What a connector hands over: posts as frozen, typed records, and the bytes it could not make one of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Cursor = Mapping[str, Any]
"""Where a source stands: plain JSON, owned by its connector, None before the first fetch."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who published. `key` is the network's own identity of the account, or the handle where it has none."""

    key: str
    handle: str | None = None
    name: str | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Engagement as the network says it: None where it is silent, 0 where it says zero."""

    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    impressions: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One post, normalised: instants aware and inside 2000 .. now + 1 day, text without NUL or lone surrogates.

    `network` is a key of models.networks; `kind` is post, reply, repost, quote, review or article;
    `language` is the network's own word (BCP 47, lower case) or None; `media` are kinds with their
    alt texts; `brand` is the key of a brand where a column of the file decides, else None and the
    rules decide.

    `external_id` stays the same through edits: where a network gives an edited post a new id, it is the first one.
    `edited_at` is when the text that is here was written, None for the first text. `conversation` is the root of the
    thread by the network's own word. `place`, `latitude` and `longitude` say where the post was made; `home` is where
    its author says to live.
    """

    network: str
    external_id: str
    posted_at: datetime
    text: str
    author: Author
    kind: str = "post"
    url: str | None = None
    reply_to: str | None = None
    language: str | None = None
    counts: Counts = field(default_factory=Counts)
    place: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    media: tuple[tuple[str, str], ...] = ()
    brand: str | None = None
    posted_at_given: str | None = None
    home: str | None = None
    conversation: str | None = None
    quote_of: str | None = None
    repost_of: str | None = None
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A post that its network no longer shows: `reason` is deleted, protected or withheld.

    Deleted and protected posts are emptied wherever they are stored; a withheld one stays (it is hidden in some
    countries only).
    """

    network: str
    external_id: str
    reason: str = "deleted"


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that could not become a post as it stands: its bytes, where it stood ("line 17") and why.

    `network` and `external_id` name the post it is of, where that can be read, so that its deletion finds the bytes.
    """

    place: str
    reason: str
    raw: bytes
    network: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a source: what came, where the source stands after it, and what the ledger must know.

    `cursor` is stored in the transaction that stores the page. `more` asks for the next page at once.
    `progress` is 0..1 for a source with an end, None for one without; `done` ends the source for good.
    `window` is the span of posted_at that was asked for, where the network lets us say so. `gone` are posts that were
    deleted or protected. `units` is what the network charges for, by the names of the price list of the settings:
    {"post": 100, "user": 80}; the cost is worked out from it. `charged` are (unit, id) of what is paid for once a UTC
    day however often it is read, and `payer` who pays it. `rate_left` is the share of the quota left, 0..1.
    """

    found: tuple[Found, ...]
    cursor: Cursor | None
    set_aside: tuple[SetAside, ...] = ()
    more: bool = False
    done: bool = False
    progress: float | None = None
    window: tuple[datetime, datetime] | None = None
    gone: tuple[Gone, ...] = ()
    units: Mapping[str, int] = field(default_factory=dict)
    charged: tuple[tuple[str, str], ...] = ()
    payer: str = ""
    rate_left: float | None = None
    next_due_seconds: float | None = None
