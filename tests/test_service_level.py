"""models/service_level.py: three clocks from what happened to a case, and which promises were kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.service_level import (
    Calendar,
    Clock,
    Event,
    Promise,
    business_seconds,
    clocks,
    hit_rate,
    next_due,
    shown_working,
)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# A Monday.
TEN = datetime(2026, 11, 16, 10, tzinfo=UTC)
OFFICE = Calendar.parse("UTC", {str(day): [["09:00", "17:00"]] for day in range(5)}, {"2026-11-18": []})
ALWAYS = Calendar.parse("UTC", {str(day): [["00:00", "24:00"]] for day in range(7)})
PROMISE = Promise(1, 0, 0, 1, 900, 3_600, 8 * 3_600, TEN - 1_000 * HOUR)


def at(minutes: float, kind: str, until: float | None = None) -> Event:
    """What happens so many minutes after ten."""
    return Event(TEN + minutes * MINUTE, kind, None if until is None else TEN + until * MINUTE)


def told(
    *events: Event, now: float, promise: Promise | None = PROMISE, calendar: Calendar = OFFICE
) -> tuple[Clock, ...]:
    return clocks(events, promise, calendar, TEN + now * MINUTE)


def states(*events: Event, now: float, promise: Promise | None = PROMISE) -> list[tuple[str, str]]:
    return [(clock.kind, clock.state) for clock in told(*events, now=now, promise=promise)]


def test_a_case_begins_with_a_first_response_and_a_resolution_to_be_given() -> None:
    first, resolution = told(at(0, "customer"), now=10)
    assert (first.kind, first.started_at, first.due_at, first.state) == ("first", TEN, TEN + 15 * MINUTE, "pending")
    assert (first.met_at, first.ended_at, first.promised_seconds) == (None, None, 900)
    assert (first.business_seconds, first.plain_seconds) == (600, 600)
    # Seven hours today, one tomorrow.
    assert (resolution.due_at, resolution.state) == (TEN + 24 * HOUR, "pending")
    assert next_due((first, resolution)) == first


@pytest.mark.parametrize(("answered", "state"), [(14, "met"), (15, "met"), (15.001, "missed")])
def test_an_answer_at_the_due_instant_is_in_time_and_a_later_one_is_not(answered: float, state: str) -> None:
    first = told(at(0, "customer"), at(answered, "answer"), now=60)[0]
    assert (first.state, first.met_at) == (state, TEN + answered * MINUTE)
    assert first.plain_seconds == pytest.approx(answered * 60)


@pytest.mark.parametrize(("now", "state"), [(15, "pending"), (16, "overdue")])
def test_what_is_open_and_over_is_overdue(now: float, state: str) -> None:
    assert told(at(0, "customer"), now=now)[0].state == state


def test_an_automatic_answer_stops_no_clock() -> None:
    first = told(at(0, "customer"), at(1, "automatic"), now=20)[0]
    assert (first.state, first.met_at, first.plain_seconds) == ("overdue", None, 1_200)


def test_only_time_of_business_counts_and_plain_time_stands_beside_it() -> None:
    # Posted on Monday at 16:50, answered on Tuesday at 09:05; Wednesday is a holiday.
    first = told(at(410, "customer"), at(1_385, "answer"), now=1_400)[0]
    assert (first.state, first.business_seconds, first.plain_seconds) == ("met", 900, 975 * 60)
    resolution = told(at(1_380, "customer"), now=1_400)[1]
    assert resolution.due_at == datetime(2026, 11, 17, 17, tzinfo=UTC)
    assert told(at(1_381, "customer"), now=1_400)[1].due_at == datetime(2026, 11, 19, 9, 1, tzinfo=UTC)


def test_next_response_runs_only_while_the_customer_waits() -> None:
    found = told(
        at(0, "customer"),
        at(5, "answer"),
        at(30, "customer"),
        # They add to it: the round began with the first.
        at(40, "customer"),
        at(50, "answer"),
        at(55, "answer"),
        at(100, "customer"),
        now=170,
    )
    assert [(clock.kind, clock.state, clock.started_at, clock.business_seconds) for clock in found[:-1]] == [
        ("first", "met", TEN, 300),
        ("next", "met", TEN + 30 * MINUTE, 1_200),
        ("next", "overdue", TEN + 100 * MINUTE, 4_200),
    ]
    assert next_due(found) == found[2]
    assert [c.kind for c in told(at(0, "customer"), at(5, "answer"), now=600)] == ["first", "resolution"]


def test_resolution_is_paused_while_we_wait_for_the_customer_and_while_it_is_snoozed() -> None:
    events = [at(0, "customer"), at(5, "answer"), at(5, "wait")]
    waiting = told(*events, now=60)[-1]
    assert (waiting.state, waiting.due_at, waiting.business_seconds) == ("paused", None, 300)
    assert next_due(told(*events, now=60)) is None

    again = told(*events, at(65, "customer"), now=90)[-1]
    assert (again.state, again.business_seconds, again.due_at) == ("pending", 30 * 60, TEN + 25 * HOUR)
    by_hand = told(*events, at(35, "work"), now=90)[-1]
    assert (by_hand.state, by_hand.business_seconds) == ("pending", 60 * 60)

    snoozed = [at(0, "customer"), at(5, "answer"), at(10, "snooze", until=70)]
    asleep = told(*snoozed, now=30)[-1]
    assert (asleep.state, asleep.due_at, asleep.business_seconds) == ("paused", TEN + 25 * HOUR, 600)
    assert told(*snoozed, now=100)[-1].business_seconds == 40 * 60
    assert told(*snoozed, at(20, "wake"), now=100)[-1].business_seconds == 90 * 60
    assert told(*snoozed, at(90, "customer"), now=100)[-1].business_seconds == 40 * 60
    assert told(*snoozed, at(30, "customer"), now=100)[-1].business_seconds == 80 * 60
    until_they_answer = told(at(0, "customer"), at(5, "answer"), at(10, "snooze"), now=100)[-1]
    assert (until_they_answer.state, until_they_answer.due_at) == ("paused", None)


def test_a_customer_who_waits_goes_on_waiting_while_we_snooze() -> None:
    found = told(at(0, "customer"), at(2, "snooze", until=300), at(3, "wait"), now=20)
    assert (found[0].state, found[0].due_at) == ("overdue", TEN + 15 * MINUTE)


def test_the_shown_working_of_a_clock_adds_up_to_its_business_time() -> None:
    events = [
        at(0, "customer"),
        at(5, "answer"),
        at(5, "wait"),
        at(65, "customer"),
        at(80, "answer"),
        at(500, "resolve"),
    ]
    resolution = told(*events, now=9_000)[-1]
    spans = shown_working(resolution, OFFICE, TEN + 9_000 * MINUTE)
    assert [(span.why, span.seconds / 60) for span in spans] == [
        ("open", 5),
        ("waiting for customer", 60),
        ("open", 355),
        ("closed", 80),
    ]
    assert sum(span.seconds for span in spans if span.counted) == resolution.business_seconds == 360 * 60
    running = told(*events[:2], now=10)[-1]
    assert shown_working(running, OFFICE, TEN + 10 * MINUTE)[-1].end == TEN + 10 * MINUTE


def test_a_resolve_in_time_keeps_the_promise_and_a_late_one_misses_it() -> None:
    answered = [at(0, "customer"), at(5, "answer")]
    assert told(*answered, at(1_440, "resolve"), now=9_000)[-1].state == "met"
    late = told(*answered, at(1_441, "resolve"), now=9_000)[-1]
    assert (late.state, late.met_at, late.ended_at) == ("missed", TEN + 1_441 * MINUTE, TEN + 1_441 * MINUTE)


def test_a_case_that_is_opened_again_has_to_stay_resolved_and_the_time_between_does_not_count() -> None:
    events = [at(0, "customer"), at(5, "answer"), at(60, "resolve"), at(120, "customer")]
    assert told(*events[:3], now=90)[-1].state == "met"
    again = told(*events, now=130)
    assert [(clock.kind, clock.state) for clock in again] == [
        ("first", "met"),
        ("next", "pending"),
        ("resolution", "pending"),
    ]
    assert (again[-1].business_seconds, again[-1].due_at) == (70 * 60, TEN + 25 * HOUR)
    assert [pause.why for pause in again[-1].pauses] == ["resolved"]
    done = told(*events, at(150, "answer"), at(180, "resolve"), now=9_000)[-1]
    assert (done.state, done.met_at, done.business_seconds) == ("met", TEN + 180 * MINUTE, 120 * 60)


def test_closing_a_case_lets_go_of_what_was_not_late_and_misses_what_was() -> None:
    assert states(at(0, "customer"), at(10, "dismiss"), now=600) == [("first", "waived"), ("resolution", "waived")]
    assert states(at(0, "customer"), at(10, "resolve"), now=600) == [("first", "waived"), ("resolution", "met")]
    assert states(at(0, "customer"), at(16, "resolve"), now=600) == [("first", "missed"), ("resolution", "met")]
    assert states(at(0, "customer"), at(16, "dismiss"), now=600)[0] == ("first", "missed")


def test_taking_a_dismissal_back_owes_the_answer_since_the_beginning() -> None:
    events = [at(0, "customer"), at(10, "dismiss"), at(12, "reopen")]
    first, resolution = told(*events, now=14)
    assert (first.state, first.started_at, first.due_at) == ("pending", TEN, TEN + 15 * MINUTE)
    assert (resolution.state, resolution.business_seconds) == ("pending", 12 * 60)


def test_a_post_after_a_case_was_closed_without_an_answer_begins_a_first_response_of_its_own() -> None:
    for order in (["reopen", "customer"], ["customer", "reopen"]):
        found = told(at(0, "customer"), at(10, "resolve"), *(at(300, kind) for kind in order), now=301)
        assert [(clock.kind, clock.state, clock.started_at) for clock in found[:-1]] == [
            ("first", "waived", TEN),
            ("first", "pending", TEN + 300 * MINUTE),
        ]


def test_what_is_promised_to_nobody_is_measured_and_judged_by_nobody() -> None:
    assert states(at(0, "customer"), at(500, "answer"), now=600, promise=None) == [
        ("first", "unpromised"),
        ("resolution", "unpromised"),
    ]
    only_first = Promise(1, 0, 0, 1, 900, None, None, TEN)
    found = told(at(0, "customer"), at(20, "answer"), at(30, "customer"), now=600, promise=only_first)
    assert [clock.state for clock in found] == ["missed", "unpromised", "unpromised"]
    assert (found[1].due_at, found[1].business_seconds) == (None, (420 - 30) * 60)
    assert next_due(found) is None


def test_what_has_not_happened_yet_and_what_came_out_of_order_changes_nothing() -> None:
    events = [at(0, "customer"), at(5, "answer"), at(30, "customer"), at(50, "answer")]
    assert told(*reversed(events), now=60) == told(*events, now=60)
    assert told(*events, now=40) == told(*events[:3], now=40)
    assert told(at(5, "answer"), at(6, "resolve"), at(7, "reopen"), now=60) == ()
    assert told(now=60) == ()


def test_a_second_close_and_an_answer_to_nobody_are_of_no_account() -> None:
    events = [at(-5, "answer"), at(0, "customer"), at(5, "answer"), at(60, "resolve")]
    assert told(*events, at(90, "dismiss"), at(95, "answer"), now=600) == told(*events, now=600)


def test_a_change_of_hours_leaves_the_time_before_it_as_it_was() -> None:
    old = Calendar.parse("UTC", {"0": [["09:00", "17:00"]]}, valid_from=TEN - 999 * HOUR)
    new = Calendar.parse("UTC", {str(day): [["00:00", "24:00"]] for day in range(7)}, valid_from=TEN + 12 * HOUR)
    resolution = clocks([at(0, "customer")], PROMISE, (old, new), TEN + 13 * HOUR)[-1]
    assert resolution.due_at == TEN + 13 * HOUR
    assert resolution.business_seconds == 8 * 3_600 == business_seconds((old, new), TEN, TEN + 13 * HOUR)


def test_the_hit_rate_counts_open_and_overdue_as_missed_and_sets_the_rest_aside() -> None:
    met = told(at(0, "customer"), at(5, "answer"), now=6)
    overdue = told(at(0, "customer"), now=20)
    missed = told(at(0, "customer"), at(16, "answer"), at(17, "wait"), now=20)
    waived = told(at(0, "customer"), at(5, "dismiss"), now=20)
    rate = hit_rate((*met, *overdue, *missed, *waived))
    # Resolutions: two pending, one paused, one waived.
    assert (rate.met, rate.missed, rate.pending, rate.waived) == (1, 2, 3, 2)
    assert (rate.n, rate.share) == (3, 1 / 3)
    assert hit_rate(told(at(0, "customer"), now=5)).share is None
    assert hit_rate(told(at(0, "customer"), at(5, "answer"), now=60, promise=None)) == hit_rate(())
