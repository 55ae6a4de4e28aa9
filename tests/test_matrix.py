"""Who gets what: every read, act, page, route, callback and push by every role.

For a row of another brand and for no row at all the answers must be alike word for word, and nothing that stands in the
other brand may come out anywhere. What is new in dashboard/rights.py is covered as soon as SAMPLES says how it names a
row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select
from websockets import Origin
from websockets.sync.client import connect

from dashboard import rights
from dashboard import scope as url_scope
from dashboard.asks import ACTS, serving
from dashboard.panel import Panel, Question
from dashboard.views import VIEWS, by_path
from dashboard.web import SCREEN
from models import identity, organisation, people, roles
from models.access import ADMIN, ROLES, UNLIMITED, VIEWER, Access
from models.database import Database, new_id
from models.errors import NotFound, WatchfloorError
from models.organisation import Organisation
from models.settings import Settings
from models.tables import account, alert, desk_case, incident, log_entry, membership, mention, person, reply, saved_view
from models.tables import shift_pattern as pattern
from tests.builders import BANK_DESK, CORVANE, EMEA_CARE, HALDEN
from tests.case_desk import arrive, open_desk, said
from tests.empty import empty_database
from tests.serving import Served, served, subscribe
from tests.test_gate import FORGED

# In every text of the brand that the limited roles do not see; and the name of somebody who works there alone.
SECRET = "zanzibar"
STRANGER = "yolanda"
LIMITED = tuple(role for role in ROLES if role not in UNLIMITED)
X = 2
# Numbers that stand for nothing else in an answer.
STRANGER_ID, ROLE_ID, ACCOUNT_ID, SHIFT_ID, INCIDENT_ID = 47_101, 47_102, 47_103, 47_104, 47_105
SETTINGS = Settings(home=Path("/nonexistent"), secret_key=SecretStr("k" * 43 + "="))


SETTINGS = Settings()


@dataclass(frozen=True)
class Row:
    """How one row of each kind is named."""

    brand: int
    brand_key: str
    case: str
    mention: int
    reply: int
    account: int
    alert: str
    person: int
    role: int
    view: int
    shift: int
    incident: int


Sample = Callable[[Row], Mapping[str, Any]]


def no_row(**given: Any) -> Sample:
    """It names no row of a brand: what it answers is only looked through for what must not be in it."""
    return lambda row: given


def page(sample: Sample, path: str = "/") -> Sample:
    """The same, asked from a page."""
    return lambda row: {"path": path, "search": "", **sample(row)}


def _of_brand(row: Row) -> dict[str, Any]:
    return {"path": "/", "search": f"?brand={row.brand_key}", "panel": "volume", "metric": "mentions"}


def _case(row: Row, **more: Any) -> dict[str, Any]:
    return {"case": row.case, "token": "t" * 43, "event": 1, **more}


def _reply(row: Row, **more: Any) -> dict[str, Any]:
    return _case(row, reply=str(row.reply), hash="0" * 64, reason="because", **more)


def _mention(row: Row, **more: Any) -> dict[str, Any]:
    return {"brand": row.brand, "id": str(row.mention), **more}


def _person(row: Row, **more: Any) -> dict[str, Any]:
    return {"person": row.person, **more}


def _incident(row: Row, **more: Any) -> dict[str, Any]:
    named = {"id": row.incident, "text": "Hello", "reason": "because", "person": 1, "outbound": "manager", "lead": 1}
    return {**named, "runs_minutes": 60, **more}


FILE = "email,name\nnew@meridian.example,New\n"
SAMPLES: dict[str, Sample] = {
    # -- reads
    "account": lambda row: {"id": row.account},
    "account.could": lambda row: {"id": row.account, "day": "2026-11-19"},
    "alerts": _of_brand,
    "case": lambda row: {"case": row.case},
    "case.people": lambda row: {"case": row.case},
    "case.presence": lambda row: _case(row, doing="looking"),
    "case.version": lambda row: {"case": row.case},
    "reply.canned": lambda row: {"case": row.case},
    "log": no_row(),
    "log.about": no_row(),
    "made": _of_brand,
    "made.kinds": _of_brand,
    "made.rows": _of_brand,
    "mention": _mention,
    "mention.copies": _mention,
    "panels": _of_brand,
    "people.choices": no_row(),
    "people.find": no_row(q=STRANGER),
    "people.look": no_row(content=FILE),
    "people.one": lambda row: {"id": row.person},
    "preferences": no_row(),
    "queue": page(no_row(tab="all", show="all"), "/respond"),
    "reply.checks": lambda row: _case(row, text="Hello", account=row.account),
    "replies.asked": page(no_row(), "/respond"),
    "shifts.deputies": page(no_row(), "/respond"),
    "shifts.form": no_row(path="/team/emea-care/shifts", search=""),
    "shifts.mine": no_row(),
    "since": page(no_row()),
    "table": _of_brand,
    "views": no_row(),
    "incident.form": no_row(),
    "incident.mine": _incident,
    "incident.ending": _incident,
    "incident.report": _incident,
    # -- acts
    "incident.declare": lambda row: _incident(row, name="Fire", severity=1, brands=[row.brand_key]),
    "incident.line": lambda row: _incident(row, kind="note"),
    "incident.update": _incident,
    "incident.task": _incident,
    "incident.task_done": lambda row: _incident(row, task=1),
    "incident.task_give": lambda row: _incident(row, task=1),
    "incident.join": lambda row: _incident(row, part="desk"),
    "incident.statement": _incident,
    "incident.approve": lambda row: _incident(row, version=1),
    "incident.withdraw": lambda row: _incident(row, version=1),
    "incident.severity": lambda row: _incident(row, severity=2),
    "incident.outbound": _incident,
    "incident.scope": lambda row: _incident(row, brands=["corvane"]),
    "incident.extend": lambda row: _incident(row, runs_minutes=60),
    "incident.lead": _incident,
    "incident.end": lambda row: _incident(row, held="release"),
    "incident.report_write": lambda row: _incident(row, happened="It burnt."),
    "incident.report_sign": lambda row: _incident(row, hash="0" * 64),
    "incident.report_finish": _incident,
    "account.save": lambda row: {"id": row.account, "purpose": "Care"},
    "account.connect": lambda row: {"id": row.account, "secrets": {"access_token": "x" * 20}},
    "account.disconnect": lambda row: {"id": row.account, "reason": "gone"},
    "alerts.acknowledge": lambda row: {"id": row.alert},
    "case.bulk": lambda row: {"cases": [row.case], "step": "dismiss", "details": {"reason": "noise"}},
    "case.claim": _case,
    "case.next": page(no_row(), "/respond"),
    "case.release": _case,
    "case.renew": _case,
    "case.step": lambda row: _case(row, step="note", details={"words": "Hello"}),
    "case.take": lambda row: _case(row, reason="because"),
    "case.undo": lambda row: {"done": [[row.case, 1]]},
    "export.csv": _of_brand,
    "export.rows": _of_brand,
    "log.add": lambda row: {"text": "Hello", "about": row.brand_key},
    "log.sign": no_row(up_to="1"),
    "mention.correct": lambda row: _mention(row, field="sentiment", value="negative"),
    "mention.hide": _mention,
    "mention.undo": lambda row: _mention(row, hidden=f"{row.brand}-{row.mention}"),
    "mention.wall": lambda row: _mention(row, on=True),
    "people.activate": _person,
    "people.add": no_row(name="New", email="new@meridian.example", role="viewer", brands=["corvane"]),
    "people.deactivate": _person,
    "people.end": lambda row: {"number": row.role},
    "people.give": lambda row: _person(row, role="viewer", brands=["corvane"]),
    "people.invite": _person,
    "people.link": _person,
    "people.load": no_row(content=FILE, seen="0" * 64),
    "people.review": lambda row: {"numbers": [row.role]},
    "people.train": lambda row: _person(row, trainee=True),
    "preference.put": no_row(key="single_keys", value=True),
    "reply.arrived": lambda row: _reply(row, url="https://x.example/1"),
    "reply.confirm": _reply,
    "reply.edit": _reply,
    "reply.lost": _reply,
    "reply.native": lambda row: _case(row, text="Hello", account=row.account),
    "reply.return": _reply,
    "reply.save": lambda row: _case(row, text="Hello", account=row.account),
    "reply.sign": _reply,
    "reply.submit": lambda row: _case(row, text="Hello", account=row.account),
    "reply.withdraw": _reply,
    # Colleagues are no rows of a brand: everybody may name one.
    "shift.add": no_row(path="/team/emea-care/shifts", search="", person=1, weekday=0, start="09:00", end="17:00"),
    "shift.deputy": no_row(deputy=1, start="2026-12-01", end="2026-12-02"),
    "shift.load": no_row(path="/team/emea-care/shifts", search="", text="person,weekday,start,end\n", seen="0" * 64),
    "shift.look": no_row(path="/team/emea-care/shifts", search="", text="person,weekday,start,end\n"),
    "shift.remove": lambda row: {"id": row.shift},
    "shift.say": no_row(status="on"),
    "view.delete": lambda row: {"id": str(row.view)},
    "view.rename": lambda row: {"id": str(row.view), "name": "Mine"},
    "view.save": page(no_row(name="Mine")),
    "view.start": lambda row: {"id": str(row.view)},
    "view.update": page(lambda row: {"id": str(row.view)}),
}
NAMES = [*(("read", name) for name in rights.READS), *(("act", name) for name in rights.ACTS)]
# Of these only administrators and auditors have the right, and they see every row.
UNSCOPED = frozenset({ADMIN, "read_audit"})


@dataclass(frozen=True)
class World:
    """A brand that the limited roles see, one that they do not, how a row of that one is named, and one that is not."""

    database: Database
    there: Organisation
    foreign: Row
    missing: Row
    who: Mapping[str, Access]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    database = empty_database(tmp_path_factory.mktemp("matrix"))
    found = made(database)
    with pytest.MonkeyPatch.context() as patch:
        # It does not change here, and reading it is most of what a question costs.
        patch.setattr(organisation, "current", lambda connection, now: found.there)
        yield found
    database.close()


def made(database: Database) -> World:
    now, there = datetime.now(UTC), open_desk(database)
    posted = now - timedelta(minutes=5)
    foreign = said("9", brand_id=HALDEN, text=f"@halden {SECRET} where is my card?", author=SECRET, posted_at=posted)
    arrive(database, there, said("1", posted_at=posted), foreign, now=now)
    who: dict[str, Access] = {}
    with database.write() as connection:
        for role in ROLES:
            is_limited = role not in UNLIMITED
            number = people.add_person(
                connection,
                email=f"{role}@meridian.example",
                name=role.title(),
                role=role,
                now=now,
                brand_ids=[CORVANE] if is_limited else None,
                team_ids=[EMEA_CARE] if is_limited else None,
            )
            grants = roles.granted(roles.memberships(connection, [number], now)[number])
            who[role] = Access.granted(number, f"{role}@meridian.example", role.title(), grants)
        connection.execute(
            insert(person).values(
                id=STRANGER_ID, email=f"{STRANGER}@meridian.example", name=STRANGER, created_at=now, invited_at=now
            )
        )
        connection.execute(
            insert(membership).values(
                id=ROLE_ID, person_id=STRANGER_ID, right="agent", brand_ids=[HALDEN], valid_from=now, granted_by="test"
            )
        )
        row = _filled(connection, now)
    missing = replace(
        row,
        brand_key="nowhere",
        case=f"{HALDEN}-{int(row.case.partition('-')[2]) + 1_000}",
        mention=row.mention + 1_000,
        reply=row.reply + 1_000,
        account=row.account + 900,
        alert=f"{HALDEN}-{int(row.alert.partition('-')[2]) + 1_000}",
        person=row.person + 900,
        role=row.role + 900,
        view=row.view + 1_000,
        shift=row.shift + 900,
        incident=row.incident + 900,
    )
    with database.read() as connection:
        there = organisation.current(connection, now)
    return World(database, there, row, missing, who)


def _filled(connection: Any, now: datetime) -> Row:
    case = connection.execute(select(desk_case).where(desk_case.c.brand_id == HALDEN)).one()
    said_there = connection.execute(select(mention.c.id).where(mention.c.brand_id == HALDEN)).scalar_one()
    reply_id, alert_id, view_id, line_id = (new_id(now) for _ in range(4))
    connection.execute(
        insert(reply).values(
            brand_id=HALDEN,
            id=reply_id,
            case_id=case.id,
            network_id=X,
            account_id=ACCOUNT_ID,
            in_reply_to=case.last_post,
            state="awaiting_sign_off",
            text=f"{SECRET} dear customer",
            text_hash="0" * 64,
            author_id=STRANGER_ID,
            author=SECRET,
            drafted_at=now,
            changed_at=now,
            signatures=1,
            event_seen=1,
            is_native=False,
        )
    )
    connection.execute(
        insert(alert).values(
            brand_id=HALDEN,
            id=alert_id,
            kind="volume",
            source_id=0,
            started_at=now - timedelta(minutes=10),
            flagged_at=now,
            words=f"{SECRET} rose",
            seen=9.0,
            expected=1.0,
        )
    )
    connection.execute(
        insert(saved_view).values(
            id=view_id,
            person_id=STRANGER_ID,
            name=SECRET,
            path="/",
            search=f"?q={SECRET}",
            is_start=False,
            created_at=now,
        )
    )
    connection.execute(
        insert(log_entry).values(
            id=line_id, at=now, person_id=STRANGER_ID, author=SECRET, text=f"{SECRET} was busy", brand_id=HALDEN
        )
    )
    connection.execute(
        insert(pattern).values(
            id=SHIFT_ID,
            team_id=BANK_DESK,
            person_id=STRANGER_ID,
            weekday=0,
            start_minute=540,
            end_minute=1_020,
            valid_from=now,
        )
    )
    connection.execute(
        insert(incident).values(
            id=INCIDENT_ID,
            name=f"{SECRET} fire",
            severity=1,
            scope={"brand_ids": [HALDEN], "location_ids": None, "network_ids": None, "search": SECRET},
            outbound="frozen",
            reason=SECRET,
            lead_id=STRANGER_ID,
            declared_at=now,
            declared_by=SECRET,
            expires_at=now + timedelta(days=1),
        )
    )
    connection.execute(
        insert(account).values(
            id=ACCOUNT_ID,
            network_id=X,
            handle=f"{SECRET}_care",
            name=SECRET,
            kind="support",
            brand_id=HALDEN,
            purpose=SECRET,
            valid_from=now,
        )
    )
    return Row(
        brand=HALDEN,
        brand_key="halden",
        case=f"{HALDEN}-{case.id}",
        mention=said_there,
        reply=reply_id,
        account=ACCOUNT_ID,
        alert=f"{HALDEN}-{alert_id}",
        person=STRANGER_ID,
        role=ROLE_ID,
        view=view_id,
        shift=SHIFT_ID,
        incident=INCIDENT_ID,
    )


def asked(world: World, role: str, kind: str, name: str, given: Mapping[str, Any]) -> tuple[int, str]:
    """Status and body, as the server answers it; whatever an act does is taken back."""
    access = world.who[role]
    if kind == "read":
        answer = serving._answer(
            lambda: serving._read(serving._House(world.database, by_path, SETTINGS), name, access, given)
        )
    else:
        answer = serving._answer(lambda: _undone(world.database, access, name, given))
    return answer.status_code, bytes(answer.body).decode()


class _TakenBack(Exception):
    pass


def _undone(database: Database, access: Access, name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    done: Mapping[str, Any] = {}
    now = datetime.now(UTC)
    access.require(rights.ACTS[name])
    try:
        with database.write() as connection:
            there = organisation.current(connection, now)
            done = ACTS[name](connection, serving.asked(by_path, access, there, now, given, SETTINGS))
            raise _TakenBack
    except _TakenBack:
        return done


def plain(answer: tuple[int, str], world: World) -> str:
    """An answer without what is new each time, and without what names the two rows, as who asks has said."""
    text = answer[1]
    named = {str(value) for row in (world.foreign, world.missing) for value in asdict(row).values()}
    for value in sorted(named, key=len, reverse=True):
        if value != str(HALDEN):
            text = re.sub(rf"\b{re.escape(value)}\b", "N", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+Z?", "T", text)
    return re.sub(r'"(?:[A-Za-z0-9_-]{32,43}|\d{19})"', '"new"', text)


def test_every_read_and_every_act_says_how_it_names_a_row() -> None:
    undeclared = [
        f'{kind} "{name}" needs "{right}", which is given for brands: add a line to SAMPLES in {Path(__file__).name} '
        "that names a row by it, or no_row(...)"
        for kind, table in (("read", rights.READS), ("act", rights.ACTS))
        for name, right in table.items()
        if right not in UNSCOPED and name not in SAMPLES
    ]
    assert undeclared == []


@pytest.mark.parametrize("role", list(ROLES))
def test_a_role_gets_what_its_rights_say_and_of_a_foreign_row_as_much_as_of_none(world: World, role: str) -> None:
    looked = compared = hidden = 0
    for kind, name in NAMES:
        right = (rights.READS if kind == "read" else rights.ACTS)[name]
        sample, looked = SAMPLES.get(name, no_row()), looked + 1
        foreign = asked(world, role, kind, name, sample(world.foreign))
        is_denied = foreign[0] == 403 and f"the right “{right}”; ask" in foreign[1]
        assert is_denied == (not world.who[role].may(right)), (name, foreign)
        assert foreign[0] < 500, (name, foreign)
        if role in UNLIMITED:
            continue
        missing = asked(world, role, kind, name, sample(world.missing))
        assert SECRET not in foreign[1], (name, foreign)
        assert not name.startswith("people.") or STRANGER not in foreign[1], (name, foreign)
        assert foreign[0] == missing[0], (name, foreign, missing)
        assert plain(foreign, world) == plain(missing, world), (name, foreign, missing)
        compared, hidden = compared + 1, hidden + (foreign[0] == 404)
    assert looked == len(rights.READS) + len(rights.ACTS)
    if role not in UNLIMITED:
        assert compared == looked
        # Else the samples would name nothing.
        assert hidden >= 6, "too few samples reach a row"


WITHOUT = frozenset(
    {"mention.undo", "incident.task_done", "incident.task_give", "incident.approve", "incident.withdraw"}
)
REACHES = ("case", "mention", "account", "people.one", "case.claim", "reply.sign", "people.end", "alerts.acknowledge")


def test_the_samples_reach_rows_that_are_there_for_who_sees_everything(world: World) -> None:
    """Where a limited role hears "not there", an administrator must not: else the sample was wrong, not the right."""
    for kind, name in NAMES:
        if name not in SAMPLES or not world.who["manager"].may((rights.READS | rights.ACTS)[name]):
            continue
        hidden = asked(world, "manager", kind, name, SAMPLES[name](world.foreign))[0] == 404
        seen = asked(world, ADMIN, kind, name, SAMPLES[name](world.foreign))
        # Views are a person's own, whatever their role; of an incident without tasks and texts there are none.
        if hidden and not name.startswith("view.") and name not in WITHOUT:
            assert seen[0] != 404, (name, seen)
    assert set(REACHES) <= set(SAMPLES)
    for name in REACHES:
        kind = "read" if name in rights.READS else "act"
        assert asked(world, "manager", kind, name, SAMPLES[name](world.foreign))[0] == 404, name


# -- what is pushed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", LIMITED)
def test_no_panel_of_any_page_shows_what_stands_in_another_brand(world: World, role: str) -> None:
    access, now, drawn = world.who[role], datetime.now(UTC), 0
    for view in VIEWS:
        if not access.may(view.right):
            continue
        assert not view.subject or view.subject in SUBJECTS, f"pages of one {view.subject}: add one to SUBJECTS"
        for key in SUBJECTS[view.subject] if view.subject else ("",):
            about = (view.subject, key) if key else None
            question = url_scope.question(url_scope.parse(""), access, world.there, now, about=about)
            for panel in view.panels:
                mine = replace(question, reach=access.reach if panel.reads_cases else ())
                assert SECRET not in _drawn(world, panel, mine), (view.key, panel.key)
                drawn += 1
    assert drawn >= 10


# Of whom a page is shown here: one that the limited roles see; and one that they do not, where only its panels know.
SUBJECTS = {
    "brand": ("corvane",),
    "location": ("emea",),
    "team": ("emea-care", "bank-desk"),
    "incident": (str(INCIDENT_ID), "901"),
}


def _drawn(world: World, panel: Panel, question: Question) -> str:
    try:
        with world.database.read() as connection:
            return json.dumps(panel.draw(panel.query(connection, question)), default=str)
    except WatchfloorError as refused:
        return str(refused)


@pytest.mark.parametrize("role", LIMITED)
def test_an_address_of_another_brand_is_as_wrong_as_one_of_none(world: World, role: str) -> None:
    access, now = world.who[role], datetime.now(UTC)
    for search, about in (("?brand={}", None), ("", "brand")):
        told = []
        for key in ("halden", "nowhere"):
            parsed = url_scope.parse(search.format(key))
            with pytest.raises(NotFound) as refused:
                url_scope.question(parsed, access, world.there, now, about=(about, key) if about else None)
            told.append(str(refused.value).replace(key, "N"))
        assert told[0] == told[1]


# -- what stands behind the gate -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def web(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(world.database, tmp_path_factory.mktemp("web"), SCREEN) as running:
        yield running


def cookie_of(world: World, role: str) -> dict[str, str]:
    now = datetime.now(UTC)
    with world.database.write() as connection:
        token = identity.make_link(connection, f"{role}@meridian.example", now)
        opened = identity.use_link(connection, token, "127.0.0.1", now)
    assert opened is not None
    return {"Cookie": f"watchfloor={opened.session_id}", "X-CSRFToken": opened.csrf_token}


# An address for each pattern of rights.py; whatever else they match is the same.
ADDRESSES = (
    *("/", "/brands", "/brand/corvane", "/location/emea", "/team/emea-care", "/team/emea-care/shifts", "/audience"),
    *("/accounts", "/respond", "/audit", "/incidents", "/incidents/1", "/incidents/1/report"),
    "/incidents/1/report.pdf",
    *("/admin/setup", "/admin/brands", "/admin/sources", "/admin/rules", "/admin/people", "/admin/policies"),
    *("/healthz", "/signin", "/signin/over", "/signin/link", "/signin/company", "/signin/company/back"),
    *("/signin/company/test", "/signin/company/try", "/signin/done", "/assets/tokens.css", "/assets/live.js"),
    *("/signout", "/live/state", "/read/log", "/act/log.add", "/export/audit", "/_dash-layout"),
    *("/_dash-update-component", "/_dash-component-suites/dash/dash.js"),
)


def test_every_pattern_has_an_address_here() -> None:
    unseen = [
        f"{route.pattern.pattern}: add an address that it matches to ADDRESSES in {Path(__file__).name}"
        for route in (*rights.PAGES, *rights.ROUTES)
        if not any(rights.route_for(path) is route for path in ADDRESSES)
    ]
    assert unseen == []


@pytest.mark.parametrize("role", [*ROLES, ""])
def test_every_page_and_route_opens_for_the_rights_it_names_and_for_nobody_else(
    world: World, web: Served, role: str
) -> None:
    headers = cookie_of(world, role) if role else {}
    with httpx.Client(base_url=web.address, headers={**headers, "Origin": web.address}) as client:
        for path in ADDRESSES:
            route = rights.route_for(path)
            if route is None:
                continue
            method, body = ("GET", b"") if "GET" in route.methods else ("POST", b"{}")
            answer = client.request(method, path, headers={"Accept": "application/json"}, content=body)
            assert answer.status_code < 500, (path, answer.text)
            assert SECRET not in answer.text or (role and world.who[role].sees_all), path
            is_denied = answer.status_code == 403 and f"“{route.right}”" in answer.text
            if route.right == rights.OPEN:
                assert not is_denied
            elif not role:
                assert answer.status_code == 401, path
            else:
                assert is_denied == (not world.who[role].may(route.right)), (path, answer.text)


@pytest.mark.parametrize("role", [*ROLES, ""])
def test_every_callback_runs_for_the_rights_it_names_and_for_nobody_else(world: World, web: Served, role: str) -> None:
    headers = cookie_of(world, role) if role else {}
    with httpx.Client(base_url=web.address, headers={**headers, "Origin": web.address}) as client:
        for output, right in rights.CALLBACKS.items():
            registered = next(one for one in web.program.dash.callback_map if rights.callback_name(one) == output)
            inputs = [{**one, "value": None} for one in web.program.dash.callback_map[registered]["inputs"]]
            states = [{**one, "value": None} for one in web.program.dash.callback_map[registered]["state"]]
            ids = registered.strip(".").split("...") if registered.startswith("..") else [registered]
            outputs = [dict(zip(("id", "property"), one.rsplit(".", 1), strict=True)) for one in ids]
            body = {
                "output": registered,
                "outputs": outputs if registered.startswith("..") else outputs[0],
                "inputs": inputs,
                "state": states,
                "changedPropIds": [],
            }
            sent = {"Content-Type": "application/json"}
            answer = client.post("/_dash-update-component", content=orjson.dumps(body), headers=sent)
            may = bool(role) and world.who[role].may(right)
            expected = (200, 204) if may else (403,) if role else (401,)
            assert answer.status_code in expected, (output, answer.status_code, answer.text[:200])
            assert SECRET not in answer.text or world.who[role].sees_all


@pytest.mark.parametrize("role", list(ROLES))
def test_every_socket_pushes_only_what_the_role_sees(world: World, web: Served, role: str) -> None:
    for path, right in rights.SOCKETS.items():
        assert right == VIEWER
        address = f"ws://localhost:{web.port}{path}"
        cookie = cookie_of(world, role)
        with connect(address, origin=Origin(web.address), additional_headers=cookie, compression=None) as link:
            told = [subscribe(link, f"?brand={key}", number=n) for n, key in enumerate(("halden", "nowhere"), start=1)]
            people_page = subscribe(link, "", number=3, path="/admin/people")
        if role in UNLIMITED:
            assert "error" not in told[0]
        else:
            words = [json.dumps({**one["error"], "at": ""}).replace("halden", "nowhere") for one in told]
            assert words[0] == words[1]
        assert ("error" in people_page) == (not world.who[role].may("manage_people"))


@pytest.mark.parametrize("role", ["viewer", ADMIN, ""])
def test_the_whole_program_refuses_what_is_forged(world: World, web: Served, role: str) -> None:
    signed = cookie_of(world, role) if role else {}
    own = {"origin": web.address, "sec-fetch-site": "same-origin", "content-type": "application/json"}
    with httpx.Client(base_url=web.address) as client:
        for method, path, headers, body in FORGED:
            if "content-length" in headers:
                # A client that keeps to the protocol cannot send it.
                continue
            given = {**signed, **own, **headers}
            if "x-csrftoken" in headers:
                del given["X-CSRFToken" if role else "x-csrftoken"]
            answer = client.request(method, path, headers=given, content=body)
            assert answer.status_code in (400, 401, 403, 404, 405, 413, 415), (
                method,
                path,
                body[:60],
                answer.text[:200],
            )
            assert SECRET not in answer.text
