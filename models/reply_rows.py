"""Replies as their readers see them, with who signed what. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from models.case_steps import CaseKey
from models.errors import NotFound
from models.reply_steps import AWAITING, LOOK_FOR, RETURNED, UNKNOWN
from models.tables import person
from models.tables import reply as replies
from models.tables import signature as signatures
from models.tables import signature_request as requests


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """Names a reply."""

    brand_id: int
    id: int

    def __str__(self) -> str:
        return f"{self.brand_id}-{self.id}"

    @staticmethod
    def read(text: str) -> ReplyKey:
        """The key that a text names. NotFound for what names none."""
        try:
            key = CaseKey.read(text)
        except NotFound:
            raise NotFound(f'no reply "{text[:40]}"') from None
        return ReplyKey(key.brand_id, key.id)


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody's verdict (signed or returned) on a text. `in_force`: it counts for the text as it stands now."""

    at: datetime
    person_id: int
    actor: str
    verdict: str
    is_manager: bool
    text_hash: str
    reason: str | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as its readers see it. `signatures` is how many policy asks for, `signed` what there is."""

    key: ReplyKey
    case_id: int
    network_id: int
    account_id: int | None
    in_reply_to: str
    state: str
    text: str
    text_hash: str
    author_id: int
    author: str
    drafted_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    signatures: int
    needs_manager: bool
    why: tuple[str, ...]
    approved_hash: str | None
    approved_at: datetime | None
    event_seen: int
    send_at: datetime | None
    sending_at: datetime | None
    sent_at: datetime | None
    external_id: str | None
    url: str | None
    is_native: bool
    error: str | None
    statement_id: int | None
    signed: tuple[Signature, ...] = ()
    # Names of those whose turn it is to sign.
    asked: tuple[str, ...] = ()

    @property
    def waits_for_one_key(self) -> bool:
        """Whether it is signed but came back, late or overtaken by events: its author sends it by one key."""
        return self.state == RETURNED and self.approved_hash == self.text_hash

    def needs_decision(self, now: datetime) -> bool:
        """Whether nobody can tell if it was sent, so that a person has to say it."""
        return self.state == UNKNOWN and (self.sending_at is None or now - self.sending_at >= LOOK_FOR)


def hash_of(text: str) -> str:
    """What a signature binds to."""
    return hashlib.sha256(text.encode()).hexdigest()


def row_of(connection: Connection, key: ReplyKey) -> Row[Any] | None:
    """The row, whoever asks."""
    return connection.execute(
        select(replies).where(replies.c.brand_id == key.brand_id, replies.c.id == key.id)
    ).one_or_none()


def read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Reply]:
    """Rows with their signatures and who is asked for one, in the order given: two statements a brand."""
    signed: dict[tuple[int, int], list[Row[Any]]] = {}
    asked: dict[tuple[int, int], list[str]] = {}
    for brand_id in sorted({row.brand_id for row in rows}):
        ids = [row.id for row in rows if row.brand_id == brand_id]
        found = connection.execute(
            select(signatures)
            .where(signatures.c.brand_id == brand_id, signatures.c.reply_id.in_(ids))
            .order_by(signatures.c.number)
        )
        for item in found:
            signed.setdefault((item.brand_id, item.reply_id), []).append(item)
        awaiting = [row.id for row in rows if row.brand_id == brand_id and row.state == AWAITING]
        if awaiting:
            turns = connection.execute(
                select(requests.c.reply_id, person.c.name)
                .join(person, person.c.id == requests.c.person_id)
                .where(
                    requests.c.brand_id == brand_id, requests.c.reply_id.in_(awaiting), requests.c.passed_at.is_(None)
                )
                .order_by(requests.c.asked_at, person.c.id)
            )
            for item in turns:
                asked.setdefault((brand_id, item.reply_id), []).append(item.name)
    return [_reply(row, signed.get((row.brand_id, row.id), ()), asked.get((row.brand_id, row.id), ())) for row in rows]


def _reply(row: Row[Any], signed: Sequence[Row[Any]], asked: Sequence[str]) -> Reply:
    policy = row.policy or {}
    return Reply(
        key=ReplyKey(row.brand_id, row.id),
        case_id=row.case_id,
        network_id=row.network_id,
        account_id=row.account_id,
        in_reply_to=row.in_reply_to,
        state=row.state,
        text=row.text,
        text_hash=row.text_hash,
        author_id=row.author_id,
        author=row.author,
        drafted_at=row.drafted_at,
        changed_at=row.changed_at,
        submitted_at=row.submitted_at,
        signatures=row.signatures,
        needs_manager=bool(policy.get("needs_manager")),
        why=tuple(policy.get("why", ())),
        approved_hash=row.approved_hash,
        approved_at=row.approved_at,
        event_seen=row.event_seen,
        send_at=row.send_at,
        sending_at=row.sending_at,
        sent_at=row.sent_at,
        external_id=row.external_id,
        url=row.url,
        is_native=row.is_native,
        error=row.error,
        statement_id=row.statement_id,
        asked=tuple(asked),
        signed=tuple(
            Signature(
                at=item.at,
                person_id=item.person_id,
                actor=item.actor,
                verdict=item.verdict,
                is_manager=item.is_manager,
                text_hash=item.text_hash,
                reason=item.reason,
                in_force=counts(row, item),
            )
            for item in signed
        ),
    )


def counts(row: Row[Any], item: Row[Any]) -> bool:
    """Whether a signature counts: for this very text, given since it was submitted last, never its author's."""
    return (
        item.verdict == "signed"
        and item.text_hash == row.text_hash
        and row.submitted_at is not None
        and item.number > (row.policy or {}).get("signed_before", 0)
        and item.person_id != row.author_id
    )
