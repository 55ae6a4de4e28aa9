"""The networks we know: the small number that rows carry, the key that people write, the name, the monogram."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InputError


@dataclass(frozen=True, slots=True)
class Network:
    """`id` stands in rows and never changes; 0 means all and 1 means unknown, in every dimension."""

    id: int
    key: str
    name: str
    monogram: str


NETWORKS: tuple[Network, ...] = (
    Network(1, "other", "Other", "··"),
    Network(2, "x", "X", "X"),
    Network(3, "bluesky", "Bluesky", "Bs"),
    Network(4, "mastodon", "Mastodon", "Ma"),
    Network(5, "reddit", "Reddit", "Re"),
    Network(6, "youtube", "YouTube", "Yt"),
    Network(7, "rss", "RSS", "Rs"),
    Network(8, "facebook", "Facebook", "Fb"),
    Network(9, "instagram", "Instagram", "Ig"),
)
BY_KEY = {network.key: network for network in NETWORKS}
BY_ID = {network.id: network for network in NETWORKS}


def network_by_key(key: str) -> Network:
    """The network people call `key`; InputError names the known ones."""
    try:
        return BY_KEY[key.strip().lower()]
    except KeyError:
        known = ", ".join(sorted(BY_KEY))
        raise InputError(f'no network "{key}"; known: {known}') from None
