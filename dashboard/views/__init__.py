"""The pages there are, in the order of the rail."""

from __future__ import annotations

from dashboard.views import admin_sources, command
from dashboard.views.view import View

VIEWS: tuple[View, ...] = (command.VIEW, admin_sources.VIEW)


def by_path(path: str) -> View | None:
    """The view of a path, with or without a slash at its end; None where there is no such page."""
    wanted = path.rstrip("/") or "/"
    return next((view for view in VIEWS if view.path == wanted), None)


__all__ = ["VIEWS", "View", "by_path"]
