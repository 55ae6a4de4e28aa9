"""The after-action report: figures are filled in, words are written by people, who signs what stands there is kept.

The only writer of `incident_report`. A changed word voids every signature. A final report keeps the figures as they
were then: later corrections of counts do not rewrite what people have signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, update

from models.access import DECLARE, Access
from models.errors import AccessDenied, InputError
from models.incident_deeds import Did, promises, who_did_what
from models.incident_figures import Curve, Said, Work, curve, narratives, said, work
from models.incident_reading import Incident, Line, one, scope_words, timeline
from models.incident_statements import quoted_by, versions
from models.incident_writing import audited, clean, is_on_it, locked, may_in, wake
from models.organisation import Organisation
from models.tables import incident_report, person

LONGEST = 5_000
LONGEST_ITEM = 500
LONGEST_OWNER = 120
MOST_ITEMS = 30
MOST_SIGNERS = 8


@dataclass(frozen=True, slots=True)
class Change:
    """What changes from now on: who does it, until which day (YYYY-MM-DD, "" = no day is set), whether it is done."""

    text: str
    owner: str
    due: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What people wrote. `signers` are asked to sign beside its lead."""

    happened: str = ""
    well: tuple[str, ...] = ()
    badly: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    signers: tuple[int, ...] = ()

    @property
    def hash(self) -> str:
        """Names what was signed."""
        return hashlib.sha256(json.dumps(_WORDS.dump_python(self, mode="json"), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signed:
    """One line for a signature; `at` is None while it is not there."""

    person_id: int
    name: str
    part: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Narrative:
    """What was said: a term, its share (0..1) of the texts looked at, net sentiment, seen / expected."""

    term: str
    texts: int
    share: float
    net: float | None
    times: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """A version of the statement, and in how many sent replies it stands."""

    version: int
    text: str
    state: str
    author: str
    in_use_at: datetime | None
    approved_by: str | None
    withdrawn_at: datetime | None
    replies: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is filled in, as known `at`. `met` and `missed` are promises to answer; `texts` the base of narratives."""

    at: datetime
    scope: tuple[str, ...]
    curve: Curve
    said: Said
    work: Work
    met: int
    missed: int
    narratives: tuple[Narrative, ...]
    texts: int
    texts_are_part: bool
    steps: int
    timeline: tuple[Line, ...]
    people: tuple[Did, ...]
    statements: tuple[Told, ...]

    @property
    def kept_share(self) -> float | None:
        """Promises kept of those decided, 0..1."""
        return self.met / (self.met + self.missed) if self.met + self.missed else None


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `is_final`: neither words nor figures change any more."""

    incident: Incident
    figures: Figures
    words: Words = field(default_factory=Words)
    signed: tuple[Signed, ...] = ()
    is_final: bool = False
    changed_at: datetime | None = None


_WORDS = TypeAdapter(Words)
_FIGURES = TypeAdapter(Figures)


def figures(
    connection: Connection, organisation: Organisation, who: Access, found: Incident, *, now: datetime
) -> Figures:
    """What can be counted of an incident, in the part of it that this person sees."""
    topics = narratives(connection, organisation, who, found, now=now)
    kept = promises(connection, organisation, who, found, now=now)
    lines = timeline(connection, found.id)
    written = versions(connection, found.id)
    quoted = quoted_by(connection, found, written, now)
    return Figures(
        at=now,
        scope=scope_words(found.scope, organisation),
        curve=curve(connection, organisation, who, found, now=now),
        said=said(connection, organisation, who, found, now=now),
        work=work(connection, organisation, who, found, now=now),
        met=kept.met,
        missed=kept.missed,
        narratives=tuple(
            Narrative(
                topic.score.term,
                topic.score.said.texts,
                topic.score.said.texts / topics.texts if topics.texts else 0.0,
                topic.score.net_sentiment,
                topic.score.times,
            )
            for topic in topics.rising
        ),
        texts=topics.texts,
        texts_are_part=topics.is_part,
        steps=len(lines),
        timeline=tuple(reversed(lines)),
        people=who_did_what(connection, organisation, who, found, now=now),
        statements=tuple(
            Told(
                item.version,
                item.text,
                item.state,
                item.author,
                item.in_use_at,
                item.approved_by,
                item.withdrawn_at,
                quoted.get(item.version, 0),
            )
            for item in reversed(written)
        ),
    )


def report(
    connection: Connection, organisation: Organisation, who: Access, incident_id: int, *, now: datetime
) -> Report:
    """The report as it stands; NotFound. While the incident goes on it says what is known so far."""
    found = one(connection, organisation, who, incident_id)
    row = connection.execute(select(incident_report).where(incident_report.c.incident_id == incident_id)).first()
    if row is None:
        counted = figures(connection, organisation, who, found, now=now)
        return Report(found, counted, signed=_lines(connection, found, Words(), []))
    words = _WORDS.validate_python(row.words["words"])
    kept = row.words.get("figures")
    # What was kept is what everybody signed: whoever sees a part of the scope only gets the part, counted anew.
    counted = (
        _FIGURES.validate_python(kept)
        if kept is not None and sees_whole(who, organisation, found)
        else figures(connection, organisation, who, found, now=now)
    )
    signed = _lines(connection, found, words, row.signed)
    return Report(found, counted, words, signed, row.is_final, row.changed_at)


def sees_whole(who: Access, organisation: Organisation, found: Incident) -> bool:
    """Whether nothing of its scope is kept from somebody."""
    return who.sees_all or may_in(who, organisation, found.scope, "viewer")


def write_words(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    words: Words,
    *,
    now: datetime,
) -> None:
    """Put these words in place of what stood there; every signature is void. AccessDenied, InputError, NotFound."""
    found = _writable(connection, organisation, who, incident_id)
    given = _checked(connection, words)
    row = _row(connection, found.id)
    before = Words() if row is None else _WORDS.validate_python(row.words["words"])
    if row is not None and given.hash == before.hash:
        return
    values = {
        "words": {"words": _WORDS.dump_python(given, mode="json")},
        "signed": [],
        "is_final": False,
        "changed_at": now,
    }
    if row is None:
        connection.execute(insert(incident_report).values(incident_id=found.id, **values))
    else:
        connection.execute(update(incident_report).where(incident_report.c.incident_id == found.id).values(**values))
    details = {
        "before": {"words": before.hash},
        "after": {"words": given.hash},
        "void": 0 if row is None else len(row.signed),
    }
    audited(connection, who, found.id, "incident.report_written", now, details)
    wake(connection, organisation, found.scope)


def sign(
    connection: Connection,
    organisation: Organisation,
    who: Access,
    incident_id: int,
    *,
    words_hash: str,
    now: datetime,
) -> None:
    """Sign the words as they stand. AccessDenied for who is not asked to, InputError where they changed meanwhile."""
    locked(connection, incident_id)
    found = one(connection, organisation, who, incident_id)
    _require_over(found)
    row = _row(connection, found.id)
    words = Words() if row is None else _WORDS.validate_python(row.words["words"])
    if row is None or not words.happened:
        raise InputError("nobody has written yet what happened; there is nothing to sign")
    if row.is_final:
        raise InputError(f"the report of {found.label} is final")
    if words.hash != words_hash:
        raise InputError("the report was changed since you read it; read it again, then sign")
    if who.person_id not in _signers(found, words):
        raise AccessDenied(f"you are not asked to sign the report of {found.label}; its lead can ask you")
    if any(item["person_id"] == who.person_id for item in row.signed):
        raise InputError("you have signed it already")
    signed = [*row.signed, {"person_id": who.person_id, "name": who.name, "at": now.isoformat(), "hash": words.hash}]
    connection.execute(
        update(incident_report).where(incident_report.c.incident_id == found.id).values(signed=signed, changed_at=now)
    )
    audited(connection, who, found.id, "incident.report_signed", now, {"words": words.hash})
    wake(connection, organisation, found.scope)


def finish(connection: Connection, organisation: Organisation, who: Access, incident_id: int, *, now: datetime) -> None:
    """Make it final: its lead has signed, and the figures are kept as they are now. Unsigned lines stay visible."""
    found = _writable(connection, organisation, who, incident_id)
    row = _row(connection, found.id)
    if row is None or not any(item["person_id"] == found.lead_id for item in row.signed):
        raise InputError("its lead has not signed it yet; a report becomes final after that")
    if not sees_whole(who, organisation, found):
        raise AccessDenied("you see a part of its scope only; somebody who sees all of it makes the report final")
    counted = figures(connection, organisation, who, found, now=now)
    words = {**row.words, "figures": _FIGURES.dump_python(counted, mode="json")}
    connection.execute(
        update(incident_report)
        .where(incident_report.c.incident_id == found.id)
        .values(words=words, is_final=True, changed_at=now)
    )
    details = {"signed": len(row.signed), "before": {"is_final": False}, "after": {"is_final": True}}
    audited(connection, who, found.id, "incident.report_final", now, details)
    wake(connection, organisation, found.scope)


def may_write(connection: Connection, organisation: Organisation, who: Access, found: Incident) -> bool:
    """Who is on it, and who may declare one in its scope."""
    return is_on_it(connection, found.id, who.person_id) or may_in(who, organisation, found.scope, DECLARE)


# -- inside ------------------------------------------------------------------------------------------------


def _writable(connection: Connection, organisation: Organisation, who: Access, incident_id: int) -> Incident:
    locked(connection, incident_id)
    found = one(connection, organisation, who, incident_id)
    _require_over(found)
    if not may_write(connection, organisation, who, found):
        raise AccessDenied(f"you are not on {found.label}; its lead can put you on it")
    row = _row(connection, found.id)
    if row is not None and row.is_final:
        raise InputError(f"the report of {found.label} is final")
    return found


def _require_over(found: Incident) -> None:
    if found.ended_at is None:
        raise InputError(f"{found.label} goes on; its report is written when it is over")


def _row(connection: Connection, incident_id: int) -> Any:
    return connection.execute(select(incident_report).where(incident_report.c.incident_id == incident_id)).first()


def _checked(connection: Connection, words: Words) -> Words:
    signers = tuple(dict.fromkeys(words.signers))
    for what, items in (("went well", words.well), ("went badly", words.badly), ("changes", words.changes)):
        if len(items) > MOST_ITEMS:
            raise InputError(f"what {what} has {len(items)} lines; at most {MOST_ITEMS} fit")
    if len(signers) > MOST_SIGNERS:
        raise InputError(f"{len(signers)} people are asked to sign; at most {MOST_SIGNERS} can be")
    known = set(connection.execute(select(person.c.id).where(person.c.id.in_(signers))).scalars())
    if set(signers) - known:
        raise InputError("one of those who are asked to sign is nobody of ours")
    return Words(
        happened=clean(words.happened, "what happened", LONGEST),
        well=tuple(clean(item, "a line of what went well", LONGEST_ITEM) for item in words.well),
        badly=tuple(clean(item, "a line of what went badly", LONGEST_ITEM) for item in words.badly),
        changes=tuple(_changed(item) for item in words.changes),
        signers=signers,
    )


def _changed(item: Change) -> Change:
    if item.due:
        try:
            datetime.strptime(item.due, "%Y-%m-%d")  # noqa: DTZ007 - a day, in whatever zone
        except ValueError as error:
            raise InputError(f'due "{item.due[:20]}": a day as 2026-11-26 is needed') from error
    owner = clean(item.owner, "who does it", LONGEST_OWNER)
    return Change(clean(item.text, "what changes", LONGEST_ITEM), owner, item.due, item.done)


def _signers(found: Incident, words: Words) -> tuple[int, ...]:
    return tuple(dict.fromkeys((found.lead_id, *words.signers)))


def _lines(
    connection: Connection, found: Incident, words: Words, signed: Sequence[Mapping[str, Any]]
) -> tuple[Signed, ...]:
    asked = _signers(found, words)
    named = connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(asked)))
    names = {row.id: row.name for row in named}
    at = {item["person_id"]: datetime.fromisoformat(item["at"]) for item in signed}
    return tuple(
        Signed(one, names.get(one, "Somebody"), "lead" if one == found.lead_id else "asked to sign", at.get(one))
        for one in asked
    )
