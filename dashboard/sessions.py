"""Sessions as the web process sees them: looked up off the event loop, remembered for three seconds at most."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from models import identity
from models.database import Database
from models.identity import Signed

# A revoked session ends everywhere within 5 s: this long in the memory of a process, and open sockets are rechecked by
# themselves. A little longer than between two rechecks, which renew what is remembered of all who watch.
REMEMBERED_SECONDS = 3.0
MOST_REMEMBERED = 10_000

Result = TypeVar("Result")


class Sessions:
    """One for a process. Threads of its own: a slow panel must not keep anybody from being recognised."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="sessions")
        self._remembered: OrderedDict[str, tuple[float, Signed]] = OrderedDict()

    async def find(self, session_id: str) -> Signed | None:
        """Who is behind the id in a cookie; None for nobody. Counts as use: the idle expiry moves on."""
        digest = identity.session_hash(session_id)
        entry = self._remembered.get(digest)
        if entry is not None and self._monotonic() - entry[0] < REMEMBERED_SECONDS:
            return entry[1]
        return (await self.recheck((digest,))).get(digest)

    async def recheck(self, digests: Collection[str]) -> dict[str, Signed]:
        """Which of these sessions (by `session_hash`) are alive now, in one query for all.

        For the open sockets, every 2 s: who is missing in the answer is to be disconnected. An open socket counts as
        use, because a watch floor's screen is looked at and not clicked; the longest life of a session holds.
        """
        started = self._monotonic()
        found = await self._in_thread(lambda: self._look_up(digests))
        # Until then who is remembered is known by that: else everybody's next request would ask for itself.
        for digest in digests:
            self._remembered.pop(digest, None)
        for digest, signed in found.items():
            self._remembered[digest] = (started, signed)
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    async def sign_out(self, digest: str) -> None:
        """End a session, at once in this process."""
        now = self._clock()

        def end() -> None:
            with self._database.write() as connection:
                identity.sign_out(connection, digest, now)

        await self._in_thread(end)
        self._remembered.pop(digest, None)

    def close(self) -> None:
        """Give the threads back."""
        self._threads.shutdown(wait=False)

    def _look_up(self, digests: Collection[str]) -> dict[str, Signed]:
        now = self._clock()
        with self._database.read() as connection:
            found = identity.signed_in(connection, digests, now)
        idle = [digest for digest, signed in found.items() if now - signed.seen_at >= identity.TOUCH_EVERY]
        if idle:
            with self._database.write() as connection:
                for digest in idle:
                    identity.touch(connection, digest, now)
        return found

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
