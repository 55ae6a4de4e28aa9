"""Accounts of ours brought to what a file says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from models.networks import network_by_key
from models.organisation import Organisation
from models.organisation_entries import AccountEntry, shown
from models.tables import account


def account_faults(entries: Sequence[AccountEntry], brands: set[str], locations: set[str]) -> list[str]:
    """A sentence for every account whose brand or location nobody knows."""
    faults = [
        f'account "{entry.key}": there is no brand "{shown(entry.brand)}" to speak for'
        for entry in entries
        if entry.brand not in brands
    ]
    return faults + [
        f'account "{entry.key}": there is no location "{shown(entry.location)}" to belong to'
        for entry in entries
        if entry.location is not None and entry.location not in locations
    ]


def merge_accounts(
    connection: Connection, entries: Sequence[AccountEntry], before: Organisation, after: Organisation, now: datetime
) -> Iterable[tuple[AccountEntry, Mapping[str, tuple[Any, Any]] | None]]:
    """Add the accounts that are new and change those that differ; yields each with None, or with what changed."""
    held = {item.key: item for item in before.accounts}
    next_id = (connection.execute(select(func.max(account.c.id))).scalar() or 1) + 1
    for entry in entries:
        stored = held.get(entry.key)
        values: dict[str, Any] = {
            "name": entry.name,
            "kind": entry.kind,
            "brand_id": after.brand_by_key(entry.brand).id,
            "location_id": after.location_by_key(entry.location).id if entry.location else None,
        }
        if entry.author is not None:
            values["author_key"] = entry.author
        if stored is None:
            identity = {"network_id": network_by_key(entry.network).id, "handle": entry.handle}
            this = [account.c.network_id == identity["network_id"], account.c.handle == entry.handle]
            # It went with its brand and comes back with it.
            if connection.execute(update(account).where(*this).values(valid_to=None, **values)).rowcount:
                yield entry, None
                continue
            connection.execute(insert(account).values(id=next_id, valid_from=now, **identity, **values))
            next_id += 1
            yield entry, None
            continue
        changed = {key: (getattr(stored, key), value) for key, value in values.items() if getattr(stored, key) != value}
        if changed:
            new = {key: value for key, (_, value) in changed.items()}
            connection.execute(update(account).where(account.c.id == stored.id).values(**new))
            yield entry, changed
