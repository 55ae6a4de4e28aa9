"""What happens to the accounts that a leaver answered for: the deputy, who is there for that, becomes the owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from models import audit
from models.accounts import DEPUTY, OWNER, give_part
from models.database import raise_change
from models.networks import BY_ID
from models.tables import account, person


@dataclass(frozen=True, slots=True)
class Handed:
    """`to_deputies` accounts have another owner now; `without` still name the leaver, as owner or as deputy."""

    to_deputies: int
    without: int


def hand_over(
    connection: Connection, person_id: int, *, now: datetime, actor: str, actor_id: int | None = None
) -> Handed:
    """Make the deputy the owner of each account that this person owned, where the deputy is still there.

    Where there is none the account keeps its owner and is shown as one whose owner left: somebody has to decide.
    """
    deputy = person.alias()
    rows = connection.execute(
        select(account, deputy.c.disabled_at.label("deputy_left_at"))
        .outerjoin(deputy, deputy.c.id == account.c.deputy_id)
        .where(account.c.valid_to.is_(None), or_(account.c.owner_id == person_id, account.c.deputy_id == person_id))
        .order_by(account.c.id)
    ).all()
    handed = 0
    for row in rows:
        if row.owner_id != person_id or row.deputy_id is None or row.deputy_left_at is not None:
            continue
        handed += 1
        values = {"owner_id": row.deputy_id, "deputy_id": None}
        connection.execute(update(account).where(account.c.id == row.id).values(**values))
        give_part(connection, row.id, OWNER, row.deputy_id, now)
        give_part(connection, row.id, DEPUTY, None, now)
        audit.record(
            connection,
            at=now,
            action="account.handed_over",
            subject=f"{BY_ID[row.network_id].key}/{row.handle}",
            actor=actor,
            person_id=actor_id,
            details={"before": {"owner_id": person_id, "deputy_id": row.deputy_id}, "after": values},
            brand_id=row.brand_id,
        )
        raise_change(connection, "accounts", [row.brand_id])
    return Handed(handed, len(rows) - handed)
