"""What is usual: how often terms were said on past days, and the scores of a window against that."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection, text

from models.cube import DAY
from models.mentions import Params, marks
from models.topic_scores import LEAST_TEXTS, Key, Said, Score, scores, varies

# What topics are compared with reaches back so far.
BASE_DAYS = 28
# Candidates of a brand that are looked up in its past.
MOST_CANDIDATES = 100
# What should have been said less often than that cannot be missed.
LEAST_MISSED = 30


def scored(
    connection: Connection,
    said: dict[Key, Said],
    days: tuple[int, int],
    *,
    often: int = 0,
    least_days: int = 1,
    look_up: Callable[[int, Collection[str]], Mapping[Key, Said]] | None = None,
) -> tuple[list[Score], int, int]:
    """Scores against the counts of past days, how many days those are, and how many texts.

    Nothing is scored against fewer than `least_days`. Where `said` leaves out what was rarely said, `look_up` adds the
    terms of a brand that turn out to be missed.
    """
    of_window: dict[int, int] = {}
    candidates: dict[int, list[tuple[int, Key]]] = {}
    for key, value in said.items():
        if not key[2]:
            of_window[key[0]] = of_window.get(key[0], 0) + value.texts
        elif value.texts >= LEAST_TEXTS:
            candidates.setdefault(key[0], []).append((value.texts, key))
    base, counted = _base_texts(connection, said, days)
    if counted < least_days:
        return [], 0, 0
    base_texts = sum(base.values())
    keys: set[Key] = set()
    varied: dict[Key, float] = {}
    for brand_id, texts in of_window.items():
        of_base = sum(number for key, number in base.items() if key[0] == brand_id)
        if not of_base:
            continue
        wanted = [key for _, key in sorted(candidates.get(brand_id, ()), reverse=True)[:MOST_CANDIDATES]]
        # A term is missed where so many of the window's texts should hold it: its share of a past day's.
        missed = max(often, LEAST_MISSED * of_base // (counted * max(texts, 1)), 1)
        terms = {key[2] for key in wanted}
        total = LEAST_MISSED * of_base // max(texts, 1)
        found = _base_of(connection, brand_id, days, terms, often=often, missed=(missed, total))
        base |= {key: total for key, (total, _) in found.items()}
        varied |= {key: varies(total, squares, counted) for key, (total, squares) in found.items()}
        keys |= {*wanted, *found}
        rare = {key[2] for key in found if key not in said}
        if look_up is not None and rare:
            said |= look_up(brand_id, rare)
    return scores(said, base, keys, varied), counted, base_texts


def one_of(connection: Connection, params: Params, column: str, values: Collection[str]) -> str:
    """The condition that a column holds one of some texts, as one value of the statement however many there are."""
    if connection.dialect.name == "sqlite":
        params[f"any_{column}"] = json.dumps(sorted(values))
        return f"{column} in (select value from json_each(:any_{column}))"  # noqa: S608 - a column of ours
    params[f"any_{column}"] = sorted(values)
    return f"{column} = any(cast(:any_{column} as text[]))"


def _base_texts(connection: Connection, said: Mapping[Key, Said], days: tuple[int, int]) -> tuple[dict[Key, int], int]:
    """How many texts the past days hold by brand and language, and on how many of them there are any."""
    bases = [key for key in said if not key[2]]
    params: Params = {}
    rows = connection.execute(
        text(
            "select brand_id, language, day, texts from term_day"  # noqa: S608 - the values are bound
            f" where brand_id in ({marks(params, sorted({key[0] for key in bases}))})"
            f" and day in ({marks(params, range(*days, DAY))})"
            f" and language in ({marks(params, sorted({key[1] for key in bases}))}) and term = ''"
        ),
        params,
    ).all()
    base: dict[Key, int] = {}
    for brand_id, language, _, texts in rows:
        base[brand_id, language, ""] = base.get((brand_id, language, ""), 0) + texts
    return base, len({row[2] for row in rows})


def _base_of(
    connection: Connection,
    brand_id: int,
    days: tuple[int, int],
    terms: Collection[str],
    *,
    often: int,
    missed: tuple[int, int],
) -> dict[Key, tuple[int, int]]:
    """In how many texts of past days the terms stood, and what stood in so many (a day, in all) that it is missed now.

    Beside each number the sum of the squares of its days.
    """
    params: Params = {"brand": brand_id, "first": days[0], "past": days[1], "often": often}
    params |= {"missed": missed[0], "total": missed[1]}
    wanted = one_of(connection, params, "term", terms)
    rows = connection.execute(
        text(
            "select language, term, sum(texts), sum(texts * texts) from term_day"  # noqa: S608
            " where brand_id = :brand and day >= :first and day < :past and texts >= :often and term <> ''"
            f" and (texts >= :missed or {wanted}) group by language, term having sum(texts) >= :total or {wanted}"
        ),
        params,
    )
    return {(brand_id, row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}
