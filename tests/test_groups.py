"""ingest/groups.py: how often a text came and from how many accounts; every copy stays a mention of its own."""

from __future__ import annotations

from datetime import timedelta

from ingest.pipeline import Pipeline
from ingest.store import store
from models.database import Database
from models.organisation import Organisation
from tests.builders import NOW, load, number, post, rows

MINUTE = timedelta(minutes=1)
CHAIN = "corvane gives a free scooter to everybody who shares this today"


def bring(database: Database, organisation: Organisation, pipeline: Pipeline, *texts: tuple[str, str, str]) -> None:
    """Posts as (id, author, text), a minute apart."""
    posts = [
        post(key, author=author, text=text, posted_at=NOW - (60 - int(key)) * MINUTE) for key, author, text in texts
    ]
    with database.write() as connection:
        store(connection, pipeline.enrich(posts), source_id=1, organisation=organisation, now=NOW)


def groups(database: Database) -> list[tuple[int, int]]:
    """(size, accounts) of each group."""
    found = rows(
        database,
        "select size, (select count(*) from copy_account a where a.brand_id = g.brand_id and a.copy_id = g.copy_id)"
        " as accounts from copy_group g order by size",
    )
    return [(row["size"], row["accounts"]) for row in found]


def test_a_group_has_its_size_and_its_accounts_and_every_copy_is_counted(database: Database) -> None:
    organisation = load(database)
    pipeline = Pipeline(organisation)
    bring(database, organisation, pipeline, ("1", "ada", CHAIN), ("2", "bob", "corvane was late again this morning"))
    assert groups(database) == []

    bring(database, organisation, pipeline, ("3", "bob", f"RT @ada: {CHAIN}"), ("4", "cy", f"{CHAIN}!! https://t.co/x"))
    bring(database, organisation, pipeline, ("5", "bob", CHAIN.upper()))

    assert groups(database) == [(4, 3)]
    assert number(database, "select count(*) from mention") == 5
    assert number(database, "select count(distinct copy_id) from mention") == 2


def test_a_page_that_is_read_again_counts_no_copy_twice(database: Database) -> None:
    organisation = load(database)
    page = (("1", "ada", CHAIN), ("2", "bob", CHAIN))
    for pipeline in (Pipeline(organisation), Pipeline(organisation)):
        bring(database, organisation, pipeline, *page)

    assert groups(database) == [(2, 2)]
