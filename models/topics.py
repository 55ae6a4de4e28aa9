"""What is talked about, counted: the terms of a brand's texts by hour and by day.

An hour is counted from its mentions when the rollup holds another number of them than were counted, so that late,
moved and removed mentions mend it by themselves. Copies count once an hour, an author thrice. While a day (UTC) lasts
its hours hold every term; when it is over it is counted once more as a whole, and keeps the most frequent terms that
more than one text held. Of an hour with more than MOST_TEXTS mentions the newest are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text

from models.bulk import insert_rows
from models.cube import DAY, HOUR
from models.database import Database, raise_change, time_id
from models.mentions import Params, marks
from models.organisation import Brand
from models.tables.base import EPOCH, to_microseconds
from models.terms import UNKNOWN_LANGUAGE, Barred, barred, terms_in, words_of
from models.topic_scores import Said

KEPT = timedelta(days=35)
# Days are few rows: so many are kept that a month has one before it to be compared with.
DAYS_KEPT = timedelta(days=63)
# Of one hour, the newest.
MOST_TEXTS = 2_000
MOST_OF_AUTHOR = 3
MOST_TERMS_OF_HOUR = 5_000
MOST_TERMS_OF_DAY = 300
# A term of fewer than this share of a day's texts (and of one text alone) is forgotten with the day.
LEAST_SHARE = 1 / 400
# A day that is over is counted anew for late mentions this often at most.
REST = timedelta(minutes=10)
# Hours that one look finds at most.
MOST_HOURS = 2_000

VALUES = ("texts", "positive", "negative", "scored")
Term = tuple[str, str]
"""Language and term; the term "" counts every text."""


class Text(NamedTuple):
    """What of a mention is counted. `copy_id` is equal for all copies of one text, None where nobody looked.

    `at` = when it was posted, microseconds since 1970; 0 where that does not matter.
    """

    text: str
    language: str | None
    sentiment: int | None
    copy_id: int | None
    author: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """Hours of one brand and day (seconds since 1970, UTC) that have to be counted, newest first."""

    brand_id: int
    day: int
    hours: tuple[int, ...]


Heard = tuple[Text, tuple[str, ...]]
"""A text that counts, and its words."""


def distinct(texts: Iterable[Text]) -> list[Heard]:
    """The texts that count: copies and repeated words once, no author more than MOST_OF_AUTHOR times."""
    copies: set[int] = set()
    contents: set[tuple[str, ...]] = set()
    authors: dict[str, int] = {}
    heard: list[Heard] = []
    for one in texts:
        so_often = authors.get(one.author, 0)
        if one.copy_id in copies or so_often >= MOST_OF_AUTHOR:
            continue
        words = words_of(one.text, one.language)
        if words in contents:
            # A repost says what it repeats, under another group of copies where that was not seen.
            continue
        if one.copy_id is not None:
            copies.add(one.copy_id)
        if words:
            contents.add(words)
        authors[one.author] = so_often + 1
        heard.append((one, words))
    return heard


def count(heard: Sequence[Heard], bars: Barred) -> dict[Term, Said]:
    """In how many texts each term stands."""
    held: dict[tuple[str, int | None], Counter[str]] = {}
    for one, words in heard:
        key = (one.language or UNKNOWN_LANGUAGE, one.sentiment)
        if key not in held:
            held[key] = Counter()
        held[key].update(terms_in(words, one.language, bars))
        held[key][""] += 1
    return _summed(held)


def _summed(held: Mapping[tuple[str, int | None], Counter[str]]) -> dict[Term, Said]:
    sums: dict[Term, list[int]] = {}
    for (language, sentiment), counter in held.items():
        place = {1: 1, -1: 2}.get(sentiment or 0, 0)
        for term, number in counter.items():
            values = sums.setdefault((language, term), [0, 0, 0, 0])
            values[0] += number
            if place:
                values[place] += number
            if sentiment is not None:
                values[3] += number
    return {key: Said(*values) for key, values in sums.items()}


def together(hours: Iterable[Mapping[Term, Said]]) -> dict[Term, Said]:
    """The sum of counts, term by term."""
    sums: dict[Term, list[int]] = {}
    for counts in hours:
        for key, said in counts.items():
            values = sums.setdefault(key, [0, 0, 0, 0])
            values[0] += said.texts
            values[1] += said.positive
            values[2] += said.negative
            values[3] += said.scored
    return {key: Said(*values) for key, values in sums.items()}


def kept_of_day(counts: Mapping[Term, Said]) -> dict[Term, Said]:
    """What is kept of a day: the number of its texts, and its most frequent terms that more than one text held."""
    bases = {key: said for key, said in counts.items() if not key[1]}
    least = max(2, round(LEAST_SHARE * sum(said.texts for said in bases.values())))
    terms = [(key, said) for key, said in counts.items() if key[1] and said.texts >= least]
    terms.sort(key=lambda item: (-item[1].texts, item[0]))
    return bases | dict(terms[:MOST_TERMS_OF_DAY])


# -- what has to be counted ------------------------------------------------------------------------------------


def take_turn(connection: Connection, now: datetime, *, every: timedelta) -> bool:
    """Whether it is the caller who counts now: one of all workers, once in `every`. In a transaction of its own."""
    values = {"now": to_microseconds(now), "before": to_microseconds(now - every)}
    taken = connection.execute(
        text(
            "update term_hour_counted set counted_at = :now, mentions = mentions + 1"
            " where brand_id = 0 and hour = 0 and (counted_at <= :before or counted_at > :now)"
        ),
        values,
    ).rowcount
    if not taken:
        taken = connection.execute(
            text(
                "insert into term_hour_counted (brand_id, hour, mentions, counted_at) values (0, 0, 1, :now)"
                " on conflict do nothing"
            ),
            {"now": values["now"]},
        ).rowcount
    return bool(taken)


def due(connection: Connection, brand_ids: Sequence[int], now: datetime) -> list[Day]:
    """Days with hours that are not counted, or not as they are now, newest first; of what is over, whole days."""
    today = _seconds(now) // DAY * DAY
    params: Params = {
        "granularity": HOUR,
        "since": _seconds(now - KEPT),
        "now": _seconds(now),
        "today": today,
        "rested": to_microseconds(now - REST),
        "limit": MOST_HOURS,
    }
    rows = connection.execute(
        text(
            "select c.brand_id, c.bucket from cube c left join term_hour_counted t"  # noqa: S608 - the values are bound
            " on t.brand_id = c.brand_id and t.hour = c.bucket"
            f" where c.brand_id in ({marks(params, brand_ids)}) and c.granularity = :granularity"
            " and c.location_id = 0 and c.team_id = 0 and c.network_id = 0 and c.bucket >= :since and c.bucket <= :now"
            " and (t.mentions is null or (t.mentions <> c.mentions and (c.bucket >= :today or t.counted_at < :rested))"
            # Counted before the day was over: its hours still hold every term.
            " or (c.bucket < :today and t.counted_at < (c.bucket - c.bucket % 86400 + 86400) * 1000000))"
            " order by c.bucket desc limit :limit"
        ),
        params,
    )
    days: dict[tuple[int, int], list[int]] = {}
    for brand_id, hour in rows:
        days.setdefault((hour // DAY * DAY, brand_id), []).append(hour)
    # Every brand's newest day comes before anybody's older one.
    ordered = sorted(days, key=lambda key: (-key[0], key[1]))
    return [Day(brand_id, day, tuple(days[day, brand_id])) for day, brand_id in ordered]


def _seconds(instant: datetime) -> int:
    since = instant - EPOCH
    return since.days * DAY + since.seconds


# -- counting it -----------------------------------------------------------------------------------------------


def count_day(database: Database, brand: Brand, day: Day, now: datetime) -> int:
    """Count the hours of a day anew, each in a short transaction of its own; the number of mentions that were read."""
    is_over = day.day + DAY <= _seconds(now)
    with database.read() as connection:
        mentions = _mentions(connection, brand.id, day.day)
        # The terms that a day keeps are known when all of it is counted.
        hours = [hour for hour in sorted(mentions, reverse=True) if is_over or hour in day.hours]
        texts = {hour: _texts(connection, brand.id, hour) for hour in hours}
    bars = barred(brand)
    counts = {hour: count(distinct(texts[hour]), bars) for hour in hours}
    kept = kept_of_day(together(counts.values())) if is_over else {}
    for hour in hours:
        of_hour = counts[hour]
        if is_over:
            of_hour = {key: said for key, said in of_hour.items() if key in kept}
        elif len(of_hour) > MOST_TERMS_OF_HOUR:
            of_hour = dict(sorted(of_hour.items(), key=lambda item: -item[1].texts)[:MOST_TERMS_OF_HOUR])
        with database.write() as connection:
            _write_hour(connection, brand.id, hour, of_hour, mentions=mentions[hour], now=now)
    with database.write() as connection:
        if is_over:
            _write_day(connection, brand.id, day.day, kept)
            _forget(connection, brand.id, now)
        elif any(hour + HOUR <= _seconds(now) for hour in hours):
            _write_day(connection, brand.id, day.day, _day_so_far(connection, brand.id, day.day))
        raise_change(connection, "topics", [brand.id])
    return sum(map(len, texts.values()))


def _mentions(connection: Connection, brand_id: int, day: int) -> dict[int, int]:
    """How many mentions the rollup holds of each hour of a day."""
    rows = connection.execute(
        text(
            "select bucket, mentions from cube where brand_id = :brand and granularity = :granularity"
            " and location_id = 0 and team_id = 0 and network_id = 0 and bucket >= :day and bucket < :next"
        ),
        {"brand": brand_id, "granularity": HOUR, "day": day, "next": day + DAY},
    )
    return {row[0]: row[1] for row in rows}


def _texts(connection: Connection, brand_id: int, hour: int) -> list[Text]:
    start = EPOCH + timedelta(seconds=hour)
    rows = connection.execute(
        text(
            "select text, language, sentiment, copy_id, author_key from mention"
            " where brand_id = :brand and id >= :first and id < :past and deleted_at is null"
            " order by id desc limit :most"
        ),
        {
            "brand": brand_id,
            "first": time_id(start, 0),
            "past": time_id(start + timedelta(seconds=HOUR), 0),
            "most": MOST_TEXTS,
        },
    )
    return [Text(*row) for row in rows]


def _write_hour(
    connection: Connection, brand_id: int, hour: int, counts: Mapping[Term, Said], *, mentions: int, now: datetime
) -> None:
    key = {"brand": brand_id, "hour": hour}
    connection.execute(text("delete from term_hour where brand_id = :brand and hour = :hour"), key)
    insert_rows(
        connection, "term_hour", ("brand_id", "hour", "language", "term", *VALUES), _rows(brand_id, hour, counts)
    )
    connection.execute(
        text(
            "insert into term_hour_counted (brand_id, hour, mentions, counted_at)"
            " values (:brand, :hour, :mentions, :now) on conflict (brand_id, hour)"
            " do update set mentions = excluded.mentions, counted_at = excluded.counted_at"
        ),
        key | {"mentions": mentions, "now": to_microseconds(now)},
    )


def _write_day(connection: Connection, brand_id: int, day: int, counts: Mapping[Term, Said]) -> None:
    connection.execute(
        text("delete from term_day where brand_id = :brand and day = :day"), {"brand": brand_id, "day": day}
    )
    insert_rows(connection, "term_day", ("brand_id", "day", "language", "term", *VALUES), _rows(brand_id, day, counts))


def _rows(brand_id: int, at: int, counts: Mapping[Term, Said]) -> list[tuple[int | str, ...]]:
    return [
        (brand_id, at, language, term, said.texts, said.positive, said.negative, said.scored)
        for (language, term), said in sorted(counts.items())
    ]


def _day_so_far(connection: Connection, brand_id: int, day: int) -> dict[Term, Said]:
    rows = connection.execute(
        text(
            "select language, term, sum(texts), sum(positive), sum(negative), sum(scored) from term_hour"
            " where brand_id = :brand and hour >= :day and hour < :next group by language, term having sum(texts) >= 2"
        ),
        {"brand": brand_id, "day": day, "next": day + DAY},
    )
    return kept_of_day({(row[0], row[1]): Said(*map(int, row[2:])) for row in rows})


def _forget(connection: Connection, brand_id: int, now: datetime) -> None:
    """Drop what is older than KEPT, and DAYS_KEPT."""
    before = {"brand": brand_id, "before": _seconds(now - KEPT) // DAY * DAY}
    days_before = {"brand": brand_id, "before": _seconds(now - DAYS_KEPT) // DAY * DAY}
    connection.execute(text("delete from term_hour where brand_id = :brand and hour < :before"), before)
    connection.execute(text("delete from term_hour_counted where brand_id = :brand and hour < :before"), before)
    connection.execute(text("delete from term_day where brand_id = :brand and day < :before"), days_before)
