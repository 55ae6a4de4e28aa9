"""Processes that hang with a transaction open: on PostgreSQL they keep their locks until somebody throws them out.

A process that was killed is noticed at once, since its connections end. One that is stopped, swapped out or cut off is
not, and whoever wants to store posts of the same brand would wait for it.
"""

from __future__ import annotations

import os
import socket
import uuid

from sqlalchemy import Connection, text

# A process of which no session says anything for so long, with a write open, hangs: workers speak three times a second.
# Whoever waits for its locks waits for this too, and so do the sources that a blocked worker should take over.
HUNG_SECONDS = 1.2
LOOK_EVERY = 0.3
# What PostgreSQL itself waits, for when there is no worker left to look.
LONGEST_SILENCE = 30.0
_NAME = "watchfloor "

# A silent session that wrote, or one in the middle of a COPY, which no limit of PostgreSQL sees: ours send rows from
# memory, and are over in a moment. All transactions of its process end with it: they queue for the same locks, and
# would hold them up one after the other.
_END = f"""
with ours as (
  select *, max(state_change) over (partition by application_name) as heard_at from pg_stat_activity
  where datname = current_database() and usename = current_user and application_name like '{_NAME}%'
), hung as (
  select application_name from ours where heard_at < now() - make_interval(secs => :seconds)
    and (state = 'idle in transaction' and backend_xid is not null or state = 'active' and wait_event = 'ClientRead')
)
select count(pg_terminate_backend(pid)) from ours
where state <> 'idle' and application_name in (select application_name from hung)
"""  # noqa: S608


def session_name() -> str:
    """What the sessions of one process are called on the server, unlike those of any other."""
    return f"{_NAME}{socket.gethostname()[:24]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def limit_silence(connection: Connection) -> None:
    """Have PostgreSQL end this transaction when nothing is asked of it for long."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"set local idle_in_transaction_session_timeout = {int(LONGEST_SILENCE * 1000)}")


def allow_silence(connection: Connection) -> None:
    """Let this transaction be silent for as long as it takes."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("set local idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql("set local application_name = 'patient'")


def end_hung(connection: Connection) -> int:
    """End the transactions of processes of ours that hang; returns how many."""
    if connection.dialect.name != "postgresql":
        return 0
    return int(connection.execute(text(_END), {"seconds": HUNG_SECONDS}).scalar_one())
