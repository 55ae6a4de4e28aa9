"""A random floor sends nothing without its signatures, nothing twice, and never other words than were approved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from models import reply_steps, sign_off
from models.database import Database
from tests.few import few
from tests.reply_desk import Desk
from tests.reply_machine import Machine


def run(desk: Desk, runs: int, steps: int, phases: Sequence[Phase] = tuple(Phase)) -> Counter[str]:
    """So many floors on one database; what happened, counted."""

    counted: Counter[str] = Counter()
    Floor = type("Floor", (Machine,), {"counted": counted, "desk": desk})
    run_state_machine_as_test(
        Floor,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(counted))
    return counted


def test_fifteen_floors_keep_every_promise(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("the steps are the same; the full count runs on both")
    counted = run(Desk(database), 15, 20)
    assert counted["runs"] >= 15
    # A floor on which nothing is sent proves nothing.
    assert counted["calls"] >= 1


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_two_hundred_floors_keep_every_promise(database: Database) -> None:
    _keep_every_promise(database, 200 if database.is_sqlite else 40)


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_two_thousand_floors_keep_every_promise(database: Database) -> None:
    _keep_every_promise(database, 2_000)


def _keep_every_promise(database: Database, runs: int) -> None:
    counted = run(Desk(database), runs, 50)
    assert counted["runs"] >= runs
    assert counted["calls"] >= runs / 4
    assert counted["signed"] >= runs / 10


@pytest.mark.parametrize("broken", few(["doubt", "signatures"], 1))
def test_a_floor_without_its_rules_is_caught(database: Database, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """The same floor, with a rule taken out: what is broken on purpose must be found, or the proof proves nothing."""
    if not database.is_sqlite:
        pytest.skip("the same on both")
    if broken == "signatures":
        monkeypatch.setattr(sign_off, "suffices", lambda *given: True)
    else:
        # What is in doubt is handed over again.
        again = reply_steps.Step(frozenset({reply_steps.SENDING}), reply_steps.APPROVED, None)
        monkeypatch.setitem(reply_steps.STEPS, "doubt", again)
    with pytest.raises(AssertionError):
        # Found is enough: to make it short takes longer than to find it.
        run(Desk(database), 300, 50, (Phase.generate,))
