"""Commands about people: who may sign in, in which role, for what; many from a file; break-glass."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from models import group_roles, identity, leaving, organisation, people, people_file, people_lines, roles, settings
from models.access import ADMIN, ROLES, VIEWER, Access, Grant
from models.errors import InputError, NotFound
from models.organisation import Organisation
from models.people import COMMAND_LINE
from models.start import existing_database
from models.terminal import age, counted, existing, now, opened, out, print_table

app = typer.Typer(no_args_is_help=True)
user_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
app.add_typer(user_app, name="user")
MOST_KEYS_SHOWN = 30
LARGEST_FILE = 20_000_000
SIGNS = {people_file.NEW: "+", people_file.CHANGED: "~", people_file.LEAVER: "-"}
# Whoever has the machine may everything.
OPERATOR = Access.granted(0, COMMAND_LINE, COMMAND_LINE, [Grant(ADMIN)])

Brands = Annotated[list[str] | None, typer.Option("--brand", help="Key of a brand it is for; all without it.")]
Places = Annotated[list[str] | None, typer.Option("--location", help="Key of a location it is for, with those below.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="Key of a team whose cases it is for.")]


@user_app.command("add", epilog="Example: watchfloor user add ana@example.org --name 'Ana Novak' --brand halden-bank")
def user_add(
    email: str,
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    role: Annotated[str, typer.Option(help=", ".join(ROLES))] = VIEWER,
    brand: Brands = None,
    location: Places = None,
    team: Teams = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from standard input.")
    ] = False,
) -> None:
    """Let somebody sign in; without a password by a link from `watchfloor signin-link`, or by company sign-on."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with opened().write() as connection:
        current = organisation.current(connection, now())
        people.add_person(
            connection,
            email=email,
            name=name,
            role=role,
            now=now(),
            brand_ids=_brand_ids(brand, current) if brand else None,
            location_ids=_location_ids(location, current) if location else None,
            team_ids=_team_ids(team, current) if team else None,
            password=password,
        )
    way = "with the password" if password_stdin else f"by a link: watchfloor signin-link {email}"
    out.print(escape(f"{email} may sign in as {role}, {way}."))


@user_app.command("list", epilog="Example: watchfloor user list")
def user_list() -> None:
    """Everybody who may or might sign in."""
    with existing().read() as connection:
        current = organisation.current(connection, now())
        found = people.list_people(connection, now())
    table = Table("email", "name", "roles", "brands", "locations", "last seen", box=None)
    brands = {item.id: item.key for item in current.brands}
    places = {item.id: item.key for item in current.locations}
    for person in found:
        table.add_row(
            escape(person.email),
            escape(person.name),
            "disabled" if person.disabled_at else ", ".join(person.roles) or "none",
            _keys(person.brand_ids, brands),
            _keys(person.location_ids, places),
            "never" if person.last_seen_at is None else f"{age((now() - person.last_seen_at).total_seconds())} ago",
        )
    if found:
        print_table(table)
    out.print(f"{counted(len(found), 'person', 'people')}.")


@user_app.command("disable", epilog="Example: watchfloor user disable ana@example.org")
def user_disable(email: str) -> None:
    """End somebody's sessions and claims and let them sign in no more."""
    with existing().write() as connection:
        ended = leaving.disable_person(connection, email, now())
    sessions, claims = counted(ended.sessions, "open session"), counted(ended.claims, "claim")
    out.print(escape(f"{email} may not sign in any more; {claims} and {sessions} ended.{ended.accounts_words}"))


@user_app.command("enable", epilog="Example: watchfloor user enable ana@example.org")
def user_enable(email: str) -> None:
    """Let somebody who was disabled sign in again, with the roles that go on."""
    with existing().write() as connection:
        row = people.person_by_email(connection, email)
        people.reopen_person(connection, row.id, now=now(), actor=COMMAND_LINE)
    out.print(escape(f"{email} may sign in again."))


@user_app.command(
    "role", epilog="Example: watchfloor user role ana@example.org approver --brand halden-bank --until 2026-12-01"
)
def user_role(
    email: str,
    role: Annotated[str, typer.Argument(help=", ".join(ROLES))],
    brand: Brands = None,
    location: Places = None,
    team: Teams = None,
    since: Annotated[str | None, typer.Option("--from", help="A day or an instant; now without it.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day, or an instant; no end without it.")] = None,
    end: Annotated[bool, typer.Option("--end", help="End this role, now or at the end of --until.")] = False,
) -> None:
    """Give somebody a role for what is named, or end it."""
    with existing().write() as connection:
        current, instant = organisation.current(connection, now()), now()
        row = people.person_by_email(connection, email)
        grant = Grant(
            role,
            frozenset(_brand_ids(brand, current)) if brand else None,
            frozenset(_location_ids(location, current)) if location else None,
            frozenset(_team_ids(team, current)) if team else None,
        )
        roles.checked(role, grant.brand_ids, grant.location_ids, grant.team_ids)
        words = f"{role} for {group_roles.words(grant, current)}"
        if end:
            at = _instant(until, "until", current, ends=True) or instant
            number = roles.number_of(connection, row.id, grant, instant)
            roles.end_role(connection, number, at=at, now=instant, actor=COMMAND_LINE)
            done = "is no more" if at <= instant else f"is until {at:%Y-%m-%d %H:%M} UTC"
        else:
            roles.give_role(
                connection,
                row.id,
                role,
                now=instant,
                brand_ids=grant.brand_ids,
                location_ids=grant.location_ids,
                team_ids=grant.team_ids,
                valid_from=_instant(since, "from", current, ends=False),
                valid_to=_instant(until, "until", current, ends=True),
                actor=COMMAND_LINE,
            )
            done = "is"
    out.print(escape(f"{email} {done} {words}."))


@user_app.command("break-glass", epilog="Example: watchfloor user break-glass root@example.org")
def user_break_glass(email: str) -> None:
    """Make somebody the one administrator who gets in with a password when the company sign-on is down."""
    with existing().write() as connection:
        people.set_break_glass(connection, email, now=now())
    out.print(escape(f"{email} gets in with a password whatever happens; every use is written to the audit log."))


@user_app.command("import", epilog="Example: watchfloor user import people-2026-11.csv --dry-run")
def user_import(
    file: Path, dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False
) -> None:
    """Bring people and roles to what a CSV file says; what it does not name stays."""
    database = opened()
    content = _read(file)
    with database.write() as connection:
        current = organisation.current(connection, now())
        found = people_file.preview(connection, current, OPERATOR, content, now=now())
        if not dry_run:
            people_file.load(connection, current, OPERATOR, content, seen=found.seen, now=now())
    for change in found.changes:
        out.print(escape(f"{SIGNS[change.kind]} {change.email} {'; '.join(change.what)}"))
    for line in found.unread:
        out.print(escape(f"line {line.number}: {line.reason}"))
    if found.ignored:
        out.print(escape(f"Columns not read: {', '.join(found.ignored)}."))
    verb = "would be" if dry_run else "was" if len(found.changes) == 1 else "were"
    unread = f", {counted(len(found.unread), 'line')} not read" if found.unread else ""
    out.print(escape(f"{file}: {counted(len(found.changes), 'change')} {verb} loaded{unread}."))


@app.command("signin-link", epilog="Example: watchfloor signin-link ana@example.org")
def signin_link(email: str) -> None:
    """Print a link that signs somebody in once, within 15 minutes."""
    loaded = settings.load()
    with existing_database(loaded).write() as connection:
        token = identity.make_link(connection, email, now())
    typer.echo(f"{loaded.address}/signin/link?token={token}")


def _read(file: Path) -> str:
    try:
        with file.open("rb") as source:
            raw = source.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise InputError(f"{file}: has more than {LARGEST_FILE:,} bytes; people are a line each")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: is no UTF-8; save it as CSV UTF-8") from error


def _instant(text: str | None, name: str, current: Organisation, *, ends: bool) -> datetime | None:
    return None if text is None else people_lines.instant(text, name, current.zone_info, ends=ends)


def _brand_ids(keys: Iterable[str], current: Organisation) -> list[int]:
    try:
        return [current.brand_by_key(key).id for key in keys]
    except NotFound as error:
        raise InputError(f"{error}; {_known(item.key for item in current.brands)}") from error


def _location_ids(keys: Iterable[str], current: Organisation) -> list[int]:
    try:
        return [current.location_by_key(key).id for key in keys]
    except NotFound as error:
        raise InputError(f"{error}; {_known(item.key for item in current.locations)}") from error


def _team_ids(keys: Iterable[str], current: Organisation) -> list[int]:
    try:
        return [current.team_by_key(key).id for key in keys]
    except NotFound as error:
        raise InputError(f"{error}; {_known(item.key for item in current.teams)}") from error


def _known(keys: Iterable[str]) -> str:
    listed = list(keys)
    more = f" and {len(listed) - MOST_KEYS_SHOWN} more" if len(listed) > MOST_KEYS_SHOWN else ""
    return f"known: {', '.join(listed[:MOST_KEYS_SHOWN])}{more}"


def _keys(ids: frozenset[int] | None, keys: dict[int, str]) -> str:
    return "all" if ids is None else ", ".join(keys.get(i, str(i)) for i in sorted(ids))
