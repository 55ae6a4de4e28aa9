"""What the drawer of a source says: settings, cadence, money, credentials, newest fetches; and its filled-in form."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard import source_words as words
from dashboard import style
from models.audit import SECRET_WORDS
from models.source_kinds import BY_KIND, shown
from models.source_ledger import Day, Fetch
from models.sources import Health, Setup

# Settings of the kinds that have no form are shown as they are, but at most so long.
LONGEST_SHOWN = 300
RESULTS = {
    "dead_token": "token refused",
    "rate_limited": "rate limited",
    "passing": "passing fault",
    "gone": "gone",
    "unknown": "unknown fault",
}
KINDS = {"look_up": "measured again", "canary": "canary"}
# The field of a form that holds what is searched for.
QUERY = "query"


def drawn(
    item: Health,
    setup: Setup,
    day: Day,
    fetches: Sequence[Fetch],
    *,
    now: datetime,
    zone: ZoneInfo,
    ends_at: datetime | None,
) -> dict[str, Any]:
    """Everything but the buttons, in words."""
    settings = _settings(item, setup)
    total = day.total
    unheard = day.unheard.total_seconds()
    return {
        "normal": words.normal(item),
        "query": str(setup.config.get(QUERY) or "") if item.kind in BY_KIND else "",
        "settings": settings,
        "cadence": _cadence(item, setup, now, zone),
        "month": _month(item, now, zone, ends_at),
        "credentials": _credentials(item, setup, now, zone),
        "summary": f"{total.fetches:,} in 24 h, {total.failed:,} failed, "
        + (f"{style.span_words(unheard)} not listening" if unheard else "0 s not listening"),
        "fetches": [_fetch(line, now, zone) for line in fetches],
    }


def filled(item: Health, setup: Setup) -> dict[str, str]:
    """The form of a source with its values, without its secrets; empty for kinds that have none."""
    if item.kind not in BY_KIND:
        return {}
    return shown(item.kind, setup.config) | {
        "name": item.name,
        "every_seconds": f"{item.every_seconds:g}",
        "budget": "" if item.budget is None else f"{item.budget:g}",
        "remeasure": setup.remeasure,
    }


def _settings(item: Health, setup: Setup) -> list[list[str]]:
    form = BY_KIND.get(item.kind)
    if form is not None:
        values = shown(item.kind, setup.config)
        chosen = {field.name: dict(field.choices) for field in form.fields}
        return [
            [field.label, chosen[field.name].get(values[field.name], values[field.name])]
            for field in form.fields
            if field.name in values and field.name != QUERY
        ]
    return [
        [key.replace("_", " ").capitalize(), str(value)[:LONGEST_SHOWN]]
        for key, value in setup.config.items()
        if isinstance(value, str | int | float) and not any(secret in key.lower() for secret in SECRET_WORDS)
    ]


def _cadence(item: Health, setup: Setup, now: datetime, zone: ZoneInfo) -> list[list[str]]:
    facts = [["Cadence", words.cadence(item.every_seconds)]]
    if setup.quiet:
        rest = setup.quiet.get("every_seconds")
        facts.append(
            [
                "Quiet hours",
                f"{setup.quiet.get('from', '?')} to {setup.quiet.get('to', '?')}, "
                + (words.cadence(float(rest)) if rest else "not asked"),
            ]
        )
    if item.state == "active" and item.condition != "spent":
        facts.append(["Next", "being fetched" if setup.is_running else words.clock(setup.due_at, now, zone)])
    facts.append(["Priority", f"{setup.priority} of 9, 1 is asked first"])
    again = {"ours": "posts of ours", "all": "every post"}.get(setup.remeasure)
    if again:
        facts.append(["Measured again", again])
    return facts


def _month(item: Health, now: datetime, zone: ZoneInfo, ends_at: datetime | None) -> dict[str, Any] | None:
    if item.budget is None and item.spent == 0:
        return None
    # The month of a budget is the calendar's in UTC, whatever the zone of the page.
    at = now.astimezone(UTC)
    length = monthrange(at.year, at.month)[1]
    share = None if not item.budget else min(item.spent / item.budget, 1.0)
    return {
        "words": f"{words.money(item.spent)}" + (f" of {words.money(item.budget)}" if item.budget is not None else ""),
        "ends": "" if ends_at is None or ends_at <= now else f"at this pace ends {ends_at.astimezone(zone):%a %-d %b}",
        "share": share,
        "spent": "" if share is None else f"{100 * share:.0f}% spent",
        "day": round((at.day - 1 + (at.hour + at.minute / 60) / 24) / length, 4),
        "day_words": f"day {at.day} of {length}",
    }


def _credentials(item: Health, setup: Setup, now: datetime, zone: ZoneInfo) -> list[list[str]]:
    form = BY_KIND.get(item.kind)
    held = "none stored" if form is not None and form.secret_names else "needs none"
    if setup.has_secrets:
        held = "stored encrypted, never shown"
    read, tone = ("not tried yet", "")
    if item.error_kind == "dead_token":
        read, tone = "Refused", "wn"
    elif item.last_success_at is not None:
        read = "Works"
    since = "" if item.last_success_at is None else f", last at {words.clock(item.last_success_at, now, zone)}"
    rate = "no limit known" if item.rate_left is None else f"{100 * min(max(item.rate_left, 0.0), 1.0):.0f}% left"
    return [
        ["Read", read, held + since, tone],
        ["Rate", rate, "" if item.rate_left is None else "of what the network allows", ""],
        ["Publish", "Not asked of this source", "", ""],
    ]


def _fetch(line: Fetch, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    end = line.ended_at.astimezone(zone)
    asked = ""
    if line.window is not None:
        start, stop = (at.astimezone(zone) for at in line.window)
        asked = f"{start:%H:%M:%S} to {stop:%H:%M:%S}"
    elif line.fetches > 1:
        asked = f"{line.fetches} times since {line.started_at.astimezone(zone):%H:%M:%S}"
    result, tone = "ok", "t2"
    if line.error_kind is not None:
        result, tone = RESULTS.get(line.error_kind, RESULTS["unknown"]), "wn"
    elif line.kind in KINDS:
        result, tone = KINDS[line.kind], "t3"
    elif line.items == 0:
        result, tone = "quiet", "t3"
    failed = line.error_kind is not None
    return {
        "end": f"{end:%H:%M:%S}" if end.date() == now.astimezone(zone).date() else f"{end:%-d %b %H:%M}",
        "asked": asked,
        "items": "" if failed else f"{line.items:,}",
        "new": "" if failed else f"{line.new_items:,}",
        "cost": "" if not line.cost else f"${line.cost:,.2f}" if line.cost >= 0.1 else f"${line.cost:.3f}",
        "took": f"{line.seconds:.1f} s",
        "result": result,
        "tone": tone,
        "why": line.error or "",
    }
