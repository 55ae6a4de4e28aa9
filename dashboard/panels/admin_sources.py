"""Every source with all an administrator must know of it: the figures, the table below them, the drawer of a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import source_words as words
from dashboard import style
from dashboard.panel import Panel, Props, Question
from dashboard.panels import source_drawer
from dashboard.panels.frame import NO_STATE
from models import source_checks, source_ledger, sources
from models.networks import BY_ID
from models.source_checks import Shown
from models.source_kinds import BY_KIND, FORMS, REMEASURE, Form
from models.source_ledger import Day, Fetch
from models.sources import Health, Setup

KEY = "admin-sources"
NAME = "Sources"
# An arrow beside today's cost says nothing below this many dollars a day.
LEAST_COST = 0.01


@dataclass(frozen=True, slots=True)
class Frame:
    """All sources, how each is set up, its last day, its newest fetches, dollars a day over the week, open checks."""

    health: tuple[Health, ...]
    setups: dict[int, Setup]
    days: dict[int, Day]
    fetches: dict[int, tuple[Fetch, ...]]
    per_day: dict[int, float]
    checks: tuple[Shown, ...]
    now: datetime
    zone: str


def query(connection: Connection, question: Question) -> Frame:
    """Seven reads, however many sources there are."""
    now, zone = question.now, question.organisation.zone_info
    health = sources.health(connection, now)
    setups = sources.setups(connection, now)
    created_at = {key: setup.created_at for key, setup in setups.items()}
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    paid = {item.id: created_at[item.id] for item in health if item.budget is not None or item.spent > 0}
    return Frame(
        health=health,
        setups=setups,
        days=source_ledger.days(connection, health, created_at, midnight=midnight, now=now),
        fetches=source_ledger.newest(connection, [item.id for item in health]),
        per_day=source_ledger.costs_of_week(connection, paid, now=now),
        checks=source_checks.recent(connection, now),
        now=now,
        zone=question.zone,
    )


def draw(found: Frame) -> Props:
    """The figures, a row a source with its drawer, the forms, and what came of the checks."""
    zone = ZoneInfo(found.zone)
    # By network; what was read to its end is history and stands last.
    ordered = sorted(
        found.health, key=lambda item: (item.state == "done", item.network_id == 1, item.network_id, item.id)
    )
    rows = [_row(item, found, zone) for item in ordered]
    state = NO_STATE
    if not rows:
        text = "Nothing is listened to yet. “Add a source” connects the first."
        state = {"kind": "empty", "title": "No source yet", "text": text, "widen": "", "plain": True}
    return {
        f"{KEY}-table": {
            "rows": rows,
            "kpis": _kpis(found, zone),
            "at": f"{found.now.astimezone(zone):%a %-d %b, %H:%M}",
            "checks": [_check(check) for check in found.checks],
            "forms": [_form(form) for form in FORMS],
            "remeasure": [[key, label] for key, label in REMEASURE.items()],
        },
        f"{KEY}-state": state,
    }


def place() -> Component:
    """Figures above, the table below, the drawer at the right; the browser fills them."""
    return html.Section(
        id=f"panel-{KEY}",
        className="sources-page",
        **{"aria-label": NAME, "data-panel": KEY},
        children=[
            html.Div(id=f"{KEY}-kpis", className="kst panel", role="list", **{"aria-label": "Sources at a glance"}),
            html.Div(
                className="panel stable",
                children=[
                    html.Div(id=f"{KEY}-bar", className="ph"),
                    html.Div(id=f"{KEY}-table", className="srows", role="group", **{"aria-label": NAME}),
                    html.Div(id=f"{KEY}-foot", className="sfoot"),
                    html.Div(id=f"{KEY}-state", className="pstate", **{"data-state-of": KEY}),
                ],
            ),
        ],
    )


def _row(item: Health, found: Frame, zone: ZoneInfo) -> dict[str, Any]:
    setup, day, now = found.setups[item.id], found.days[item.id], found.now
    network = BY_ID.get(item.network_id)
    matter = words.trouble(item, setup, now, zone)
    condition = item.condition
    mark, word, tone = words.CHIPS[condition]
    is_paid = item.budget is not None or item.spent > 0 or day.cost_today > 0
    ends_at = _ends_at(item, found)
    total = day.total
    return {
        "id": str(item.id),
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "network_key": network.key if network else "",
        "name": item.name,
        "kind": item.kind,
        "cadence": "" if item.state == "done" else words.cadence(item.every_seconds),
        "condition": condition,
        "chip": [mark, word, tone],
        # The browser keeps ages: a panel that waits for a change would show an old one.
        "since": item.last_success_at.isoformat() if item.last_success_at and item.state != "done" else "",
        "normal": round(item.normal_seconds, 1) if item.state == "active" else 0,
        "tone": "wn" if item.state == "active" and item.badge in ("slow", "stale") else "",
        "age": {"done": "done"}.get(item.state, "never"),
        "strip": _strip(day),
        "new": f"{total.new_items:,}",
        "of": f"of {total.items:,}",
        "cost": words.money(day.cost_today) if is_paid else "free",
        "month": _month_words(item) if is_paid else "",
        "ends": "" if ends_at is None or condition == "spent" else f"ends {ends_at.astimezone(zone):%-d %b}",
        "left": _left(item),
        "matter": None if matter is None else {"words": matter.words, "ways": list(matter.ways), "tone": matter.tone},
        "paid": is_paid,
        "needs": condition in words.NEEDS or (matter is not None and words.is_untaken(item, setup, now)),
        "done": item.state == "done",
        "editable": item.kind in BY_KIND,
        "form": source_drawer.filled(item, setup),
        "drawer": source_drawer.drawn(
            item, setup, day, found.fetches.get(item.id, ()), now=now, zone=zone, ends_at=ends_at
        ),
    }


def _strip(day: Day) -> dict[str, Any]:
    """96 numbers: items of a quarter hour, 0 quiet, −1 every fetch failed, −2 nobody listened, −3 not asked."""
    bars, failed = [], {}
    for place, (quarter, heard) in enumerate(zip(day.quarters, day.heard, strict=True)):
        if quarter is None:
            bars.append(-3 if heard else -2)
            continue
        if quarter.failed:
            failed[str(place)] = [quarter.failed, quarter.fetches]
        bars.append(-1 if quarter.failed >= quarter.fetches else quarter.items)
    return {"start": int(day.start.timestamp() * 1000), "bars": bars, "failed": failed}


def _left(item: Health) -> str:
    if item.rate_left is None:
        return "none known"
    return f"{100 * min(max(item.rate_left, 0.0), 1.0):.0f}%"


def _month_words(item: Health) -> str:
    spent = words.money(item.spent)
    return f"{spent} of {words.money(item.budget)}" if item.budget is not None else f"{spent} this month"


def _ends_at(item: Health, found: Frame) -> datetime | None:
    if item.budget is None or item.state != "active":
        return None
    per_day = found.per_day.get(item.id, 0.0)
    return source_ledger.budget_ends_at(spent=item.spent, budget=item.budget, per_day=per_day, now=found.now)


# -- the figures above ---------------------------------------------------------------------------------------


def _kpis(found: Frame, zone: ZoneInfo) -> list[dict[str, Any]]:
    asked = [item for item in found.health if item.state != "done"]
    return [_listening(asked), _oldest(asked), _new(asked, found), _today(asked, found), _month(asked, found, zone)]


def _listening(asked: list[Health]) -> dict[str, Any]:
    well = ("live", "slow")
    listening = [item for item in asked if item.condition in well]
    counts: dict[str, int] = {}
    for item in asked:
        if item.condition != "live":
            counts[item.condition] = counts.get(item.condition, 0) + 1
    order = sorted(words.CHIPS, key=lambda key: key not in words.NEEDS)
    parts = [f"{words.CHIPS[key][1].lower()} {counts[key]}" for key in sorted(counts, key=order.index)]
    shown = ", ".join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")
    return _cell(
        "listening", "Listening", str(len(listening)), f"of {len(asked)}", shown or "all as they should",
        tone="wn" if any(item.condition not in ("live", "paused", "waiting") for item in asked) else "t3",
        attention=any(item.condition in words.NEEDS for item in asked), filters="needs",
    )  # fmt: skip


def _oldest(asked: list[Health]) -> dict[str, Any]:
    # What was never fetched has no age; the cell before counts it.
    worst = sources.worst(tuple(item for item in asked if item.data_age_seconds is not None))
    if worst is None:
        return _cell("oldest", "Oldest data", style.NO_VALUE, "", "no source is asked")
    is_late = worst.badge in ("slow", "stale")
    cell = _cell(
        "oldest", "Oldest data", "", "", worst.name,
        tone="wn" if is_late else "t3", attention=is_late, opens=str(worst.id),
    )  # fmt: skip
    assert worst.last_success_at is not None
    since = worst.last_success_at.isoformat()
    return cell | {"since": since, "normal": round(worst.normal_seconds, 1)}


def _new(asked: list[Health], found: Frame) -> dict[str, Any]:
    totals = [found.days[item.id].total for item in asked]
    value, unit = style.number(sum(total.new_items for total in totals))
    fetched = style.short(sum(total.items for total in totals))
    return _cell("new", "New items, 24 h", value, unit, f"of {fetched} fetched")


def _today(asked: list[Health], found: Frame) -> dict[str, Any]:
    cost = sum(found.days[item.id].cost_today for item in asked)
    usual = sum(found.per_day.get(item.id, 0.0) for item in asked)
    if usual < LEAST_COST:
        return _cell("today", "Cost today", words.money(cost), "", "no source costs money", filters="paid")
    return _cell("today", "Cost today", words.money(cost), "", f"{words.money(usual)} on a usual day", filters="paid")


def _month(asked: list[Health], found: Frame, zone: ZoneInfo) -> dict[str, Any]:
    spent = sum(item.spent for item in asked)
    budget = sum(item.budget for item in asked if item.budget is not None)
    gone = [item for item in asked if item.condition == "spent"]
    ends = sorted((at, item.name) for item in asked if item not in gone and (at := _ends_at(item, found)) is not None)
    line, tone = ("within the budgets", "t3") if budget else ("no budget is set", "t3")
    if gone:
        line, tone = f"{len(gone)} {'budget is' if len(gone) == 1 else 'budgets are'} spent", "wn"
    elif ends:
        first, what = ends[0][0].astimezone(zone), "budget ends" if len(ends) == 1 else "budgets end"
        line, tone = f"{len(ends)} {what}, first {first:%-d %b}", "wn"
    unit = f"of {words.money(budget)}" if budget else ""
    return _cell(
        "month", f"{found.now.astimezone(zone):%B}", words.money(spent), unit, line, tone=tone, attention=bool(gone),
        filters="paid",
    )  # fmt: skip


def _cell(
    key: str,
    label: str,
    value: str,
    unit: str,
    line: str,
    *,
    tone: str = "t3",
    attention: bool = False,
    filters: str = "",
    opens: str = "",
) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "value": value,
        "unit": unit,
        "line": line,
        "tone": tone,
        "attention": attention,
        "filters": filters,
        "opens": opens,
        "since": "",
        "normal": 0,
    }


# -- forms and checks ----------------------------------------------------------------------------------------


def _form(form: Form) -> dict[str, Any]:
    return {
        "kind": form.kind,
        "title": form.title,
        "words": form.words,
        "every": f"{form.every_seconds:g}",
        "paid": form.is_paid,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "type": field.type,
                "help": field.help,
                "required": field.required,
                "choices": [list(choice) for choice in field.choices],
                "default": field.default,
                "only": None if field.only is None else [field.only[0], list(field.only[1])],
            }
            for field in form.fields
        ],
    }


def _check(check: Shown) -> dict[str, Any]:
    return {
        "id": str(check.id),
        "name": check.name,
        "source": "" if check.source_id is None else str(check.source_id),
        "state": check.state,
        "answer": check.answer or "",
        "at": int(check.asked_at.timestamp() * 1000),
    }


PANEL = Panel(
    key=KEY,
    topics=("sources",),
    query=query,
    draw=draw,
    place=place,
    ignores=frozenset({"location_ids", "team_ids", "network_ids", "search", "window"}),
)
