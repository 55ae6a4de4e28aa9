"""Ids of simulated posts: what the network calls them holds when they were posted and which kind of post they are.

A number is the microsecond since 1970 in the high bits and a place in the low ten: the place in its minute for what
anybody posts, and ranges of their own for what the conversations, the memory and our accounts add. From an id alone
the post can therefore be made again.
"""

from __future__ import annotations

import re

PLACE_BITS = 10
# First place of each kind; below the first one, the posts of everybody.
CONVERSATION = 768
REMEMBERED = 896
OURS = 960
PLACES = 1 << PLACE_BITS

_FORMS = {
    "reddit": re.compile(r"t1_([0-9a-f]{1,16})"),
    "youtube": re.compile(r"Ug([0-9a-f]{1,16})AaABAg"),
    "bluesky": re.compile(r"at://did:sim:[0-9a-f]{1,16}/post/([0-9a-f]{1,16})"),
    "rss": re.compile(r"urn:simulated:([0-9a-f]{1,16})"),
}
_PLAIN = re.compile(r"[1-9][0-9]{0,18}")


def numbered(posted: int, place: int) -> int:
    """The number of the post at that place of its kind; `posted` in microseconds since 1970."""
    return posted << PLACE_BITS | place


def posted_of(number: int) -> int:
    """When a post with that number was posted, in microseconds since 1970."""
    return number >> PLACE_BITS


def place_of(number: int) -> int:
    """Which place of its kind a number holds."""
    return number & (PLACES - 1)


def external_id(network: str, number: int) -> str:
    """What a network calls the post with that number; `network` is one of world.NETWORKS."""
    if network == "reddit":
        return f"t1_{number:x}"
    if network == "youtube":
        return f"Ug{number:x}AaABAg"
    if network == "bluesky":
        return f"at://did:sim:{number >> 20:x}/post/{number:x}"
    return f"urn:simulated:{number:x}" if network == "rss" else str(number)


def number_of(network: str, given: str) -> int | None:
    """The number in an id that `external_id` made; None for any other text."""
    form = _FORMS.get(network)
    found = (form or _PLAIN).fullmatch(given)
    if found is None:
        return None
    number = int(found[1], 16) if form else int(given)
    return number if external_id(network, number) == given else None
