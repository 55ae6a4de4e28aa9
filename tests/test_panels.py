"""The five panels of the command screen: empty, ordinary, with spans in which nobody listened, with hostile text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from dashboard import style
from dashboard.panels import feed, frame, kpi, sentiment, sources, volume
from dashboard.panels.frame import About
from dashboard.views import VIEWS
from models.cube import NOTHING, Reach, Series, Tally
from models.database import Database
from models.mentions import Shown
from models.metrics import METRICS
from models.sources import Health
from tests.few import few
from tests.small_organisation import NOW, asked, organisation, person

START = NOW - timedelta(minutes=42, seconds=10)
STEP = 900
ABOUT = About("all brands, last hour", "all brands", "24h", True, STEP, "Europe/Amsterdam", NOW)


def tally(positive: int = 0, neutral: int = 0, negative: int = 0, unscored: int = 0, reach: int = 0) -> Tally:
    mentions = positive + neutral + negative + unscored
    return Tally(mentions, positive, neutral, negative, unscored, reach=reach)


def series(*tallies: Tally, partial: bool = False) -> Series:
    starts = tuple(START + timedelta(seconds=STEP * n) for n in range(len(tallies)))
    return Series(starts, STEP, tallies, partial)


THREE = series(tally(30, 10, 20), tally(50, 0, 10, 5), tally(3, 0, 1))
NOTHING_SAID = series(NOTHING, NOTHING, NOTHING)


def shown(**changes: Any) -> Shown:
    plain = Shown(
        brand_id=2,
        id=2**62 + 1,
        network_id=2,
        external_id="1",
        posted_at=NOW - timedelta(seconds=12),
        received_at=NOW,
        kind="post",
        author_handle="sannedewit",
        author_name="Sanne de Wit",
        author_followers=9_400,
        text="My Halden card is still declined.",
        url="https://example.org/1",
        language="en",
        sentiment=-1,
        place=None,
        location_id=4,
        team_id=2,
        media=(),
        matched=("halden", "declined"),
        likes=None,
        replies=None,
        reposts=None,
    )
    return replace(plain, **changes)


def feed_frame(*rows: Shown, searched: tuple[str, ...] = ()) -> feed.Frame:
    there = organisation()
    return feed.Frame(rows, there.brand_names, there.location_names, there.team_names, searched, ABOUT)


def row(**changes: Any) -> dict[str, Any]:
    drawn: dict[str, Any] = feed.draw(feed_frame(shown(**changes)))["feed-list"]["rows"][0]
    return drawn


def health(**changes: Any) -> Health:
    plain = Health(
        id=1,
        name="X search",
        kind="simulator",
        network_id=2,
        state="active",
        paused_by=None,
        every_seconds=60,
        normal_seconds=61,
        data_age_seconds=2,
        last_success_at=NOW - timedelta(seconds=2),
        last_error=None,
        last_error_at=None,
        rate_left=0.71,
        progress=None,
    )
    return replace(plain, **changes)


def strip(*items: Health) -> dict[str, Any]:
    return dict(sources.draw(sources.Frame(items, NOW, "Europe/Amsterdam")))


# -- all of them -------------------------------------------------------------------------------------------


# The pulse of the shift log and the number at the desk's name take no room and have no state.
WITHOUT_A_BOX = {"log", "due"}
# Every other panel once, in whatever views it stands.
PANELS = {panel.key: panel for view in VIEWS for panel in view.panels if panel.key not in WITHOUT_A_BOX}
# Tables of what there is, and figures that say "none" by themselves, are shown as they are.
SHOWN_AS_THEY_ARE = {"kpi", "sources", "subject", "alerts", "queue", "rule-list", "service", "audit-chain"}


# Those of one incident or of one team's shifts, and the banner that is there only while something is open, have files
# of tests of their own.
ABOUT_ONE = {panel.key for view in VIEWS if view.subject == "incident" for panel in view.panels} | {
    "banner",
    "incidents",
    "on-shift",
    "shifts",
}
ABOUT_ALL = [panel for panel in PANELS.values() if panel.key not in ABOUT_ONE or panel.key == "alerts"]


def test_every_panel_has_a_box_with_its_key_and_a_place_for_its_state() -> None:
    for panel in PANELS.values():
        box = panel.place()
        assert box.id == f"panel-{panel.key}"
        assert f"{panel.key}-state" in str(box)


def test_what_is_drawn_is_plain_json_with_ids_as_text() -> None:
    drawn = [
        volume.draw(volume.Frame(THREE, NOW, (), ABOUT)),
        sentiment.draw(sentiment.Frame(THREE, NOW, (), ABOUT)),
        feed.draw(feed_frame(shown())),
        strip(health()),
        kpi.draw(kpi_frame()),
    ]

    for props in drawn:
        orjson.dumps(dict(props))
    # Beyond 2^53 a browser would round it.
    assert drawn[2]["feed-list"]["rows"][0]["id"] == f"2-{2**62 + 1}"


@pytest.mark.parametrize("panel", ABOUT_ALL, ids=lambda panel: panel.key)
def test_every_panel_draws_an_organisation_of_which_nothing_was_said(panel: Any, database: Database) -> None:
    from tests.small_store import fill

    fill(database)
    with database.read() as connection:
        found = panel.query(connection, asked())

    drawn = panel.draw(found)

    orjson.dumps(dict(drawn))
    shows_itself = panel.key in SHOWN_AS_THEY_ARE or panel.key.startswith(("index-", "admin-"))
    assert drawn[f"{panel.key}-state"]["kind"] == ("" if shows_itself else "empty")


@pytest.mark.parametrize(
    "search", few(["", "?window=15m", "?window=30d", "?location=kenya&team=care", "?q=card", "?brand=rival"], 2)
)
def test_every_panel_answers_every_kind_of_scope(search: str, database: Database) -> None:
    from tests.small_store import Said, fill, say

    fill(database)
    say(database, [Said(f"card {n}", minutes=n * 7, sentiment=n % 3 - 1, author=f"a{n}") for n in range(40)])
    say(database, [Said("a card of others", brand_id=5, minutes=9)])
    with database.read() as connection:
        for panel in VIEWS[0].panels:
            drawn = panel.draw(panel.query(connection, asked(search)))
            # In forty posts nothing rises, and no place of the small organisation has coordinates.
            if panel.key not in {*WITHOUT_A_BOX, "topics", "locations"}:
                assert drawn[f"{panel.key}-state"]["kind"] == "", panel.key


# -- mentions over time ------------------------------------------------------------------------------------


def test_the_step_that_still_fills_is_drawn_apart() -> None:
    figure = volume.draw(volume.Frame(THREE, NOW, (), ABOUT))["volume-graph"]["figure"]
    lines = [trace for trace in figure["data"] if trace["mode"] == "lines"]

    dots = [trace for trace in figure["data"] if trace["mode"] == "markers"]

    assert [trace["y"] for trace in lines] == [[60, 65]]
    assert [(trace["name"], trace["y"]) for trace in dots] == [("mentions so far", [4]), ("", [65])]
    assert dots[0]["marker"]["color"] == "$bg-panel"
    assert "65" in [note["text"] for note in figure["layout"]["annotations"]]


def test_a_window_whose_last_step_is_over_is_one_line() -> None:
    end = START + timedelta(seconds=3 * STEP)

    figure = volume.draw(volume.Frame(THREE, end, (), replace(ABOUT, live=False)))["volume-graph"]["figure"]

    assert [trace["y"] for trace in figure["data"] if trace["mode"] == "lines"] == [[60, 65, 4]]


def test_no_mentions_and_nobody_listening_never_look_the_same() -> None:
    quiet = series(tally(1), NOTHING, tally(1), tally(1))
    gap = ((START + timedelta(seconds=STEP), START + timedelta(seconds=2 * STEP)),)

    heard = volume.draw(volume.Frame(quiet, NOW, (), ABOUT))["volume-graph"]["figure"]["data"]
    unheard = volume.draw(volume.Frame(quiet, NOW, gap, ABOUT))["volume-graph"]["figure"]["data"]

    assert [1, 0, 1] in [trace["y"] for trace in heard]
    assert [1, None, 1] in [trace["y"] for trace in unheard]
    assert not any("fillpattern" in trace for trace in heard)
    assert any("fillpattern" in trace for trace in unheard)


def test_a_span_that_lasts_until_now_is_yellow_and_says_since_when() -> None:
    gap = ((START + timedelta(seconds=STEP), NOW),)

    figure = volume.draw(volume.Frame(THREE, NOW, gap, ABOUT))["volume-graph"]["figure"]

    hatched = next(trace for trace in figure["data"] if "fillpattern" in trace)
    assert hatched["fillpattern"]["fgcolor"] == "$warn"
    assert "no data since 15:05" in [note["text"] for note in figure["layout"]["annotations"]]


def test_a_window_in_which_nobody_listened_says_that_it_is_not_zero() -> None:
    drawn = volume.draw(volume.Frame(NOTHING_SAID, NOW, ((START, NOW),), ABOUT))

    assert drawn["volume-state"]["title"] == "Nothing was collected in this window"
    assert "this is not zero" in drawn["volume-state"]["text"]


def test_a_window_that_nobody_listened_to_and_that_holds_mentions_all_the_same_is_drawn() -> None:
    drawn = volume.draw(volume.Frame(THREE, NOW, ((START, NOW),), ABOUT))

    assert any("fillpattern" in trace for trace in drawn["volume-graph"]["figure"]["data"])


def test_an_empty_panel_says_its_scope_when_there_was_last_something_and_one_way_out() -> None:
    told = replace(ABOUT, words="Corvane, last 15 min", window_name="15m", last_at=NOW - timedelta(hours=3))

    state = volume.draw(volume.Frame(NOTHING_SAID, NOW, (), told))["volume-state"]

    assert state["text"] == "Corvane, last 15 min. The last one was 3 h ago."
    assert (state["widen"], state["widen_words"]) == ("1h", "Widen to 1 h")


def test_the_longest_window_has_no_wider_one() -> None:
    state = volume.draw(volume.Frame(NOTHING_SAID, NOW, (), replace(ABOUT, window_name="30d")))["volume-state"]

    assert state["widen"] == ""


def test_a_count_of_the_newest_rows_alone_says_so() -> None:
    drawn = volume.draw(volume.Frame(series(tally(1), tally(2), partial=True), NOW, (), ABOUT))

    assert "newest 50,000 counted" in drawn["volume-head"]["sub"]


def test_a_graph_says_its_title_and_last_value_to_a_screen_reader() -> None:
    drawn = volume.draw(volume.Frame(THREE, NOW, (), ABOUT))

    assert drawn["volume-head"]["label"] == "Mentions per 15 min, all brands, last hour: 65 in the last whole step"


def test_the_axis_of_time_names_true_local_times_and_runs_to_the_right_when_summer_time_ends() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    axis = frame.TimeAxis(start, start + timedelta(hours=8), "Europe/Amsterdam")

    places = [axis.x(start + timedelta(minutes=15 * n)) for n in range(33)]

    assert places == sorted(set(places))
    assert axis.labels == ["Sun 00:00", "01:00", "02:00", "03:00", "04:00", "05:00", "06:00", "07:00"]


# -- sentiment ---------------------------------------------------------------------------------------------


def test_sentiment_is_a_share_of_what_could_be_scored() -> None:
    drawn = sentiment.draw(sentiment.Frame(THREE, NOW, (), ABOUT))
    lines = {trace["name"]: trace for trace in drawn["sentiment-graph"]["figure"]["data"] if trace.get("name")}

    assert lines["▲ Positive"]["y"] == [50, 83.3, 75]
    assert lines["▼ Negative"]["y"][0] == -33.3
    assert lines["net"]["y"][0] == 16.7
    assert drawn["sentiment-head"]["side"] == "neutral 8%, not drawn"


def test_a_step_without_scored_mentions_is_a_gap_and_the_area_does_not_bridge_it() -> None:
    holed = series(tally(90, 0, 10), tally(unscored=4), tally(60, 0, 40))

    data = sentiment.draw(sentiment.Frame(holed, NOW, (), ABOUT))["sentiment-graph"]["figure"]["data"]

    area, line = data[0], data[1]
    assert line["y"] == [90, None, 60]
    assert area["fill"] == "tozeroy"
    assert area["y"] == [0, 90, 0, 0, 60, 0]


def test_steps_with_few_scored_mentions_are_taken_together() -> None:
    few = series(*[tally(1, 1, 1)] * 24)

    drawn = sentiment.draw(sentiment.Frame(few, NOW, (), ABOUT))

    assert sentiment.coarser(few).step_seconds == 4 * STEP
    assert drawn["sentiment-head"]["title"] == "Sentiment, % of mentions per hour"
    assert sentiment.coarser(few).total == few.total
    assert sentiment.coarser(series(*[tally(1, 1, 1)] * 8)).step_seconds == STEP, "too few steps to take together"


def test_mentions_that_no_model_can_score_are_not_called_neutral() -> None:
    drawn = sentiment.draw(sentiment.Frame(series(tally(unscored=212)), NOW, (), ABOUT))

    assert drawn["sentiment-state"]["title"] == "No sentiment in this scope"
    assert drawn["sentiment-state"]["text"].startswith("212 mentions, none in a language")


# -- key figures -------------------------------------------------------------------------------------------


def kpi_frame(now: Tally | None = None, before: Tally | None = None, **changes: Any) -> kpi.Frame:
    now, before = now or tally(30, 20, 40, 10, reach=5_000), before or tally(40, 20, 20, 0, reach=4_000)
    against = kpi.Against(
        weeks=changes.pop("weeks", 1),
        now=now,
        before=before,
        tracked_now=changes.pop("tracked_now", 200),
        tracked_before=changes.pop("tracked_before", 200),
        reach_before=Reach(4_000, each_once=True),
        heard=changes.pop("heard", 1.0),
    )
    plain = kpi.Frame(
        series=series(now, NOTHING),
        tracked=series(tally(200), NOTHING),
        tracked_names=("Corvane", "Rival"),
        has_competitors=True,
        reach=Reach(5_000, each_once=True),
        against=against,
        gaps=(),
        whole=changes.pop("whole", 2),
        words="all brands, last 24 h",
    )
    return replace(plain, **changes)


def cells(found: kpi.Frame) -> dict[str, dict[str, Any]]:
    return {cell["key"]: cell for cell in kpi.draw(found)["kpi-strip"]["cells"]}


def test_the_key_figures_say_number_unit_change_and_what_it_was() -> None:
    drawn = cells(kpi_frame())

    assert [(drawn[key]["value"], drawn[key]["unit"]) for key in kpi.CELLS] == [
        ("100", ""),
        ("−11", "pts"),
        ("5,000", ""),
        ("50.0", "%"),
    ]
    assert (drawn["mentions"]["change"], drawn["mentions"]["was"]) == ("▲ 25%", "was 80")
    assert (drawn["net_sentiment"]["change"], drawn["net_sentiment"]["was"]) == ("▼ 36 pts worse", "was +25")
    assert drawn["net_sentiment"]["tone"] == "neg"
    assert drawn["net_sentiment"]["note"] == "90 scored, 10 not"
    assert drawn["reach"]["note"] == "estimated"
    assert (drawn["share_of_voice"]["change"], drawn["share_of_voice"]["was"]) == ("▲ 10.0 pts", "was 40.0%")
    assert "Corvane, Rival" in drawn["share_of_voice"]["exact"]


def test_reach_is_not_zero_where_no_network_tells_the_followers() -> None:
    silent = cells(kpi_frame(reach=Reach(0, each_once=True)))["reach"]

    assert silent["value"] == "–"
    assert silent["note"] == "no followers given"


def test_every_key_figure_carries_its_definition() -> None:
    for key, cell in cells(kpi_frame()).items():
        assert cell["tip"] == METRICS[key].definition
        assert cell["label"] == METRICS[key].label


def test_what_is_not_known_is_a_dash_and_not_zero() -> None:
    drawn = cells(kpi_frame(tally(unscored=9), has_competitors=False))

    assert drawn["net_sentiment"]["value"] == "–"
    assert drawn["share_of_voice"]["value"] == "–"
    assert drawn["share_of_voice"]["change"] == "no competitors set"


def test_a_small_number_gets_no_arrow() -> None:
    drawn = cells(kpi_frame(tally(3, 0, 1), tally(1, 0, 4), tracked_now=10, tracked_before=10))

    for key in kpi.CELLS:
        assert drawn[key]["change"] == ""
        assert drawn[key]["was"]


def test_hours_in_which_we_did_not_listen_are_not_compared_with() -> None:
    none, some = cells(kpi_frame(heard=0.0)), cells(kpi_frame(heard=0.43))

    for key in kpi.CELLS:
        assert none[key]["change"] == "no data a week before"
        assert some[key]["change"] == "only 43% heard a week before"
        assert not none[key]["was"]


def test_the_sparkline_breaks_where_nobody_listened() -> None:
    three = series(tally(9), NOTHING, tally(9))
    found = kpi_frame(series=three, tracked=three, whole=3)
    gap = ((START + timedelta(seconds=STEP), START + timedelta(seconds=2 * STEP)),)

    assert len(cells(found)["mentions"]["spark"]) == 1
    assert len(cells(replace(found, gaps=gap))["mentions"]["spark"]) == 2


def test_the_sparkline_leaves_out_the_step_that_still_fills() -> None:
    three = series(tally(9), tally(9), tally(1))

    def points(whole: int) -> int:
        return len(cells(kpi_frame(series=three, tracked=three, whole=whole))["mentions"]["spark"][0].split())

    assert (points(3), points(2)) == (3, 2)


def test_a_change_is_counted_over_whole_steps_of_the_same_hours_a_week_before(database: Database) -> None:
    from tests.small_store import Said, fill, say

    fill(database)
    week = 7 * 24 * 60
    # 14:31 stands in the step that still fills; a week before, 14:31 is after the last whole step as well.
    said = [*[Said("now", minutes=60)] * 30, *[Said("filling", minutes=1)] * 7]
    said += [*[Said("then", minutes=week + 60)] * 20, *[Said("then, later", minutes=week + 1)] * 9]
    say(database, [replace(item, author=f"a{n}") for n, item in enumerate(said)])
    with database.read() as connection:
        found = kpi.query(connection, asked())

    assert found.series.total.mentions == 37
    assert (found.against.now.mentions, found.against.before.mentions) == (30, 20)
    assert cells(found)["mentions"]["change"] == "▲ 50%"
    assert found.reach.value == 37 * 100


def test_thirty_days_are_compared_with_whole_weeks_before() -> None:
    assert cells(kpi_frame(weeks=5))["mentions"]["was"] == "was 80 5 weeks before"


# -- the feed ----------------------------------------------------------------------------------------------


def test_a_card_says_who_where_when_and_what() -> None:
    drawn = row()

    assert drawn["text"] == [["My ", 0], ["Halden", 1], [" card is still ", 0], ["declined", 1], [".", 0]]
    assert (drawn["net"], drawn["name"], drawn["handle"]) == ("X", "Sanne de Wit", "@sannedewit")
    assert (drawn["reach"], drawn["chips"]) == ("9,400 reach", ["Corvane", "Nairobi", "Customer care"])
    assert (drawn["glyph"], drawn["word"], drawn["tone"]) == ("▼", "Negative", "neg")
    assert drawn["at"] == "2026-11-19T14:31:58+00:00"


def test_markup_of_a_post_stays_text() -> None:
    drawn = row(text="<script>alert(1)</script> <b>halden</b>", author_name="<img src=x>")

    assert "".join(piece for piece, _ in drawn["text"]) == "<script>alert(1)</script> <b>halden</b>"
    assert drawn["name"] == "<img src=x>"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        " vbscript:x",
        "//example.org",
        "http://",
        "http://[",
        "",
    ],
)
def test_only_addresses_of_the_web_become_links(url: str) -> None:
    assert row(url=url)["url"] == ""


def test_a_web_address_is_kept_as_it_is() -> None:
    assert row(url="https://example.org/a?b=c#d")["url"] == "https://example.org/a?b=c#d"


def test_a_long_text_is_cut_for_the_card() -> None:
    text = "".join(piece for piece, _ in row(text="x" * 1_000_000)["text"])

    assert len(text) == feed.TEXT_SHOWN + 1
    assert text.endswith("…")


def test_a_mention_that_is_not_scored_carries_no_sentiment() -> None:
    assert row(sentiment=None)["word"] == ""
    assert row(sentiment=0)["word"] == "Neutral"


def test_unknown_place_team_and_followers_are_left_out() -> None:
    drawn = row(location_id=1, team_id=1, author_followers=None, author_name=None, author_handle=None)

    assert drawn["chips"] == ["Corvane"]
    assert (drawn["reach"], drawn["handle"], drawn["name"]) == ("", "", "Somebody")


def test_a_picture_is_told_by_its_alternative_text() -> None:
    assert row(media=(("image", "A card reader"), ("video", "")))["media"] == ["Picture: A card reader", "Video"]


def test_the_words_that_were_searched_for_are_marked_too() -> None:
    drawn = feed.draw(feed_frame(shown(matched=()), searched=("still declined",)))["feed-list"]["rows"][0]

    assert ["still declined", 1] in drawn["text"]


def test_the_feed_holds_the_newest_fifty(database: Database) -> None:
    from tests.small_store import Said, fill, say

    fill(database)
    say(database, [Said(f"post {n}", minutes=n / 10 + 1) for n in range(70)])
    with database.read() as connection:
        drawn = feed.draw(feed.query(connection, asked()))

    texts = [line["text"][0][0] for line in drawn["feed-list"]["rows"]]
    assert texts == [f"post {n}" for n in range(50)]


def test_a_person_limited_to_a_brand_reads_that_brand_alone(database: Database) -> None:
    from tests.small_store import Said, fill, say

    fill(database)
    say(database, [Said("ours"), Said("theirs", brand_id=3)])
    question = asked(access=person(brand_ids=frozenset({3})))
    with database.read() as connection:
        drawn = feed.draw(feed.query(connection, question))
        counted = kpi.query(connection, question)

    assert [line["text"] for line in drawn["feed-list"]["rows"]] == [[["theirs", 0]]]
    assert counted.series.total.mentions == 1


# -- sources -----------------------------------------------------------------------------------------------


def test_a_source_says_its_age_what_is_left_and_its_last_error() -> None:
    cell = strip(health(last_error="429, backed off 8 s", last_error_at=NOW - timedelta(minutes=28)))["sources-strip"][
        "cells"
    ][0]

    assert (cell["age"], cell["since"]) == ("lag", (NOW - timedelta(seconds=2)).isoformat())
    assert (cell["share"], cell["left"]) == (0.71, "71% left")
    assert cell["words"] == "15:04: 429, backed off 8 s"


def test_an_error_of_last_week_is_not_news() -> None:
    cell = strip(health(last_error="429", last_error_at=NOW - timedelta(days=7)))["sources-strip"]["cells"][0]

    assert cell["words"] == "no error in 24 h"


def test_sources_in_trouble_stand_first() -> None:
    late = health(id=9, data_age_seconds=3_600)
    slow = health(id=8, data_age_seconds=300)

    drawn = strip(health(id=1), slow, health(id=2, state="paused", paused_by="Ines"), late)["sources-strip"]["cells"]

    assert [(cell["id"], cell["badge"]) for cell in drawn] == [
        ("9", "stale"),
        ("8", "slow"),
        ("1", "live"),
        ("2", "paused"),
    ]
    assert drawn[0]["tone"] == "wn"
    assert drawn[3]["words"] == "paused by Ines"


def test_the_fill_in_of_the_history_says_how_far_it_is() -> None:
    drawn = strip(health(), health(id=2, name="History", progress=0.43))

    assert drawn["history"] == {"share": 0.43, "text": "History 43%, newest first"}
    assert strip(health())["history"] == {"share": None, "text": ""}


def test_without_a_source_the_strip_says_how_to_connect_one() -> None:
    assert "source add" in strip()["sources-state"]["text"]


# -- how numbers look --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0k"),
        (48_213, "48.2k"),
        (99_960, "100k"),
        (999_499, "999k"),
        (999_600, "1.0M"),
        (92_400_000, "92.4M"),
        (1_200_000_000, "1.2bn"),
        (-48_213, "−48.2k"),
    ],
)
def test_a_number_is_short(value: float, text: str) -> None:
    assert style.short(value) == text


@pytest.mark.parametrize(("value", "text"), [(11.4, "+11"), (-4, "−4"), (0.2, "0"), (-0.2, "0")])
def test_a_signed_number_has_a_real_minus_and_zero_has_no_sign(value: float, text: str) -> None:
    assert style.signed(value) == text


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 4), (4, 4), (43, 50), (2_515, 3_000), (100, 100), (9, 10), (110, 125), (1_000_001, 1_250_000)],
)
def test_an_axis_ends_above_its_highest_value(highest: float, top: float) -> None:
    assert style.axis_top(highest)[0] == top
    assert style.axis_top(highest)[0] >= highest
