"""Which right each address and each callback needs. What is not listed does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.access import ACCOUNTS, ADMIN, AUDIT, DECLARE, DRAFT, PEOPLE, RIGHTS, SEND, SIGN_OFF, SUBMIT, VIEWER, WORK
from models.errors import WatchfloorError

OPEN = "open"
READ = frozenset({"GET", "HEAD"})
CHANGE = frozenset({"POST"})
# No segment begins with a dot, so none is "." or "..", and nothing hidden is served.
_FILE = r"[A-Za-z0-9_@-][A-Za-z0-9_@.-]*"


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` matches a whole decoded path. `right` is open, or one of models/access.py."""

    pattern: re.Pattern[str]
    methods: frozenset[str]
    right: str


def _route(pattern: str, methods: frozenset[str], right: str) -> Route:
    return Route(re.compile(pattern), methods, right)


ROUTES: tuple[Route, ...] = (
    _route(r"/healthz|/readyz", READ, OPEN),
    _route(r"/signin|/signin/link|/signin/over", READ | CHANGE, OPEN),
    _route(r"/signin/company|/signin/company/back", READ, OPEN),
    _route(r"/signin/company/(test|try)", READ, ADMIN),
    _route(r"/signin/done", READ, VIEWER),
    # What the sign-in page is made of, and nothing more.
    _route(r"/assets/(tokens\.css|signin\.css|theme\.js|land\.svg|favicon\.svg)", READ, OPEN),
    _route(r"/signout", READ | CHANGE, VIEWER),
    _route(r"/live/state", READ, VIEWER),
    # What each name needs stands in READS and ACTS below.
    _route(r"/read/[a-z_.-]+", READ | CHANGE, VIEWER),
    _route(r"/act/[a-z_.-]+", CHANGE, VIEWER),
    _route(r"/export/audit", CHANGE, AUDIT),
    _route(rf"/incidents/{_FILE}/report\.pdf", READ, VIEWER),
    _route(r"/_dash-layout|/_dash-dependencies|/_favicon\.ico", READ, VIEWER),
    _route(r"/_dash-update-component", CHANGE, VIEWER),
    _route(rf"/_dash-component-suites(/{_FILE})+", READ, VIEWER),
    _route(rf"/assets(/{_FILE})+", READ, VIEWER),
)

# The pages: each is the same document, and brings the token that changes must carry.
PAGES: tuple[Route, ...] = (
    _route(r"/", READ, VIEWER),
    _route(r"/(brands|locations|teams)", READ, VIEWER),
    _route(rf"/(brand|location|team)/{_FILE}", READ, VIEWER),
    _route(rf"/team/{_FILE}/shifts", READ, VIEWER),
    _route(r"/audience", READ, VIEWER),
    _route(rf"/incidents(/{_FILE}(/report)?)?", READ, VIEWER),
    _route(r"/accounts", READ, VIEWER),
    _route(r"/respond", READ, VIEWER),
    _route(r"/audit", READ, AUDIT),
    _route(r"/admin/setup", READ, ADMIN),
    _route(r"/admin/(brands|locations|teams)", READ, ADMIN),
    _route(r"/admin/sources", READ, ADMIN),
    _route(r"/admin/rules", READ, ADMIN),
    _route(r"/admin/people", READ, PEOPLE),
)

# Paths that a WebSocket may be opened on.
SOCKETS: Mapping[str, str] = {"/live": VIEWER}

# Server callbacks by output, as Dash names them (without the "@..." of a repeated output).
CALLBACKS: dict[str, str] = {
    "..page.children...notices.children...scope-options.data...view.data..": VIEWER,
    "source-done.data": ADMIN,
    "source-form-done.data": ADMIN,
}

# What a browser may read once, and what it may do, by name.
READS: dict[str, str] = {
    "shifts.form": PEOPLE,
    "shifts.mine": VIEWER,
    "shifts.deputies": SIGN_OFF,
    "account": VIEWER,
    "account.could": VIEWER,
    "demo": ADMIN,
    "incident.form": DECLARE,
    "incident.mine": VIEWER,
    "incident.ending": WORK,
    "incident.report": VIEWER,
    "organisation.retiring": ADMIN,
    "people.find": PEOPLE,
    "people.one": PEOPLE,
    "people.choices": PEOPLE,
    "people.look": PEOPLE,
    "rules.rule": ADMIN,
    "rules.preview": ADMIN,
    "rules.brands": ADMIN,
    "table": VIEWER,
    "audience.form": ADMIN,
    "audit.trail": AUDIT,
    "audit.since": AUDIT,
    "audit.counts": AUDIT,
    "audit.choices": AUDIT,
    "audit.row": AUDIT,
    "panels": VIEWER,
    "made": VIEWER,
    "made.kinds": VIEWER,
    "made.rows": VIEWER,
    "alerts": VIEWER,
    "preferences": VIEWER,
    "mention": VIEWER,
    "mention.copies": VIEWER,
    "case": VIEWER,
    "case.version": VIEWER,
    "case.people": WORK,
    "case.presence": DRAFT,
    "queue": VIEWER,
    "replies.asked": SIGN_OFF,
    "reply.checks": DRAFT,
    "reply.canned": DRAFT,
    "corrections": ADMIN,
    "views": VIEWER,
    "log": VIEWER,
    "log.about": VIEWER,
    "since": VIEWER,
}
ACTS: dict[str, str] = {
    "shift.say": WORK,
    "shift.add": PEOPLE,
    "shift.remove": PEOPLE,
    "shift.look": PEOPLE,
    "shift.load": PEOPLE,
    "shift.deputy": SIGN_OFF,
    "account.save": ACCOUNTS,
    "account.connect": ACCOUNTS,
    "account.disconnect": ACCOUNTS,
    # Where somebody may do these, and to which incident, is asked by the rules.
    "incident.declare": DECLARE,
    "incident.line": WORK,
    "incident.update": WORK,
    "incident.task": WORK,
    "incident.task_done": WORK,
    "incident.task_give": WORK,
    "incident.join": WORK,
    "incident.statement": WORK,
    "incident.approve": SIGN_OFF,
    "incident.withdraw": WORK,
    "incident.severity": WORK,
    "incident.outbound": WORK,
    "incident.scope": WORK,
    "incident.extend": WORK,
    "incident.lead": WORK,
    "incident.end": WORK,
    "incident.report_write": WORK,
    "incident.report_sign": WORK,
    "incident.report_finish": WORK,
    "organisation.save": ADMIN,
    "organisation.look": ADMIN,
    "organisation.load": ADMIN,
    "organisation.retire": ADMIN,
    "people.add": PEOPLE,
    "people.give": PEOPLE,
    "people.end": PEOPLE,
    "people.review": PEOPLE,
    "people.deactivate": PEOPLE,
    "people.activate": PEOPLE,
    "people.invite": PEOPLE,
    "people.link": PEOPLE,
    "people.train": PEOPLE,
    "people.load": PEOPLE,
    "demo.hide": ADMIN,
    "demo.show": ADMIN,
    "demo.remove": ADMIN,
    "rules.save": ADMIN,
    "rules.discard": ADMIN,
    "rules.publish": ADMIN,
    "rules.example": ADMIN,
    "rules.pin": ADMIN,
    "rules.unpin": ADMIN,
    "export.csv": VIEWER,
    "export.rows": VIEWER,
    "audience.declare": ADMIN,
    "audit.check": AUDIT,
    "alerts.acknowledge": WORK,
    "preference.put": VIEWER,
    "mention.correct": WORK,
    "mention.hide": WORK,
    "mention.wall": WORK,
    "mention.undo": WORK,
    "case.claim": DRAFT,
    "case.next": DRAFT,
    "case.renew": DRAFT,
    "case.release": DRAFT,
    "case.take": DRAFT,
    # What the step itself needs, a note or more, is asked where the case stands.
    "case.step": WORK,
    "case.bulk": DRAFT,
    "case.undo": DRAFT,
    "reply.save": DRAFT,
    "reply.submit": SUBMIT,
    "reply.confirm": SEND,
    "reply.edit": DRAFT,
    "reply.withdraw": DRAFT,
    "reply.sign": SIGN_OFF,
    "reply.return": SIGN_OFF,
    "reply.native": SEND,
    "reply.arrived": SEND,
    "reply.lost": SEND,
    "view.save": VIEWER,
    "view.update": VIEWER,
    "view.rename": VIEWER,
    "view.start": VIEWER,
    "view.delete": VIEWER,
    "log.add": WORK,
    "log.sign": WORK,
}

_REPEATED = re.compile(r"@[0-9a-f]+")


class RightsError(WatchfloorError):
    """A callback is registered for which no right is declared, or the reverse."""


def route_for(path: str) -> Route | None:
    """The first route that matches; None = there is no such page."""
    return next((route for route in (*PAGES, *ROUTES) if route.pattern.fullmatch(path)), None)


def is_page(path: str) -> bool:
    """Whether a path is the address of a page."""
    return any(page.pattern.fullmatch(path) for page in PAGES)


def right_of_callback(output: str) -> str | None:
    """The right that a callback needs; None = no such callback."""
    return CALLBACKS.get(callback_name(output))


def callback_name(output: str) -> str:
    """A callback's name in the table: its output, without what tells repeated outputs apart."""
    return _REPEATED.sub("", output)


def check_asks(reads: Iterable[str], acts: Iterable[str]) -> None:
    """Refuse to start when what may be asked for and the tables differ."""
    faults = []
    for kind, there, declared in (("read", set(reads), READS), ("act", set(acts), ACTS)):
        faults += [f'{kind} "{name}" has no right in dashboard/rights.py' for name in sorted(there - set(declared))]
        faults += [f'dashboard/rights.py: no {kind} "{name}"' for name in sorted(set(declared) - there)]
        faults += [
            f'dashboard/rights.py: {kind} "{name}" needs "{right}"; known: {", ".join(RIGHTS)}'
            for name, right in sorted(declared.items())
            if right not in RIGHTS
        ]
    if faults:
        raise RightsError("; ".join(faults))


def check_callbacks(app: Any) -> None:
    """Refuse to start when the callbacks of a Dash app and the table differ. Ask after Dash has been set up."""
    registered = {callback_name(output) for output, entry in app.callback_map.items() if "callback" in entry}
    faults = [f'callback "{name}" has no right in dashboard/rights.py' for name in sorted(registered - set(CALLBACKS))]
    faults += [f'dashboard/rights.py: no callback "{name}"' for name in sorted(set(CALLBACKS) - registered)]
    faults += [
        f'dashboard/rights.py: callback "{name}" needs "{right}"; known: {", ".join(RIGHTS)}'
        for name, right in sorted(CALLBACKS.items())
        if right not in RIGHTS
    ]
    if faults:
        raise RightsError("; ".join(faults))
