"""A small made-up organisation, for tests of the screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dashboard import scope
from dashboard.panel import Question
from models.access import Access
from models.organisation import Brand, Location, Organisation, Team

NOW = datetime(2026, 11, 19, 14, 32, 10, tzinfo=UTC)
ADMIN = Access(1, "admin@meridian.example", "Admin", frozenset({"admin"}))

BRANDS = (("corvane", "Corvane", "own"), ("halden", "Halden Bank", "own"), ("velta", "Velta", "own"))
PLACES = (("emea", "region", None), ("kenya", "country", 2), ("nairobi", "site", 3), ("berlin", "site", 2))


def person(**limits: Any) -> Access:
    """Somebody who may look, at everything unless limited."""
    return Access(7, "ines@meridian.example", "Ines Kramer", frozenset({"viewer"}), **limits)


def organisation(zone: str = "Europe/Amsterdam", *, simulated: bool = True) -> Organisation:
    """Three brands of ours, one competitor (of the first), five places, one team."""

    def place(number: int, key: str, kind: str, parent: int | None) -> Location:
        return Location(number, key, key.title(), kind, parent, None, None, None, (), key[:2].upper())

    return Organisation(
        name="Meridian Group",
        zone=zone,
        languages=("en",),
        simulated=simulated,
        brands=(
            Brand(1, "unmatched", "Unmatched", "unmatched", "··"),
            *(Brand(n, key, name, kind, key[:2]) for n, (key, name, kind) in enumerate(BRANDS, start=2)),
            Brand(5, "rival", "Rival", "competitor", "Ri"),
        ),
        locations=(
            place(1, "unknown", "unknown", None),
            *(place(n, key, kind, parent) for n, (key, kind, parent) in enumerate(PLACES, start=2)),
            place(6, "tokyo", "site", None),
        ),
        teams=(Team(1, "none", "No team"), Team(2, "care", "Customer care")),
        covers=(),
        competitors={2: (5,)},
    )


def asked(search: str = "", *, access: Access = ADMIN, now: datetime = NOW, zone: str = "Europe/Amsterdam") -> Question:
    """The question that an address is."""
    return scope.question(scope.parse(search), access, organisation(zone), now)
