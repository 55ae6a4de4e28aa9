"""The way from an empty installation to one that listens: each step with what is there, and the demo data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection, func, select

from dashboard.panel import Panel, Props, Question
from dashboard.panels import frame
from models import demo_data
from models.access import ADMIN
from models.demo_data import Demo
from models.tables import brand_rule, membership, source

KEY = "admin-setup"
NAME = "Set up your watch floor"


@dataclass(frozen=True, slots=True)
class Frame:
    """What is there of our own, the demo left out; `admins` who may sign in."""

    admins: int
    brands: int
    locations: int
    teams: int
    sources: int
    listening: int
    rules: int
    demo: Demo


def query(connection: Connection, question: Question) -> Frame:
    """A few short reads."""
    demo, there = demo_data.of(connection), question.organisation
    mine = [item.id for item in there.brands if item.kind == "own" and item.id not in demo.brands]
    real = source.c.id.not_in(demo.sources)
    admins = select(func.count()).where(membership.c.right == ADMIN, membership.c.valid_to.is_(None))
    rules = select(func.count(brand_rule.c.brand_id.distinct())).where(
        brand_rule.c.brand_id.in_(mine), brand_rule.c.valid_to.is_(None)
    )
    return Frame(
        admins=connection.execute(admins).scalar_one(),
        brands=len(mine),
        locations=sum(item.id > 1 and item.id not in demo.locations for item in there.locations),
        teams=sum(item.id > 1 and item.id not in demo.teams for item in there.teams),
        sources=connection.execute(select(func.count()).select_from(source).where(real)).scalar_one(),
        listening=connection.execute(
            select(func.count()).select_from(source).where(real, source.c.last_success_at.is_not(None))
        ).scalar_one(),
        rules=connection.execute(rules).scalar_one(),
        demo=demo,
    )


def draw(found: Frame) -> Props:
    """The steps in their order: the first that is not done is the next."""
    has_rules = bool(found.brands) and found.rules >= found.brands
    steps = [
        _step("Create the first administrator", _counted(found.admins, "administrator"), found.admins > 0, "", ""),
        _step(
            "Add brands, locations and teams",
            f"{_counted(found.brands, 'brand')}, {_counted(found.locations, 'location')}, "
            f"{_counted(found.teams, 'team')} of your own. You need one brand to start.",
            found.brands > 0,
            "Brands",
            "/admin/brands",
        ),
        _step(
            "Connect an account or a feed",
            f"{_counted(found.sources, 'source')}, {found.listening} of them answered. A feed needs no key."
            if found.sources
            else "Each source is tried before it is saved. A feed needs no key.",
            found.listening > 0,
            "Choose source",
            "/admin/sources",
        ),
        _step(
            "Say what counts as a mention",
            f"{found.rules} of {_counted(found.brands, 'brand')} have a rule; a rule is tried on stored posts first.",
            has_rules,
            "Open rules",
            "/admin/rules",
        ),
    ]
    following = next((step for step in steps if not step["done"]), None)
    for step in steps:
        step["next"] = step is following
    return {f"{KEY}-steps": {"steps": steps, "demo": _demo(found.demo)}, f"{KEY}-state": frame.NO_STATE}


def _demo(demo: Demo) -> dict[str, Any]:
    words = {
        demo_data.NONE: "",
        demo_data.SHOWN: "A made-up organisation fills the pages. Hide it to see your own data alone.",
        demo_data.HIDDEN: "The demo data is hidden and its sources are paused. It can be shown again.",
        demo_data.REMOVING: f"The demo data is being removed: {demo.removed:,} of about {demo.of:,} mentions are gone. "
        "Ingest does it; you can leave this page.",
        demo_data.REMOVED: "The demo data was removed for good.",
    }
    return {"state": demo.state, "words": words[demo.state]}


def _step(title: str, words: str, done: bool, way: str, path: str) -> dict[str, Any]:
    return {"title": title, "words": words, "done": done, "way": way, "path": path}


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def place() -> Component:
    """The browser fills it."""
    return html.Section(
        id=f"panel-{KEY}",
        className="panel setup-panel",
        **{"aria-label": NAME, "data-panel": KEY},
        children=[
            html.Div(id=f"{KEY}-steps", className="setup-body"),
            html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
        ],
    )


PANEL = Panel(
    key=KEY,
    topics=("organisation", "sources", "demo"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
)
