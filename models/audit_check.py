"""Is the audit log what was written? Reads the chain link by link, and says in words where it breaks first.

It finds rows that were edited, deleted, put in or swapped, and with the heads that were signed and exported also a tail
that was cut off and a chain that was written anew. What nobody can find: a row that was changed before it was linked,
two seconds at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, func, select, type_coerce

from models.audit_chain import BEGINNING, NAMES, RAW, digest, newest_link, unlinked
from models.audit_heads import DAY, RESTORED, Head, stored_heads
from models.audit_why import Fault, at_words, why
from models.database import EARLIEST, ID_LOW_BITS
from models.tables import audit, audit_link
from models.tables.base import from_microseconds, to_microseconds

SLICE = 2_000
# No transaction of the product takes so long: a row dated further before what was linked already was put in later.
LATE = timedelta(minutes=15)
MOST_UNCHAINED = 10_000

_LATE = LATE // timedelta(microseconds=1)
_EARLIEST = to_microseconds(EARLIEST)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain up to which everything held. `linked_at` is that of the link, `newest` the newest date of
    any row so far; both in microseconds since 1970."""

    number: int = 0
    hash: str = BEGINNING
    linked_at: int = 0
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """What reading a slice came to; `is_end` when nothing comes after `mark`."""

    mark: Mark
    fault: Fault | None
    is_end: bool


@dataclass(frozen=True, slots=True)
class Unchained:
    """Rows without a link: how many (at most MOST_UNCHAINED), the oldest one's date, and one that was put in later."""

    rows: int
    oldest_at: datetime | None
    late_id: int | None

    @property
    def words(self) -> str:
        """ "3 rows are not linked yet"."""
        if not self.rows:
            return "every row is linked"
        more = " or more" if self.rows >= MOST_UNCHAINED else ""
        return f"{self.rows:,}{more} row{'' if self.rows == 1 else 's'} not linked yet"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to. `rows` links were read; `heads` signed heads held; `notes` are no faults but worth saying.

    `last_at` is when the last link was made, None for an empty chain.
    """

    rows: int
    mark: Mark
    last_at: datetime | None
    heads: int
    unchained: Unchained
    fault: Fault | None
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """True when nothing was found."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class Known:
    """What stands outside the chain: heads as they were exported, and the public keys that may have signed them.

    Without keys no signature is judged.
    """

    heads: tuple[Head, ...] = ()
    keys: frozenset[str] = frozenset()


def verify(connection: Connection, known: Known, *, now: datetime) -> Verdict:
    """Read the whole chain, a slice at a time, and compare it with every head there is."""
    stored = stored_heads(connection)
    expected, fault, notes = expectations(stored, known)
    mark, rows = Mark(), 0
    while True:
        step = walk(connection, mark, expected)
        rows += step.mark.number - mark.number
        mark = step.mark
        if step.fault is not None or step.is_end:
            break
    unchained = tail(connection, mark, now=now)
    found = step.fault or fault or end_fault(mark, expected, unchained)
    last = newest_link(connection)
    return Verdict(rows, mark, None if last is None else last.at, len(expected), unchained, found, notes)


def walk(connection: Connection, mark: Mark, expected: Mapping[int, Head], *, limit: int = SLICE) -> Walk:
    """Read at most `limit` links behind a mark. The mark that comes back stands before the fault, if there is one."""
    # Bounded on both sides: without statistics PostgreSQL would sort all that is left for every slice.
    rows = list(connection.execute(_links(mark.number).where(audit_link.c.number <= mark.number + limit)))
    if is_end := len(rows) < limit:
        # Beyond a gap there may be more.
        behind = connection.execute(_links(mark.number + limit).limit(1)).all()
        rows, is_end = [*rows, *behind], not behind
    number, previous, before, newest = mark.number, mark.hash, mark.linked_at, mark.newest
    fault = None
    for place, row in enumerate(rows):
        found, identifier, linked_at, held = row[:4]
        raw = row[4:]
        if found != number + 1 or raw[0] is None or digest(found, previous, linked_at, raw) != held:
            fault = why(number, previous, rows[place:], connection)
            break
        date = min(raw[1], _EARLIEST + (raw[0] >> ID_LOW_BITS) * 1_000 + 999)
        if date < newest - _LATE and date < before - _LATE:
            words = f"row {found:,} is dated {at_words(date)}, long before rows linked already: it was put in later"
            fault = Fault("inserted", found, identifier, words)
            break
        if found in expected and expected[found].hash != held:
            signed = at_words(to_microseconds(expected[found].signed_at))
            words = f"row {found:,} is not what was signed {signed}: the log was written anew up to there"
            fault = Fault("rewritten", found, identifier, words)
            break
        number, previous, before = found, held, linked_at
        if date > newest:
            newest = date
    return Walk(Mark(number, previous, before, newest), fault, is_end=fault is None and is_end)


def expectations(stored: Iterable[Head], known: Known) -> tuple[dict[int, Head], Fault | None, tuple[str, ...]]:
    """What the chain must hold: number -> head; a fault among the heads themselves; what else is worth saying."""
    outside, notes = _in_force(known.heads)
    inside = tuple(stored)
    for head in (*inside, *outside):
        if known.keys and (head.key not in known.keys or not head.holds()):
            key = "another key" if head.key not in known.keys else "no key: it was changed"
            words = f"the head of {head.day} at row {head.number:,} is signed by {key}"
            return {}, Fault("head", head.number, None, words), notes
    days = {head.day: head for head in inside}
    for head in outside:
        held = days.get(head.day)
        if head.kind == DAY and (held is None or (held.number, held.hash) != (head.number, head.hash)):
            said = "is not in the database" if held is None else "is another one in the database"
            words = f"the head of {head.day} at row {head.number:,}, exported when it was signed, {said}"
            return {}, Fault("head", head.number, None, words), notes
    missing = [day for day in days if outside and day not in {head.day for head in outside if head.kind == DAY}]
    if missing:
        notes = (*notes, f"the exported heads lack {len(missing)} that the database has, first {min(missing)}")
    expected: dict[int, Head] = {}
    for head in (*inside, *outside):
        other = expected.setdefault(head.number, head)
        if other.hash != head.hash:
            words = f"two heads were signed for row {head.number:,}: the log was written anew"
            return {}, Fault("rewritten", head.number, None, words), notes
    expected.pop(0, None)
    return expected, None, notes


def end_fault(mark: Mark, expected: Mapping[int, Head], unchained: Unchained) -> Fault | None:
    """What only the end of the chain shows: that it went further once, and rows put in behind its back."""
    if expected and (furthest := max(expected)) > mark.number:
        gone = furthest - mark.number
        rows = "row" if gone == 1 else "rows"
        words = (
            f"the last {gone:,} {rows} were cut off: the chain ends with row {mark.number:,}, and row {furthest:,} was"
            f" signed {at_words(to_microseconds(expected[furthest].signed_at))}"
        )
        return Fault("cut", mark.number + 1, None, words)
    if unchained.late_id is not None:
        words = "a row without a link is dated long before rows that are linked: it was put in"
        return Fault("inserted", None, unchained.late_id, words)
    return None


def tail(connection: Connection, mark: Mark, *, now: datetime, since_id: int = 0) -> Unchained:
    """The rows without a link; `mark` is the end of the chain."""
    waiting = unlinked(since_id=since_id).limit(MOST_UNCHAINED).subquery()
    rows, first_id, first_at = connection.execute(
        select(func.count(), func.min(waiting.c.id), func.min(type_coerce(waiting.c.at, BigInteger)))
    ).one()
    if not rows:
        return Unchained(0, None, None)
    oldest = min(first_at, _date_of(first_id))
    late = first_id if oldest < min(mark.linked_at, mark.newest) - _LATE else None
    return Unchained(rows, min(from_microseconds(max(first_at, _EARLIEST)), now), late)


def _links(after: int) -> Any:
    linked_at = type_coerce(audit_link.c.at, BigInteger).label("linked_at")
    raw: tuple[ColumnElement[Any], ...] = RAW
    columns = [column.label(f"row_{name}") for name, column in zip(NAMES, raw, strict=True)]
    return (
        select(audit_link.c.number, audit_link.c.audit_id, linked_at, audit_link.c.hash, *columns)
        .outerjoin(audit, audit.c.id == audit_link.c.audit_id)
        .where(audit_link.c.number > after)
        .order_by(audit_link.c.number)
    )


def _in_force(heads: Sequence[Head]) -> tuple[tuple[Head, ...], tuple[str, ...]]:
    """The heads that still hold: what was linked behind the end of a backup went when that was restored."""
    held: list[Head] = []
    notes = []
    for head in sorted(heads, key=lambda head: head.signed_at):
        if head.kind == RESTORED:
            gone = [other for other in held if other.number > head.number]
            held = [other for other in held if other.number <= head.number]
            lost = f", and {max(other.number for other in gone) - head.number:,} rows were lost" if gone else ""
            notes.append(
                f"a backup that ended with row {head.number:,} was restored"
                f" {at_words(to_microseconds(head.signed_at))}{lost}"
            )
        held.append(head)
    return tuple(held), tuple(notes)


def _date_of(identifier: int) -> int:
    return _EARLIEST + (identifier >> ID_LOW_BITS) * 1_000 + 999
