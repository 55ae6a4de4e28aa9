"""How one source's network is asked: its connector with the settings, credentials and limiter that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from pydantic import BaseModel

from ingest import connectors
from ingest.found import Cursor, Page
from ingest.leases import Lease
from ingest.limits import Limiter
from models import secrets
from models.database import Database
from models.settings import Settings


class Connector(Protocol):
    """A module of ingest/connectors. `look_up`, `canary` and `check` are there where the network can do it."""

    EVERY_SECONDS: float
    NETWORK: str | None
    Config: type[BaseModel]

    def fetch(self, config: Any, cursor: Cursor | None, *, now: datetime) -> Page:
        """One page since the cursor."""

    def describe(self, config: Any) -> str:
        """What is polled, in one line."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A connector bound to one source."""

    connector: Any
    config: Any
    settings: Settings
    limiter: Limiter

    @property
    def _limited(self) -> dict[str, Any]:
        return {"limiter": self.limiter} if getattr(self.connector, "LIMITED", False) else {}

    @property
    def look_up_size(self) -> int:
        """How many posts one look-up asks for."""
        return int(getattr(self.connector, "LOOK_UP_SIZE", 100))

    @property
    def compliance_days(self) -> float:
        """How many days of stored posts are asked after, once a day; 0 = never."""
        given = getattr(self.config, "compliance_days", None)
        return float(given if given is not None else getattr(self.connector, "COMPLIANCE_DAYS", 0))

    @property
    def canary_units(self) -> Mapping[str, int]:
        """What one canary query is charged for."""
        return cast(Mapping[str, int], getattr(self.connector, "CANARY_UNITS", {}))

    def can(self, ability: str) -> bool:
        """Whether the network can do what not all can: look_up, canary, check."""
        return hasattr(self.connector, ability)

    def fetch(self, cursor: Cursor | None, *, now: datetime) -> Page:
        """One page since the cursor."""
        return cast(Page, self.connector.fetch(self.config, cursor, now=now, **self._limited))

    def look_up(self, external_ids: Sequence[str], *, now: datetime) -> Page:
        """What the network says now of posts we know."""
        return cast(Page, self.connector.look_up(self.config, external_ids, now=now, **self._limited))

    def canary(self, *, now: datetime) -> bool:
        """Whether the network answers a query that always has an answer."""
        return bool(self.connector.canary(self.config, now=now, **self._limited))

    def check(self, *, now: datetime) -> str:
        """One sentence of what works with these settings."""
        return str(self.connector.check(self.config, now=now, **self._limited))


def asking(database: Database, settings: Settings, lease: Lease) -> Asking:
    """How the source of a lease is asked; ValidationError, SettingsError for what cannot be used."""
    opened = {} if lease.secrets is None else secrets.unseal(settings, lease.secrets)
    connector = cast(Connector, connectors.by_kind(lease.kind))
    config = connector.Config.model_validate({**lease.config, **opened})
    return Asking(connector, config, settings, Limiter(database))
