"""The pages of one brand, one location, one team: one arrangement, with what each kind alone has."""

from __future__ import annotations

from collections.abc import Callable

from dash import html
from dash.development.base_component import Component

from dashboard.panel import Panel
from dashboard.panels import (
    audience_bars,
    channels,
    feed,
    load,
    on_shift,
    our_posts,
    parts,
    sentiment,
    share,
    subject_header,
    volume,
    week,
)
from dashboard.views.view import View

# On every page of this kind, in the order they are read.
COMMON = (
    subject_header.PANEL,
    share.PANEL,
    week.PANEL,
    audience_bars.PANEL,
    volume.PANEL,
    sentiment.PANEL,
)
# What stands beside the feed: own posts and channels of a brand, what a location or a team is made of, who is there.
OWN: dict[str, tuple[Panel, ...]] = {
    "brand": (our_posts.PANEL, channels.PANEL),
    "location": (parts.PANEL,),
    "team": (parts.PANEL, load.PANEL, on_shift.PANEL),
}


def _placed(kind: str, panels: tuple[Panel, ...]) -> Callable[[], Component]:
    def place() -> Component:
        """The grid; the header carries the heading of the page."""
        return html.Div(className=f"subject of-{kind}", children=[panel.place() for panel in panels])

    return place


def _view(kind: str, title: str) -> View:
    panels = (*COMMON, *OWN[kind], feed.PANEL)
    return View(
        key=kind,
        path=f"/{kind}",
        title=title,
        icon=f"{kind}s",
        panels=panels,
        place=_placed(kind, panels),
        rail_path=f"/{kind}s",
        subject=kind,
    )


BRAND = _view("brand", "Brand")
LOCATION = _view("location", "Location")
TEAM = _view("team", "Team")
