"""What came of the long run: what was served against what is stored, source by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest import leases
from ingest.connectors import simulator
from ingest.found import Cursor
from models import cube, organisation
from models.database import Database
from models.networks import network_by_key
from models.settings import Settings
from models.tables.base import from_microseconds
from tests.builders import rows
from tests.workers.networks import FEED, FILE, FILE_ROWS, Networks, X, file_id
from tests.workers.verdict import SECOND, Span, overlaps

MEGABYTE = 1 << 20
# A worker that is killed is followed by another within its lease and this.
TICK_SECONDS = 2.0


@dataclass
class Memory:
    """What a worker weighed over its life."""

    noted: list[int] = field(default_factory=list)

    def note(self, size: int) -> None:
        """One more look."""
        self.noted.append(size)

    def __str__(self) -> str:
        first, most, last = (
            (value // MEGABYTE for value in (self.noted[0], max(self.noted), self.noted[-1]))
            if self.noted
            else (0, 0, 0)
        )
        return f"{first} MB at first, {most} at most, {last} at last ({len(self.noted)} looks)"


@dataclass(frozen=True, slots=True)
class Kill:
    """Who was killed, when (seconds since 1970), and what it held."""

    pid: int
    at: float
    held: frozenset[int]


@dataclass(frozen=True, slots=True)
class Line:
    """One source: polls, posts that it served (None = not known), stored posts, those lost or doubled, holes."""

    name: str
    polls: int
    failed: int
    served: int
    stored: int
    lost: int
    twice: int
    gaps: int
    cost: float


@dataclass(frozen=True, slots=True)
class Report:
    """The long run. `faults` are sentences; none = all is well."""

    lines: tuple[Line, ...]
    faults: tuple[str, ...]
    seconds: float
    overlaps: int
    wrong_cells: int
    cells: int
    mentions: int
    taken_over: int
    longest_take_over: float
    charged: float
    memories: tuple[str, ...]
    errors: tuple[str, ...]

    def __str__(self) -> str:
        columns = ("polls", "failed", "served", "stored")
        head = f"{'source':20}{''.join(f'{name:>8}' for name in columns)}{'lost':>6}{'twice':>6}{'gaps':>6}{'cost':>9}"
        table = [
            f"{line.name:20}{line.polls:8,}{line.failed:8,}{line.served:8,}{line.stored:8,}{line.lost:6}{line.twice:6}"
            f"{line.gaps:6}{line.cost:9.3f}"
            for line in self.lines
        ]
        after = [
            f"{self.seconds / 60:.1f} minutes, {self.mentions:,} mentions, {self.overlaps} overlaps in the ledger,"
            f" {self.wrong_cells} of {self.cells:,} cells wrong",
            f"{self.taken_over} sources of the killed worker taken over, the longest after"
            f" {self.longest_take_over:.1f} s; X charged {self.charged:.3f} dollars",
            *self.memories,
            *self.errors,
            *(f"FAULT: {fault}" for fault in self.faults),
        ]
        return "\n".join([head, *table, *after])


def reported(
    database: Database, them: Networks, began: datetime, kill: Kill | None, memories: dict[int, Memory]
) -> Report:
    """The report over what is in the database now."""
    now = datetime.now(UTC)
    with database.read() as connection:
        current = organisation.current(connection, now)
        wrong = cube.check(connection, current, now)
    lines = tuple(_line(database, row, them, began) for row in rows(database, "select * from source order by id"))
    crossing = sum(overlaps(spans) for spans in _spans(database).values())
    waits = [] if kill is None else [_wait(database, kill, source_id) for source_id in sorted(kill.held)]
    cells = len(rows(database, "select bucket from cube"))
    mentions = len(rows(database, "select id from mention"))
    faults = [
        f"{line.name}: {line.lost} lost, {line.twice} twice, {line.gaps} gaps"
        for line in lines
        if line.lost or line.twice or line.gaps
    ]
    faults += [f"{line.name} brought nothing" for line in lines if not line.stored]
    faults += [f"{crossing} times two workers had one source"] if crossing else []
    faults += [f"{len(wrong)} cells are wrong"] if wrong else []
    faults += ["nobody was killed"] if kill is None else []
    longest = leases.TTL.total_seconds() + TICK_SECONDS
    faults += [f"a source was taken over after {wait:.1f} s" for wait in waits if wait > longest]
    return Report(
        lines=lines,
        faults=tuple(faults),
        seconds=(now - began).total_seconds(),
        overlaps=crossing,
        wrong_cells=len(wrong),
        cells=cells,
        mentions=mentions,
        taken_over=len(waits),
        longest_take_over=max(waits, default=0.0),
        charged=_charged(them),
        memories=tuple(f"worker {pid}: {memory}" for pid, memory in memories.items()),
        errors=tuple(
            f"{row['n']} x {row['kind']} {row['error_kind']}: {row['error']}" for row in rows(database, _ERRORS)
        ),
    )


def _line(database: Database, source: Mapping[str, Any], them: Networks, began: datetime) -> Line:
    ledger = rows(database, 'select * from "fetch" where source_id = :id', id=source["id"])
    network, served = _served(database, source, them)
    kept = "select external_id, brand_id from mention where network_id = :network and source_id = :id"
    pairs = [
        (found["external_id"], found["brand_id"]) for found in rows(database, kept, network=network, id=source["id"])
    ]
    stored = {pair[0] for pair in pairs}
    if source["kind"] == "simulator":
        # What accounts of ours publish there is no mention.
        ours = rows(database, "select external_id from our_post where network_id = :network", network=network)
        stored |= {found["external_id"] for found in ours}
    return Line(
        name=source["name"],
        polls=sum(line["fetches"] for line in ledger if line["kind"] == "fetch"),
        failed=sum(line["error_kind"] is not None for line in ledger),
        served=len(served),
        stored=len(stored),
        lost=len(served - stored),
        twice=sum(count - 1 for count in Counter(pairs).values()),
        gaps=_gaps(database, source, began),
        cost=sum(line["cost"] for line in ledger),
    )


def _served(database: Database, source: Mapping[str, Any], them: Networks) -> tuple[int, set[str]]:
    """The network of a source, and everything that it had to bring."""
    if source["name"] == X:
        return network_by_key("x").id, {i for i in them.x_ids if "corvane" in them.x.posts[int(i)]["text"]}
    if source["name"] == FEED:
        return network_by_key("rss").id, set(them.feed_ids)
    if source["name"] == FILE:
        return network_by_key("reddit").id, {file_id(number) for number in range(FILE_ROWS)}
    return int(source["network_id"]), _simulated(source)


def _simulated(source: Mapping[str, Any]) -> set[str]:
    """What the simulated network has told by the source's cursor, asked for anew from the start."""
    config = simulator.Config.model_validate(source["config"])
    until = datetime.fromisoformat(source["cursor"]["after"])
    cursor: Cursor | None = None
    told: set[str] = set()
    while True:
        page = simulator.fetch(config, cursor, now=until)
        told |= {post.external_id for post in page.found}
        cursor = page.cursor
        if not page.more:
            return told


def _gaps(database: Database, source: Mapping[str, Any], began: datetime) -> int:
    """Holes in what was asked for, from the start to the last poll; a file has an end, not a time."""
    if source["name"] == FILE:
        return 0
    found = rows(database, "select * from coverage where source_id = :id order by covered_from", id=source["id"])
    if not found:
        return 1
    # The first poll comes when the workers have started.
    late_start = from_microseconds(found[0]["covered_from"]) > began + timedelta(seconds=30)
    early_end: bool = found[-1]["covered_to"] < source["last_success_at"] - 10 * SECOND
    return len(found) - 1 + int(late_start) + int(early_end)


def _spans(database: Database) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = {}
    for row in rows(database, 'select source_id, worker, started_at, ended_at from "fetch"'):
        span = Span(row["worker"], row["started_at"] / SECOND, row["ended_at"] / SECOND)
        found.setdefault(row["source_id"], []).append(span)
    return found


def _wait(database: Database, kill: Kill, source_id: int) -> float:
    spans = _spans(database)[source_id]
    later = [span.start - kill.at for span in spans if span.start > kill.at and f"-{kill.pid}-" not in str(span.worker)]
    return min(later, default=float("inf"))


_ERRORS = """
select kind, error_kind, error, count(*) as n from "fetch" where error_kind is not null
group by kind, error_kind, error order by n desc limit 10
"""


def _charged(them: Networks) -> float:
    """Dollars by what X served: each post and user once a day."""
    settings = Settings()
    return sum(count * settings.price("x", kind) for kind, count in them.x.charged().items())
