"""The live feed: the newest mentions of the scope, as plain rows that the browser draws with textContent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import attendance, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from dashboard.panels.frame import About
from models import feed, mention_cases, search
from models.feed import HIGH_REACH, NO_FILTERS, NOTHING_MORE, Copies, Filters, Key, More, Opener
from models.folding import highlights
from models.mention_cases import Desked
from models.mentions import Shown
from models.networks import BY_ID
from models.organisation import UNKNOWN
from models.presence import Presence

KEY = "feed"
NAME = "Live mentions"
MOST = 50
# A card shows four lines, about 250 characters; the rest is one click away.
TEXT_SHOWN = 400
OPENER_SHOWN = 100
NAME_SHOWN = 80
SENTIMENTS = {1: (style.UP, "Positive", "pos"), 0: (style.LEVEL, "Neutral", "neu"), -1: (style.DOWN, "Negative", "neg")}
MEDIA = {"image": "Picture", "photo": "Picture", "video": "Video", "gif": "Moving picture", "audio": "Sound"}
REACH_WORDS = f"{HIGH_REACH // 1000}k+ followers"


@dataclass(frozen=True, slots=True)
class Frame:
    """The mentions in their order, and the names that their numbers stand for; `accounts` are ours.

    `looked` at so many mentions, `is_part` where older ones were not looked at; `languages` are the organisation's.
    `cases` are those of the mentions, `here` who is in them.
    """

    shown: tuple[Shown, ...]
    brands: dict[int, str]
    locations: dict[int, str]
    teams: dict[int, str]
    searched: tuple[str, ...]
    about: About
    more: Mapping[Key, More] = field(default_factory=dict)
    accounts: Mapping[int, str] = field(default_factory=dict)
    filters: Filters = NO_FILTERS
    looked: int = 0
    is_part: bool = False
    languages: tuple[str, ...] = ()
    cases: Mapping[Key, Desked] = field(default_factory=dict)
    here: Mapping[Key, tuple[Presence, ...]] = field(default_factory=dict)


def query(connection: Connection, question: Question) -> Frame:
    """At most MOST cards, newest first or by reach."""
    filters, organisation, who, now = question.filters, question.organisation, question.anybody, question.now
    waiting: tuple[int, ...] = ()
    if filters.needs_reply:
        waiting = mention_cases.needing_reply(connection, organisation, who, question.scope.brand_ids, now=now)
    cards = feed.cards(connection, question.scope, question.window, filters, limit=MOST, waiting=waiting)
    keys = [(card.brand_id, card.id) for card in cards.shown]
    cases = mention_cases.of_mentions(connection, organisation, who, keys, now=now)
    question = replace(question, scope=filters.applied(question.scope))
    told = frame.about(question)
    if not cards.shown and not filters.narrows:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    return Frame(
        shown=cards.shown,
        brands=organisation.brand_names,
        locations=organisation.location_names,
        teams=organisation.team_names,
        searched=tuple(
            dict.fromkeys(word for card in cards.shown for word in search.words_in(question.scope.search, card.text))
        ),
        about=told,
        more=cards.more,
        accounts={account.id: account.name for account in organisation.accounts},
        filters=filters,
        looked=cards.looked,
        is_part=cards.is_part,
        languages=organisation.languages,
        cases=cases,
        here=_here(connection, question, cases),
    )


def _here(
    connection: Connection, question: Question, cases: Mapping[Key, Desked]
) -> Mapping[Key, tuple[Presence, ...]]:
    """Who is in the cases of these mentions."""
    known = attendance.here(connection)
    if known is None or not cases:
        return {}
    doing = known.of(connection, [case.key for case in cases.values()], now=question.now)
    return {mention: doing[case.key] for mention, case in cases.items() if case.key in doing}


def draw(found: Frame) -> Props:
    """One row a mention; ids as text, because they exceed what a number of the browser holds."""
    told = found.about
    rows = [_row(shown, found) for shown in found.shown]
    words = [*_filter_words(found.filters), _order_words(found)]
    is_plain = not found.is_part and not found.filters.by_reach
    if not told.live:
        words = [told.words, *(words[:-1] if is_plain else words)]
    elif found.filters.unmatched:
        words = ["no brand", *words]
    sub = ", ".join(words)
    return {
        "feed-list": {"rows": rows, "languages": found.languages},
        "feed-head": frame.head(NAME if told.live else "Mentions", sub, side=_rate(found)),
        "feed-state": frame.NO_STATE if rows else _empty(found),
    }


def table(found: Frame) -> Table:
    """The same mentions, with their whole text."""
    rows = tuple(
        (
            network.name if (network := BY_ID.get(shown.network_id)) else "Other",
            shown.author_name or shown.author_handle,
            shown.posted_at,
            shown.text,
            found.brands.get(shown.brand_id),
            found.locations.get(shown.location_id) if shown.location_id != UNKNOWN else None,
            None if shown.sentiment is None else SENTIMENTS[shown.sentiment][1],
            shown.author_followers,
        )
        for shown in found.shown
    )
    words = ", ".join([found.about.words, *_filter_words(found.filters), _order_words(found)])
    columns = ("Network", "Author", "Posted", "Text", "Brand", "Place", "Sentiment", "Reach (followers)")
    return Table(NAME, f"{words}; n = {len(rows)}", columns, rows)


def place() -> Component:
    """The box with its filters and an empty list; the browser keeps at most MOST cards in it."""
    body = html.Div(
        className="feed-body",
        children=[
            html.Div(
                className="feed-filters",
                role="group",
                **{"aria-label": "Filters of the mentions"},
                children=[
                    _chip("needs", ["Needs reply"]),
                    _chip("negative", [html.Span(style.DOWN, className="neg", **{"aria-hidden": "true"}), "Negative"]),
                    _chip(
                        "reach",
                        [f"{HIGH_REACH // 1000}k+ reach"],
                        title=f"Authors with {HIGH_REACH:,} followers or more",
                    ),
                    _chip("lang", ["Language"], opens=True),
                    _chip("unmatched", ["No brand"], needs="needs needs-admin"),
                    html.Span(className="grow"),
                    _chip("sort", ["Newest"], opens=True),
                ],
            ),
            html.Div(
                id="feed-list",
                className="feed",
                role="feed",
                tabIndex="0",
                **{"aria-label": NAME, "aria-busy": "false"},
            ),
        ],
    )
    return frame.box(KEY, NAME, body)


def _chip(name: str, words: list[Any], *, needs: str = "", opens: bool = False, title: str = "") -> Component:
    """A filter; whether it is pressed stands in the address, and is drawn by the browser."""
    state = {"aria-haspopup": "menu", "aria-expanded": "false"} if opens else {"aria-pressed": "false"}
    return html.Button(
        words,
        className=f"chip line {needs}".strip(),
        disable_n_clicks=True,
        **({"title": title} if title else {}),
        **{"data-feed": name, **state},
    )


def _filter_words(filters: Filters) -> list[str]:
    words = []
    if filters.needs_reply:
        words.append("needs reply")
    if filters.negative:
        words.append("negative")
    if filters.high_reach:
        words.append(f"authors with {REACH_WORDS}")
    if filters.languages:
        words.append(f"in {', '.join(filters.languages)}")
    return words


def _order_words(found: Frame) -> str:
    looked = f"looked at the newest {found.looked:,}" if found.is_part else ""
    order = "highest reach first" if found.filters.by_reach else "newest first"
    return f"{order}, {looked}" if looked else order


def _empty(found: Frame) -> dict[str, Any]:
    if not found.filters.narrows:
        return frame.empty(found.about)
    words = ", ".join([found.about.words, *_filter_words(found.filters)])
    looked = f"The newest {found.looked:,} mentions were looked at." if found.is_part else ""
    none = f"None of its {found.looked:,} mentions passes the filters." if found.looked else "There is none in it."
    return frame.empty(found.about, text=f"{words[:1].upper()}{words[1:]}. {looked or none}")


def _row(shown: Shown, found: Frame) -> dict[str, Any]:
    network = BY_ID.get(shown.network_id)
    more = found.more.get((shown.brand_id, shown.id), NOTHING_MORE)
    handle = (shown.author_handle or "").strip()
    name = (shown.author_name or handle or ("Deleted author" if more.is_deleted else "Somebody")).strip()
    glyph, word, tone = SENTIMENTS.get(shown.sentiment, ("", "", "")) if shown.sentiment is not None else ("", "", "")
    chips = [found.brands.get(shown.brand_id, "")] if shown.brand_id != UNKNOWN else ["No brand"]
    if shown.location_id != UNKNOWN:
        chips.append(found.locations.get(shown.location_id, ""))
    if shown.team_id != UNKNOWN:
        chips.append(found.teams.get(shown.team_id, ""))
    row: dict[str, Any] = {
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
        "media": [media_words(kind, alt) for kind, alt in shown.media[:4]],
    }
    # Most cards have none of these: what is absent costs nothing on the wire.
    if len(shown.text) > TEXT_SHOWN:
        row["cut"] = 1
    if more.is_deleted:
        row["gone"] = "Deleted or made private on its network. It stays counted."
    if more.is_edited:
        row["edited"] = 1
    if more.is_on_walls:
        row["wall"] = 1
    if more.copies is not None:
        row["copies"] = copies_words(more.copies)
    if more.opener is not None:
        row["answers"] = answers_words(more.opener, found.accounts)
    if (case := found.cases.get((shown.brand_id, shown.id))) is not None:
        row["case"] = _case(case, found.here.get((shown.brand_id, shown.id), ()))
    return row


def _case(case: Desked, here: Sequence[Presence]) -> dict[str, Any]:
    """What a card says of the case of its mention."""
    said: dict[str, Any] = {"id": str(case.key), "p": case.priority}
    if case.needs_reply:
        said |= {"needs": 1, "due": None if case.due_at is None else case.due_at.isoformat()}
    if case.holder is not None and case.holds_until is not None:
        until = case.holds_until.isoformat()
        said["by"] = {"id": case.holder, "name": case.holder_name or "Somebody", "until": until}
    if here:
        said["here"] = [{"id": one.person_id, "name": one.name, "doing": one.doing} for one in here]
    return said


def copies_words(copies: Copies) -> str:
    """How often a text was said, in words: “12 copies from 9 accounts”."""
    over = "over " if copies.are_more else ""
    accounts = "1 account" if copies.accounts == 1 else f"{over}{copies.accounts:,} accounts"
    return f"{copies.count:,} copies from {accounts}"


def answers_words(opener: Opener, accounts: Mapping[int, str]) -> list[str]:
    """What a mention answers: [“answers @ana”, what she said], or one text where nothing is stored of it."""
    if opener.text is None:
        return ["answers a post that was not collected", ""]
    who = accounts.get(opener.account_id, "us") if opener.account_id else _at(opener.author) if opener.author else ""
    text = " ".join(opener.text.split())
    said = text if len(text) <= OPENER_SHOWN else f"{text[: OPENER_SHOWN - 1].rstrip()}…"
    return [f"{'in the conversation of' if opener.is_root else 'answers'} {who[:NAME_SHOWN] or 'somebody'}", said]


@lru_cache(maxsize=2_000)
def _pieces(clipped: str, words: tuple[str, ...]) -> list[list[Any]]:
    # Of fifty cards one is new: the others are cut as they were.
    cut: list[list[Any]] = []
    at = 0
    for start, end in highlights(clipped, words):
        if start > at:
            cut.append([clipped[at:start], 0])
        cut.append([clipped[start:end], 1])
        at = end
    if at < len(clipped):
        cut.append([clipped[at:], 0])
    return cut


def pieces(text: str, words: tuple[str, ...], *, longest: int = TEXT_SHOWN) -> list[list[Any]]:
    """The text cut where matched words begin and end: [piece, 1 where it is one of them]."""
    cut = _pieces(text[:longest], words)
    return [*cut, ["…", 0]] if len(text) > longest else cut


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


def media_words(kind: str, alt: str) -> str:
    """What hangs on a post, by its kind and its alternative text."""
    word = MEDIA.get(kind, "Attachment")
    return f"{word}: {alt[:200]}" if alt else word


def _rate(found: Frame) -> str:
    if not found.about.live or not found.shown or found.filters != NO_FILTERS:
        return ""
    since = found.about.now - timedelta(minutes=1)
    count = sum(shown.posted_at >= since for shown in found.shown)
    return f"over {MOST - 1} per min" if count >= MOST else f"{count} per min"


PANEL = Panel(
    key=KEY,
    topics=("mentions", "cases", "presence"),
    query=query,
    draw=draw,
    place=place,
    table=table,
    filtered=True,
    reads_cases=True,
)
