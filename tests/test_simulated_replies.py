"""Replies that are published into the simulated network, how its customers react, and how it misbehaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from ingest.connectors.simulator import Config, canary, check, fetch, find_by_author, look_up, publish
from ingest.found import Found
from ingest.simulation import agenda, desk
from ingest.simulation.identities import number_of
from ingest.simulation.memory import KINDS, Memory
from ingest.simulation.threads import Step
from ingest.simulation.world import NETWORKS
from models.errors import ConnectorError, InputError
from tests.command_line import Terminal, terminal
from tests.simulated import SIMULATION, START, live, pages

__all__ = ["terminal"]

NOW = START + timedelta(hours=8)
SECOND = timedelta(seconds=1)


@pytest.fixture
def x(tmp_path: Path) -> Config:
    """The simulated X, with a memory."""
    return live(network="x", memory=str(tmp_path / "memory.db"), page=5000)


@cache
def asked() -> tuple[Found, ...]:
    """Posts on X of customers of Velta in the eight hours before NOW that are there still."""
    told = [item for page in pages(live(network="x"), now=NOW) for item in page.found]
    ids = [item.external_id for item in told if "velta" in item.text.lower() and item.kind == "post"]
    return look_up(live(network="x"), ids, now=NOW).found


def said_since(config: Config, since: timedelta, *, after: timedelta) -> list[Found]:
    """What X tells between two ages of NOW."""
    cursor = {"after": (NOW + since).isoformat()}
    return [item for page in pages(config, now=NOW + after, cursor=cursor) for item in page.found]


def answer(config: Config, post: Found, *, key: str, after: timedelta = timedelta()) -> str:
    return publish(
        config, "velta_service", reply_to=post.external_id, text="We look into it.", key=key, now=NOW + after
    )


def waiting() -> list[Step]:
    """Follow-ups on X that come after NOW, whose first post was there before."""
    minute = int(NOW.timestamp()) // 60
    entries = [entry for at in range(minute, minute + 360) for entry in agenda.beside(SIMULATION, (0,), at)]
    steps = [entry.post for entry in entries if isinstance(entry.post, Step)]
    now = int(NOW.timestamp()) * 1_000_000
    return [step for step in steps if step.tone == desk.WAITING and step.root.posted < now - 60_000_000 < step.posted]


# -- taking replies ----------------------------------------------------------------------------------------


def test_a_published_reply_comes_back_once_as_a_post_of_our_account(x: Config) -> None:
    post = asked()[0]

    given = answer(x, post, key="1")

    found = [i for i in said_since(x, timedelta(), after=timedelta(hours=1)) if i.external_id == given]
    assert len(found) == 1
    assert found[0].author.key == found[0].author.handle == "velta_service"
    assert found[0].text == "We look into it."
    assert (found[0].kind, found[0].reply_to, found[0].conversation) == ("reply", post.external_id, post.external_id)
    assert found[0].posted_at == NOW
    assert [item.text for item in look_up(x, [given], now=NOW + SECOND).found] == ["We look into it."]
    assert look_up(x, [given], now=NOW - SECOND).found == ()


def test_customers_react_content_angry_or_not_at_all_and_always_the_same(x: Config, tmp_path: Path) -> None:
    posts = asked()[:60]
    other = x.model_copy(update={"memory": str(tmp_path / "other.db")})
    told = []
    for config in (x, other):
        ids = [answer(config, post, key=str(n), after=timedelta(milliseconds=n)) for n, post in enumerate(posts)]
        heard = said_since(config, timedelta(), after=timedelta(hours=1))
        told.append([(item.external_id, item.text) for item in heard])
        reactions = {item.reply_to: item for item in heard if item.reply_to in ids}
        assert len(posts) == 60
        # 0.75 of them, more or less.
        assert 30 <= len(reactions) <= 57
        for number, given in enumerate(ids):
            if given in reactions:
                assert reactions[given].author == posts[number].author
                assert reactions[given].conversation == posts[number].external_id
                assert timedelta(minutes=1) <= reactions[given].posted_at - NOW <= timedelta(minutes=15.1)
                assert "Velta" in reactions[given].text
    assert told[0] == told[1]


def test_follow_ups_stop_when_we_answered(x: Config) -> None:
    steps = waiting()
    assert len(steps) >= 2
    expected = {step.number for step in steps}

    def heard(config: Config) -> set[int | None]:
        return {number_of("x", item.external_id) for item in said_since(config, timedelta(), after=timedelta(hours=6))}

    assert expected <= heard(x)
    for step in steps:
        handle = step.account.who.author.key
        root = agenda.state(SIMULATION, step.root, int(NOW.timestamp()) * 1_000_000)
        assert isinstance(root, Found)
        publish(x, handle, reply_to=root.external_id, text="Sorry for the wait.", key=str(step.number), now=NOW)
    assert not expected & heard(x)


def test_an_angry_customer_asks_again_until_we_answer_again(x: Config) -> None:
    posts = asked()[:60]
    for number, post in enumerate(posts):
        answer(x, post, key=str(number), after=timedelta(milliseconds=number))
    later = said_since(x, timedelta(minutes=30), after=timedelta(hours=5))
    conversations = {post.external_id: post for post in posts}
    again = [
        item
        for item in later
        if item.conversation in conversations and item.author == conversations[item.conversation].author
    ]
    assert 5 <= len(again) <= 30

    for number, item in enumerate(again):
        answer(x, conversations[item.conversation or ""], key=f"again {number}", after=timedelta(minutes=29))

    told = {item.external_id for item in said_since(x, timedelta(minutes=30), after=timedelta(hours=5))}
    assert not told & {item.external_id for item in again}


def test_a_reply_with_the_same_key_is_published_once(x: Config) -> None:
    first = answer(x, asked()[0], key="once")

    again = answer(x, asked()[1], key="once", after=timedelta(minutes=1))

    assert again == first
    assert len(find_by_author(x, "velta_service", NOW, now=NOW + timedelta(minutes=2))) == 1
    kept = Memory(x.memory).post_by_key("x", "once")
    assert kept is not None
    assert kept.attempts == 2


def test_replies_of_one_instant_get_ids_of_their_own(x: Config) -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda number: answer(x, asked()[number], key=str(number)), range(40)))

    assert len(set(ids)) == 40
    assert len(find_by_author(x, "velta_service", NOW, now=NOW + SECOND)) == 40


def test_an_answer_to_what_is_not_there_is_refused(x: Config) -> None:
    gone = [item for page in pages(live(network="x"), now=NOW) for item in page.gone]
    assert gone
    for external_id in ("17", gone[0].external_id):
        with pytest.raises(ConnectorError, match=external_id) as caught:
            publish(x, "velta_service", reply_to=external_id, text="Hello", key=external_id, now=NOW)
        assert caught.value.kind == "gone"
        assert caught.value.permanent


@pytest.mark.parametrize(
    ("handle", "text", "reason"),
    [
        ("nobody_of_ours", "Hello", 'no account "nobody_of_ours"'),
        ("velta_service", " ", "1 to 280 characters"),
        ("velta_service", "x" * 281, "not 281"),
    ],
)
def test_what_a_network_does_not_take_is_refused_for_good(x: Config, handle: str, text: str, reason: str) -> None:
    with pytest.raises(ConnectorError, match=reason) as caught:
        publish(x, handle, reply_to=asked()[0].external_id, text=text, key="1", now=NOW)
    assert caught.value.permanent
    assert find_by_author(x, "velta_service", NOW, now=NOW + SECOND) == ()


def test_a_post_of_our_own_is_published_too(x: Config) -> None:
    given = publish(x, "@VELTA", reply_to=None, text="New line from Monday.", key="1", now=NOW)

    found = look_up(x, [given], now=NOW + SECOND).found
    assert [(item.kind, item.author.handle, item.conversation) for item in found] == [("post", "velta", None)]


def test_a_source_without_a_memory_takes_no_replies() -> None:
    with pytest.raises(ConnectorError, match="has no memory"):
        answer(live(network="x"), asked()[0], key="1")
    with pytest.raises(ConnectorError, match="of one network"):
        answer(live(), asked()[0], key="1")


def test_a_memory_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_bytes(b"not a database" * 100)

    with pytest.raises(ConnectorError, match="cannot be used"):
        fetch(live(network="x", memory=str(tmp_path / "memory.db")), None, now=NOW)


def test_an_account_is_read_back_with_what_it_says_by_itself_and_what_was_published(x: Config) -> None:
    given = answer(x, asked()[0], key="1")
    since = NOW - timedelta(hours=24)

    found = find_by_author(x, "velta_service", since, now=NOW + SECOND)

    assert found[-1].external_id == given
    assert len(found) > 2
    assert [item.posted_at for item in found] == sorted(item.posted_at for item in found)
    assert {item.author.handle for item in found} == {"velta_service"}
    assert all(item.posted_at >= since for item in found)


# -- misbehaving -------------------------------------------------------------------------------------------


def misbehave(config: Config, kind: str) -> None:
    Memory(config.memory).misbehave("x", kind, NOW + timedelta(minutes=5))


def test_a_reply_that_was_taken_without_an_answer_is_found_by_reading_back(x: Config) -> None:
    misbehave(x, "timeout_after_accepting")

    with pytest.raises(ConnectorError, match="did not answer in time") as caught:
        answer(x, asked()[0], key="1")

    assert caught.value.kind == "passing"
    assert not caught.value.permanent
    assert [item.text for item in find_by_author(x, "velta_service", NOW, now=NOW + SECOND)] == ["We look into it."]
    assert fetch(x, None, now=NOW).found


@pytest.mark.parametrize(
    ("misbehaviour", "kind", "permanent"),
    [("rate_limited", "rate_limited", False), ("dead_token", "dead_token", True), ("refused", "passing", False)],
)
def test_a_network_that_refuses_refuses_everything_until_it_is_well(
    x: Config, misbehaviour: str, kind: str, permanent: bool
) -> None:
    misbehave(x, misbehaviour)
    calls = (
        lambda now: fetch(x, None, now=now),
        lambda now: look_up(x, ["17"], now=now),
        lambda now: canary(x, now=now),
        lambda now: check(x, now=now),
        lambda now: find_by_author(x, "velta_service", NOW, now=now),
        lambda now: publish(x, "velta", reply_to=None, text="Hello", key="1", now=now),
    )
    for call in calls:
        with pytest.raises(ConnectorError) as caught:
            call(NOW)
        assert (caught.value.kind, caught.value.permanent) == (kind, permanent)
        assert caught.value.retry_after == (300 if kind == "rate_limited" else None)
    assert find_by_author(x, "velta", NOW, now=NOW + timedelta(minutes=5)) == ()
    for call in calls:
        call(NOW + timedelta(minutes=5))


def test_an_outage_is_silent_only_the_canary_notices_and_nothing_is_lost(x: Config) -> None:
    cursor = {"after": (NOW - timedelta(minutes=30)).isoformat()}
    expected = fetch(x, cursor, now=NOW + timedelta(minutes=10)).found
    misbehave(x, "outage")

    deaf = fetch(x, cursor, now=NOW)

    assert (deaf.found, deaf.gone, deaf.cursor, deaf.more) == ((), (), cursor, False)
    assert fetch(x, None, now=NOW).found == ()
    assert not canary(x, now=NOW)
    assert look_up(x, [asked()[0].external_id], now=NOW).found == ()
    with pytest.raises(ConnectorError, match="did not answer"):
        answer(x, asked()[0], key="1")
    well = NOW + timedelta(minutes=10)
    assert canary(x, now=well)
    assert fetch(x, deaf.cursor, now=well).found == expected
    assert len(expected) > 20


def test_the_other_networks_and_the_history_are_not_touched(x: Config) -> None:
    misbehave(x, "dead_token")

    assert fetch(x.model_copy(update={"network": "bluesky"}), None, now=NOW).found
    assert fetch(x.model_copy(update={"network": None, "mode": "history"}), None, now=NOW).found


def test_an_unknown_misbehaviour_is_refused_with_those_there_are(x: Config) -> None:
    with pytest.raises(InputError, match="timeout_after_accepting"):
        misbehave(x, "sulk")


# -- the command -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_makes_a_network_misbehave_and_be_well_again(terminal: Terminal, kind: str) -> None:
    assert "Every simulated network is well." in terminal.sees("simulate", "status")

    told = terminal.sees("simulate", "misbehave", "--network", "x", "--kind", kind, "--minutes", "3")

    assert told.startswith(f"The simulated X {KINDS[kind]} until ")
    status = terminal.sees("simulate", "status")
    assert kind in status
    assert "3 min" in status or "180 s" in status or "179 s" in status
    assert "1 simulated network well again." in terminal.sees("simulate", "well")
    assert "Every simulated network is well." in terminal.sees("simulate", "status")
    assert "Every simulated network was well." in terminal.sees("simulate", "well")


def test_the_command_makes_all_networks_misbehave_at_once(terminal: Terminal) -> None:
    terminal.sees("simulate", "misbehave", "--network", "all", "--kind", "outage")

    memory = Memory(str(terminal.home / "simulated-network.db"))
    assert {item.network for item in memory.misbehaviours(START)} == set(NETWORKS)
    assert "6 simulated networks well again." in terminal.sees("simulate", "well")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--network", "usenet", "--kind", "outage"), 'no simulated network "usenet"'),
        (("--network", "x", "--kind", "sulk"), 'no misbehaviour "sulk"'),
        (("--network", "x", "--kind", "outage", "--minutes", "0"), "must be more than 0"),
        (("--network", "x", "--kind", "outage", "--minutes", "nan"), "must be more than 0"),
    ],
)
def test_a_wrong_misbehaviour_is_one_clear_sentence(
    terminal: Terminal, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in terminal.is_told("simulate", "misbehave", *arguments)
