"""How much of a core the panels may take together while somebody clicks, who is not to wait for what is only watched.

Each panel alone has a limit of its own, and dozens of them that change all the while would still fill a core. Where
nobody clicks, as on walls, all of it is theirs.
"""

from __future__ import annotations

# Of one core; what is left is for requests, frames and the database's answers.
SHARE = 0.35
# Processor seconds that may be spent at once: a page that is opened, a change that wakes everything.
BURST_SECONDS = 0.5
# Whoever clicked clicks again within about so long.
CLICKING_SECONDS = 2.0


class Pace:
    """A debt of processor seconds that is paid off at SHARE of the time. Used on the loop only."""

    def __init__(self) -> None:
        self._debt = 0.0
        self._at = 0.0
        self._clicked_at = float("-inf")

    def clicked(self, now: float) -> None:
        """Somebody asks or does something."""
        self._clicked_at = now

    def spend(self, seconds: float, now: float) -> None:
        """A computation took so long of a core."""
        self._debt, self._at = self._left(now) + seconds, now

    def free_at(self, now: float) -> float:
        """When the next computation of what is shown already may begin: `now`, or later."""
        clicking_until = self._clicked_at + CLICKING_SECONDS
        return max(now, min(clicking_until, now + max(0.0, self._left(now) - BURST_SECONDS) / SHARE))

    def _left(self, now: float) -> float:
        return max(0.0, self._debt - (now - self._at) * SHARE)
