"""By which connector, with which credentials an account speaks, and which source's ledger pays for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, select

from ingest import connectors
from ingest.found import Found
from ingest.limits import Limiter
from models import secrets
from models.database import Database
from models.errors import SettingsError
from models.networks import BY_ID
from models.organisation import Organisation
from models.outbox import Call
from models.settings import Settings
from models.tables import account, source

SIMULATOR = "simulator"
# Address of a post, where the network's is known.
ADDRESSES = {"x": "https://x.com/{handle}/status/{post}"}


@dataclass(frozen=True, slots=True)
class Route:
    """A connector bound to one account. `source_id` is the source whose ledger holds what it costs."""

    connector: Any
    config: Any
    source_id: int
    network: str
    limited: Mapping[str, Any]

    def publish(self, call: Call, *, now: datetime) -> str:
        """Hand a reply over, once; its id on the network. Raises ConnectorError."""
        return str(
            self.connector.publish(
                self.config,
                call.handle,
                reply_to=call.reply_to,
                text=call.text,
                key=call.key,
                now=now,
                **self.limited,
            )
        )

    def find(self, handle: str, since: datetime, *, now: datetime) -> tuple[Found, ...]:
        """What the account published since then. Raises ConnectorError."""
        found: tuple[Found, ...] = self.connector.find_by_author(self.config, handle, since, now=now, **self.limited)
        return found

    def url(self, handle: str, external_id: str) -> str | None:
        """Where people see it; None where only reading it back tells that."""
        if self.limited and self.network in ADDRESSES:
            return ADDRESSES[self.network].format(handle=handle, post=external_id)
        return None


def route_of(
    connection: Connection, settings: Settings, organisation: Organisation, account_id: int, database: Database
) -> Route | str:
    """How an account's replies go out, or why they cannot, in words."""
    row = connection.execute(select(account).where(account.c.id == account_id)).one_or_none()
    if row is None or row.valid_to is not None:
        return "the account is no longer ours"
    network = BY_ID[row.network_id].key
    rows = connection.execute(select(source).where(source.c.network_id == row.network_id).order_by(source.c.id)).all()
    if organisation.simulated:
        return _simulated(rows, network)
    return _real(row, rows, network, settings, database)


def _simulated(rows: Any, network: str) -> Route | str:
    for row in rows:
        if row.kind == SIMULATOR and row.config.get("mode") == "live" and row.config.get("memory"):
            connector = connectors.by_kind(SIMULATOR)
            return Route(connector, connector.Config.model_validate(row.config), row.id, network, {})
    return f"the simulated {network} has no source that takes replies"


def _real(row: Row[Any], rows: Any, network: str, settings: Settings, database: Database) -> Route | str:
    if row.secrets is None:
        return f"no credentials were entered for {row.name}"
    own = [item for item in rows if item.kind == network]
    if not own:
        return f"no source listens to {BY_ID[row.network_id].name}, so that nothing could be read back; add one"
    listening = next((item for item in own if _follows(item, row.handle)), own[0])
    connector = connectors.by_kind(network)
    if not hasattr(connector, "publish"):
        return f"{BY_ID[row.network_id].name} takes no replies from programs"
    try:
        opened = secrets.unseal(settings, row.secrets)
        config = connector.Config.model_validate({"what": "account", "handle": row.handle, **opened})
    except (SettingsError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        return f"the credentials of {row.name} cannot be used: {reason}"
    return Route(connector, config, listening.id, network, {"limiter": Limiter(database)})


def _follows(item: Row[Any], handle: str) -> bool:
    given = item.config.get("handle")
    return isinstance(given, str) and given.removeprefix("@").casefold() == handle.casefold()
