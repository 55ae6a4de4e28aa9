"""How the installation is doing, in figures that a person or a monitor reads."""

from __future__ import annotations

import importlib.metadata
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from models import organisation, sources
from models.cube import DAY
from models.database import Database
from models.organisation import UNKNOWN
from models.tables import cube, set_aside


@dataclass(frozen=True, slots=True)
class Status:
    """`mentions`: total, by_brand (key -> number), unmatched. `sources`: one entry each.

    A source's `state` is how fresh its data is, `condition` what is the matter: a dead token (disconnected), a limit
    (limited), a passing fault, an unknown one, a spent budget and a deaf network are different words.
    """

    mentions: dict[str, Any]
    set_aside: int
    sources: tuple[dict[str, Any], ...]
    database: str
    version: str
    simulated: bool

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def status(database: Database, now: datetime) -> Status:
    """Read from the rollups: its cost does not grow with what is stored."""
    with database.read() as connection:
        current = organisation.current(connection, now)
        rows = connection.execute(
            select(cube.c.brand_id, func.sum(cube.c.mentions))
            .where(
                cube.c.granularity == DAY,
                cube.c.location_id == 0,
                cube.c.team_id == 0,
                cube.c.network_id == 0,
            )
            .group_by(cube.c.brand_id)
        ).all()
        counts = {brand_id: int(n) for brand_id, n in rows}
        keys = {item.id: item.key for item in current.brands}
        aside = connection.execute(select(func.count()).select_from(set_aside)).scalar_one()
        health = sources.health(connection, now)
    unmatched = counts.pop(UNKNOWN, 0)
    by_brand = {key: counts.get(brand_id, 0) for brand_id, key in sorted(keys.items()) if brand_id != UNKNOWN}
    return Status(
        mentions={"total": sum(counts.values()) + unmatched, "by_brand": by_brand, "unmatched": unmatched},
        set_aside=int(aside),
        sources=tuple(
            {
                "name": item.name,
                "kind": item.kind,
                "state": item.badge,
                "condition": item.condition,
                "error_kind": item.error_kind,
                "data_age_s": None if item.data_age_seconds is None else round(item.data_age_seconds, 1),
                "normal_s": round(item.normal_seconds, 1),
                "last_error": item.last_error,
                "progress": item.progress,
            }
            for item in health
        ),
        database=database.url.render_as_string(hide_password=True),
        version=importlib.metadata.version("watchfloor"),
        simulated=current.simulated,
    )
