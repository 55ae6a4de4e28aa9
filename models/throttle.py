"""Slows down those who guess: a growing wait after failures, kept in memory and bounded."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures cost nothing; then the wait starts at `first_seconds` and doubles up to `longest_seconds`."""

    free: int
    first_seconds: float
    longest_seconds: float

    def wait(self, failures: int) -> timedelta:
        """How long nobody may try after so many failures in a row."""
        over = failures - self.free
        if over < 0:
            return timedelta(0)
        return timedelta(seconds=min(self.first_seconds * 2.0 ** min(over, 30), self.longest_seconds))


# An account's wait stays short, else anybody could lock anybody out; an address's grows long, but only after more
# failures: a whole office may share one.
ACCOUNT = Limit(free=5, first_seconds=2, longest_seconds=60)
ADDRESS = Limit(free=20, first_seconds=2, longest_seconds=900)
FORGOTTEN_AFTER = timedelta(hours=1)
MOST_KEYS = 10_000

Key = tuple[str, str]


@dataclass(slots=True)
class _Record:
    failures: int
    last_at: datetime
    until: datetime


class Throttle:
    """Counts failures by account and by address. One for a process; safe to use from several threads.

    An attempt counts as failed from its beginning until `succeeded` takes it back, so that a hundred at the same
    moment are not a hundred free ones.
    """

    def __init__(self, *, account: Limit = ACCOUNT, address: Limit = ADDRESS, most_keys: int = MOST_KEYS) -> None:
        self._limits = {"account": account, "address": address}
        self._most_keys = most_keys
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, account: str, address: str, now: datetime) -> float:
        """Seconds to wait before the next attempt; 0 = try now, and this attempt is counted."""
        keys = _keys(account, address)
        with self._lock:
            self._forget(now)
            wait = max((self._records[key].until - now for key in keys if key in self._records), default=timedelta(0))
            if wait > timedelta(0):
                return wait.total_seconds()
            for key in keys:
                self._count(key, now)
            self._bound()
            return 0.0

    def succeeded(self, account: str, address: str) -> None:
        """The attempt was right: the account starts anew, the address gets this one back."""
        account_key, address_key = _keys(account, address)
        with self._lock:
            self._records.pop(account_key, None)
            record = self._records.get(address_key)
            if record is not None:
                record.failures -= 1
                record.until = record.last_at
                if record.failures <= 0:
                    del self._records[address_key]

    def __len__(self) -> int:
        return len(self._records)

    def _count(self, key: Key, now: datetime) -> None:
        record = self._records.pop(key, None) or _Record(0, now, now)
        record.failures += 1
        record.last_at = now
        record.until = now + self._limits[key[0]].wait(record.failures)
        self._records[key] = record

    def _forget(self, now: datetime) -> None:
        for key, record in tuple(_oldest(self._records)):
            if now - record.last_at < FORGOTTEN_AFTER:
                return
            del self._records[key]

    def _bound(self) -> None:
        while len(self._records) > self._most_keys:
            self._records.popitem(last=False)


def _oldest(records: OrderedDict[Key, _Record]) -> Iterable[tuple[Key, _Record]]:
    # A few at a time: a full table must not be walked for one attempt.
    for _, item in zip(range(100), records.items(), strict=False):
        yield item


def _keys(account: str, address: str) -> tuple[Key, Key]:
    return ("account", account), ("address", network_of(address))


def network_of(address: str) -> str:
    """What one sender can change at will counts as one: the /64 of an IPv6 address, an IPv4 address whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
    return str(parsed)
