"""Hostile payloads through every parser and both databases: none crashes, each is stored or set aside, and the same."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.connectors import feed, file
from ingest.door import safe_text
from ingest.found import Author, Cursor, Found, SetAside
from ingest.ledger import put_aside
from ingest.pipeline import Pipeline, chunks
from ingest.store import store
from ingest.x_posts import read as read_x
from ingest.x_session import parsed
from models import cube
from models.access import Window
from models.database import Database
from models.errors import OrganisationError, RuleError, SearchError
from models.mentions import newest
from models.organisation import current
from models.organisation_file import Difference, apply, read
from models.rules import Subject, parse
from models.schema import upgrade
from models.tables.base import to_microseconds
from tests.builders import NOW, add_source, load, rows, scope
from tests.conftest import drop_postgres_database, new_postgres_database
from tests.hostile_payloads import ROW, Payloads, naughty_strings

URL = "http://127.0.0.1/feed.xml"
TOGETHER = 20
FEW, MANY = 200, 2_000
ORDERED = {
    "mention": "brand_id, id",
    "mention_version": "brand_id, mention_id, number",
    "set_aside": "digest",
    "author_day": "brand_id, day, network_id, author_key",
    "thread_post": "network_id, external_id",
    "cube": "brand_id, granularity, location_id, team_id, network_id, bucket",
    "copy_group": "brand_id, copy_id",
    "copy_account": "brand_id, copy_id, network_id, author_key",
    "brand": "id",
    "brand_rule": "brand_id, version",
    "location": "id",
    "team": "id",
    "account": "id",
    "setting": "key",
}
JSON = ("media", "matched", "aliases", "value")


@contextmanager
def seeded() -> Iterator[int]:
    """A fresh seed, which a failure names."""
    seed = random.SystemRandom().getrandbits(32)
    try:
        yield seed
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """A migrated database of each kind, at the same time."""
    url = new_postgres_database()
    databases = Database(f"sqlite:///{tmp_path / 'both.db'}"), Database(url)
    upgrade(databases[0])
    yield databases
    for database in databases:
        database.close()
    drop_postgres_database(url)


def everything(database: Database) -> dict[str, list[Any]]:
    """What is stored, table by table, in one order; without ids made at random and the index of one database alone."""
    found = {}
    for table, order in ORDERED.items():
        held = [plain(table, row, database) for row in rows(database, f"select * from {table}")]
        found[table] = sorted(held, key=lambda row: [str(row[name]) for name in order.split(", ")])
    return found


def plain(table: str, row: Any, database: Database) -> dict[str, Any]:
    values = {name: row[name] for name in row if (table, name) not in {("set_aside", "id"), ("mention", "words")}}
    if database.is_sqlite:
        # Plain SQL hands JSON over as text there, and read on PostgreSQL.
        values |= {name: json.loads(values[name]) for name in JSON if values.get(name) is not None}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}


# -- the parsers: each gives what it found and what it set aside, and every payload is in one of them ----------


def through_feed(payloads: Payloads, count: int) -> tuple[list[Found], list[SetAside]]:
    found: list[Found] = []
    aside: list[SetAside] = []
    for start in range(0, count, TOGETHER):
        numbers = range(start, min(start + TOGETHER, count))
        body = payloads.feed([payloads.feed_entry(number) for number in numbers])
        posts, records = feed.parse(body, {"content-type": "application/xml"}, url=URL, now=NOW)
        cut = [record for record in records if record.reason.startswith("stored")]
        assert len(posts) + len(records) - len(cut) == len(numbers)
        assert {post.external_id for post in posts} <= {f"{URL}#guid-{number}" for number in numbers}
        found += posts
        aside += records
    return found, aside


def through_broken_feed(payloads: Payloads, count: int) -> tuple[list[Found], list[SetAside]]:
    """Strings that nobody escaped, in the middle of a feed: what came before them comes in."""
    found: list[Found] = []
    aside: list[SetAside] = []
    for number in range(count):
        entries = [payloads.feed_entry(2 * number + 1_000_000), f"<item><title>{payloads.string()}</title></item>"]
        posts, records = feed.parse(payloads.feed(entries), {}, url=URL, now=NOW)
        assert posts or records
        found += posts
        aside += records
    return found, aside


def through_x(payloads: Payloads, count: int) -> tuple[list[Found], list[SetAside]]:
    found: list[Found] = []
    aside: list[SetAside] = []
    for start in range(0, count, TOGETHER):
        ids = [str(1_990_000_000_000_000_000 + number) for number in range(start, min(start + TOGETHER, count))]
        items = [payloads.x_post(identity) for identity in ids]
        answer = {"data": items, "includes": payloads.x_includes(), "errors": payloads.maybe([]), "meta": {}}
        read = read_x(parsed(json.dumps(answer).encode()), now=NOW)
        said = {post.external_id for post in read.found} | {post.external_id for post in read.gone}
        said |= {record.place.removeprefix("post ") for record in read.set_aside}
        histories = [item.get("edit_history_tweet_ids") for item in items]
        assert all(identity in said or histories[n] for n, identity in enumerate(ids))
        assert read.ids == set(ids)
        found += read.found
        aside += read.set_aside
        assert read_x(parsed(json.dumps({"data": payloads.value(), "errors": payloads.value()}).encode()), now=NOW)
    return found, aside


def through_file(payloads: Payloads, count: int, folder: Path, name: str) -> tuple[list[Found], list[SetAside]]:
    rows = [payloads.row(f"{name}-{number}") for number in range(count)]
    folder.mkdir(exist_ok=True)
    path = folder / name
    if name.endswith(".csv"):
        path.write_bytes(payloads.csv(rows))
    else:
        good = json.dumps(payloads.row("good") | {"text": "corvane", "posted_at": "2026-11-19T14:00:00Z"})
        path.write_text("\n".join([good, *map(json.dumps, rows)]), "utf-8")
    columns = {**{column: column for column in ROW if column != "id"}, "external_id": "id", "network": "x"}
    config = file.Config(path=path, columns=columns, zone="UTC", page_rows=300)
    found: list[Found] = []
    aside: list[SetAside] = []
    cursor: Cursor | None = None
    while True:
        page = file.fetch(config, cursor, now=NOW)
        assert json.loads(json.dumps(page.cursor)) == page.cursor
        found += page.found
        aside += page.set_aside
        cursor = page.cursor
        if page.done:
            break
    said = {post.external_id for post in found}
    raw = b"".join(record.raw for record in aside)
    for row in rows:
        assert row["id"] in said or re.search(rf"{row['id']}\b".encode(), raw), row
    return found, aside


def through_rules(payloads: Payloads, count: int) -> int:
    """Rules that parse are asked about a text; the others point at the place that is wrong."""
    understood = 0
    for _ in range(count):
        written = " ".join(payloads.string()[:400] for _ in range(payloads.dice.randint(1, 3)))
        fault: RuleError | None = None
        try:
            rule = parse(written)
        except RuleError as error:
            fault = error
        else:
            understood += 1
            subject = Subject(text=payloads.string(), author=payloads.string(), language=None, network="x")
            found = rule.matches(subject)
            assert found is None or all(found)
        assert fault is None or (0 <= fault.position <= len(written) and fault.pointed())
    return understood


def through_organisation(payloads: Payloads, count: int, folder: Path, databases: Sequence[Database]) -> int:
    """Files of an organisation, applied to both databases alike or refused with their faults; how many were applied."""
    applied = 0
    folder.mkdir(exist_ok=True)
    for number in range(count):
        path = folder / "organisation.toml"
        path.write_bytes(payloads.organisation(number).encode("utf-8", "surrogatepass"))
        outcomes = [applied_to(database, path) for database in databases]
        assert outcomes[0] == outcomes[1] != ()
        applied += isinstance(outcomes[0][0], Difference)
    return applied


def applied_to(database: Database, path: Path) -> tuple[Difference, ...] | tuple[str, ...]:
    try:
        with database.write() as connection:
            return apply(connection, read(path), actor="a test", now=NOW)
    except OrganisationError as error:
        return error.faults


# -- the tests -----------------------------------------------------------------------------------------------


def stored_in_both(
    databases: Sequence[Database], found: Sequence[Found], aside: Sequence[SetAside]
) -> dict[str, list[Any]]:
    """Keep all of it in both, by the same steps, and compare; what came of it."""
    organisations = [load(database) for database in databases]
    assert organisations[0] == organisations[1]
    pipeline = Pipeline(organisations[0])
    ours, others = pipeline.ours(found)
    mentions = pipeline.enrich(others)
    for database in databases:
        add_source(database)
        for part in chunks(mentions, 200):
            with database.write() as connection:
                store(connection, part, source_id=1, organisation=organisations[0], now=NOW)
        with database.write() as connection:
            store(connection, [], source_id=1, organisation=organisations[0], now=NOW, ours=ours)
            put_aside(connection, aside, source_id=1, now=NOW)
        with database.read() as connection:
            assert cube.check(connection, organisations[0], NOW) == []
    one, other = (everything(database) for database in databases)
    for table, held in one.items():
        assert held == other[table], table
    return one


def is_whole(row: Any) -> bool:
    return bool(row["text"].strip()) and to_microseconds(datetime(2000, 1, 1, tzinfo=UTC)) <= row["posted_at"]


def run(databases: Sequence[Database], tmp_path: Path, count: int) -> dict[str, int]:
    with seeded() as seed:
        payloads = Payloads(seed)
        found: list[Found] = []
        aside: list[SetAside] = []
        counted = {}
        for name, (posts, records) in {
            "feed": through_feed(payloads, count),
            "broken feed": through_broken_feed(payloads, count // 10),
            "x": through_x(payloads, count),
            "csv": through_file(payloads, count, tmp_path / "files", "rows.csv"),
            "jsonl": through_file(payloads, count, tmp_path / "files", "rows.jsonl"),
        }.items():
            counted[name] = len(posts)
            found += posts
            aside += records
        held = stored_in_both(databases, found, aside)
        posts_stored = {(row["network_id"], row["external_id"]) for row in held["mention"]}
        assert len(posts_stored) == len({(post.network, post.external_id) for post in found})
        assert all(map(is_whole, held["mention"]))
        counted["set aside"] = len(held["set_aside"])
        counted["rules"] = through_rules(payloads, count)
        return counted


def test_hostile_payloads_are_stored_or_set_aside_on_both_databases_alike(
    both: tuple[Database, Database], tmp_path: Path
) -> None:
    counted = run(both, tmp_path, FEW)

    assert min(counted.values()) >= FEW // 20


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_two_thousand_hostile_payloads_are_stored_or_set_aside_on_both_databases_alike(
    both: tuple[Database, Database], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = run(both, tmp_path, MANY)

    with capsys.disabled():
        print(f"\nof {MANY:,} payloads through each parser: {counted}")
    assert min(counted.values()) >= MANY // 20


def test_hostile_organisations_are_applied_or_refused_on_both_databases_alike(
    both: tuple[Database, Database], tmp_path: Path
) -> None:
    with seeded() as seed:
        applied = through_organisation(Payloads(seed), 100, tmp_path / "organisation", both)
        one, other = (everything(database) for database in both)
        assert one == other
    assert applied >= 5


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_two_thousand_hostile_organisations_are_applied_or_refused_on_both_databases_alike(
    both: tuple[Database, Database], tmp_path: Path
) -> None:
    with seeded() as seed:
        applied = through_organisation(Payloads(seed), MANY, tmp_path / "organisation", both)
        one, other = (everything(database) for database in both)
        assert one == other
    assert applied >= MANY // 12


def test_naughty_strings_are_stored_and_can_be_searched_for(
    both: tuple[Database, Database],
) -> None:
    strings = naughty_strings()
    author = {"network": "x", "posted_at": NOW - timedelta(minutes=1)}
    posts = [json_post(str(n), text, author) for n, text in enumerate(strings) if text.strip()]
    stored_in_both(both, posts, [])
    window = Window("day", NOW - timedelta(days=1), NOW + timedelta(days=1), 3600, live=False)

    for database in both:
        with database.read() as connection:
            organisation = current(connection, NOW)
            everywhere = [brand.id for brand in organisation.brands]
            refused = 0
            for text in strings[::5]:
                try:
                    newest(connection, scope(everywhere, search=text), window)
                except SearchError:
                    # Many of these are no words of the rule language, and are refused in words.
                    refused += 1
            assert 0 < refused < len(strings[::5])
    assert len(posts) > 400


def json_post(external_id: str, text: str, given: dict[str, Any]) -> Found:
    return Found(external_id=external_id, text=safe_text(text), author=Author("ada"), **given)
