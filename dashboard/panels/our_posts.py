"""What we published and how many people engaged with it: the ten posts of the window that most did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import scope, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.feed import web_address
from dashboard.panels.frame import WIDEN, About
from models.networks import BY_ID
from models.our_posts import MOST_POSTS, Best, OurPost, last_published_at, our_posts

KEY = "our-posts"
NAME = "Our posts"
MOST = 10
TEXT_SHOWN = 280


@dataclass(frozen=True, slots=True)
class Frame:
    """The best posts, the names of the accounts that published them, and the words."""

    best: Best
    accounts: dict[int, str]
    last_at: datetime | None
    is_ours: bool
    end: datetime
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """One walk a brand of ours; a competitor's own posts are not ours to rank."""
    own = {brand.id for brand in question.organisation.brands if brand.kind == "own"}
    brands = [brand_id for brand_id in question.scope.brand_ids if brand_id in own]
    best = our_posts(connection, brands, question.scope.network_ids, question.window, limit=MOST)
    return Frame(
        best=best,
        accounts={item.id: item.name for item in question.organisation.accounts},
        last_at=None if best.posts else last_published_at(connection, brands),
        is_ours=bool(brands),
        end=question.window.end,
        about=frame.about(question),
    )


def draw(found: Frame) -> Props:
    """A row a post: who, when, the text, how many engaged and what share of the impressions that is."""
    told, best = found.about, found.best
    sub = f"by engagement, {told.window_name}, answers left out"
    side = f"{min(best.posts, MOST_POSTS)} posts" if best.posts else ""
    if not best.best:
        return {"our-posts-head": frame.head(NAME, sub), "our-posts-state": _nothing(found)}
    zone = ZoneInfo(told.zone)
    return {
        "our-posts-list": {"rows": [_row(post, found, zone) for post in best.best]},
        "our-posts-head": frame.head(NAME, sub, side=f"newest {MOST_POSTS:,}" if best.is_part else side),
        "our-posts-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty list."""
    body = html.Div(id="our-posts-list", className="posts", role="list", tabIndex="0", **{"aria-label": NAME})
    return frame.box(KEY, NAME, body)


def table(found: Frame) -> Table:
    """A row a post; the rate is of measured impressions, None where the network measures none."""
    rows = [
        (
            post.posted_at,
            BY_ID[post.network_id].name if post.network_id in BY_ID else "Other",
            found.accounts.get(post.account_id, ""),
            post.text,
            post.engaged,
            post.impressions,
            None if post.rate is None else round(100 * post.rate, 2),
        )
        for post in found.best.best
    ]
    told = found.about
    return Table(
        title="Our posts by engagement",
        about=exported.line(told.words, found.end, told.zone, f"the first {len(rows)} of {found.best.posts:,} posts"),
        columns=("Posted", "Network", "Account", "Text", "Engaged", "Impressions", "Rate (% of impressions)"),
        rows=tuple(rows),
    )


def _row(post: OurPost, found: Frame, zone: ZoneInfo) -> dict[str, Any]:
    network = BY_ID.get(post.network_id)
    text = post.text if len(post.text) <= TEXT_SHOWN else f"{post.text[:TEXT_SHOWN]}…"
    rate = ""
    if post.rate is not None:
        rate = f"{100 * post.rate:.1f}%" if post.rate >= 0.001 else "under 0.1%"
    return {
        "id": f"{post.brand_id}-{post.id}",
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "name": found.accounts.get(post.account_id, "An account of ours"),
        "at": f"{post.posted_at.astimezone(zone):%a %-d %b, %H:%M}",
        "text": text,
        "url": web_address(post.url),
        "engaged": "not told" if post.engaged is None else style.short(post.engaged),
        "rate": rate,
        "of": f"of {style.short(post.impressions)} impressions" if post.impressions else "impressions not measured",
        "media": post.media[0][0] if post.media else "",
    }


def _nothing(found: Frame) -> dict[str, Any]:
    if not found.is_ours:
        return {
            "kind": "empty",
            "title": "Not ours",
            "text": "Posts of competitors are not ranked.",
            "widen": "",
            "plain": True,
        }
    told = found.about
    last = "Nothing was ever published by an account of ours."
    if found.last_at is not None:
        last = f"The last one was {style.span_words((found.end - found.last_at).total_seconds())} before."
    names = list(scope.WINDOWS)
    wider = ""
    if found.last_at is not None and told.window_name in names[:-1]:
        wider = names[names.index(told.window_name) + 1]
    return {
        "kind": "empty",
        "title": "We published nothing in this window",
        "text": last,
        "widen": wider,
        "widen_words": f"Widen to {WIDEN[wider]}" if wider in WIDEN else "",
    }


PANEL = Panel(
    key=KEY,
    topics=("mentions", "organisation"),
    query=query,
    draw=draw,
    place=place,
    table=table,
    # What was published belongs to the brand, wherever it was read; a search looks through mentions.
    ignores=frozenset({"location_ids", "team_ids", "search"}),
)
