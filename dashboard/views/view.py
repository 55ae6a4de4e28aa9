"""What a view is: a page of its own, and the panels that live on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dash import Dash
from dash.development.base_component import Component

from dashboard.panel import Panel
from models.access import VIEWER
from models.database import Database
from models.settings import Settings

Keys = tuple[tuple[str, str], ...]
"""Keys of a page and what each does, as the overlay lists them."""


def no_callbacks(app: Dash, database: Database, settings: Settings) -> None:
    """For a page on which nothing is changed."""


@dataclass(frozen=True, slots=True)
class View:
    """One page. `icon` names a symbol of assets/icons.svg; `place` lays the panels out before data came.

    `right` is what a person needs to see it, `rail` its name in the rail where that is another one; a page whose
    `rail_path` names another page stands in no rail and marks that one there. A page without a scope has no scope
    bar: what it shows belongs to the whole organisation. The page of one `subject` (brand, location, team) has an
    address for each of them, `path`, the key and `tail`, and its panels are asked about that one alone. `register`
    adds its callbacks.
    """

    key: str
    path: str
    title: str
    icon: str
    panels: tuple[Panel, ...]
    place: Callable[[], Component]
    right: str = VIEWER
    rail: str = ""
    rail_path: str = ""
    has_scope: bool = True
    subject: str = ""
    tail: str = ""
    keys: Keys = ()
    register: Callable[[Dash, Database, Settings], None] = no_callbacks

    @property
    def is_in_rail(self) -> bool:
        """Whether the rail shows a way to it."""
        return not self.rail_path


@dataclass(frozen=True, slots=True)
class Address:
    """A page that an address leads to; `subject_key` names the one it is about, "" where it is about none."""

    view: View
    subject_key: str = ""

    @property
    def path(self) -> str:
        """The address itself."""
        return f"{self.view.path}/{self.subject_key}{self.view.tail}" if self.subject_key else self.view.path
