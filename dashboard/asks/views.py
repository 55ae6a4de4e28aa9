"""A person's saved views: what they are, and what is done with them. Nobody else sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from models import saved_views
from models.errors import InputError
from models.saved_views import SavedView


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Every view of the one who asks as {id, name, path, search, start}, and the address they begin at."""
    person_id = asked.access.person_id
    return {
        "views": [_said(view) for view in saved_views.of(connection, person_id)],
        "start": saved_views.start_address(connection, person_id),
    }


def save(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Keep the address of the page under `name`; with `start` the one who asks begins there from now on."""
    path, search = _address(asked)
    person_id = asked.access.person_id
    view = saved_views.save(
        connection, person_id, name=asked.text("name", longest=400), path=path, search=search, now=asked.now
    )
    if asked.flag("start"):
        view = saved_views.begin_at(connection, person_id, view.id)
    return {"words": f"Saved as “{view.name}”.", "view": _said(view)}


def update(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Let the view `id` lead to the address of the page."""
    path, search = _address(asked)
    view = saved_views.readdress(connection, asked.access.person_id, asked.number("id"), path=path, search=search)
    return {"words": f"“{view.name}” leads here now.", "view": _said(view)}


def rename(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Call the view `id` by another `name`."""
    view = saved_views.rename(connection, asked.access.person_id, asked.number("id"), asked.text("name", longest=400))
    return {"words": f"It is called “{view.name}” now.", "view": _said(view)}


def start(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Begin at the view `id` from now on; at Command where `id` is empty."""
    if not asked.given.get("id"):
        saved_views.begin_at_command(connection, asked.access.person_id)
        return {"words": "You begin at Command now."}
    view = saved_views.begin_at(connection, asked.access.person_id, asked.number("id"))
    return {"words": f"You begin at “{view.name}” now: after signing in, and by the sign at the top left."}


def delete(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Forget the view `id`; answers with what it was, so that it can be brought back."""
    view = saved_views.delete(connection, asked.access.person_id, asked.number("id"))
    return {"words": f"“{view.name}” is deleted.", "view": _said(view)}


def _address(asked: Asked) -> tuple[str, str]:
    """The page that is looked at: it exists, and the one who asks may see it, or this is not reached."""
    asked.asked()
    if asked.address is None:
        raise InputError("say which page to keep: path and search")
    return asked.address.path, asked.text("search", longest=saved_views.LONGEST_SEARCH)


def _said(view: SavedView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "name": view.name,
        "path": view.path,
        "search": view.search,
        "start": view.is_start,
    }


READS: dict[str, Read] = {"views": read}
ACTS: dict[str, Act] = {
    "view.save": save,
    "view.update": update,
    "view.rename": rename,
    "view.start": start,
    "view.delete": delete,
}
