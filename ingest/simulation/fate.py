"""What becomes of a post: it comes late, is edited, is deleted, and its engagement grows.

All of it is drawn from the low halves of the draws that made the post: those decide by their high halves, so the
two have nothing to do with each other. The fate stands in one of them, since most posts have none and are asked often.
"""

from __future__ import annotations

MINUTE = 60_000_000
LOW = 0xFFFF

# Shares of all posts.
LATE_SHARE = 0.007
EDITED_SHARE = 0.005
DELETED_SHARE = 0.01
# Minutes, shortest and longest.
_LATE = (0.4, 15.0)
_EDITED = (2.0, 25.0)
_DELETED = (3.0, 480.0)
# Half of the engagement is there after so many minutes, quickest and slowest post.
_HALF = (25, 320)

# Which draw holds the fate, and its ranges one above the other.
FATE = 9
_LATE_BELOW = int(LATE_SHARE * 65536)
_EDITED_BELOW = _LATE_BELOW + int(EDITED_SHARE * 65536)
# A post whose fate is not below this has none.
FATEFUL = _EDITED_BELOW + int(DELETED_SHARE * 65536)

Draws = tuple[int, ...]


def late_by(drawn: Draws) -> int | None:
    """Microseconds from the post to its delivery where the network hands it out late; None where it is in time."""
    return _within(_LATE, drawn[10]) if drawn[FATE] & LOW < _LATE_BELOW else None


def edited_at(drawn: Draws, posted: int) -> int | None:
    """When the author wrote the text anew, None for never; in microseconds since 1970, as `posted`."""
    return posted + _within(_EDITED, drawn[13]) if _LATE_BELOW <= drawn[FATE] & LOW < _EDITED_BELOW else None


def deleted_at(drawn: Draws, posted: int) -> int | None:
    """When the author deleted the post, None for never; in microseconds since 1970, as `posted`."""
    return posted + _within(_DELETED, drawn[4]) if _EDITED_BELOW <= drawn[FATE] & LOW < FATEFUL else None


def grown(drawn: Draws, age: int) -> float:
    """The share of a post's engagement that is there at an `age` in microseconds: half after one to five hours."""
    shortest, longest = _HALF
    half = (shortest + ((longest - shortest) * (drawn[11] & LOW) >> 16)) * MINUTE
    return age / (age + half) if age > 0 else 0.0


def _within(minutes: tuple[float, float], drawn: int) -> int:
    # Squared: most of it happens soon.
    shortest, longest = minutes
    share = (drawn & LOW) / 65536
    return int((shortest + (longest - shortest) * share * share) * MINUTE)
