"""What the three admin pages of the organisation share: a table drawn by the browser, and the form of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.panel import Panel, Props
from dashboard.panels import frame

Row = dict[str, Any]


def field(
    name: str,
    label: str,
    help_words: str = "",
    *,
    type: str = "text",
    choices: Sequence[str] = (),
    new_only: bool = False,
) -> Row:
    """One field of a form: `type` is text, lines or choice."""
    return {
        "name": name,
        "label": label,
        "help": help_words,
        "type": type,
        "choices": list(choices),
        "new_only": new_only,
    }


def row(key: str, cells: Sequence[str], values: dict[str, str], *, depth: int = 0, link: str = "") -> Row:
    """One row: what its columns say, what its form holds; `link` leads from the last cell."""
    return {"key": key, "cells": list(cells), "values": values, "depth": depth, "link": link}


def props(key: str, kind: str, columns: Sequence[str], rows: list[Row], fields: list[Row]) -> Props:
    """What goes to the browser."""
    shown = {"page": key, "kind": kind, "columns": list(columns), "rows": rows, "fields": fields}
    return {f"{key}-rows": shown, f"{key}-state": frame.NO_STATE}


def place(key: str, name: str) -> Callable[[], Component]:
    """The panel before data came."""

    def placed() -> Component:
        return html.Section(
            id=f"panel-{key}",
            className="panel org-panel",
            **{"aria-label": name, "data-panel": key},
            children=[
                html.Div(id=f"{key}-rows", className="org-body"),
                html.Div(id=f"{key}-state", className="pstate", **{"data-state-of": key}),
            ],
        )

    return placed


def panel(key: str, name: str, query: Any, draw: Any, *, topics: tuple[str, ...] = ("organisation",)) -> Panel:
    """The panel of one admin page."""
    return Panel(
        key=key,
        topics=topics,
        query=query,
        draw=draw,
        place=place(key, name),
        ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
    )
