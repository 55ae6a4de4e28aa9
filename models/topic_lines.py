"""What a reading of topics answers, and the lines beside its terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.cube import DAY
from models.tables.base import EPOCH
from models.topic_scores import Key, Said, Score


@dataclass(frozen=True, slots=True)
class Topic:
    """A term that stands out, with the share of texts that held it in each step of the line (None = no texts)."""

    score: Score
    line: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Topics:
    """What stands out in a scope, and what that rests on.

    `since` = where the texts begin that were looked at, `texts` how many they are (copies once), `is_part` True where
    only the newest of them were. `base_days` = days of the past they were compared with, 0 where the texts before them
    stood in, `base_texts` of how many texts. `line` is what the lines show: hours, days or steps.
    """

    rising: tuple[Topic, ...]
    falling: tuple[Topic, ...]
    since: datetime
    texts: int
    is_part: bool
    base_days: int
    base_texts: int
    line: str


def lines(rows: Iterable[Any], shown: Sequence[Score], at: Sequence[int]) -> dict[Key, tuple[float | None, ...]]:
    """For each score the share of texts at every step of `at`, from (brand, language, term, step, texts)."""
    held = {(row[0], row[1], row[2], row[3]): row[4] for row in rows}
    found = {}
    for score in shown:
        line: list[float | None] = []
        for step in at:
            of = held.get((score.brand_id, score.language, "", step), 0)
            line.append(held.get((*key_of(score), step), 0) / of if of else None)
        found[key_of(score)] = tuple(line)
    return found


def texts_of(said: Mapping[Key, Said]) -> int:
    return sum(value.texts for key, value in said.items() if not key[2])


def key_of(score: Score) -> Key:
    return score.brand_id, score.language, score.term


def seconds(at: datetime) -> int:
    """An instant in whole seconds since 1970."""
    since = at - EPOCH
    return since.days * DAY + since.seconds


def instant(number: int) -> datetime:
    """The instant that is so many seconds after 1970."""
    return EPOCH + timedelta(seconds=number)
