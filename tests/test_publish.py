"""Replies handed to their networks by the worker: the simulated one with its misbehaviour, and X by its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ingest.connectors import x
from ingest.connectors.simulator import find_by_author, look_up
from ingest.found import Found
from ingest.limits import Limiter
from ingest.publish import Publisher
from ingest.simulation.memory import OUTAGE, RATE_LIMITED, TIMEOUT_AFTER_ACCEPTING, Memory
from models import secrets, sources
from models.case_steps import CaseKey
from models.database import Database
from models.errors import ConnectorError
from models.replies import ReplyKey
from models.settings import Settings
from models.tables import rate_limit, setting
from tests import x_server as server_of
from tests.builders import number, rows
from tests.reply_desk import CORVANE_CARE, Desk, X
from tests.simulated import START, live, pages
from tests.x_server import BEARER, KEYS, XServer, x_server

HOURS = timedelta(hours=8)


@cache
def asked() -> tuple[Found, ...]:
    """Posts on the simulated X that are there eight hours after its start and name an account of Corvane."""
    now = START + HOURS
    told = [item for page in pages(live(network="x"), now=now) for item in page.found]
    ids = [item.external_id for item in told if "@corvane" in item.text.lower() and item.kind == "post"]
    return look_up(live(network="x"), ids, now=now).found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(str(tmp_path / "simulated-network.db"))


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, now=START + HOURS)


def simulated(desk: Desk, memory: Memory) -> None:
    config = live(network="x", memory=memory.path).model_dump(mode="json")
    with desk.database.write() as connection:
        connection.execute(setting.delete().where(setting.c.key == "simulated"))
        connection.execute(insert(setting).values(key="simulated", value=True))
        sources.add(connection, name="X", kind="simulator", network_id=X, config=config, every_seconds=1, now=desk.now)
    desk.read_organisation()


def publisher(desk: Desk, settings: Settings) -> Publisher:
    return Publisher(desk.database, settings, "a worker", now=lambda: desk.now)


def ready(desk: Desk, post: Found, text: str = "We look into it.") -> tuple[CaseKey, ReplyKey]:
    case = desk.case(post.external_id, text=post.text)
    draft = desk.approved(case, text=text)
    desk.wait(seconds=10)
    return case, draft


def work(worker: Publisher) -> None:
    worker.round()
    worker.wait()


def ours(desk: Desk, memory: Memory) -> list[Found]:
    config = live(network="x", memory=memory.path)
    return [
        item
        for item in find_by_author(config, "corvane_care", START, now=desk.now)
        if item.text.startswith("We look into it.")
    ]


# -- the simulated network ---------------------------------------------------------------------------------------------


def test_an_approved_reply_arrives_on_the_simulated_network_once(
    desk: Desk, memory: Memory, settings: Settings
) -> None:
    simulated(desk, memory)
    _, draft = ready(desk, asked()[0])
    worker = publisher(desk, settings)

    work(worker)
    work(worker)
    worker.stop()

    row = desk.row(draft)
    (post,) = ours(desk, memory)
    assert (row.state, row.external_id) == ("sent", post.external_id)
    assert (post.text, post.reply_to) == ("We look into it.", asked()[0].external_id)
    assert memory.post_by_key("x", row.call_key).attempts == 1  # type: ignore[union-attr]
    kinds = [item["kind"] for item in rows(desk.database, "select kind from case_event order by number")]
    assert kinds[-3:] == ["sending", "sent", "answered"]


def test_what_a_reply_costs_stands_in_the_ledger(desk: Desk, memory: Memory, settings: Settings) -> None:
    simulated(desk, memory)
    ready(desk, asked()[0])
    ready(desk, asked()[1], "We look into it. See https://corvane.example/help")
    worker = publisher(desk, settings)
    work(worker)
    worker.stop()

    ledger = rows(desk.database, 'select kind, items, cost, units from "fetch" order by cost')
    assert [(row["kind"], row["items"], row["cost"]) for row in ledger] == [
        ("publish", 1, 0.015),
        ("publish", 1, 0.2),
    ]
    assert rows(desk.database, "select spent from source")[0]["spent"] == pytest.approx(0.215)


def test_a_network_that_takes_a_reply_in_silence_leaves_it_unknown_until_it_is_found(
    desk: Desk, memory: Memory, settings: Settings
) -> None:
    simulated(desk, memory)
    memory.misbehave("x", TIMEOUT_AFTER_ACCEPTING, desk.now + timedelta(minutes=1))
    _, draft = ready(desk, asked()[0])
    worker = publisher(desk, settings)

    work(worker)

    assert desk.row(draft).state == "unknown"
    for _ in range(5):
        desk.wait(seconds=3)
        work(worker)
    worker.stop()
    row = desk.row(draft)
    assert (row.state, row.external_id) == ("sent", ours(desk, memory)[0].external_id)
    assert memory.post_by_key("x", row.call_key).attempts == 1  # type: ignore[union-attr]


def test_what_was_never_taken_stays_unknown_and_is_not_sent_again(
    desk: Desk, memory: Memory, settings: Settings
) -> None:
    simulated(desk, memory)
    memory.misbehave("x", OUTAGE, desk.now + timedelta(minutes=1))
    _, draft = ready(desk, asked()[0])
    worker = publisher(desk, settings)
    for _ in range(12):
        work(worker)
        desk.wait(minutes=1)
    worker.stop()

    assert desk.row(draft).state == "unknown"
    assert ours(desk, memory) == []
    # Looked for as often as it is said, not at each round.
    assert number(desk.database, "select sum(fetches) from \"fetch\" where kind = 'look_up'") <= 4


def test_a_network_that_says_no_ends_the_reply_and_rests_the_account(
    desk: Desk, memory: Memory, settings: Settings
) -> None:
    simulated(desk, memory)
    memory.misbehave("x", RATE_LIMITED, desk.now + timedelta(minutes=2))
    _, first = ready(desk, asked()[0])
    worker = publisher(desk, settings)
    work(worker)
    assert desk.row(first).state == "failed"
    _, second = ready_while_resting(desk, asked()[1])

    work(worker)
    worker.stop()

    assert desk.row(second).state == "approved"
    assert "held" in desk.row(second).error
    assert rows(desk.database, 'select error_kind from "fetch"') == [{"error_kind": "rate_limited"}]


def ready_while_resting(desk: Desk, post: Found) -> tuple[CaseKey, ReplyKey]:
    """A reply that was approved just before the account came to rest."""
    with desk.database.write() as connection:
        until = rows(desk.database, "select open_until from account_breaker")[0]["open_until"]
        connection.exec_driver_sql("update account_breaker set open_until = null")
    found = ready(desk, post)
    with desk.database.write() as connection:
        connection.exec_driver_sql(f"update account_breaker set open_until = {until}")
    return found


def test_two_workers_send_a_reply_once(desk: Desk, memory: Memory, settings: Settings) -> None:
    simulated(desk, memory)
    drafts = [ready(desk, post)[1] for post in asked()[:3]]
    workers = [Publisher(desk.database, settings, f"worker {n}", now=lambda: desk.now) for n in range(3)]
    for worker in workers:
        worker.round()
    for worker in workers:
        worker.wait()
        worker.stop()
    # Whoever found the account taken leaves it to a later round.
    last = Publisher(desk.database, settings, "worker 4", now=lambda: desk.now)
    work(last)
    last.stop()

    sent = [desk.row(draft) for draft in drafts]
    assert [row.error for row in sent] == [None] * 3
    assert [row.state for row in sent] == ["sent"] * 3
    assert [memory.post_by_key("x", row.call_key).attempts for row in sent] == [1] * 3  # type: ignore[union-attr]


def test_a_simulated_organisation_never_speaks_to_a_real_network(
    desk: Desk, memory: Memory, settings: Settings, server: XServer
) -> None:
    real(desk, settings)
    with desk.database.write() as connection:
        connection.execute(setting.delete().where(setting.c.key == "simulated"))
        connection.execute(insert(setting).values(key="simulated", value=True))
    desk.read_organisation()
    assert desk.organisation.simulated
    _, draft = ready(desk, asked()[0])
    worker = publisher(desk, settings)
    work(worker)
    worker.stop()

    assert server.asked == []
    assert desk.row(draft).state == "approved"


def test_a_worker_that_hung_before_its_call_does_not_call_any_more(
    desk: Desk, memory: Memory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated(desk, memory)
    _, draft = ready(desk, asked()[0])
    beats = iter((0.0, 21.0))
    monkeypatch.setattr("ingest.publish.monotonic", lambda: next(beats))
    worker = publisher(desk, settings)
    work(worker)
    worker.stop()

    assert (desk.row(draft).state, ours(desk, memory)) == ("failed", [])


# -- X -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[XServer]:
    if not desk.database.is_sqlite:
        pytest.skip("what a network answers is the same for both")
    with x_server(lambda: desk.now) as server:
        monkeypatch.setattr(x, "API", server.url)
        server.add_user("101", "ada")
        yield server


def real(desk: Desk, settings: Settings) -> None:
    """An account of X with its keys, and a source that listens there."""
    desk.set_account(CORVANE_CARE, secrets=secrets.seal(settings, KEYS))
    with desk.database.write() as connection:
        sources.add(
            connection,
            name="X",
            kind="x",
            network_id=X,
            config={"what": "search", "query": "corvane"},
            every_seconds=60,
            now=desk.now,
        )


def on_x(desk: Desk, server: XServer, text: str = "We look into it.") -> tuple[str, ReplyKey]:
    post = server.add_post("@corvane_care where is it?", by="101", at=desk.now)
    case = desk.case(post, text="@corvane_care where is it?")
    draft = desk.approved(case, text=text)
    desk.wait(seconds=10)
    return post, draft


def test_x_gets_a_reply_to_the_post_and_says_its_id(desk: Desk, settings: Settings, server: XServer) -> None:
    real(desk, settings)
    post, draft = on_x(desk, server)
    worker = publisher(desk, settings)
    work(worker)
    worker.stop()

    (made,) = server.created
    row = desk.row(draft)
    assert (row.state, row.external_id) == ("sent", made["id"])
    assert row.url == f"https://x.com/corvane_care/status/{made['id']}"
    assert made["referenced_tweets"] == [{"type": "replied_to", "id": post}]
    assert rows(desk.database, 'select cost from "fetch"') == [{"cost": 0.015}]


@pytest.mark.parametrize(
    "answer",
    [
        server_of.refused(503, "Service Unavailable", "Over capacity"),
        server_of.cut(),
        server_of.said(b"<html>"),
        server_of.said({"data": {}}),
        server_of.raw(b""),
    ],
    ids=["a fault of its own", "half an answer", "no answer of its interface", "no id", "nothing"],
)
def test_x_that_takes_a_reply_and_does_not_say_so_is_believed_only_when_it_is_found(
    desk: Desk, settings: Settings, server: XServer, answer: server_of.Step
) -> None:
    real(desk, settings)
    _, draft = on_x(desk, server)
    server.script = [server_of.accepted_then(answer)]
    worker = publisher(desk, settings)
    work(worker)
    assert desk.row(draft).state == "unknown"

    desk.wait(seconds=15)
    work(worker)
    worker.stop()

    assert (desk.row(draft).state, desk.row(draft).external_id) == ("sent", server.created[0]["id"])
    assert len(server.requests("create")) == 1


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (server_of.refused(403, "Forbidden", "You are not allowed to reply."), "failed", "not allowed to reply"),
        (server_of.refused(401, "Unauthorized", "Unauthorized"), "failed", "does not know the keys"),
        (server_of.too_many("60"), "failed", "asked too often"),
        (server_of.refused(400, "Invalid Request", "text is too long"), "failed", "too long"),
    ],
    ids=["403", "401", "429", "400"],
)
def test_x_that_refuses_a_reply_is_not_asked_again(
    desk: Desk, settings: Settings, server: XServer, answer: server_of.Step, state: str, words: str
) -> None:
    real(desk, settings)
    _, draft = on_x(desk, server)
    server.script = [answer]
    worker = publisher(desk, settings)
    for _ in range(3):
        work(worker)
        desk.wait(seconds=20)
    worker.stop()

    assert desk.row(draft).state == state
    assert words in desk.row(draft).error
    assert len(server.requests("create")) == 1
    assert server.created == []


def test_an_account_without_the_keys_of_a_user_is_refused_before_any_request(server: XServer, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'limits.db'}")
    with database.write() as connection:
        rate_limit.create(connection)
    config = x.Config.model_validate({"what": "account", "handle": "acme", "bearer_token": BEARER})

    def refusal(send: Callable[[], Any]) -> ConnectorError:
        with pytest.raises(ConnectorError) as raised:
            send()
        return raised.value

    limiter = Limiter(database)
    given: dict[str, Any] = {"text": "hello", "key": "k", "now": START, "limiter": limiter}
    assert refusal(lambda: x.publish(config, "acme", reply_to="1", **given)).kind == "unknown"
    user = x.Config.model_validate({"what": "account", "handle": "acme", **KEYS})
    assert refusal(lambda: x.publish(user, "acme", reply_to="post 1", **given)).kind == "gone"
    assert server.asked == []
    database.close()
