"""The after-action report in words and numbers, the same for the page and for the PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard import style
from models.incident_figures import began_at
from models.incident_reading import DECISION, EVIDENCE, LATE, NOTE, STEP, UPDATE, Line
from models.incident_report import Report

# Lines of the timeline that the report names; the others are counted.
MOST_LINES = 16
_ALWAYS = frozenset({EVIDENCE, DECISION, LATE, UPDATE})
_STEPS = ("Declared", "Ended")


@dataclass(frozen=True, slots=True)
class Cell:
    """A headline figure: `tone` is pos, neg or ""."""

    value: str
    words: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the report's timeline."""

    clock: str
    text: str
    who: str


@dataclass(frozen=True, slots=True)
class Told:
    """Everything the report says that is not drawn."""

    title: str
    name: str
    when: str
    severity: str
    version: str
    cells: tuple[Cell, ...]
    happened: str
    timeline: tuple[Entry, ...]
    timeline_sub: str
    narratives_sub: str
    facts: tuple[tuple[str, str], ...]
    people: tuple[tuple[str, str, str], ...]
    statements: tuple[tuple[str, str, str], ...]
    made: str
    signatures: tuple[tuple[str, str], ...]


def told(report: Report, zone: str) -> Told:
    """The report in the organisation's zone."""
    item = report.incident
    shown = _shown(report)
    decisions = sum(line.kind == DECISION for line in report.figures.timeline)
    is_over = item.ended_at is not None
    return Told(
        title=f"After-action report, {item.label}",
        name=item.name,
        when=_span(report, zone),
        severity=f"Severity {item.severity}",
        version="Final" if report.is_final else "Draft" if is_over else "So far: it goes on",
        cells=_cells(report, zone),
        happened=report.words.happened,
        timeline=tuple(Entry(_clock(line.at, zone, report), line.text, line.actor) for line in shown),
        timeline_sub=f"{decisions} decision{'' if decisions == 1 else 's'} of {report.figures.steps} steps",
        narratives_sub=_narratives_sub(report),
        facts=_facts(report, zone),
        people=tuple((one.name, one.part, _did(one.lines, one.sent, one.signed)) for one in report.figures.people),
        statements=tuple(_statement(report, zone)),
        made=_made(report, zone),
        signatures=tuple(
            (one.name, f"{one.part}, {'not signed yet' if one.at is None else f'signed {_day_clock(one.at, zone)}'}")
            for one in report.signed
        ),
    )


def duration(seconds: float) -> str:
    """2 h 27, 4 min, 3 d 2 h: as a headline says it."""
    minutes = round(max(0.0, seconds) / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d}"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def day(text: str) -> str:
    """2026-11-26 as 26 Nov; "" for none."""
    return f"{datetime.fromisoformat(text):%-d %b}" if text else ""


def percent(share: float) -> str:
    """86% of 0..1."""
    return f"{100 * share:.0f}%"


def net(value: float | None) -> tuple[str, str]:
    """Net sentiment with its mark, and its tone."""
    if value is None:
        return style.NO_VALUE, ""
    mark, tone = (style.UP, "pos") if value >= 0.5 else (style.DOWN, "neg") if value <= -0.5 else (style.LEVEL, "")
    return f"{mark} {style.signed(value)}", tone


# -- parts -------------------------------------------------------------------------------------------------


def _cells(report: Report, zone: str) -> tuple[Cell, ...]:
    item, figures = report.incident, report.figures
    began, end = began_at(item), item.ended_at or figures.at
    lowest, tone = net(figures.said.lowest_net if figures.said.lowest_net is not None else figures.said.net)
    at = figures.said.lowest_at
    words = f"lowest net, {_clock(at, zone, report)}" if at is not None else "net sentiment"
    kept = figures.kept_share
    cells = [
        Cell(duration((end - began).total_seconds()), "noticed to ended" if item.ended_at else "since it was noticed"),
        Cell(duration((item.declared_at - began).total_seconds()), "noticed to declared"),
        Cell(style.short(figures.said.mentions), "mentions, all copies"),
        Cell(lowest, words, tone),
        Cell(f"{figures.work.answered:,}", f"answered of {figures.work.cases:,} cases"),
        Cell(
            style.NO_VALUE if kept is None else percent(kept),
            "in time, nothing was due" if kept is None else f"in time, {figures.missed:,} late",
        ),
    ]
    return tuple(cells)


def _facts(report: Report, zone: str) -> tuple[tuple[str, str], ...]:
    item, work = report.incident, report.figures.work

    def at(instant: datetime | None) -> str:
        return "not yet" if instant is None else _clock(instant, zone, report)

    back = report.figures.curve.back_in_range(item.declared_at)
    peak = report.figures.curve.peak
    peak_words = style.NO_VALUE
    if peak is not None:
        peak_words = f"{peak.mentions:,} in {style.step_words(report.figures.curve.step_seconds)}, {at(peak.at)}"
    return (
        ("Detected", "nobody noted it" if item.detected_at is None else at(item.detected_at)),
        ("Declared", f"{at(item.declared_at)}, {item.declared_by}"),
        ("First sign-off", at(work.first_signed_at)),
        ("First answer", at(work.first_sent_at)),
        ("Peak", peak_words),
        ("Back in range", at(back)),
        ("Ended", f"{at(item.ended_at)}{f', {item.ended_by}' if item.ended_by else ''}"),
        ("Replies sent", f"{work.sent:,}"),
        ("Still waiting", f"{work.waiting:,}, {work.late:,} late"),
        ("Reach", f"{style.short(report.figures.said.reach)}, estimated"),
    )


def _shown(report: Report) -> list[Line]:
    lines = [
        line
        for line in report.figures.timeline
        if line.kind in _ALWAYS or (line.kind == STEP and line.text.startswith(_STEPS))
    ]
    if len(lines) < MOST_LINES:
        lines = [line for line in report.figures.timeline if line in lines or line.kind == NOTE]
    if len(lines) <= MOST_LINES:
        return lines
    # Its beginning and its end are kept; of what lies between, decisions before the rest.
    middle = sorted(lines[1:-1], key=lambda line: (line.kind != DECISION, line.number))[: MOST_LINES - 2]
    kept = {line.number for line in (*middle, lines[0], lines[-1])}
    return [line for line in lines if line.number in kept]


def _statement(report: Report, zone: str) -> list[tuple[str, str, str]]:
    found = []
    for one in report.figures.statements:
        said = f"{one.replies} repl{'y' if one.replies == 1 else 'ies'}"
        if one.in_use_at is None:
            said = "never used"
        elif one.withdrawn_at is not None:
            until = _clock(one.withdrawn_at, zone, report)
            said = f"in use {_clock(one.in_use_at, zone, report)} to {until}, {said}"
        else:
            said = f"in use from {_clock(one.in_use_at, zone, report)}, {said}"
        found.append((f"v{one.version}", one.text, said))
    return found


def _narratives_sub(report: Report) -> str:
    part = ", the newest" if report.figures.texts_are_part else ""
    return f"share of {report.figures.texts:,} texts{part}, net sentiment"


def _made(report: Report, zone: str) -> str:
    figures, item = report.figures, report.incident
    left_out = figures.said.mentions - figures.said.scored
    frozen = _day_clock(item.declared_at, zone)
    expected = "The expected range is the 5th to 95th percentile of the same hours of the past 4 weeks"
    parts = [
        f"Scope: {', '.join(figures.scope)}; frozen {frozen}, changes stand in the timeline.",
        f"Counted {figures.said.mentions:,} mentions from when it was noticed until its end; {left_out:,} without a "
        "score are left out of net sentiment.",
        f"{expected}; {figures.curve.why_not}." if figures.curve.why_not else f"{expected}.",
        f"Promises: {figures.met:,} kept, {figures.missed:,} missed, of answers that were due in its cases.",
        f"As known {_day_clock(figures.at, zone)}; deleted posts stay counted without text.",
        f"Times in {zone.replace('_', ' ')}.",
    ]
    return " ".join(parts)


def _did(lines: int, sent: int, signed: int) -> str:
    parts = [f"{count:,} {words}" for count, words in ((sent, "sent"), (signed, "signed"), (lines, "lines")) if count]
    return ", ".join(parts) or style.NO_VALUE


def _span(report: Report, zone: str) -> str:
    begins = began_at(report.incident).astimezone(ZoneInfo(zone))
    ends = (report.incident.ended_at or report.figures.at).astimezone(ZoneInfo(zone))
    until = f"{ends:%H:%M %Z}" if ends.date() == begins.date() else f"{ends:%a %-d %b %Y, %H:%M %Z}"
    return f"{begins:%a %-d %b %Y, %H:%M} to {until}"


def _clock(at: datetime, zone: str, report: Report) -> str:
    local, first = at.astimezone(ZoneInfo(zone)), began_at(report.incident).astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}" if local.date() == first.date() else f"{local:%-d %b %H:%M}"


def _day_clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%-d %b %Y %H:%M}"
