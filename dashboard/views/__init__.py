"""The pages there are, in the order of the rail."""

from __future__ import annotations

from dataclasses import replace

from dashboard.panel import Panel
from dashboard.panels import alerts, due, incident_banner, shift_log
from dashboard.views import (
    accounts,
    admin_organisation,
    admin_people,
    admin_rules,
    admin_setup,
    admin_sources,
    audience,
    audit,
    command,
    incidents,
    index,
    respond,
    shifts,
    subject,
)
from dashboard.views.view import Address, View

# What every page carries along; the frame around the pages places them.
COMMON: tuple[Panel, ...] = (incident_banner.PANEL, alerts.PANEL, due.PANEL, shift_log.PANEL)

_PAGES: tuple[View, ...] = (
    command.VIEW,
    respond.VIEW,
    index.BRANDS,
    index.LOCATIONS,
    index.TEAMS,
    subject.BRAND,
    subject.LOCATION,
    subject.TEAM,
    shifts.VIEW,
    audience.VIEW,
    incidents.LIST,
    incidents.ONE,
    accounts.VIEW,
    audit.VIEW,
    admin_setup.VIEW,
    admin_organisation.BRANDS,
    admin_organisation.LOCATIONS,
    admin_organisation.TEAMS,
    admin_sources.VIEW,
    admin_rules.VIEW,
    admin_people.VIEW,
)

VIEWS: tuple[View, ...] = tuple(replace(view, panels=(*view.panels, *COMMON)) for view in _PAGES)


def by_path(path: str) -> Address | None:
    """Where a path leads, with or without a slash at its end; None where there is no such page."""
    wanted = path.rstrip("/") or "/"
    for view in VIEWS:
        if not view.subject:
            if view.path == wanted:
                return Address(view)
        elif wanted.startswith(f"{view.path}/") and wanted.endswith(view.tail):
            key = wanted.removeprefix(f"{view.path}/").removesuffix(view.tail)
            if key and "/" not in key:
                return Address(view, key)
    return None


__all__ = ["COMMON", "VIEWS", "Address", "View", "by_path"]
