"""The bytes of one page for all who watch it: a frame of what changed, a frame of everything, made once each."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson

# How long a page counts as watched after somebody without a socket asked for it.
POLLED_SECONDS = 10.0
COMPRESSION = 6


@dataclass(frozen=True, slots=True)
class State:
    """How a panel stands: `word` is live or error; an error has a reason in words and a reference that is logged."""

    word: str
    at: datetime
    reason: str = ""
    reference: str = ""

    def reads_like(self, other: State) -> bool:
        """Whether a person would see no difference."""
        return (self.word, self.reason) == (other.word, other.reason)

    def encoded(self) -> bytes:
        """As the browser reads it."""
        said: dict[str, str | int] = {"state": self.word, "at": int(self.at.timestamp() * 1000)}
        if self.word == "error":
            said |= {"reason": self.reason, "reference": self.reference}
        return orjson.dumps(said)


class Part(Protocol):
    """What a channel joins: one computed panel."""

    fragment: bytes
    state: State | None
    running: bool
    channels: set[Channel]

    @property
    def name(self) -> str:
        """The panel's key."""


class Viewer:
    """One that watches: which channel, what it has already, and what is to be sent to it next.

    It never queues: whoever is slow finds, when it can take more, the newest whole state.
    """

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.channel: Channel | None = None
        self._reply: str | None = None
        self._sent: tuple[Channel, int] | None = None
        self._beat = ""

    def watch(self, channel: Channel | None, reply: str) -> None:
        """Follow another channel (None = nothing), from its whole state on, after telling so in `reply`."""
        if self.channel is not None:
            self.channel.viewers.discard(self)
        self.channel = channel
        self._reply, self._sent = reply, None
        if channel is not None:
            channel.viewers.add(self)
        self.wake.set()

    def next(self, beat: str) -> str | bytes | None:
        """What to send now; None when it has everything."""
        if self._reply is not None:
            reply, self._reply = self._reply, None
            return reply
        if beat and beat != self._beat:
            self._beat = beat
            return beat
        channel = self.channel
        if channel is None or channel.number == 0 or self._sent == (channel, channel.number):
            return None
        in_step = self._sent == (channel, channel.number - 1)
        self._sent = (channel, channel.number)
        return channel.latest if in_step else channel.whole


class Channel:
    """One page in one effective scope. `number` counts its frames; 0 = there is nothing to show yet."""

    def __init__(self, name: str, epoch: str, units: tuple[Part, ...], now: float) -> None:
        self.name = name
        self.units = units
        self.viewers: set[Viewer] = set()
        self.seen_at = now
        self.number = 0
        self.latest = b""
        self._epoch = epoch
        self._whole: bytes | None = None
        self._published_at: datetime | None = None
        self._waiting: set[Part] = set()
        self._waiting_since = 0.0

    def is_watched(self, now: float) -> bool:
        """Whether it is worth computing."""
        return bool(self.viewers) or now - self.seen_at < POLLED_SECONDS

    def add(self, unit: Part, now: float) -> None:
        """Note that a panel has something new."""
        if not self._waiting:
            self._waiting_since = now
        self._waiting.add(unit)

    def ready_at(self, gather_seconds: float) -> float | None:
        """When to publish: at once if no other panel is under way, else after a moment; None = nothing is new."""
        if not self._waiting:
            return None
        return self._waiting_since + (gather_seconds if any(unit.running for unit in self.units) else 0.0)

    def publish(self, wall: datetime) -> None:
        """Make the frame of what changed, once, and wake everybody."""
        waiting, self._waiting = self._waiting, set()
        known = [unit for unit in self.units if unit.state is not None]
        self.number += 1
        self._published_at = wall
        # Where everything changed the part is the whole: no second frame to make.
        is_whole = waiting >= set(known)
        self.latest = self._frame(known if is_whole else [u for u in known if u in waiting], is_whole)
        self._whole = self.latest if is_whole else None
        self.wake_viewers()

    @property
    def whole(self) -> bytes:
        """Everything there is, made once per change and only if somebody needs it."""
        if self._whole is None:
            self._whole = self._frame([unit for unit in self.units if unit.state is not None], True)
        return self._whole

    def wake_viewers(self) -> None:
        """Have every viewer look for what is new."""
        for viewer in self.viewers:
            viewer.wake.set()

    def _frame(self, units: Iterable[Part], is_whole: bool) -> bytes:
        units = list(units)
        assert self._published_at is not None
        head = orjson.dumps(
            {
                "k": self.name,
                "e": self._epoch,
                "n": self.number,
                "t": int(self._published_at.timestamp() * 1000),
                "full": is_whole,
            }
        )[:-1]
        props = b",".join(unit.fragment for unit in units if unit.fragment)
        states = b",".join(
            orjson.dumps(unit.name) + b":" + unit.state.encoded() for unit in units if unit.state is not None
        )
        packer = zlib.compressobj(COMPRESSION, zlib.DEFLATED, -15)
        raw = head + b',"p":{' + props + b'},"states":{' + states + b"}}"
        return packer.compress(raw) + packer.flush()
