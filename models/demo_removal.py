"""The demo removed for good: a few hundred posts a transaction, by an ingest worker, to be gone on with after a kill.

Every step looks for what is still there and takes it away; nothing but what is left says how far it came. A post
that a real brand counts too leaves its cells in the same transaction, so that rollups and rows agree at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, literal, select, tuple_, update

from models import audit, demo_people, rule_desk
from models.bulk import lock_brands
from models.case_edits import forget_cases, give_up_places
from models.cube import Cells, packed_mention, packed_reach
from models.database import Database, raise_change, time_id
from models.demo_data import REMOVED, REMOVING, Demo, of, put, referred_locations, referred_teams
from models.tables import (
    account,
    account_breaker,
    account_health,
    account_part,
    author_day,
    brand,
    competitor,
    copy_account,
    copy_group,
    correction,
    cube,
    engagement,
    location,
    log_entry,
    measure_due,
    mention,
    mention_mark,
    mention_version,
    metadata,
    our_post,
    post,
    setting,
    source,
    team,
    team_cover,
    thread_post,
)
from models.tables.audit import KEPT
from models.tables.base import EPOCH, to_microseconds

# Posts a transaction, so that ingest beside it never waits long for SQLite.
BATCH = 200
ROWS = 1000
LOOK = 2000
ACTOR = "Watchfloor"

Clock = Callable[[], datetime]


def remove_some(database: Database, *, now: Clock, is_over: Callable[[], bool]) -> bool:
    """Go on removing until it is done or `is_over()`; True when a demo was removed to its end.

    Called beside each other by several workers it stays right: what one took away the other does not find.
    """
    with database.read() as connection:
        demo = of(connection)
    if demo.state != REMOVING:
        return False
    return all(not is_over() for _ in _steps(database, demo, now))


def _steps(database: Database, demo: Demo, now: Clock) -> Iterator[None]:
    """One short transaction after another. Sources go first: a page under way is then refused by its fence."""
    for source_id in demo.sources:
        for table in _held(database, "source_id", source_id):
            if table.name != "mention":
                yield from _emptied(database, table, table.c.source_id == source_id)
        with database.write() as connection:
            connection.execute(delete(source).where(source.c.id == source_id))
            raise_change(connection, "sources")
        yield
    with database.read() as connection:
        brands = list(connection.execute(select(brand.c.id).order_by(brand.c.id)).scalars())
        zone = connection.execute(select(setting.c.value).where(setting.c.key == "zone")).scalar() or "UTC"
    for brand_id in brands:
        yield from _posts_of_ours(database, demo, brand_id)
        with database.read() as connection:
            counts = brand_id not in demo.brands or _is_real(connection, demo, brand_id)
        yield from _mentions(database, demo, brand_id, str(zone) if counts else None)
    for brand_id in demo.brands:
        with database.read() as connection:
            is_real = _is_real(connection, demo, brand_id)
        if not is_real:
            for table in _held(database, "brand_id", brand_id):
                if table.name not in ("account", "team_cover"):
                    yield from _emptied(database, table, table.c.brand_id == brand_id)
    yield
    with database.write() as connection:
        _finish(connection, demo, now())
    yield


def _held(database: Database, column: str, identifier: int) -> Sequence[Table]:
    """Every table with a row of this brand or source, those that refer to others first."""
    tables = [table for table in reversed(metadata.sorted_tables) if column in table.c and table not in KEPT]
    with database.read() as connection:
        asked = [select(table.c[column]).where(table.c[column] == identifier).limit(1) for table in tables]
        return [table for table, one in zip(tables, asked, strict=True) if connection.execute(one).first() is not None]


def _emptied(database: Database, table: Table, where: Any) -> Iterator[None]:
    """The rows of a condition, at most ROWS in one transaction."""
    keys = list(table.primary_key.columns)
    while True:
        with database.write() as connection:
            edge = connection.execute(select(*keys).where(where).order_by(*keys).offset(ROWS - 1).limit(1)).first()
            some = delete(table).where(where)
            if edge is not None:
                bounds = [literal(value, key.type) for key, value in zip(keys, edge, strict=True)]
                some = some.where(tuple_(*keys) <= tuple_(*bounds))
            connection.execute(some)
        yield
        if edge is None:
            return


# -- posts ---------------------------------------------------------------------------------------------------


def _mentions(database: Database, demo: Demo, brand_id: int, zone: str | None) -> Iterator[None]:
    """The mentions of one brand that came from the demo's sources; no `zone` = its cells go as a whole."""
    after = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(
                select(mention.c.id, mention.c.source_id)
                .where(mention.c.brand_id == brand_id, mention.c.id > after)
                .order_by(mention.c.id)
                .limit(LOOK)
            ).all()
        if not rows:
            return
        after = rows[-1].id
        ids = [row.id for row in rows if row.source_id in demo.sources]
        for start in range(0, len(ids), BATCH):
            with database.write() as connection:
                _take_away(connection, demo, brand_id, ids[start : start + BATCH], zone)
            yield


def _take_away(connection: Connection, demo: Demo, brand_id: int, ids: list[int], zone: str | None) -> None:
    lock_brands(connection, [brand_id])
    rows = connection.execute(select(mention).where(mention.c.brand_id == brand_id, mention.c.id.in_(ids))).all()
    if not rows:
        return
    ids = [row.id for row in rows]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "insert into mention_text (mention_text, rowid, text, author_handle, author_name)"
            " values ('delete', ?, ?, ?, ?)",
            [(row.id, row.text, row.author_handle, row.author_name) for row in rows],
        )
    for table in (mention_version, mention_mark):
        connection.execute(delete(table).where(table.c.brand_id == brand_id, table.c.mention_id.in_(ids)))
    connection.execute(delete(mention).where(mention.c.brand_id == brand_id, mention.c.id.in_(ids)))
    rule_desk.forget(connection, ids)
    if zone is not None:
        forget_cases(connection, brand_id, ids)
    _forget_posts(connection, brand_id, {(row.network_id, row.external_id) for row in rows})
    # A brand that goes as a whole takes its cells, authors and copies along.
    if zone is not None:
        cells = Cells(zone)
        for row in rows:
            packed = packed_mention(row.sentiment, row.likes, row.replies, row.reposts)
            seconds = to_microseconds(row.posted_at) // 1_000_000
            cells.add(brand_id, row.location_id, row.team_id, row.network_id, seconds, -packed)
        _forget_authors(connection, brand_id, rows, cells)
        _forget_copies(connection, brand_id, rows)
        cells.write(connection)
    raise_change(connection, "mentions", [brand_id])
    held = of(connection)
    if held.state == REMOVING:
        done = held.removed + (len(rows) if brand_id in demo.brands else 0)
        put(connection, Demo(**{key: getattr(held, key) for key in Demo.__dataclass_fields__} | {"removed": done}))
        raise_change(connection, "demo")


def _forget_posts(connection: Connection, brand_id: int, keys: Collection[tuple[int, str]]) -> None:
    """What belongs to the posts themselves. They are made up: no real source knows them."""
    for network_id in {network for network, _ in keys}:
        names = [name for network, name in keys if network == network_id]
        for table in (post, thread_post, measure_due):
            connection.execute(delete(table).where(table.c.network_id == network_id, table.c.external_id.in_(names)))
        for table in (engagement, correction):
            connection.execute(
                delete(table).where(
                    table.c.brand_id == brand_id, table.c.network_id == network_id, table.c.external_id.in_(names)
                )
            )


def _forget_authors(connection: Connection, brand_id: int, rows: Sequence[Any], cells: Cells) -> None:
    """Author days that no post is left of; their reach leaves the cells."""
    for network_id, author in {(row.network_id, row.author_key) for row in rows}:
        at = [row.posted_at for row in rows if row.network_id == network_id and row.author_key == author]
        mine = [
            author_day.c.brand_id == brand_id,
            author_day.c.network_id == network_id,
            author_day.c.author_key == author,
        ]
        days = {(instant - EPOCH).days for instant in at}
        local = {day + shift for day in days for shift in (-1, 0, 1)}
        found = connection.execute(select(author_day).where(*mine, author_day.c.day.in_(sorted(local)))).all()
        for day in found:
            if not any(day.first_at <= instant <= day.last_at for instant in at):
                continue
            other = connection.execute(
                select(mention.c.id)
                .where(
                    mention.c.brand_id == brand_id,
                    mention.c.id.between(time_id(day.first_at, 0), time_id(day.last_at, -1)),
                    mention.c.network_id == network_id,
                    mention.c.author_key == author,
                )
                .limit(1)
            ).first()
            if other is None:
                seconds = to_microseconds(day.counted_at) // 1_000_000
                cells.add(brand_id, day.location_id, day.team_id, network_id, seconds, -packed_reach(day.followers))
                connection.execute(delete(author_day).where(*mine, author_day.c.day == day.day))


def _forget_copies(connection: Connection, brand_id: int, rows: Sequence[Any]) -> None:
    """A group of copies shrinks by what went; one of a single post is no group."""
    gone: dict[int, list[Any]] = {}
    for row in rows:
        if row.copy_id is not None:
            gone.setdefault(row.copy_id, []).append(row)
    if not gone:
        return
    mine = [copy_group.c.brand_id == brand_id, copy_group.c.copy_id.in_(list(gone))]
    for group in connection.execute(select(copy_group).where(*mine)).all():
        left = group.size - len(gone[group.copy_id])
        this = [copy_group.c.brand_id == brand_id, copy_group.c.copy_id == group.copy_id]
        of_group = [copy_account.c.brand_id == brand_id, copy_account.c.copy_id == group.copy_id]
        if left > 1:
            connection.execute(update(copy_group).where(*this).values(size=left))
            names = [row.author_key for row in gone[group.copy_id]]
            connection.execute(delete(copy_account).where(*of_group, copy_account.c.author_key.in_(names)))
        else:
            connection.execute(delete(copy_group).where(*this))
            connection.execute(delete(copy_account).where(*of_group))
    groups = select(copy_group.c.copy_id).where(*mine)
    connection.execute(
        delete(copy_account).where(
            copy_account.c.brand_id == brand_id,
            copy_account.c.copy_id.in_(list(gone)),
            copy_account.c.copy_id.not_in(groups),
        )
    )


def _posts_of_ours(database: Database, demo: Demo, brand_id: int) -> Iterator[None]:
    """What the demo's accounts published, with its measurements."""
    while True:
        with database.read() as connection:
            rows = connection.execute(
                select(our_post.c.id, our_post.c.network_id, our_post.c.external_id)
                .where(our_post.c.brand_id == brand_id, our_post.c.account_id.in_(demo.accounts))
                .limit(BATCH)
            ).all()
        if not rows:
            return
        with database.write() as connection:
            ids = [row.id for row in rows]
            connection.execute(delete(our_post).where(our_post.c.brand_id == brand_id, our_post.c.id.in_(ids)))
            _forget_posts(connection, brand_id, {(row.network_id, row.external_id) for row in rows})
        yield


# -- the organisation ----------------------------------------------------------------------------------------


def _is_real(connection: Connection, demo: Demo, brand_id: int) -> bool:
    """Whether a brand of the demo holds what is not of the demo: posts of a real source, or a real account."""
    real = select(mention.c.id).where(mention.c.brand_id == brand_id, mention.c.source_id.not_in(demo.sources))
    if connection.execute(real.limit(1)).first() is not None:
        return True
    accounts = select(account.c.id).where(account.c.brand_id == brand_id, account.c.id.not_in(demo.accounts))
    return connection.execute(accounts.limit(1)).first() is not None


def _finish(connection: Connection, demo: Demo, now: datetime) -> None:
    """Brands, locations, teams and accounts that nothing real refers to, and the word that all of it is simulated."""
    if of(connection).state != REMOVING:
        return
    brands = [one for one in demo.brands if not _is_real(connection, demo, one)]
    for of_account in (account_breaker, account_health, account_part):
        connection.execute(delete(of_account).where(of_account.c.account_id.in_(demo.accounts)))
    connection.execute(delete(account).where(account.c.id.in_(demo.accounts)))
    for table, column in ((competitor, "competitor_id"), (team_cover, "brand_id")):
        connection.execute(delete(table).where(table.c[column].in_(brands)))
    connection.execute(delete(brand).where(brand.c.id.in_(brands)))
    teams = set(demo.teams) - referred_teams(connection, demo, but=())
    places = set(demo.locations) - referred_locations(connection, demo, but=())
    demo_people.give_up_scope(connection, set(brands), places, teams)
    connection.execute(delete(team_cover).where(team_cover.c.team_id.in_(teams)))
    connection.execute(delete(team).where(team.c.id.in_(teams)))
    connection.execute(delete(team_cover).where(team_cover.c.location_id.in_(places)))
    depth: list[set[int]] = []
    left = set(places)
    while left:
        # Those below first: a location refers to the one above it.
        parents = set(connection.execute(select(location.c.parent_id).where(location.c.id.in_(left))).scalars()) & left
        depth.append(left - parents)
        left = parents
    for level in depth:
        connection.execute(delete(location).where(location.c.id.in_(level)))
    if places or teams:
        # Cells that hold nothing any more.
        connection.execute(delete(cube).where(cube.c.location_id.in_(places) | cube.c.team_id.in_(teams)))
    give_up_places(connection, places, teams)
    kept = demo_people.remove(connection, demo.people, now=now)
    _unpin(connection, demo)
    connection.execute(delete(setting).where(setting.c.key == "simulated"))
    connection.execute(insert(setting).values(key="simulated", value=False))
    is_named = connection.execute(select(setting.c.value).where(setting.c.key == "name")).scalar()
    if is_named == demo.name:
        connection.execute(delete(setting).where(setting.c.key == "name"))
    held = of(connection)
    put(connection, Demo(state=REMOVED, removed=held.removed, of=held.of, people=kept))
    for topic in ("organisation", "sources", "demo"):
        raise_change(connection, topic)
    details = {"posts": held.removed, "brands": len(brands), "locations": len(places), "teams": len(teams)}
    audit.record(connection, at=now, action="demo.removed", subject="demo data", actor=ACTOR, details=details)


def _unpin(connection: Connection, demo: Demo) -> None:
    """Lines of the shift log stay; what they were pinned to is gone."""
    pinned = connection.execute(select(log_entry).where(log_entry.c.pinned.in_(("mention", "source")))).all()
    for row in pinned:
        if row.pinned == "source":
            is_gone = row.pinned_id in demo.sources
        else:
            there = select(func.count()).select_from(mention).where(mention.c.brand_id == row.brand_id)
            is_gone = not connection.execute(there.where(mention.c.id == row.pinned_id)).scalar()
        if is_gone:
            connection.execute(update(log_entry).where(log_entry.c.id == row.id).values(pinned=None, pinned_id=None))
