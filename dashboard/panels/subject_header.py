"""The head of the page of one brand, location or team: what it is, and five numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, kpi
from models import cube
from models.access import Scope
from models.cube import Series
from models.detection_lag import Lag, detection_lag
from models.noise import shares_differ
from models.organisation import UNKNOWN, Organisation

KEY = "subject"
NAME = "Key figures"
KINDS = {"own": "Brand of ours", "competitor": "Competitor", "unmatched": "What no brand claimed"}
PLACES = {"region": "Region", "country": "Country", "site": "Site", "unknown": "Place not known"}
# Names that the line under the name lists; more are counted.
MOST_NAMES = 3
LAG_TIP = "Received − posted: how long after a post was published it was here. Median and 95th percentile."


@dataclass(frozen=True, slots=True)
class Who:
    """What the page is about, in words. `is_ours` is False for a competitor."""

    kind: str
    key: str
    name: str
    monogram: str
    line: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """Who it is, its figures as the command page has them, what it is a share of now and before, how late posts came.

    `whole` and `whole_before` are None where share of voice is the share.
    """

    who: Who
    figures: kpi.Frame
    whole: Series | None
    whole_before: int | None
    lag: Lag
    end: datetime
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """The figures as the command page reads them, and the whole that a location or team is a part of."""
    figures = kpi.query(connection, question)
    whole, before = None, None
    if question.subject is not None and question.subject.kind != "brand":
        everything = whole_of(question)
        whole = cube.series(connection, everything, question.window, question.organisation, values=cube.SENTIMENTS[:1])
        spans = figures.against.spans
        if spans:
            start, end = spans[0]
            past = replace(question.window, start=start, end=end, live=False)
            held = cube.totals_by(connection, everything, (), past, question.organisation, values=("mentions",))
            before = held.of().mentions
    return Frame(
        who=who(question),
        figures=figures,
        whole=whole,
        whole_before=before,
        lag=detection_lag(connection, question.scope, question.window),
        end=question.window.end,
        zone=question.zone,
    )


def whole_of(question: Question) -> Scope:
    """What a location or team is a part of: the same scope without it, as far as this person may see."""
    subject = question.subject
    if subject is None or subject.kind == "brand":
        return question.scope
    if subject.kind == "location":
        return replace(question.scope, location_ids=subject.among)
    return replace(question.scope, team_ids=None)


def who(question: Question) -> Who:
    """What the page is about, in words."""
    there, subject = question.organisation, question.subject
    if subject is None:
        return Who("", "", there.name, there.name[:2], "All brands of ours", True)
    if subject.kind == "brand":
        return _brand(question, subject.id)
    if subject.kind == "location":
        return _location(there, subject.id, question.zone)
    return _team(there, subject.id)


def draw(found: Frame) -> Props:
    """The card at the left and five cells; the browser builds them with textContent."""
    person = found.who
    cells = kpi.cells(found.figures)
    if found.whole is not None:
        cells[3] = _share(found)
    elif not found.figures.has_competitors:
        cells[3] = cells[3] | {"note": ""}
    return {
        "subject-card": {
            "kind": person.kind,
            "key": person.key,
            "name": person.name,
            "monogram": person.monogram,
            "line": person.line,
            "ours": person.is_ours,
            "cells": [*cells, _lag(found.lag)],
        },
        "subject-state": frame.NO_STATE,
    }


def place() -> Component:
    """One row at its final height; the browser writes into it."""
    card = html.Div(
        id="subject-card",
        className="sj",
        children=[
            html.Div(
                className="sjw",
                children=[
                    html.Span(id="subject-mono", className="mono", **{"aria-hidden": "true"}),
                    html.Div([html.H1(id="subject-name"), html.Div(id="subject-line", className="t2")]),
                ],
            ),
            html.Div(id="subject-cells", className="sjc", role="group", **{"aria-label": NAME}),
        ],
    )
    return frame.box(KEY, NAME, card, head=False, class_name="subject-panel")


def table(found: Frame) -> Table:
    """A row a figure, as the command page has them; share of the whole and the lag below."""
    below = kpi.table(found.figures)
    rows = list(below.rows)
    mentions = found.figures.series.total.mentions
    if found.whole is not None:
        whole = found.whole.total.mentions
        share = round(100 * mentions / whole, 1) if whole else None
        rows[3] = (_share_label(found), share, None, None, "%", whole)
    for name, value in (("Seen after, median", found.lag.median), ("Seen after, p95", found.lag.p95)):
        rows.append((name, None if value is None else round(value, 1), None, None, "s", found.lag.posts))
    about = exported.line(found.figures.words, found.end, found.zone, f"{mentions:,} mentions")
    return Table(title=f"{found.who.name}: key figures", about=about, columns=below.columns, rows=tuple(rows))


# -- who it is -------------------------------------------------------------------------------------------------


def _brand(question: Question, brand_id: int) -> Who:
    there = question.organisation
    item = next(brand for brand in there.brands if brand.id == brand_id)
    parts = [KINDS.get(item.kind, "Brand")]
    names = there.brand_names
    rivals = [names[one] for one in question.scope.tracked_ids if one != brand_id and one in names]
    if rivals:
        parts.append(f"measured against {_listed(rivals, 'brands')}")
    if item.kind == "own":
        teams = {cover.team_id for cover in there.covers if cover.brand_id in (0, brand_id)}
        if teams:
            parts.append(f"{len(teams)} team{'' if len(teams) == 1 else 's'}")
    return Who("brand", item.key, item.name, item.monogram, " · ".join(parts), item.kind != "competitor")


def _location(there: Organisation, location_id: int, zone: str) -> Who:
    item = next(place for place in there.locations if place.id == location_id)
    names, parts = there.location_names, [PLACES.get(item.kind, "Place")]
    parents = {place.id: place.parent_id for place in there.locations}
    above, at = [], item.parent_id
    while at is not None and at in names:
        above.append(names[at])
        at = parents.get(at)
    if above:
        parts.append(", ".join(above))
    sites = [place for place in there.locations if place.kind == "site" and place.id in there.below(location_id)]
    if item.kind != "site" and sites:
        parts.append(f"{len(sites)} site{'' if len(sites) == 1 else 's'}")
    parts.append(f"times in {zone.replace('_', ' ')}")
    return Who("location", item.key, item.name, item.monogram, " · ".join(parts), True)


def _team(there: Organisation, team_id: int) -> Who:
    item = next(group for group in there.teams if group.id == team_id)
    covers = sorted((cover for cover in there.covers if cover.team_id == team_id), key=lambda cover: cover.rank)
    brands = {cover.brand_id for cover in covers}
    places = {cover.location_id for cover in covers}
    parts = ["What no team covers" if team_id == UNKNOWN else "Team"]
    if covers:
        named = [there.brand_names.get(one, "?") for one in sorted(brands) if one]
        where = [there.location_names.get(one, "?") for one in sorted(places) if one]
        covered = "all brands" if 0 in brands or not named else _listed(named, "brands")
        parts.append(f"covers {covered}, {'everywhere' if 0 in places or not where else _listed(where, 'locations')}")
    elif team_id != UNKNOWN:
        parts.append("covers nothing yet")
    return Who("team", item.key, item.name, item.name[:2], " · ".join(parts), True)


def _listed(names: list[str], plural: str) -> str:
    if len(names) > MOST_NAMES:
        return f"{len(names)} {plural}"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# -- two cells of its own --------------------------------------------------------------------------------------


def _share_label(found: Frame) -> str:
    return "Share of brand volume" if found.who.kind == "location" else "Share of mentions"


def _share(found: Frame) -> dict[str, Any]:
    assert found.whole is not None
    part, whole = found.figures.series.total.mentions, found.whole.total.mentions
    against = found.figures.against
    what = "at this location" if found.who.kind == "location" else "routed to this team"
    tip = f"Mentions {what} ÷ all mentions of the same brands that you may see, those of no known "
    tip += "place included." if found.who.kind == "location" else "team included."
    value = (style.NO_VALUE, "") if not whole else (f"{100 * part / whole:.1f}", "%")
    change = {"words": "nothing to compare", "class": "t3"}
    if against.heard < kpi.LEAST_HEARD:
        change = {"words": "no data a week before", "class": "t3"}
    elif found.whole_before and whole:
        now = sum(tally.mentions for tally in found.whole.tallies[: found.figures.whole])
        before_share = round(100 * against.before.mentions / found.whole_before, 1)
        points = round(round(100 * against.now.mentions / now, 1) - before_share, 1) if now else 0.0
        change = {"words": "", "was": f"was {before_share:.1f}%", "class": "t2"}
        if min(now, found.whole_before) >= kpi.LEAST_MENTIONS:
            clear = shares_differ((against.now.mentions, now), (against.before.mentions, found.whole_before))
            arrow = style.UP if points > 0 else style.DOWN
            change["words"] = f"{arrow} {abs(points):.1f} pts" if clear and points else kpi.UNCLEAR
    partial = "newest 50,000 counted" if found.whole.partial else ""
    return _cell("share", _share_label(found), value, change, tip, f"{part:,} of {whole:,}", partial)


def _lag(lag: Lag) -> dict[str, Any]:
    if lag.median is None or lag.p95 is None:
        words = "too few new mentions to say"
        return _cell("lag", "Seen after", (style.NO_VALUE, ""), {"words": words, "class": "t3"}, LAG_TIP, "", "")
    number, _, unit = style.span_words(lag.median).partition(" ")
    change = {"words": f"95 % within {style.span_words(lag.p95)}", "class": "t2"}
    exact = f"of the newest {lag.posts:,} mentions"
    return _cell("lag", "Seen after, median", (number, unit), change, LAG_TIP, exact, "")


def _cell(
    key: str, label: str, value: tuple[str, str], change: dict[str, str], tip: str, exact: str, note: str
) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "value": value[0],
        "unit": value[1],
        "note": note,
        "change": change.get("words", ""),
        "tone": change.get("class", "t2"),
        "was": change.get("was", ""),
        "spark": [],
        "tip": tip,
        "exact": exact,
    }


PANEL = Panel(key=KEY, topics=("mentions", "sources", "organisation"), query=query, draw=draw, place=place, table=table)
