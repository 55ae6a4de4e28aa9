"""Which rows stand in the tables of all brands, locations and teams, in which groups, and their columns."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.panel import Question
from models.organisation import UNKNOWN, Location, Organisation

EVERY = frozenset({"brand", "location", "team"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `kinds` = the tables that have it."""

    key: str
    label: str
    tip: str
    kinds: frozenset[str] = EVERY


COLUMNS = (
    Column("name", "Name", "In the order of the alphabet"),
    Column("spark", "Course", "Mentions over the window, above the range of the same hours in the past four weeks"),
    Column("mentions", "Mentions", "In the window; beside it the change against the same hours before"),
    Column("times", "× exp.", "Mentions ÷ the median of the same hours in the past four weeks"),
    Column("share", "Share of voice", "Mentions ÷ those of its own tracked set", frozenset({"brand"})),
    Column("share", "Share of volume", "Mentions ÷ all mentions of the same brands", frozenset({"location"})),
    Column("share", "Share of mentions", "Mentions ÷ all mentions of the same brands", frozenset({"team"})),
    Column("net", "Net sentiment, 95 % interval", "From −40 to +40; % positive − % negative of what was scored"),
    Column("reach", "Reach, est.", "Followers of the authors, an upper limit"),
    Column("spikes", "Spikes flagged", "That began in the window; filled while one goes on", frozenset({"brand"})),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One row: `ids` are summed in it, `among` is what its share is taken of (empty = everything)."""

    key: str
    name: str
    line: str
    monogram: str
    ids: tuple[int, ...]
    among: tuple[int, ...] = ()
    is_ours: bool = True
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are sorted among themselves; `total` is the name of the row below them, "" for none."""

    key: str
    name: str
    members: tuple[Member, ...]
    total: str = ""


def groups_of(kind: str, question: Question) -> tuple[tuple[Group, ...], tuple[int, ...], int | None]:
    """The groups of a table, the ids that its total sums, the id of what is not known (None = no such row)."""
    if kind == "brand":
        return _brands(question)
    return _locations(question) if kind == "location" else _teams(question)


def _brands(question: Question) -> tuple[tuple[Group, ...], tuple[int, ...], int | None]:
    there, asked = question.organisation, question.scope
    items = [item for item in there.brands if item.id in asked.tracked_ids]
    ours = [item for item in items if item.kind != "competitor"]
    rivals = [item for item in items if item.kind == "competitor"]

    def among(brand_id: int) -> tuple[int, ...]:
        found = {brand_id, *there.competitors.get(brand_id, ())}
        for mine in ours:
            named = there.competitors.get(mine.id, ())
            if brand_id in named:
                found |= {mine.id, *named}
        return tuple(sorted(found & set(asked.tracked_ids)))

    def line(brand_id: int) -> str:
        names = [there.brand_names[one] for one in among(brand_id) if one != brand_id]
        return f"among {len(names) + 1} brands" if names else "no competitor set"

    groups = [
        Group(
            "own",
            "Own brands",
            tuple(
                Member(item.key, item.name, line(item.id), item.monogram, (item.id,), among(item.id)) for item in ours
            ),
            "All own brands",
        )
    ]
    if rivals:
        members = tuple(
            Member(item.key, item.name, line(item.id), item.monogram, (item.id,), among(item.id), is_ours=False)
            for item in rivals
        )
        groups.append(Group("competitor", "Competitors", members))
    return tuple(groups), tuple(item.id for item in ours), None


def _locations(question: Question) -> tuple[tuple[Group, ...], tuple[int, ...], int | None]:
    there, allowed = question.organisation, question.scope.location_ids
    titles = (("site", "Sites"), ("country", "Countries"), ("region", "Regions"))
    groups: list[Group] = []
    for kind, title in titles:
        members = tuple(
            Member(item.key, item.name, _above(item, there), item.monogram, ids)
            for item in _in_order(there)
            if item.kind == kind
            and (ids := tuple(one for one in there.below(item.id) if allowed is None or one in allowed))
        )
        if members:
            groups.append(Group(kind, title, members, "" if groups else "All mentions, places not known included"))
    unknown = UNKNOWN if allowed is None or UNKNOWN in allowed else None
    return tuple(groups) or (Group("site", "Sites", (), "All mentions"),), (), unknown


def _in_order(there: Organisation) -> list[Location]:
    """As the tree is read: below its parent each."""
    by_id = {item.id: item for item in there.locations}

    def path(item: Location) -> tuple[str, ...]:
        names, at = [item.name], item.parent_id
        while at is not None and at in by_id:
            names.append(by_id[at].name)
            at = by_id[at].parent_id
        return tuple(reversed(names))

    return sorted((item for item in there.locations if item.id != UNKNOWN), key=path)


def _above(item: Location, there: Organisation) -> str:
    names, parents = there.location_names, {place.id: place.parent_id for place in there.locations}
    found, at = [], item.parent_id
    while at is not None and at in names:
        found.append(names[at])
        at = parents.get(at)
    return ", ".join(found)


def _teams(question: Question) -> tuple[tuple[Group, ...], tuple[int, ...], int | None]:
    there, chosen = question.organisation, question.scope.team_ids
    members = tuple(
        Member(item.key, item.name, _covers(item.id, there), item.name[:2], (item.id,))
        for item in there.teams
        if item.id != UNKNOWN and (chosen is None or item.id in chosen)
    )
    unknown = UNKNOWN if chosen is None or UNKNOWN in chosen else None
    return (Group("team", "Teams", members, "All mentions"),), (), unknown


def _covers(team_id: int, there: Organisation) -> str:
    covers = [cover for cover in there.covers if cover.team_id == team_id]
    if not covers:
        return "covers nothing yet"
    brands = {cover.brand_id for cover in covers}
    places = {cover.location_id for cover in covers}
    who = "all brands" if 0 in brands else ", ".join(there.brand_names.get(one, "?") for one in sorted(brands)[:2])
    if 0 not in brands and len(brands) > 2:
        who = f"{len(brands)} brands"
    where = "everywhere" if 0 in places else ", ".join(there.location_names.get(one, "?") for one in sorted(places)[:2])
    if 0 not in places and len(places) > 2:
        where = f"{len(places)} places"
    return f"{who}, {where}"
