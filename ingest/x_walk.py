"""Where a source of X stands: walks through the pages of a window, newest first, that overlap the walk before. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.x_posts import earlier, instant_of

# Recent search reaches back so far; a minute less, since their clock is not ours.
RECENT = timedelta(days=7) - timedelta(minutes=1)
# How long the screen says that pages went round in a circle, before the source goes on.
SAID_FOR = timedelta(minutes=1)
MOST_PAGES = 2_000


@dataclass(frozen=True, slots=True)
class Walk:
    """One way through a window. Exactly one of `since_id` and `start` bounds it below; `token` names the next page.

    `covers_from` .. `covers_to` is the span of posted_at that will have been asked for at its end; `newest` is the
    largest id met so far; `seen` are hashes of the tokens used.
    """

    since_id: int | None
    start: datetime | None
    covers_from: datetime
    covers_to: datetime
    token: str | None = None
    newest: int | None = None
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Where the source stands after a page: its cursor, whether to go on at once, the span that is covered now."""

    cursor: dict[str, Any]
    more: bool
    window: tuple[datetime, datetime]


def begun(
    cursor: Mapping[str, Any], *, now: datetime, overlap_seconds: float, history_hours: float, only_recent: bool
) -> Walk:
    """The walk the cursor is in, else a new one: since the newest post known, less the overlap, since posts surface
    late; from `history_hours` ago the first time. `only_recent` is true of search, which reaches back 7 days."""
    if "walk" in cursor:
        return _stored(cursor["walk"])
    if "read_to" not in cursor:
        start = now - timedelta(hours=history_hours)
        return Walk(None, start, start, now)
    read_to = datetime.fromisoformat(cursor["read_to"]) - timedelta(seconds=overlap_seconds)
    since = earlier(int(cursor["since_id"]), overlap_seconds) if "since_id" in cursor else None
    if since is None or (only_recent and (instant_of(since) or now - RECENT) <= now - RECENT):
        # Nobody spoke for a week: X would refuse the id, though nothing was missed since the last walk.
        start = max(read_to, now - RECENT)
        return Walk(None, start, start, now)
    return Walk(since, None, read_to, now)


def from_the_start(walk: Walk) -> Walk:
    """The same walk from its first page, where X does not know the page's token any more."""
    return replace(walk, token=None, seen=())


def by_time(walk: Walk, now: datetime) -> Walk:
    """The same walk bounded by time, where X refuses its id or instant as too old; what is missed is not covered."""
    start = max(walk.covers_from, now - RECENT)
    return replace(walk, since_id=None, start=start, covers_from=start, token=None, seen=())


def stepped(cursor: Mapping[str, Any], walk: Walk, *, newest: int | None, token: str | None, now: datetime) -> Step:
    """The step after a page of `walk` whose largest id is `newest` and which names `token` as the next page.

    A token that was used before ends the walk: its pages go round in a circle. What is older was not read, so nothing
    is covered, and the cursor holds the sentence that `fault` says next time.
    """
    kept = {name: value for name, value in cursor.items() if name not in ("walk", "fault")}
    seen = (*walk.seen, _hash(walk.token)) if walk.token else walk.seen
    largest = max((identity for identity in (walk.newest, newest) if identity is not None), default=None)
    nothing = (walk.covers_to, walk.covers_to)
    circles = token is not None and _hash(token) in seen
    if token is not None and not circles and len(seen) < MOST_PAGES:
        following = replace(walk, token=token, newest=largest, seen=seen)
        return Step({**kept, "walk": _storable(following)}, True, nothing)
    known = int(kept["since_id"]) if "since_id" in kept else None
    since = max((identity for identity in (known, largest) if identity is not None), default=None)
    kept["read_to"] = walk.covers_to.isoformat()
    if since is not None:
        kept["since_id"] = str(since)
    if token is None:
        return Step(kept, False, (walk.covers_from, walk.covers_to))
    pages = f"page {len(seen) + 1} of the answer leads " + ("back to one before it" if circles else "ever further")
    kept["fault"] = {
        "reason": f"X goes round in a circle: {pages}; posts from before that page were not read",
        "until": (now + SAID_FOR).isoformat(),
    }
    return Step(kept, True, nothing)


def fault(cursor: Mapping[str, Any], now: datetime) -> tuple[str, float] | None:
    """The sentence that is still to be said of the walk before and for how many seconds, or None."""
    said = cursor.get("fault")
    if said is None:
        return None
    left = (datetime.fromisoformat(said["until"]) - now).total_seconds()
    return (said["reason"], left) if 0 < left <= SAID_FOR.total_seconds() else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _storable(walk: Walk) -> dict[str, Any]:
    return {
        "since_id": None if walk.since_id is None else str(walk.since_id),
        "start_time": None if walk.start is None else walk.start.isoformat(),
        "covers_from": walk.covers_from.isoformat(),
        "covers_to": walk.covers_to.isoformat(),
        "next_token": walk.token,
        "newest_id": None if walk.newest is None else str(walk.newest),
        "seen": list(walk.seen),
    }


def _stored(given: Mapping[str, Any]) -> Walk:
    return Walk(
        since_id=None if given["since_id"] is None else int(given["since_id"]),
        start=None if given["start_time"] is None else datetime.fromisoformat(given["start_time"]),
        covers_from=datetime.fromisoformat(given["covers_from"]),
        covers_to=datetime.fromisoformat(given["covers_to"]),
        token=given["next_token"],
        newest=None if given["newest_id"] is None else int(given["newest_id"]),
        seen=tuple(given["seen"]),
    )
