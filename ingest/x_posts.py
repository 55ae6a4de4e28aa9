"""Answers of the X API v2 as posts: what is there, what is gone, what is set aside, what it costs. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from ingest.door import LONGEST_NAME, LONGEST_TEXT, Instant, clamp, safe_count, safe_text
from ingest.found import Author, Counts, Found, Gone, SetAside

NETWORK = "x"
# The ids of X hold the millisecond since this instant above their lowest 22 bits.
ID_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)
ID_LOW_BITS = 22
# The first id that was made so; older ones were counted.
FIRST_TIMED_ID = 29_700_859_247
# A place that is wider says nothing of where in it the post was made (degrees).
WIDEST_PLACE = 1.5
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_ESCAPED = re.compile("&(?:amp|lt|gt);")
_PLAIN = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_REPOST = re.compile(r"RT @[A-Za-z0-9_]{1,20}: ", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})?")
# Not languages: undetermined, art, and X's words for mentions, tags, links, media or too little text.
_NO_LANGUAGE = frozenset(("und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"))
_MEDIA = {"photo": "image", "video": "video", "animated_gif": "video"}
_KINDS = (("retweeted", "repost"), ("replied_to", "reply"), ("quoted", "quote"))
_GONE = {"resource-not-found": "deleted", "not-authorized-for-resource": "protected"}
_GONE_TITLES = {"Not Found Error": "deleted", "Authorization Error": "protected"}


@dataclass(frozen=True, slots=True)
class Read:
    """One answer, read. `versions` maps a post to the id of its newest version where that is not the one here.

    `ids` are all ids of the page's own posts, for the cursor; `newest` the largest of them.
    """

    found: tuple[Found, ...]
    gone: tuple[Gone, ...]
    set_aside: tuple[SetAside, ...]
    versions: Mapping[str, str]
    ids: frozenset[str]

    @property
    def newest(self) -> int | None:
        """The largest id of the page; the order in which posts come says nothing."""
        return max(map(int, self.ids), default=None)


class _Unreadable(ValueError):
    """Nothing can be made of it; the message says why."""


def read(answer: Mapping[str, Any], *, now: datetime, asked: Mapping[str, str] | None = None) -> Read:
    """The posts of an answer. `asked` maps the ids that were looked up to the posts they are of (mostly themselves);
    an error about one of them says that it is gone, any other error is set aside."""
    included = _Included(answer.get("includes"))
    found: dict[str, tuple[int, Found]] = {}
    gone: dict[str, Gone] = {}
    aside: list[SetAside] = []
    newest: dict[str, str] = {}
    ids: set[str] = set()
    for place, item in enumerate(_items(answer.get("data")), 1):
        identity = _id(item.get("id")) if isinstance(item, dict) else None
        if identity is not None:
            ids.add(identity)
        try:
            post = _post(item, included, now=now)
        except _Unreadable as fault:
            aside.append(SetAside(f"post {identity or place}", str(fault), _raw(item), NETWORK, identity))
            continue
        if isinstance(post, Gone):
            gone[post.external_id] = post
            continue
        if len(_text(item)) > LONGEST_TEXT:
            reason = f"stored without the text after its first {LONGEST_TEXT} characters"
            aside.append(SetAside(f"post {identity}", reason, _raw(item), NETWORK, post.external_id))
        version = int(identity or 0)
        if post.external_id not in found or found[post.external_id][0] < version:
            found[post.external_id] = (version, post)
        newest[post.external_id] = _history(item)[-1]
    for error in _items(answer.get("errors")):
        lost = _gone(error, asked or {})
        if lost is not None and lost.external_id not in found:
            gone.setdefault(lost.external_id, lost)
        elif lost is None:
            aside.append(_error(error))
    versions = {post: last for post, last in newest.items() if int(last) > found[post][0]}
    return Read(tuple(post for _, post in found.values()), tuple(gone.values()), tuple(aside), versions, frozenset(ids))


def charged(answer: Mapping[str, Any], *, owner: str | None = None) -> frozenset[tuple[str, str]]:
    """What X charges for an answer, once a UTC day each: (unit, id) of the posts and users in it, expanded ones too.

    `owner` is the account whose keys ask, whose own posts and profile are charged less.
    """
    included = _Included(answer.get("includes"))
    posts: set[str] = set()
    users: set[str] = set()
    own: set[str] = set()
    for item in _items(answer.get("data")):
        identity = _id(item.get("id")) if isinstance(item, dict) else None
        if identity is None:
            continue
        author = _id(item.get("author_id"))
        (own if owner is not None and author == owner else posts).add(identity)
        posts.update(ref for ref in _references(item).values() if ref in included.posts)
        if author is not None and author in included.users:
            users.add(author)
    if owner in users:
        users.discard(str(owner))
        own.add(f"user {owner}")
    read = {"post": posts - own, "user": users, "own": own}
    return frozenset((unit, identity) for unit, ids in read.items() for identity in ids)


def instant_of(identity: str | int) -> datetime | None:
    """When an id was made; None for those of before 2010, which hold no instant."""
    number = int(identity)
    if not FIRST_TIMED_ID <= number < 2**63:
        return None
    return ID_EPOCH + timedelta(milliseconds=number >> ID_LOW_BITS)


def earlier(identity: int, seconds: float) -> int:
    """The smallest id of so many seconds before another one."""
    return max(1, identity - (int(seconds * 1000) << ID_LOW_BITS))


class _Included:
    """What an answer includes beside its posts, by id."""

    def __init__(self, given: Any) -> None:
        includes = given if isinstance(given, dict) else {}
        self.users = _by(includes.get("users"), "id")
        self.posts = _by(includes.get("tweets"), "id")
        self.media = _by(includes.get("media"), "media_key")
        self.places = _by(includes.get("places"), "id")


def _by(items: Any, key: str) -> dict[str, Mapping[str, Any]]:
    return {str(item[key]): item for item in _items(items) if isinstance(item, dict) and item.get(key) is not None}


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _post(item: Any, included: _Included, *, now: datetime) -> Found | Gone:
    if not isinstance(item, dict):
        raise _Unreadable("it is no object")
    identity = _id(item.get("id"))
    if identity is None:
        raise _Unreadable("it has no id")
    first = _history(item)[0]
    text = _text(item)
    if not text.strip() and isinstance(item.get("withheld"), dict):
        return Gone(NETWORK, first, "withheld")
    if not text.strip() and not _media(item, included):
        raise _Unreadable("it has neither text nor media")
    author = _author(item, included)
    written = _instant(item.get("created_at"), identity, now)
    posted = written if first == identity else _instant(None, first, now, otherwise=written)
    references = _references(item)
    kind = next((word for key, word in _KINDS if key in references), "post")
    if kind == "repost":
        text = _reposted(text, included, references["retweeted"])
    latitude, longitude, place = _where(item, included)
    home = _line((included.users.get(author.key) or {}).get("location"))
    return Found(
        network=NETWORK,
        external_id=first,
        posted_at=posted.at,
        text=text[:LONGEST_TEXT],
        author=author,
        kind=kind,
        url=f"https://x.com/{author.handle or 'i'}/status/{identity}",
        reply_to=_target(references, "replied_to", included),
        language=_language(item.get("lang")),
        # What stands at a repost are the counts of the post it repeats.
        counts=Counts() if kind == "repost" else _counts(item.get("public_metrics")),
        place=place,
        latitude=latitude,
        longitude=longitude,
        media=_media(item, included),
        posted_at_given=safe_text(posted.given)[:LONGEST_NAME] if posted.given is not None else None,
        home=home,
        conversation=_id(item.get("conversation_id")),
        quote_of=_target(references, "quoted", included),
        repost_of=_target(references, "retweeted", included),
        edited_at=written.at if first != identity else None,
    )


def _id(value: Any) -> str | None:
    given = str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64 else value
    return given if isinstance(given, str) and _ID.fullmatch(given) else None


def _history(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of a post's versions, oldest first; an edit gives it a new one."""
    own = _id(item.get("id")) or ""
    given = item.get("edit_history_tweet_ids")
    ids = {identity for identity in map(_id, given if isinstance(given, list) else []) if identity is not None}
    return tuple(sorted(ids, key=int)) if own in ids else (own,)


def _text(item: Mapping[str, Any]) -> str:
    """The whole text, long ones too, with the three characters that X escapes."""
    note = item.get("note_tweet")
    whole = note.get("text") if isinstance(note, dict) else None
    return _plain(whole) or _plain(item.get("text"))


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return _ESCAPED.sub(lambda match: _PLAIN[match.group()], safe_text(value))


def _line(value: Any) -> str | None:
    return " ".join(_plain(value).split())[:LONGEST_NAME] or None


def _author(item: Mapping[str, Any], included: _Included) -> Author:
    key = _id(item.get("author_id"))
    if key is None:
        raise _Unreadable("it does not say who published it")
    user = included.users.get(key) or {}
    handle = user.get("username")
    metrics = user.get("public_metrics")
    followers = metrics.get("followers_count") if isinstance(metrics, dict) else None
    is_handle = isinstance(handle, str) and re.fullmatch(r"\w{1,50}", handle, re.ASCII)
    return Author(key, handle if is_handle else None, _line(user.get("name")), _count(followers))


def _instant(given: Any, identity: str, now: datetime, *, otherwise: Instant | None = None) -> Instant:
    """When it was written: as X says, else as the id says."""
    try:
        instant = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        instant = None
    if instant is None:
        instant = instant_of(identity)
    if instant is None:
        if otherwise is None:
            raise _Unreadable("it does not say when it was published")
        return otherwise
    return clamp(instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC), now)


def _references(item: Mapping[str, Any]) -> dict[str, str]:
    """The ids of the posts it is about, by what it does with them: replied_to, quoted, retweeted."""
    references: dict[str, str] = {}
    for reference in _items(item.get("referenced_tweets")):
        if isinstance(reference, dict) and (identity := _id(reference.get("id"))) is not None:
            references.setdefault(str(reference.get("type")), identity)
    return references


def _target(references: Mapping[str, str], kind: str, included: _Included) -> str | None:
    """The post that is answered, quoted or repeated, by the id it keeps through edits where that is known."""
    if kind not in references:
        return None
    identity = references[kind]
    return _history(included.posts[identity])[0] if identity in included.posts else identity


def _reposted(text: str, included: _Included, of: str) -> str:
    """X cuts the text of a repost; the whole one stands in what is included."""
    original = included.posts.get(of)
    whole = _text(original) if original is not None else ""
    if original is None or not whole:
        return text
    prefix = _REPOST.match(text)
    user = included.users.get(str(original.get("author_id"))) or {}
    handle = user.get("username")
    named = f"RT @{safe_text(handle)}: " if isinstance(handle, str) else ""
    return (prefix.group() if prefix else named) + whole


def _counts(given: Any) -> Counts:
    metrics = given if isinstance(given, dict) else {}
    return Counts(
        likes=_count(metrics.get("like_count")),
        replies=_count(metrics.get("reply_count")),
        reposts=_count(metrics.get("retweet_count")),
        impressions=_count(metrics.get("impression_count")),
    )


def _count(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # A whole number of a thousand digits is no float.
    return safe_count(value) if is_number and -(2**63) < value < 2**63 else None


def _language(value: Any) -> str | None:
    language = value.strip().lower() if isinstance(value, str) else ""
    return language if language not in _NO_LANGUAGE and _LANGUAGE.fullmatch(language) else None


def _media(item: Mapping[str, Any], included: _Included) -> tuple[tuple[str, str], ...]:
    attachments = item.get("attachments")
    keys = _items(attachments.get("media_keys")) if isinstance(attachments, dict) else []
    media = []
    for key in keys[:16]:
        known = included.media.get(str(key)) or {}
        media.append((_MEDIA.get(str(known.get("type")), "file"), _line(known.get("alt_text")) or ""))
    return tuple(media)


def _where(item: Mapping[str, Any], included: _Included) -> tuple[float | None, float | None, str | None]:
    """Latitude, longitude and place: the point, else the middle of a place that is small enough to have one."""
    geo = item.get("geo")
    if not isinstance(geo, dict):
        return None, None, None
    place = included.places.get(str(geo.get("place_id"))) or {}
    name = _line(place.get("full_name")) or _line(place.get("name"))
    point = geo.get("coordinates")
    numbers = _numbers(point.get("coordinates") if isinstance(point, dict) else None, 2)
    if numbers is None:
        box = place.get("geo")
        numbers = _middle(_numbers(box.get("bbox") if isinstance(box, dict) else None, 4))
    if numbers is None or abs(numbers[1]) > 90 or abs(numbers[0]) > 180:
        return None, None, name
    return numbers[1], numbers[0], name


def _middle(box: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """The middle of west, south, east, north, also where the box crosses the date line."""
    if box is None:
        return None
    west, south, east, north = box
    width = (east - west) % 360
    if width > WIDEST_PLACE or not 0 <= north - south <= WIDEST_PLACE:
        return None
    return (west + width / 2 + 180) % 360 - 180, (south + north) / 2


def _numbers(value: Any, length: int) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != length:
        return None
    if any(isinstance(n, bool) or not isinstance(n, int | float) or not abs(n) <= 360 for n in value):
        return None
    return tuple(float(n) for n in value) if all(map(math.isfinite, value)) else None


def _gone(error: Any, asked: Mapping[str, str]) -> Gone | None:
    """The post that an error says is gone, when it is one of those asked for."""
    if not isinstance(error, dict):
        return None
    identity = _id(error.get("resource_id")) or _id(error.get("value"))
    if identity is None or identity not in asked or error.get("resource_type", "tweet") != "tweet":
        return None
    word = str(error.get("type")).rpartition("/")[2]
    reason = _GONE.get(word) or _GONE_TITLES.get(str(error.get("title")))
    return Gone(NETWORK, asked[identity], reason) if reason is not None else None


def _error(error: Any) -> SetAside:
    """An error beside the posts: what X could not include, as a rule a post that another one answers."""
    given = error if isinstance(error, dict) else {}
    kind = _line(given.get("resource_type")) or "thing"
    identity = _id(given.get("resource_id")) or _id(given.get("value"))
    reason = _line(given.get("detail")) or _line(given.get("title")) or "X names an error that it does not explain"
    is_post = kind == "tweet" and identity is not None
    return SetAside(f"{kind} {identity or ''}".strip(), reason, _raw(error), NETWORK, identity if is_post else None)


def _raw(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()
