"""A small response desk for tests of replies: people with roles, accounts, cases with a customer's post, a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from models import cases, claims, organisation, people, replies, roles, sign_off
from models.access import Access
from models.case_steps import CaseKey
from models.case_writing import Who, open_key, tell, write
from models.database import Database, time_id
from models.networks import network_by_key
from models.organisation import Organisation
from models.replies import Reply, ReplyKey
from models.tables import account, case_event, desk_case, mention
from tests.builders import AMSTERDAM_SITE, CORVANE, DUTCH_CARE, HALDEN, NOW, keep, load
from tests.builders import mention as made_mention
from tests.remembered import Rows, copied, put_back

X = network_by_key("x").id
# name -> role
PEOPLE = {
    "ana": "agent",
    "ben": "agent",
    "petra": "approver",
    "piet": "approver",
    "mona": "manager",
    "vera": "viewer",
}
CORVANE_CARE, HALDEN_CARE, CORVANE_MAIN = 2, 3, 4


@dataclass
class Desk:
    """`now` goes on by `wait`. Every call is a transaction of its own, as it is in the product."""

    database: Database
    organisation: Organisation = field(init=False)
    who: dict[str, Access] = field(default_factory=dict)
    now: datetime = NOW
    posts: int = 0

    def __post_init__(self) -> None:
        dialect = self.database.dialect
        if dialect in _made:
            rows, self.organisation, who = _made[dialect]
            self.who.update(who)
            put_back(self.database, rows)
            return
        load(self.database)
        with self.database.write() as connection:
            self._people(connection)
            self._accounts(connection)
        self.read_organisation()
        _made[dialect] = (copied(self.database), self.organisation, dict(self.who))

    def _people(self, connection: Connection) -> None:
        for name, role in PEOPLE.items():
            number = people.add_person(
                connection, email=f"{name}@meridian.example", name=name.title(), role=role, now=NOW
            )
            grants = roles.granted(roles.memberships(connection, [number], NOW)[number])
            self.who[name] = Access.granted(number, f"{name}@meridian.example", name.title(), grants)

    def _accounts(self, connection: Connection) -> None:
        for number, handle, kind, brand_id in (
            (CORVANE_CARE, "corvane_care", "support", CORVANE),
            (HALDEN_CARE, "halden_care", "support", HALDEN),
            (CORVANE_MAIN, "corvane", "company", CORVANE),
        ):
            connection.execute(
                insert(account).values(
                    id=number,
                    network_id=X,
                    handle=handle,
                    name=handle,
                    kind=kind,
                    brand_id=brand_id,
                    secrets=b"sealed",
                    valid_from=NOW - timedelta(days=9),
                )
            )

    def read_organisation(self) -> None:
        with self.database.read() as connection:
            self.organisation = organisation.current(connection, self.now)

    def wait(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def case(
        self,
        external_id: str | None = None,
        *,
        brand_id: int = CORVANE,
        text: str = "@corvane_care @halden_care where is my order? It is late.",
        followers: int = 10,
        author: str | None = None,
        **given: Any,
    ) -> CaseKey:
        """A customer's post, and the case that it opens: by the routing, or by hand where that opens none."""
        self.posts += 1
        post = external_id or f"post {self.posts}"
        author = author or f"customer {self.posts}"
        mention_id = self._post(post, brand_id, text, author, followers, **given)
        opened = self._case_of(brand_id, mention_id)
        if opened is not None:
            return opened
        key = CaseKey(brand_id, time_id(self.now, self.posts))
        with self.database.write() as connection:
            connection.execute(
                insert(desk_case).values(
                    brand_id=brand_id,
                    id=key.id,
                    network_id=X,
                    open_key=open_key(author, post),
                    thread=post,
                    author_key=author,
                    author_followers=followers,
                    state="new",
                    priority=2,
                    level=0,
                    team_id=DUTCH_CARE,
                    location_id=AMSTERDAM_SITE,
                    language="en",
                    opened_at=self.now,
                    last_mention_id=mention_id,
                    last_post=post,
                    last_customer_at=self.now,
                    waiting_since=self.now,
                    tags=[],
                    last_event=1,
                )
            )
            connection.execute(
                insert(case_event).values(
                    brand_id=brand_id,
                    case_id=key.id,
                    number=1,
                    at=self.now,
                    kind="opened",
                    actor="the routing",
                    mention_id=mention_id,
                )
            )
        return key

    def _post(self, post: str, brand_id: int, text: str, author: str, followers: int, **given: Any) -> int:
        given = {"location_id": AMSTERDAM_SITE, "team_id": DUTCH_CARE, **given}
        made = made_mention(
            post, brand_id=brand_id, text=text, author=author, followers=followers, posted_at=self.now, **given
        )
        keep(self.database, [made], self.organisation, now=self.now)
        with self.database.read() as connection:
            return int(
                connection.execute(
                    mention.select()
                    .with_only_columns(mention.c.id)
                    .where(mention.c.brand_id == brand_id, mention.c.external_id == post)
                ).scalar_one()
            )

    def _case_of(self, brand_id: int, mention_id: int) -> CaseKey | None:
        told = case_event.c
        with self.database.read() as connection:
            number = connection.execute(
                select(told.case_id).where(told.brand_id == brand_id, told.mention_id == mention_id)
            ).scalar()
        return None if number is None else CaseKey(brand_id, int(number))

    def customer_writes(self, key: CaseKey, text: str = "@corvane_care hello?") -> str:
        """A further post of the customer of a case."""
        self.posts += 1
        post = f"post {self.posts}"
        with self.database.read() as connection:
            author = cases.locked(connection, key).values["author_key"]
        mention_id = self._post(post, key.brand_id, text, author, 10)
        if self._case_of(key.brand_id, mention_id) == key:
            return post
        with self.database.write() as connection:
            work = cases.locked(connection, key)
            state = work.values["state"]
            kind = {"waiting_for_customer": "came_back", "resolved": "reopened_by_customer"}.get(state, "joined")
            work.happen(
                kind,
                Who(None, "the routing"),
                now=self.now,
                mention_id=mention_id,
                last_mention_id=mention_id,
                last_post=post,
                last_customer_at=self.now,
                waiting_since=work.values["waiting_since"] or self.now,
            )
            write(connection, [work], now=self.now)
            tell(connection, [key.brand_id])
        return post

    def claim(self, name: str, key: CaseKey) -> str:
        with self.database.write() as connection:
            return claims.claim(connection, self.organisation, self.who[name], key, now=self.now).token

    def seen(self, key: CaseKey) -> int:
        """The number of the newest event."""
        with self.database.read() as connection:
            row = desk_case.select().where(desk_case.c.brand_id == key.brand_id, desk_case.c.id == key.id)
            return int(connection.execute(row).one().last_event)

    def draft(
        self, name: str, key: CaseKey, text: str = "We are sorry and look into it.", account_id: int | None = None
    ) -> ReplyKey:
        seen = self.seen(key)
        with self.database.write() as connection:
            return replies.save_draft(
                connection,
                self.organisation,
                self.who[name],
                key,
                text=text,
                account_id=account_id,
                claim_token=None,
                event_seen=seen,
                now=self.now,
            ).key

    def submit(self, name: str, key: ReplyKey, token: str, *, seen: int | None = None, **given: Any) -> Reply:
        row = self.row(key)
        with self.database.write() as connection:
            return sign_off.submit(
                connection,
                self.organisation,
                self.who[name],
                key,
                text_hash=given.pop("text_hash", row.text_hash),
                claim_token=token,
                event_seen=self.seen(CaseKey(key.brand_id, row.case_id)) if seen is None else seen,
                now=self.now,
                **given,
            )

    def sign(self, name: str, key: ReplyKey, *, text_hash: str | None = None) -> Reply:
        row = self.row(key)
        with self.database.write() as connection:
            return sign_off.sign(
                connection,
                self.organisation,
                self.who[name],
                key,
                text_hash=text_hash or row.text_hash,
                now=self.now,
            )

    def send_back(self, name: str, key: ReplyKey, reason: str = "too long") -> Reply:
        row = self.row(key)
        with self.database.write() as connection:
            return sign_off.send_back(
                connection,
                self.organisation,
                self.who[name],
                key,
                text_hash=row.text_hash,
                reason=reason,
                now=self.now,
            )

    def confirm(self, name: str, key: ReplyKey, token: str, **given: Any) -> Reply:
        row = self.row(key)
        seen = self.seen(CaseKey(key.brand_id, row.case_id))
        with self.database.write() as connection:
            return sign_off.confirm(
                connection,
                self.organisation,
                self.who[name],
                key,
                text_hash=row.text_hash,
                claim_token=token,
                event_seen=given.pop("seen", seen),
                now=self.now,
                **given,
            )

    def edit(self, name: str, key: ReplyKey) -> Reply:
        with self.database.write() as connection:
            return replies.edit(connection, self.organisation, self.who[name], key, now=self.now)

    def row(self, key: ReplyKey) -> Any:
        with self.database.read() as connection:
            row = replies.row_of(connection, key)
            assert row is not None
            return row

    def approved(self, key: CaseKey, *, name: str = "ana", text: str = "We look into it.") -> ReplyKey:
        """A reply that policy lets go, ready for the outbox once its seconds are over."""
        token = self.claim(name, key)
        draft = self.draft(name, key, text)
        self.submit(name, draft, token)
        return draft

    def set_account(self, account_id: int, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(account).where(account.c.id == account_id).values(**values))


# What stands in the tables of a fresh desk, by kind of database: making it anew takes longer than most tests.
_made: dict[str, tuple[Rows, Organisation, dict[str, Access]]] = {}


__all__ = ["CORVANE_CARE", "HALDEN_CARE", "PEOPLE", "Desk", "X"]
