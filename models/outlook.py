"""What would become of a text if it were submitted now: who must sign it, what the checks say, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from models import cases, policy
from models.access import DRAFT, SEND, Access
from models.case_steps import Case, CaseKey
from models.checks import Check, Context, Pinned, Voice, blocking, check, quoted
from models.holds import Hold, holds, pinned
from models.networks import BY_ID
from models.organisation import Organisation
from models.policy import Facts, Required
from models.replyable import Replyable, replyable
from models.settings import PRICES
from models.sign_off_requests import could_sign
from models.tables import account, mention, person
from models.text_length import has_link


@dataclass(frozen=True, slots=True)
class Judged:
    """What policy asks of a text, and what the checks found. `statement_id` names the statement it quotes."""

    required: Required
    checks: tuple[Check, ...]
    hold: Hold | None
    statement_id: int | None
    cost: float | None

    @property
    def blocked(self) -> tuple[str, ...]:
        """Why it cannot go on, a sentence each; empty where it can."""
        return blocking(self.checks)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the composer shows. `cost` in dollars, None where the network takes nothing; `sends_at_once`: nobody has to
    sign, and this person may send."""

    required: Required
    checks: tuple[Check, ...]
    is_blocked: bool
    cost: float | None
    sends_at_once: bool
    way: Replyable
    # The case it is about, as it was then.
    case: Case
    # The names of the first who would be asked to sign.
    signers: tuple[str, ...] = ()


def preview(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    case: CaseKey,
    *,
    text: str,
    account_id: int | None,
    now: datetime,
    prices: Mapping[str, float] | None = None,
) -> Outlook:
    """What would become of this text of this person. Reads only. `prices` are the network's by unit; None = listed."""
    held = cases.visible(connection, organisation, who, case)
    at = {"brand_id": case.brand_id, "location_id": held.location_id, "team_id": held.team_id}
    who.require_for(DRAFT, organisation, **at)
    way = replyable(connection, organisation, case, now, account_id)
    judged = _judged(
        connection,
        organisation,
        held,
        # The strictest incident there was found with the way.
        way.hold,
        text=text,
        account_id=account_id or way.account_id,
        author_id=who.person_id,
        now=now,
        prices=prices,
    )
    asked = judged.required
    signers: tuple[str, ...] = ()
    if asked.signatures:
        signers = could_sign(
            connection,
            organisation,
            held,
            author_id=who.person_id,
            needs_manager=asked.needs_manager,
            now=now,
        )
    return Outlook(
        required=asked,
        checks=judged.checks,
        is_blocked=bool(judged.blocked),
        cost=judged.cost,
        sends_at_once=asked.signatures == 0 and who.may_for(SEND, organisation, **at),
        way=way,
        case=held,
        signers=signers,
    )


def judge(
    connection: Connection,
    organisation: Organisation,
    case: Case,
    *,
    text: str,
    account_id: int | None,
    author_id: int,
    now: datetime,
    prices: Mapping[str, float] | None = None,
) -> Judged:
    """Hold a text against policy, checks and open incidents as they are now."""
    hold = holds(connection, organisation, case.key.brand_id, case.location_id, case.network_id, now)
    return _judged(
        connection,
        organisation,
        case,
        hold,
        text=text,
        account_id=account_id,
        author_id=author_id,
        now=now,
        prices=prices,
    )


def _judged(
    connection: Connection,
    organisation: Organisation,
    case: Case,
    hold: Hold | None,
    *,
    text: str,
    account_id: int | None,
    author_id: int,
    now: datetime,
    prices: Mapping[str, float] | None,
) -> Judged:
    network = BY_ID[case.network_id].key
    voice = None
    if account_id is not None:
        voice = connection.execute(_VOICE, {"account": account_id}).scalar()
    statement = pinned(connection, hold)
    required = policy.required(
        policy.rules(connection, now), _facts(connection, organisation, case, text, account_id, author_id, hold)
    )
    listed = PRICES.get(network, {}) if prices is None else prices
    price, with_link = listed.get("create"), listed.get("create_with_link")
    context = Context(
        network=network,
        voice=Voice.of(voice),
        language=case.language,
        statement=statement,
        price=price,
        price_with_link=with_link,
    )
    return Judged(
        required=required,
        checks=check(text, context, required.checks),
        hold=hold,
        statement_id=_quoted(text, statement),
        cost=with_link if has_link(text) and with_link is not None else price,
    )


def required_now(
    connection: Connection,
    organisation: Organisation,
    case: Case,
    *,
    text: str,
    account_id: int | None,
    author_id: int,
    now: datetime,
) -> Required:
    """What policy asks of a text at this instant, without the checks."""
    hold = holds(connection, organisation, case.key.brand_id, case.location_id, case.network_id, now)
    facts = _facts(connection, organisation, case, text, account_id, author_id, hold)
    return policy.required(policy.rules(connection, now), facts)


def _facts(
    connection: Connection,
    organisation: Organisation,
    case: Case,
    text: str,
    account_id: int | None,
    author_id: int,
    hold: Hold | None,
) -> Facts:
    said = connection.execute(_SAID, {"brand": case.key.brand_id, "mention": case.last_mention_id}).scalar()
    trainee = connection.execute(_TRAINEE, {"person": author_id}).scalar()
    return Facts(
        brand_id=case.key.brand_id,
        location_ids=frozenset(
            item.id for item in organisation.locations if case.location_id in organisation.below(item.id)
        ),
        team_id=case.team_id,
        account_id=account_id,
        text=text,
        customer_text=said or "",
        reach=case.author_followers,
        incident=None if hold is None else hold.name,
        incident_manager=hold is not None and not hold.is_frozen,
        is_trainee=bool(trainee),
    )


# Asked for with every look at what is being written, and so built once.
_VOICE = select(account.c.voice).where(account.c.id == bindparam("account"))
_SAID = select(mention.c.text).where(mention.c.brand_id == bindparam("brand"), mention.c.id == bindparam("mention"))
_TRAINEE = select(person.c.is_trainee).where(person.c.id == bindparam("person"))


def _quoted(text: str, statement: Pinned | None) -> int | None:
    return statement.id if statement is not None and quoted(text, statement.text) else None
