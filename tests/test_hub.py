"""dashboard/hub.py: computed once for all, at the right moments, and one failure is one panel's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from dashboard import hub as hubs
from dashboard.channel import Channel, Viewer
from dashboard.hub import Hub, kept_up
from dashboard.pace import BURST_SECONDS, SHARE
from dashboard.unit import Job, Unit
from models import organisation as organisations
from models import sources
from models.database import Database
from models.errors import AccessDenied, NotFound, ScopeError
from models.tables import brand, source
from tests.live_screen import ADMIN, NOBODY, NOW, ONLY_CORVANE, Clock, Screen, change_count, fill, mention_comes, opened

Steps = Callable[[Hub, Screen, Clock], Coroutine[Any, Any, None]]


def run(database: Database, steps: Steps) -> None:
    """The steps with a hub that does nothing by itself: the test moves the clock and says "step"."""
    fill(database)

    async def all_of_it() -> None:
        screen, clock = Screen(), Clock()
        hub = Hub(database, screen.find, clock=clock, wall=clock.wall)
        try:
            await hub.reload()
            await steps(hub, screen, clock)
        finally:
            await hub.stop()

    asyncio.run(all_of_it())


async def settle(hub: Hub) -> float | None:
    """Start what is due, let it end, publish."""
    hub.step()
    await hub.settle()
    return hub.step()


def watch(channel: Channel, viewers: int = 1) -> list[Viewer]:
    found = [Viewer() for _ in range(viewers)]
    for viewer in found:
        viewer.watch(channel, "")
        viewer.next("")
    return found


def test_a_panel_is_computed_once_for_all_its_viewers(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channels = {hub.channel("/", "", ADMIN) for _ in range(100)}
        assert len(channels) == 1
        viewers = watch(channels.pop(), 100)
        await settle(hub)
        assert screen.asked("count") == screen.asked("sources") == 1
        assert len({viewer.next("") for viewer in viewers}) == 1
        mention_comes(database, 2)
        clock.pass_(10)
        hub.changed([("mentions", 2)])
        await settle(hub)
        frames = {viewer.next("") for viewer in viewers}
        assert len(frames) == 1
        assert opened(frames.pop())["p"]["count-drawn"] == {"n": 1}  # type: ignore[arg-type]
        assert (screen.asked("count"), screen.asked("sources")) == (2, 1)

    run(database, steps)


def test_two_people_who_see_the_same_share_what_is_computed_whatever_they_asked(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        chosen = hub.channel("/", "?brand=corvane", ADMIN)
        limited = hub.channel("/", "", ONLY_CORVANE)
        everything = hub.channel("/", "", ADMIN)
        assert chosen is limited
        assert everything is not limited
        # The scope of `sources` differs by its brands; nothing else of it matters.
        longer = hub.channel("/", "?brand=corvane&window=7d&q=delay", ADMIN)
        assert longer is not chosen
        assert longer.units[1] is chosen.units[1]
        assert longer.units[0] is not chosen.units[0]

    run(database, steps)


def test_a_foreign_brand_is_not_found_and_a_wrong_window_is_explained(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        with pytest.raises(NotFound, match="halden"):
            hub.channel("/", "?brand=halden", ONLY_CORVANE)
        with pytest.raises(NotFound, match="no page at /elsewhere"):
            hub.channel("/elsewhere", "", ADMIN)
        with pytest.raises(ScopeError, match="fortnight"):
            hub.channel("/", "?window=fortnight", ADMIN)
        with pytest.raises(AccessDenied):
            hub.channel("/", "", NOBODY)
        assert screen.questions == []

    run(database, steps)


def test_panels_that_took_too_much_of_a_core_wait_and_what_is_opened_does_not(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        watch(hub.channel("/", "?brand=corvane", ADMIN))
        await settle(hub)
        clock.pass_(10)
        hub._pace.spend(BURST_SECONDS + SHARE, clock())
        hub.clicked()
        hub.changed([("mentions", 2)])
        assert hub.step() == pytest.approx(1, abs=0.2)
        await hub.settle()
        assert screen.asked("count") == 1
        watch(hub.channel("/", "?brand=halden", ADMIN))
        await settle(hub)
        assert screen.asked("count") == 2
        clock.pass_(4)
        await settle(hub)
        assert screen.asked("count") == 3

    run(database, steps)


def test_only_panels_that_read_what_changed_are_computed_again(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        watch(hub.channel("/", "?brand=corvane", ADMIN))
        await settle(hub)
        clock.pass_(10)
        hub.changed([("mentions", 3), ("mentions", 1), ("cases", 2)])
        await settle(hub)
        assert (screen.asked("count"), screen.asked("sources")) == (1, 1)
        # Brand 5 is the competitor that share of voice is measured against.
        hub.changed([("mentions", 5)])
        await settle(hub)
        assert (screen.asked("count"), screen.asked("sources")) == (2, 1)
        clock.pass_(10)
        hub.changed([("sources", 0)])
        await settle(hub)
        assert (screen.asked("count"), screen.asked("sources")) == (2, 2)

    run(database, steps)


def test_the_first_change_after_a_quiet_second_goes_at_once_and_further_ones_together_at_its_end(
    database: Database,
) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        watch(hub.channel("/", "", ADMIN))
        await settle(hub)
        clock.pass_(5)
        hub.changed([("mentions", 2)])
        await settle(hub)
        assert screen.asked("count") == 2
        for _ in range(4):
            clock.pass_(0.2)
            hub.changed([("mentions", 2)])
            wait = await settle(hub)
            assert screen.asked("count") == 2
        assert wait == pytest.approx(0.2)
        clock.pass_(0.2)
        await settle(hub)
        assert screen.asked("count") == 3
        clock.pass_(3)
        await settle(hub)
        assert screen.asked("count") == 3

    run(database, steps)


def test_a_panel_that_takes_long_is_computed_less_often(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        unit = hub.channel("/", "", ADMIN).units[0]
        assert isinstance(unit, Unit)
        monkeypatch.setattr(Job, "run", lambda _job, _question: (b'"a":{}', 0.3, 0.3))
        await settle(hub)
        assert unit.earliest == pytest.approx(clock.seconds + 6.0)

    run(database, steps)


def test_a_change_during_the_computation_is_not_lost(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "?brand=corvane", ADMIN)
        watch(channel)
        loop = asyncio.get_running_loop()

        def arrives() -> None:
            screen.before_read = lambda: None
            loop.call_soon_threadsafe(hub.changed, [("mentions", 2)])

        screen.before_read = arrives
        await settle(hub)
        clock.pass_(1)
        await settle(hub)
        assert screen.asked("count") == 2

    run(database, steps)


def test_a_live_window_moves_on_at_the_edge_of_a_step_although_nothing_comes(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        watch(hub.channel("/", "?window=24h", ADMIN))
        # It is 14:32:10, steps are 15 minutes: the edge is at 14:45:00.
        wait = await settle(hub)
        assert wait == pytest.approx(770)
        clock.pass_(769)
        await settle(hub)
        assert screen.asked("count") == 1
        clock.pass_(1.001)
        await settle(hub)
        assert (screen.asked("count"), screen.asked("sources")) == (2, 1)
        first, second = (question.window.start for name, question in screen.questions if name == "count")
        assert second - first == timedelta(minutes=15)

    run(database, steps)


def test_a_window_of_the_past_never_moves(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        watch(hub.channel("/", "?at=2026-11-01T12:00Z", ADMIN))
        assert await settle(hub) is None

    run(database, steps)


def test_what_nobody_watches_is_not_computed_and_is_forgotten(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        [viewer] = watch(channel)
        await settle(hub)
        viewer.watch(None, "")
        clock.pass_(30)
        hub.changed([("mentions", 2)])
        await settle(hub)
        assert screen.asked("count") == 1
        hub.sweep()
        assert hub.channel("/", "", ADMIN) is channel
        clock.pass_(61)
        hub.sweep()
        assert hub.channel("/", "", ADMIN) is not channel

    run(database, steps)


def test_a_failing_panel_is_an_error_of_that_panel_and_is_tried_again(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        screen.failing.add("count")
        await settle(hub)
        states = opened(channel.whole)["states"]
        assert states["sources"]["state"] == "live"
        assert states["count"]["state"] == "error"
        assert "tried again" in states["count"]["reason"]
        assert len(states["count"]["reference"]) == 8
        screen.failing.clear()
        clock.pass_(4)
        await settle(hub)
        assert screen.asked("count") == 1
        clock.pass_(1.1)
        await settle(hub)
        assert opened(channel.whole)["states"]["count"]["state"] == "live"
        assert "count-words" in opened(channel.whole)["p"]

    run(database, steps)


def test_try_again_does_not_wait_out_the_failures(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        screen.failing.add("count")
        await settle(hub)
        screen.failing.clear()
        hub.retry(channel, "count")
        await settle(hub)
        assert screen.asked("count") == 1
        clock.pass_(1.1)
        await settle(hub)
        assert opened(channel.whole)["states"]["count"]["state"] == "live"

    run(database, steps)


def test_the_last_answer_stays_while_a_panel_fails(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        await settle(hub)
        screen.failing.add("count")
        clock.pass_(10)
        hub.changed([("mentions", 2)])
        await settle(hub)
        whole = opened(channel.whole)
        assert whole["states"]["count"]["state"] == "error"
        assert whole["p"]["count-words"] == {"children": "0 for Corvane, Halden, Velta"}

    run(database, steps)


def test_a_panel_that_takes_too_long_is_given_up_and_its_query_cancelled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = (
        "with recursive t(n) as (select 1 union all select n + 1 from t where n < 4000000000) select count(*) from t"
        if database.is_sqlite
        else "select pg_sleep(60)"
    )
    ended: list[str] = []
    has_ended = threading.Event()

    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        monkeypatch.setattr(hubs, "PATIENCE_SECONDS", 0.2)

        def query(connection: Any, question: Any) -> Any:
            try:
                connection.exec_driver_sql(endless)
            except Exception as error:
                ended.append(type(error).__name__)
                has_ended.set()
                raise
            return {}

        first, second = screen.view.panels
        screen.view = replace(screen.view, panels=(replace(first, query=query), second))
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        await settle(hub)
        whole = opened(channel.whole)
        assert "longer than" in whole["states"]["count"]["reason"]
        assert whole["states"]["sources"]["state"] == "live"
        assert await asyncio.to_thread(has_ended.wait, 20)

    run(database, steps)
    assert ended == ["OperationalError"]


def test_an_answer_that_did_not_change_is_not_sent_again(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        await settle(hub)
        number = channel.number
        clock.pass_(10)
        hub.changed([("sources", 0)])
        await settle(hub)
        assert screen.asked("sources") == 2
        assert channel.number == number

    run(database, steps)


def test_a_whole_number_that_a_browser_would_round_is_an_error(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        first, second = screen.view.panels
        screen.view = replace(screen.view, panels=(replace(first, draw=lambda _: {"a": {"id": 2**60}}), second))
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        await settle(hub)
        assert opened(channel.whole)["states"]["count"]["state"] == "error"

    run(database, steps)


def test_a_change_of_the_organisation_reaches_what_is_watched(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        await settle(hub)
        before = hub.generation
        with database.write() as connection:
            connection.execute(update(brand).where(brand.c.id == 4).values(valid_to=NOW - timedelta(days=1)))
        clock.pass_(10)
        hub.changed([("organisation", 0)])
        await hub.settle()
        assert hub.generation == before + 1
        assert hub.channel("/", "", ADMIN) is not channel

    run(database, steps)


def test_the_beat_says_the_worst_age_and_a_source_that_fell_silent_wakes_its_panel(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        channel = hub.channel("/", "", ADMIN)
        watch(channel)
        with database.write() as connection:
            for name, ago in (("a", 1), ("b", 3)):
                number = sources.add(
                    connection, name=name, kind="feed", network_id=2, config={}, every_seconds=10, now=NOW
                )
                connection.execute(
                    update(source).where(source.c.id == number).values(last_success_at=NOW - timedelta(seconds=ago))
                )
        await hub.take_beat()
        await settle(hub)
        assert '"badge":"live","age_seconds":3.0' in hub.beat
        clock.pass_(40)
        await hub.take_beat()
        await settle(hub)
        assert '"badge":"slow","age_seconds":43.0' in hub.beat
        assert screen.asked("sources") == 2
        clock.pass_(1)
        await hub.take_beat()
        await settle(hub)
        assert screen.asked("sources") == 2

    run(database, steps)


def test_a_commit_reaches_every_viewer_by_itself(database: Database) -> None:
    fill(database)

    async def all_of_it() -> None:
        screen = Screen()
        hub = Hub(database, screen.find)
        await hub.start()
        try:
            channel = hub.channel("/", "", ADMIN)
            [viewer] = watch(channel)
            seen: list[int] = []
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    while not seen or seen[-1] != 1:
                        await viewer.wake.wait()
                        viewer.wake.clear()
                        frame = viewer.next("")
                        if isinstance(frame, bytes) and "count-drawn" in opened(frame)["p"]:
                            seen.append(opened(frame)["p"]["count-drawn"]["n"])
                            if seen == [0]:
                                await asyncio.to_thread(mention_comes, database, 2)
            assert seen == [0, 1]
        finally:
            await hub.stop()

    asyncio.run(all_of_it())
    with database.read() as connection:
        assert change_count(connection, (2,)) == 1


def test_midnight_is_an_edge_also_on_the_day_the_clocks_change(database: Database) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        # A window of 8 months is cut in days; on 25 October 2026 a day in Amsterdam lasts 25 hours.
        clock.wall = lambda: datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # type: ignore[method-assign]
        hub.wall = clock.wall
        unit = hub.channel("/", "?window=2026-03-01..2026-12-01", ADMIN).units[0]
        assert isinstance(unit, Unit)
        await settle(hub)
        assert unit.edge == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)

    run(database, steps)


def unreadable(*_: Any) -> Any:
    raise OperationalError("select", {}, OSError("the server is gone"))


def test_an_organisation_that_could_not_be_read_is_read_at_the_next_beat(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(hub: Hub, screen: Screen, clock: Clock) -> None:
        watch(hub.channel("/", "", ADMIN))
        before = hub.generation
        with monkeypatch.context() as broken:
            broken.setattr(organisations, "current", unreadable)
            hub.changed([("organisation", 0)])
            await hub.settle()
        assert hub.generation == before
        await hub.tidy()
        assert hub.generation == before + 1

    run(database, steps)


def test_a_loop_that_fails_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []

    async def work() -> None:
        starts.append(1)
        if len(starts) == 1:
            raise ValueError("on purpose")
        raise asyncio.CancelledError

    async def at_once(_seconds: float) -> None:
        return None

    monkeypatch.setattr(asyncio, "sleep", at_once)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(kept_up(work))
    assert len(starts) == 2
