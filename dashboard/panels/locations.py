"""The map: a bubble a place, as large as what was said there and in the colour of how; a click is the scope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import bubbles, style
from dashboard import scope as url_scope
from dashboard.bubbles import PICTURE_HEIGHT, PICTURE_WIDTH, View
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import About
from dashboard.panels.moods import mood
from models import cube
from models.cube import Tally
from models.organisation import UNKNOWN, Location

KEY = "locations"
NAME = "Locations"
# Net sentiment beyond this is not told apart by colour.
CLAMP = 50.0
# From this share of the map's width a bubble holds its monogram.
MONOGRAM_RADIUS = 2.4


@dataclass(frozen=True, slots=True)
class Frame:
    """What was said at each place of the scope; `unplaced` = without a known place (None where one was chosen).

    `elsewhere` are countries, regions and sites without coordinates, `view` the part of the world all places lie in.
    """

    places: tuple[tuple[Location, Tally], ...]
    elsewhere: tuple[tuple[Location, Tally], ...]
    unplaced: Tally | None
    view: View
    end: datetime
    about: About
    partial: bool = False


def query(connection: Connection, question: Question) -> Frame:
    """Sums by place from the rollups; from the newest rows where those hold no answer, and then it is said."""
    scope, there = question.scope, question.organisation
    totals = cube.totals_by(connection, scope, (cube.LOCATION,), question.window, there, values=cube.SENTIMENTS)
    chosen = None if scope.location_ids is None else set(scope.location_ids)
    places: list[tuple[Location, Tally]] = []
    elsewhere: list[tuple[Location, Tally]] = []
    for item in there.locations:
        tally = totals.of(item.id)
        if item.id == UNKNOWN or (chosen is not None and item.id not in chosen):
            continue
        if item.latitude is not None and item.longitude is not None:
            places.append((item, tally))
        elif tally.mentions:
            elsewhere.append((item, tally))
    told = frame.about(question)
    if not any(tally.mentions for tally in totals.tallies.values()):
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    return Frame(
        places=tuple(places),
        elsewhere=tuple(elsewhere),
        unplaced=totals.of(UNKNOWN) if chosen is None or UNKNOWN in chosen else None,
        view=bubbles.view(
            tuple(
                (item.longitude, item.latitude)
                for item in there.locations
                if item.longitude is not None and item.latitude is not None
            )
        ),
        end=question.window.end,
        about=told,
        partial=totals.partial,
    )


def draw(found: Frame) -> Props:
    """The bubbles, the largest first, and how many mentions stand on no map."""
    told = found.about
    sub = f"area = mentions, {_window(told)}" + (", newest 50,000 counted" if found.partial else "")
    said = sum(tally.mentions for _, tally in found.places)
    nowhere = sum(tally.mentions for item, tally in found.elsewhere if item.kind == "site")
    by_country = sum(tally.mentions for item, tally in found.elsewhere if item.kind != "site")
    unplaced = found.unplaced.mentions if found.unplaced else 0
    head = frame.head(NAME, sub, side=f"net {style.MINUS}50 to +50", label=f"{NAME}, {told.words}: {said:,} mentions")
    if not said + nowhere + by_country + unplaced:
        return {"locations-map": _nothing(found), "locations-head": head, "locations-state": frame.empty(told)}
    if not found.places:
        state = {
            "kind": "empty",
            "title": "No place of this scope has coordinates",
            "text": "Give locations a latitude and a longitude, and they stand on the map.",
            "widen": "",
        }
        return {"locations-map": _nothing(found), "locations-head": head, "locations-state": state}
    lines = []
    if found.unplaced is not None:
        lines.append(f"{unplaced:,} without a known place")
    if by_country:
        lines.append(f"{by_country:,} by country only")
    if nowhere:
        lines.append(f"{nowhere:,} at places without coordinates")
    props = {"view": _picture(found.view), "places": _places(found), "foot": ", ".join(lines)}
    return {"locations-map": props, "locations-head": head, "locations-state": frame.NO_STATE}


def place() -> Component:
    """The box with an empty map."""
    world = html.Div(id="locations-map", className="world", role="group", **{"aria-label": NAME})
    return frame.box(KEY, NAME, world)


def table(found: Frame) -> Table:
    """A row a place, the most mentioned first; net is None where nothing was scored."""
    rows = [(item.name, tally) for item, tally in sorted((*found.places, *found.elsewhere), key=_by_size)]
    if found.unplaced is not None:
        rows.append(("Without a known place", found.unplaced))
    mentions = sum(tally.mentions for _, tally in rows)
    return Table(
        title=NAME,
        about=exported.line(found.about.words, found.end, found.about.zone, f"{mentions:,} mentions"),
        columns=("Place", "Mentions", "Net (pts)", "Scored", "Positive", "Neutral", "Negative", "Not scored"),
        rows=tuple((name, tally.mentions, _rounded(tally), *_scores(tally)) for name, tally in rows),
    )


def _by_size(item: tuple[Location, Tally]) -> tuple[int, str]:
    return -item[1].mentions, item[0].name


def _rounded(tally: Tally) -> float | None:
    return None if tally.net_sentiment is None else round(tally.net_sentiment, 1)


def _scores(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.scored, tally.positive, tally.neutral, tally.negative, tally.unscored


def _window(told: About) -> str:
    return url_scope.WORDS.get(told.window_name) or told.words.removeprefix(told.scope_words).removeprefix(", ")


def _nothing(found: Frame) -> dict[str, Any]:
    return {"view": _picture(found.view), "places": [], "foot": ""}


def _picture(view: View) -> dict[str, float]:
    """How the picture is laid under the map: its width in per cent of the map's, and where it begins."""
    across, down = PICTURE_WIDTH - view.width, PICTURE_HEIGHT - view.height
    return {
        "size": round(100 * PICTURE_WIDTH / view.width, 2),
        "x": round(100 * view.x / across, 2) if across else 0.0,
        "y": round(100 * view.y / down, 2) if down else 0.0,
    }


def _places(found: Frame) -> list[dict[str, Any]]:
    ordered = sorted(found.places, key=_by_size)
    # Pushed apart in an order that does not change when one place overtakes another.
    fixed = sorted(ordered, key=lambda item: item[0].id)
    centres = [found.view.share(item.longitude or 0.0, item.latitude or 0.0) for item, _ in fixed]
    where = dict(
        zip(
            [item.id for item, _ in fixed],
            bubbles.bubbles(centres, [tally.mentions for _, tally in fixed]),
            strict=True,
        )
    )
    return [_place(item, tally, where[item.id]) for item, tally in ordered]


def _place(item: Location, tally: Tally, bubble: bubbles.Bubble) -> dict[str, Any]:
    net = tally.net_sentiment
    shown = mood(net, tally.scored)
    share = round(100 * min(abs(net), CLAMP) / CLAMP) if net is not None and shown.glyph else 0
    mentions = f"{tally.mentions:,} mention{'' if tally.mentions == 1 else 's'}"
    scored = "none of them scored" if net is None else f"net {shown.net} of {tally.scored:,} scored"
    return {
        "key": item.key,
        "name": item.name,
        "mono": item.monogram if bubble.radius >= MONOGRAM_RADIUS else "",
        "left": bubble.left,
        "top": round(bubble.top * bubbles.ASPECT, 2),
        "radius": round(bubble.radius, 2),
        "reach": round(bubble.reach, 2),
        "mentions": tally.mentions,
        "said": mentions + (f", {scored}" if tally.mentions else ""),
        "net": shown.net,
        "glyph": shown.glyph,
        "tone": shown.tone,
        # How far the colour is from neutral, of which side `sign` is.
        "share": share,
        "sign": "neg" if net is not None and net < 0 else "pos",
    }


PANEL = Panel(key=KEY, topics=("mentions",), query=query, draw=draw, place=place, table=table)
