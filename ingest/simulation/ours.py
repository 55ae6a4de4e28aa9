"""Accounts of ours on the simulated network, from the demo organisation's file, and what they publish day by day."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from ingest.found import Author, Found
from ingest.simulation import desk
from ingest.simulation.dice import UNIT, normal, sixteen
from ingest.simulation.identities import OURS, external_id, numbered
from ingest.simulation.people import Person, carried
from ingest.simulation.posts import EPOCH, SAY_LANGUAGE, counts, link
from ingest.simulation.world import NETWORKS, SITE_BY_KEY, SITES, TALK_BY_KEY, TALKS, organisation_file

DAY = 86_400_000_000
HOUR = 3_600_000_000
# Where an account without a location of its own speaks from.
_SEAT = {"halden-bank": "amsterdam", "corvane": "berlin", "orchard-row": "london", "velta": "berlin"}
# Posts a day by the kind of account: fewest and most.
_A_DAY = {"company": (2, 4), "support": (0, 1), "site": (0, 2), "person": (0, 1)}
_FOLLOWERS = {"company": 420_000, "support": 130_000, "site": 38_000, "person": 6_000}
# Hours of the day (UTC) in which they publish.
_OFFICE = (8.0, 19.5)


class Account(NamedTuple):
    """An account of ours: `network`, `talk` and `site` are places in the tables of world; `place` among those of
    its network."""

    network: int
    place: int
    kind: str
    talk: int
    site: int
    is_local: bool
    who: Person


class OwnPost(NamedTuple):
    """Something an account of ours publishes of its own accord."""

    network: int
    posted: int
    number: int
    account: Account
    drawn: tuple[int, ...]


@cache
def accounts() -> tuple[Account, ...]:
    """All accounts of ours, in the order of the file."""
    listed: list[dict[str, Any]] = tomllib.loads(organisation_file()).get("account", [])
    found: list[Account] = []
    for item in listed:
        network = NETWORKS.index(item["network"])
        site = item.get("location")
        spread = 0.5 * normal(*(draw * UNIT for draw in sixteen(f"{item['network']}/{item['handle']}".encode())[:2]))
        followers = int(_FOLLOWERS[item["kind"]] * 2.0**spread * (1.0 if item["network"] == "x" else 0.15))
        found.append(
            Account(
                network=network,
                place=sum(account.network == network for account in found),
                kind=item["kind"],
                talk=TALK_BY_KEY[item["brand"]],
                site=SITE_BY_KEY[site or _SEAT[item["brand"]]],
                is_local=site is not None,
                who=Person(
                    author=Author(
                        key=item["handle"],
                        handle=item["handle"],
                        name=item["name"],
                        followers=None if item["network"] == "reddit" else followers,
                    ),
                    home=None,
                    carried=carried(followers),
                    hides=None,
                ),
            )
        )
    return tuple(found)


@cache
def account_by_handle(network: int, handle: str) -> Account | None:
    """The account of ours with that handle, however its letters are written; None where there is none."""
    wanted = handle.removeprefix("@").casefold()
    for account in accounts():
        if account.network == network and account.who.author.key.casefold() == wanted:
            return account
    return None


@cache
def who_answers(network: int, talk: int, site: int) -> Account | None:
    """The account that answers customers of a brand at a site: care of that place, care, the brand's own."""

    def fits(account: Account) -> int:
        if account.is_local:
            return 3 if account.site == site else -1
        return {"support": 2, "company": 1}.get(account.kind, -1)

    candidates = [account for account in accounts() if (account.network, account.talk) == (network, talk)]
    best = max(candidates, key=fits, default=None)
    return best if best is not None and fits(best) > 0 else None


@lru_cache(maxsize=64)
def of_day(seed: int, day: int) -> tuple[OwnPost, ...]:
    """What accounts of ours publish on a day since 1970 (UTC), in no order."""
    posts = []
    for account in accounts():
        fewest, most = _A_DAY[account.kind]
        drawn = sixteen(f"{seed}/ours/{day}/{account.network}/{account.who.author.key}".encode())
        for number in range(fewest + drawn[0] % (most - fewest + 1)):
            own = sixteen(f"{seed}/ours/{day}/{account.network}/{account.who.author.key}/{number}".encode())
            first, last = _OFFICE
            posted = day * DAY + int((first + (last - first) * own[0] * UNIT) * HOUR)
            posts.append(OwnPost(account.network, posted, numbered(posted, OURS + account.place), account, own))
    return tuple(posts)


def own_state(post: OwnPost, as_of: int) -> Found:
    """What the network shows of a post of ours at an instant (microseconds since 1970)."""
    key, talk, author = NETWORKS[post.network], TALKS[post.account.talk], post.account.who.author
    cities = SITES[post.account.site].cities
    return Found(
        network=key,
        external_id=external_id(key, post.number),
        posted_at=EPOCH + timedelta(0, 0, post.posted),
        text=desk.published(
            talk.sector,
            post.drawn[1] & 0xFFFF,
            brand=talk.names[0],
            product=talk.products[post.drawn[2] % len(talk.products)],
            city=cities[0],
        ),
        author=author,
        url=link(key, author.key, post.number),
        language="en" if key in SAY_LANGUAGE else None,
        counts=counts(key, post.account.who, post.drawn, as_of - post.posted),
    )
