"""Statements are compiled once for a test process: each test has its own engines, and each engine a cache of its own.

A fifth of the time of all tests went into compiling the same few hundred statements anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.default import DefaultDialect

from models import database

# More than there are, so that none is thrown out.
SIZE = 20_000
# Of each kind of database the dialect and the cache of the first engine that got a connection: a statement is
# remembered for the dialect that it was compiled for, and a dialect knows its server once it is connected.
_kept: dict[str, tuple[DefaultDialect, Any]] = {}


def share() -> None:
    """From here on every engine of this process remembers what any other compiled."""
    setattr(database, "create_engine", _sharing)  # noqa: B010 - a name of that module, which mypy holds for a constant


def _sharing(*given: Any, **named: Any) -> Engine:
    engine = create_engine(*given, query_cache_size=SIZE, **named)
    kind = engine.dialect.name
    if kind in _kept:
        engine.dialect, engine._compiled_cache = _kept[kind]
    else:
        own: Any = engine.dialect

        def keep(_connection: Any, _record: Any) -> None:
            _kept.setdefault(kind, (own, engine._compiled_cache))

        event.listen(engine, "first_connect", keep)
    return engine
