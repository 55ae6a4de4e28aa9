"""The process that publishes, and is killed: `python -m tests.crash.publishing URL HOME X_URL VARIANT`.

It imports everything once and forks a worker for each line on its standard input: `STAGE INSTANT`. The worker serves
what is due at that instant and waits for its end at the stage: `begin` (inside the transaction that marks the reply),
`begun` (committed, not called), `answered` (the network said yes, nothing is written), `finishing` (written, not
committed); at stage `free` it waits nowhere. `asked` and `accepted` are the network's: it kills the worker itself,
before or after it took the reply. On standard output come `started PID`, `inside`, and then `killed` or `ended`.

Variant `again` is what must not be: whoever takes over hands a reply in doubt over once more.
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from ingest import publish
from ingest.connectors import x
from ingest.publish import Publisher
from ingest.publish_routes import Route
from models import outbox
from models.database import Database
from models.settings import Settings


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def stop_here() -> None:
    """Wait to be killed."""
    say("inside")
    threading.Event().wait()


def wrap(stage: str) -> None:
    """Stop at a stage, once it is reached."""
    begin, deliver, call = outbox.begin, outbox.delivered, Route.publish

    def begun(*given: Any, **named: Any) -> Any:
        made = begin(*given, **named)
        if stage == "begin":
            stop_here()
        return made

    def delivered(*given: Any, **named: Any) -> None:
        deliver(*given, **named)
        if stage == "finishing":
            stop_here()

    def called(route: Route, *given: Any, **named: Any) -> str:
        if stage == "begun":
            stop_here()
        answer = call(route, *given, **named)
        if stage == "answered":
            stop_here()
        return answer

    outbox.begin, outbox.delivered = begun, delivered
    Route.publish = called  # type: ignore[method-assign, assignment]


def hand_over_again() -> None:
    """Break what is proved: what is in doubt is approved once more."""
    take = outbox.take_turn

    def taken(connection: Any, *given: Any, **named: Any) -> Any:
        turn = take(connection, *given, **named)
        connection.execute(text("update reply set state = 'approved', live_slot = 1 where state = 'unknown'"))
        return turn

    outbox.take_turn = taken


def live(url: str, home: str, stage: str, now: datetime) -> None:
    """One worker from its start to its end."""
    wrap(stage)
    database = Database(url)
    worker = Publisher(database, Settings(home=Path(home)), f"life {os.getpid()}", now=lambda: now)
    worker.round()
    worker.wait()
    worker.stop()
    database.close()


def main(url: str, home: str, x_url: str, variant: str) -> None:
    x.API = x_url
    publish.LATEST_CALL_SECONDS = 600.0
    if variant == "again":
        hand_over_again()
    say("ready")
    gone = None
    for line in sys.stdin:
        if gone is not None:
            os.waitpid(gone, 0)
        stage, instant = line.split()
        pid = os.fork()
        if pid == 0:
            live(url, home, stage, datetime.fromisoformat(instant))
            os._exit(0)
        say(f"started {pid}")
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert end is not None
        say("killed" if end.si_code == os.CLD_KILLED else "ended")
        gone = pid


if __name__ == "__main__":
    main(*sys.argv[1:])
