"""The pages there are, in the order of the rail."""

from __future__ import annotations

from dashboard.views import admin_sources, command
from dashboard.views.view import Address, View

VIEWS: tuple[View, ...] = (command.VIEW, admin_sources.VIEW)


def by_path(path: str) -> Address | None:
    """Where a path leads, with or without a slash at its end; None where there is no such page."""
    wanted = path.rstrip("/") or "/"
    for view in VIEWS:
        if not view.subject:
            if view.path == wanted:
                return Address(view)
        elif wanted.startswith(f"{view.path}/") and (key := wanted.removeprefix(f"{view.path}/")) and "/" not in key:
            return Address(view, key)
    return None


__all__ = ["VIEWS", "Address", "View", "by_path"]
