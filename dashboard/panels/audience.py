"""The audience: where it is, how it writes, in which languages and countries, beside the one that was declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from dashboard.panels.frame import About
from models import audience, cube, geography
from models.audience import DIMENSIONS, FORMATS, SAMPLE, Compared, Declared, People, Sample
from models.intervals import wilson
from models.networks import BY_KEY
from models.organisation import Organisation

KEY = "audience"
# Rows of a list of languages or countries; the others are summed in the last one.
MOST_ROWS = 12
NAMES = {"network": "Network", "place": "Place", "language": "Language", "format": "Form"}
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "sw": "Swahili",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The people of the scope, what was declared for its brands, reach, and the words."""

    sample: Sample
    declared: tuple[Declared, ...]
    brands: tuple[tuple[int, str], ...]
    keys: tuple[str, ...]
    reach: int
    each_once: bool
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """People from the newest posts, reach from the rollups."""
    scope, organisation = question.scope, question.organisation
    reach = cube.reach(connection, scope, question.window, organisation)
    return Frame(
        sample=audience.sample(connection, scope, question.window),
        declared=audience.declared(connection, scope.brand_ids),
        brands=tuple((brand_id, _name(brand_id, organisation)) for brand_id in scope.brand_ids),
        keys=tuple(_key(brand_id, organisation) for brand_id in scope.brand_ids),
        reach=reach.value,
        each_once=reach.each_once,
        about=frame.about(question),
    )


def _name(brand_id: int, organisation: Organisation) -> str:
    return organisation.brand_names.get(brand_id, "?")


def _key(brand_id: int, organisation: Organisation) -> str:
    return next((brand.key for brand in organisation.brands if brand.id == brand_id), "")


def draw(found: Frame) -> Props:
    """Everything that the browser draws, in one piece; the words in its place where nobody wrote."""
    told, people = found.about, found.sample.all
    if not people.people:
        return {"audience-board": {"is_empty": True}, "audience-state": frame.empty(told)}
    return {
        "audience-board": {
            "is_empty": False,
            "about": _behind(found),
            "strip": _strip(found),
            "where": _where(found),
            "how": _how(found),
            "language": _rows(people, "language", found),
            "place": _rows(people, "place", found),
            "core": _core(found),
            "unknown_place": _percent(1 - people.known("place") / people.people),
            "unknown_language": _percent(1 - people.known("language") / people.people),
        },
        "audience-state": frame.NO_STATE,
    }


def _behind(found: Frame) -> str:
    people = found.sample.all
    posts = f"the newest {SAMPLE:,} mentions" if found.sample.is_part else f"all {people.posts:,} mentions"
    return f"{found.about.words}; people behind {posts}"


def _percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)


def _strip(found: Frame) -> list[dict[str, Any]]:
    people = found.sample.all
    number, unit = style.number(people.people)
    reach, reach_unit = style.number(found.reach)
    part = f"behind the newest {SAMPLE:,} mentions" if found.sample.is_part else f"behind {people.posts:,} mentions"
    cells = [_cell("People active", number, unit, part)]
    if found.declared:
        wanted = {
            name: sorted({value for item in found.declared for value in item.values[name]}) for name in DIMENSIONS
        }
        inside, known = people.inside(wanted)
        cells.append(_share("Core audience among them", inside, known, "with all of it known"))
    cells += [
        _share("Wrote more than once", people.repeated, people.people, "people"),
        _cell("Reach, estimated", reach, reach_unit, "each author once" if found.each_once else "days added"),
        _share("Place known", people.known("place"), people.people, "people; the others are in no share of places"),
    ]
    return cells


def _cell(name: str, number: str, unit: str, under: str) -> dict[str, Any]:
    return {"name": name, "number": number, "unit": unit, "under": under}


def _share(name: str, part: int, whole: int, of: str) -> dict[str, Any]:
    if not whole:
        return _cell(name, "n/a", "", f"nothing known of {of}")
    low, high = wilson(part, whole)
    return _cell(name, f"{100 * part / whole:.0f}", "%", f"{100 * low:.0f} to {100 * high:.0f} %; n = {whole:,} {of}")


def _of(found: Frame, brand_id: int) -> People:
    return found.sample.by_brand.get(brand_id, People())


def _declared_by(found: Frame, dimension: str) -> Mapping[int, tuple[str, ...]]:
    return {item.brand_id: item.values[dimension] for item in found.declared}


def _where(found: Frame) -> dict[str, Any]:
    """Shares of a brand's people by network, in %; `core` = declared."""
    everybody = found.sample.all.by("network")
    keys = sorted(everybody, key=lambda key: (-everybody[key], key))
    core = _declared_by(found, "network")
    rows = [
        _network_row(name, _of(found, brand_id), keys, core.get(brand_id, ())) | {"brand": key}
        for (brand_id, name), key in zip(found.brands, found.keys, strict=True)
    ]
    if len(rows) > 1:
        rows.append(_network_row("All", found.sample.all, keys, ()) | {"is_total": True})
    return {"columns": [{"key": key, "name": BY_KEY[key].name} for key in keys], "rows": rows}


def _network_row(name: str, people: People, keys: list[str], core: tuple[str, ...]) -> dict[str, Any]:
    counts = people.by("network")
    return {
        "name": name,
        "brand": "",
        "people": people.people,
        "cells": [
            {"share": _percent(counts.get(key, 0) / people.people) if people.people else None, "core": key in core}
            for key in keys
        ],
    }


def _how(found: Frame) -> list[dict[str, Any]]:
    """Shares of a brand's people by the form of their newest post, in %."""
    rows = [(name, _of(found, brand_id)) for brand_id, name in found.brands]
    if len(rows) > 1:
        rows.append(("All", found.sample.all))
    return [
        {
            "name": name,
            "people": people.people,
            "parts": [
                {"form": form, "share": 100 * people.by("format").get(form, 0) / people.people}
                for form in FORMATS
                if people.by("format").get(form)
            ]
            if people.people
            else [],
        }
        for name, people in rows
    ]


def _rows(people: People, dimension: str, found: Frame) -> list[dict[str, Any]]:
    counts, known = people.by(dimension), people.known(dimension)
    wanted = {value for values in _declared_by(found, dimension).values() for value in values}
    order = sorted(counts, key=lambda value: (-counts[value], value))
    shown = order if len(order) <= MOST_ROWS else order[: MOST_ROWS - 1]
    rows = [
        {
            "key": value,
            "name": words(dimension, value),
            "share": 100 * counts[value] / known,
            "n": counts[value],
            "core": value in wanted,
        }
        for value in shown
    ]
    if others := order[len(shown) :]:
        n = sum(counts[value] for value in others)
        rows.append({"key": "", "name": f"Other, {len(others)}", "share": 100 * n / known, "n": n, "core": False})
    return rows


def words(dimension: str, value: str) -> str:
    """A value of a dimension as people call it."""
    if dimension == "network":
        return BY_KEY[value].name if value in BY_KEY else value
    if dimension == "place":
        return geography.country_name(value)
    return LANGUAGES.get(value, value) if dimension == "language" else value


def _core(found: Frame) -> dict[str, Any]:
    names = dict(found.brands)
    said = ""
    if found.declared:
        who = ", ".join(names.get(item.brand_id, "?") for item in found.declared)
        since = max(item.since for item in found.declared)
        said = f"declared for {who}; the newest on {since:%-d %b %Y} by {found.declared[-1].actor}"
    return {
        "said": said,
        "blocks": [_block(item) for item in audience.compared(found.sample.all, found.declared)],
    }


def _block(item: Compared) -> dict[str, Any]:
    missing = [words(item.dimension, value) for value in item.missing]
    absent = [words(item.dimension, value) for value in item.declared if value not in item.actual]
    sentence = "as declared"
    if missing:
        sentence = f"{_and(missing)} {'is' if len(missing) == 1 else 'are'} ahead of {_and(absent)}"
    if item.meant is not None and item.share is not None and abs(item.share - item.meant) >= 0.005:
        points = round(100 * (item.share - item.meant))
        sentence += f"; {abs(points)} points {'over' if points > 0 else 'under'} the share meant"
    return {
        "name": NAMES[item.dimension],
        "declared": ", ".join(words(item.dimension, value) for value in item.declared),
        "actual": [{"name": words(item.dimension, value), "is_new": value in item.missing} for value in item.actual],
        "share": _percent(item.share),
        "meant": _percent(item.meant),
        "n": item.known,
        "is_as_declared": not missing,
        "sentence": sentence,
    }


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def place() -> Component:
    """The sections at their final size; the browser draws into them."""
    return html.Section(
        id=f"panel-{KEY}",
        className="audience-panel",
        **{"aria-label": "Audience", "data-panel": KEY},
        children=[
            html.Div(id="audience-board", className="audience-board"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


def table(found: Frame) -> Table:
    """A row a brand, dimension and value."""
    rows: list[tuple[str | float | None, ...]] = []
    for brand_id, name in found.brands:
        people = _of(found, brand_id)
        for dimension in DIMENSIONS:
            counts, known = people.by(dimension), people.known(dimension)
            core = _declared_by(found, dimension).get(brand_id, ())
            for value in sorted(counts, key=lambda value: (-counts[value], value)):
                shared = round(100 * counts[value] / known, 1)
                row = (name, NAMES[dimension], words(dimension, value), counts[value], shared)
                rows.append((*row, "yes" if value in core else ""))
    columns = ("Brand", "Dimension", "Value", "People", "Share of people whose value is known, %", "Declared")
    return Table("Audience", _behind(found), columns, tuple(rows))


PANEL = Panel(key=KEY, topics=("mentions", "audience"), query=query, draw=draw, place=place, table=table)
