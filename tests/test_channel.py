"""dashboard/channel.py: the same bytes for all, the whole for who missed some, and no queue."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboard.channel import Channel, State, Viewer
from tests.live_screen import opened

AT = datetime(2026, 11, 19, 14, 32, 10, tzinfo=UTC)


class Unit:
    """A computed panel."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fragment = b""
        self.state: State | None = None
        self.running = False
        self.channels: set[Channel] = set()

    def says(self, words: str, channel: Channel) -> None:
        self.fragment = f'"{self.name}-words":{{"children":"{words}"}}'.encode()
        self.state = State("live", AT)
        channel.add(self, 0.0)


def page() -> tuple[Channel, Unit, Unit]:
    first, second = Unit("volume"), Unit("feed")
    return Channel("abc", "epoch", (first, second), 0.0), first, second


def watching(channel: Channel, number: int = 1) -> Viewer:
    viewer = Viewer()
    viewer.watch(channel, f'{{"n":{number}}}')
    return viewer


def test_the_answer_to_a_subscription_comes_before_its_first_frame() -> None:
    channel, volume, _ = page()
    volume.says("1", channel)
    channel.publish(AT)
    viewer = watching(channel)
    assert viewer.next("") == '{"n":1}'
    frame = viewer.next("")
    assert isinstance(frame, bytes)
    assert opened(frame)["p"] == {"volume-words": {"children": "1"}}
    assert viewer.next("") is None


def test_a_frame_holds_only_the_panels_that_changed_and_is_the_same_bytes_for_everybody() -> None:
    channel, volume, feed = page()
    volume.says("1", channel)
    feed.says("a", channel)
    channel.publish(AT)
    viewers = [watching(channel) for _ in range(50)]
    for viewer in viewers:
        viewer.next("")
        assert opened(viewer.next("") or b"")["full"] is True  # type: ignore[arg-type]
    feed.says("b", channel)
    channel.publish(AT)
    frames = [viewer.next("") for viewer in viewers]
    assert len({id(frame) for frame in frames}) == 1
    assert isinstance(frames[0], bytes)
    found = opened(frames[0])
    assert found["p"] == {"feed-words": {"children": "b"}}
    assert (found["n"], found["full"]) == (2, False)
    assert found["states"] == {"feed": {"state": "live", "at": int(AT.timestamp() * 1000)}}


def test_who_missed_a_frame_gets_one_frame_with_everything_and_not_a_queue() -> None:
    channel, volume, feed = page()
    volume.says("1", channel)
    feed.says("a", channel)
    channel.publish(AT)
    slow = watching(channel)
    slow.next("")
    slow.next("")
    for n in range(2, 9):
        volume.says(str(n), channel)
        channel.publish(AT)
    frame = slow.next("")
    assert isinstance(frame, bytes)
    found = opened(frame)
    assert found["full"] is True
    assert found["n"] == 8
    assert found["p"] == {"volume-words": {"children": "8"}, "feed-words": {"children": "a"}}
    assert slow.next("") is None


def test_one_frame_missed_is_already_reason_for_the_whole() -> None:
    channel, volume, feed = page()
    volume.says("1", channel)
    feed.says("a", channel)
    channel.publish(AT)
    slow = watching(channel)
    slow.next("")
    slow.next("")
    volume.says("2", channel)
    channel.publish(AT)
    feed.says("b", channel)
    channel.publish(AT)
    frame = slow.next("")
    assert isinstance(frame, bytes)
    assert opened(frame)["p"] == {"volume-words": {"children": "2"}, "feed-words": {"children": "b"}}


def test_subscribing_again_is_answered_with_the_whole_state() -> None:
    channel, volume, _ = page()
    volume.says("1", channel)
    channel.publish(AT)
    viewer = watching(channel)
    viewer.next("")
    first = viewer.next("")
    viewer.watch(channel, '{"n":2}')
    assert viewer.next("") == '{"n":2}'
    assert viewer.next("") == first


def test_a_beat_goes_out_once_and_before_a_frame() -> None:
    channel, volume, _ = page()
    viewer = watching(channel)
    viewer.next("")
    volume.says("1", channel)
    channel.publish(AT)
    assert viewer.next("beat 1") == "beat 1"
    assert isinstance(viewer.next("beat 1"), bytes)
    assert viewer.next("beat 1") is None
    assert viewer.next("beat 2") == "beat 2"


def test_a_frame_waits_a_moment_for_panels_under_way_and_no_longer() -> None:
    channel, volume, feed = page()
    feed.running = True
    assert channel.ready_at(0.2) is None
    volume.says("1", channel)
    assert channel.ready_at(0.2) == 0.2
    feed.running = False
    assert channel.ready_at(0.2) == 0.0


def test_an_error_carries_its_reason_and_reference_and_keeps_the_last_answer() -> None:
    channel, volume, _ = page()
    volume.says("1", channel)
    volume.state = State("error", AT, "This took longer than 5 s.", "A1B2C3D4")
    channel.publish(AT)
    found = opened(channel.latest)
    assert found["p"] == {"volume-words": {"children": "1"}}
    assert found["states"]["volume"]["state"] == "error"
    assert found["states"]["volume"]["reason"] == "This took longer than 5 s."
    assert found["states"]["volume"]["reference"] == "A1B2C3D4"


def test_who_leaves_a_page_gets_nothing_of_it() -> None:
    channel, volume, _ = page()
    viewer = watching(channel)
    viewer.watch(None, '{"left":true}')
    volume.says("1", channel)
    channel.publish(AT)
    assert viewer.next("") == '{"left":true}'
    assert viewer.next("") is None
    assert not channel.is_watched(1e9)
