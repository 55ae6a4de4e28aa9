"""Every figure that a screen shows: what it means and how it is made, in one registry that tooltips read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `definition` is the sentence people read; `formula` is how it is computed, in the same words.

    `version` grows when the same data would give another number. `left_out` says what is not in it, or is in it
    against expectation, and why. `higher_is_better` is None where neither direction is good or bad. `adds_up`: the
    brands' figures add up to the figure of all. Below `least_n` it gets no interval and no arrow.
    """

    key: str
    label: str
    unit: str
    definition: str
    formula: str
    version: int = 1
    left_out: tuple[str, ...] = ()
    higher_is_better: bool | None = None
    adds_up: bool = False
    least_n: int = 0


_STILL = (
    "Deleted posts stay counted; their text and author are gone.",
    "What a person hid as irrelevant is out of its brand and is left out.",
)
_UNMATCHED = "Posts that match no brand are left out; administrators find them as the brand “Unmatched”."

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
            left_out=(_UNMATCHED, *_STILL),
            adds_up=True,
            least_n=20,
        ),
        Metric(
            "net_sentiment",
            "Net sentiment",
            "pts",
            "Per cent positive minus per cent negative of the scored mentions, from −100 to +100. "
            "Mentions in a language the model does not know are left out and counted beside it.",
            "100 × (positive − negative) ÷ (positive + neutral + negative)",
            left_out=("Mentions without a score are not neutral: they are left out of the base.", *_STILL),
            higher_is_better=True,
            least_n=30,
        ),
        Metric(
            "reach",
            "Reach",
            "",
            "Estimated: followers of the authors, an upper limit and not views. Windows up to 2 days count each "
            "author once; longer ones add up the days.",
            "sum of followers over distinct authors (per local day beyond 2 days)",
            left_out=(
                "Authors whose followers the network does not give add nothing.",
                "An author of several brands is counted once, so brands do not add up.",
            ),
            least_n=20,
        ),
        Metric(
            "share_of_voice",
            "Share of voice",
            "%",
            "Our mentions ÷ mentions of us and the competitors set for these brands.",
            "100 × mentions of the brands in scope ÷ mentions of the tracked set",
            left_out=("Brands that are not set as competitors are left out.", *_STILL),
            least_n=20,
        ),
        Metric(
            "expected_range",
            "Expected range",
            "",
            "Where nine of ten counts were to be expected: the 5th to 95th percentile of the 15-minute counts within "
            "an hour either side of the same local time and weekday over the past 4 weeks.",
            "5th and 95th percentile of at least 24 comparable counts",
            left_out=(
                "Declared incidents and spans in which nobody listened are left out.",
                "Like days (Mon–Fri, Sat–Sun) are joined while there are fewer than 24 counts; below that no range "
                "is drawn.",
            ),
            least_n=24,
        ),
        Metric(
            "times_expected",
            "Times expected",
            "×",
            "How many times as many mentions as were to be expected at this hour.",
            "mentions ÷ median of the comparable counts of the past 4 weeks",
            least_n=20,
        ),
        Metric(
            "share_negative",
            "Share negative",
            "%",
            "Negative mentions among the scored ones.",
            "100 × negative ÷ (positive + neutral + negative)",
            left_out=("Mentions without a score are left out of the base.", *_STILL),
            higher_is_better=False,
            least_n=30,
        ),
        Metric(
            "engagement_rate",
            "Engagement rate",
            "%",
            "Likes, replies and reposts for every hundred impressions, where a network measures those; else for every "
            "hundred followers, and which one is said.",
            "100 × (likes + replies + reposts) ÷ impressions, else ÷ followers",
            left_out=("Posts for which a network gives neither impressions nor followers are left out.",),
            higher_is_better=True,
            least_n=20,
        ),
        Metric(
            "share_of_brand_volume",
            "Share of brand volume",
            "%",
            "A location's mentions among all mentions of the same brands.",
            "100 × mentions in the location ÷ mentions of its brands",
            left_out=("Mentions whose place is not known stay in the whole and belong to no location.", *_STILL),
            least_n=20,
        ),
        Metric(
            "topic_rise",
            "Rising and falling topics",
            "z",
            "How much more often a word or phrase is said than the brand's own past lets one expect; shown from 4 on.",
            "difference of log-odds against the baseline ÷ its standard error",
            left_out=("Stop words are left out, copies of one text count once.",),
            least_n=20,
        ),
        Metric(
            "data_age",
            "Data age",
            "s",
            "Now minus the end of the newest successful fetch, whether or not it brought anything; "
            "the worst source in scope against its own normal.",
            "now − last_success_at",
            left_out=("Paused and finished sources are left out, and those that fill in history.",),
            higher_is_better=False,
        ),
        Metric(
            "times_normal",
            "Age against normal",
            "×",
            "Data age against what is normal for the source: live below 3, slow to 10, stale beyond.",
            "data age ÷ (poll interval + 95th percentile of its fetch time)",
            higher_is_better=False,
        ),
        Metric(
            "detection_lag",
            "Detection lag",
            "s",
            "How long after it was posted a mention was received; half and 95 of 100 were quicker than these.",
            "50th and 95th percentile of received_at − posted_at",
            left_out=("What was filled in from history later is in it, and slow by its nature.",),
            higher_is_better=False,
            least_n=20,
        ),
        Metric(
            "cost_of_listening",
            "Cost of listening",
            "$",
            "Money for what was fetched, by the network's price list.",
            "sum of items fetched × price of the item",
            left_out=("What is charged once a day and was fetched again costs nothing.",),
            higher_is_better=False,
            adds_up=True,
        ),
        Metric(
            "waiting_for_reply",
            "Waiting for reply",
            "",
            "Open cases whose last post is the customer's, with the age of the one that waits longest.",
            "count of open cases with a round that no answer of ours has ended",
            left_out=("What was put off and is not due again is left out.",),
            higher_is_better=False,
            adds_up=True,
        ),
        Metric(
            "first_response_time",
            "Median first response",
            "",
            "From a case's first post to the first answer of a human of ours, in business time: half were quicker.",
            "median over the first answers of the local days in the window, from classes 5 % apart",
            left_out=(
                "Automatic answers do not stop the clock.",
                "Cases that still wait are not in it; they are counted beside it.",
            ),
            higher_is_better=False,
            least_n=20,
        ),
        Metric(
            "answered_in_time",
            "Answered in time",
            "%",
            "Answers inside the promised time among all that were due; what is open and overdue counts as missed.",
            "100 × met ÷ (met + missed + open and overdue), over first and next answers",
            left_out=("What nothing is promised for, and what is not due yet, is left out.",),
            higher_is_better=True,
            least_n=20,
        ),
    )
}


def share_of_voice(ours: int, tracked: int) -> float | None:
    """100 x ours / tracked, in 0..100; None when nothing of the tracked set was said."""
    return 100 * ours / tracked if tracked else None
