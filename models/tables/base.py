"""What every table shares: the naming convention and the column types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Unnamed constraints get lost when SQLite recreates a table in a migration, so every one has a name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def to_microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant; ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"naive instant {instant!r}: give it a zone, instants are stored in UTC")
    return (instant - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The UTC instant that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored as microseconds since 1970 in a 64-bit integer, returned in UTC.

    The same number on both databases: it compares, indexes and copies as fast as an id, needs no
    parsing on the way out, and `to_timestamp(posted_at / 1e6)` reads it in psql.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(int(value))


# SQLite makes a column the rowid only when its type is spelled INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")
Json = JSON(none_as_null=True)
