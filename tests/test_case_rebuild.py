"""Cases and rounds of imported conversations: as they were, and equal to plain counting."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import insert, select

from ingest import importing
from ingest.connectors import file as file_connector
from models import answer_times, organisation
from models.case_counts import PLAIN
from models.case_rebuild import rebuild_from_posts
from models.cases import replay, told_of
from models.database import Database
from models.errors import InputError
from models.organisation import Organisation
from models.organisation_entries import BrandEntry
from models.organisation_file import OrganisationFile, apply
from models.routing import Routing, Rule, When
from models.tables import account, answer_time
from tests.builders import CORVANE, NOW, RIVAL
from tests.case_desk import (
    DAY,
    HOUR,
    MINUTE,
    X,
    all_cases,
    arrive,
    entries,
    kinds,
    open_desk,
    ours,
    said,
)

EVERYTHING_OPENS = Rule(1, 10, "all", When(), True, 2)
JOINS = timedelta(hours=72)


def _rebuild(database: Database, there: Organisation, brand_id: int) -> object:
    with database.write() as connection:
        return rebuild_from_posts(connection, there, brand_id, Routing((EVERYTHING_OPENS,), there), now=NOW)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_old_conversations_become_cases_only_when_somebody_asks(database: Database) -> None:
    desk = open_desk(database)
    ago = NOW - 60 * DAY
    arrive(
        database,
        desk,
        said("1", posted_at=ago),
        said("3", posted_at=ago + HOUR, reply_to="2", conversation="1"),
        said("4", posted_at=ago + 20 * DAY),
        ours=[ours("2", "1", at=ago + 10 * MINUTE)],
    )
    assert all_cases(database) == []
    _rebuild(database, desk, CORVANE)
    (first,) = all_cases(database)
    assert (first.opened_at, first.first_answered_at) == (ago, ago + 10 * MINUTE)
    # Nobody answered the last of it: it is open still, and the later post joins it.
    assert kinds(database, first.key) == ["opened", "answered", "came_back", "joined"]
    assert first.waiting_since == ago + HOUR
    assert replay(entries(database, first.key)) == told_of(first)
    assert {entry.at for entry in entries(database, first.key)} == {NOW}
    before = all_cases(database)
    _rebuild(database, desk, CORVANE)
    assert all_cases(database) == before
    with pytest.raises(InputError, match="none of ours"):
        _rebuild(database, desk, RIVAL)


# -- a support export ------------------------------------------------------------------------------------------


@dataclass
class Conversation:
    """A case by plain counting: the customer's posts, and the first answer to one of them."""

    posts: list[str] = field(default_factory=list)
    began: datetime | None = None
    last: datetime | None = None
    root: str = ""
    answered: datetime | None = None
    waits_for_us: bool = True


def _export(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _at(row: dict[str, str]) -> datetime:
    return datetime.strptime(row["created_at"], "%a %b %d %H:%M:%S %z %Y")


def _plainly(lines: list[dict[str, str]]) -> dict[str, list[float]]:
    """Brand -> seconds from the first post of each conversation to the first answer, waiting ones left out."""
    handles = {row["author_id"].lower(): row["author_id"] for row in lines if row["inbound"] == "False"}
    parents = {row["tweet_id"]: row["in_response_to_tweet_id"].removesuffix(".0") for row in lines}

    def root_of(key: str) -> str:
        seen = {key}
        while (above := parents.get(key)) and above not in seen:
            seen.add(above)
            key = above
        return key

    open_ones: dict[tuple[str, str], Conversation] = {}
    of_post: dict[tuple[str, str], Conversation] = {}
    everything: dict[str, list[Conversation]] = defaultdict(list)
    for row in sorted(lines, key=lambda row: (_at(row), row["inbound"] == "False", row["tweet_id"])):
        at, key, root = _at(row), row["tweet_id"], root_of(row["tweet_id"])
        if row["inbound"] == "False":
            brand = row["author_id"]
            found = of_post.get((brand, parents[key]))
            if found is None and parents[key]:
                there = [one for (of, _), one in open_ones.items() if of == brand and one.root == root]
                found = there[0] if len(there) == 1 else None
            if found is not None:
                found.answered = found.answered or at
                found.waits_for_us = False
            continue
        for name in set(re.findall(r"@(\w+)", row["text"].lower())) & handles.keys():
            brand = handles[name]
            one = open_ones.get((brand, row["author_id"]))
            is_near = one is not None and one.last is not None and (one.root == root or at - one.last <= JOINS)
            if one is None or (not one.waits_for_us and not is_near):
                one = open_ones[(brand, row["author_id"])] = Conversation(began=at)
                everything[brand].append(one)
            one.last, one.root, one.waits_for_us = at, root, True
            of_post[(brand, key)] = one
    return {
        brand: [(c.answered - c.began).total_seconds() for c in found if c.answered and c.began]
        for brand, found in everything.items()
    }


@pytest.mark.data
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("first_rows", "least_brands", "least_answers"),
    [(200, 5, 30), pytest.param(5_000, 40, 500, marks=pytest.mark.long)],
)
def test_the_median_first_response_of_every_brand_equals_plain_counting(
    database: Database, data: Path, tmp_path: Path, first_rows: int, least_brands: int, least_answers: int
) -> None:
    # The last row of the file is cut off.
    lines = [row for row in _export(data / "twcs" / "twcs.csv")[:-1] if row["created_at"]][:first_rows]
    path = tmp_path / "support.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    there = _support_desks(database, sorted({row["author_id"] for row in lines if row["inbound"] == "False"}))
    columns = {
        "network": "=x", "external_id": "tweet_id", "author": "author_id", "reply_to": "in_response_to_tweet_id",
    }  # fmt: skip
    importing.bring_in(database, importing.begin(database, file_connector.config_from(path, columns)))

    plainly = _plainly(lines)
    compared = answers = 0
    for brand in there.brands:
        if brand.kind != "own":
            continue
        _rebuild(database, there, brand.id)
        mine = [case for case in all_cases(database) if case.key.brand_id == brand.id]
        found = sorted(
            (case.first_answered_at - case.opened_at).total_seconds() for case in mine if case.first_answered_at
        )
        expected = sorted(plainly.get(brand.name, []))
        assert found == expected, brand.name
        if not expected:
            continue
        with database.read() as connection:
            counted = connection.execute(
                select(answer_time.c["class"], answer_time.c.cases).where(
                    answer_time.c.brand_id == brand.id, answer_time.c.kind == f"first{PLAIN}"
                )
            ).all()
        in_classes = answer_times.from_classes([(row[0], row[1]) for row in counted])
        assert in_classes.n == len(expected)
        assert in_classes.median == pytest.approx(median(expected), rel=answer_times.MOST_ERROR)
        compared, answers = compared + 1, answers + len(expected)
    print(f"{compared} brands, {answers} first responses, {len(all_cases(database))} cases")
    assert compared >= least_brands
    assert answers >= least_answers


def _support_desks(database: Database, handles: list[str]) -> Organisation:
    """A brand for each support account of the export, found by its handle."""
    brands = tuple(
        BrandEntry(handle.lower().replace("_", "-"), handle, "own", handle[:2].upper(), (), (f"@{handle}",))
        for handle in handles
    )
    file = OrganisationFile(
        name="Support", zone="UTC", languages=("en",), simulated=False, brands=brands, locations=(), teams=()
    )
    with database.write() as connection:
        apply(connection, file, actor="a test", now=NOW - timedelta(days=5_000))
        there = organisation.current(connection, NOW)
        for number, handle in enumerate(handles, start=1):
            brand = there.brand_by_key(handle.lower().replace("_", "-"))
            connection.execute(
                insert(account).values(
                    id=number, network_id=X, handle=handle, name=handle, kind="support", brand_id=brand.id,
                    valid_from=NOW - timedelta(days=5_000),
                )
            )  # fmt: skip
        return organisation.current(connection, NOW)
