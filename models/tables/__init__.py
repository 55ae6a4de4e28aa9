"""The schema, as SQLAlchemy Core tables. Each table's docstring (its `info["writer"]`) names its one writer."""

from models.tables.audit import audit
from models.tables.base import metadata
from models.tables.cube import author_day, cube
from models.tables.identity import membership, person, session, signin_link
from models.tables.mention import mention, post
from models.tables.organisation import (
    brand,
    brand_rule,
    competitor,
    location,
    setting,
    team,
    team_cover,
)
from models.tables.source import change, coverage, fetch, set_aside, source

__all__ = [
    "audit",
    "author_day",
    "brand",
    "brand_rule",
    "change",
    "competitor",
    "coverage",
    "cube",
    "fetch",
    "location",
    "membership",
    "mention",
    "metadata",
    "person",
    "post",
    "session",
    "set_aside",
    "setting",
    "signin_link",
    "source",
    "team",
    "team_cover",
]
