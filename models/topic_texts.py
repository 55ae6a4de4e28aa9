"""Topics of a part of what is said: from the newest texts themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube import DAY, HOUR
from models.mentions import Params, filtered, marks, search_phrases
from models.organisation import Brand, Organisation
from models.tables.base import from_microseconds, to_microseconds
from models.terms import NOTHING_BARRED, UNKNOWN_LANGUAGE, Barred, barred, barring
from models.topic_base import BASE_DAYS, scored
from models.topic_lines import Topic, Topics, instant, key_of, lines, seconds, texts_of
from models.topic_runs import Runs
from models.topic_scores import LEAST_BASE, LEAST_TEXTS, Key, Said, Score, falling, rising, scores
from models.topics import Heard, Text, distinct

MOST_TEXTS = 2_000
SPARK_STEPS = 12
# A team or a network has no index of its own: so many mentions of its brands are looked through for it.
MOST_WALKED = 15_000

Spoken = tuple[int, str]
"""Brand and language."""


def of_texts(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Topics:
    begins = window.start if scope.location_ids is not None else _walked_from(connection, scope, window)
    texts, is_part = _texts(connection, scope, replace(window, start=begins))
    is_part = is_part or begins > window.start
    bars = _bars(organisation, scope)
    heard = _heard(texts)
    runs = _runs(heard, bars)
    said = _said(runs)
    since = min((from_microseconds(one.at) for of_brand in texts.values() for one in of_brand), default=window.start)
    day = seconds(since) // DAY * DAY

    def missed(brand_id: int, terms: Collection[str]) -> dict[Key, Said]:
        return {
            (brand_id, language, term): Said(of_language.of(term))
            for (brand, language), of_language in runs.items()
            if brand == brand_id
            for term in terms
        }

    found, days, base_texts = scored(connection, said, (day - BASE_DAYS * DAY, day), look_up=missed)
    if texts and not base_texts:
        before = Window("before", since - timedelta(days=BASE_DAYS), since, window.step_seconds, live=False)
        earlier, _ = _texts(connection, Scope(scope.brand_ids, scope.brand_ids), before)
        found, base_texts = _against(runs, _runs(_heard(earlier), bars))
    found = [score for score in found if runs[score.brand_id, score.language].is_term(score.term)]
    up, down = rising(found), falling(found)
    steps = _steps(heard, (since, window.end), [*up, *down])
    moods = _moods(heard, [*up, *down])
    return Topics(
        rising=tuple(Topic(replace(score, said=moods[key_of(score)]), steps[key_of(score)]) for score in up),
        falling=tuple(Topic(replace(score, said=moods[key_of(score)]), steps[key_of(score)]) for score in down),
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


def _texts(connection: Connection, scope: Scope, window: Window) -> tuple[dict[int, list[Text]], bool]:
    """The newest MOST_TEXTS by brand, and whether there are more."""
    params: Params = {}
    statement = filtered(
        connection,
        scope,
        scope.brand_ids,
        window,
        params,
        columns="m.brand_id, m.text, m.language, m.sentiment, m.copy_id, m.author_key, m.posted_at",
        limit=MOST_TEXTS + 1,
    )
    rows = connection.execute(text(statement), params).all()
    found: dict[int, list[Text]] = {}
    for row in rows[:MOST_TEXTS]:
        found.setdefault(row[0], []).append(Text._make(row[1:]))
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


def _heard(texts: Mapping[int, Sequence[Text]]) -> dict[Spoken, list[Heard]]:
    """The texts that count, by brand and language."""
    heard: dict[Spoken, list[Heard]] = {}
    for brand_id, of_brand in texts.items():
        for one in distinct(of_brand):
            heard.setdefault((brand_id, one[0].language or UNKNOWN_LANGUAGE), []).append(one)
    return heard


def _runs(heard: Mapping[Spoken, Sequence[Heard]], bars: Mapping[int, Barred]) -> dict[Spoken, Runs]:
    return {
        (brand_id, language): Runs([words for _, words in texts], language, bars.get(brand_id, NOTHING_BARRED))
        for (brand_id, language), texts in heard.items()
    }


def _said(runs: Mapping[Spoken, Runs]) -> dict[Key, Said]:
    """What is said often enough to rise; without moods, which are asked for where a term is shown."""
    said: dict[Key, Said] = {}
    for (brand_id, language), of_language in runs.items():
        said[brand_id, language, ""] = Said(of_language.texts)
        said |= {(brand_id, language, term): Said(n) for term, n in of_language.often(LEAST_TEXTS).items()}
    return said


def _against(runs: Mapping[Spoken, Runs], before: Mapping[Spoken, Runs]) -> tuple[list[Score], int]:
    """The scores against earlier texts, and how many of those there are."""
    said: dict[Key, Said] = {}
    base: dict[Key, int] = {}
    for (brand_id, language), now in runs.items():
        past = before.get((brand_id, language))
        if past is None or past.texts < LEAST_BASE:
            continue
        # What neither rises nor is missed is not looked at: said by few, and of few is it to be expected.
        missed = -(-LEAST_TEXTS * past.texts // now.texts)
        for term in {"", *now.often(LEAST_TEXTS), *past.often(missed)}:
            key = (brand_id, language, term)
            said[key] = Said(now.of(term) if term else now.texts)
            base[key] = past.of(term) if term else past.texts
    return scores(said, base, said), sum(past.texts for past in before.values())


def _moods(heard: Mapping[Spoken, Sequence[Heard]], shown: Sequence[Score]) -> dict[Key, Said]:
    """How what is shown was said."""
    found: dict[Key, Said] = {}
    for score in shown:
        term = f" {score.term} "
        held = [one.sentiment for one, words in heard[score.brand_id, score.language] if term in f" {' '.join(words)} "]
        by_mood = Counter(held)
        found[key_of(score)] = Said(score.said.texts, by_mood[1], by_mood[-1], len(held) - by_mood[None])
    return found


def _steps(
    heard: Mapping[Spoken, Sequence[Heard]], span: tuple[datetime, datetime], shown: Sequence[Score]
) -> dict[Key, tuple[float | None, ...]]:
    """The lines of what is shown over equal steps of the texts' span."""
    start, end = map(to_microseconds, span)
    length = max((end - start) // SPARK_STEPS, 1_000_000)
    counted: Counter[tuple[int, str, str, int]] = Counter()
    wanted: dict[Spoken, list[str]] = {}
    for score in shown:
        wanted.setdefault((score.brand_id, score.language), []).append(score.term)
    for (brand_id, language), terms in wanted.items():
        for one, words in heard[brand_id, language]:
            said, step = f" {' '.join(words)} ", min(max((one.at - start) // length, 0), SPARK_STEPS - 1)
            counted[brand_id, language, "", step] += 1
            for term in terms:
                counted[brand_id, language, term, step] += f" {term} " in said
    return lines(((*key, texts) for key, texts in counted.items()), shown, range(SPARK_STEPS))
