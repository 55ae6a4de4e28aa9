"""The one writer of `desk_case` and `case_event`: what happens to a case is noted, kept and audited in one go.

Every change is an event with the next number, a row of the audit log with what was and what is, and the row of the
case, which is written only if nobody changed it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from models import audit, case_clocks, case_steps, service_rules
from models.case_counts import ENDINGS, Counted, count, counts
from models.case_steps import CLOSED, CaseKey, Event
from models.database import raise_change
from models.tables import case_event, desk_case

TOPIC = "cases"
# Columns that the audit log tells of: whoever replays it gets them back. Who wrote to us stands in none of them, and
# the end of a lease, moved every minute, is no change.
TOLD = (
    "network_id", "thread", "state", "priority", "level", "team_id", "location_id", "language", "sentiment",
    "opened_at", "last_mention_id", "last_post", "last_customer_at", "last_ours_at", "waiting_since", "due_kind",
    "due_at", "first_answered_at", "first_resolved_at", "resolved_at", "snoozed_until", "claimed_by", "claimed_at",
    "assigned_to", "tags", "incident_id",
)  # fmt: skip
NO_CLAIM: Mapping[str, Any] = {
    "claimed_by": None,
    "claim_token": None,
    "claimed_at": None,
    "claim_expires_at": None,
}
_COLUMNS = tuple(column.name for column in desk_case.columns)
_UPDATE = (
    update(desk_case)
    .where(
        desk_case.c.brand_id == bindparam("this_brand"),
        desk_case.c.id == bindparam("this_case"),
        desk_case.c.last_event == bindparam("seen"),
    )
    .values({name: bindparam(name) for name in _COLUMNS if name not in ("brand_id", "id", "network_id", "opened_at")})
)
_CLOCK_EVENTS = (
    select(case_event)
    .where(
        case_event.c.brand_id == bindparam("brand"),
        case_event.c.case_id.in_(bindparam("cases", expanding=True)),
        case_event.c.kind.in_(case_clocks.COUNTED),
    )
    .order_by(case_event.c.case_id, case_event.c.number)
)


class Raced(Exception):
    """Somebody else changed the case between reading and writing; nothing was written."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who does it: a person, or a rule, the clock or the network, for which `person_id` is None."""

    person_id: int | None
    actor: str
    address: str | None = None


@dataclass(slots=True)
class Working:
    """A case while it changes: its columns as they are now, and what happened since it was read."""

    values: dict[str, Any]
    is_new: bool = False
    seen: int = 0
    events: list[Event] = field(default_factory=list)
    # What must hold of the row beside, for the change to be written.
    guard: ColumnElement[bool] | None = None
    _who: list[Who] = field(default_factory=list)
    _diffs: list[dict[str, dict[str, Any]]] = field(default_factory=list)

    @staticmethod
    def of(row: Mapping[str, Any]) -> Working:
        """A case as it was read."""
        return Working(dict(row), seen=row["last_event"])

    @staticmethod
    def opened(values: Mapping[str, Any]) -> Working:
        """A case that is about to be opened: everything of the row but what is empty in a new one."""
        blank = dict.fromkeys(_COLUMNS)
        begun: dict[str, Any] = {"state": None, "level": 0, "tags": [], "last_event": 0}
        return Working({**blank, **begun, **values}, is_new=True)

    @property
    def key(self) -> CaseKey:
        return CaseKey(self.values["brand_id"], self.values["id"])

    @property
    def state(self) -> str:
        state: str = self.values["state"]
        return state

    def happen(
        self,
        kind: str,
        who: Who,
        *,
        now: datetime,
        mention_id: int | None = None,
        reply_id: int | None = None,
        details: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Event:
        """Note an event and set the columns it changes; the state follows from the table. WrongState where it cannot.

        Kinds of replies and others that are in no table leave the state.
        """
        if kind in case_steps.STEPS and "state" not in values:
            values["state"] = case_steps.step(kind, self.values["state"]).after
        before = {name: self.values[name] for name in values if self.values[name] != values[name]}
        self.values.update(values)
        if values.get("state") in CLOSED:
            self.values["open_key"] = None
        elif before.get("state") in CLOSED:
            self.values["open_key"] = open_key(self.values["author_key"], self.values["thread"])
        self.values["last_event"] += 1
        said = plain(details or {})
        if kind in ENDINGS:
            said |= {"location_id": self.values["location_id"], "team_id": self.values["team_id"]}
        event = Event(self.values["last_event"], now, kind, who.person_id, who.actor, mention_id, reply_id, said)
        self.events.append(event)
        self._who.append(who)
        # A case that is opened: all that it begins with.
        is_first = self.is_new and event.number == 1
        first = {name: value for name in TOLD if (value := self.values[name]) is not None} if is_first else {}
        self._diffs.append(
            {
                "before": {name: value for name, value in before.items() if name in TOLD and not first},
                "after": first or {name: values[name] for name in before if name in TOLD},
            }
        )
        return event

    def clocked(self, kept: Mapping[str, Any]) -> None:
        """Set the columns of the clocks, as part of the newest event."""
        changed = {name: value for name, value in kept.items() if self.values[name] != value}
        newest = self._diffs[-1]
        for name, value in changed.items():
            if not self.is_new or self.events[-1].number != 1:
                newest["before"].setdefault(name, self.values[name])
            newest["after"][name] = value
        self.values.update(changed)

    def was(self) -> dict[str, Any]:
        """Which row it is, as it was read."""
        return {"this_brand": self.values["brand_id"], "this_case": self.values["id"], "seen": self.seen}

    def entries(self, recorded_at: datetime | None = None) -> list[audit.Entry]:
        """A row of the audit log for each event."""
        return [
            audit.Entry(
                id=0,
                at=recorded_at or event.at,
                person_id=who.person_id,
                actor=who.actor,
                action=f"{'reply' if event.kind in case_steps.REPLY_KINDS else 'case'}.{event.kind}",
                subject=str(self.key),
                details={**difference, "event": event.number, **_beside(event)},
                address=who.address,
                brand_id=self.key.brand_id,
                case_id=self.key.id,
            )
            for event, who, difference in zip(self.events, self._who, self._diffs, strict=True)
        ]


def open_key(author_key: str, thread: str) -> str:
    """What at most one open case of a brand on a network carries: its author, or the thread where none is known."""
    return f"a:{author_key}" if author_key not in NOBODY else f"t:{thread}"


# What stands in place of an author who is not known, or whose posts were deleted.
NOBODY = ("", "unknown")


def write(
    connection: Connection,
    works: Iterable[Working],
    *,
    now: datetime,
    told: Mapping[CaseKey, Sequence[Event]] | None = None,
    recorded_at: datetime | None = None,
) -> None:
    """Write what happened to these cases. Raced where somebody changed one of them since it was read.

    `told` are their earlier events that clocks know of, where the caller has read them; `recorded_at` is when the audit
    log gets its rows, where that is later than what happened. Tell the screens with `tell`, last in the transaction:
    all writers of a brand change that one row.
    """
    changed = sorted((work for work in works if work.events), key=lambda work: work.key)
    if not changed:
        return
    _set_clocks(connection, changed, now, told)
    # A case that is settled makes room for the new one of the same person.
    _update(connection, [work for work in changed if not work.is_new])
    new = [work.values for work in changed if work.is_new]
    if new:
        connection.execute(insert(desk_case), new)
    connection.execute(
        insert(case_event),
        [
            {
                "brand_id": work.key.brand_id,
                "case_id": work.key.id,
                "number": event.number,
                "at": event.at,
                "kind": event.kind,
                "person_id": event.person_id,
                "actor": event.actor,
                "mention_id": event.mention_id,
                "reply_id": event.reply_id,
                "details": dict(event.details) or None,
            }
            for work in changed
            for event in work.events
        ],
    )
    audit.record_all(connection, [entry for work in changed for entry in work.entries(recorded_at)])


def tell(connection: Connection, brand_ids: Iterable[int]) -> None:
    """Let every screen know that cases of these brands changed."""
    raise_change(connection, TOPIC, set(brand_ids))


def _update(connection: Connection, works: Sequence[Working]) -> None:
    """Write what became of cases that were there, if they are still as they were read."""
    for guard in {id(work.guard): work.guard for work in works}.values():
        alike = [work for work in works if work.guard is guard]
        statement = _UPDATE if guard is None else _UPDATE.where(guard)
        done = connection.execute(statement, [{**work.values, **work.was()} for work in alike])
        if done.rowcount != len(alike):
            raise Raced(f"case {alike[0].key} changed meanwhile")


def _set_clocks(
    connection: Connection,
    works: Sequence[Working],
    now: datetime,
    known: Mapping[CaseKey, Sequence[Event]] | None,
) -> None:
    """Work out the clocks of those cases that something happened to which clocks know of, and count what they say."""
    ticking = [work for work in works if any(_ticks(event) for event in work.events)]
    if not ticking:
        return
    rules = service_rules.load(connection, now)
    told = clock_events(connection, [work.key for work in ticking if not work.is_new]) if known is None else known
    counted: list[Counted] = []
    for work in ticking:
        earlier = told.get(work.key, ())
        promise, calendars = rules.of(work.key.brand_id, work.values["priority"], work.values["opened_at"])
        after = case_clocks.standing([*earlier, *work.events], promise, calendars, now)
        work.clocked(after.kept())
        happened = [*earlier, *work.events]
        if any(event.kind in ENDINGS for event in happened):
            before = case_clocks.standing(earlier, promise, calendars, now).clocks if earlier else ()
            counted += counts(work.key.brand_id, before, after.clocks, happened)
    count(connection, counted)


def _ticks(event: Event) -> bool:
    return event.kind in case_clocks.COUNTED or event.kind == "prioritised"


def clock_events(connection: Connection, keys: Sequence[CaseKey]) -> dict[CaseKey, list[Event]]:
    """The events that clocks know of, of many cases at once."""
    found: dict[CaseKey, list[Event]] = {}
    for brand_id in sorted({key.brand_id for key in keys}):
        rows = connection.execute(
            _CLOCK_EVENTS, {"brand": brand_id, "cases": [key.id for key in keys if key.brand_id == brand_id]}
        )
        for row in rows:
            found.setdefault(CaseKey(brand_id, row.case_id), []).append(event_of(row))
    return found


def event_of(row: Any) -> Event:
    """The event that a row of `case_event` is."""
    return Event(
        row.number, row.at, row.kind, row.person_id, row.actor, row.mention_id, row.reply_id, row.details or {}
    )


def _beside(event: Event) -> dict[str, Any]:
    """What of an event's details is worth knowing beside what was and what is; words of a note as their hash."""
    said = {name: value for name, value in event.details.items() if name not in (audit.BEFORE, audit.AFTER)}
    if "text" in said:
        said["text"] = audit.hashed(said["text"])
    if event.mention_id is not None:
        # As text: it is longer than a browser's numbers.
        said["mention"] = str(event.mention_id)
    if event.reply_id is not None:
        said["reply"] = str(event.reply_id)
    return said


def plain(value: Any) -> Any:
    """A value as JSON keeps it: instants as text."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
