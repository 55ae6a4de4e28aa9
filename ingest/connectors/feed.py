"""RSS and Atom: asked with ETag and Last-Modified, bounded in time and size, every text reduced from markup."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest.door import LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, Instant, clamp, safe_text
from ingest.download import Answer, download, retry_after, shown
from ingest.feed_entries import Crashed, Entries, Entry, TooSlow, read_entries, read_entries_within
from ingest.found import Author, Cursor, Found, Page, SetAside
from ingest.html_text import html_text, line_of
from models.database import EARLIEST, latest
from models.errors import ConnectorError

EVERY_SECONDS = 300.0
NETWORK: str | None = "rss"
PAGE_ENTRIES = 1_000
# Two addresses of 12 s at most and this are less than the lease of a source: longer, and another worker would take it.
PARSE_SECONDS = 5.0
# More markup than any text of LONGEST_TEXT needs; the whole of it is set aside when it is cut.
LONGEST_MARKUP = 400_000
LONGEST_URL = 2_000
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_GLOBAL_ID = re.compile(r"(?:https?://|tag:|urn:)\S+", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"\\^`{|}\x00-\x20]+", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
_LONGEST_LANGUAGE = 16
_WEB_PAGE = re.compile(rb"<!doctype\s+html|<html[\s>]|<body[\s>]", re.IGNORECASE)
_VALIDATORS = ("etag", "modified")
_WORDS = {
    401: "asks for a password",
    403: "refuses to be read by us",
    404: "is not there; look for its new address",
    410: "is gone for good",
}


class Config(BaseModel):
    """Which feed. `language` (BCP 47) wins over what the feed says of itself, since many keep a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(max_length=LONGEST_URL)
    language: str | None = None
    seconds: float = Field(default=10.0, gt=0, le=12)
    largest_bytes: int = Field(default=10_000_000, ge=1_000, le=100_000_000)

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        value = value.strip()
        if not _WEB_ADDRESS.fullmatch(value) or not urlsplit(value).hostname:
            raise ValueError(f'"{value[:80]}" is no address of the web; http:// or https://')
        return value

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str | None) -> str | None:
        if value is not None and (language := _language(value)) is None:
            raise ValueError(f'"{value}" is no language; e.g. en, de, pt-br')
        return language if value is not None else None


def describe(config: Config) -> str:
    """One line for lists of sources, without a password."""
    return f"feed {shown(config.url)}"


def fetch(config: Config, cursor: Cursor | None, *, now: datetime) -> Page:
    """The feed's entries if it changed since the cursor, else a quiet page; long feeds 1,000 entries a page.

    The cursor holds etag, modified, the hash of the body, how many entries of it are taken, and the address
    the feed moved to for good. Raises ConnectorError.
    """
    before = dict(cursor or {})
    if before.get("of") != config.url:
        before = {"of": config.url}
    answer = _asked(config, before)
    if answer.status == 304:
        return Page((), _moved(before, answer))
    if answer.status != 200:
        raise _refusal(answer, now=now)
    digest = hashlib.sha256(answer.body).hexdigest()
    same = before.get("body") == digest
    taken = int(before.get("taken", 0)) if same else 0
    after = _moved({**before, "body": digest}, answer)
    if same and before.get("whole"):
        return Page((), {**after, **_validators(answer)})
    headers = {**answer.headers, "content-location": answer.url}
    entries = _entries(config, answer.body, headers)
    found, set_aside = _posts(entries, config.url, now=now, language=config.language, start=taken, most=PAGE_ENTRIES)
    taken = min(taken + PAGE_ENTRIES, len(entries.entries))
    whole = taken >= len(entries.entries)
    after |= {"taken": taken, "whole": whole}
    # The validators are kept when all is taken: a 304 would hide the rest.
    after = {**after, **_validators(answer)} if whole else {k: v for k, v in after.items() if k not in _VALIDATORS}
    return Page(found, after, set_aside, more=not whole)


def check(config: Config, *, now: datetime) -> str:
    """What the feed answers to being read once; ConnectorError where it cannot be read."""
    page = fetch(config, None, now=now)
    if not page.found:
        return f"{shown(config.url)} is a feed without entries so far"
    newest = max(post.posted_at for post in page.found)
    return f"{shown(config.url)} answers with {len(page.found)} entries, the newest of {newest:%d %b %Y %H:%M} UTC"


def parse(
    body: bytes, headers: Mapping[str, str], *, url: str, now: datetime, language: str | None = None
) -> tuple[tuple[Found, ...], tuple[SetAside, ...]]:
    """The posts of a feed fetched from `url`, and the entries nothing could be made of. Pure.

    A feed that the parser cannot get through is set aside whole.
    """
    entries = read_entries(body, {"content-location": url, **{name.lower(): value for name, value in headers.items()}})
    if entries.fault and not entries.is_feed:
        return (), (SetAside("feed", f"cannot be read: {safe_text(entries.fault)}", body),)
    return _posts(entries, url, now=now, language=language, start=0, most=len(entries.entries))


def _asked(config: Config, before: Mapping[str, object]) -> Answer:
    headers = {"Accept": _ACCEPT}
    for name, header in (("etag", "If-None-Match"), ("modified", "If-Modified-Since")):
        if before.get(name):
            headers[header] = str(before[name])
    url = str(before.get("url") or config.url)
    answer = download(url, headers, seconds=config.seconds, largest_bytes=config.largest_bytes)
    if url != config.url and answer.status in (404, 410):
        # The address it moved to is gone; the one that people know may lead elsewhere by now.
        return download(config.url, {"Accept": _ACCEPT}, seconds=config.seconds, largest_bytes=config.largest_bytes)
    return answer


def _moved(cursor: Mapping[str, object], answer: Answer) -> dict[str, object]:
    return {**cursor, "url": answer.moved_to} if answer.moved_to else dict(cursor)


def _validators(answer: Answer) -> dict[str, str | None]:
    names = zip(_VALIDATORS, ("etag", "last-modified"), strict=True)
    return {name: answer.headers.get(header, "")[:1_000] or None for name, header in names}


def _refusal(answer: Answer, *, now: datetime) -> ConnectorError:
    status, wait = answer.status, retry_after(answer.headers, now=now)
    words = _WORDS.get(status) or ("is asked too often" if status == 429 else "has a fault of its own")
    reason = f"{shown(answer.url)} {words} (status {status})"
    if status == 410:
        return ConnectorError(reason, permanent=True, kind="gone")
    if status == 401:
        return ConnectorError(reason, permanent=True, kind="dead_token")
    if status == 429:
        return ConnectorError(reason, retry_after=wait, kind="rate_limited")
    return ConnectorError(reason, retry_after=wait, kind="passing" if status >= 500 else "unknown")


def _entries(config: Config, body: bytes, headers: Mapping[str, str]) -> Entries:
    name = shown(config.url)
    try:
        entries = read_entries_within(PARSE_SECONDS, body, headers)
    except TooSlow:
        raise ConnectorError(
            f"{name} cannot be read within {PARSE_SECONDS:g} s: its markup is broken", kind="unknown"
        ) from None
    except Crashed as error:
        raise ConnectorError(f"{name} cannot be read: {error}", kind="unknown") from error
    if entries.is_feed:
        return entries
    if _WEB_PAGE.search(body[:10_000]):
        raise ConnectorError(f"{name} answered with a web page, not a feed; look for its RSS link", kind="unknown")
    raise ConnectorError(f"{name} answered with no feed: {entries.fault or 'the answer is empty'}", kind="unknown")


def _posts(
    entries: Entries, url: str, *, now: datetime, language: str | None, start: int, most: int
) -> tuple[tuple[Found, ...], tuple[SetAside, ...]]:
    found: list[Found] = []
    set_aside: list[SetAside] = []
    for place, entry in enumerate(entries.entries[start : start + most], start + 1):
        text, whole = _text(entry)
        if not text:
            reason = "the entry has neither title nor text"
            set_aside.append(SetAside(f"entry {place}", reason, _raw(entry)))
            continue
        if not whole:
            reason = f"stored without the text after its first {LONGEST_TEXT} characters"
            set_aside.append(SetAside(f"entry {place}", reason, _raw(entry)))
        found.append(_post(entry, entries, text, url=url, now=now, language=language))
    return tuple(found), tuple(set_aside)


def _post(entry: Entry, feed: Entries, text: str, *, url: str, now: datetime, language: str | None) -> Found:
    instant = _instant(entry, now)
    given = safe_text(entry.instant_given)[:LONGEST_NAME] if instant.given is not None else None
    link = entry.link if _WEB_ADDRESS.fullmatch(entry.link) and len(entry.link) <= LONGEST_URL else None
    return Found(
        network="rss",
        external_id=_identity(entry, text, url),
        posted_at=instant.at,
        text=text,
        author=_author(entry, feed, url),
        kind="article",
        url=safe_text(link) if link else None,
        language=language or _language(entry.language) or _language(feed.language),
        media=_media(entry),
        posted_at_given=given,
    )


def _text(entry: Entry) -> tuple[str, bool]:
    """Title and body as one text, and whether it is all of it."""
    title = line_of(safe_text(entry.title)[:LONGEST_MARKUP])
    body = html_text(safe_text(entry.body)[:LONGEST_MARKUP])
    text = body if body.startswith(title) else " — ".join(filter(None, (title, body)))
    whole = len(text) <= LONGEST_TEXT and max(len(entry.title), len(entry.body)) <= LONGEST_MARKUP
    return text[:LONGEST_TEXT].strip(), whole


def _identity(entry: Entry, text: str, url: str) -> str:
    """The entry's own id, made unique among feeds: a guid of "17" says nothing outside its feed."""
    given = safe_text(entry.id.strip())
    if given:
        identity = given if _GLOBAL_ID.fullmatch(given) else f"{shown(url)}#{given}"
    else:
        identity = safe_text(entry.link.strip())
    if identity and len(identity) <= LONGEST_ID:
        return identity
    # Without a date: one that has none is dated by when we look.
    content = identity or "\x00".join((shown(url), text, entry.instant_given))
    return "sha256:" + hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()


def _author(entry: Entry, feed: Entries, url: str) -> Author:
    """Who wrote it. A name is one person's within its feed's host only; without one, the host speaks."""
    host = urlsplit(url).hostname or ""
    name = line_of(safe_text(entry.author or feed.author)[:LONGEST_MARKUP])[:LONGEST_NAME]
    if name:
        return Author(f"{host}/{name.casefold()}"[:LONGEST_ID], None, name)
    return Author(host[:LONGEST_ID], None, line_of(safe_text(feed.title)[:LONGEST_MARKUP])[:LONGEST_NAME] or host)


def _instant(entry: Entry, now: datetime) -> Instant:
    """When it was published; now where the entry does not say, keeping a date that cannot be read as it was given."""
    if entry.instant is None:
        return Instant(now.astimezone(UTC), entry.instant_given or None)
    year, month, day, hour, minute, second = entry.instant
    try:
        # A leap second is written as 60, which no clock of ours has.
        return clamp(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC), now)
    except ValueError:
        return Instant(EARLIEST if year < 1 else latest(now), entry.instant_given)


def _language(given: str) -> str | None:
    language = given.strip().lower().replace("_", "-")
    usable = len(language) <= _LONGEST_LANGUAGE and _LANGUAGE.fullmatch(language) and language != "und"
    return language if usable else None


def _media(entry: Entry) -> tuple[tuple[str, str], ...]:
    kinds = []
    for kind, title in entry.media:
        medium = kind.partition("/")[0].strip().lower()
        kinds.append(
            (medium if medium in ("image", "video", "audio") else "file", line_of(safe_text(title))[:LONGEST_NAME])
        )
    return tuple(dict.fromkeys(kinds))[:16]


def _raw(entry: Entry) -> bytes:
    return json.dumps(asdict(entry)).encode()
