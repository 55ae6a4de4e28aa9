"""The after-action report as a page of paper: it prints as A4, and carries on the screen what may be done to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from dashboard import style
from dashboard.incident_report_curve import Place, Shapes, shapes
from dashboard.incident_report_words import Told, day, net, percent, told
from models.incident_report import Report

SCRIPTS = ("0-dom.js", "asks.js", "overlay.js", "incidents.js", "incident-report.js")
SHEETS = ("tokens.css", "view-shell.css", "view-overlay.css", "view-incident.css", "view-incident-report.css")
CURVE_WIDTH, CURVE_HEIGHT = 682.0, 178.0


def page(report: Report, zone: str, organisation: str) -> str:
    """The whole document. Every text goes through `escape`; nothing of customers' words is in it."""
    said, item = told(report, zone), report.incident
    heads = "".join(f'<link rel="stylesheet" href="/assets/{name}">' for name in SHEETS)
    scripts = "".join(f'<script src="/assets/{name}" defer></script>' for name in SCRIPTS)
    back = f'<a class="btn" href="/incidents/{item.id}">Back to {escape(item.label)}</a>'
    pdf = f'<a class="btn" href="/incidents/{item.id}/report.pdf">PDF</a>'
    return (
        '<!doctype html>\n<html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(said.title)} · Watchfloor</title>"
        '<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">'
        f'{heads}{scripts}</head>\n<body class="report" data-incident="{item.id}">'
        f'<nav class="aar-bar" aria-label="Report">{back}<span class="grow"></span><span id="report-acts"></span>{pdf}'
        '<button class="btn" type="button" data-print hidden>Print</button></nav>\n'
        f'<main class="aar-paper">{_body(report, said, zone)}'
        f'<footer class="aar-foot"><span>Watchfloor, {escape(organisation)}. Internal. Customers are not named.</span>'
        f"<span>{escape(item.label)}</span></footer></main>\n"
        '<div id="say" class="unseen" role="status" aria-live="polite"></div></body></html>\n'
    )


def _body(report: Report, said: Told, zone: str) -> str:
    words = report.words
    cells = "".join(
        f'<div class="aar-cell"><b class="{escape(cell.tone)}">{escape(cell.value)}</b>'
        f"<span>{escape(cell.words)}</span></div>"
        for cell in said.cells
    )
    happened = "".join(f"<p>{escape(part)}</p>" for part in said.happened.split("\n") if part.strip())
    nobody = '<p class="t3">Nobody has written this yet.</p>'
    return (
        f'<header class="aar-head"><div><h1>{escape(said.title)}</h1>'
        f'<p class="t2"><bdi>{escape(said.name)}</bdi> · {escape(said.when)}</p></div>'
        f'<span class="chip line">{escape(said.severity)}</span>'
        f'<span class="chip">{escape(said.version)}</span></header>'
        f'<div class="aar-cells">{cells}</div>'
        f"{_section('What happened', '', happened or nobody)}"
        f"{_section('Curve', _per(report), svg(shapes(report, zone, width=CURVE_WIDTH, height=CURVE_HEIGHT)))}"
        f'<div class="aar-two">{_section("Timeline", said.timeline_sub, _timeline(said))}'
        f"{_section('Narratives', said.narratives_sub, _narratives(report))}</div>"
        f'<div class="aar-two">{_section("When", "and how much", _facts(said))}'
        f"{_section('Who did what', '', _people(said))}</div>"
        f'<div class="aar-two">{_section("Went well", "", _list(words.well, "+") or nobody)}'
        f"{_section('Went badly', '', _list(words.badly, style.MINUS) or nobody)}</div>"
        f"{_section('What changes', 'with an owner and a day', _changes(report) or nobody)}"
        f"{_section('What we said', 'every version, and in how many replies it stands', _statements(said))}"
        f"{_section('How these figures were made', '', f'<p>{escape(said.made)}</p>')}"
        f'<div class="aar-signs">{_signatures(said)}</div>'
    )


def _section(title: str, sub: str, inner: str) -> str:
    beside = f'<span class="t3">{escape(sub)}</span>' if sub else ""
    return f'<section class="aar-part"><h2>{escape(title)}{beside}</h2>{inner}</section>'


def _per(report: Report) -> str:
    per = f"mentions per {style.step_words(report.figures.curve.step_seconds)}, frozen scope"
    return f"{per}; band = expected range, filled = above it"


def _timeline(said: Told) -> str:
    rows = "".join(
        f'<tr><td class="num">{escape(row.clock)}</td><td dir="auto">{escape(row.text)}</td>'
        f"<td>{escape(row.who)}</td></tr>"
        for row in said.timeline
    )
    return f'<table class="aar-time"><tbody>{rows}</tbody></table>'


def _narratives(report: Report) -> str:
    if not report.figures.narratives:
        return '<p class="t3">No term stood out in what was said.</p>'
    rows = []
    for one in sorted(report.figures.narratives, key=lambda one: -one.texts):
        words, tone = net(one.net)
        rows.append(
            f'<tr><td dir="auto">{escape(one.term)}</td><td class="num">{percent(one.share)}</td>'
            f'<td class="num {tone}">{escape(words)}</td></tr>'
        )
    return _table(("What was said", "Share", "Net"), rows)


def _facts(said: Told) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in said.facts) + "</dl>"


def _people(said: Told) -> str:
    rows = [
        f"<tr><td><bdi>{escape(name)}</bdi></td><td><bdi>{escape(part)}</bdi></td><td>{escape(did)}</td></tr>"
        for name, part, did in said.people
    ]
    return _table(("Who", "As", "Did"), rows)


def _list(items: Sequence[str], mark: str) -> str:
    if not items:
        return ""
    lines = "".join(f'<li><i aria-hidden="true">{escape(mark)}</i><bdi>{escape(item)}</bdi></li>' for item in items)
    return f'<ul class="aar-list">{lines}</ul>'


def _changes(report: Report) -> str:
    rows = [
        f'<tr><td dir="auto">{escape(one.text)}</td><td dir="auto">{escape(one.owner)}</td>'
        f"<td>{'done' if one.done else escape(day(one.due) or 'no day set')}</td></tr>"
        for one in report.words.changes
    ]
    return _table(("Action", "Owner", "Due"), rows) if rows else ""


def _statements(said: Told) -> str:
    if not said.statements:
        return '<p class="t3">No statement was written.</p>'
    return "".join(
        f'<div class="aar-said"><b>{escape(label)}</b> <span class="t3">{escape(used)}</span>'
        f'<p dir="auto">{escape(text)}</p></div>'
        for label, text, used in said.statements
    )


def _signatures(said: Told) -> str:
    return "".join(f"<div><b>{escape(name)}</b><span>{escape(how)}</span></div>" for name, how in said.signatures)


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def svg(drawn: Shapes) -> str:
    """The curve as inline SVG; its colours come from the sheet."""
    inner = [f'<polygon class="band" points="{_points(run)}"/>' for run in drawn.band]
    for y, label in drawn.grid:
        inner.append(f'<line class="grid" x1="36" x2="{drawn.width - 8:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        inner.append(f'<text class="tick" text-anchor="end" x="30" y="{y + 4:.1f}">{escape(label)}</text>')
    inner += [f'<polygon class="excess" points="{_points(run)}"/>' for run in drawn.excess]
    inner += [f'<polyline class="base" points="{_points(run)}"/>' for run in drawn.middle]
    floor = drawn.height - 18
    for x, label in drawn.marks:
        inner.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="{floor:g}"/>')
        anchor = "end" if x > drawn.width * 0.75 else "start"
        shift = -5 if anchor == "end" else 5
        inner.append(f'<text class="lab" text-anchor="{anchor}" x="{x + shift:.1f}" y="20">{escape(label)}</text>')
    inner.append(f'<polyline class="ink" points="{_points(drawn.line)}"/>')
    for x, label in drawn.ticks:
        inner.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{drawn.height - 4:g}">{escape(label)}</text>'
        )
    return (
        f'<svg class="aar-curve" viewBox="0 0 {drawn.width:g} {drawn.height:g}" role="img"'
        f' aria-label="Mentions over time against the expected range">{"".join(inner)}</svg>'
    )


def _points(places: Iterable[Place]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
