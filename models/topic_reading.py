"""Topics of a scope: what is said far more and far less than the brand's own past makes one expect.

Three ways, by what is asked. A live window of up to a day over whole brands: this hour and the one before, from the
counts by hour, against the same hours of the past days. A longer one: its days, from the counts by day, against the
days before. Everything else (a location, a team, a network, a search, an instant in the past): the newest texts
themselves, against the days before where they are counted, else against the newest texts before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube import DAY, HOUR
from models.mentions import Params, marks
from models.organisation import Organisation
from models.topic_base import BASE_DAYS, one_of, scored
from models.topic_lines import Topic, Topics, instant, key_of, lines, seconds, texts_of
from models.topic_scores import LEAST_TEXTS, MOST_FALLING, MOST_RISING, Key, Said, Score, falling, rising, scores
from models.topic_texts import of_texts

# The same hours are the better comparison where they hold so many texts; else all hours of the past days.
ENOUGH_OF_HOURS = 600
SPARK_HOURS = 6
# Of a window up to this long the last hour alone is asked about.
SHORT = timedelta(days=1)
LAST = timedelta(hours=1)
# What is said less often than that cannot stand out among the texts of some days.
LEAST_A_DAY = 3
# Some days are compared with at least one day before for so many of them.
LEAST_PAST = 4


def topics(connection: Connection, scope: Scope, window: Window, organisation: Organisation) -> Topics:
    """What stands out in a scope and window; at most one statement a brand, and a bounded number of rows."""
    is_open = scope.location_ids is None and scope.team_ids is None and scope.network_ids is None and not scope.search
    span = window.end - window.start
    if is_open and window.live and span <= SHORT + timedelta(seconds=window.step_seconds):
        return _of_hours(connection, scope.brand_ids, window)
    if is_open and span > SHORT + timedelta(seconds=window.step_seconds):
        found = _of_days(connection, scope.brand_ids, window)
        if found is not None:
            return found
    if is_open:
        window = replace(window, start=max(window.start, window.end - LAST))
    return of_texts(connection, scope, window, organisation)


# -- a live window: hours --------------------------------------------------------------------------------------


def _of_hours(connection: Connection, brand_ids: Sequence[int], window: Window) -> Topics:
    hour = seconds(window.end) // HOUR * HOUR
    span = {"first": hour - HOUR, "past": hour + HOUR}

    def read(brand_ids: Sequence[int], terms: Collection[str]) -> dict[Key, Said]:
        return _said(connection, "term_hour", "hour", brand_ids, span, terms, often=1, least=LEAST_TEXTS)

    said = read(brand_ids, ())
    today = hour // DAY * DAY
    days_before = (today - BASE_DAYS * DAY, today)
    found, days, base_texts = scored(
        connection, said, days_before, look_up=lambda brand_id, terms: read((brand_id,), terms)
    )
    found = _by_same_hours(connection, said, found, hour)
    up, down = rising(found), falling(found)
    drawn = _lines_of_hours(connection, [*up, *down], hour)
    return Topics(
        rising=tuple(Topic(score, drawn.get(key_of(score), ())) for score in up),
        falling=tuple(Topic(score, drawn.get(key_of(score), ())) for score in down),
        since=instant(hour - HOUR),
        texts=texts_of(said),
        is_part=False,
        base_days=days,
        base_texts=base_texts,
        line="hours",
    )


def _by_same_hours(connection: Connection, said: Mapping[Key, Said], found: Sequence[Score], hour: int) -> list[Score]:
    """The scores of what stands out, against the same hours of the past days where enough was said in them."""
    outstanding = [*rising(found, most=4 * MOST_RISING), *falling(found, most=4 * MOST_FALLING)]
    by_brand: dict[int, list[Score]] = {}
    for score in outstanding:
        by_brand.setdefault(score.brand_id, []).append(score)
    kept: list[Score] = []
    for brand_id, of_brand in by_brand.items():
        hours = [hour - day * DAY + side * HOUR for day in range(1, BASE_DAYS + 1) for side in (-1, 0, 1)]
        params: Params = {"brand": brand_id}
        rows = connection.execute(
            text(
                "select language, term, sum(texts) from term_hour"  # noqa: S608
                f" where brand_id = :brand and hour in ({marks(params, hours)})"
                f" and language in ({marks(params, sorted({score.language for score in of_brand}))})"
                f" and term in ({marks(params, ['', *sorted({score.term for score in of_brand})])})"
                " group by language, term"
            ),
            params,
        )
        base = {(brand_id, row[0], row[1]): int(row[2]) for row in rows}
        enough = [s for s in of_brand if base.get((brand_id, s.language, ""), 0) >= ENOUGH_OF_HOURS]
        kept += [score for score in of_brand if score not in enough]
        kept += scores(said, base, [key_of(score) for score in enough])
    return sorted(kept, key=lambda score: (-abs(score.z), score.brand_id, score.term))


def _lines_of_hours(connection: Connection, shown: Sequence[Score], hour: int) -> dict[Key, tuple[float | None, ...]]:
    if not shown:
        return {}
    at = [hour - n * HOUR for n in reversed(range(SPARK_HOURS + 1))]
    params: Params = {}
    rows = connection.execute(
        text(
            "select brand_id, language, term, hour, texts from term_hour"  # noqa: S608
            f" where brand_id in ({marks(params, sorted({score.brand_id for score in shown}))})"
            f" and hour in ({marks(params, at)})"
            f" and language in ({marks(params, sorted({score.language for score in shown}))})"
            f" and term in ({marks(params, ['', *sorted({score.term for score in shown})])})"
        ),
        params,
    )
    return lines(rows, shown, at)


# -- a longer window: days -------------------------------------------------------------------------------------


def _of_days(connection: Connection, brand_ids: Sequence[int], window: Window) -> Topics | None:
    """None where no day of the window is counted: those are forgotten after some weeks."""
    first, past = seconds(window.start) // DAY * DAY, seconds(window.end)
    # Of many days those count on which a term was said often enough to be seen, in the window as in its past.
    often = 1 + (past - first) // (7 * DAY)
    long = (past - first) // DAY + 1
    span = {"first": first, "past": past}

    def read(brand_ids: Sequence[int], terms: Collection[str]) -> dict[Key, Said]:
        return _said(connection, "term_day", "day", brand_ids, span, terms, often=often, least=LEAST_A_DAY * long)

    said = read(brand_ids, ())
    if not said:
        return None
    days_before = (first - BASE_DAYS * DAY, first)
    found, days, base_texts = scored(
        connection,
        said,
        days_before,
        often=often,
        least_days=-(-long // LEAST_PAST),
        look_up=lambda brand_id, terms: read((brand_id,), terms),
    )
    up, down = rising(found), falling(found)
    drawn: dict[Key, tuple[float | None, ...]] = {}
    if up or down:
        shown = [*up, *down]
        params = {"first": first, "past": past}
        rows = connection.execute(
            text(
                "select brand_id, language, term, day, texts from term_day"  # noqa: S608
                f" where brand_id in ({marks(params, sorted({score.brand_id for score in shown}))})"
                " and day >= :first and day < :past"
                f" and term in ({marks(params, ['', *sorted({score.term for score in shown})])})"
            ),
            params,
        )
        drawn = lines(rows, shown, range(first, past, DAY))
    return Topics(
        rising=tuple(Topic(score, drawn[key_of(score)]) for score in up),
        falling=tuple(Topic(score, drawn[key_of(score)]) for score in down),
        since=instant(first),
        texts=texts_of(said),
        is_part=False,
        base_days=days,
        base_texts=base_texts,
        line="days",
    )


# -- reading -------------------------------------------------------------------------------------------------------


def _said(
    connection: Connection,
    table: str,
    column: str,
    brand_ids: Sequence[int],
    span: Mapping[str, int],
    terms: Collection[str],
    *,
    often: int,
    least: int,
) -> dict[Key, Said]:
    """The counts of a span by brand, language and term: of these terms, or of all that stand in `least` texts."""
    params: Params = {**span, "often": often, "least": least}
    some, enough = "(texts >= :often or term = '')", " having sum(texts) >= :least or term = ''"
    if terms:
        some, enough = f"texts >= :often and {one_of(connection, params, 'term', terms)}", ""
    rows = connection.execute(
        text(
            "select brand_id, language, term, sum(texts), sum(positive), sum(negative), sum(scored)"  # noqa: S608
            f" from {table} where brand_id in ({marks(params, brand_ids)}) and {column} >= :first and {column} < :past"
            f" and {some} group by brand_id, language, term{enough}"
        ),
        params,
    )
    return {(row[0], row[1], row[2]): Said(*map(int, row[3:])) for row in rows}
