"""Incidents as people handle them: declared, worked on, ended, told. Rules and rights are those of models/incident*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from dashboard.asks.ask import Act, Asked, Read
from dashboard.asks.incident_given import (
    MOST_KEYS,
    changes,
    declared_from,
    instant_in,
    listed,
    minutes,
    scope_of,
    somebody,
    texts,
    whole,
)
from models import (
    incident_changes,
    incident_ending,
    incident_reading,
    incident_report,
    incident_statements,
    incident_tasks,
    incidents,
)
from models.access import DECLARE, SIGN_OFF
from models.errors import InputError
from models.incident_ending import Ending
from models.incident_reading import Incident
from models.incident_report import Words
from models.incident_writing import LONGEST_NAME, LONGEST_TEXT, is_on_it, may_in
from models.tables import person

MOST_PEOPLE = 500


# -- reading -----------------------------------------------------------------------------------------------


def form(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What the dialog for declaring needs beside the scope: who can have the lead, and who asks."""
    return {"people": _people(connection), "me": asked.access.person_id}


def mine(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What this person may do with an incident, and whom it can be given to. NotFound."""
    found, who, organisation = _one(connection, asked), asked.access, asked.organisation
    may_declare = may_in(who, organisation, found.scope, DECLARE)
    may_work = may_declare or is_on_it(connection, found.id, who.person_id)
    goes_on = found.is_open(asked.now)
    return {
        "me": who.person_id,
        "name": who.name,
        "work": goes_on and may_work,
        "lead": goes_on and (may_declare or found.lead_id == who.person_id),
        "approve": goes_on and may_work and may_in(who, organisation, found.scope, SIGN_OFF),
        "people": _people(connection) if may_work else [],
        "outbound": dict(incident_reading.OUTBOUND),
    }


def ending(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What has to be decided before it can end."""
    found = _one(connection, asked)
    asks = incident_ending.questions(connection, found, asked.organisation)
    return {
        "statement": None
        if asks.statement is None
        else {"version": asks.statement.version, "label": asks.statement.label, "text": asks.statement.text},
        "drafts": [item.label for item in asks.drafts],
        "awaiting": asks.awaiting,
        "approved": asks.approved,
        "held": dict(incident_ending.HELD),
        "tasks": [
            {"n": task.number, "text": task.text, "owner": task.owner_id, "name": task.owner}
            for task in asks.open_tasks
        ],
    }


def report(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The words of the report for who writes or signs them; figures stand on its page."""
    told = incident_report.report(connection, asked.organisation, asked.access, asked.number("id"), now=asked.now)
    may_write = incident_report.may_write(connection, asked.organisation, asked.access, told.incident)
    mine_unsigned = any(one.person_id == asked.access.person_id and one.at is None for one in told.signed)
    over = told.incident.ended_at is not None
    return {
        "happened": told.words.happened,
        "well": list(told.words.well),
        "badly": list(told.words.badly),
        "changes": [
            {"text": one.text, "owner": one.owner, "due": one.due, "done": one.done} for one in told.words.changes
        ],
        "signers": list(told.words.signers),
        "hash": told.words.hash,
        "people": _people(connection) if may_write else [],
        "lead": told.incident.lead_id,
        "write": over and may_write and not told.is_final,
        "sign": over and not told.is_final and mine_unsigned and bool(told.words.happened),
        "finish": over
        and may_write
        and not told.is_final
        and any(one.person_id == told.incident.lead_id and one.at is not None for one in told.signed),
    }


# -- doing -------------------------------------------------------------------------------------------------


def declare(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Declare one; from then on outbound in its scope is held."""
    found = incidents.declare(
        connection,
        asked.organisation,
        asked.access,
        name=asked.text("name", longest=LONGEST_NAME + 1),
        severity=asked.number("severity"),
        scope=scope_of(asked),
        reason=asked.text("reason", longest=LONGEST_TEXT + 1),
        lead_id=asked.number("lead"),
        expires_at=asked.now + timedelta(minutes=minutes(asked, "runs_minutes") or 0),
        outbound=asked.text("outbound", longest=32),
        next_update_at=instant_in(asked, "next_minutes"),
        declared_from=declared_from(asked),
        now=asked.now,
    )
    held = incident_reading.OUTBOUND[found.outbound]
    return {"words": f"{found.label} is declared: in its scope {held}.", "id": found.id}


def line(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Add a note, a decision or evidence."""
    kind = asked.text("kind", longest=16)
    text = asked.text("text", longest=LONGEST_TEXT + 1)
    href = asked.text("href", longest=500) or None
    _do(incident_changes.write_line, connection, asked, kind, text, href=href)
    return {"words": "It stands in the timeline."}


def update(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What the public was told, and when it hears more."""
    text = asked.text("text", longest=LONGEST_TEXT + 1)
    next_at = instant_in(asked, "next_minutes")
    _do(incident_changes.public_update, connection, asked, text, next_update_at=next_at)
    if next_at is None:
        return {"words": "Noted; nothing further is promised."}
    return {"words": f"Noted; the next update is due {_clock(asked, next_at)}."}


def task(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Add a task."""
    text = asked.text("text", longest=incident_tasks.LONGEST + 1)
    due_at = instant_in(asked, "due_minutes")
    number = _do(incident_tasks.add, connection, asked, text, owner_id=somebody(asked, "owner"), due_at=due_at)
    return {"words": f"Task {number} is added."}


def task_done(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Tick a task."""
    number = asked.number("task")
    _do(incident_tasks.finish, connection, asked, number)
    return {"words": f"Task {number} is done."}


def task_give(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Say whose a task is; until when it is due stays, unless that is given."""
    number, found = asked.number("task"), _one(connection, asked)
    kept = next((one.due_at for one in incident_tasks.tasks(connection, found.id) if one.number == number), None)
    due_at = instant_in(asked, "due_minutes") or kept
    _do(incident_tasks.give, connection, asked, number, owner_id=somebody(asked, "owner"), due_at=due_at)
    return {"words": f"Task {number} is given."}


def join(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Put somebody on it."""
    _do(incident_changes.join, connection, asked, asked.number("person"), asked.text("part", longest=200))
    return {"words": "They are on it."}


def statement(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Write the next version."""
    text = asked.text("text", longest=incident_statements.LONGEST + 1)
    made = _do(incident_statements.write, connection, asked, text)
    return {"words": f"{made.label} is written; somebody else approves it."}


def approve(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Put a version into use."""
    made = _do(incident_statements.approve, connection, asked, asked.number("version"))
    return {"words": f"{made.label} is in use; drafts that quote an older one are marked."}


def withdraw(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take a version out of use."""
    made = _do(incident_statements.withdraw, connection, asked, asked.number("version"), reason=_reason(asked))
    return {"words": f"{made.label} is withdrawn."}


def severity(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Raise or lower it."""
    _do(incident_changes.change_severity, connection, asked, asked.number("severity"), reason=_reason(asked))
    return {"words": f"Severity {asked.number('severity')} from now on."}


def outbound(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Hold back more or less."""
    wanted = asked.text("outbound", longest=32)
    _do(incident_changes.change_outbound, connection, asked, wanted, reason=_reason(asked))
    return {"words": f"From now on {incident_reading.OUTBOUND[wanted]}."}


def scope(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Widen or narrow it."""
    _do(incident_changes.change_scope, connection, asked, scope_of(asked), reason=_reason(asked))
    return {"words": "The scope is changed, and that is written down."}


def extend(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Set anew until when it runs."""
    until = asked.now + timedelta(minutes=minutes(asked, "runs_minutes") or 0)
    _do(incident_changes.extend, connection, asked, until, reason=_reason(asked))
    return {"words": f"It runs until {_clock(asked, until)}."}


def lead(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Give the lead away."""
    note = asked.text("reason", longest=LONGEST_TEXT + 1)
    _do(incident_changes.hand_over, connection, asked, asked.number("person"), note=note)
    return {"words": "The lead is handed over."}


def end(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """End it; its report can be written then."""
    given = asked.given.get("tasks", {})
    if not isinstance(given, dict) or len(given) > MOST_KEYS:
        raise InputError("tasks: numbers of tasks with the person who gets each are needed")
    tasks = {whole(number, "tasks"): whole(owner, "tasks") for number, owner in given.items()}
    version = asked.number("statement") if asked.given.get("statement") not in (None, "") else None
    decided = Ending(_reason(asked), asked.text("held", longest=32), version, tasks)
    found = _do(incident_ending.end, connection, asked, decided)
    return {"words": f"{found.label} is over; nothing is held any more.", "report": f"/incidents/{found.id}/report"}


def report_write(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Write the words of the report."""
    words = Words(
        happened=asked.text("happened"),
        well=tuple(texts(asked, "well")),
        badly=tuple(texts(asked, "badly")),
        changes=tuple(changes(asked)),
        signers=tuple(whole(one, "signers") for one in listed(asked, "signers")),
    )
    _do(incident_report.write_words, connection, asked, words)
    return {"words": "The report is kept; who signed before is asked again if a word changed."}


def report_sign(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Sign it as it stands."""
    _do(incident_report.sign, connection, asked, words_hash=asked.text("hash", longest=64))
    return {"words": "You have signed the report."}


def report_finish(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Make it final."""
    _do(incident_report.finish, connection, asked)
    return {"words": "The report is final; its figures are kept as they are now."}


# -- what was given ----------------------------------------------------------------------------------------


def _do(change: Callable[..., Any], connection: Connection, asked: Asked, *given: Any, **named: Any) -> Any:
    return change(connection, asked.organisation, asked.access, asked.number("id"), *given, now=asked.now, **named)


def _one(connection: Connection, asked: Asked) -> Incident:
    return incident_reading.one(connection, asked.organisation, asked.access, asked.number("id"))


def _reason(asked: Asked) -> str:
    return asked.text("reason", longest=LONGEST_TEXT + 1)


def _clock(asked: Asked, at: datetime) -> str:
    local, today = at.astimezone(asked.organisation.zone_info), asked.now.astimezone(asked.organisation.zone_info)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%a %-d %b, %H:%M}"


def _people(connection: Connection) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(person.c.id, person.c.name)
        .where(person.c.disabled_at.is_(None))
        .order_by(person.c.name)
        .limit(MOST_PEOPLE)
    )
    return [{"id": row.id, "name": row.name} for row in rows]


READS: dict[str, Read] = {
    "incident.form": form,
    "incident.mine": mine,
    "incident.ending": ending,
    "incident.report": report,
}
ACTS: dict[str, Act] = {
    "incident.declare": declare,
    "incident.line": line,
    "incident.update": update,
    "incident.task": task,
    "incident.task_done": task_done,
    "incident.task_give": task_give,
    "incident.join": join,
    "incident.statement": statement,
    "incident.approve": approve,
    "incident.withdraw": withdraw,
    "incident.severity": severity,
    "incident.outbound": outbound,
    "incident.scope": scope,
    "incident.extend": extend,
    "incident.lead": lead,
    "incident.end": end,
    "incident.report_write": report_write,
    "incident.report_sign": report_sign,
    "incident.report_finish": report_finish,
}
