"""What we answered to posts like this one, and whether it helped.

Compared are the newest answers of the brand in the same language: by the words that two posts share, rare ones counting
more. An answer worked when the customer thanked for it or said nothing more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Any

from sqlalchemy import Connection, select

from models.bulk import asked
from models.case_steps import Case
from models.conversations import by_root
from models.database import time_id
from models.tables import our_post

# So many of the newest answers of a brand are compared, none older than that.
MOST_COMPARED = 400
LOOKS_BACK = timedelta(days=90)
MOST_SHOWN = 3
# Below this two posts are about different things.
LEAST_LIKENESS = 0.15
_WORD = re.compile(r"[^\W\d_]{3,}")
_MENTION = re.compile(r"[@#]\S+|https?://\S+")


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """An answer of ours to a post like this one. `worked` None = it is not known yet; `likeness` 0..1."""

    text: str
    said_to: str
    at: datetime
    account_id: int
    person_id: int | None
    worked: bool | None
    likeness: float


@dataclass(frozen=True, slots=True)
class _Pair:
    said_to: str
    answer: Any
    words: frozenset[str]


def similar_answers(connection: Connection, case: Case, text: str, *, now: datetime) -> tuple[SimilarAnswer, ...]:
    """The three most alike, other words first; answers of this case are left out."""
    pairs = _pairs(connection, case, now)
    weights = _weights(pairs)
    wanted = words_of(text)
    scored = sorted(
        ((likeness(wanted, pair.words, weights), pair) for pair in pairs), key=lambda one: (-one[0], -one[1].answer.id)
    )
    chosen: dict[str, tuple[float, _Pair]] = {}
    for score, pair in scored:
        if score < LEAST_LIKENESS or len(chosen) == MOST_SHOWN:
            break
        # The same canned words are shown once.
        chosen.setdefault(_bare(pair.answer.text), (score, pair))
    outcomes = _outcomes(connection, case, [pair.answer for _, pair in chosen.values()])
    return tuple(
        SimilarAnswer(
            text=pair.answer.text,
            said_to=pair.said_to,
            at=pair.answer.posted_at,
            account_id=pair.answer.account_id,
            person_id=pair.answer.person_id,
            worked=_worked(outcomes.get(pair.answer.external_id), pair.answer.posted_at, now),
            likeness=score,
        )
        for score, pair in chosen.values()
    )


def words_of(text: str) -> frozenset[str]:
    """The words of a post, without handles, tags and links."""
    return frozenset(_WORD.findall(_MENTION.sub(" ", text).casefold()))


def likeness(one: frozenset[str], other: frozenset[str], weights: Mapping[str, float]) -> float:
    """Weight of the words that both hold among the words that either holds, 0..1."""
    either = sum(weights.get(word, 1.0) for word in one | other)
    return sum(weights.get(word, 1.0) for word in one & other) / either if either else 0.0


def _pairs(connection: Connection, case: Case, now: datetime) -> list[_Pair]:
    brand_id = case.key.brand_id
    answers = connection.execute(
        select(our_post)
        .where(
            our_post.c.brand_id == brand_id,
            our_post.c.id >= time_id(now - LOOKS_BACK, 0),
            our_post.c.reply_to.is_not(None),
            our_post.c.deleted_at.is_(None),
        )
        .order_by(our_post.c.id.desc())
        .limit(MOST_COMPARED)
    ).all()
    if not answers:
        return []
    relation, params = asked(connection, {(brand_id, row.network_id, row.reply_to) for row in answers})
    rows = connection.exec_driver_sql(
        f"select m.network_id, m.external_id, m.text, m.language, m.author_key from {relation} cross join mention m"  # noqa: S608
        " where m.brand_id = a.a0 and m.network_id = a.a1 and m.external_id = a.a2 and m.deleted_at is null",
        params,
    )
    questions = {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}
    found = []
    for answer in answers:
        said = questions.get((answer.network_id, answer.reply_to))
        if (
            said is None
            or said[1] != case.language
            or (answer.network_id, said[2]) == (case.network_id, case.author_key)
        ):
            continue
        found.append(_Pair(said[0], answer, words_of(said[0])))
    return found


def _weights(pairs: Sequence[_Pair]) -> dict[str, float]:
    """How much a word says: less, the more posts hold it."""
    held = Counter(word for pair in pairs for word in pair.words)
    return {word: log(1 + len(pairs) / number) for word, number in held.items()}


def _bare(text: str) -> str:
    return " ".join(_MENTION.sub(" ", text).casefold().split())


def _outcomes(connection: Connection, case: Case, answers: Iterable[Any]) -> dict[str, list[int | None]]:
    """Our answer -> the sentiments of what was said to it."""
    keys = {(row.network_id, row.external_id) for row in answers}
    if not keys:
        return {}
    # What answers an answer of ours stands in the thread of the post that it answered.
    relation, params = asked(connection, keys)
    rows = connection.exec_driver_sql(
        "select t.external_id, m.sentiment"  # noqa: S608
        f" from {relation} cross join thread_post t cross join thread_post n{by_root(connection)}"
        " cross join mention m"
        " where t.network_id = a.a0 and t.external_id = a.a1"
        " and n.network_id = t.network_id and n.root = t.root and n.parent = t.external_id and n.account_id is null"
        f" and m.brand_id = {int(case.key.brand_id)} and m.network_id = n.network_id and m.external_id = n.external_id",
        params,
    )
    found: dict[str, list[int | None]] = {}
    for external_id, sentiment in rows:
        found.setdefault(external_id, []).append(sentiment)
    return found


def _worked(said: Sequence[int | None] | None, at: datetime, now: datetime) -> bool | None:
    """Silence for a day, or nothing but kind words, is what helped looks like."""
    if not said:
        return True if now - at > timedelta(days=1) else None
    return all(sentiment is not None and sentiment >= 0 for sentiment in said)
