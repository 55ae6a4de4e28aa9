"""How long a text is by each network's own counting. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Longest answer by network; those that are not named take whatever we would ever write.
ALLOWED = {
    "x": 280,
    "bluesky": 300,
    "mastodon": 500,
    "reddit": 10_000,
    "youtube": 10_000,
    "facebook": 8_000,
    "instagram": 2_200,
}
# X and Mastodon count every link as so many characters, whatever its length.
LINK = 23
# X: what lies in these ranges weighs one, everything else two.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_ENDINGS = (
    "com|org|net|info|biz|app|dev|shop|store|online|site|blog|news|bank|edu|gov|int|mil|name|pro|travel|museum|[a-z]{2}"
)
_WITH_SCHEME = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
# X makes a link of a bare address too, where its ending is one.
_BARE = re.compile(
    rf"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_ENDINGS})(?![\w.-]*\w)(?:/[^\s<>\"]*)?", re.IGNORECASE
)
_MENTION = re.compile(r"(?<!\w)@(\w+)@[\w.-]+\w")
_JOINER = "\u200d"
_REGIONAL = range(0x1F1E6, 0x1F200)
_SKIN = range(0x1F3FB, 0x1F400)
_EXTENDS = ("Mn", "Me", "Mc")


@dataclass(frozen=True, slots=True)
class Length:
    """`used` of `allowed` (None = no limit that we know), in `unit` as people say it."""

    used: int
    allowed: int | None
    unit: str

    @property
    def is_too_long(self) -> bool:
        """Whether the network would refuse it for its length."""
        return self.allowed is not None and self.used > self.allowed


def length(text: str, network: str) -> Length:
    """How much of what the network allows a text takes."""
    normal = unicodedata.normalize("NFC", text)
    allowed = ALLOWED.get(network)
    if network == "x":
        return Length(_weighted(normal), allowed, "characters as X counts them")
    if network == "bluesky":
        return Length(sum(1 for _ in graphemes(normal)), allowed, "characters")
    if network == "mastodon":
        short = _WITH_SCHEME.sub("x" * LINK, _MENTION.sub(r"@\1", normal))
        return Length(sum(1 for _ in graphemes(short)), allowed, "characters as Mastodon counts them")
    return Length(len(normal), allowed, "characters")


def has_link(text: str) -> bool:
    """Whether X would make a link of something in the text."""
    return _WITH_SCHEME.search(text) is not None or _BARE.search(text) is not None


def without_links(text: str) -> str:
    """The text with nothing in place of its links."""
    return _WITH_SCHEME.sub("", text)


def graphemes(text: str) -> Iterator[str]:
    """What a reader takes for one character: marks, joined emoji, flags and skin tones go with what they belong to."""
    cluster = ""
    flags = 0
    for character in text:
        code = ord(character)
        if cluster and (
            character == _JOINER
            or cluster.endswith(_JOINER)
            or code in _SKIN
            or unicodedata.category(character) in _EXTENDS
            or 0xFE00 <= code <= 0xFE0F
            or 0xE0020 <= code <= 0xE007F
            or (cluster == "\r" and character == "\n")
            or (code in _REGIONAL and flags % 2 == 1)
        ):
            cluster += character
        else:
            if cluster:
                yield cluster
            cluster = character
        flags = flags + 1 if code in _REGIONAL else 0
    if cluster:
        yield cluster


def _weighted(text: str) -> int:
    short, links = _WITH_SCHEME.subn(" ", text)
    short, bare = _BARE.subn(" ", short)
    # Each link left a space behind, which weighs one. Plain letters are light, each for itself.
    if short.isascii():
        return (links + bare) * (LINK - 1) + len(short)
    return (links + bare) * (LINK - 1) + sum(_weight(cluster) for cluster in graphemes(short))


def _weight(cluster: str) -> int:
    if len(cluster) > 1 and _is_emoji(cluster):
        return 2
    return sum(1 if any(low <= ord(character) <= high for low, high in _LIGHT) else 2 for character in cluster)


def _is_emoji(cluster: str) -> bool:
    return any(0x1F000 <= ord(item) < 0x20000 or 0x2600 <= ord(item) < 0x2800 or item == "\ufe0f" for item in cluster)
