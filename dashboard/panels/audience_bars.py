"""Of what the mentions are made: by network, form, language and country, with n; what is not known is said apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import About
from models import geography
from models.audience_mix import SAMPLE, Mix, mix
from models.networks import BY_KEY

KEY = "mix"
NAME = "Audience"
# Rows of networks, and parts of a bar with a name of their own; the rest is summed.
MOST_NETWORKS = 6
MOST_PARTS = 4
FORMS = {"text": "Text", "picture": "Picture", "video": "Video", "audio": "Audio"}


@dataclass(frozen=True, slots=True)
class Frame:
    """The mix of a scope and the words."""

    mix: Mix
    end: datetime
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """Two statements: the networks from the rollups, the rest from the newest rows."""
    found = mix(connection, question.scope, question.window, question.organisation)
    told = frame.about(question)
    if not found.rows and not found.networks:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    return Frame(found, question.window.end, told)


def draw(found: Frame) -> Props:
    """Rows of bars for the networks, one bar of parts for each of the others."""
    told, made = found.about, found.mix
    total = sum(made.networks.values())
    sub = f"n = {total:,}"
    if not total and not made.rows:
        return {"mix-head": frame.head(NAME, told.window_name), "mix-state": frame.empty(told)}
    base = f"Form, language, country: the newest {SAMPLE:,} mentions" if made.is_part else ""
    return {
        "mix-bars": {
            "networks": networks(made.networks),
            "bars": [
                _bar("form", "Form", made.forms, made.rows),
                _bar("language", "Language", made.languages, made.rows),
                _bar("country", "Country", made.countries, made.rows),
            ],
            "base": base,
        },
        "mix-head": frame.head("Audience, % of mentions", sub),
        "mix-state": frame.NO_STATE,
    }


def place() -> Component:
    """The box with an empty list; the browser draws into it."""
    body = html.Div(id="mix-bars", className="mix", role="group", tabIndex="0", **{"aria-label": NAME})
    return frame.box(KEY, NAME, body)


def table(found: Frame) -> Table:
    """A row a value: dimension, value, mentions, share of those whose value is known."""
    rows: list[tuple[str | float | datetime | None, ...]] = []
    made = found.mix
    for name, counts in (
        ("Network", made.networks),
        ("Form", made.forms),
        ("Language", made.languages),
        ("Country", made.countries),
    ):
        known = sum(counts.values())
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rows += [(name, words(name.lower(), key), count, round(100 * count / known, 1)) for key, count in ordered]
        if name != "Network" and made.rows > known:
            rows.append((name, "not known", made.rows - known, None))
    counted = f"{sum(made.networks.values()):,} mentions, of {made.rows:,} form, language and country"
    return Table(
        title="Audience",
        about=exported.line(found.about.words, found.end, found.about.zone, counted),
        columns=("Dimension", "Value", "Mentions", "Share of known (%)"),
        rows=tuple(rows),
    )


def networks(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The largest first; beyond MOST_NETWORKS the rest in one row."""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ordered if len(ordered) <= MOST_NETWORKS else ordered[: MOST_NETWORKS - 1]
    rows = [
        {
            "key": key,
            "mono": BY_KEY[key].monogram,
            "name": BY_KEY[key].name,
            "share": _share(count, total),
            "n": f"{count:,}",
        }
        for key, count in shown
    ]
    if rest := sum(count for _, count in ordered[len(shown) :]):
        names = f"{len(ordered) - len(shown)} others"
        rows.append({"key": "", "mono": "··", "name": names, "share": _share(rest, total), "n": f"{rest:,}"})
    return rows


def _bar(key: str, title: str, counts: Mapping[str, int], rows: int) -> dict[str, Any]:
    known = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ordered if len(ordered) <= MOST_PARTS + 1 else ordered[:MOST_PARTS]
    parts = [
        {
            "key": value,
            "label": label(key, value),
            "name": words(key, value),
            "share": _share(count, known),
            "n": f"{count:,}",
        }
        for value, count in shown
    ]
    if rest := sum(count for _, count in ordered[len(shown) :]):
        others = f"{len(ordered) - len(shown)} others"
        parts.append({"key": "", "label": "+", "name": others, "share": _share(rest, known), "n": f"{rest:,}"})
    said = f"n = {known:,}"
    if rows > known:
        said += f"; {100 * (rows - known) / rows:.0f}% not known, left out"
    return {"key": key, "title": title, "said": said, "parts": parts}


def label(dimension: str, value: str) -> str:
    """A value as it fits into a bar."""
    return FORMS.get(value, value) if dimension == "form" else value


def words(dimension: str, value: str) -> str:
    """A value as people call it."""
    if dimension == "network":
        return BY_KEY[value].name if value in BY_KEY else value
    if dimension == "country":
        return geography.country_name(value)
    return label(dimension, value)


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


PANEL = Panel(key=KEY, topics=("mentions",), query=query, draw=draw, place=place, table=table)
