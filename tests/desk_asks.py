"""Asking of the desk as a page does: each ask a transaction of its own, on the small desk of tests/reply_desk.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from dashboard import scope
from dashboard.asks.ask import Asked
from models.case_steps import CaseKey
from tests.builders import AMSTERDAM_SITE, DUTCH_CARE
from tests.case_desk import all_cases, arrive, said
from tests.reply_desk import Desk

Ask = Callable[..., Mapping[str, Any]]
QUESTION = "@corvane_care where is my order? It is late."


def opened(desk: Desk, text: str = QUESTION, **given: Any) -> CaseKey:
    """A customer writes, and the routing opens a case."""
    desk.posts += 1
    author = f"author {desk.posts}"
    values = {"author": author, "posted_at": desk.now, "team_id": DUTCH_CARE, "location_id": AMSTERDAM_SITE} | given
    arrive(desk.database, desk.organisation, said(f"post {desk.posts}", text=text, **values), now=desk.now)
    (key,) = [case.key for case in all_cases(desk.database) if case.author_key == author]
    return key


def writes_again(desk: Desk, key: CaseKey, text: str = "@corvane_care is anybody there?") -> None:
    """A further post of the customer of a case."""
    (found,) = [case for case in all_cases(desk.database) if case.key == key]
    desk.posts += 1
    values = {"author": found.author_key, "posted_at": desk.now, "text": text, "location_id": AMSTERDAM_SITE}
    post = said(f"post {desk.posts}", **values, team_id=DUTCH_CARE)
    arrive(desk.database, desk.organisation, post, now=desk.now)


def ask(desk: Desk, name: str, what: Ask, **given: Any) -> dict[str, Any]:
    """The answer of a read or an act to `name`, as JSON."""
    who = desk.who[name]
    question = scope.question(scope.parse(""), who, desk.organisation, desk.now)
    asked = Asked(who, desk.organisation, desk.now, given, question=question)
    with desk.database.write() as connection:
        found = what(connection, asked)
    answer: dict[str, Any] = orjson.loads(orjson.dumps(found, option=orjson.OPT_STRICT_INTEGER))
    return answer
