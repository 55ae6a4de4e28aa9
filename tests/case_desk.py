"""Agents and cases in the organisation of `builders`, for tests of the response desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from ingest.pipeline import Enriched, Ours
from ingest.store import store
from models import organisation as organisations
from models import people
from models.access import Access
from models.audit import Entry
from models.case_steps import Case, CaseKey, case_of
from models.cases import advance
from models.claims import Claim, claim
from models.database import Database
from models.organisation import Account, Organisation
from models.tables import account, audit, case_event, desk_case
from tests.builders import CORVANE, HALDEN, NOW, load, mention, post

X = 2
QUESTION = "@corvane where is my parcel? it is late again"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def open_desk(database: Database) -> Organisation:
    """The small organisation with an account of Corvane and one of Halden on X."""
    load(database)
    with database.write() as connection:
        for number, (handle, brand_id) in enumerate((("corvane", CORVANE), ("halden", HALDEN)), start=1):
            connection.execute(
                insert(account).values(
                    id=number, network_id=X, handle=handle, name=handle.title(), kind="support", brand_id=brand_id,
                    valid_from=NOW - timedelta(days=900),
                )
            )  # fmt: skip
        return organisations.current(connection, NOW)


def hire(database: Database, name: str, role: str = "agent", **limits: Any) -> Access:
    """Somebody with a role; `brand_ids`, `location_ids` and `team_ids` limit it."""
    with database.write() as connection:
        person_id = people.add_person(
            connection, email=f"{name.lower()}@meridian.example", name=name, role=role, now=NOW - DAY, **limits
        )
        grants = people.granted(people.memberships(connection, [person_id], NOW)[person_id])
    return Access.granted(person_id, f"{name.lower()}@meridian.example", name, grants)


def arrive(
    database: Database,
    organisation: Organisation,
    *mentions: Enriched,
    ours: Sequence[Ours] = (),
    now: datetime = NOW,
) -> None:
    """A page comes in."""
    with database.write() as connection:
        store(connection, mentions, source_id=1, organisation=organisation, now=now, ours=ours)


def said(external_id: str = "1", **given: Any) -> Enriched:
    """A question to Corvane a minute ago, by Ada unless another author is named."""
    return mention(external_id, **({"text": QUESTION} | given))


def ours(external_id: str, reply_to: str, *, at: datetime = NOW, conversation: str | None = None) -> Ours:
    """An answer of Corvane's account."""
    speaker = Account(1, X, "corvane", None, "Corvane", "support", CORVANE, None)
    found = post(
        external_id, author="corvane", text="We are looking into it.", kind="reply", reply_to=reply_to,
        conversation=conversation or reply_to, posted_at=at,
    )  # fmt: skip
    return Ours(found, speaker, X, "en")


def all_cases(database: Database) -> list[Case]:
    """Every case, oldest first."""
    with database.read() as connection:
        rows = connection.execute(select(desk_case).order_by(desk_case.c.opened_at, desk_case.c.id))
        return [case_of(row._asdict()) for row in rows]


def the_case(database: Database) -> Case:
    """The one case there is."""
    (found,) = all_cases(database)
    return found


def kinds(database: Database, key: CaseKey) -> list[str]:
    """The kinds of its events, oldest first."""
    mine = (case_event.c.brand_id == key.brand_id, case_event.c.case_id == key.id)
    with database.read() as connection:
        return list(connection.execute(select(case_event.c.kind).where(*mine).order_by(case_event.c.number)).scalars())


def entries(database: Database, key: CaseKey) -> list[Entry]:
    """Its rows of the audit log."""
    with database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.brand_id == key.brand_id, audit.c.case_id == key.id))
        return [Entry(**row._asdict()) for row in rows]


def act(
    database: Database,
    organisation: Organisation,
    who: Access,
    key: CaseKey,
    action: str,
    now: datetime = NOW,
    **details: Any,
) -> None:
    """One action in a transaction of its own."""
    with database.write() as connection:
        advance(connection, organisation, who, key, action, now=now, details=details)


def take(database: Database, organisation: Organisation, who: Access, key: CaseKey, now: datetime = NOW) -> Claim:
    """Claim a case in a transaction of its own."""
    with database.write() as connection:
        return claim(connection, organisation, who, key, now=now)
