"""The live feed: the newest mentions of the scope, as plain rows that the browser draws with textContent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import style
from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame
from dashboard.panels.frame import About
from models import mentions
from models.folding import highlights
from models.mentions import Shown
from models.networks import BY_ID
from models.organisation import UNKNOWN

KEY = "feed"
NAME = "Live mentions"
MOST = 50
# Two lines of a card hold about 120 characters; the rest is one click away, on the network.
TEXT_SHOWN = 400
NAME_SHOWN = 80
SENTIMENTS = {1: (style.UP, "Positive", "pos"), 0: (style.LEVEL, "Neutral", "neu"), -1: (style.DOWN, "Negative", "neg")}
MEDIA = {"image": "Picture", "photo": "Picture", "video": "Video", "gif": "Moving picture", "audio": "Sound"}


@dataclass(frozen=True, slots=True)
class Frame:
    """The newest mentions and the names that their numbers stand for."""

    shown: tuple[Shown, ...]
    brands: dict[int, str]
    locations: dict[int, str]
    teams: dict[int, str]
    searched: tuple[str, ...]
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """At most MOST rows, newest first."""
    shown = mentions.newest(connection, question.scope, question.window, limit=MOST)
    told = frame.about(question)
    if not shown:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    organisation = question.organisation
    return Frame(
        shown=shown,
        brands=organisation.brand_names,
        locations=organisation.location_names,
        teams=organisation.team_names,
        searched=tuple(phrase.lower() for phrase in mentions.search_phrases(question.scope.search)),
        about=told,
    )


def draw(found: Frame) -> Props:
    """One row a mention; ids as text, because they exceed what a number of the browser holds."""
    told = found.about
    rows = [_row(shown, found) for shown in found.shown]
    sub = "newest first" if told.live else told.words
    return {
        "feed-list": {"rows": rows},
        "feed-head": frame.head(NAME if told.live else "Mentions", sub, side=_rate(found)),
        "feed-state": frame.NO_STATE if rows else frame.empty(told),
    }


def place() -> Component:
    """The box with an empty list; the browser keeps at most MOST cards in it."""
    body = html.Div(
        id="feed-list", className="feed", role="feed", tabIndex="0", **{"aria-label": NAME, "aria-busy": "false"}
    )
    return frame.box(KEY, NAME, body)


def _row(shown: Shown, found: Frame) -> dict[str, Any]:
    network = BY_ID.get(shown.network_id)
    handle = (shown.author_handle or "").strip()
    name = (shown.author_name or handle or "Somebody").strip()
    glyph, word, tone = SENTIMENTS.get(shown.sentiment, ("", "", "")) if shown.sentiment is not None else ("", "", "")
    chips = [found.brands.get(shown.brand_id, "")] if shown.brand_id != UNKNOWN else ["No brand"]
    if shown.location_id != UNKNOWN:
        chips.append(found.locations.get(shown.location_id, ""))
    if shown.team_id != UNKNOWN:
        chips.append(found.teams.get(shown.team_id, ""))
    return {
        "id": f"{shown.brand_id}-{shown.id}",
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "name": name[:NAME_SHOWN],
        "handle": _at(handle)[:NAME_SHOWN] if handle and handle.split("/")[-1] != name else "",
        "reach": "" if shown.author_followers is None else f"{style.short(shown.author_followers)} reach",
        "at": shown.posted_at.isoformat(),
        "text": pieces(shown.text, (*shown.matched, *found.searched)),
        "lang": shown.language or "",
        "url": web_address(shown.url),
        "chips": [chip for chip in chips if chip],
        "glyph": glyph,
        "word": word,
        "tone": tone,
        "media": [_media(kind, alt) for kind, alt in shown.media[:4]],
    }


def pieces(text: str, words: tuple[str, ...]) -> list[list[Any]]:
    """The text cut where matched words begin and end: [piece, 1 where it is one of them]."""
    clipped = text[:TEXT_SHOWN]
    more = "…" if len(text) > TEXT_SHOWN else ""
    cut: list[list[Any]] = []
    at = 0
    for start, end in highlights(clipped, words):
        if start > at:
            cut.append([clipped[at:start], 0])
        cut.append([clipped[start:end], 1])
        at = end
    if at < len(clipped) or more:
        cut.append([clipped[at:] + more, 0])
    return cut


def web_address(url: str | None) -> str:
    """The address where it is one of the web, else nothing: a link must never run a script."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme.lower() in ("http", "https") and parts.netloc else ""


def _at(handle: str) -> str:
    return handle if handle.startswith(("@", "u/", "r/", "http")) or "." in handle else f"@{handle}"


def _media(kind: str, alt: str) -> str:
    word = MEDIA.get(kind, "Attachment")
    return f"{word}: {alt[:200]}" if alt else word


def _rate(found: Frame) -> str:
    if not found.about.live or not found.shown:
        return ""
    since = found.about.now - timedelta(minutes=1)
    count = sum(shown.posted_at >= since for shown in found.shown)
    return f"over {MOST - 1} per min" if count >= MOST else f"{count} per min"


PANEL = Panel(key=KEY, topics=("mentions",), query=query, draw=draw, place=place)
