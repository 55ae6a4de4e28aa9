"""What is stored and written down after all the blows, against what had to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import text

from models import cube
from models.database import Database
from models.organisation import Organisation
from models.tables.base import to_microseconds
from tests.builders import NOW, number, rows
from tests.workers import made_up
from tests.workers.diary import Entry

SECOND = 1_000_000


@dataclass
class Blow:
    """A worker that was killed, or stopped and woken: what it held then. Instants are seconds since 1970."""

    pid: int
    worker: str
    was_kill: bool
    stage: str
    at: float
    held: frozenset[int]
    woken_at: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which one worker polled a source."""

    worker: str | int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of what is right and what must not be.

    `gaps`: pages in the ledger that do not follow the one before. `overlaps`: spans of the ledger, and of the polls
    themselves, in which two workers had one source. `stale`: polls for what another worker had stored already.
    `late_refused` and `late_written`: what workers tried to write after they woke, by what became of it.
    """

    kills: int
    stops: int
    rows: int
    polls: int
    lost: int
    twice: int
    gaps: int
    overlaps: int
    polls_overlapping: int
    stale: int
    late: int
    late_refused: int
    late_written: int
    taken_over: int
    longest_take_over: float
    wrong_cells: int
    faults: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        faults = "; ".join(f"{count} x {words}" for words, count in self.faults.items()) or "none"
        return (
            f"{self.kills} kills and {self.stops} stops in {self.seconds:.0f} s, {self.polls:,} polls,"
            f" {self.rows:,} rows: {self.lost} lost, {self.twice} twice, {self.gaps} gaps, {self.wrong_cells} wrong"
            f" cells; {self.overlaps} overlaps in the ledger, {self.polls_overlapping} of polls, {self.stale} stale;"
            f" of {self.late} late writes {self.late_refused} refused, {self.late_written} written;"
            f" {self.taken_over} sources taken over, the longest after {self.longest_take_over:.2f} s; faults: {faults}"
        )


def judged(
    database: Database,
    organisation: Organisation,
    sources: int,
    blows: Sequence[Blow],
    diary: Sequence[Entry],
    seconds: float,
) -> Verdict:
    """The verdict over a run with that many sources."""
    with database.read() as connection:
        wrong = cube.check(connection, organisation, NOW)
        stored = [
            (row[0], row[1], row[2])
            for row in connection.execute(text("select brand_id, network_id, external_id from mention"))
        ]
    cursors = {int(row["source_id"]): int(row["next"]) for row in rows(database, _CURSORS)}
    expected = set().union(*(made_up.expected(source, cursors.get(source, 0)) for source in range(1, sources + 1)))
    counted = number(database, 'select coalesce(sum(new_items), 0) from "fetch"')
    ledger = _ledger(database)
    late = [blow for blow in blows if blow.woken_at is not None]
    waits = [_waits(blow, diary) for blow in blows]
    faults = [entry.words.split("source=")[0].strip() for entry in diary if entry.what == "fault"]
    return Verdict(
        kills=sum(blow.was_kill for blow in blows),
        stops=sum(not blow.was_kill for blow in blows),
        rows=len(stored),
        polls=sum(entry.what == "ended" for entry in diary),
        lost=len(expected - set(stored)),
        # A row that is there twice, one that no cursor has come to, or one that was counted twice.
        twice=len(stored) - len(set(stored)) + len(set(stored) - expected) + abs(counted - len(stored)),
        gaps=sum(_gaps(lines) for lines in ledger.values()),
        overlaps=sum(
            overlaps([Span(line.worker, line.start, line.end) for line in lines]) for lines in ledger.values()
        ),
        polls_overlapping=sum(overlaps(spans) for spans in _polls(diary, blows).values()),
        stale=_stale(diary, ledger),
        late=sum(len(blow.held) for blow in late),
        late_refused=sum(entry.what == "refused" for entry in diary),
        late_written=sum(_written_late(blow, ledger) for blow in late),
        taken_over=sum(len(found) for found in waits),
        longest_take_over=max((wait for found in waits for wait in found), default=0.0),
        wrong_cells=len(wrong),
        faults={words: faults.count(words) for words in sorted(set(faults))},
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the ledger; `first` .. `last` are the numbers of its posts. Instants are seconds since 1970."""

    worker: str
    start: float
    end: float
    first: int
    last: int


def _ledger(database: Database) -> dict[int, list[_Line]]:
    """By source, in the order of what was stored."""
    zero = to_microseconds(made_up.START)
    found: dict[int, list[_Line]] = {}
    for row in rows(database, 'select * from "fetch" where error_kind is null order by ended_at, id'):
        pages = [int(row[name] - zero) // SECOND for name in ("window_from", "window_to")]
        line = _Line(row["worker"], row["started_at"] / SECOND, row["ended_at"] / SECOND, pages[0], pages[1])
        found.setdefault(int(row["source_id"]), []).append(line)
    return found


def _gaps(lines: Sequence[_Line]) -> int:
    firsts = lines[0].first != 0 if lines else 1
    return firsts + sum(before.last != after.first for before, after in pairwise(lines))


def overlaps(spans: Iterable[Span]) -> int:
    """Pairs of spans of different workers that share a moment."""
    ordered = sorted(spans, key=lambda span: (span.start, span.end))
    found = 0
    for index, span in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if other.start >= span.end:
                break
            found += other.worker != span.worker
    return found


def _polls(diary: Sequence[Entry], blows: Sequence[Blow]) -> dict[int, list[Span]]:
    """By source when a worker was asking; a worker that was hit asked until then."""
    ends = {(entry.pid, entry.source, entry.next): entry.at for entry in diary if entry.what == "ended"}
    found: dict[int, list[Span]] = {}
    for entry in diary:
        if entry.what == "began":
            hits = [blow.at for blow in blows if blow.pid == entry.pid and blow.at >= entry.at]
            end = min([ends.get((entry.pid, entry.source, entry.next), float("inf")), *hits])
            found.setdefault(entry.source, []).append(Span(entry.pid, entry.at, end))
    return found


def _stale(diary: Sequence[Entry], ledger: Mapping[int, Sequence[_Line]]) -> int:
    stored = {(source, line.first): line.end for source, lines in ledger.items() for line in lines}
    return sum(
        entry.at > stored.get((entry.source, entry.next), float("inf")) for entry in diary if entry.what == "began"
    )


def _written_late(blow: Blow, ledger: Mapping[int, Sequence[_Line]]) -> int:
    """Lines of what it held that were begun before it was stopped and written after it woke."""
    assert blow.woken_at is not None
    return sum(
        line.worker == blow.worker and line.start <= blow.at and line.end >= blow.woken_at
        for source in blow.held
        for line in ledger.get(source, ())
    )


def _waits(blow: Blow, diary: Sequence[Entry]) -> list[float]:
    """Seconds from the blow until another worker took each source that was held; a blow may fall on that one too."""
    polls = [entry for entry in diary if entry.what == "took" and entry.at > blow.at and entry.pid != blow.pid]
    return [
        min((entry.at - blow.at for entry in polls if entry.source == source), default=float("inf"))
        for source in blow.held
    ]


_CURSORS = """
select source_id, (max(covered_to) - min(covered_from)) / 1000000 as next from coverage group by source_id
"""
