"""What a panel is: a question to the database, a drawing of the answer, a place on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Connection

from models.access import Access, Grant, Scope, Window
from models.errors import NotFound
from models.feed import NO_FILTERS, Filters
from models.organisation import Organisation

Props = Mapping[str, Mapping[str, Any]]
"""Component id -> props, plain JSON: what goes to every browser that shows the panel."""
INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about: `kind` is brand, location or team, `id` that of the organisation; or incident, its number.

    `among` are the locations that this person may compare one with, None = all of them.
    """

    kind: str
    id: int
    among: tuple[int, ...] | None = None


def incident_subject(key: str) -> Subject:
    """The incident of this number. NotFound for what is none; whether there is one, for this person, its panels ask."""
    if not (key.isascii() and key.isdigit() and len(key) < 10):
        raise NotFound(f'no incident "{key[:40]}"')
    return Subject(INCIDENT, int(key))


@dataclass(frozen=True, slots=True)
class Question:
    """What a panel is asked: whose data, of when, drawn in which zone; on the page of one subject, about which.

    `now` is the instant of the computation; a live window ends there. The scope is narrowed to the subject already.
    `filters` are the feed's own: for a panel that is not `filtered` there are none. `reach` says where cases are seen,
    for a panel that `reads_cases`; nobody sees one elsewhere.
    """

    scope: Scope
    window: Window
    zone: str
    organisation: Organisation
    now: datetime
    subject: Subject | None = None
    filters: Filters = NO_FILTERS
    reach: tuple[Grant, ...] = ()

    @property
    def anybody(self) -> Access:
        """Somebody who sees the cases that all who share the panel see, and may do nothing."""
        return Access.granted(0, "", "", self.reach)


@dataclass(frozen=True, slots=True)
class Table:
    """What a panel shows, as rows: for reading as a table, for CSV, for copying as text.

    `columns` are names with their unit; a cell is text, a number, an instant (UTC), or None where nothing is known.
    `about` says scope, time and n in one line.
    """

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | datetime | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `query` reads in a thread, `draw` needs nothing but what `query` returned.

    `topics` are the changes that wake it ("mentions", "sources", "organisation"). `ignores` names the parts of the
    scope it does not read (location_ids, team_ids, network_ids, search, window), so that people with different
    scopes still share it; the filters of the feed are read by a `filtered` panel alone, and where somebody sees cases
    by one that `reads_cases`. `place` is the panel at its final size, before data came. `table` gives what `query`
    returned as rows; None where a table would say nothing.
    """

    key: str
    topics: tuple[str, ...]
    query: Callable[[Connection, Question], Any]
    draw: Callable[[Any], Props]
    place: Callable[[], Component]
    ignores: frozenset[str] = frozenset()
    table: Callable[[Any], Table] | None = None
    filtered: bool = False
    reads_cases: bool = False
