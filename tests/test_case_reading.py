"""The queue, and one case with its conversation, its author and answers like it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from ingest.found import Gone
from ingest.store import store
from models import case_reading, case_view, cases, queue_statements
from models.access import Access, Grant
from models.case_reading import Filters
from models.case_scope import SHOWS, allowed, may_see
from models.case_steps import Case, CaseKey, case_of
from models.case_view import CaseView
from models.database import Database
from models.errors import InputError, NotFound
from models.organisation import Organisation
from models.presence import TYPING, Presences
from models.tables import desk_case, reply
from tests.builders import (
    AMSTERDAM_SITE,
    BANK_DESK,
    BERLIN,
    CORVANE,
    DUTCH_CARE,
    EMEA_CARE,
    HALDEN,
    NETHERLANDS,
    NO_TEAM,
    NOW,
    OWN,
    VELTA,
    mention,
)
from tests.case_desk import (
    DAY,
    HOUR,
    MINUTE,
    act,
    all_cases,
    arrive,
    hire,
    open_desk,
    ours,
    said,
    take,
    the_case,
)


@pytest.fixture
def desk(database: Database) -> Organisation:
    return open_desk(database)


def _queue(database: Database, desk: Organisation, who: Access, **filters: Any) -> case_reading.Queue:
    with database.read() as connection:
        return case_reading.queue(connection, desk, who, Filters(**filters), now=NOW)


def _view(database: Database, desk: Organisation, who: Access, key: CaseKey) -> CaseView:
    with database.read() as connection:
        return case_view.case(connection, desk, who, key, now=NOW)


def _authors(queue: case_reading.Queue) -> list[str]:
    return [row.case.author_key for row in queue.rows]


def test_the_queue_is_ordered_by_the_risk_of_missing_the_promise(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    assert _queue(database, desk, ana).rows == ()
    arrive(
        database,
        desk,
        said("1", author="late", posted_at=NOW - 2 * HOUR),
        said("2", author="soon", posted_at=NOW - 50 * MINUTE),
        said("3", author="calm", posted_at=NOW - MINUTE),
        said("4", author="loud", posted_at=NOW - 16 * MINUTE, sentiment=-1, followers=50_000),
        said("5", author="bank", posted_at=NOW - 3 * HOUR, brand_id=HALDEN, text="@halden card declined?"),
    )
    found = _queue(database, desk, ana)
    assert _authors(found) == ["bank", "late", "loud", "soon", "calm"]
    assert [len(group) for group in (found.late, found.due, found.later)] == [3, 1, 1]
    counts = found.counts
    assert (counts.late, counts.due, counts.later, counts.team, counts.mine) == (3, 1, 1, 5, 0)
    assert found.oldest_waiting == NOW - 3 * HOUR
    assert found.rows[0].text == "@halden card declined?"
    with database.read() as connection:
        part = case_reading.queue(connection, desk, ana, Filters(), now=NOW, limit=2)
    assert (_authors(part), part.is_part, part.counts) == (["bank", "late"], True, counts)


def test_every_list_shows_its_own(database: Database, desk: Organisation) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    names = ("held", "asleep", "given", "answered", "solved", "signing")
    arrive(
        database,
        desk,
        *(said(str(n), author=name) for n, name in enumerate(names)),
        ours=[ours("9", "3", at=NOW)],
    )
    keys = {case.author_key: case.key for case in all_cases(database)}
    take(database, desk, ana, keys["held"])
    act(database, desk, bo, keys["asleep"], "snoozed", until=NOW + HOUR)
    act(database, desk, bo, keys["given"], "assigned", assigned_to=ana.person_id)
    act(database, desk, bo, keys["given"], "tagged", add=['50% "off"', "é"])
    act(database, desk, bo, keys["solved"], "resolved")
    _await_signature(database, keys["signing"], bo)

    def shown(**filters: Any) -> set[str]:
        return set(_authors(_queue(database, desk, ana, **filters)))

    assert shown() == {"held", "given", "signing"}
    assert shown(show="unclaimed") == {"given", "signing"}
    assert shown(show="waiting") == {"answered"}
    assert shown(show="snoozed") == {"asleep"}
    assert shown(show="closed") == {"solved"}
    assert shown(show="all") == set(names) - {"solved"}
    assert shown(whose="mine", show="all") == {"held", "given"}
    assert shown(whose="sign_off", show="all") == {"signing"}
    assert shown(tag='50% "off"') == shown(tag="é") == {"given"}
    assert shown(tag="50") == shown(priority=1) == shown(brand_ids=(VELTA,)) == set()
    counts = _queue(database, desk, ana).counts
    assert (counts.team, counts.mine, counts.sign_off, counts.waiting, counts.snoozed) == (3, 2, 1, 1, 1)
    rows = {row.case.author_key: row for row in _queue(database, desk, bo).rows}
    assert (rows["held"].holder, rows["held"].holder_name) == (ana.person_id, "Ana")
    assert rows["signing"].awaiting
    assert not rows["given"].awaiting


def _await_signature(database: Database, key: CaseKey, who: Access) -> None:
    with database.write() as connection:
        connection.execute(
            insert(reply).values(
                brand_id=key.brand_id, id=1, case_id=key.id, network_id=2, in_reply_to="5", state="awaiting_sign_off",
                text="We call you.", text_hash="x", author_id=who.person_id, author=who.name, drafted_at=NOW,
                changed_at=NOW, signatures=1, event_seen=1, is_native=False,
            )
        )  # fmt: skip


def test_who_is_in_a_case_stands_beside_it(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1"))
    there = Presences(database)
    there.beat(ana, the_case(database).key, TYPING, now=NOW)
    with database.read() as connection:
        found = case_reading.queue(connection, desk, ana, Filters(), now=NOW)
        doing = there.of(connection, [row.case.key for row in found.rows], now=NOW)
    (row,) = case_reading.with_presence(found, doing).rows
    assert [one.name for one in row.doing] == ["Ana"]


def test_what_is_asked_wrongly_is_refused() -> None:
    with pytest.raises(InputError, match="use one of team, mine, sign_off"):
        Filters(whose="theirs")
    with pytest.raises(InputError, match="use one of needs_reply"):
        Filters(show="everything")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_condition_on_rows_and_the_rule_for_one_agree_for_every_grant(
    database: Database, desk: Organisation
) -> None:
    places = (NETHERLANDS, AMSTERDAM_SITE, BERLIN, 1)
    cells = list(itertools.product((CORVANE, HALDEN), (*places[1:],), (DUTCH_CARE, EMEA_CARE, NO_TEAM)))
    _fill(database, cells)
    limits: list[dict[str, Any]] = [
        {},
        {"brand_ids": frozenset({HALDEN})},
        {"location_ids": frozenset({NETHERLANDS})},
        {"team_ids": frozenset({DUTCH_CARE})},
        {
            "brand_ids": frozenset({CORVANE}),
            "location_ids": frozenset({BERLIN}),
            "team_ids": frozenset({EMEA_CARE, BANK_DESK}),
        },
    ]
    seen = 0
    for number, (role, limit) in enumerate(
        itertools.product(("agent", "viewer", "manager", "auditor", "admin"), limits)
    ):
        who = Access.granted(number, "p@meridian.example", "P", [Grant(role, **limit)])
        for right in ("viewer", "draft"):
            shown = {
                (case.key.brand_id, case.location_id, case.team_id)
                for brand_id in OWN
                for case in _allowed(database, desk, who, brand_id, right)
            }
            by_rule = {
                cell
                for cell in cells
                if may_see(who, desk, *cell)
                and who.may_for(right, desk, brand_id=cell[0], location_id=cell[1], team_id=cell[2])
            }
            assert shown == by_rule, (role, limit, right)
            seen += len(shown)
        with database.read() as connection:
            queue = case_reading.queue(connection, desk, who, Filters(show="all"), now=NOW)
        assert queue.counts.team == len(queue.rows) == sum(may_see(who, desk, *cell) for cell in cells)
    assert seen > 100


def _fill(database: Database, cells: list[tuple[int, int, int]]) -> None:
    with database.write() as connection:
        for number, (brand_id, location_id, team_id) in enumerate(cells):
            connection.execute(
                insert(desk_case).values(
                    brand_id=brand_id, id=number, network_id=2, open_key=str(number), thread="1", author_key="a",
                    state="new", priority=2, level=0, team_id=team_id, location_id=location_id, opened_at=NOW,
                    last_mention_id=1, last_post="1", last_customer_at=NOW, tags=[], last_event=0,
                )
            )  # fmt: skip


def _allowed(database: Database, desk: Organisation, who: Access, brand_id: int, right: str) -> list[Case]:
    condition = allowed(desk, who, brand_id, right)
    if condition is None:
        return []
    with database.read() as connection:
        rows = connection.execute(desk_case.select().where(desk_case.c.brand_id == brand_id, condition))
        return [case_of(row._asdict()) for row in rows]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("show", SHOWS)
def test_the_queue_walks_an_index_down(database: Database, desk: Organisation, show: str) -> None:
    ana = hire(database, "Ana", location_ids=[NETHERLANDS], team_ids=[DUTCH_CARE])
    filters = Filters(show=show)
    walks = list(queue_statements._walks(queue_statements.reach(desk, ana, filters), filters, 200))
    assert walks
    with database.read() as connection:
        for walk in walks:
            asked = walk.params(now=NOW, me=ana.person_id)
            compiled = asked.compile(connection, compile_kwargs={"literal_binds": True})
            plan = [row[3] for row in connection.exec_driver_sql(f"explain query plan {compiled}")]
            wanted = "PRIMARY KEY" if show == "closed" else "ix_desk_case_brand_id_state_due_at"
            assert any(wanted in line or "SEARCH desk_case" in line for line in plan), plan
            assert not any(line.startswith("SCAN") for line in plan), plan


# -- one case --------------------------------------------------------------------------------------------------


def test_a_case_shows_its_conversation_in_order_with_everything_beside_it(
    database: Database, desk: Organisation
) -> None:
    ana, bo = hire(database, "Ana"), hire(database, "Bo")
    arrive(database, desk, said("old", posted_at=NOW - 20 * DAY), now=NOW - 20 * DAY)
    before = the_case(database).key
    act(database, desk, bo, before, "resolved", NOW - 20 * DAY)
    arrive(
        database,
        desk,
        said("1", posted_at=NOW - 3 * HOUR, name="Ada L.", sentiment=-1),
        said("3", posted_at=NOW - HOUR, text="no answer is that", reply_to="2", conversation="1", sentiment=-1),
        mention("4", author="bob", text="same for me with corvane", reply_to="1", conversation="1", kind="reply"),
        said("5", posted_at=NOW - MINUTE, text="and my second parcel?"),
        ours=[ours("2", "1", at=NOW - 2 * HOUR)],
    )
    key = next(case.key for case in all_cases(database) if case.state != "resolved" and case.author_key == "ada")
    act(database, desk, bo, key, "noted", text="be kind", people=[ana.person_id])
    take(database, desk, ana, key)
    view = _view(database, desk, ana, key)
    assert [(post.external_id, post.is_customer) for post in view.posts] == [
        ("1", True), ("2", False), ("3", True), ("5", True),
    ]  # fmt: skip
    assert (view.posts[1].account_id, view.posts[1].text) == (1, "We are looking into it.")
    assert (view.answering, view.is_mine, view.holder_name) == ("5", True, "Ana")
    assert view.token
    assert [event.details["text"] for event in view.notes] == ["be kind"]
    assert view.names == {ana.person_id: "Ana", bo.person_id: "Bo"}
    assert [(past.key, past.state) for past in view.author.cases] == [(before, "resolved")]
    assert (view.author.solved, view.author.posts) == (1, 4)
    assert [sentiment for _, sentiment in view.author.sentiments] == [0, -1, -1, 0]
    theirs = _view(database, desk, bo, key)
    assert (theirs.is_mine, theirs.token, theirs.holder) == (False, None, ana.person_id)


def test_what_others_say_in_the_thread_is_read_with_it(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    arrive(
        database,
        desk,
        said("1", posted_at=NOW - HOUR),
        said("2", author="bob", text="@corvane same here", reply_to="1", conversation="1", kind="reply"),
    )
    (first, _) = all_cases(database)
    found = _view(database, desk, ana, first.key).posts
    assert [(post.external_id, post.is_customer, post.depth) for post in found] == [("1", True, 0), ("2", False, 1)]


def test_what_was_deleted_is_gone_from_the_queue_and_the_case(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("1"))
    key = the_case(database).key
    with database.write() as connection:
        store(connection, [], source_id=1, organisation=desk, now=NOW, gone=[Gone("x", "1")])
    view = _view(database, desk, ana, key)
    assert [(post.text, post.author, post.deleted) for post in view.posts] == [(None, None, True)]
    assert _queue(database, desk, ana).rows[0].text is None
    assert "parcel" not in str(view)


def test_a_case_of_others_is_not_found(database: Database, desk: Organisation) -> None:
    bank = hire(database, "Lou", brand_ids=[HALDEN])
    arrive(database, desk, said("1"))
    key = the_case(database).key
    for asked in (key, CaseKey(key.brand_id, 1)):
        with pytest.raises(NotFound, match=f'no case "{asked}"'):
            _view(database, desk, bank, asked)


def test_answers_to_posts_like_it_are_shown_with_what_came_of_them(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    ago = NOW - 5 * DAY
    arrive(
        database,
        desk,
        said("10", author="p1", text="@corvane my parcel is late again", posted_at=ago),
        said("20", author="p2", text="@corvane where is the parcel, late as always", posted_at=ago),
        said("30", author="p3", text="@corvane do you deliver on sundays?", posted_at=ago),
        said("40", author="p4", text="@corvane where is my parcel", posted_at=ago, language="nl"),
        mention(
            "12", author="p1", text="still nothing, corvane!", reply_to="11", conversation="10", sentiment=-1,
            posted_at=ago + HOUR, kind="reply",
        ),
        ours=[ours(f"{n}1", f"{n}0", at=ago + timedelta(minutes=30)) for n in (1, 2, 3, 4)],
        now=ago + 2 * HOUR,
    )  # fmt: skip
    arrive(database, desk, said("1", text="@corvane where is my parcel? late again"))
    key = next(case.key for case in all_cases(database) if case.author_key == "ada")
    found = _view(database, desk, ana, key).similar
    # One text of ours, said to all: it is shown once, with the post most like this one.
    assert [(answer.said_to, answer.worked) for answer in found] == [("@corvane my parcel is late again", False)]
    assert 0.15 < found[0].likeness < 1


def test_a_sent_reply_is_shown_before_it_is_read_back(database: Database, desk: Organisation) -> None:
    ana = hire(database, "Ana")
    arrive(database, desk, said("5", posted_at=NOW - HOUR))
    key = the_case(database).key
    _await_signature(database, key, ana)
    with database.write() as connection:
        connection.execute(
            reply.update().values(state="sent", external_id="77", sent_at=NOW, account_id=1).where(reply.c.id == 1)
        )
        cases.answered(
            connection, key, post="77", posted_at=NOW, now=NOW, actor="Ana", person_id=ana.person_id, reply_id=1
        )
    post = _view(database, desk, ana, key).posts[-1]
    assert (post.text, post.person_id, post.reply_id) == ("We call you.", ana.person_id, 1)
    arrive(database, desk, ours=[ours("77", "5", at=NOW)])
    view = _view(database, desk, ana, key)
    assert [one.external_id for one in view.posts] == ["5", "77"]
    assert (view.posts[-1].text, view.posts[-1].reply_id) == ("We are looking into it.", 1)
    assert view.case.state == "waiting_for_customer"
    assert the_case(database).last_event == 2
