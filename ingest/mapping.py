"""Which column of a file means what: named by a person, or guessed from well-known names.

A column is named by its header (CSV) or its key (JSON; `user.screen_name` goes inside). `network` may be a
known network instead of a column, and any field may be a constant written as "=value".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import InputError
from models.networks import BY_KEY

# The names that exports of networks and listening tools give each field, best first.
WELL_KNOWN: Mapping[str, tuple[str, ...]] = {
    "network": ("network", "platform", "social_network", "channel"),
    "external_id": (
        "external_id",
        "id_str",
        "tweet_id",
        "post_id",
        "status_id",
        "message_id",
        "comment_id",
        "id",
        "guid",
    ),
    "author": ("author", "screen_name", "username", "user_name", "handle", "user_screen_name", "author_id", "user"),
    "author_name": ("author_name", "display_name", "full_name", "name", "user_name"),
    "followers": ("followers", "followers_count", "follower_count", "author_followers", "user_followers_count"),
    "text": ("text", "full_text", "content", "message", "body", "tweet", "post", "comment", "caption", "selftext"),
    "posted_at": (
        *("posted_at", "created_at", "published_at", "tweet_created", "created_utc", "published", "created"),
        *("timestamp", "datetime", "date", "time"),
    ),
    "place": ("place", "location"),
    "coordinates": ("coordinates", "tweet_coord", "coord"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "likes": ("likes", "like_count", "favorite_count", "favourites_count", "likes_count", "score"),
    "replies": ("replies", "reply_count", "replies_count", "num_comments", "comments_count"),
    "reposts": ("reposts", "retweet_count", "repost_count", "share_count", "shares", "retweets", "reblogs_count"),
    "impressions": ("impressions", "impression_count", "view_count", "views"),
    "language": ("language", "lang"),
    "reply_to": (
        "reply_to",
        "in_reply_to_status_id_str",
        "in_reply_to_status_id",
        "in_reply_to_id",
        "in_response_to_tweet_id",
    ),
    "url": ("url", "link", "permalink", "permalink_url"),
    "brand": ("brand",),
    "home": ("home", "user_location", "tweet_location", "author_location"),
    "conversation": ("conversation", "conversation_id", "thread_id"),
}
FIELDS = tuple(WELL_KNOWN)
NECESSARY = ("network", "external_id", "text", "posted_at")


@dataclass(frozen=True, slots=True)
class Columns:
    """What each field is read from: `at` a column (its place in the header), or `constants`; the rest is silent.

    `guessed` are the fields whose column nobody named.
    """

    header: tuple[str, ...]
    at: Mapping[str, int]
    constants: Mapping[str, str]
    guessed: frozenset[str]

    def explained(self) -> tuple[str, ...]:
        """One line a field, for the person who imports: what it is read from, and whether that was guessed."""
        lines = [f'{field}: always "{value}"' for field, value in self.constants.items()]
        for field, at in self.at.items():
            guess = " (guessed from its name)" if field in self.guessed else ""
            lines.append(f'{field}: column "{self.header[at]}"{guess}')
        return tuple(lines)


def columns_of(header: Sequence[str], named: Mapping[str, str], *, hash_ids: bool = False) -> Columns:
    """The columns for `named` (field -> column, network or "=constant") in a file with this header.

    Fields that every post needs are guessed from well-known names where they are not named; the others
    only when no column is named at all. An empty name switches a field off. Raises InputError that names
    the columns there are.
    """
    names = tuple(name.strip() for name in header)
    at: dict[str, int] = {}
    constants: dict[str, str] = {}
    for field, name in named.items():
        if field not in FIELDS:
            raise InputError(f'columns: no field "{field}"{close_to(field, FIELDS)}; known: {", ".join(FIELDS)}')
        if field == "network" and name.strip().lower() in BY_KEY:
            constants[field] = name.strip().lower()
        elif name.startswith("="):
            constants[field] = name[1:].strip()
        elif name:
            at[field] = _position(field, name, names)
    if "network" in constants and constants["network"] not in BY_KEY:
        raise InputError(f'network: no network "{constants["network"]}"; known: {", ".join(sorted(BY_KEY))}')
    guessable = NECESSARY if at else FIELDS
    guessed = _guessed(names, [field for field in guessable if field not in named], set(at.values()))
    at.update(guessed)
    needed = [field for field in NECESSARY if not (field == "external_id" and hash_ids)]
    if missing := [field for field in needed if field not in at and field not in constants]:
        raise InputError(_missing(missing, names))
    return Columns(names, {field: at[field] for field in FIELDS if field in at}, constants, frozenset(guessed))


def _position(field: str, name: str, names: tuple[str, ...]) -> int:
    found = [at for at, other in enumerate(names) if other == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f'{field}: the header has {len(found)} columns "{name}"; give them different names')
    raise InputError(f'{field}: no column "{name}"{close_to(name, names)}; the file has: {_listed(names)}')


def _guessed(names: tuple[str, ...], fields: list[str], taken: set[int]) -> dict[str, int]:
    plain = [re.sub(r"[\W_]+", "_", name.lower()).strip("_") for name in names]
    guessed: dict[str, int] = {}
    for field in fields:
        for known in WELL_KNOWN[field]:
            if plain.count(known) == 1 and plain.index(known) not in taken:
                guessed[field] = plain.index(known)
                taken.add(plain.index(known))
                break
    return guessed


def _missing(fields: list[str], names: tuple[str, ...]) -> str:
    ways = []
    for field in fields:
        close = close_to(field, names) or next(
            filter(None, (close_to(known, names) for known in WELL_KNOWN[field])), ""
        )
        hint = f', or one network for all rows, e.g. network = "x" ({", ".join(BY_KEY)})' if field == "network" else ""
        hint = ', or id_from = "hash"' if field == "external_id" else hint
        ways.append(f"{field}: name its column{close}{hint}")
    return f"{'; '.join(ways)}; the file has: {_listed(names)}"


def close_to(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.lower(), {other.lower(): None for other in names}, n=2, cutoff=0.6)
    written = [other for other in names if other.lower() in close]
    return f" (did you mean {' or '.join(chr(34) + other + chr(34) for other in written)}?)" if written else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] or '""' for name in names[:40])
    return shown + (f" and {len(names) - 40} more" if len(names) > 40 else "")
