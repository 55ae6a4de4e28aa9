"""Whether a case can be answered, how and as whom: told before anybody claims it. Reads only.

Through the network's interface (api), by hand on the network's own page (native), or not at all (blocked), with the
reason. A queue of cases costs a fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, tuple_

from models.case_steps import CLOSED, CaseKey
from models.errors import NotFound
from models.holds import Hold, hold_of
from models.incident_reading import open_now
from models.networks import BY_ID, BY_KEY
from models.organisation import Account, Organisation
from models.tables import account, account_breaker, desk_case, mention, our_post, setting
from models.wording import plain

API, NATIVE, BLOCKED = "api", "native", "blocked"
# Networks that take replies from programs: those we have a client for, and all that the simulated network plays.
WITH_CLIENT = frozenset({"x"})
SIMULATED = frozenset({"x", "bluesky", "mastodon", "reddit", "youtube"})
# The setting that says which access to X was bought; with "enterprise" everybody may be answered.
X_ACCESS, ENTERPRISE = "x_access", "enterprise"
MOST_CASES = 200
_POST = (
    mention.c.id,
    mention.c.network_id,
    mention.c.text,
    mention.c.url,
    mention.c.deleted_at,
    mention.c.reply_to,
    mention.c.quote_of,
)
# Asked for with every look at what is being written, and so built once.
_CASES = select(desk_case).where(
    desk_case.c.brand_id == bindparam("brand"), desk_case.c.id.in_(bindparam("ids", expanding=True))
)
_POSTS = select(*_POST).where(
    mention.c.brand_id == bindparam("brand"), mention.c.id.in_(bindparam("ids", expanding=True))
)
_ACCOUNTS = select(account).where(account.c.valid_to.is_(None))
_BREAKERS = select(account_breaker)
_X_ACCESS = select(setting.c.value).where(setting.c.key == X_ACCESS)
_KINDS = {"support": 0, "company": 1, "site": 2, "person": 3}


@dataclass(frozen=True, slots=True)
class Replyable:
    """`how` is api, native or blocked; `reason` says why not api, in words. `accounts` may answer, the likeliest first;
    `account_id` is the one it is about. `url` is the post's page on the network, for an answer by hand."""

    how: str
    reason: str
    accounts: tuple[Account, ...]
    account_id: int | None
    url: str | None
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What all cases of a queue are judged by."""

    organisation: Organisation
    incidents: Sequence[Any]
    accounts: Mapping[int, Row[Any]]
    breakers: Mapping[int, Row[Any]]
    ours: frozenset[tuple[int, int, str]]
    is_enterprise: bool
    now: datetime


def replyable(
    connection: Connection,
    organisation: Organisation,
    case: CaseKey,
    now: datetime,
    account_id: int | None = None,
) -> Replyable:
    """How one case can be answered, by that account or the likeliest. NotFound for a case that is not there."""
    found = _judged(connection, organisation, [case], now, account_id)
    if case not in found:
        raise NotFound(f'no case "{case}"')
    return found[case]


def many(
    connection: Connection, organisation: Organisation, cases: Sequence[CaseKey], now: datetime
) -> dict[CaseKey, Replyable]:
    """How each of at most MOST_CASES cases can be answered by its likeliest account."""
    return _judged(connection, organisation, cases[:MOST_CASES], now, None)


def _judged(
    connection: Connection,
    organisation: Organisation,
    keys: Sequence[CaseKey],
    now: datetime,
    account_id: int | None,
) -> dict[CaseKey, Replyable]:
    rows = _with_posts(connection, keys)
    if not rows:
        return {}
    accounts = {row.id: row for row in connection.execute(_ACCOUNTS)}
    known = _Known(
        organisation=organisation,
        incidents=open_now(connection, now),
        accounts=accounts,
        breakers={row.account_id: row for row in connection.execute(_BREAKERS)},
        ours=_ours(connection, [row for row, _ in rows.values()], [post for _, post in rows.values()]),
        is_enterprise=connection.execute(_X_ACCESS).scalar() == ENTERPRISE,
        now=now,
    )
    return {key: _judge(row, post, known, account_id) for key, (row, post) in rows.items()}


def _with_posts(connection: Connection, keys: Sequence[CaseKey]) -> dict[CaseKey, tuple[Row[Any], Row[Any] | None]]:
    """Each case with the mention that is answered; two statements a brand."""
    found: dict[CaseKey, tuple[Row[Any], Row[Any] | None]] = {}
    by_id: dict[int, Any]
    for brand_id in sorted({key.brand_id for key in keys}):
        ids = [key.id for key in keys if key.brand_id == brand_id]
        cases = connection.execute(_CASES, {"brand": brand_id, "ids": ids}).all()
        answered = [row.last_mention_id for row in cases]
        posts = connection.execute(_POSTS, {"brand": brand_id, "ids": answered}).all()
        by_id = {post.id: post for post in posts}
        for row in cases:
            found[CaseKey(brand_id, row.id)] = (row, by_id.get(row.last_mention_id))
    return found


def _ours(
    connection: Connection, cases: Iterable[Row[Any]], posts: Iterable[Row[Any] | None]
) -> frozenset[tuple[int, int, str]]:
    """Which of the posts that are answered or quoted on X are ours."""
    wanted = {
        (case.brand_id, post.network_id, other)
        for case, post in zip(cases, posts, strict=True)
        if post is not None and post.network_id == BY_KEY["x"].id
        for other in (post.reply_to, post.quote_of)
        if other is not None
    }
    if not wanted:
        return frozenset()
    key = (our_post.c.brand_id, our_post.c.network_id, our_post.c.external_id)
    rows = connection.execute(select(*key).where(tuple_(*key).in_(sorted(wanted))))
    return frozenset((row.brand_id, row.network_id, row.external_id) for row in rows)


def _judge(row: Row[Any], post: Row[Any] | None, known: _Known, account_id: int | None) -> Replyable:
    accounts = accounts_for(known.organisation, row.brand_id, row.location_id, row.network_id)
    chosen = next((item for item in accounts if item.id == account_id), None) if account_id else None
    first = chosen or next(iter(accounts), None)
    url = None if post is None else post.url
    hold = hold_of(known.incidents, known.organisation, row.brand_id, row.location_id, row.network_id)

    def said(how: str, reason: str) -> Replyable:
        return Replyable(how, reason, accounts, None if first is None else first.id, url, hold)

    network = BY_ID[row.network_id]
    if row.state in CLOSED:
        return said(BLOCKED, f"the case is {row.state}; reopen it first")
    if hold is not None and hold.is_frozen:
        return said(BLOCKED, f"outbound is frozen by the incident “{hold.name}”")
    if post is None or post.deleted_at is not None:
        return said(BLOCKED, f"the post is no longer on {network.name}")
    if first is None:
        return said(BLOCKED, f"no account of this brand on {network.name}; connect one under Accounts")
    unable = _unable(first, known)
    if unable is not None:
        return said(BLOCKED, unable)
    by_hand = _only_by_hand(row, post, first, known)
    if by_hand is None:
        return said(API, "")
    return said(NATIVE if url else BLOCKED, by_hand)


def accounts_for(organisation: Organisation, brand_id: int, location_id: int, network_id: int) -> tuple[Account, ...]:
    """Accounts that may answer there: of the place before general ones, support before company, no person's own."""
    fitting = [
        item
        for item in organisation.accounts
        if item.brand_id == brand_id
        and item.network_id == network_id
        and (item.location_id is None or location_id in organisation.below(item.location_id))
    ]
    fitting.sort(key=lambda item: (item.kind == "person", item.location_id is None, _KINDS[item.kind], item.id))
    return tuple(fitting)


def _unable(item: Account, known: _Known) -> str | None:
    """Why this account cannot send now."""
    row, breaker = known.accounts.get(item.id), known.breakers.get(item.id)
    expires = None if row is None else row.secrets_expire_at
    if expires is not None and expires <= known.now and not known.organisation.simulated:
        return f"the credentials of {item.name} ran out on {expires:%d %b}; reconnect it under Accounts"
    if breaker is not None and breaker.open_until is not None and breaker.open_until > known.now:
        return f"{item.name} sends nothing until {breaker.open_until:%H:%M} UTC: {breaker.error}"
    return None


def _only_by_hand(row: Row[Any], post: Row[Any], item: Account, known: _Known) -> str | None:
    """Why the answer cannot go through the network's interface; None where it can."""
    network = BY_ID[row.network_id]
    if network.key not in (SIMULATED if known.organisation.simulated else WITH_CLIENT):
        return f"{network.name} takes no answers from programs; answer there, and it is found by itself"
    held = known.accounts.get(item.id)
    if not known.organisation.simulated and (held is None or held.secrets is None):
        return f"{item.name} is not connected; answer on {network.name}, or enter its credentials under Accounts"
    if network.key == "x" and not known.is_enterprise and not _addressed(row, post, known):
        return "X lets our program answer only who mentioned or quoted us; answer there, and it is found by itself"
    return None


def _addressed(row: Row[Any], post: Row[Any], known: _Known) -> bool:
    """Whether the author named one of our accounts on X, or quoted or answered a post of ours."""
    said = f"{plain(post.text)} "
    handles = [
        plain(item.handle).removeprefix("@")
        for item in known.organisation.accounts
        if item.network_id == row.network_id and item.brand_id == row.brand_id
    ]
    named = any(_names(said, handle) for handle in handles)
    return named or any((row.brand_id, row.network_id, other) in known.ours for other in (post.reply_to, post.quote_of))


def _names(said: str, handle: str) -> bool:
    at = said.find(f"@{handle}")
    while at != -1:
        end = at + len(handle) + 1
        if not (said[end].isalnum() or said[end] == "_"):
            return True
        at = said.find(f"@{handle}", end)
    return False
