"""Every figure that a screen shows: what it means and how it is made, in one registry that tooltips read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `definition` is the sentence people read; `formula` is how it is computed, in the same words."""

    key: str
    label: str
    unit: str
    definition: str
    formula: str


METRICS = {
    metric.key: metric
    for metric in (
        Metric(
            "mentions",
            "Mentions",
            "",
            "Public posts, comments and articles that matched a brand in the window; copies are counted. "
            "A post that names two brands is two mentions.",
            "count of mentions with posted_at in the window",
        ),
        Metric(
            "net_sentiment",
            "Net sentiment",
            "pts",
            "Per cent positive minus per cent negative of the scored mentions, from −100 to +100. "
            "Mentions in a language the model does not know are left out and counted beside it.",
            "100 × (positive − negative) ÷ (positive + neutral + negative)",
        ),
        Metric(
            "reach",
            "Reach",
            "",
            "Estimated: followers of the authors, an upper limit and not views. Windows up to 2 days count each "
            "author once; longer ones add up the days.",
            "sum of followers over distinct authors (per local day beyond 2 days)",
        ),
        Metric(
            "share_of_voice",
            "Share of voice",
            "%",
            "Our mentions ÷ mentions of us and the competitors set for these brands.",
            "100 × mentions of the brands in scope ÷ mentions of the tracked set",
        ),
        Metric(
            "data_age",
            "Data age",
            "s",
            "Now minus the end of the newest successful fetch, whether or not it brought anything; "
            "the worst source in scope against its own normal.",
            "now − last_success_at",
        ),
    )
}


def share_of_voice(ours: int, tracked: int) -> float | None:
    """100 x ours / tracked, in 0..100; None when nothing of the tracked set was said."""
    return 100 * ours / tracked if tracked else None
