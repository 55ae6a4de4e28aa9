"""What becomes of simulated posts: engagement, edits, deletions, places, conversations, posts of ours."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from ingest.connectors import simulator
from ingest.connectors.simulator import canary, check, fetch, look_up
from ingest.found import Found, Gone
from ingest.simulation import agenda, desk
from ingest.simulation.identities import external_id, number_of
from ingest.simulation.ours import account_by_handle, accounts, who_answers
from ingest.simulation.speech import LANGUAGES
from ingest.simulation.threads import Step
from ingest.simulation.world import NETWORKS, SITE_BY_KEY, TALK_BY_KEY, TALKS
from models.organisation_file import read
from models.rules import Subject, parse
from tests.simulated import SIMULATION, START, history, live, pages

ORGANISATION = Path(__file__).parent.parent / "models" / "demo" / "meridian.toml"
DAY_AFTER = START + timedelta(days=1)


@cache
def day_before() -> tuple[Found, ...]:
    """What history tells of the day before START."""
    return tuple(item for page in pages(history(), now=START) for item in page.found)


@cache
def day_after() -> tuple[tuple[Found, ...], tuple[Gone, ...]]:
    """What live sources tell of the day after START."""
    told = list(pages(live(page=200), now=DAY_AFTER))
    return tuple(item for page in told for item in page.found), tuple(item for page in told for item in page.gone)


def is_ours(item: Found) -> bool:
    return account_by_handle(NETWORKS.index(item.network), item.author.key) is not None


def steps() -> list[Step]:
    """The steps of all conversations of the day before START."""
    minute = int(START.timestamp()) // 60
    found = [
        post
        for at in range(minute - 1440, minute)
        for post in agenda.of_ours(SIMULATION, range(len(NETWORKS)), at)
        if isinstance(post, Step)
    ]
    assert len(found) > 100
    return found


# -- engagement --------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_engagement_grows_and_comes_to_rest() -> None:
    chosen = [item for item in day_before() if item.network == "x"][:150]
    ids = [item.external_id for item in chosen]
    ages = [timedelta(hours=hours) for hours in (0, 1, 24, 24 * 7, 24 * 35)]
    sums = []
    before: dict[str, Found] = {}
    for age in ages:
        now_there = {i.external_id: i for i in look_up(live(network="x"), ids, now=START + age).found}
        for key in now_there.keys() & before.keys():
            for name in ("likes", "replies", "reposts", "impressions"):
                assert getattr(now_there[key].counts, name) >= getattr(before[key].counts, name)
        sums.append(sum(item.counts.impressions or 0 for item in now_there.values()))
        before = now_there

    assert sums[1] > 1.02 * sums[0]
    assert sums[2] > 1.2 * sums[0]
    assert sums[4] < 1.1 * sums[3]


def test_a_post_is_delivered_with_the_engagement_of_its_first_seconds() -> None:
    found, _ = day_after()
    fresh = [item for item in found if item.network == "x" and item.edited_at is None]
    later = look_up(live(network="x"), [item.external_id for item in fresh], now=DAY_AFTER + timedelta(days=7)).found

    assert len(later) > 1000
    assert sum(item.counts.likes or 0 for item in fresh) < 0.05 * sum(item.counts.likes or 0 for item in later)


# -- ids ---------------------------------------------------------------------------------------------------


def test_every_post_is_found_again_by_its_id() -> None:
    for network in NETWORKS:
        known = {item.external_id: item for item in day_before() if item.network == network}
        page = look_up(live(network=network), list(known), now=START)

        assert len(known) > 50
        assert page.gone == ()
        assert {item.external_id: item for item in page.found} == known


@pytest.mark.parametrize("given", ["", "0", "17", "-1", "9" * 19, "t1_zz", "\x00", "1838181070297216001", "x" * 600])
def test_an_id_that_was_never_given_is_left_alone(given: str) -> None:
    for network in NETWORKS:
        page = look_up(live(network=network), [given], now=START)

        assert (page.found, page.gone) == ((), ())


@pytest.mark.parametrize("network", NETWORKS)
def test_an_id_holds_its_number(network: str) -> None:
    number = 1838181070297216000

    assert number_of(network, external_id(network, number)) == number
    assert number_of(network, external_id(network, number) + "0") != number


def test_a_post_of_later_is_not_known_yet() -> None:
    newest = max((item for item in day_before() if item.network == "x"), key=lambda item: item.posted_at)

    assert look_up(live(network="x"), [newest.external_id], now=newest.posted_at - timedelta(seconds=1)).found == ()
    assert len(look_up(live(network="x"), [newest.external_id], now=newest.posted_at).found) == 1


# -- edits and deletions -----------------------------------------------------------------------------------


def test_an_edit_is_delivered_again_under_the_same_id() -> None:
    found, _ = day_after()
    by_id: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for item in found:
        by_id[item.network, item.external_id].append(item)
    edited = [versions for versions in by_id.values() if versions[-1].edited_at]
    both = [versions for versions in edited if len(versions) == 2]

    assert 0.002 <= len(edited) / len(by_id) <= 0.01
    assert len(both) > 5
    for first, second in both:
        assert first.edited_at is None
        assert second.edited_at is not None
        assert timedelta(minutes=2) <= second.edited_at - second.posted_at <= timedelta(minutes=25)
        assert second.text.startswith(first.text)
        assert second.text != first.text
        looked = look_up(live(network=first.network), [first.external_id], now=second.edited_at)
        assert looked.gone or looked.found[0].text == second.text


def test_a_deletion_is_told_once_and_the_post_stays_gone() -> None:
    found, gone = day_after()
    ids = [(item.network, item.external_id) for item in gone]

    assert len(set(ids)) == len(ids)
    assert 0.004 <= len(gone) / len(found) <= 0.02
    for item in gone:
        assert item.reason == "deleted"
        page = look_up(live(network=item.network), [item.external_id], now=DAY_AFTER)
        assert page.found == ()
        assert page.gone == (item,)


def test_no_page_tells_of_a_post_both_that_it_is_there_and_gone() -> None:
    page = fetch(live(page=5000), None, now=START + timedelta(hours=12))

    assert len(page.gone) > 5
    assert not {(i.network, i.external_id) for i in page.found} & {(i.network, i.external_id) for i in page.gone}
    assert len({(i.network, i.external_id) for i in page.found}) == len(page.found)


def test_history_leaves_out_what_is_gone_and_tells_of_edits() -> None:
    later = [item for page in pages(history(), now=DAY_AFTER) for item in page.found]
    for network in NETWORKS:
        ids = [item.external_id for item in later if item.network == network]
        assert look_up(live(network=network), ids, now=DAY_AFTER).gone == ()

    missing = {i.external_id for i in day_before()} - {i.external_id for i in later}
    assert 5 < len(missing) < 0.03 * len(later)
    assert sum(item.edited_at is not None for item in later) > 10


def test_an_account_that_goes_private_takes_its_posts_along() -> None:
    x = [item for item in day_before() if item.network == "x"]
    page = look_up(live(network="x"), [item.external_id for item in x], now=START + timedelta(days=60))
    reasons = Counter(item.reason for item in page.gone)

    assert reasons["protected"] > 0
    hidden = {item.external_id for item in page.gone if item.reason == "protected"}
    who = {item.author.key for item in x if item.external_id in hidden and item.kind != "repost"}
    theirs = {item.external_id for item in x if item.author.key in who}
    assert theirs <= {item.external_id for item in page.gone}


def test_some_answers_are_delivered_before_what_they_answer() -> None:
    found = [item for page in pages(live(page=200), now=START + timedelta(days=1)) for item in page.found]
    place: dict[tuple[str, str], int] = {}
    for number, item in enumerate(found):
        place.setdefault((item.network, item.external_id), number)
    early = [
        item
        for number, item in enumerate(found)
        if item.reply_to and place.get((item.network, item.reply_to), -1) > number
    ]

    assert 1 <= len(early) < 0.02 * len(found)


# -- places ------------------------------------------------------------------------------------------------


def test_half_of_all_posts_say_where_they_were_made_and_most_authors_where_they_live() -> None:
    theirs = [item for item in day_before() if not is_ours(item)]
    by_name = sum(item.place is not None for item in theirs)
    by_device = sum(item.latitude is not None for item in theirs)

    assert 0.50 <= (by_name + by_device) / len(theirs) <= 0.60
    assert by_device > 50
    assert not any(item.place and item.latitude is not None for item in theirs)
    assert 0.65 <= sum(item.home is not None for item in theirs) / len(theirs) <= 0.85


# -- accounts of ours and conversations --------------------------------------------------------------------


def test_accounts_of_the_organisation_file_publish_under_their_own_names() -> None:
    listed = {(entry.network, entry.handle) for entry in read(ORGANISATION).accounts}
    own = [item for item in day_before() if is_ours(item) and item.kind == "post"]
    answers = [item for item in day_before() if is_ours(item) and item.kind == "reply"]

    assert len(listed) == len(accounts()) == 27
    assert {(item.network, item.author.handle) for item in own + answers} <= listed
    assert all(item.author.key == item.author.handle for item in own + answers)
    assert 20 <= len(own) <= 90
    assert 30 <= len(answers) <= 200
    assert {TALKS[account.talk].key for account in accounts()} == {"halden-bank", "corvane", "orchard-row", "velta"}


def test_care_of_a_place_answers_there_and_the_brand_elsewhere() -> None:
    def answering(network: str, brand: str, site: str) -> str | None:
        account = who_answers(NETWORKS.index(network), TALK_BY_KEY[brand], SITE_BY_KEY[site])
        return account and account.who.author.handle

    assert answering("x", "halden-bank", "amsterdam") == "HaldenBank_NL"
    assert answering("x", "halden-bank", "berlin") == "HaldenBank_DE"
    assert answering("x", "halden-bank", "tokyo") == "HaldenBank"
    assert answering("x", "corvane", "tokyo") == "corvane_care"
    assert answering("x", "astera", "berlin") is None
    assert answering("rss", "corvane", "berlin") is None


def test_a_conversation_names_its_first_post_and_answers_what_came_before() -> None:
    by_id = {(item.network, item.external_id): item for item in day_before()}
    talked = [agenda.state(SIMULATION, step, int(START.timestamp()) * 1_000_000) for step in steps()]
    found = [item for item in talked if isinstance(item, Found)]
    whole = [item for item in found if (item.network, item.conversation) in by_id]

    assert len(whole) > 60
    for item in whole:
        root = by_id[item.network, item.conversation or ""]
        assert root.conversation is None
        parent = by_id[item.network, item.reply_to or ""]
        assert parent.conversation in (None, item.conversation)
        assert parent.posted_at < item.posted_at
        if not is_ours(item):
            assert item.author == root.author


def test_customers_come_back_content_angry_or_still_waiting() -> None:
    tones = Counter(step.tone for step in steps())

    assert set(tones) == desk.OF_OURS | {desk.CONTENT, desk.UNSURE, desk.ANGRY, desk.WAITING, desk.LONGER}
    for step in steps():
        if step.tone == desk.WAITING:
            assert step.posted - step.root.posted >= 90 * 60_000_000
            assert step.parent == step.root.number


def test_what_a_customer_says_to_us_is_found_by_the_rules_of_the_brand_alone() -> None:
    rules = [(brand.key, parse(rule)) for brand in read(ORGANISATION).brands for rule in brand.rules]
    told = 0
    for step in steps():
        said = agenda.state(SIMULATION, step, step.posted)
        if step.tone in desk.OF_OURS or isinstance(said, Gone):
            continue
        subject = Subject(said.text, said.author.handle, step.root.language, said.network)
        assert {key for key, rule in rules if rule.matches(subject)} == {TALKS[step.root.talk].key}, said.text
        told += 1

    assert told > 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_every_side_of_a_conversation(language: str) -> None:
    tones = (*desk.OF_OURS, desk.CONTENT, desk.UNSURE, desk.ANGRY, desk.WAITING, desk.LONGER, desk.EDIT)
    for tone in tones:
        for drawn in range(0, 65536, 4096):
            text = desk.said(language, tone, drawn, brand="Velta", name="Ana")
            assert text.strip()
            assert "{" not in text
            if tone not in desk.OF_OURS and tone != desk.EDIT:
                assert "Velta" in text


# -- is it well --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_that_is_well_answers_the_canary_at_any_hour(network: str) -> None:
    assert all(canary(live(network=network), now=START + timedelta(hours=hours)) for hours in range(24))


def test_a_check_says_what_works_and_moves_nothing() -> None:
    config = live(network="x")

    assert check(config, now=START) == f"{simulator.describe(config)}; reads; takes no replies, since it has no memory"
    assert "reads and takes replies" in check(live(network="x", memory="/nowhere/memory.db"), now=START)


def test_x_says_what_it_would_charge_for_and_the_others_charge_nothing() -> None:
    now = START + timedelta(hours=3)
    page = fetch(live(network="x"), None, now=now)
    own = sum(is_ours(item) for item in page.found)

    assert page.units["post"] == len(page.found) - own
    assert page.units.get("own", 0) == own
    assert page.units["user"] == len({item.author.key for item in page.found})
    assert fetch(live(network="mastodon"), None, now=now).units == {}
    assert fetch(live(network="x"), page.cursor, now=now).units == {}
