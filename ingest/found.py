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
    rules decide; `simulated` posts come from the simulated network.
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


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that could not become a post as it stands: its bytes, where it stood ("line 17") and why."""

    place: str
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a source: what came, where the source stands after it, and what the ledger must know.

    `cursor` is stored in the transaction that stores the page. `more` asks for the next page at once.
    `progress` is 0..1 for a source with an end, None for one without; `done` ends the source for good.
    `window` is the span of posted_at that was asked for, where the network lets us say so.
    """

    found: tuple[Found, ...]
    cursor: Cursor | None
    set_aside: tuple[SetAside, ...] = ()
    more: bool = False
    done: bool = False
    progress: float | None = None
    window: tuple[datetime, datetime] | None = None
    cost: float = 0.0
    rate_left: float | None = None
    next_due_seconds: float | None = None
