"""What a view is: a page of its own, and the panels that live on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dash.development.base_component import Component

from dashboard.panel import Panel


@dataclass(frozen=True, slots=True)
class View:
    """One page. `icon` names a symbol of assets/icons.svg; `place` lays the panels out before data came."""

    key: str
    path: str
    title: str
    icon: str
    panels: tuple[Panel, ...]
    place: Callable[[], Component]
