"""The queue of the desk: open cases by the risk of missing their promise, the same for everybody who sees the same.

What is mine of it is found in the browser; a token or a draft never goes through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import attendance
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import frame
from models import case_reading
from models.access import Scope
from models.case_reading import Filters, Queue, QueueRow
from models.networks import BY_ID
from models.organisation import UNKNOWN, Organisation

KEY = "queue"
NAME = "Queue"
# A row shows one line, two on a phone.
TEXT_SHOWN = 160
NAME_SHOWN = 80
MOST = 200
STATES = {
    "new": "new",
    "open": "open",
    "waiting_for_customer": "waits for the customer",
    "resolved": "resolved",
    "dismissed": "dismissed",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What waits, the scope in words, and the organisation whose names stand for its numbers."""

    queue: Queue
    names: Mapping[int, str]
    words: str
    organisation: Organisation
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """At most MOST open cases of the scope, those that wait for the customer and snoozed ones included."""
    found = case_reading.queue(
        connection,
        question.organisation,
        question.anybody,
        filters_of(question.scope, show="all"),
        now=question.now,
        limit=MOST,
    )
    here = attendance.here(connection)
    if here is not None:
        doing = here.of(connection, [item.case.key for item in found.rows], now=question.now)
        found = case_reading.with_presence(found, doing)
    names = case_reading.names_of(connection, (item.case.assigned_to for item in found.rows))
    return Frame(found, names, frame.about(question).words, question.organisation, question.now)


def filters_of(scope: Scope, *, whose: str = "team", show: str = "needs_reply") -> Filters:
    """The scope of the address as cases are asked for; time and words of a search narrow mentions alone."""
    return Filters(
        brand_ids=scope.brand_ids,
        location_ids=scope.location_ids,
        team_ids=scope.team_ids,
        network_ids=scope.network_ids,
        whose=whose,
        show=show,
    )


def draw(found: Frame) -> Props:
    """One row a case; instants in ISO, from which the browser makes countdowns and groups."""
    cases = found.queue.rows
    waiting = [case for case in cases if case.awaiting]
    return {
        "queue-list": {
            "rows": [row(case, found.organisation, found.names) for case in cases],
            "counts": {"team": found.queue.counts.team},
            "more": found.queue.is_part,
            "oldest": _instant(found.queue.oldest_waiting),
            # When this changes, so may what waits for somebody's signature.
            "signs": ",".join(f"{case.case.key}:{case.case.last_event}" for case in waiting),
        },
        "queue-state": frame.NO_STATE,
    }


def row(found: QueueRow, organisation: Organisation, names: Mapping[int, str]) -> dict[str, Any]:
    """A case as one line of the queue; `names` of the people that cases were given to."""
    case = found.case
    network = BY_ID.get(case.network_id)
    shown: dict[str, Any] = {
        "id": str(case.key),
        "n": case.last_event,
        "name": name_of(case.author_name, case.author_handle),
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "text": None if found.text is None else excerpt(found.text),
        "lang": case.language or "",
        "p": case.priority,
        "places": places(case.key.brand_id, case.location_id, organisation),
        "waiting": _instant(case.waiting_since),
        "due": _instant(case.due_at),
    }
    # Most rows have none of these: what is absent costs nothing on the wire.
    if case.snoozed_until is not None:
        shown["snooze"] = case.snoozed_until.isoformat()
    if found.holder is not None and case.claim_expires_at is not None:
        by = {"id": found.holder, "name": found.holder_name or "Somebody", "until": case.claim_expires_at.isoformat()}
        shown["by"] = by
    if case.assigned_to is not None:
        shown |= {"to": case.assigned_to, "toName": names.get(case.assigned_to, "a colleague")}
    if found.doing:
        shown["here"] = [{"id": one.person_id, "name": one.name, "doing": one.doing} for one in found.doing]
    if found.awaiting:
        shown["sign"] = 1
    if case.incident_id is not None:
        shown["incident"] = case.incident_id
    return shown


def name_of(name: str | None, handle: str | None) -> str:
    """Who a case is with."""
    return (name or handle or "Somebody").strip()[:NAME_SHOWN] or "Somebody"


def places(brand_id: int, location_id: int, organisation: Organisation) -> list[str]:
    """Brand, and the location where one is known."""
    names = [organisation.brand_names.get(brand_id, "?")]
    if location_id != UNKNOWN:
        names.append(organisation.location_names.get(location_id, "?"))
    return names


def excerpt(text: str, longest: int = TEXT_SHOWN) -> str:
    """The beginning of a text on one line."""
    plain = " ".join(text.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"


def table(found: Frame) -> Table:
    """The same cases, a row each."""
    organisation = found.organisation
    rows: list[tuple[str | float | datetime | None, ...]] = []
    for item in found.queue.rows:
        case = item.case
        network = BY_ID.get(case.network_id)
        rows.append(
            (
                name_of(case.author_name, case.author_handle),
                network.name if network else "Other",
                organisation.brand_names.get(case.key.brand_id),
                organisation.location_names.get(case.location_id) if case.location_id != UNKNOWN else None,
                organisation.team_names.get(case.team_id) if case.team_id != UNKNOWN else None,
                case.priority,
                STATES[case.state],
                case.waiting_since,
                case.due_at,
                item.holder_name,
                item.text,
            )
        )
    about = f"{found.words}; n = {len(rows)}{', the most urgent of more' if found.queue.is_part else ''}"
    columns = (
        "Customer", "Network", "Brand", "Place", "Team", "Priority", "State", "Waits since", "Due", "Claimed by",
        "Text",
    )  # fmt: skip
    return Table(NAME, about, columns, tuple(rows))


def place() -> Component:
    """The column with its head, an empty list, and the bar for several cases at once."""
    body = html.Div(
        className="queue-body",
        children=[
            html.Div(id="queue-top", className="queue-top"),
            html.Ul(id="queue-list", className="queue-list", tabIndex="0", **{"aria-label": NAME}),
            html.P(id="queue-none", className="queue-none t3", hidden=True),
            html.Div(id="queue-bulk", className="queue-bulk", hidden=True, role="group", **_BULK),
        ],
    )
    return frame.box(KEY, NAME, body, head=False, class_name="desk-queue")


_BULK = {"aria-label": "The ticked cases"}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


PANEL = Panel(
    key=KEY,
    topics=("cases", "replies", "presence", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"search", "window"}),
    table=table,
    reads_cases=True,
)
