"""dashboard/figures.py: plain figures that Plotly accepts, with tokens for colours and no markup from outside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import plotly.graph_objects as go
import pytest

from dashboard import figures

X = ["2026-11-19 13:00:00", "2026-11-19 14:00:00", "2026-11-19 15:00:00"]


def colours(value: Any, key: str = "") -> list[str]:
    """Every string under a key that speaks of colour."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in colours(inner, name)]
    if isinstance(value, list | tuple):
        return [found for inner in value for found in colours(inner, key)]
    return [value] if "color" in key and isinstance(value, str) else []


def everything() -> figures.Figure:
    return figures.figure(
        [
            *figures.band(X, [1, 2, 3], [4, None, 6], name="expected"),
            *figures.growing_line(X, [2, None, 5], name="Mentions"),
            *figures.mirrored(X, [50, 40, None], [10, 20, None]),
            *figures.spans([(X[0], X[1])]),
            figures.bars(X, [1, 2, 3], colour=["$pos", "$neg", "$neu"]),
        ],
        revision="abc",
        x_range=(X[0], X[-1]),
        notes=[figures.note(X[-1], 5, "now 5")],
        stacked=True,
    )


def test_plotly_accepts_every_figure_once_colours_are_filled_in() -> None:
    raw = orjson.dumps(everything()).decode()
    assert "$" in raw
    for token in sorted({word for word in colours(everything()) if word.startswith("$")}, key=len, reverse=True):
        raw = raw.replace(f'"{token}"', '"#123456"')
    assert len(go.Figure(orjson.loads(raw)).data) == 8


def test_colours_are_tokens_so_that_one_figure_serves_both_themes() -> None:
    fixed = {word for word in colours(everything()) if not word.startswith("$")}
    assert fixed == {"rgba(0,0,0,0)"}


def test_a_gap_stays_a_gap() -> None:
    trace = figures.line(X, [1, None, 3])
    assert trace["y"] == [1, None, 3]
    assert trace["connectgaps"] is False


def test_text_from_outside_is_no_markup_for_plotly() -> None:
    hostile = '<a href="https://evil.example">x</a> &lt;b&gt;'
    escaped = '&lt;a href="https://evil.example"&gt;x&lt;/a&gt; &amp;lt;b&amp;gt;'
    assert figures.text(hostile) == escaped
    raw = orjson.dumps(
        [
            figures.line(X, [1, 2, 3], name=hostile),
            figures.bars([hostile], [1], name=hostile),
            figures.note(X[0], 1, hostile),
            *figures.spans([(X[0], X[1])], name=hostile),
            *figures.band(X, [1], [2], name=hostile),
        ]
    ).decode()
    assert "<a" not in raw
    assert "&lt;a" in raw


def test_the_last_step_of_a_growing_line_is_dashed_and_joined() -> None:
    whole, growing = figures.growing_line(X, [2, 4, 5])
    assert (whole["x"], whole["y"]) == (X[:-1], [2, 4])
    assert (growing["x"], growing["y"]) == (X[-2:], [4, 5])
    assert whole["line"]["dash"] == "solid"
    assert growing["line"]["dash"] == "dot"


@pytest.mark.parametrize("count", [0, 1])
def test_a_line_of_one_step_is_a_dot_and_of_none_is_nothing(count: int) -> None:
    [trace] = figures.growing_line(X[:count], [5][:count])
    assert len(trace["x"]) == count
    assert "markers" in trace["mode"]


def test_the_mirrored_area_says_positive_numbers_on_both_sides() -> None:
    up, down = figures.mirrored(X, [50, 40, None], [10, 20, None])
    assert down["y"] == [-10, -20, None]
    assert down["customdata"] == [10, 20, None]
    assert (up["fillcolor"], down["fillcolor"]) == ("$pos-fill", "$neg-fill")


def test_spans_stand_on_an_axis_of_their_own_only_where_there_are_any() -> None:
    assert figures.spans([]) == []
    without = figures.figure([figures.line(X, [1, 2, 3])], revision="")
    assert "yaxis2" not in without["layout"]
    drawn = figures.figure(figures.spans([(X[0], X[1]), (X[1], X[2])]), revision="")
    assert drawn["layout"]["yaxis2"]["range"] == [0, 1]
    assert drawn["data"][0]["x"].count(None) == 1


def test_times_are_wall_time_of_the_zone() -> None:
    assert figures.times([datetime(2026, 7, 1, 12, tzinfo=UTC)], ZoneInfo("Asia/Tokyo")) == ["2026-07-01 21:00:00"]


def test_a_sparkline_breaks_at_gaps_and_draws_a_dot_for_a_lone_value() -> None:
    assert figures.sparkline([0, 10, None, 5], width=30, height=10) == ["0.0,10.0 10.0,0.0", "30.0,5.0 30.0,5.0"]
    assert figures.sparkline([], width=30, height=10) == []
    assert figures.sparkline([None, None], width=30, height=10) == []
    assert figures.sparkline([3, 3], width=30, height=10) == ["0.0,5.0 30.0,5.0"]
