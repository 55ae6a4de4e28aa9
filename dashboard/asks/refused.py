"""Refusals of the desk that say more than their words: what changed, who holds it, which reason is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dashboard.asks.ask import Asked, Conflict
from models.cases import Stale, Taken, WrongState
from models.claims import ClaimLapsed
from models.reply_steps import Blocked, Frozen, NeedsReason, NotReplyable, TextChanged, WrongStep


@contextmanager
def told(asked: Asked) -> Iterator[None]:
    """Turn what the rules refuse into conflicts with a kind; instants in the words are those of the organisation."""
    try:
        yield
    except Stale as error:
        newer = [event.number for event in error.newer]
        raise Conflict("this case changed while you wrote; read it, then send again", "stale", newer=newer) from error
    except Taken as error:
        until = error.until.astimezone(asked.organisation.zone_info)
        words = f"{error.name} has this case until {until:%H:%M}; take it over with a reason"
        raise Conflict(words, "taken", by=error.by, name=error.name) from error
    except ClaimLapsed as error:
        raise Conflict("your claim has ended; claim the case again, your text is kept", "lapsed") from error
    except NeedsReason as error:
        raise Conflict(str(error), "reason") from error
    except Blocked as error:
        raise Conflict(str(error), "blocked") from error
    except Frozen as error:
        raise Conflict(str(error), "frozen") from error
    except NotReplyable as error:
        raise Conflict(str(error), "blocked") from error
    except TextChanged as error:
        raise Conflict(str(error), "changed") from error
    except (WrongStep, WrongState) as error:
        raise Conflict(str(error), "state") from error
