"""Threads of real customer support, imported from a file in any order of its rows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ingest import importing
from ingest.connectors import file as file_connector
from models.conversations import thread
from models.database import Database
from models.networks import network_by_key
from tests.builders import CORVANE, load, rows, scope

REPLY = "in_response_to_tweet_id"
COLUMNS = {"network": "=x", "external_id": "tweet_id", "author": "author_id", "brand": "=corvane", "reply_to": REPLY}


def roots_by_hand(path: Path) -> dict[str, str]:
    """External id -> the oldest post of the file above it, walked up row by row."""
    with path.open(encoding="utf-8", newline="") as file:
        parents = {
            row["tweet_id"]: (row["in_response_to_tweet_id"] or "").removesuffix(".0")
            for row in csv.DictReader(file)
            if row["tweet_id"] and row["text"]
        }
    roots = {}
    for key in parents:
        at, seen = key, {key}
        while (above := parents.get(at)) and above not in seen:
            seen.add(above)
            at = above
        roots[key] = at
    return roots


@pytest.mark.prove
@pytest.mark.data
def test_threads_of_a_support_export_are_those_of_the_file(database: Database, data: Path, tmp_path: Path) -> None:
    """As they stand on one database, the last row first on the other."""
    turned = not database.is_sqlite
    lines = (data / "twcs" / "twcs.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    whole = list(csv.reader(lines))
    path = tmp_path / "support.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(whole[0])
        # The last row of the file is cut off.
        writer.writerows(reversed(whole[1:-1]) if turned else whole[1:-1])
    load(database)

    begun = importing.begin(database, file_connector.config_from(path, COLUMNS))
    summary = importing.bring_in(database, begun)

    expected = roots_by_hand(path)
    assert summary.stored == len(expected) > 2_500
    found = {row["external_id"]: row["root"] for row in rows(database, "select external_id, root from thread_post")}
    answers = {key: root for key, root in expected.items() if root != key}
    assert len(answers) > 1_000
    assert found == answers
    x = network_by_key("x").id
    with database.read() as connection:
        for root in sorted(set(answers.values()))[:200]:
            read = thread(connection, scope([CORVANE]), x, root)
            order = [said.external_id for said in read.posts]
            assert set(order) == {root} | {key for key, top in answers.items() if top == root}
            for said in read.posts:
                assert (
                    said.parent is None
                    or said.parent not in order
                    or order.index(said.parent) < order.index(said.external_id)
                )
