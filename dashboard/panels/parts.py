"""What a location or a team is made of; a location stands beside the median one of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection, text

from dashboard import style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import About
from dashboard.panels.share import peers
from dashboard.panels.subject_header import whole_of
from models import cube
from models.access import Scope
from models.cube import Tally
from models.mentions import filtered
from models.noise import net_interval
from models.organisation import UNKNOWN

KEY = "parts"
NAME = "What it is made of"
# Languages stand in rows alone: the newest of all locations together are looked at.
SAMPLE = 10_000
# A location with fewer mentions has no share that a median should be made of.
LEAST = 20
MOST_ROWS = 5
MENTIONS = cube.SENTIMENTS[:1]
KIND_WORDS = {"site": "site", "country": "country", "region": "region"}
KINDS_WORDS = {"site": "sites", "country": "countries", "region": "regions"}


@dataclass(frozen=True, slots=True)
class Part:
    """One value: mentions here, and the median location's share (0..1), None where there is none."""

    name: str
    count: int
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Parts of one dimension, largest first. `known` is the base of their shares, `unknown` is beside it."""

    title: str
    parts: tuple[Part, ...]
    known: int
    unknown: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A location's figures beside the medians over `count` locations of its kind, itself among them."""

    kind: str
    count: int
    here: Tally
    mentions: float | None
    net: float | None


@dataclass(frozen=True, slots=True)
class Frame:
    """The sections, and for a location what it is compared with."""

    name: str
    sections: tuple[Section, ...]
    compared: Compared | None
    mentions: int
    end: datetime
    about: About
    partial: bool = field(default=False)


def query(connection: Connection, question: Question) -> Frame:
    """Shares from the rollups; teams of a location, places of a team and languages from the newest rows."""
    is_place = question.subject is not None and question.subject.kind == "location"
    found = _of_location(connection, question) if is_place else _of_team(connection, question)
    if found.mentions:
        return found
    last_at = frame.last_posted_at(connection, question)
    return replace(found, about=replace(found.about, last_at=last_at))


def draw(found: Frame) -> Props:
    """Sections of bars; a tick on a bar is the median location's share."""
    if not found.mentions:
        return {"parts-head": frame.head(found.name, found.about.window_name), "parts-state": frame.empty(found.about)}
    against = found.compared
    sub = ""
    if against is not None:
        sub = f"of {against.count} {KINDS_WORDS.get(against.kind, 'locations')}"
    return {
        "parts-list": {
            "compared": [] if against is None else _figures(against),
            "sections": [
                {
                    "title": section.title,
                    "said": _said(section),
                    "rows": [
                        {
                            "name": part.name,
                            "share": round(100 * part.count / section.known, 1),
                            "n": f"{part.count:,}",
                            "usual": None if part.usual is None else round(100 * part.usual, 1),
                        }
                        for part in section.parts
                    ],
                }
                for section in found.sections
            ],
        },
        "parts-head": frame.head(found.name, sub),
        "parts-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty list."""
    body = html.Div(id="parts-list", className="parts-list", role="group", tabIndex="0", **{"aria-label": NAME})
    return frame.box(KEY, NAME, body)


def table(found: Frame) -> Table:
    """A row a part: share here, share at the median location."""
    rows: list[tuple[str | float | datetime | None, ...]] = []
    for section in found.sections:
        rows += [
            (
                section.title,
                part.name,
                part.count,
                round(100 * part.count / section.known, 1),
                None if part.usual is None else round(100 * part.usual, 1),
            )
            for part in section.parts
        ]
    return Table(
        title=found.name,
        about=exported.line(found.about.words, found.end, found.about.zone, f"{found.mentions:,} mentions"),
        columns=("Dimension", "Value", "Mentions", "Share (%)", "Share at the median location (%)"),
        rows=tuple(rows),
    )


# -- a location ------------------------------------------------------------------------------------------------


def _of_location(connection: Connection, question: Question) -> Frame:
    assert question.subject is not None
    there, subject = question.organisation, question.subject
    everything = whole_of(question)
    # Of the brands of the page alone: their competitors have no part in it.
    ours = replace(everything, tracked_ids=everything.brand_ids)
    dimensions = (cube.BRAND, cube.LOCATION)
    totals = cube.totals_by(connection, ours, dimensions, question.window, there, values=cube.SENTIMENTS)
    groups = {one: there.below(one) for one in (subject.id, *peers(question))}
    by_brand = {
        one: {brand: _tally(totals, ((brand, member) for member in members)) for brand in question.scope.brand_ids}
        for one, members in groups.items()
    }
    whole = {one: _add(found.values()) for one, found in by_brand.items()}
    here = whole[subject.id]
    brands = _section(
        "Brands",
        {there.brand_names.get(brand, "?"): tally.mentions for brand, tally in by_brand[subject.id].items()},
        {
            there.brand_names.get(brand, "?"): [
                found[brand].mentions / whole[one].mentions
                for one, found in by_brand.items()
                if whole[one].mentions >= LEAST
            ]
            for brand in question.scope.brand_ids
        },
    )
    languages, is_part = _languages(connection, everything, question)
    of_language: dict[int, dict[str, int]] = {one: {} for one in groups}
    for one, members in groups.items():
        for member in members:
            for language, count in languages.get(member, {}).items():
                of_language[one][language] = of_language[one].get(language, 0) + count
    known = {one: sum(count for name, count in found.items() if name) for one, found in of_language.items()}
    said = sorted({name for name in of_language[subject.id] if name})
    spoken = _section(
        "Languages",
        {name: of_language[subject.id][name] for name in said},
        {
            name: [found.get(name, 0) / known[one] for one, found in of_language.items() if known[one] >= LEAST]
            for name in said
        },
        unknown=of_language[subject.id].get("", 0),
        said=f"of the newest {SAMPLE:,} of all" if is_part else "",
    )
    teams = cube.totals_by(connection, question.scope, (cube.TEAM,), question.window, there, values=MENTIONS)
    team = _section(
        "Teams",
        {
            there.team_names.get(group[0], "?"): tally.mentions
            for group, tally in teams.tallies.items()
            if group[0] != UNKNOWN
        },
        unknown=teams.of(UNKNOWN).mentions,
        said="of the newest 50,000" if teams.partial else "",
    )
    kind = next(item.kind for item in there.locations if item.id == subject.id)
    nets = [
        tally.net_sentiment for tally in whole.values() if tally.scored >= LEAST and tally.net_sentiment is not None
    ]
    compared = Compared(
        kind=kind,
        count=len(groups),
        here=here,
        mentions=median(tally.mentions for tally in whole.values()) if len(groups) > 1 else None,
        net=median(nets) if len(groups) > 1 and nets else None,
    )
    name = f"Here and the median {KIND_WORDS.get(kind, 'location')}"
    return Frame(name, (brands, spoken, team), compared, here.mentions, question.window.end, frame.about(question))


def _languages(connection: Connection, scope: Scope, question: Question) -> tuple[dict[int, dict[str, int]], bool]:
    """location -> language ("" = not known) -> mentions, of the newest SAMPLE."""
    params: dict[str, Any] = {}
    columns = "m.id, m.location_id, m.language"
    inner = filtered(connection, scope, scope.brand_ids, question.window, params, columns=columns, limit=SAMPLE + 1)
    statement = f"select location_id, language, count(*) from ({inner}) as counted group by location_id, language"  # noqa: S608
    found: dict[int, dict[str, int]] = {}
    rows = 0
    for location_id, language, count in connection.execute(text(statement), params):
        found.setdefault(int(location_id), {})[language or ""] = int(count)
        rows += int(count)
    return found, rows > SAMPLE


# -- a team ----------------------------------------------------------------------------------------------------


def _of_team(connection: Connection, question: Question) -> Frame:
    there, asked = question.organisation, replace(question.scope, tracked_ids=question.scope.brand_ids)
    brands = cube.totals_by(connection, asked, (cube.BRAND,), question.window, there, values=MENTIONS)
    places = cube.totals_by(connection, asked, (cube.LOCATION,), question.window, there, values=MENTIONS)
    mentions = sum(tally.mentions for tally in brands.tallies.values())
    names = there.location_names
    sections = (
        _section(
            "Brands",
            {there.brand_names.get(group[0], "?"): tally.mentions for group, tally in brands.tallies.items()},
        ),
        _section(
            "Locations",
            {
                names.get(group[0], "?"): tally.mentions
                for group, tally in places.tallies.items()
                if group[0] != UNKNOWN
            },
            unknown=places.of(UNKNOWN).mentions,
            said="of the newest 50,000" if places.partial else "",
        ),
    )
    return Frame("What is routed to it", sections, None, mentions, question.window.end, frame.about(question))


# -- together --------------------------------------------------------------------------------------------------


def _section(
    title: str,
    counts: Mapping[str, int],
    usual: Mapping[str, Sequence[float]] | None = None,
    *,
    unknown: int = 0,
    said: str = "",
) -> Section:
    known = sum(counts.values())
    ordered = sorted((item for item in counts.items() if item[1]), key=lambda item: (-item[1], item[0]))
    shown = ordered if len(ordered) <= MOST_ROWS else ordered[: MOST_ROWS - 1]
    shares = usual or {}
    parts = [Part(name, count, median(shares[name]) if shares.get(name) else None) for name, count in shown]
    if rest := sum(count for _, count in ordered[len(shown) :]):
        parts.append(Part(f"{len(ordered) - len(shown)} others", rest))
    return Section(title, tuple(parts), known, unknown, said)


def _said(section: Section) -> str:
    parts = [section.said, f"n = {section.known:,}"]
    if section.unknown:
        parts.append(f"{section.unknown:,} not known, left out")
    return ", ".join(part for part in parts if part)


def _figures(against: Compared) -> list[dict[str, str]]:
    here = against.here
    interval = net_interval(here.positive, here.neutral, here.negative)
    net = "–" if here.net_sentiment is None else style.signed(here.net_sentiment)
    if interval is not None and here.scored < LEAST:
        net = f"{net} ({style.signed(interval[0])} to {style.signed(interval[1])})"
    return [
        {
            "name": "Mentions",
            "here": f"{here.mentions:,}",
            "usual": "no other to compare" if against.mentions is None else f"median {against.mentions:,.0f}",
        },
        {
            "name": "Net sentiment",
            "here": net,
            "usual": "too few to compare" if against.net is None else f"median {style.signed(against.net)}",
        },
    ]


def _tally(totals: cube.Totals, groups: Any) -> Tally:
    return _add(totals.of(*group) for group in groups)


def _add(tallies: Any) -> Tally:
    mentions = positive = neutral = negative = unscored = 0
    for tally in tallies:
        mentions += tally.mentions
        positive += tally.positive
        neutral += tally.neutral
        negative += tally.negative
        unscored += tally.unscored
    return Tally(mentions, positive, neutral, negative, unscored)


PANEL = Panel(key=KEY, topics=("mentions", "organisation"), query=query, draw=draw, place=place, table=table)
