"""Places and teams together, which no cell holds: where everything of a place went to one team, its cells are that
team's.

Which team covers a brand at a place is known; that a span holds nothing of any other team is looked up in the index of
places, without reading a row. What went elsewhere (another team covered it then, somebody routed it by hand) is told
apart, and counted from its rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from sqlalchemy import Connection, text

from models.access import Scope, Window
from models.cube.cells import DAY
from models.database import EARLIEST, time_id
from models.mentions import Params, marks
from models.networks import NETWORKS
from models.organisation import Organisation
from models.tables.base import EPOCH, to_microseconds

# More mentions of the brands in a span than these are not looked through.
MOST_LOOKED_AT = 250_000
# A local day that holds an instant may begin so long before it.
LONGEST_DAY = 25 * 3600

Pair = tuple[int, int]
"""A brand and a place."""
_PAIRS = {
    "sqlite": "select value ->> 0 as brand, value ->> 1 as place, value ->> 2 as team from json_each(:pairs)",
    "postgresql": "select * from unnest(cast(:pair_brands as bigint[]), cast(:pair_places as bigint[]),"
    " cast(:pair_teams as bigint[])) as pair (brand, place, team)",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """Brand and place with the team that everything of them went to; `mixed` are those of which not everything did."""

    sure: tuple[tuple[int, int, int], ...]
    mixed: tuple[Pair, ...]

    def of_teams(self, team_ids: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
        """The sure ones of some teams."""
        chosen = set(team_ids)
        return tuple(one for one in self.sure if one[2] in chosen)

    def mixed_in(self, scope: Scope) -> tuple[Scope, str]:
        """A scope narrowed to what is mixed, and the condition that tells that from its neighbours."""
        brands = tuple(sorted({brand for brand, _ in self.mixed}))
        places = tuple(sorted({place for _, place in self.mixed}))
        pairs = ", ".join(f"({int(brand)}, {int(place)})" for brand, place in self.mixed)
        narrowed = replace(scope, brand_ids=brands, tracked_ids=brands, location_ids=places)
        return narrowed, f"(m.brand_id, m.location_id) in (values {pairs})"


def in_cells(scope: Scope) -> Scope:
    """The scope whose cells may hold the answer: for places and teams together that of the places alone."""
    if scope.location_ids is None or scope.team_ids is None:
        return scope
    return replace(scope, team_ids=None)


def routed(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    span: tuple[int, int],
    granularity: int,
    organisation: Organisation,
) -> Routed | None:
    """How the mentions of places in a span of seconds since 1970 were routed; None where these are too many to look at.

    The places and teams are those that the scope names; nothing is said of what went to other teams. The span lies on
    the edges of cells of a granularity.
    """
    if _mentions_of_all(connection, brand_ids, span) > MOST_LOOKED_AT:
        return None
    places, chosen = tuple(dict.fromkeys(scope.location_ids or ())), frozenset(scope.team_ids or ())
    pairs = [(brand, place, organisation.team_for(brand, place)) for brand in brand_ids for place in places]
    if {team.id for team in organisation.teams} <= chosen:
        return _told_apart(connection, pairs, span)
    # Of brands of which nothing went to these teams there is nothing to tell.
    held = _of_teams(connection, scope, brand_ids, span, granularity)
    pairs = [one for one in pairs if held.get(one[0])]
    if not {place.id for place in organisation.locations} <= set(places):
        return _told_apart(connection, pairs, span)
    # Where what they cover went to them alone, and is as many as went to them, nothing else did.
    covered = _told_apart(connection, [one for one in pairs if one[2] in chosen], span)
    counted = {
        row[0]: row[2]
        for row in sums(
            connection, covered.sure, scope.network_ids, granularity, span, ("brand_id",), "0", ("mentions",)
        )
    }
    unsure = {brand for brand, count in held.items() if counted.get(brand, 0) != count}
    other = [one for one in pairs if one[0] in unsure and one[2] not in chosen]
    rest = _told_apart(connection, other, span)
    return Routed(covered.sure, tuple(sorted((*covered.mixed, *rest.mixed))))


def _told_apart(connection: Connection, pairs: Sequence[tuple[int, int, int]], span: tuple[int, int]) -> Routed:
    """Whether everything of brands and places went to the team beside them, one by one."""
    if not pairs or span[0] >= span[1]:
        return Routed(tuple(pairs), ())
    params = pairs_of(connection, pairs)
    params |= {"first_id": _id_at(span[0]), "past_id": _id_at(span[1])}
    rows = connection.execute(
        text(
            f"select brand, place from ({_PAIRS[connection.dialect.name]}) as pairs where exists"  # noqa: S608
            " (select 1 from mention m where m.brand_id = pairs.brand and m.location_id = pairs.place"
            " and m.id >= :first_id and m.id < :past_id and m.team_id <> pairs.team)"
        ),
        params,
    )
    mixed = {(int(row[0]), int(row[1])) for row in rows}
    return Routed(tuple(one for one in pairs if one[:2] not in mixed), tuple(sorted(mixed)))


def sums(
    connection: Connection,
    pairs: Sequence[tuple[int, int, int]],
    network_ids: Sequence[int] | None,
    granularity: int,
    span: tuple[int, int],
    columns: Sequence[str],
    step: str,
    values: Sequence[str],
) -> list[Sequence[int]]:
    """Rows of `columns`, `step` and the sums of `values`, over the cells of brands and places; their reach is not told.

    `step` is what of a cell's `bucket` its sums are kept apart by, with :from for where the span begins.
    """
    if not pairs:
        return []
    params = pairs_of(connection, pairs) | {"granularity": granularity, "from": span[0], "to": span[1]}
    names = {"brand_id": "pairs.brand", "location_id": "pairs.place", "team_id": "pairs.team"}
    kept = "".join(f"{names.get(column, column)}, " for column in columns)
    summed = ", ".join("0" if name == "reach" else f"cast(sum({name}) as bigint)" for name in values)
    networks = tuple(network.id for network in NETWORKS) if network_ids is None else network_ids
    rows = connection.execute(
        text(
            f"select {kept}{step} as step, {summed} from ({_PAIRS[connection.dialect.name]}) as pairs"  # noqa: S608
            " cross join cube where cube.brand_id = pairs.brand and granularity = :granularity"
            f" and cube.location_id = pairs.place and cube.team_id = 0 and network_id in ({marks(params, networks)})"
            f" and bucket >= :from and bucket < :to group by {kept}step"
        ),
        params,
    )
    return [tuple(row) for row in rows]


def counts(
    connection: Connection,
    scope: Scope,
    brand_ids: Sequence[int],
    dimensions: tuple[str, ...],
    window: Window,
    edges: Sequence[int],
) -> list[tuple[tuple[int, ...], int, Sequence[int]]] | None:
    """(group, start of a span within one step, its mentions) of places and teams together, from the index of places.

    `edges` are those of the steps. None where there are too many mentions to look at.
    """
    end = edges[-1] if window.live else min(edges[-1], -(-to_microseconds(window.end) // 1_000_000))
    if to_microseconds(window.end) % 1_000 or _mentions_of_all(connection, brand_ids, (edges[0], end)) > MOST_LOOKED_AT:
        return None
    past_id = _id_at(edges[-1]) if window.live else min(_id_at(edges[-1]), time_id(window.end, 0))
    params: Params = {"first_id": _id_at(edges[0]), "past_id": past_id}
    step = _step_of_id(edges)
    where = f"brand_id in ({marks(params, brand_ids)}) and location_id in ({marks(params, scope.location_ids or ())})"
    # Asked of what is counted, where that is kept apart: it is less than what is looked at.
    for column, chosen in (("team_id", scope.team_ids), ("network_id", scope.network_ids)):
        if chosen is not None and column not in dimensions:
            where += f" and {column} in ({marks(params, chosen)})"
    columns = "".join(f"{name}, " for name in dimensions)
    rows = connection.execute(
        text(
            f"select {columns}{step} as step, count(*) from mention where {where}"  # noqa: S608 - the values are bound
            f" and id >= :first_id and id < :past_id group by {columns}step"
        ),
        params,
    ).all()
    for column, chosen in (("team_id", scope.team_ids), ("network_id", scope.network_ids)):
        if chosen is not None and column in dimensions:
            place, held = dimensions.index(column), set(chosen)
            rows = [row for row in rows if row[place] in held]
    count = len(dimensions)
    return [(tuple(row[:count]), edges[row[count]], (row[count + 1],)) for row in rows]


def _step_of_id(edges: Sequence[int]) -> str:
    """The number of the step that an id of a mention lies in. Only where clocks change are steps not of one length."""
    lengths = [after - before for before, after in pairwise(edges)]
    runs = [n for n in range(len(lengths)) if n == 0 or lengths[n] != lengths[n - 1]]
    cases = [
        (edges[past], f"{n} + (id - {_id_at(edges[n])}) / {_ids_in(lengths[n])}" if past > n + 1 else str(n))
        for n, past in pairwise([*runs, len(lengths)])
    ]
    if len(cases) == 1:
        return cases[0][1]
    told = " ".join(f"when id < {_id_at(end)} then {step}" for end, step in cases[:-1])
    return f"case {told} else {cases[-1][1]} end"


def pairs_of(connection: Connection, pairs: Sequence[tuple[int, int, int]]) -> Params:
    """The values of the statement that lists brands and places with their teams."""
    if connection.dialect.name == "sqlite":
        return {"pairs": json.dumps(pairs)}
    brands, places, teams = (list(column) for column in zip(*pairs, strict=True))
    return {"pair_brands": brands, "pair_places": places, "pair_teams": teams}


def _of_teams(
    connection: Connection, scope: Scope, brand_ids: Sequence[int], span: tuple[int, int], granularity: int
) -> dict[int, int]:
    """Mentions of the scope's teams by brand, wherever they were made."""
    networks = tuple(network.id for network in NETWORKS) if scope.network_ids is None else scope.network_ids
    params: Params = {"granularity": granularity, "from": span[0], "to": span[1]}
    rows = connection.execute(
        text(
            "select brand_id, cast(sum(mentions) as bigint) from cube"  # noqa: S608 - the values are bound
            f" where brand_id in ({marks(params, brand_ids)}) and granularity = :granularity and location_id = 0"
            f" and team_id in ({marks(params, scope.team_ids or ())}) and network_id in ({marks(params, networks)})"
            " and bucket >= :from and bucket < :to group by brand_id"
        ),
        params,
    )
    return {int(row[0]): int(row[1]) for row in rows}


def _mentions_of_all(connection: Connection, brand_ids: Sequence[int], span: tuple[int, int]) -> int:
    params: Params = {"granularity": DAY, "from": span[0] - LONGEST_DAY, "to": span[1]}
    return int(
        connection.execute(
            text(
                "select coalesce(sum(mentions), 0) from cube"  # noqa: S608 - the values are bound
                f" where brand_id in ({marks(params, brand_ids)}) and granularity = :granularity"
                " and location_id = 0 and team_id = 0 and network_id = 0 and bucket >= :from and bucket < :to"
            ),
            params,
        ).scalar_one()
    )


def _id_at(seconds: int) -> int:
    return time_id(EPOCH + timedelta(seconds=seconds), 0)


def _ids_in(seconds: int) -> int:
    return time_id(EARLIEST + timedelta(seconds=seconds), 0)
