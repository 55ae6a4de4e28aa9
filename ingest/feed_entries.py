"""What feedparser makes of a feed, as plain records; run as a program, it does that in a process of its own.

A hostile feed of 100 KB can keep the parser busy for minutes, and a thread that is busy cannot be stopped;
a process can. So this file imports nothing but the standard library and feedparser.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import feedparser

_MEMORY_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the feed has it, markup and all. `instant` is year .. second in UTC, read from `instant_given`.

    `media` are pairs of MIME type (or medium) and title.
    """

    id: str
    link: str
    title: str
    body: str
    author: str
    language: str
    instant: tuple[int, ...] | None
    instant_given: str
    media: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A feed: `version` is empty where the bytes are none; `fault` is what the parser stumbled over, if anything."""

    version: str
    title: str
    author: str
    language: str
    fault: str
    entries: tuple[Entry, ...]

    @property
    def is_feed(self) -> bool:
        """True for RSS, Atom and CDF, and for anything else that has entries."""
        return bool(self.version or self.entries)


class TooSlow(Exception):
    """The parser did not end in time."""


class Crashed(Exception):
    """The parser's process ended without an answer."""


def read_entries(body: bytes, headers: Mapping[str, str]) -> Entries:
    """The entries of a feed, the parser's own cleaning of markup left on. `headers` in lower case: content-type
    for the encoding, content-location for relative links."""
    try:
        # Wrapped, because bare bytes are first tried as the name of a file.
        parsed = feedparser.parse(io.BytesIO(body), response_headers=dict(headers))
        feed = parsed.feed
        return Entries(
            version=parsed.get("version") or "",
            title=_text(feed, "title"),
            author=_author(feed),
            language=_text(feed, "language"),
            fault=str(parsed.get("bozo_exception") or ""),
            entries=tuple(_entry(entry) for entry in parsed.entries),
        )
    except Exception as error:
        # Whatever a parser of half-broken markup raises is a fault of the feed, and says so.
        return Entries("", "", "", "", f"{type(error).__name__}: {error}", ())


def read_entries_within(seconds: float, body: bytes, headers: Mapping[str, str]) -> Entries:
    """`read_entries` in a process that is ended after `seconds`. Raises TooSlow or Crashed."""
    order = json.dumps({"headers": dict(headers), "seconds": seconds}).encode() + b"\n" + body
    try:
        done = subprocess.run(  # noqa: S603 - our own file, no shell
            [sys.executable, "-P", __file__],
            input=order,
            capture_output=True,
            timeout=seconds,
            env={**os.environ, "PYTHONUTF8": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooSlow from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit {done.returncode}"]
        raise Crashed(lines[-1][:200])
    answer = json.loads(done.stdout)
    entries = (Entry(**{**entry, "media": tuple(map(tuple, entry["media"]))}) for entry in answer.pop("entries"))
    return Entries(**answer, entries=tuple(entries))


def _entry(entry: Any) -> Entry:
    contents = [content for content in dict.get(entry, "content") or () if _text(content, "value")]
    summary = dict.get(entry, "summary_detail") or {}
    title = dict.get(entry, "title_detail") or {}
    body = max((_text(content, "value") for content in contents), key=len, default="") or _text(entry, "summary")
    given, instant = "", None
    # Plain dict access: the parser's own answers "published" when asked for "updated", and warns.
    for name in ("published", "updated", "created"):
        given = given or _text(entry, name)
        if instant is None and (parsed := dict.get(entry, f"{name}_parsed")):
            given, instant = _text(entry, name) or given, tuple(int(part) for part in parsed[:6])
    return Entry(
        id=_text(entry, "id"),
        link=_text(entry, "link"),
        title=_text(entry, "title"),
        body=body,
        author=_author(entry),
        language=next(filter(None, (_text(part, "language") for part in (*contents, summary, title))), ""),
        instant=instant,
        instant_given=given,
        media=_media(entry),
    )


def _author(holder: Any) -> str:
    detail = dict.get(holder, "author_detail") or {}
    return _text(detail, "name") or _text(holder, "author")


def _media(entry: Any) -> tuple[tuple[str, str], ...]:
    links = [link for link in dict.get(entry, "links") or () if _text(link, "rel") == "enclosure"]
    media = [part for part in dict.get(entry, "media_content") or () if isinstance(part, dict)]
    return tuple((_text(part, "type") or _text(part, "medium"), _text(part, "title")) for part in (*links, *media))


def _text(holder: Any, name: str) -> str:
    value = dict.get(holder, name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else ""


def main() -> None:
    """Read an order (a line of JSON, then the feed) from standard input, answer with JSON on standard output."""
    order = json.loads(sys.stdin.buffer.readline())
    _limit(order["seconds"])
    entries = read_entries(sys.stdin.buffer.read(), order["headers"])
    sys.stdout.write(json.dumps(asdict(entries)))


def _limit(seconds: float) -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # Should whoever started us be gone, so are we soon after.
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 5, int(seconds) + 5))


if __name__ == "__main__":
    main()
