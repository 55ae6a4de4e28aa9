"""The panels of the pages of one brand, one location, one team: empty, ordinary, and with what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import Connection, insert

from dashboard import scope
from dashboard.panel import Panel, Question
from dashboard.panels import audience_bars, load, our_posts, parts, share, subject_header, week
from dashboard.panels.frame import About
from dashboard.views import by_path
from dashboard.views.subject import BRAND, LOCATION, TEAM
from models.access import Access
from models.audience_mix import Mix
from models.database import Database, time_id
from models.detection_lag import Lag
from models.our_posts import Best, OurPost
from models.tables import our_post
from tests.few import few
from tests.small_organisation import ADMIN, NOW, organisation, person
from tests.small_store import Said, fill, say

PATHS = (
    "/brand/corvane",
    "/brand/velta",
    "/brand/rival",
    "/location/nairobi",
    "/location/emea",
    "/team/care",
    "/team/none",
)
ABOUT = About("Corvane, last 24 h", "Corvane", "24h", True, 900, "Europe/Amsterdam", NOW)
MIDNIGHT = datetime(2026, 11, 18, 23, tzinfo=UTC)


def about(path: str, search: str = "", *, access: Access = ADMIN) -> Question:
    """The question of the page of one subject."""
    address = by_path(path)
    assert address is not None
    place = (address.view.subject, address.subject_key)
    return scope.question(scope.parse(search), access, organisation(), NOW, about=place)


def panels(path: str) -> tuple[Panel, ...]:
    """What the page has besides what stands on every page."""
    return {"brand": BRAND, "location": LOCATION, "team": TEAM}[path.split("/")[1]].panels


@contextmanager
def spoken(database: Database) -> Iterator[Connection]:
    """Forty days of talk about Corvane, its rival and Velta, at Nairobi, Berlin and nowhere."""
    fill(database)
    said = [
        Said(
            f"post {n}",
            minutes=4 + n * 180,
            brand_id=(2, 5, 2, 4)[n % 4],
            sentiment=(1, 0, -1, None)[n % 4],
            author=f"a{n % 9}",
            location_id=(4, 5, 1)[n % 3],
            language=("en", "nl", None)[n % 3],
            network=("x", "reddit")[n % 2],
        )
        for n in range(200)
    ]
    say(database, said)
    with database.read() as connection:
        yield connection


# -- all of them -----------------------------------------------------------------------------------------------


def test_the_three_pages_are_one_arrangement() -> None:
    keys = {view.key: [panel.key for panel in view.panels] for view in (BRAND, LOCATION, TEAM)}

    assert keys["brand"][:6] == keys["location"][:6] == keys["team"][:6]
    assert "our-posts" in keys["brand"]
    assert "our-posts" not in keys["location"] + keys["team"]
    assert keys["team"][6:] == ["parts", "load", "on-shift", "feed"]


@pytest.mark.parametrize("search", few(["", "?window=15m", "?window=30d&network=x", "?q=post", "?at=2026-11-10"], 1))
def test_every_page_answers_in_every_scope_with_a_table(search: str, database: Database) -> None:
    with spoken(database) as connection:
        for path in PATHS:
            for panel in panels(path):
                found = panel.query(connection, about(path, search))
                orjson.dumps(dict(panel.draw(found)))
                if panel.table is not None:
                    table = panel.table(found)
                    assert all(len(row) == len(table.columns) for row in table.rows), panel.key


def test_a_subject_that_nothing_was_said_of_says_so_in_every_panel(database: Database) -> None:
    fill(database)
    with database.read() as connection:
        for path in PATHS:
            for panel in panels(path):
                drawn = panel.draw(panel.query(connection, about(path)))
                assert drawn[f"{panel.key}-state"]["kind"] == ("" if panel.key == "subject" else "empty"), panel.key


# -- whose figures ---------------------------------------------------------------------------------------------


def test_a_competitor_is_measured_within_the_sets_of_ours_that_name_it() -> None:
    assert about("/brand/rival").scope.tracked_ids == (2, 5)
    assert about("/brand/corvane").scope.tracked_ids == (2, 5)
    assert about("/brand/velta").scope.tracked_ids == (4,)


def test_a_competitor_opens_no_brand_of_ours_to_those_who_may_not_see_it() -> None:
    access = person(brand_ids=frozenset({4, 5}))

    assert about("/brand/rival", access=access).scope.tracked_ids == (5,)


def test_a_location_is_compared_only_with_those_one_may_see(database: Database) -> None:
    limited = person(location_ids=frozenset({3}))
    with spoken(database) as connection:
        all_of_it = subject_header.query(connection, about("/location/nairobi"))
        part = subject_header.query(connection, about("/location/nairobi", access=limited))
        peers = parts.query(connection, about("/location/nairobi", access=limited))

    assert all_of_it.whole is not None
    assert part.whole is not None
    assert part.whole.total.mentions == part.figures.series.total.mentions
    assert all_of_it.whole.total.mentions > part.whole.total.mentions
    assert peers.compared is not None
    assert peers.compared.count == 1


# -- the head --------------------------------------------------------------------------------------------------


def head(database: Database, path: str) -> dict[str, Any]:
    with spoken(database) as connection:
        drawn = subject_header.draw(subject_header.query(connection, about(path)))
    return dict(drawn["subject-card"])


def test_the_head_says_what_it_is_and_five_numbers(database: Database) -> None:
    card = head(database, "/brand/corvane")

    assert (card["name"], card["monogram"], card["ours"]) == ("Corvane", "co", True)
    assert card["line"] == "Brand of ours · measured against Rival"
    assert [cell["key"] for cell in card["cells"]] == ["mentions", "net_sentiment", "reach", "share_of_voice", "lag"]


def test_a_competitor_is_called_not_ours(database: Database) -> None:
    card = head(database, "/brand/rival")

    assert not card["ours"]
    assert card["line"] == "Competitor · measured against Corvane"


def test_a_location_says_its_zone_and_its_share_of_the_volume(database: Database) -> None:
    card = head(database, "/location/kenya")

    assert card["line"] == "Country · Emea · 1 site · times in Europe/Amsterdam"
    share_cell = card["cells"][3]
    assert share_cell["label"] == "Share of brand volume"
    part, whole = (int(word) for word in share_cell["exact"].split(" of "))
    assert 0 < part < whole
    assert share_cell["value"] == f"{100 * part / whole:.1f}"


def test_of_a_few_mentions_no_lag_is_claimed() -> None:
    cell = subject_header._lag(Lag(None, None, 3))

    assert (cell["value"], cell["change"]) == ("–", "too few new mentions to say")
    assert subject_header._lag(Lag(4.2, 61.0, 500))["change"] == "95 % within 1 min"


# -- share -----------------------------------------------------------------------------------------------------


def share_frame(**changes: Any) -> share.Frame:
    starts = tuple(MIDNIGHT - timedelta(days=n) for n in (2, 1, 0))
    plain = share.Frame(
        kind="brand",
        starts=starts,
        end=NOW,
        whole=(100, 100, 200),
        own=share.Line(0, "Corvane", (20, 30, 50)),
        others=(share.Line(5, "Rival <b>", (80, 70, 150)),),
        gaps=(),
        partial=False,
        words="Corvane",
        zone="Europe/Amsterdam",
    )
    return replace(plain, **changes)


def lines_of(drawn: Any) -> dict[str, list[Any]]:
    data = drawn["share-graph"]["figure"]["data"]
    return {trace["name"]: trace["y"] for trace in data if trace["name"]}


def test_shares_are_of_the_whole_of_each_day_and_names_stand_at_the_ends() -> None:
    drawn = share.draw(share_frame())

    assert lines_of(drawn) == {"Corvane": [20, 30, 25], "Rival &lt;b&gt;": [80, 70, 75]}
    notes = [note["text"] for note in drawn["share-graph"]["figure"]["layout"]["annotations"]]
    assert notes == ["Corvane 25.0%", "Rival &lt;b&gt; 75%"]
    assert "25.0%" in drawn["share-head"]["label"]


def test_a_day_of_few_mentions_or_without_ears_has_no_share() -> None:
    gap = ((MIDNIGHT - timedelta(days=1), MIDNIGHT),)

    assert lines_of(share.draw(share_frame(whole=(9, 100, 200))))["Corvane"] == [None, 30, 25]
    assert lines_of(share.draw(share_frame(gaps=gap)))["Corvane"] == [20, None, 25]


def test_a_brand_without_competitors_has_no_share_of_voice() -> None:
    drawn = share.draw(share_frame(others=()))

    assert drawn["share-state"]["kind"] == "empty"
    assert drawn["share-state"]["text"] == "No competitor is set for this brand."


def test_labels_at_line_ends_never_cover_each_other() -> None:
    ends = [("a", 10.0, False), ("b", 10.2, True), ("c", 99.0, False), ("d", 99.5, False), ("e", 100.0, False)]

    placed = [y for *_, y in share.end_labels(ends, 100.0, apart=0.1)]

    assert all(b - a > 9.99 for a, b in pairwise(placed))
    assert max(placed) <= 100


def test_the_day_that_has_begun_is_in_no_share() -> None:
    window = share.whole_days(about("/brand/corvane"))

    assert window.end == MIDNIGHT
    assert (window.end - window.start).days == 30


# -- hours of the week -----------------------------------------------------------------------------------------


def test_hours_are_counted_on_the_clock_of_the_page(database: Database) -> None:
    fill(database)
    # Thursday 12:32 UTC: 13:32 in Amsterdam, 18:02 in Kolkata.
    say(database, [Said(f"p{n}", minutes=120, author=f"a{n}") for n in range(4)])
    question = about("/brand/corvane")
    with database.read() as connection:
        here = week.peak(week.query(connection, question))
        there = week.peak(week.query(connection, replace(question, zone="Asia/Kolkata")))

    assert here == (3, 13, 1.0)
    assert there == (3, 18, 1.0)


def test_an_hour_in_which_nobody_listened_is_in_no_mean() -> None:
    zone = ZoneInfo("UTC")
    hours = [(MIDNIGHT - timedelta(weeks=n, hours=-2), 10 * n) for n in (0, 1, 2)]
    deaf = ((hours[0][0], hours[0][0] + timedelta(hours=1)),)

    heard, count, mentions = week._means(hours, (), zone)
    assert (heard[3][1], count, mentions) == (10, 3, 30)
    partly, count, mentions = week._means(hours, deaf, zone)
    assert (partly[3][1], count, mentions) == (15, 2, 30)
    assert partly[0][0] is None


def test_the_busiest_hour_is_named_and_framed() -> None:
    means = [[0.0] * 24 for _ in range(7)]
    means[1][20] = 412.4
    found = week.Frame(tuple(map(tuple, means)), 672, 2000, False, NOW, "Corvane", "Europe/Amsterdam")

    drawn = week.draw(found)

    figure = drawn["week-graph"]["figure"]
    assert figure["layout"]["annotations"][0]["text"] == "Peak Tue 20:00, 412 mentions per hour"
    assert (figure["layout"]["shapes"][0]["x0"], figure["layout"]["shapes"][0]["y0"]) == (19.5, 0.5)
    assert len(week.table(found).rows) == 168


# -- the audience ----------------------------------------------------------------------------------------------


def test_what_is_not_known_is_said_and_never_spread() -> None:
    mix = Mix({"x": 60, "reddit": 40}, {"text": 100}, {"en": 30, "nl": 10}, {}, 100, False)
    drawn = audience_bars.draw(audience_bars.Frame(mix, NOW, ABOUT))["mix-bars"]

    assert [(row["name"], row["share"], row["n"]) for row in drawn["networks"]] == [
        ("X", 60.0, "60"),
        ("Reddit", 40.0, "40"),
    ]
    language = drawn["bars"][1]
    assert [(part["label"], part["share"]) for part in language["parts"]] == [("en", 75.0), ("nl", 25.0)]
    assert language["said"] == "n = 40; 60% not known, left out"
    assert drawn["bars"][2] == {
        "key": "country",
        "title": "Country",
        "said": "n = 0; 100% not known, left out",
        "parts": [],
    }


def test_many_networks_and_languages_end_in_one_row_of_others() -> None:
    networks = {
        key: 10 - n for n, key in enumerate(("x", "bluesky", "mastodon", "reddit", "youtube", "rss", "facebook"))
    }
    languages = {code: 10 - n for n, code in enumerate("abcdefg")}
    mix = Mix(networks, {"text": 49}, languages, {}, 49, True)
    drawn = audience_bars.draw(audience_bars.Frame(mix, NOW, ABOUT))["mix-bars"]

    assert drawn["networks"][-1]["name"] == "2 others"
    assert sum(row["share"] for row in drawn["networks"]) == pytest.approx(100, abs=0.5)
    assert [part["label"] for part in drawn["bars"][1]["parts"]] == ["a", "b", "c", "d", "+"]
    assert drawn["base"].startswith("Form, language, country: the newest 2,000")


# -- what it is made of ----------------------------------------------------------------------------------------


def test_a_location_stands_beside_the_median_one_of_its_kind(database: Database) -> None:
    fill(database)
    said = [Said(f"n{n}", minutes=n + 1, brand_id=(2, 4)[n % 2], author=f"a{n}", language="en") for n in range(30)]
    said += [Said(f"b{n}", minutes=n + 1, location_id=5, author=f"b{n}", language="nl") for n in range(20)]
    said += [Said(f"t{n}", minutes=n + 1, location_id=6, author=f"t{n}", language=None) for n in range(40)]
    say(database, said)
    with database.read() as connection:
        found = parts.query(connection, about("/location/nairobi"))

    brands, languages, teams = found.sections
    assert [(part.name, part.count, part.usual) for part in brands.parts] == [("Corvane", 15, 1.0), ("Velta", 15, 0.0)]
    # Of Tokyo no language is known, so two locations make the median.
    assert [(part.name, part.usual) for part in languages.parts] == [("en", 0.5)]
    assert [(part.name, part.count) for part in teams.parts] == [("Customer care", 30)]
    assert found.compared is not None
    assert (found.compared.count, found.compared.mentions) == (3, 30)


def test_what_is_routed_to_a_team_says_brands_and_places(database: Database) -> None:
    with spoken(database) as connection:
        found = parts.query(connection, about("/team/care", "?window=30d"))

    brands, places = found.sections
    # What competitors are talked about with is routed to nobody.
    assert {part.name for part in brands.parts} == {"Corvane", "Velta"}
    assert {part.name for part in places.parts} == {"Nairobi", "Berlin"}
    assert places.unknown > 0
    assert places.known + places.unknown == brands.known == found.mentions


def test_the_load_of_today_ends_where_the_day_stands(database: Database) -> None:
    fill(database)
    said = [Said(f"t{n}", minutes=200, author=f"a{n}") for n in range(3)]
    said += [Said(f"y{n}", minutes=1440 + 200, author=f"y{n}") for n in range(10)]
    # On a Saturday, which is no day like this Thursday.
    said += [Said(f"s{n}", minutes=5 * 1440 + 200, author=f"s{n}") for n in range(50)]
    say(database, said)
    with database.read() as connection:
        found = load.query(connection, about("/team/care"))

    # 12:12 in Amsterdam; twenty days from Monday to Friday lie in four weeks.
    assert found.today[12] == 3
    assert found.today[15] is None
    assert (found.usual[12], found.days, found.like) == (0.5, 20, "Mon to Fri")


# -- our posts -------------------------------------------------------------------------------------------------


def test_posts_say_their_rate_and_of_what_it_is() -> None:
    plain = OurPost(2, 2**62 + 1, 7, 2, NOW, "<b>Hello</b>", "javascript:alert(1)", (), 1_500, 30_000)
    silent = replace(plain, id=3, impressions=None)
    frame = our_posts.Frame(Best((plain, silent), 2, False), {7: "Corvane"}, None, True, NOW, ABOUT)
    rows = our_posts.draw(frame)["our-posts-list"]["rows"]

    assert (rows[0]["engaged"], rows[0]["rate"], rows[0]["of"]) == ("1,500", "5.0%", "of 30.0k impressions")
    assert (rows[1]["rate"], rows[1]["of"]) == ("", "impressions not measured")
    # Text stays text, ids fit into the numbers of a browser as text, and no link runs a script.
    assert (rows[0]["text"], rows[0]["url"], rows[0]["id"]) == ("<b>Hello</b>", "", f"2-{2**62 + 1}")


def test_nothing_published_lately_says_when_the_last_one_was(database: Database) -> None:
    fill(database)
    at = NOW - timedelta(days=3)
    row = {"brand_id": 2, "id": time_id(at, 1), "account_id": 1, "network_id": 2, "external_id": "1", "posted_at": at}
    with database.write() as connection:
        connection.execute(insert(our_post).values(**row, kind="post", text="Hello", measured_at=NOW))
    with database.read() as connection:
        state = our_posts.draw(our_posts.query(connection, about("/brand/corvane")))["our-posts-state"]
        rival = our_posts.draw(our_posts.query(connection, about("/brand/rival")))["our-posts-state"]

    assert (state["title"], state["text"]) == ("We published nothing in this window", "The last one was 3 d before.")
    assert state["widen"] == "7d"
    assert rival["title"] == "Not ours"
