"""The audit log as a file: what a filter shows, bounded, written aside first and then sent piece by piece."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from dashboard import gate
from dashboard.asks.ask import Asked
from dashboard.asks.audit import wanted
from models import audit
from models import organisation as organisations
from models.access import AUDIT, Access
from models.audit_export import CSV, JSONL, csv_lines, json_lines
from models.database import Database
from models.errors import AccessDenied, InputError, WatchfloorError

MOST = 50_000
PIECE = 1 << 16
TYPES = {JSONL: "application/x-ndjson", CSV: "text/csv; charset=utf-8"}
WRITERS = {JSONL: json_lines, CSV: csv_lines}


def mount(server: FastAPI, database: Database) -> None:
    """Serve `POST /export/audit`; the gate has checked session, right, origin and token before."""

    @server.post("/export/audit", include_in_schema=False)
    async def export(request: Request) -> Response:
        access, body = gate.current().access, await request.body()
        try:
            file, headers = await asyncio.to_thread(written, database, access, body, datetime.now(UTC))
        except WatchfloorError as error:
            status = 403 if isinstance(error, AccessDenied) else 400
            return JSONResponse({"error": f"{str(error)[:1].upper()}{str(error)[1:]}."}, status)
        return StreamingResponse(_pieces(file), headers=headers)


def written(database: Database, access: Access, body: bytes, now: datetime) -> tuple[IO[bytes], dict[str, str]]:
    """The file, at its beginning, and the headers that go with it; its row stands in the log when this returns."""
    access.require(AUDIT)
    given = _given(body)
    form = given.get("format", JSONL)
    if not isinstance(form, str) or form not in WRITERS:
        raise InputError(f'no format "{str(form)[:20]}"; known: {JSONL}, {CSV}')
    # Aside on the disk: a reader who takes his time holds neither memory nor a transaction.
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        with database.read() as connection:
            organisation = organisations.current(connection, now)
            asked = Asked(access, organisation, now, given)
            lines = WRITERS[form](connection, wanted(asked), most=MOST, now=now)
            rows = _write(file, lines, form)
        with database.write() as connection:
            audit.record(
                connection,
                at=now,
                action="audit.exported",
                subject=f"audit log, {rows:,} rows",
                actor=access.email,
                person_id=access.person_id,
                details={
                    "rows": rows,
                    "format": form,
                    "filter": {name: value for name in FILTER if (value := asked.text(name, longest=330))},
                },
            )
    except BaseException:
        file.close()
        raise
    file.seek(0)
    name = f"audit-{now.astimezone(organisation.zone_info):%Y%m%d-%H%M%S}.{form}"
    return file, {
        "Content-Type": TYPES[form],
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Rows": str(rows),
        "X-Cut": "yes" if rows >= MOST else "no",
    }


FILTER = ("who", "what", "brand", "window", "find")


def _write(file: IO[bytes], lines: Iterator[str], form: str) -> int:
    """Write the lines; the number of rows among them."""
    rows = 0
    for number, line in enumerate(lines):
        file.write(line.encode("utf-8", "replace"))
        is_row = line.startswith('{"kind":"row"') if form == JSONL else number > 1 and not line.startswith("about,")
        rows += is_row
    return rows


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _given(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise InputError("the body is no JSON") from error
    if not isinstance(given, dict):
        raise InputError("the body must be an object")
    return given
