"""Hands approved replies to their networks: one worker an account, at most one call a reply.

`sending` is committed before the call. What the network says is written after it: sent, refused, or nothing that can
be relied on, and then the reply is `unknown` and looked for on the network. Nothing is handed over a second time.
In an organisation that is simulated replies go to the simulated network and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from time import monotonic

from sqlalchemy import Connection, select, update

from ingest.keep import spent
from ingest.ledger import Fetched, write_ledger
from ingest.publish_routes import Route, route_of
from models import accounts, doubts, organisation, outbox, sign_off_requests
from models.breaker import OF_ACCOUNT
from models.database import Database, raise_change, time_id
from models.doubts import Doubtful, SeenPost
from models.errors import ConnectorError, LeaseLost
from models.networks import BY_ID
from models.organisation import Organisation
from models.outbox import Call, Held, Turn
from models.reply_rows import ReplyKey
from models.reply_steps import AWAITING
from models.settings import Settings
from models.tables import our_post, source
from models.tables import reply as replies

log = logging.getLogger("watchfloor.ingest")

# Accounts that are served side by side.
SIDE_BY_SIDE = 4
# What is held is looked at again after so long, and an account where something is.
HELD_FOR = timedelta(seconds=10)
RESTS_FOR = timedelta(seconds=3)
# A process that hung between the commit and the call does not call any more: whoever took over may have decided.
LATEST_CALL_SECONDS = 20.0
# How old an unknown reply is when it is looked for, once each.
LOOKS = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 3_600, 21_600))
# Their clock and ours.
SKEW = timedelta(minutes=2)
PASS_ON_EVERY = timedelta(seconds=15)
MOST_POSTS = 200


@dataclass
class Publisher:
    """Serves the accounts that have something to send, again at each `round`, until `stop`."""

    database: Database
    settings: Settings
    owner: str
    now: Callable[[], datetime]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(SIDE_BY_SIDE, "account"))
    _serving: dict[int, Future[None]] = field(default_factory=dict)
    _held: dict[ReplyKey, datetime] = field(default_factory=dict)
    _resting: dict[int, datetime] = field(default_factory=dict)
    _looked: dict[ReplyKey, int] = field(default_factory=dict)
    _passed_on: datetime | None = None
    _stopping: Event = field(default_factory=Event)

    def round(self) -> None:
        """Begin to serve every account that is due and that this worker does not serve already."""
        self._serving = {account: future for account, future in self._serving.items() if not future.done()}
        now = self.now()
        with self.database.read() as connection:
            due = set(outbox.due_accounts(connection, self.owner, now))
            due |= {item.account_id for item in self._doubts(connection)}
        self._resting = {account: until for account, until in self._resting.items() if until > now}
        due -= set(self._resting)
        for account_id in sorted(due - set(self._serving)):
            if not self._stopping.is_set():
                self._serving[account_id] = self._pool.submit(self._guarded, account_id)
        self._pass_on()

    def wait(self) -> None:
        """Until what was begun is done."""
        for future in list(self._serving.values()):
            future.result()

    def stop(self) -> None:
        """Finish the calls under way and begin no new ones."""
        self._stopping.set()
        self._pool.shutdown(wait=True)

    def _guarded(self, account_id: int) -> None:
        try:
            self.serve(account_id)
        except LeaseLost as lost:
            log.warning("turn_lost account=%d reason=%r", account_id, str(lost))
        except Exception:
            # One of the places that catch broadly: a job. The turn runs out, and what was `sending` is in doubt.
            log.exception("serving_failed account=%d", account_id)

    def serve(self, account_id: int) -> None:
        """Send what one account has to send and look for what is in doubt, if it is this worker's turn."""
        with self.database.write() as connection:
            turn = outbox.take_turn(connection, account_id, self.owner, now=self.now())
            if turn is None:
                return
            known = organisation.current(connection, self.now())
        while (key := self._next(account_id)) is not None and not self._stopping.is_set():
            self._send(turn, known, key)
        self._look(account_id, known)
        with self.database.write() as connection:
            outbox.give_turn_back(connection, turn)

    def _next(self, account_id: int) -> ReplyKey | None:
        now = self.now()
        self._held = {key: until for key, until in self._held.items() if until > now}
        with self.database.read() as connection:
            waiting = outbox.due(connection, account_id, now)
        return next((key for key in waiting if key not in self._held), None)

    # -- sending -------------------------------------------------------------------------------------------------------

    def _send(self, turn: Turn, known: Organisation, key: ReplyKey) -> None:
        with self.database.read() as connection:
            route = route_of(connection, self.settings, known, turn.account_id, self.database)
        if isinstance(route, str):
            log.warning("no_route account=%d reason=%r", turn.account_id, route)
            self._hold(turn, key)
            return
        with self.database.write() as connection:
            call = outbox.begin(connection, known, turn, key, now=self.now())
        begun = monotonic()
        if isinstance(call, Held):
            self._hold(turn, key)
            return
        if call is None:
            return
        started = self.now()
        try:
            if monotonic() - begun > LATEST_CALL_SECONDS:
                raise ConnectorError("the program hung before it could send this; it is not out", kind="late")
            external_id = route.publish(call, now=started)
        except ConnectorError as error:
            self._not_confirmed(route, call, started, error)
            return
        except Exception as error:
            log.exception("publish_fault reply=%s", call.reply)
            reason = f"an unforeseen fault while sending ({type(error).__name__}); it may be out"
            self._not_confirmed(route, call, started, ConnectorError(reason))
            return
        self._confirmed(route, call, started, external_id)

    def _hold(self, turn: Turn, key: ReplyKey) -> None:
        now = self.now()
        self._held[key] = now + HELD_FOR
        self._resting[turn.account_id] = now + RESTS_FOR

    def _confirmed(self, route: Route, call: Call, started: datetime, external_id: str) -> None:
        ended = self.now()
        units = {"create_with_link" if call.has_link else "create": 1}
        with self.database.write() as connection:
            url = route.url(call.handle, external_id)
            outbox.delivered(connection, call.reply, external_id=external_id, url=url, now=ended)
            accounts.note_health(connection, call.account_id, accounts.REPLY, now=ended)
            self._charge(connection, route, call.network_id, units, started, ended, kind="publish", items=1)
        log.info("reply_sent reply=%s account=%d", call.reply, call.account_id)

    def _not_confirmed(self, route: Route, call: Call, started: datetime, error: ConnectorError) -> None:
        ended = self.now()
        # Only what passes by itself leaves it open whether the network took the reply before it went wrong.
        is_doubtful = error.kind == "passing"
        log.warning("reply_not_confirmed reply=%s kind=%s reason=%r", call.reply, error.kind, str(error))
        with self.database.write() as connection:
            if is_doubtful:
                outbox.doubtful(connection, call.reply, error=str(error), now=ended)
            else:
                outbox.refused(
                    connection,
                    call.reply,
                    error=str(error),
                    kind=error.kind,
                    retry_after=error.retry_after,
                    now=ended,
                )
            if error.kind in OF_ACCOUNT:
                accounts.note_health(connection, call.account_id, accounts.REPLY, now=ended, error=str(error))
                raise_change(connection, "accounts")
            line = Fetched(started, ended, kind="publish", error_kind=error.kind, error=str(error)[:500])
            write_ledger(connection, line, source_id=route.source_id, worker=self.owner)

    def _charge(
        self,
        connection: Connection,
        route: Route,
        network_id: int,
        units: Mapping[str, int],
        started: datetime,
        ended: datetime,
        *,
        kind: str,
        items: int,
    ) -> None:
        """What the network takes for it goes into the ledger of the source that listens there."""
        cost = sum(number * self.settings.price(BY_ID[network_id].key, unit) for unit, number in units.items())
        line = Fetched(started, ended, items=items, kind=kind, cost=cost, units=units if cost else {})
        write_ledger(connection, line, source_id=route.source_id, worker=self.owner)
        if cost:
            connection.execute(update(source).where(source.c.id == route.source_id).values(**spent(ended, cost)))
            raise_change(connection, "sources")

    # -- looking for what is in doubt ----------------------------------------------------------------------------------

    def _doubts(self, connection: Connection) -> list[Doubtful]:
        """What is due to be looked for; as often as LOOKS says, each in its time."""
        now = self.now()
        unknown = doubts.to_look_for(connection, now)
        self._looked = {item.reply: self._looked[item.reply] for item in unknown if item.reply in self._looked}
        return [
            item
            for item in unknown
            if now - item.sending_at >= next(iter(LOOKS[self._looked.get(item.reply, 0) :]), doubts.LOOKED_FOR)
        ]

    def _look(self, account_id: int, known: Organisation) -> None:
        with self.database.read() as connection:
            wanted = [item for item in self._doubts(connection) if item.account_id == account_id]
            if not wanted:
                return
            route = route_of(connection, self.settings, known, account_id, self.database)
            seen = _read_already(connection, wanted)
        now = self.now()
        for item in wanted:
            past = sum(now - item.sending_at >= age for age in LOOKS)
            self._looked[item.reply] = max(past, self._looked.get(item.reply, 0) + 1)
        self._take(seen, now)
        if isinstance(route, str) or all(item.is_native for item in wanted):
            return
        since = min(item.sending_at for item in wanted) - SKEW
        try:
            found = route.find(wanted[0].handle, since, now=now)
        except ConnectorError as error:
            log.warning("look_failed account=%d reason=%r", account_id, str(error))
            return
        posts = [
            SeenPost(brand_id, account_id, wanted[0].network_id, post.external_id, post.reply_to, post.text,
                     post.posted_at, post.url)
            for brand_id in sorted({item.reply.brand_id for item in wanted})
            for post in found
        ]  # fmt: skip
        ended = self.now()
        self._take(posts, ended)
        with self.database.write() as connection:
            units = {"own": len(found)}
            self._charge(connection, route, wanted[0].network_id, units, now, ended, kind="look_up", items=len(found))

    def _take(self, posts: list[SeenPost], now: datetime) -> None:
        if not posts:
            return
        with self.database.write() as connection:
            found = doubts.read_back(connection, posts, now=now)
        for (brand_id, external_id), reply in found.items():
            log.info("reply_found reply=%d-%d post=%s", brand_id, reply.reply_id, external_id)

    # -- sign-off ------------------------------------------------------------------------------------------------------

    def _pass_on(self) -> None:
        now = self.now()
        if self._passed_on is not None and now - self._passed_on < PASS_ON_EVERY:
            return
        self._passed_on = now
        with self.database.read() as connection:
            if connection.execute(select(replies.c.id).where(replies.c.state == AWAITING).limit(1)).first() is None:
                return
        with self.database.write() as connection:
            sign_off_requests.pass_on(connection, organisation.current(connection, now), now)


def _read_already(connection: Connection, wanted: list[Doubtful]) -> list[SeenPost]:
    """What listening brought of the account since: it costs nothing to look there first."""
    posts: list[SeenPost] = []
    for brand_id in sorted({item.reply.brand_id for item in wanted}):
        since = min(item.sending_at for item in wanted if item.reply.brand_id == brand_id) - SKEW
        rows = connection.execute(
            select(our_post)
            .where(
                our_post.c.brand_id == brand_id,
                our_post.c.account_id == wanted[0].account_id,
                our_post.c.id >= time_id(since, 0),
                our_post.c.reply_to.is_not(None),
            )
            .order_by(our_post.c.id.desc())
            .limit(MOST_POSTS)
        )
        posts += [
            SeenPost(
                brand_id=brand_id,
                account_id=row.account_id,
                network_id=row.network_id,
                external_id=row.external_id,
                reply_to=row.reply_to,
                text=row.text,
                posted_at=row.posted_at,
                url=row.url,
            )
            for row in rows
        ]
    return posts
