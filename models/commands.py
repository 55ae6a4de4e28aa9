"""Commands about what is stored: database, organisation, people, rules, rollups, status."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models import cube, identity, organisation, people, settings
from models.access import Access as AccessOf
from models.access import Request, Window, narrow
from models.database import Database
from models.doctor import examine
from models.errors import InputError, RuleError
from models.mentions import export_rows
from models.organisation_file import apply, read
from models.rules import Subject, parse
from models.schema import upgrade
from models.start import back_up, open_database, restore
from models.status import status as status_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
organisation_app = typer.Typer(no_args_is_help=True, help="Brands, locations and teams.")
rules_app = typer.Typer(no_args_is_help=True, help="The rules that make a post a mention of a brand.")
user_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
cube_app = typer.Typer(no_args_is_help=True, help="The rollups that figures are read from.")
for name, group in (
    ("organisation", organisation_app),
    ("rules", rules_app),
    ("user", user_app),
    ("db", db_app),
    ("cube", cube_app),
):
    app.add_typer(group, name=name)
out = Console(highlight=False, soft_wrap=True)


def now() -> datetime:
    """The instant that a command calls now."""
    return datetime.now(UTC)


def opened() -> Database:
    """The database of the settings."""
    return open_database(settings.load())


def parsed_instant(value: str | None, zone: str, default: datetime) -> datetime:
    """An ISO instant in a flag; without a zone it is in the organisation's. InputError."""
    from zoneinfo import ZoneInfo

    if value is None:
        return default
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f'"{value}" is no instant; write one like 2015-02-20T18:00 or 2015-02-20T18:00Z') from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


@db_app.command("upgrade", epilog="Example: watchfloor db upgrade")
def db_upgrade() -> None:
    """Bring the database to the schema of this release, in one transaction."""
    database = Database(settings.load().resolved_database_url)
    before, after = upgrade(database)
    shown = database.url.render_as_string(hide_password=True)
    out.print(f"{shown} has schema {after}" + (" already." if before == after else f", before: {before or 'none'}."))


@app.command(epilog="Example: watchfloor status --json | jq .mentions.total")
def status(as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False) -> None:
    """How many mentions are stored, and how every source is doing."""
    found = status_of(opened(), now())
    if as_json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
        return
    mentions = found.mentions
    simulated = " (simulated organisation)" if found.simulated else ""
    out.print(
        f"{mentions['total']:,} mentions, {mentions['unmatched']:,} of them unmatched, {found.set_aside:,} set aside"
        f"{simulated}; {escape(found.database)}, version {found.version}."
    )
    table = Table("source", "kind", "state", "data age", "last error", box=None)
    for item in found.sources:
        age = "" if item["data_age_s"] is None else f"{item['data_age_s']:.0f} s"
        table.add_row(escape(item["name"]), item["kind"], item["state"], age, escape(item["last_error"] or ""))
    out.print(table)


@app.command(epilog="Example: watchfloor doctor")
def doctor() -> None:
    """Look at everything that could be wrong, and say the way out."""
    findings = list(examine(settings.load(), now()))
    for finding in findings:
        out.print(f"{'ok ' if finding.is_well else 'BAD'} {escape(finding.subject)}: {escape(finding.seen)}")
    bad = sum(not finding.is_well for finding in findings)
    if bad:
        raise InputError(f"{bad} of {len(findings)} looks found something wrong; see above")
    out.print(f"All {len(findings)} looks found nothing wrong.")


@app.command(epilog="Example: watchfloor backup /var/backups/watchfloor-2026-11-19.db")
def backup(file: Path) -> None:
    """Copy the embedded database to a file, while it is in use."""
    database = opened()
    _only_embedded(database, "pg_dump --format=custom --file=FILE")
    size = back_up(database, file)
    out.print(f"Backed up {size / 1e6:.1f} MB to {escape(str(file))}.")


@app.command("restore", epilog="Example: watchfloor restore /var/backups/watchfloor-2026-11-19.db")
def restore_command(file: Path) -> None:
    """Put a backup in the place of the embedded database; what was there is kept beside it. Stop `run` first."""
    database = Database(settings.load().resolved_database_url)
    _only_embedded(database, "pg_restore --clean --dbname=NAME FILE")
    kept = restore(database, file)
    out.print(f"Restored {escape(str(file))}." + (f" What was there before is {escape(str(kept))}." if kept else ""))


def _only_embedded(database: Database, instead: str) -> None:
    if not database.is_sqlite:
        raise InputError(f"PostgreSQL has its own tools for this: {instead}")


@organisation_app.command("load", epilog="Example: watchfloor organisation load airlines.toml --dry-run")
def organisation_load(
    file: Path, dry_run: Annotated[bool, typer.Option(help="Only show the difference.")] = False
) -> None:
    """Bring brands, rules, locations and teams to what a TOML or CSV file says; what it does not name stays."""
    wanted = read(file)
    with opened().write() as connection:
        differences = apply(connection, wanted, actor="command line", now=now())
        if dry_run:
            connection.rollback()
    for difference in differences:
        sign = "+" if difference.action == "add" else "~"
        out.print(escape(f"{sign} {difference.thing} {difference.key} {difference.what}".rstrip()))
    verb = "would change" if dry_run else "changed"
    out.print(f"{escape(str(file))}: {verb} {len(differences)} things." if differences else "Nothing to change.")


@rules_app.command("test", epilog="Example: watchfloor rules test 'My Halden card is declined' --language en")
def rules_test(
    text: str,
    rule: Annotated[str | None, typer.Option(help="A rule to try, instead of those of the brands.")] = None,
    author: str | None = None,
    language: str | None = None,
    network: str = "other",
) -> None:
    """Say which brands a text is a mention of, and by which words."""
    subject = Subject(text=text, author=author, language=language, network=network)
    if rule is not None:
        try:
            words = parse(rule).matches(subject)
        except RuleError as error:
            raise InputError(f"the rule does not parse:\n{error.pointed()}") from error
        out.print(
            f"The rule matches by: {escape(', '.join(words))}." if words is not None else "The rule does not match."
        )
        return
    with opened().read() as connection:
        current = organisation.current(connection, now())
    hits = 0
    for brand in current.brands:
        for query in brand.rules:
            words = parse(query).matches(subject)
            if words is not None:
                out.print(escape(f"{brand.name}: {', '.join(words) or 'by its limits'}"))
                hits += 1
                break
    out.print(
        f"A mention of {hits} brands." if hits else "No brand's rule matches: the post would be kept as unmatched."
    )


@user_app.command("add", epilog="Example: watchfloor user add ana@example.org --name 'Ana Novak' --brand halden-bank")
def user_add(
    email: str,
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    right: Annotated[str, typer.Option(help="admin or viewer")] = "viewer",
    brand: Annotated[list[str] | None, typer.Option(help="Key of a brand they may see; all without it.")] = None,
    location: Annotated[
        list[str] | None, typer.Option(help="Key of a location they may see, with those below.")
    ] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read a password from standard input.")] = False,
) -> None:
    """Let somebody sign in; without a password by a link from `watchfloor signin-link`."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with opened().write() as connection:
        current = organisation.current(connection, now())
        people.add_person(
            connection,
            email=email,
            name=name,
            right=right,
            now=now(),
            brand_ids=[current.brand_by_key(key).id for key in brand] if brand else None,
            location_ids=[current.location_by_key(key).id for key in location] if location else None,
            password=password,
        )
    out.print(f"{escape(email)} may sign in as {right}.")


@user_app.command("list", epilog="Example: watchfloor user list")
def user_list() -> None:
    """Everybody who may or might sign in."""
    with opened().read() as connection:
        current = organisation.current(connection, now())
        found = people.list_people(connection, now())
    table = Table("email", "name", "rights", "brands", "locations", "last seen", box=None)
    for person in found:
        brands = "all" if person.brand_ids is None else ", ".join(current.brand_names[i] for i in person.brand_ids)
        places = (
            "all" if person.location_ids is None else ", ".join(current.location_names[i] for i in person.location_ids)
        )
        seen = f"{person.last_seen_at:%Y-%m-%d %H:%M} UTC" if person.last_seen_at else "never"
        rights = "disabled" if person.disabled_at else ", ".join(person.rights)
        table.add_row(*map(escape, (person.email, person.name, rights, brands, places, seen)))
    out.print(table)
    out.print(f"{len(found)} people.")


@user_app.command("disable", epilog="Example: watchfloor user disable ana@example.org")
def user_disable(email: str) -> None:
    """End somebody's sessions and let them sign in no more."""
    with opened().write() as connection:
        ended = identity.disable_person(connection, email, now())
    out.print(f"{escape(email)} may not sign in any more; {ended} open sessions ended.")


@app.command("signin-link", epilog="Example: watchfloor signin-link ana@example.org")
def signin_link(email: str) -> None:
    """Print a link that signs somebody in once, within 15 minutes."""
    loaded = settings.load()
    with open_database(loaded).write() as connection:
        token = identity.make_link(connection, email, now())
    print(f"{loaded.address}/signin/link?token={token}")


@cube_app.command("check", epilog="Example: watchfloor cube check")
def cube_check() -> None:
    """Count every rollup again from its rows and compare."""
    with opened().read() as connection:
        current = organisation.current(connection, now())
        differences = cube.check(connection, current, now())
    for difference in differences[:20]:
        out.print(escape(f"{difference.key}: stored {difference.stored}, counted {difference.counted}"))
    if differences:
        raise InputError(f"{len(differences)} cells differ from their rows; run `watchfloor cube rebuild`")
    out.print("Every cell says what its rows say.")


@cube_app.command("rebuild", epilog="Example: watchfloor cube rebuild")
def cube_rebuild() -> None:
    """Count every rollup anew, a brand at a time, each in one transaction."""
    database = opened()
    with database.read() as connection:
        current = organisation.current(connection, now())
    total = 0
    for brand in current.brands:
        with database.write() as connection:
            total += cube.rebuild(connection, brand.id, current, now())
    out.print(f"Counted {total:,} cells anew for {len(current.brands) - 1} brands and the unmatched.")


@app.command(epilog="Example: watchfloor export --brand halden-bank --from 2026-11-01 --format csv > mentions.csv")
def export(
    brand: Annotated[list[str] | None, typer.Option(help="Key of a brand; all of ours without it.")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="First instant, in the organisation's zone.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Instant to stop before.")] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl; jsonl keeps every text as it is.")] = "csv",
) -> None:
    """Write mentions to standard output, newest first."""
    if form not in ("csv", "jsonl"):
        raise InputError(f'no format "{form}"; known: csv, jsonl')
    database = opened()
    everything = AccessOf(0, "", "command line", frozenset({"admin"}))
    with database.read() as connection:
        current = organisation.current(connection, now())
        scope = narrow(Request(brands=tuple(brand or ())), everything, current)
        window = Window(
            "export",
            parsed_instant(begin, current.zone, datetime(2000, 1, 1, tzinfo=UTC)),
            parsed_instant(end, current.zone, now() + timedelta(days=2)),
            86_400,
            live=False,
        )
        rows = export_rows(connection, scope, window, current)
        count = 0
        writer = None
        for row in rows:
            count += 1
            if form == "jsonl":
                print(json.dumps(row, ensure_ascii=False))
                continue
            if writer is None:
                writer = csv.DictWriter(sys.stdout, fieldnames=list(row))
                writer.writeheader()
            writer.writerow({key: _harmless(value) for key, value in row.items()})
    Console(stderr=True).print(f"Exported {count:,} mentions.")


def _harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
