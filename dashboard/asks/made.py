"""How a figure on the screen was made: definition, arithmetic, what is left out, why it changed, the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dashboard import scope as url_scope
from dashboard import style
from dashboard.asks.ask import Act, Asked, Read
from dashboard.asks.made_change import change
from dashboard.asks.made_figures import FIGURES, Reading, in_words, line
from dashboard.panel import Question
from dashboard.panels import kpi
from models import cube, rows_behind, sources
from models.access import Window
from models.cube import DAY, local_day
from models.errors import NotFound
from models.metrics import METRICS, Metric
from models.networks import BY_ID
from models.organisation import UNKNOWN
from models.rows_behind import Behind, of_brands
from models.tables.base import EPOCH

# Sources with their age, the worst first; languages named by their code; the rest is counted.
MOST_SOURCES = 8
MOST_LANGUAGES = 3
# What is asked in rows is told apart by figure: sentiment needs its score, reach its followers.
SENTIMENT = {
    1: (f"{style.UP} Positive", "pos"),
    0: (f"{style.LEVEL} Neutral", ""),
    -1: (f"{style.DOWN} Negative", "neg"),
}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "net_sentiment": ("Counted as", "Score", "Scored by"),
    "reach": ("Author", "Followers"),
}
OTHER_COLUMNS = ("Brand", "Location")


def made(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`metric` as the page counts it. NotFound for a key that no figure has.

    {key, label, version, definition, left_out, scope, until, link, filled, formula, value, unit, interval, counted,
    chips, change, ages}; `counted` lines have {words, n, share, kind, part, narrow}. A figure that the strip does not
    show comes with its definition and without numbers.
    """
    question, metric = asked.asked(), _metric(asked)
    told: dict[str, Any] = {
        "key": metric.key,
        "label": metric.label,
        "version": metric.version,
        "definition": metric.definition,
        "formula_words": metric.formula,
        "left_out": list(metric.left_out),
        "scope": _capital(url_scope.words(question.scope, question.window, question.organisation)),
        "until": f"{question.window.end.astimezone(ZoneInfo(question.zone)):%a %-d %b %Y %H:%M}",
        "link": _link(asked, metric),
        "filled": metric.key in FIGURES,
        "partial": False,
        "change": None,
        "ages": _ages(connection, question),
    }
    if metric.key == "data_age":
        return told | in_words(metric) | _worst_age(connection, question)
    if metric.key not in FIGURES:
        return told | in_words(metric)
    reading = _reading(connection, asked, metric)
    told["partial"] = reading.frame.series.partial or reading.frame.tracked.partial
    return told | FIGURES[metric.key](reading) | {"change": change(connection, reading)}


def kinds(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What only rows can say of `metric`: {under: why not scored, kept: counted all the same, note}.

    Asked after `made`, since it walks the newest rows; `note` says which part of them.
    """
    question, metric = asked.asked(), _metric(asked)
    if metric.key not in FIGURES:
        return {"under": [], "kept": [], "note": ""}
    window = counted_window(question)
    total = cube.series(connection, question.scope, question.window, question.organisation).total.mentions
    found = rows_behind.kinds(connection, question.scope, window, total=total)
    hidden = rows_behind.hidden(connection, question.scope, window)
    kept = [line("Deleted at the network, counted all the same", found.deleted, "kept", of=found.rows, part="deleted")]
    if hidden is not None:
        kept.append(line("Hidden as irrelevant by a person, left out", hidden, "out"))
    under = []
    if metric.key == "net_sentiment":
        under = _unscored(found)
    if metric.key == "reach":
        authors = rows_behind.authors(connection, question.scope, window)
        silent = "Author's followers not given, nothing added"
        kept = [
            line(silent, found.without_followers, "out", of=found.rows, part="silent"),
            *kept,
            line("Authors with followers, each once", authors, "base"),
        ]
    note = f"by the newest {found.rows:,} of {total:,} mentions" if found.partial else ""
    return {"under": under, "kept": kept, "note": note}


def rows(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """A page of the rows behind `metric`: those of `part` after `after`, the `next` of the page before.

    {columns, rows, next, most}; a row is {id, at, when, net, network, text, cells: [{text, tone}]}.
    """
    question, metric = asked.asked(), _metric(asked)
    before_id, shown = _cursor(asked)
    window = counted_window(question)
    part = asked.text("part", "all", longest=16)
    page = rows_behind.page(connection, question.scope, window, part=part, before_id=before_id, shown=shown)
    return {
        "columns": ["Posted", "", "Text", *COLUMNS.get(metric.key, OTHER_COLUMNS)],
        "rows": [_row(item, metric, question) for item in page.rows],
        "next": "" if page.before_id is None else f"{page.before_id}.{shown + len(page.rows)}",
        "most": rows_behind.MOST,
    }


def _metric(asked: Asked) -> Metric:
    key = asked.text("metric", longest=64)
    metric = METRICS.get(key)
    if metric is None:
        raise NotFound(f'there is no figure "{key}"')
    return metric


def _reading(connection: Connection, asked: Asked, metric: Metric) -> Reading:
    question, organisation = asked.asked(), asked.organisation
    choosable = {item["key"] for item in url_scope.options(asked.access, organisation)["brand"]}
    is_admin, unmatched = asked.access.sees_all, None
    if is_admin and metric.key == "mentions" and UNKNOWN not in question.scope.brand_ids:
        nobody = of_brands(question.scope, (UNKNOWN,))
        unmatched = cube.series(connection, nobody, question.window, organisation).total.mentions
    return Reading(
        metric=metric,
        question=question,
        frame=kpi.query(connection, question),
        open_ids=frozenset(item.id for item in organisation.brands if item.key in choosable),
        unmatched=unmatched,
    )


def counted_window(question: Question) -> Window:
    """The window to the end of its last step, as the rollups count it: a network may date a post a little ahead."""
    window = question.window
    if not window.live:
        return window
    if window.step_seconds % DAY == 0:
        # Noon of the next day is in every zone a time of that day.
        seconds = int((window.end - EPOCH).total_seconds())
        midnight = local_day(seconds, question.organisation.zone)[1]
        end = local_day(midnight + DAY + DAY // 2, question.organisation.zone)[1]
        return replace(window, end=EPOCH + timedelta(seconds=end), live=False)
    steps = -(-(window.end - window.start) // timedelta(seconds=window.step_seconds))
    return replace(window, end=window.start + steps * timedelta(seconds=window.step_seconds), live=False)


def _unscored(found: rows_behind.Kinds) -> list[dict[str, Any]]:
    """Why mentions were not scored: a line for the languages that the model does not know, and for what has none."""
    known = [(language, n) for language, n in found.languages if language]
    lines = []
    if known:
        names = ", ".join(language for language, _ in known[:MOST_LANGUAGES])
        more = f" and {len(known) - MOST_LANGUAGES} more" if len(known) > MOST_LANGUAGES else ""
        words = f"Language not known: {names}{more}"
        lines.append(line(words, sum(n for _, n in known), "out", of=found.rows, part="unscored"))
    if none := dict(found.languages).get(""):
        lines.append(line("No language recognised", none, "out", of=found.rows, part="unscored"))
    if found.wordless:
        lines.append(line("Without words", found.wordless, "out", of=found.rows, part="unscored"))
    return lines


def _worst_age(connection: Connection, question: Question) -> dict[str, Any]:
    """The age that the badge in the header says: that of the source that is worst against its normal."""
    worst = sources.worst(sources.health(connection, question.now))
    if worst is None or worst.last_success_at is None or worst.data_age_seconds is None:
        return {"value": style.NO_VALUE, "unit": "", "interval": "no source has been fetched yet"}
    zone = ZoneInfo(question.zone)
    now, then = question.now.astimezone(zone), worst.last_success_at.astimezone(zone)
    over = [{"text": f"{now:%-d %b %H:%M:%S} {style.MINUS} {then:%-d %b %H:%M:%S}", "tone": ""}]
    normal = style.span_words(worst.normal_seconds)
    return {
        "filled": True,
        "formula": {"lead": "", "over": over, "under": []},
        "value": style.span_words(worst.data_age_seconds),
        "unit": "",
        "interval": f"{worst.name}: {worst.times_normal or 0:.1f}× its normal of {normal}",
    }


def _ages(connection: Connection, question: Question) -> list[dict[str, Any]]:
    """How old the data of each source in scope is, the worst first; {net, name, age, times, share, tone}."""
    networks = question.scope.network_ids
    found = [
        item
        for item in sources.health(connection, question.now)
        if item.state != "done" and item.progress is None and (networks is None or item.network_id in networks)
    ]
    found.sort(key=lambda item: (item.state != "active", -(item.times_normal or 0.0), item.id))
    ages = [_age(item) for item in found[:MOST_SOURCES]]
    if len(found) > MOST_SOURCES:
        name = f"{len(found) - MOST_SOURCES} more"
        ages.append({"net": "", "network": "", "name": name, "age": "", "times": "", "share": 0, "tone": ""})
    return ages


def _age(item: sources.Health) -> dict[str, Any]:
    network, times, seconds = BY_ID.get(item.network_id), item.times_normal, item.data_age_seconds
    is_read = item.state == "active" and times is not None and seconds is not None
    age = item.badge
    if is_read and seconds is not None:
        age = f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if 60 <= seconds < 3600 else style.span_words(seconds)
    return {
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "name": item.name,
        "age": "never fetched" if age == "waiting" else age,
        "times": f"{times:.{0 if times >= 10 else 1}f}×" if is_read and times is not None else "",
        # Full from three times the normal on, where it is no longer live.
        "share": round(min((times or 0.0) / sources.SLOW_AFTER, 1.0), 3) if is_read else 0,
        "tone": "wn" if item.badge in ("slow", "stale", "disconnected", "gone") else "",
    }


def _cursor(asked: Asked) -> tuple[int | None, int]:
    after = asked.text("after", longest=32)
    before_id, dot, shown = after.partition(".")
    if not (dot and before_id.isascii() and before_id.isdigit() and shown.isascii() and shown.isdigit()):
        return None, 0
    return min(int(before_id), (1 << 63) - 1), int(shown)


def _row(item: Behind, metric: Metric, question: Question) -> dict[str, Any]:
    local, window = item.posted_at.astimezone(ZoneInfo(question.zone)), question.window
    is_day = window.end - window.start <= timedelta(days=1, hours=1)
    network = BY_ID.get(item.network_id)
    return {
        "id": f"{item.brand_id}-{item.id}",
        "at": item.posted_at.isoformat(),
        "when": f"{local:%H:%M:%S}" if is_day else f"{local:%-d %b %H:%M}",
        "net": network.monogram if network else "··",
        "network": network.name if network else "Other",
        "text": item.text,
        "gone": "deleted at the network" if item.is_deleted else "" if item.text else "without words",
        "language": item.language or "",
        "cells": [{"text": text, "tone": tone} for text, tone in _cells(item, metric, question)],
    }


def _cells(item: Behind, metric: Metric, question: Question) -> list[tuple[str, str]]:
    if metric.key == "net_sentiment":
        counted = ("Not scored", "") if item.sentiment is None else SENTIMENT[item.sentiment]
        score = "" if item.score is None else style.signed(item.score, 2)
        by = f"set by {item.set_by}" if item.set_by else ", ".join(filter(None, (item.scored_by, item.language)))
        return [counted, (score, "num"), (by, "")]
    if metric.key == "reach":
        followers = "not given" if item.followers is None else f"{item.followers:,}"
        return [(item.author or "", ""), (followers, "num")]
    names = question.organisation
    return [(names.brand_names.get(item.brand_id, "?"), ""), (names.location_names.get(item.location_id, "?"), "")]


def _link(asked: Asked, metric: Metric) -> str:
    """The address that shows the same figure again: a live window is held at this instant."""
    question = asked.asked()
    scope = url_scope.parse(str(asked.given.get("search", "")))
    if question.window.live and scope.span is None:
        scope = replace(scope, at=_whole_second(asked.now))
    path = asked.address.path if asked.address is not None else "/"
    return f"{path}{scope.to_search()}#made={metric.key}"


def _whole_second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


READS: dict[str, Read] = {"made": made, "made.kinds": kinds, "made.rows": rows}
ACTS: dict[str, Act] = {}
