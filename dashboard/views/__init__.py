"""The pages there are, in the order of the rail."""

from __future__ import annotations

from dataclasses import replace

from dashboard.panel import Panel
from dashboard.panels import alerts, shift_log
from dashboard.views import (
    admin_organisation,
    admin_rules,
    admin_setup,
    admin_sources,
    audience,
    command,
    index,
    subject,
)
from dashboard.views.view import Address, View

# What every page carries along; the frame around the pages places them.
COMMON: tuple[Panel, ...] = (alerts.PANEL, shift_log.PANEL)

_PAGES: tuple[View, ...] = (
    command.VIEW,
    index.BRANDS,
    index.LOCATIONS,
    index.TEAMS,
    subject.BRAND,
    subject.LOCATION,
    subject.TEAM,
    audience.VIEW,
    admin_setup.VIEW,
    admin_organisation.BRANDS,
    admin_organisation.LOCATIONS,
    admin_organisation.TEAMS,
    admin_sources.VIEW,
    admin_rules.VIEW,
)

VIEWS: tuple[View, ...] = tuple(replace(view, panels=(*view.panels, *COMMON)) for view in _PAGES)


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


__all__ = ["COMMON", "VIEWS", "Address", "View", "by_path"]
