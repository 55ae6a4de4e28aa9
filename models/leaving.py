"""What ends when somebody leaves: sessions, claims, what they answered for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, update

from models import audit, claims, people
from models.account_heirs import hand_over
from models.people import COMMAND_LINE
from models.tables import session


@dataclass(frozen=True, slots=True)
class Ended:
    """What a person held when they were disabled: sessions, cases, accounts handed over and those nobody took."""

    sessions: int
    claims: int
    accounts: int = 0
    orphans: int = 0

    @property
    def accounts_words(self) -> str:
        """What became of the accounts, as a sentence behind another; empty where there was none."""
        handed = f" {self.accounts} of their accounts went to the deputy." if self.accounts else ""
        return handed + (f" {self.orphans} still need somebody: see Accounts." if self.orphans else "")


def disable_person(
    connection: Connection, email: str, now: datetime, *, actor: str = COMMAND_LINE, actor_id: int | None = None
) -> Ended:
    """Nobody signs in as this person any more, and what they hold is free again. NotFound."""
    row = people.person_by_email(connection, email)
    if row.disabled_at is not None:
        return Ended(0, 0)
    people.close_person(connection, row, now)
    sessions = connection.execute(
        update(session)
        .where(session.c.person_id == row.id, session.c.revoked_at.is_(None), session.c.expires_at > now)
        .values(revoked_at=now)
    ).rowcount
    held = claims.end_claims_of(connection, row.id, now=now, why="deactivated", actor=actor)
    handed = hand_over(connection, row.id, now=now, actor=actor, actor_id=actor_id)
    audit.record(
        connection,
        at=now,
        action="person.disabled",
        subject=row.email,
        actor=actor,
        person_id=actor_id,
        details={"sessions_ended": sessions, "claims_ended": held, "accounts_handed_over": handed.to_deputies},
    )
    return Ended(sessions, held, handed.to_deputies, handed.without)
