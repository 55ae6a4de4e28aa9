"""Where the chain of the audit log breaks: what was done there, as far as the hashes still tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from models.audit_chain import BEGINNING, digest
from models.tables import audit_link
from models.tables.base import from_microseconds

# How many links before a break are tried as the one that it was linked to.
MOST_PUT_IN = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where the log is not what was written.

    `kind` is edited, deleted, inserted, swapped, cut, rewritten or head. `number` is the link, `audit_id` the row,
    None where there is none.
    """

    kind: str
    number: int | None
    audit_id: int | None
    words: str


def at_words(microseconds: int) -> str:
    """An instant in a sentence."""
    try:
        return f"{from_microseconds(microseconds):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        # A row that somebody put in may say anything.
        return f"{microseconds:,} microseconds after 1970"


def why(number: int, previous: str, rows: Sequence[Any], connection: Connection) -> Fault:
    """What happened at the first of `rows`, which does not follow from link `number` with the hash `previous`.

    Each row is (number, audit_id, linked_at, hash, *RAW), the first one and those behind it.
    """
    found, identifier, linked_at, held = rows[0][:4]
    raw = rows[0][4:]
    wanted = number + 1
    if found > wanted:
        last = found - 1
        which = f"link {wanted:,} is" if last == wanted else f"links {wanted:,} to {last:,} are"
        return Fault("deleted", wanted, None, f"{which} gone")
    if raw[0] is None:
        return Fault("deleted", wanted, identifier, f"row {wanted:,} is gone: its link is there, the row is not")
    for other in rows[1:]:
        if _stood_here(other, wanted, previous, rows[0]):
            words = f"row {wanted:,} was swapped with row {other[0]:,}"
            return Fault("swapped", wanted, identifier, words)
    if (put_in := _put_in_before(connection, rows[0])) is not None:
        words = f"row {put_in:,} was put in: the row behind it was linked as number {put_in:,}"
        return Fault("inserted", put_in, identifier, words)
    if len(rows) > 1 and rows[1][4] is not None:
        behind = rows[1]
        if behind[3] == digest(behind[0], held, behind[2], behind[4:]):
            return Fault("edited", wanted, identifier, f"row {wanted:,} was edited: it is not what was linked")
        if behind[3] == digest(behind[0], digest(wanted, previous, linked_at, raw), behind[2], behind[4:]):
            return Fault("edited", wanted, identifier, f"link {wanted:,} was edited: its hash is not that of its row")
    words = (
        f"row {wanted:,} does not follow from the row before it: it was edited, or what stood before it was taken out"
    )
    return Fault("edited", wanted, identifier, words)


def _stood_here(other: Any, number: int, previous: str, here: Any) -> bool:
    """Whether another link, its row, or what stands in that row belongs in this place."""
    raw = other[4:]
    if raw[0] is None:
        return False
    return bool(
        here[3] == digest(number, previous, here[2], raw)
        or here[3] == digest(number, previous, here[2], (here[4], *raw[1:]))
        or other[3] == digest(number, previous, other[2], raw)
    )


def _put_in_before(connection: Connection, here: Any) -> int | None:
    """The number that a link had before others were put in front of it; None where that explains nothing."""
    number, linked_at, held, raw = here[0], here[2], here[3], here[4:]
    rows = connection.execute(
        select(audit_link.c.number, audit_link.c.hash).where(
            audit_link.c.number < number, audit_link.c.number >= number - 1 - MOST_PUT_IN
        )
    )
    hashes = {row.number: row.hash for row in rows} | {0: BEGINNING}
    for once in range(number - 1, max(0, number - 1 - MOST_PUT_IN), -1):
        before = hashes.get(once - 1)
        if before is not None and held == digest(once, before, linked_at, raw):
            return once
    return None
