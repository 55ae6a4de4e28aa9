"""Keeping the audit log chained: every worker tries, whoever has the turn links, signs the day's head, and checks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from time import monotonic

from models.audit_chain import Link, chain
from models.audit_heads import Outside, note_latest, sign_finished_day
from models.audit_rounds import step
from models.database import Database

log = logging.getLogger("watchfloor.ingest")

# Rows settle for half a second; with this they are linked within two.
EVERY_SECONDS = 0.7
# What was committed long after its instant is looked for among all rows.
EVERYWHERE_SECONDS = 600.0
CHECK_SECONDS = 3.0
# Slices in one go: between them the sources have their turn.
MOST_SLICES = 3


class Chaining:
    """What one worker remembers between two rounds. Times come from `now`; `seconds` is a clock that never jumps."""

    def __init__(
        self,
        database: Database,
        home: Path,
        owner: str,
        *,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._outside = Outside(home)
        self._owner = owner
        self._now = now
        self._seconds = seconds
        self._looked_everywhere: float | None = None
        self._checked = seconds()
        self._signed_on: date | None = None
        self._noted: int | None = None
        self._is_warned = False

    def round(self, is_over: Callable[[], bool] = lambda: False) -> int:
        """Link what has no link, note outside how far that came, and check a little; how many rows were linked."""
        self._sign()
        linked = self._link(is_over)
        if self._seconds() - self._checked >= CHECK_SECONDS:
            slices = 0
            while (
                not is_over()
                and slices < MOST_SLICES
                and step(self._database, self._outside, self._owner, now=self._now)
            ):
                slices += 1
            # With more to do it goes on at the next round.
            if slices < MOST_SLICES:
                self._checked = self._seconds()
        return linked

    def _link(self, is_over: Callable[[], bool]) -> int:
        at = self._seconds()
        everywhere = self._looked_everywhere is None or at - self._looked_everywhere >= EVERYWHERE_SECONDS
        linked, since_id = 0, 0 if everywhere else None
        while not is_over():
            done = chain(self._database, self._owner, now=self._now, since_id=since_id)
            if done is None:
                break
            linked += done.linked
            if done.is_behind and done.last is not None and since_id is not None:
                since_id = done.last.audit_id
            if not done.is_behind:
                self._looked_everywhere = at if everywhere else self._looked_everywhere
                if done.last is not None and (linked or self._noted is None):
                    self._note(done.last)
                break
        return linked

    def _note(self, last: Link) -> None:
        self._noted = last.number
        with self._database.read() as connection:
            is_noted = note_latest(connection, self._outside, last, now=self._now())
        if not is_noted and not self._is_warned:
            self._is_warned = True
            log.error("audit_chain_changed number=%d; see `watchfloor audit verify`", last.number)

    def _sign(self) -> None:
        today = self._now().date()
        if self._signed_on == today:
            return
        head = sign_finished_day(self._database, self._outside, now=self._now())
        self._signed_on = today
        if head is not None:
            log.info("audit_head_signed day=%s number=%d", head.day, head.number)
