"""The schema, as SQLAlchemy Core tables. Each table's docstring (its `info["writer"]`) names its one writer."""

from models.tables.audit import audit
from models.tables.base import metadata
from models.tables.cube import author_day, cube
from models.tables.identity import membership, person, session, signin_link
from models.tables.mention import (
    copy_account,
    copy_group,
    correction,
    engagement,
    mention,
    mention_version,
    our_post,
    post,
    thread_post,
)
from models.tables.organisation import (
    account,
    brand,
    brand_rule,
    competitor,
    location,
    setting,
    team,
    team_cover,
)
from models.tables.source import (
    change,
    charged,
    coverage,
    duty,
    fetch,
    measure_due,
    rate_limit,
    set_aside,
    source,
    source_check,
)

__all__ = [
    "account",
    "audit",
    "author_day",
    "brand",
    "brand_rule",
    "change",
    "charged",
    "competitor",
    "copy_account",
    "copy_group",
    "correction",
    "coverage",
    "cube",
    "duty",
    "engagement",
    "fetch",
    "location",
    "measure_due",
    "membership",
    "mention",
    "mention_version",
    "metadata",
    "our_post",
    "person",
    "post",
    "rate_limit",
    "session",
    "set_aside",
    "setting",
    "signin_link",
    "source",
    "source_check",
    "team",
    "team_cover",
    "thread_post",
]
