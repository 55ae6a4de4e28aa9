"""Topics: terms said far more or far less than the brand's own past makes one expect; a click searches for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard import figures, style
from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame
from dashboard.panels.frame import About
from dashboard.panels.moods import mood
from models import topic_reading
from models.topic_lines import Topic, Topics

KEY = "topics"
NAME = "Topics"
SPARK = (72, 18)
MOST_TIMES = 99.0
LINES = {"hours": f"Last {topic_reading.SPARK_HOURS} h", "days": "By day", "steps": "In these texts"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands out, the brands' names, and the words. `narrowed` = a part of the brands' mentions was asked for."""

    found: Topics
    brands: dict[int, str]
    narrowed: bool
    end: datetime
    about: About


def query(connection: Connection, question: Question) -> Frame:
    """What stands out, from the counts of terms or from the newest texts."""
    scope = question.scope
    found = topic_reading.topics(connection, scope, question.window, question.organisation)
    told = frame.about(question)
    if not found.texts:
        told = replace(told, last_at=frame.last_posted_at(connection, question))
    narrowed = bool(scope.search) or (scope.location_ids, scope.team_ids, scope.network_ids) != (None, None, None)
    return Frame(found, dict(question.organisation.brand_names), narrowed, question.window.end, told)


def draw(drawn: Frame) -> Props:
    """Two lists, the surest first, or in one sentence why there is nothing in them."""
    found, told = drawn.found, drawn.about
    up, down = _rows(drawn, found.rising), _rows(drawn, found.falling)
    since = _since(drawn)
    terms = ", ".join(row["term"] for row in up) or "none"
    head = frame.head(
        NAME,
        f"mentions against expected, {since}",
        side=_compared(drawn),
        label=f"{NAME}, {told.words}: rising {terms}",
    )
    state: dict[str, Any] = frame.NO_STATE
    if not found.texts:
        state = frame.empty(told, text=f"Nothing that can be counted: {since}.")
        state |= {"title": "No topics", "widen": state["widen"] if drawn.narrowed or not told.live else ""}
    elif not up and not down:
        state = _nothing(drawn, since)
    props = {"rising": up, "falling": down, "line": LINES[found.line], "words": told.words}
    return {"topics-table": props, "topics-head": head, "topics-state": state}


def place() -> Component:
    """The box with an empty table."""
    return frame.box(KEY, NAME, html.Div(id="topics-table", className="topics"))


def table(drawn: Frame) -> Table:
    """A row a term; expected is None where the past does not know it."""
    found = drawn.found
    rows = [("rising", topic) for topic in found.rising] + [("falling", topic) for topic in found.falling]
    return Table(
        title=NAME,
        about=exported.line(
            drawn.about.words, drawn.end, drawn.about.zone, f"{_texts(found)} {_since(drawn)}, {_compared(drawn)}"
        ),
        columns=("Term", "", "Brand", "Language", "Texts", "Expected", "Times", "z", "Net (pts)", "Scored"),
        rows=tuple(_row_of_table(drawn, kind, topic) for kind, topic in rows),
    )


def _row_of_table(drawn: Frame, kind: str, topic: Topic) -> tuple[str | float | None, ...]:
    score = topic.score
    return (
        score.term,
        kind,
        drawn.brands.get(score.brand_id, "?"),
        score.language,
        score.said.texts,
        round(score.expected, 2) or None,
        None if score.times is None else round(score.times, 2),
        round(score.z, 1),
        None if score.net_sentiment is None else round(score.net_sentiment, 1),
        score.said.scored,
    )


def _rows(drawn: Frame, shown: Sequence[Topic]) -> list[dict[str, Any]]:
    return [_row(drawn, topic) for topic in shown]


def _row(drawn: Frame, topic: Topic) -> dict[str, Any]:
    score = topic.score
    shown = mood(score.net_sentiment, score.said.scored)
    expected = f"{score.expected:,.1f} expected" if score.expected else "not known before"
    return {
        "id": f"{score.brand_id}|{score.language}|{score.term}",
        "term": score.term,
        "lang": "" if score.language == "und" else score.language,
        "brand": drawn.brands.get(score.brand_id, "?"),
        "spark": figures.sparkline(topic.line, width=SPARK[0], height=SPARK[1]) if len(topic.line) > 1 else [],
        "times": _times(score.times),
        "net": shown.net or style.NO_VALUE,
        "glyph": shown.glyph,
        "tone": shown.tone or "t3",
        # A handle is found as one; words are found where they stand together.
        "q": score.term if score.term.startswith("@") else f'"{score.term}"',
        "said": f"{score.said.texts:,} of {drawn.found.texts:,} texts, {expected}, z {style.signed(score.z, 1)}",
    }


def _times(times: float | None) -> str:
    if times is None:
        return "new"
    if times > MOST_TIMES:
        return f"×{MOST_TIMES:.0f}+"
    return f"×{times:.0f}" if times >= 9.95 else f"×{times:.1f}"


def _since(drawn: Frame) -> str:
    """Where the texts begin that were looked at."""
    found, zone = drawn.found, ZoneInfo(drawn.about.zone)
    if found.line == "steps":
        if found.is_part:
            return f"newest {_texts(found)}"
        minutes = round((drawn.end - found.since).total_seconds() / 60)
        hours = round(minutes / 60)
        span = f"{minutes} min" if minutes <= 90 else f"{hours} h" if hours <= 48 else f"{round(hours / 24)} days"
        return f"last {span}" if drawn.about.live else f"the {span} to {drawn.end.astimezone(zone):%-d %b %H:%M}"
    if found.line == "days":
        return f"since {found.since:%-d %b}"
    return f"since {found.since.astimezone(zone):%H:%M}"


def _compared(drawn: Frame) -> str:
    found = drawn.found
    if not found.base_texts:
        return ""
    whose = "the brand’s " if drawn.narrowed else ""
    if not found.base_days:
        return f"against {whose}{found.base_texts:,} texts before"
    return f"against {whose}{found.base_days} day{'' if found.base_days == 1 else 's'}"


def _texts(found: Topics) -> str:
    return f"{found.texts:,} text{'' if found.texts == 1 else 's'}"


def _nothing(drawn: Frame, since: str) -> dict[str, Any]:
    found = drawn.found
    plain = {"kind": "empty", "widen": "", "plain": True}
    joint = " " if since.startswith("since") else " in the " if since.startswith("last") else " in "
    said = f"Newest {_texts(found)}" if found.is_part else f"{_texts(found)}{joint}{since}"
    if not found.base_texts:
        text = f"{said}. What is usual is known when some days before them are counted."
        return plain | {"title": "Nothing to compare with yet", "text": text}
    base = f"{found.base_texts:,} texts before"
    if found.base_days:
        base = f"baseline of {found.base_days} day{'' if found.base_days == 1 else 's'}, {found.base_texts:,} texts"
    return plain | {"title": "Nothing stands out", "text": f"{said}; {base}."}


PANEL = Panel(key=KEY, topics=("topics", "organisation"), query=query, draw=draw, place=place, table=table)
