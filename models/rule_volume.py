"""What a changed rule would mean: mentions a day before and after, and what that costs where a network is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, func, select

from models import sources
from models.access import Scope, Window
from models.cube import by_brand_of
from models.networks import BY_ID
from models.organisation import Organisation
from models.rule_trial import Post
from models.source_kinds import BY_KIND
from models.source_ledger import WEEK
from models.tables import fetch

DAYS = 30
# A post that is measured again "for all" is read on three further days than the one it came on, each charged once.
PAID_DAYS = 3
# Of fewer posts than this a share says nothing.
LEAST = 20
LIMIT = "longest_query"


@dataclass(frozen=True, slots=True)
class Volume:
    """Mentions on each of the past DAYS local days: `now` counted, `after` estimated.

    `days` are their local midnights; the last one is today, which is not over. `after` is None where the published
    rule found too little of the posts to tell, then `change` is None too; else it is after / now - 1.
    """

    days: tuple[datetime, ...]
    now: tuple[int, ...]
    after: tuple[float, ...] | None
    change: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the change adds to a month's bill. `network` None = no source costs money."""

    network: str | None
    dollars: float


def volume(
    connection: Connection, organisation: Organisation, brand_id: int, *, found: int, published: int, now: datetime
) -> Volume:
    """The days of a brand from the rollup, and what they would be where `found` posts match instead of `published`."""
    zone = organisation.zone_info
    today = datetime.combine(now.astimezone(zone).date(), time(), zone)
    first = datetime.combine((today - timedelta(days=DAYS - 1)).date(), time(), zone).astimezone(UTC)
    scope = Scope((brand_id,), (brand_id,))
    window = Window("days", first, now, 86_400, live=True)
    series = by_brand_of(connection, scope, (brand_id,), window, organisation)[brand_id]
    counts = tuple(tally.mentions for tally in series.tallies)
    if published < LEAST:
        return Volume(series.starts, counts, None, None)
    ratio = found / published
    return Volume(series.starts, counts, tuple(count * ratio for count in counts), ratio - 1)


def cost(
    connection: Connection, posts: Sequence[Post], found: Sequence[int], published: Sequence[int], *, now: datetime
) -> Cost:
    """Dollars a month for what the change finds more on paid networks, at what the past week's ledger paid a post.

    `found` and `published` are places in `posts`, newest first: what the changed rule finds, and the one that counts.
    Sources fetch by queries of their own, so a rule costs money only where all mentions are measured again.
    """
    setups = sources.setups(connection, now)
    active = [item for item in sources.health(connection, now) if item.state == "active"]
    paid = [item for item in active if item.network_id in BY_ID and (item.budget is not None or item.spent > 0)]
    if not paid:
        return Cost(None, 0.0)
    dollars = 0.0
    for network_id in {item.network_id for item in paid if setups[item.id].remeasure == "all"}:
        price = _a_post(connection, [item.id for item in paid if item.network_id == network_id], now)
        more = sum(posts[place].network_id == network_id for place in found)
        more -= sum(posts[place].network_id == network_id for place in published)
        dollars += max(0, more) / _days(posts) * 30 * PAID_DAYS * price
    return Cost(BY_ID[paid[0].network_id].name, dollars)


def longest_query(connection: Connection, now: datetime) -> tuple[str, int] | None:
    """The network that limits how long a query may be, with the longest; None where no search has a limit."""
    setups = sources.setups(connection, now)
    limits = []
    for item in sources.health(connection, now):
        form = BY_KIND.get(item.kind)
        field = next((each for each in form.fields if each.name == LIMIT), None) if form is not None else None
        network = BY_ID.get(item.network_id)
        if field is None or network is None or item.state == "done":
            continue
        config = setups[item.id].config
        if config.get("what", "search") == "search":
            limits.append((int(config.get(LIMIT) or field.default), network.name))
    if not limits:
        return None
    longest, name = max(limits)
    return name, longest


def _a_post(connection: Connection, source_ids: Sequence[int], now: datetime) -> float:
    """Dollars for a post that was read, over the last 7 days of the ledger."""
    row = connection.execute(
        select(func.sum(fetch.c.cost), func.sum(fetch.c["items"])).where(
            fetch.c.source_id.in_(list(source_ids)), fetch.c.ended_at >= now - WEEK
        )
    ).one()
    return float(row[0] or 0.0) / row[1] if row[1] else 0.0


def _days(posts: Sequence[Post]) -> float:
    """How many days the posts cover, at least an hour of one."""
    seconds = (posts[0].posted_at - posts[-1].posted_at).total_seconds() if posts else 0.0
    return max(seconds, 3600.0) / 86_400
