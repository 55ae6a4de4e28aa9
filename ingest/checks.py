"""What people want to add on the screen, tried: the screen may not talk to networks, so a worker does it for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from ingest import connectors
from ingest.asking import Asking
from ingest.limits import Limiter
from models import secrets, source_checks
from models.database import Database
from models.errors import WatchfloorError
from models.settings import Settings
from models.source_checks import Check

log = logging.getLogger("watchfloor.ingest")


def answer_one(database: Database, settings: Settings, *, now: Callable[[], datetime]) -> bool:
    """Try the oldest check that waits and save what works; False when nobody waits."""
    with database.read() as connection:
        if not source_checks.is_waiting(connection):
            return False
    with database.write() as connection:
        check = source_checks.take(connection, now())
    if check is None:
        return False
    sentence, reason = _tried(database, settings, check, now())
    with database.write() as connection:
        if reason is None:
            source_checks.accept(connection, check, sentence, now())
        else:
            source_checks.refuse(connection, check, reason, now())
    return True


def _tried(database: Database, settings: Settings, check: Check, at: datetime) -> tuple[str, str | None]:
    """What works, and None; or what does not, as (nothing, reason)."""
    try:
        opened = {} if check.sealed is None else secrets.unseal(settings, check.sealed)
        connector = connectors.by_kind(check.kind)
        config = connector.Config.model_validate({**check.config, **opened})
        asking = Asking(connector, config, settings, Limiter(database))
        return (asking.check(now=at) if asking.can("check") else str(connector.describe(config))), None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        return "", f"{place}: {fault['msg'].removeprefix('Value error, ')}"
    except WatchfloorError as error:
        return "", str(error)
    except Exception as error:
        # A job: the person who waits is told, whatever went wrong.
        log.exception("check_failed kind=%s", check.kind)
        return "", f"an unforeseen fault ({type(error).__name__}); the log of ingest has the details"
