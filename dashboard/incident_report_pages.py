"""`GET /incidents/N/report` and `/incidents/N/report.pdf`: the gate has checked session and right, rules ask which."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from fastapi import FastAPI, Response

from dashboard import gate
from dashboard.asks.serving import sentence
from dashboard.incident_report_html import page
from dashboard.incident_report_pdf import pdf
from dashboard.notice import notice_page
from models import audit, incident_report
from models import organisation as organisations
from models.access import Access
from models.database import Database
from models.errors import NotFound, WatchfloorError
from models.incident_reading import NO_SUCH
from models.incident_report import Report
from models.organisation import Organisation

HTML, PDF = "text/html; charset=utf-8", "application/pdf"


def mount(server: FastAPI, database: Database) -> None:
    """Serve both."""

    @server.get("/incidents/{number}/report", include_in_schema=False)
    async def shown(number: str) -> Response:
        access = gate.current().access
        return await asyncio.to_thread(_answer, lambda: as_page(database, access, _number(number)))

    @server.get("/incidents/{number}/report.pdf", include_in_schema=False)
    async def filed(number: str) -> Response:
        access = gate.current().access
        return await asyncio.to_thread(_answer, lambda: as_file(database, access, _number(number)))


def as_page(database: Database, access: Access, number: int) -> Response:
    """The report to read, print and sign. NotFound."""
    report, organisation = read(database, access, number, datetime.now(UTC))
    return Response(page(report, organisation.zone, organisation.name), media_type=HTML)


def as_file(database: Database, access: Access, number: int) -> Response:
    """The report as a file; that it was taken away is a row of the audit log. NotFound."""
    now = datetime.now(UTC)
    report, organisation = read(database, access, number, now)
    file = pdf(report, organisation.zone, organisation.name)
    with database.write() as connection:
        audit.record(
            connection,
            at=now,
            action="incident.report_exported",
            subject=report.incident.label,
            actor=access.email,
            person_id=access.person_id,
            details={"format": "pdf", "bytes": len(file), "final": report.is_final},
        )
    name = quote(f"{report.incident.label}-report.pdf")
    return Response(file, media_type=PDF, headers={"Content-Disposition": f'inline; filename="{name}"'})


def read(database: Database, access: Access, number: int, now: datetime) -> tuple[Report, Organisation]:
    """The report as this person may see it, and whose it is."""
    with database.read() as connection:
        organisation = organisations.current(connection, now)
        return incident_report.report(connection, organisation, access, number, now=now), organisation


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(NO_SUCH)
    return int(text)


def _answer(work: Callable[[], Response]) -> Response:
    try:
        return work()
    except WatchfloorError as error:
        status = 404 if isinstance(error, NotFound) else 400
        return Response(notice_page(sentence(str(error)).rstrip("."), "/incidents"), status, media_type=HTML)
