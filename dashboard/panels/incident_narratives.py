"""What is said in an incident, grouped: terms that stand out, their share, how they feel, how unusual they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from dashboard.panel import Panel, Props, Question, Table
from dashboard.panels import exported, frame, incident_words
from models import incident_figures
from models.incident_reading import Incident
from models.organisation import Organisation
from models.topic_lines import Topic, Topics

KEY = "incident-narratives"
NAME = "Narratives"
LONGEST_WINDOW = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands out, the most frequent first."""

    incident: Incident
    found: Topics
    organisation: Organisation
    zone: str
    now: datetime


def query(connection: Connection, question: Question) -> Frame:
    """From the newest texts of its scope."""
    item = incident_words.found(connection, question)
    topics = incident_figures.narratives(connection, question.organisation, question.anybody, item, now=question.now)
    return Frame(item, topics, question.organisation, question.zone, question.now)


def draw(drawn: Frame) -> Props:
    """A row a narrative; a click reads its posts."""
    rows = [_row(drawn, topic) for topic in _sorted(drawn.found)]
    base = f"{drawn.found.texts:,} texts = 100%{', the newest' if drawn.found.is_part else ''}"
    state: dict[str, Any] = frame.NO_STATE
    if not rows:
        said = "Nothing was said yet in its scope." if not drawn.found.texts else "No term stands out in what is said."
        state = {"kind": "empty", "title": "", "text": said, "plain": True}
    return {
        f"{KEY}-list": {"rows": rows},
        f"{KEY}-head": frame.head(NAME, "click to read", side=base, label=NAME),
        f"{KEY}-state": state,
    }


def table(drawn: Frame) -> Table:
    """A row a narrative."""
    rows = tuple(
        (
            topic.score.term,
            topic.score.said.texts,
            round(100 * topic.score.said.texts / drawn.found.texts, 1) if drawn.found.texts else None,
            None if topic.score.net_sentiment is None else round(topic.score.net_sentiment, 1),
            None if topic.score.times is None else round(topic.score.times, 1),
        )
        for topic in _sorted(drawn.found)
    )
    about = exported.line(drawn.incident.label, drawn.now, drawn.zone, f"{drawn.found.texts:,} texts")
    columns = ("Term", "Texts", "Share (%)", "Net (pts)", "Times expected")
    return Table(f"{drawn.incident.label}: narratives", about, columns, rows)


def place() -> Component:
    """The box with an empty list."""
    inner = html.Ul(id=f"{KEY}-list", className="inarratives", **{"aria-label": NAME})
    return frame.box(KEY, NAME, inner, class_name="inarratives-panel")


def _sorted(found: Topics) -> list[Topic]:
    return sorted(found.rising, key=lambda topic: (-topic.score.said.texts, topic.score.term))


def _row(drawn: Frame, topic: Topic) -> dict[str, Any]:
    score = topic.score
    share = score.said.texts / drawn.found.texts if drawn.found.texts else 0.0
    times = "new" if score.times is None else incident_words.times(score.said.texts, score.expected)
    return {
        "id": f"{score.brand_id}|{score.language}|{score.term}",
        "term": score.term,
        "lang": "" if score.language == "und" else score.language,
        "texts": f"{score.said.texts:,}",
        "share": round(share, 4),
        "percent": f"{100 * share:.0f}%",
        "times": times,
        "href": _address(drawn, topic),
    } | incident_words.net(score.net_sentiment)


def _address(drawn: Frame, topic: Topic) -> str:
    """The posts that say it, on the command page."""
    item = drawn.incident
    term = topic.score.term if topic.score.term.startswith("@") else f'"{topic.score.term}"'
    brand = next((one.key for one in drawn.organisation.brands if one.id == topic.score.brand_id), "")
    end = item.ended_at or min(drawn.now, item.expires_at)
    start = max(incident_figures.began_at(item), end - LONGEST_WINDOW)
    window = "" if item.is_open(drawn.now) else f"&window={start:%Y-%m-%dT%H:%M}Z..{end:%Y-%m-%dT%H:%M}Z"
    return f"/?brand={quote(brand)}&q={quote(term)}{window}"


PANEL = Panel(
    key=KEY,
    topics=("incidents", "mentions", "topics", "organisation"),
    query=query,
    draw=draw,
    place=place,
    ignores=incident_words.IGNORES,
    table=table,
    reads_cases=True,
)
