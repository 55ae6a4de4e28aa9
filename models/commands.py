"""Commands about the installation and what is stored: database, backups, status, rollups, export."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TextIO, cast
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models import (
    commands_audit,
    commands_organisation,
    commands_people,
    commands_spikes,
    cube,
    export,
    organisation,
    settings,
)
from models.access import Access, Request, Window, narrow
from models.audit_heads import Outside, note_restored
from models.backup import back_up, restore
from models.database import Database
from models.doctor import examine
from models.errors import InputError, NotFound, ScopeError
from models.mentions import export_rows
from models.networks import BY_ID
from models.organisation import Organisation
from models.start import bring_up, make_home, opened, upgrade
from models.status import status as status_of
from models.tables.base import EPOCH
from models.terminal import age, counted, existing, now, out, print_table

app = typer.Typer(no_args_is_help=True)
db_app = typer.Typer(no_args_is_help=True, help="The database.")
cube_app = typer.Typer(no_args_is_help=True, help="The rollups that figures are read from.")
app.add_typer(commands_organisation.app)
app.add_typer(commands_people.app)
app.add_typer(commands_spikes.app, name="spikes")
app.add_typer(commands_audit.app, name="audit")
app.add_typer(db_app, name="db")
app.add_typer(cube_app, name="cube")
MOST_DIFFERENCES_SHOWN = 20
EVERYTHING = Access(0, "", "command line", frozenset({"admin"}))


# -- the installation --------------------------------------------------------------------------------------


@db_app.command("upgrade", epilog="Example: watchfloor db upgrade")
def db_upgrade() -> None:
    """Bring the database to the schema of this release, in one transaction; SQLite is backed up before."""
    loaded = settings.load()
    make_home(loaded.home)
    database = opened(loaded)
    kept = bring_up(database, loaded.home / "backups", now=now()) if database.is_sqlite else None
    before, after = upgrade(database)
    shown = escape(database.url.render_as_string())
    if kept is not None:
        out.print(f"{shown} has schema {after} now; as it was before it is in {escape(str(kept))}.")
    else:
        out.print(f"{shown} has schema {after}" + ("." if before == after else f" now, before: {before or 'none'}."))


@app.command(epilog="Example: watchfloor status --json | jq .mentions.total")
def status(as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False) -> None:
    """How many mentions are stored, and how every source is doing."""
    found = status_of(existing(), now())
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    mentions = found.mentions
    simulated = ", simulated organisation" if found.simulated else ""
    out.print(
        f"{counted(mentions['total'], 'mention')}, {mentions['unmatched']:,} of them unmatched,"
        f" {counted(found.set_aside, 'row')} set aside; {escape(found.database)}, version {found.version}{simulated}."
    )
    brands = Table("brand", "mentions", box=None)
    for key, count in mentions["by_brand"].items():
        brands.add_row(key, f"{count:,}")
    if mentions["by_brand"]:
        print_table(brands)
    sources = Table("source", "kind", "state", "data age", "last error", box=None)
    for item in found.sources:
        shown_age = age(item["data_age_s"])
        sources.add_row(
            escape(item["name"]), item["kind"], item["condition"], shown_age, escape(item["last_error"] or "")
        )
    if found.sources:
        print_table(sources)
    else:
        out.print("No source yet: watchfloor import FILE, or watchfloor source add.")


@app.command(epilog="Example: watchfloor doctor")
def doctor() -> None:
    """Look at everything that could be wrong, and say the way out; nothing is changed."""
    count = bad = 0
    for finding in examine(settings.load(), now()):
        out.print(f"{'ok ' if finding.is_well else 'BAD'} {escape(finding.subject)}: {escape(finding.seen)}")
        count, bad = count + 1, bad + (not finding.is_well)
    if bad:
        raise InputError(f"{counted(bad, 'thing')} of {count} looked at needs mending; see BAD above")
    out.print(f"All {count} things looked at are well.")


@app.command(epilog="Example: watchfloor backup /var/backups/watchfloor-2026-11-19.db")
def backup(file: Path) -> None:
    """Copy the embedded database to a new file, while it is in use."""
    database = existing()
    _only_embedded(database, "pg_dump --format=custom --file=FILE")
    size = back_up(database, file)
    out.print(f"Backed up {size / 1e6:,.1f} MB to {escape(str(file))}.")


@app.command("restore", epilog="Example: watchfloor restore /var/backups/watchfloor-2026-11-19.db")
def restore_command(file: Path) -> None:
    """Put a backup in the place of the embedded database; what was there is kept beside it. Stop `run` first."""
    loaded = settings.load()
    make_home(loaded.home)
    database = opened(loaded)
    _only_embedded(database, "pg_restore --clean --dbname=NAME FILE")
    kept = restore(database, file, now())
    # Rows of the audit log that the backup does not have were proved outside it: say why they are gone.
    note_restored(database, Outside(loaded.home), now=now())
    database.close()
    out.print(f"Restored {escape(str(file))}." + (f" What was there before is {escape(str(kept))}." if kept else ""))


def _only_embedded(database: Database, instead: str) -> None:
    if not database.is_sqlite:
        raise InputError(f"the database is PostgreSQL, which has its own tools for this: {instead}")


# -- rollups -----------------------------------------------------------------------------------------------


@cube_app.command("check", epilog="Example: watchfloor cube check")
def cube_check() -> None:
    """Count every rollup again from its rows and compare; nothing is changed."""
    with existing().read() as connection:
        current = organisation.current(connection, now())
        differences = cube.check(connection, current, now())
    for difference in differences[:MOST_DIFFERENCES_SHOWN]:
        out.print(escape(_cell_said(difference, current)))
    if differences:
        cells = counted(len(differences), "cell")
        raise InputError(f"{cells} not what the rows say; run `watchfloor cube rebuild`")
    out.print("Every cell says what its rows say.")


def _cell_said(difference: cube.Difference, current: Organisation) -> str:
    brand_id, granularity, location_id, team_id, network_id, bucket = difference.key
    place = [current.brand_names.get(brand_id, f"brand {brand_id}")]
    if location_id:
        place.append(current.location_names.get(location_id, f"location {location_id}"))
    if team_id:
        place.append(current.team_names.get(team_id, f"team {team_id}"))
    if network_id:
        place.append(BY_ID[network_id].name)
    begins = EPOCH + timedelta(seconds=bucket)
    pairs = [
        f"{name} {getattr(difference.stored, name)}, counted {getattr(difference.counted, name)}"
        for name in cube.VALUES
        if getattr(difference.stored, name) != getattr(difference.counted, name)
    ]
    return f"{', '.join(place)}, {granularity // 60} min from {begins:%Y-%m-%d %H:%M} UTC: {'; '.join(pairs)}"


@cube_app.command("rebuild", epilog="Example: watchfloor cube rebuild")
def cube_rebuild() -> None:
    """Count every rollup anew, a brand at a time, each in one transaction."""
    database = existing()
    with database.read() as connection:
        current = organisation.current(connection, now())
    total = 0
    for brand in current.brands:
        with database.write() as connection:
            total += cube.rebuild(connection, brand.id, current, now())
    brands = counted(len(current.brands) - 1, "brand")
    out.print(f"Counted {counted(total, 'cell')} anew for {brands} and the unmatched.")


# -- export ------------------------------------------------------------------------------------------------


@app.command("export", epilog="Example: watchfloor export --brand halden-bank --from 2026-11-01 > mentions.csv")
def export_command(
    brand: Annotated[
        list[str] | None, typer.Option(help="Key of a brand, or unmatched; all of ours without it.")
    ] = None,
    begin: Annotated[str | None, typer.Option("--from", help="First instant, in the organisation's zone.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Instant to stop before.")] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl; jsonl keeps every text as it is.")] = "csv",
) -> None:
    """Write mentions to standard output, brand by brand, newest first.

    In CSV an apostrophe stands before what a spreadsheet would take for a formula.
    """
    if form not in export.FORMATS:
        raise InputError(f'no format "{form}"; known: {", ".join(export.FORMATS)}')
    with existing().read() as connection:
        current = organisation.current(connection, now())
        zone = current.zone_info
        window = Window(
            "export",
            _instant(begin, zone, datetime(2000, 1, 1, tzinfo=UTC)),
            _instant(end, zone, now() + timedelta(days=2)),
            86_400,
            live=False,
        )
        if window.start >= window.end:
            raise InputError(f"--from {window.start:%Y-%m-%dT%H:%MZ} is not before --to {window.end:%Y-%m-%dT%H:%MZ}")
        try:
            scope = narrow(Request(brands=tuple(brand or ())), EVERYTHING, current)
        except NotFound as error:
            raise InputError(f"{error}; known: {', '.join(item.key for item in current.brands)}") from error
        except ScopeError as error:
            raise InputError("there is no brand of ours yet; load one with `watchfloor organisation load`") from error
        rows = export_rows(connection, scope, window, current)
        count = (export.write_csv if form == "csv" else export.write_jsonl)(rows, _standard_output())
    Console(stderr=True, highlight=False).print(f"Exported {counted(count, 'mention')}.")


def _standard_output() -> TextIO:
    """Standard output as UTF-8 whatever the terminal's language, with line ends as they are written."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", newline="")
    return cast(TextIO, sys.stdout)


def _instant(value: str | None, zone: ZoneInfo, default: datetime) -> datetime:
    """An ISO instant in a flag; without a zone it is in the organisation's. InputError."""
    if value is None:
        return default
    try:
        instant = datetime.fromisoformat(value)
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(f'"{value}" is no instant; write one like 2015-02-20T18:00 or 2015-02-20T18:00Z') from error
