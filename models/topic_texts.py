"""Topics of a part of what is said: from the newest texts themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube import DAY, HOUR
from models.mentions import Params, filtered, marks, search_phrases
from models.organisation import Brand, Organisation
from models.tables.base import from_microseconds
from models.terms import NOTHING_BARRED, UNKNOWN_LANGUAGE, Barred, barred, barring
from models.topic_base import BASE_DAYS, scored
from models.topic_lines import Topic, Topics, instant, key_of, lines, seconds, texts_of
from models.topic_scores import Key, Said, Score, falling, rising, scores
from models.topics import Heard, Text, count, distinct

MOST_TEXTS = 2_000
SPARK_STEPS = 12
# A team or a network has no index of its own: so many mentions of its brands are looked through for it.
MOST_WALKED = 15_000
# Terms are counted whose words stand in so many of the texts: half the work.
LEAST_OF_WORD = 3


@dataclass(frozen=True, slots=True)
class _Row:
    brand_id: int
    at: datetime
    text: Text


def of_texts(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Topics:
    begins = window.start if scope.location_ids is not None else _walked_from(connection, scope, window)
    rows, is_part = _rows(connection, scope, replace(window, start=begins))
    is_part = is_part or begins > window.start
    bars = _bars(organisation, scope)
    heard = _heard(rows)
    said = _counted(heard, bars)
    since = min((row.at for row in rows), default=window.start)
    day = seconds(since) // DAY * DAY
    found, days, base_texts = scored(connection, said, (day - BASE_DAYS * DAY, day))
    if rows and not base_texts:
        before = Window("before", since - timedelta(days=BASE_DAYS), since, window.step_seconds, live=False)
        earlier, _ = _rows(connection, Scope(scope.brand_ids, scope.brand_ids), before)
        base = {key: value.texts for key, value in _counted(_heard(earlier), bars).items()}
        base_texts = sum(texts for key, texts in base.items() if not key[2])
        found = scores(said, base, {*said, *base})
    up, down = rising(found), falling(found)
    steps = _steps(rows, heard, (since, window.end), [*up, *down])
    return Topics(
        rising=tuple(Topic(score, steps[key_of(score)]) for score in up),
        falling=tuple(Topic(score, steps[key_of(score)]) for score in down),
        since=since if is_part else window.start,
        texts=texts_of(said),
        is_part=is_part,
        base_days=days,
        base_texts=base_texts,
        line="steps",
    )


def _walked_from(connection: Connection, scope: Scope, window: Window) -> datetime:
    """Where to stop looking for the mentions of a team or network: behind MOST_WALKED mentions of its brands."""
    if scope.search or (scope.team_ids is None and scope.network_ids is None):
        return window.start
    params: Params = {"granularity": HOUR, "first": seconds(window.start), "past": seconds(window.end) + 1}
    rows = connection.execute(
        text(
            "select bucket, sum(mentions) from cube"  # noqa: S608 - the values are bound
            f" where brand_id in ({marks(params, scope.brand_ids)}) and granularity = :granularity and location_id = 0"
            " and team_id = 0 and network_id = 0 and bucket >= :first and bucket < :past"
            " group by bucket order by bucket desc"
        ),
        params,
    )
    walked = 0
    for bucket, mentions in rows:
        walked += mentions
        if walked >= MOST_WALKED:
            return max(instant(bucket), window.start)
    return window.start


def _rows(connection: Connection, scope: Scope, window: Window) -> tuple[list[_Row], bool]:
    params: Params = {}
    statement = filtered(
        connection,
        scope,
        scope.brand_ids,
        window,
        params,
        columns="m.brand_id, m.posted_at, m.text, m.language, m.sentiment, m.copy_id, m.author_key",
        limit=MOST_TEXTS + 1,
    )
    rows = connection.execute(text(statement), params).all()
    found = [_Row(row[0], from_microseconds(row[1]), Text(*row[2:])) for row in rows[:MOST_TEXTS]]
    return found, len(rows) > MOST_TEXTS


def _bars(organisation: Organisation, scope: Scope) -> dict[int, Barred]:
    """By brand, what every text says: the brand's own words, those searched for, and the names of the places."""
    every = list(search_phrases(scope.search)) if scope.search else []
    if scope.location_ids is not None:
        chosen = set(scope.location_ids)
        every += [name for item in organisation.locations if item.id in chosen for name in (item.name, *item.aliases)]
    searched = barring(every) if every else NOTHING_BARRED
    brands: dict[int, Brand] = {brand.id: brand for brand in organisation.brands}
    return {n: barred(brands[n]).joined(searched) for n in scope.brand_ids if n in brands}


def _heard(rows: Iterable[_Row]) -> dict[int, list[Heard]]:
    """The texts that count, by brand."""
    of_brand: dict[int, list[Text]] = {}
    for row in rows:
        of_brand.setdefault(row.brand_id, []).append(row.text)
    return {brand_id: distinct(texts) for brand_id, texts in of_brand.items()}


def _counted(heard: Mapping[int, Sequence[Heard]], bars: Mapping[int, Barred]) -> dict[Key, Said]:
    return {
        (brand_id, *key): said
        for brand_id, texts in heard.items()
        for key, said in count(texts, bars.get(brand_id, NOTHING_BARRED), least=LEAST_OF_WORD).items()
    }


def _steps(
    rows: Sequence[_Row], heard: Mapping[int, Sequence[Heard]], span: tuple[datetime, datetime], shown: Sequence[Score]
) -> dict[Key, tuple[float | None, ...]]:
    """The lines of what is shown over equal steps of the texts' span."""
    start, end = span
    length = max((end - start) / SPARK_STEPS, timedelta(seconds=1))
    step_of = {id(row.text): min(max((row.at - start) // length, 0), SPARK_STEPS - 1) for row in rows}
    counted: Counter[tuple[int, str, str, int]] = Counter()
    wanted: dict[tuple[int, str], list[str]] = {}
    for score in shown:
        wanted.setdefault((score.brand_id, score.language), []).append(score.term)
    for brand_id, texts in heard.items():
        for one, words in texts:
            language = one.language or UNKNOWN_LANGUAGE
            terms = wanted.get((brand_id, language))
            if terms:
                said, step = f" {' '.join(words)} ", step_of[id(one)]
                counted[brand_id, language, "", step] += 1
                for term in terms:
                    counted[brand_id, language, term, step] += f" {term} " in said
    return lines(((*key, texts) for key, texts in counted.items()), shown, range(SPARK_STEPS))
