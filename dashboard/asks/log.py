"""The shift log: its lines as this person may read them, one more line, and the signature of who takes over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from models import alerts, shift_log
from models.access import ADMIN
from models.organisation import Organisation
from models.shift_log import EVERYBODY, Line, Pin

PAGE = 50
RECENT = timedelta(days=2)
MOST_CHOICES = 20
BEFORE, AFTER = timedelta(hours=2), timedelta(hours=1)


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The newest lines (older than `before`, where given) as {lines, more, waiting, newest}.

    `waiting` = lines of others that nobody signed; `newest` is the id of the newest line, "" without any.
    """
    before = asked.number("before") if asked.given.get("before") else None
    found = shift_log.lines(connection, asked.access, asked.organisation, limit=PAGE + 1, before_id=before)
    return {
        "lines": [said(line, asked) for line in found[:PAGE]],
        "more": len(found) > PAGE,
        "waiting": shift_log.waiting(connection, asked.access, asked.organisation, now=asked.now),
        "newest": str(found[0].id) if found else "",
    }


def about(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What a line can be pinned to beside a mention: the spikes of the last two days, and every source."""
    organisation, now = asked.organisation, asked.now
    brands = alerts.may_see(asked.access, shift_log.readable(asked.access, organisation))
    found = alerts.of_brands(connection, brands, start=now - RECENT, end=now + RECENT)
    return {
        "alerts": [
            {
                "id": str(item.id),
                "words": f"{organisation.brand_names.get(item.brand_id, 'A brand')}, {_clock(item.started_at, asked)}",
            }
            for item in found[:MOST_CHOICES]
            if item.kind != alerts.BLIND
        ],
        "sources": [{"id": str(number), "words": name} for number, name in shift_log.source_names(connection)],
    }


def add(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Write `text`, about `about` (a brand's key) or pinned to `pinned` (mention, alert, source) and `pinned_id`."""
    pinned = asked.text("pinned", longest=16)
    line = shift_log.add(
        connection,
        asked.access,
        asked.organisation,
        asked.text("text"),
        now=asked.now,
        brand=asked.text("about", longest=64),
        pinned=pinned,
        pinned_id=asked.number("pinned_id") if pinned else 0,
    )
    return {"words": "Added to the shift log.", "line": said(line, asked)}


def sign(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Read and taken over: sign every line of others up to `up_to`."""
    count = shift_log.sign(connection, asked.access, asked.organisation, asked.number("up_to"), now=asked.now)
    return {"words": f"You took over; {count} line{'s' if count != 1 else ''} signed.", "signed": count}


def said(line: Line, asked: Asked) -> dict[str, Any]:
    """One line, plain: the browser writes it with textContent. Times are in the organisation's zone."""
    organisation = asked.organisation
    return {
        "id": str(line.id),
        "at": line.at.isoformat(),
        "clock": _clock(line.at, asked),
        "author": line.author,
        "mine": line.person_id == asked.access.person_id,
        "text": line.text,
        "about": "" if line.brand_id == EVERYBODY else organisation.brand_names.get(line.brand_id, ""),
        "pin": _pin(line.pin, asked),
        "signed": "" if line.signed_at is None else f"{line.signed_by}, {_clock(line.signed_at, asked)}",
    }


def _pin(pin: Pin | None, asked: Asked) -> dict[str, str] | None:
    if pin is None:
        return None
    if not pin.words:
        return {"words": f"a {pin.kind} that you cannot see, or that is gone", "href": ""}
    words = f"source {pin.words}" if pin.kind == "source" else pin.words
    return {"words": words, "href": _address(pin, asked)}


def _address(pin: Pin, asked: Asked) -> str:
    if pin.kind == "source":
        return f"/admin/sources#source-{pin.id}" if asked.access.may(ADMIN) else ""
    if pin.at is None:
        return ""
    brand = _brand_key(pin.brand_id, asked.organisation)
    query = [f"brand={quote(brand)}"] if brand else []
    if pin.kind == "mention":
        # The window ends right after it was posted, so that it is the newest that the feed shows.
        query += ["window=1h", f"at={_instant(pin.at.replace(microsecond=0) + timedelta(seconds=1))}"]
    else:
        query += [f"window={_instant(pin.at - BEFORE)}..{_instant(pin.at + AFTER)}"]
    return f"/?{'&'.join(query)}"


def _brand_key(brand_id: int, organisation: Organisation) -> str:
    return next((brand.key for brand in organisation.brands if brand.id == brand_id), "")


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _clock(at: datetime, asked: Asked) -> str:
    local, today = at.astimezone(asked.organisation.zone_info), asked.now.astimezone(asked.organisation.zone_info)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%-d %b %H:%M}"


READS: dict[str, Read] = {"log": read, "log.about": about}
ACTS: dict[str, Act] = {"log.add": add, "log.sign": sign}
