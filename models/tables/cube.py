"""The rollups. Written by models/cube alone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, SmallInteger, String, Table

from models.tables.base import UtcDateTime, metadata

WRITER = {"writer": "models/cube"}

# One row per (granularity, brand, location, team, network, bucket); 0 in a dimension = all of it.
# The grouping set is what is not 0; which sets are kept says models/cube. Sentiment is four columns and not a
# dimension: one row instead of four for every bucket, and a share never needs two rows. Bucket = start, seconds
# since 1970. It stands last in the key, so that a span of one combination is one range of it.
cube = Table(
    "cube",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("granularity", Integer, primary_key=True, autoincrement=False),
    Column("location_id", Integer, primary_key=True, autoincrement=False),
    Column("team_id", Integer, primary_key=True, autoincrement=False),
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("mentions", BigInteger, nullable=False),
    Column("positive", BigInteger, nullable=False),
    Column("neutral", BigInteger, nullable=False),
    Column("negative", BigInteger, nullable=False),
    Column("unscored", BigInteger, nullable=False),
    Column("likes", BigInteger, nullable=False),
    Column("replies", BigInteger, nullable=False),
    Column("reposts", BigInteger, nullable=False),
    # Followers of the authors first seen on that local day in this cell: adds up over days, never within one.
    Column("reach", BigInteger, nullable=False),
    sqlite_with_rowid=False,
    # Hot cells are updated all day: room in the page lets PostgreSQL do it without touching the index.
    postgresql_with={"fillfactor": 70},
    info=WRITER,
)

# One row per author and local day of a brand (days since 1970): what lets reach count each author once, and the rows
# behind `cube.reach`. Place, team and `counted_at` are those of the mention that was stored first.
author_day = Table(
    "author_day",
    metadata,
    Column("brand_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("network_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("author_key", String(512), primary_key=True),
    Column("followers", BigInteger, nullable=False),
    Column("location_id", Integer, nullable=False),
    Column("team_id", Integer, nullable=False),
    Column("counted_at", UtcDateTime, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
    info=WRITER,
)
