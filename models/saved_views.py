"""The scopes that a person gave a name: theirs alone, in the order of their names, one of them where they begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from models.database import new_id
from models.errors import InputError, NotFound
from models.tables import saved_view

LONGEST_NAME = 80
LONGEST_SEARCH = 4_000
MOST = 100


@dataclass(frozen=True, slots=True)
class SavedView:
    """A name for an address: `path` and `search`, the part from "?" on. `is_start`: the person begins there."""

    id: int
    name: str
    path: str
    search: str
    is_start: bool

    @property
    def address(self) -> str:
        """Where it leads."""
        return self.path + self.search


def of(connection: Connection, person_id: int) -> tuple[SavedView, ...]:
    """All views of a person, by name."""
    rows = connection.execute(select(saved_view).where(saved_view.c.person_id == person_id))
    return tuple(sorted((_view(row) for row in rows), key=lambda view: (view.name.casefold(), view.name)))


def start_address(connection: Connection, person_id: int) -> str:
    """Where a person begins: the address of their start view, "/" where they chose none."""
    row = connection.execute(
        select(saved_view.c.path, saved_view.c.search).where(
            saved_view.c.person_id == person_id, saved_view.c.is_start.is_(True)
        )
    ).first()
    return "/" if row is None else f"{row.path}{row.search}"


def save(connection: Connection, person_id: int, *, name: str, path: str, search: str, now: datetime) -> SavedView:
    """Give an address a name. InputError for a name that is none or is taken, and for one view too many."""
    name = _named(connection, person_id, name)
    kept = connection.execute(
        select(func.count()).select_from(saved_view).where(saved_view.c.person_id == person_id)
    ).scalar_one()
    if kept >= MOST:
        raise InputError(f"you have {kept} views, the most that are kept; delete one that you no longer use")
    view = SavedView(new_id(now), name, path, _searched(search), is_start=False)
    connection.execute(
        insert(saved_view).values(
            id=view.id,
            person_id=person_id,
            name=view.name,
            path=view.path,
            search=view.search,
            is_start=False,
            created_at=now,
        )
    )
    return view


def readdress(connection: Connection, person_id: int, view_id: int, *, path: str, search: str) -> SavedView:
    """Let a view lead to another address. NotFound for a view that is not this person's."""
    return _change(connection, person_id, view_id, path=path, search=_searched(search))


def rename(connection: Connection, person_id: int, view_id: int, name: str) -> SavedView:
    """Call a view otherwise. NotFound for a view that is not this person's, InputError as in `save`."""
    return _change(connection, person_id, view_id, name=_named(connection, person_id, name, besides=view_id))


def begin_at(connection: Connection, person_id: int, view_id: int) -> SavedView:
    """Let a person begin at this view, and at no other. NotFound for a view that is not this person's."""
    begin_at_command(connection, person_id)
    return _change(connection, person_id, view_id, is_start=True)


def begin_at_command(connection: Connection, person_id: int) -> None:
    """Let a person begin where everybody does."""
    connection.execute(
        saved_view.update()
        .where(saved_view.c.person_id == person_id, saved_view.c.is_start.is_(True))
        .values(is_start=False)
    )


def delete(connection: Connection, person_id: int, view_id: int) -> SavedView:
    """Forget a view; returns what it was. NotFound for a view that is not this person's."""
    view = _found(connection, person_id, view_id)
    connection.execute(saved_view.delete().where(saved_view.c.id == view_id, saved_view.c.person_id == person_id))
    return view


def _change(connection: Connection, person_id: int, view_id: int, **values: Any) -> SavedView:
    _found(connection, person_id, view_id)
    connection.execute(
        saved_view.update().where(saved_view.c.id == view_id, saved_view.c.person_id == person_id).values(**values)
    )
    return _found(connection, person_id, view_id)


def _found(connection: Connection, person_id: int, view_id: int) -> SavedView:
    row = connection.execute(
        select(saved_view).where(saved_view.c.id == view_id, saved_view.c.person_id == person_id)
    ).first()
    if row is None:
        raise NotFound("you have no such view; it may have been deleted in another tab")
    return _view(row)


def _named(connection: Connection, person_id: int, name: str, *, besides: int = 0) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"a view needs a name of 1 to {LONGEST_NAME} printable characters, this one has {len(name)}")
    taken = connection.execute(
        select(saved_view.c.id).where(
            saved_view.c.person_id == person_id, saved_view.c.name == name, saved_view.c.id != besides
        )
    ).first()
    if taken is not None:
        raise InputError(f"you have a view “{name}” already; choose another name, or update that one")
    return name


def _searched(search: str) -> str:
    if len(search) > LONGEST_SEARCH:
        raise InputError(f"the address has {len(search):,} characters after “?”; at most {LONGEST_SEARCH:,} are kept")
    return search


def _view(row: Any) -> SavedView:
    return SavedView(row.id, row.name, row.path, row.search, bool(row.is_start))
