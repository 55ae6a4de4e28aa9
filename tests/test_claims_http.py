"""Many agents click the same cases at once, over HTTP: one wins each, and nobody writes by a claim that is over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from dashboard.web import SCREEN
from models import claims, identity
from models.case_steps import CaseKey
from models.database import Database
from models.tables import audit, case_event, desk_case, reply
from tests.case_desk import all_cases, arrive, hire, open_desk, said
from tests.serving import Served, served

CONNECTIONS = 64
TAKERS = 5


@dataclass(frozen=True)
class Agent:
    """Somebody signed in; `headers` are those of their browser."""

    person_id: int
    name: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Click:
    """One act of one agent."""

    agent: Agent
    act: str
    key: CaseKey
    given: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    click: Click
    status: int
    told: dict[str, Any]


def agents(web: Served, count: int) -> list[Agent]:
    """Agents with a session each."""
    found, now = [], datetime.now(UTC)
    for number in range(count):
        who = hire(web.database, f"Agent{number}")
        with web.database.write() as connection:
            token = identity.make_link(connection, who.email, now)
            signed = identity.use_link(connection, token, "127.0.0.1", now)
        assert signed is not None
        headers = {"Cookie": f"watchfloor={signed.session_id}", "X-CSRFToken": signed.csrf_token, "Origin": web.address}
        found.append(Agent(who.person_id, who.name, headers))
    return found


def clicked(web: Served, clicks: Sequence[Click]) -> list[Answer]:
    """Every click at once, as many as there are connections on the way at any moment."""

    async def everybody() -> list[Answer]:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with httpx.AsyncClient(base_url=web.address, limits=limits, timeout=None) as client:

            async def one(click: Click) -> Answer:
                given = {"case": str(click.key), **click.given}
                answer = await client.post(f"/act/{click.act}", json=given, headers=click.agent.headers)
                return Answer(click, answer.status_code, answer.json())

            return list(await asyncio.gather(*(one(click) for click in clicks)))

    return asyncio.run(everybody())


def winners(answers: Iterable[Answer]) -> dict[CaseKey, Answer]:
    """Who was told that a case is theirs; everybody else must have been told who has it."""
    won: dict[CaseKey, Answer] = {}
    lost = []
    for answer in answers:
        if answer.status == 200:
            assert answer.click.key not in won, "two agents were told that they have the same case"
            won[answer.click.key] = answer
        else:
            assert (answer.status, answer.told.get("kind")) == (409, "taken"), answer
            lost.append(answer)
    for answer in lost:
        assert answer.told["by"] == won[answer.click.key].click.agent.person_id, answer
    return won


def held(database: Database) -> dict[CaseKey, tuple[int | None, str | None]]:
    """Who holds each case, and by which token, as the rows say."""
    with database.read() as connection:
        rows = connection.execute(
            select(desk_case.c.brand_id, desk_case.c.id, desk_case.c.claimed_by, desk_case.c.claim_token)
        )
        return {CaseKey(row.brand_id, row.id): (row.claimed_by, row.claim_token) for row in rows}


def as_told(won: dict[CaseKey, Answer]) -> dict[CaseKey, tuple[int | None, str | None]]:
    """The same as the winners were told."""
    return {key: (answer.click.agent.person_id, answer.told["token"]) for key, answer in won.items()}


def happened(database: Database, kind: str) -> Counter[CaseKey]:
    """How often an event of a kind stands in each case."""
    with database.read() as connection:
        rows = connection.execute(
            select(case_event.c.brand_id, case_event.c.case_id, func.count())
            .where(case_event.c.kind == kind)
            .group_by(case_event.c.brand_id, case_event.c.case_id)
        )
        return Counter({CaseKey(row[0], row[1]): row[2] for row in rows})


def audited(database: Database, action: str) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(audit).where(audit.c.action == action)).scalar_one()


def _claimed_by_everybody_at_once(database: Database, home: Path, *, cases: int, people: int) -> None:
    now, there = datetime.now(UTC), open_desk(database)
    posts = [
        said(f"post {n}", author=f"customer {n}", posted_at=now - timedelta(minutes=1, seconds=n)) for n in range(cases)
    ]
    arrive(database, there, *posts, now=now)
    keys = [case.key for case in all_cases(database)]
    assert len(keys) == cases
    with served(database, home, SCREEN) as web:
        crew = agents(web, people)

        # Those who click the same case stand beside each other, and everybody is first somewhere.
        clicks = [
            Click(crew[(place + n) % people], "case.claim", key, {})
            for n, key in enumerate(keys)
            for place in range(people)
        ]
        won = winners(clicked(web, clicks))
        assert set(won) == set(keys)
        assert held(database) == as_told(won)
        assert happened(database, "claimed") == Counter(keys)
        assert audited(database, "case.claimed") == cases

        # Every winner writes a draft; then the three minutes of all of them are over.
        text = {"text": "We are looking into it.", "account": 1}
        saved = clicked(
            web,
            [
                Click(a.click.agent, "reply.save", key, {**text, "token": a.told["token"], "event": 2})
                for key, a in won.items()
            ],
        )
        assert {(answer.status, answer.told.get("claim")) for answer in saved} == {(200, True)}
        over = datetime.now(UTC) - timedelta(seconds=1)
        with database.write() as connection:
            connection.execute(update(desk_case).values(claim_expires_at=over, claimed_at=over - claims.LEASE))

        # While others claim the cases, who held them goes on as if nothing had happened.
        clicks = []
        for n, key in enumerate(keys):
            before = won[key]
            stale = {"token": before.told["token"], "event": 3}
            clicks += [
                Click(before.click.agent, "reply.submit", key, {**text, **stale, "text": "It is on its way."}),
                Click(before.click.agent, "case.renew", key, stale),
                Click(before.click.agent, "case.release", key, stale),
            ]
            others = [agent for agent in crew if agent != before.click.agent]
            clicks += [Click(others[(place + n) % len(others)], "case.claim", key, {}) for place in range(TAKERS)]
        answers = clicked(web, clicks)
        stale_writes = [answer for answer in answers if answer.click.act != "case.claim"]
        again = winners(answer for answer in answers if answer.click.act == "case.claim")

        assert [answer for answer in stale_writes if (answer.status, answer.told.get("kind")) != (409, "lapsed")] == []
        assert len(stale_writes) == 3 * cases
        assert set(again) == set(keys)
        assert held(database) == as_told(again)
        assert happened(database, "claimed") == Counter(keys * 2)
        assert not happened(database, "released")
        with database.read() as connection:
            texts = connection.execute(select(reply.c.state, reply.c.text)).all()
        assert set(map(tuple, texts)) == {("drafted", text["text"])}
        assert len(texts) == cases
    told = f"{people * cases:,} claims of {cases} cases, {len(stale_writes)} stale writes refused"
    print(f"{database.dialect}: {told}")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_sixty_claims_of_six_cases_each_case_has_one_winner_and_no_stale_write(
    database: Database, tmp_path: Path
) -> None:
    _claimed_by_everybody_at_once(database, tmp_path, cases=6, people=10)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_of_a_thousand_claims_of_forty_cases_each_case_has_one_winner_and_no_stale_write(
    database: Database, tmp_path: Path
) -> None:
    _claimed_by_everybody_at_once(database, tmp_path, cases=40, people=25)
