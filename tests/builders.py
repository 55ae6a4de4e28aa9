"""Small things that tests of ingest and of the figures are made from: an organisation, posts, mentions, windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from ingest.found import Author, Counts, Found
from ingest.leases import Lease
from ingest.pipeline import Enriched
from ingest.store import Stored, store
from models import organisation as organisations
from models import sources
from models.access import Scope, Window
from models.database import Database
from models.networks import network_by_key
from models.organisation import Organisation
from models.organisation_entries import BrandEntry, LocationEntry, TeamEntry
from models.organisation_file import OrganisationFile, apply
from tests.remembered import Rows, copied, put_back

NOW = datetime(2026, 11, 19, 14, 32, 10, tzinfo=UTC)
AMSTERDAM = "Europe/Amsterdam"
KOLKATA = "Asia/Kolkata"

# Ids as the first load of `meridian` gives them: places level by level of the tree.
UNMATCHED, CORVANE, HALDEN, VELTA, RIVAL, OTHER_RIVAL = 1, 2, 3, 4, 5, 6
NOWHERE, EMEA, MUMBAI, NETHERLANDS, BERLIN, AMSTERDAM_SITE, UTRECHT = 1, 2, 3, 4, 5, 6, 7
NO_TEAM, DUTCH_CARE, EMEA_CARE, BANK_DESK = 1, 2, 3, 4
OWN = (CORVANE, HALDEN, VELTA)
SITES = (AMSTERDAM_SITE, UTRECHT, BERLIN, MUMBAI)


def meridian(zone: str = AMSTERDAM) -> OrganisationFile:
    """Three brands of ours, two competitors, a small tree of places, three teams that cover it."""

    def brand(key: str, name: str, kind: str = "own", competitors: tuple[str, ...] = ()) -> BrandEntry:
        return BrandEntry(key, name, kind, key[:2].upper(), competitors, (key.split("-")[0], f"@{key}"))

    def place(key: str, kind: str, parent: str | None, at: tuple[float, float] | None = None) -> LocationEntry:
        latitude, longitude = at or (None, None)
        aliases = {"amsterdam": ("ams", "mokum"), "mumbai": ("bombay",)}.get(key, ())
        return LocationEntry(key, key.title(), kind, parent, None, latitude, longitude, aliases, key[:3].upper())

    return OrganisationFile(
        name="Meridian Group",
        zone=zone,
        languages=("en", "nl"),
        simulated=False,
        brands=(
            brand("corvane", "Corvane", competitors=("rival", "other-rival")),
            brand("halden", "Halden Bank", competitors=("rival",)),
            brand("velta", "Velta"),
            brand("rival", "Rival", "competitor"),
            brand("other-rival", "Other Rival", "competitor"),
        ),
        locations=(
            place("emea", "region", None),
            place("netherlands", "country", "emea"),
            place("amsterdam", "site", "netherlands", (52.37, 4.90)),
            place("utrecht", "site", "netherlands", (52.09, 5.12)),
            place("berlin", "site", "emea", (52.52, 13.40)),
            place("mumbai", "site", None, (19.08, 72.88)),
        ),
        teams=(
            TeamEntry("dutch-care", "Dutch care", (("*", "netherlands"),)),
            TeamEntry("emea-care", "EMEA care", (("*", "emea"),)),
            TeamEntry("bank-desk", "Bank desk", (("halden", "*"),)),
        ),
    )


def load(database: Database, file: OrganisationFile | None = None, *, zone: str = AMSTERDAM) -> Organisation:
    """Apply the file (the small organisation where none is given) and read back what came of it."""
    is_usual = file is None and zone == AMSTERDAM and _is_empty(database)
    if is_usual and database.dialect in _made:
        rows, made = _made[database.dialect]
        put_back(database, rows)
        return made
    found = _loaded(database, file or meridian(zone))
    if is_usual:
        _made[database.dialect] = copied(database), found
    return found


# The small organisation by kind of database, as its load made it.
_made: dict[str, tuple[Rows, Organisation]] = {}


def _is_empty(database: Database) -> bool:
    with database.read() as connection:
        return not any(connection.execute(text(f"select 1 from {name} limit 1")).all() for name in ("audit", "change"))


def _loaded(database: Database, file: OrganisationFile) -> Organisation:
    with database.write() as connection:
        apply(connection, file, actor="a test", now=NOW - timedelta(days=900))
    with database.read() as connection:
        return organisations.current(connection, NOW)


def add_source(database: Database, name: str = "made up", *, kind: str = "file", every: float = 60.0) -> int:
    """A source that is due at once."""
    with database.write() as connection:
        return sources.add(
            connection, name=name, kind=kind, network_id=2, config={}, every_seconds=every, now=NOW - timedelta(hours=1)
        )


def post(external_id: str = "1", **given: Any) -> Found:
    """A post on X a minute ago; `likes`, `replies`, `reposts`, `impressions`, `author` and `followers` by name."""
    counts = Counts(**{name: given.pop(name, None) for name in ("likes", "replies", "reposts", "impressions")})
    key = given.pop("author", "ada")
    author = Author(
        key, handle=given.pop("handle", key), name=given.pop("name", None), followers=given.pop("followers", None)
    )
    values: dict[str, Any] = {"network": "x", "posted_at": NOW - timedelta(minutes=1), "text": "corvane is late again"}
    return Found(external_id=external_id, author=author, counts=counts, **(values | given))


def mention(external_id: str = "1", **given: Any) -> Enriched:
    """A post as Corvane sees it, ready to store; everything of `post` by name too."""
    fields = {
        name: given.pop(name, default)
        for name, default in (
            ("brand_id", CORVANE),
            ("sentiment", 0),
            ("location_id", NOWHERE),
            ("team_id", NO_TEAM),
            ("matched", ()),
            ("language", "en"),
        )
    }
    found = post(external_id, **given)
    return Enriched(
        post=found,
        network_id=network_by_key(found.network).id,
        language_by="network",
        sentiment_score=None,
        sentiment_by="a test",
        **fields,
    )


def keep(
    database: Database,
    mentions: Sequence[Enriched],
    organisation: Organisation,
    *,
    source_id: int = 1,
    now: datetime = NOW,
) -> Stored:
    """Store mentions in a transaction of their own."""
    with database.write() as connection:
        return store(connection, mentions, source_id=source_id, organisation=organisation, now=now)


def rows(database: Database, statement: str, **params: Any) -> list[Mapping[str, Any]]:
    """What a statement finds, as mappings."""
    with database.read() as connection:
        return [dict(row) for row in connection.execute(text(statement), params).mappings()]


def number(database: Database, statement: str, **params: Any) -> int:
    """The one number a statement answers."""
    with database.read() as connection:
        return int(connection.execute(text(statement), params).scalar_one())


def scope(
    brand_ids: Iterable[int] = OWN,
    *,
    tracked: Iterable[int] | None = None,
    locations: Iterable[int] | None = None,
    teams: Iterable[int] | None = None,
    networks: Iterable[int] | None = None,
    search: str = "",
) -> Scope:
    """A scope with its ids in order."""

    def ordered(ids: Iterable[int] | None) -> tuple[int, ...] | None:
        return None if ids is None else tuple(sorted(ids))

    brands = tuple(sorted(brand_ids))
    return Scope(brands, ordered(tracked) or brands, ordered(locations), ordered(teams), ordered(networks), search)


def edge_before(instant: datetime, step_seconds: int, zone: str) -> datetime:
    """The last edge of a step at or before an instant, on the clock of the zone."""
    local = instant.astimezone(ZoneInfo(zone))
    if step_seconds >= 86_400:
        return datetime.combine(local.date(), time(), ZoneInfo(zone)).astimezone(UTC)
    offset = local.utcoffset() or timedelta()
    shifted = instant + offset - datetime(1970, 1, 1, tzinfo=UTC)
    return instant - shifted % timedelta(seconds=step_seconds)


def window(start: datetime, end: datetime, step_seconds: int, *, live: bool = False, zone: str = AMSTERDAM) -> Window:
    """A window from the edge of a step before `start` to `end`."""
    return Window("made up", edge_before(start, step_seconds, zone), end, step_seconds, live)


def last(name: str, *, now: datetime = NOW, live: bool = True, zone: str = AMSTERDAM) -> Window:
    """One of the windows of the scope bar: 15m, 1h, 24h, 7d, 30d, or 1y in days."""
    span, step = {
        "15m": (900, 60),
        "1h": (3_600, 300),
        "24h": (86_400, 900),
        "7d": (604_800, 3_600),
        "30d": (2_592_000, 21_600),
        "1y": (31_536_000, 86_400),
    }[name]
    return window(now - timedelta(seconds=span), now, step, live=live, zone=zone)


EVERYTHING = Window("everything", datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(days=2), 86_400, live=False)


def source_row(database: Database, name: str = "made up") -> Mapping[str, Any]:
    """The row of a source, plain values."""
    return rows(database, "select * from source where name = :name", name=name)[0]


Clock = Callable[[], datetime]


def ticking(start: datetime = NOW, *, seconds: float = 1.0) -> Clock:
    """A clock that goes on by so many seconds every time it is looked at."""
    at = start - timedelta(seconds=seconds)

    def now() -> datetime:
        nonlocal at
        at += timedelta(seconds=seconds)
        return at

    return now


def as_taken(lease: Lease | None) -> Lease:
    """The lease, which the test knows to be there."""
    assert lease is not None
    return lease
