"""ingest/enrich/copies.py: which posts say the same."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.enrich.copies import LONGEST_TEXT, Copies, First, normalised, own_id
from tests.copies_made_up import NOW, Quality, posts, quality, real_texts

SAID = "The seat map on flight 719 shows nothing but grey squares again"


@pytest.mark.parametrize(
    "written",
    [
        "RT @someone: Your app lost my booking, again!",
        "rt @a rt @b_2: your app LOST my booking again",
        "@brand @other Your app lost my booking again https://t.co/a1B2?x=1#y",
        "Your app lost my booking again t.co/abc www.example.org/x",
        "Your app 😀 lost my 👨‍👩‍👧 booking… again ❤️",
        "Ｙｏｕｒ app lost my booking\u00a0 again",
        "@me@mastodon.example your app lost my booking again",
        "“Your app lost my booking — again”",
    ],
)
def test_what_copying_changes_is_not_compared(written: str) -> None:
    assert normalised(written) == "your app lost my booking again"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", ""),
        ("😀 @you https://t.co/x", ""),
        ("don't &amp; won’t", "dont wont"),
        ("MT @a: and/or 3/4", "and or 3 4"),
        ("rt means repost", "rt means repost"),
        ("#Late on 5/3", "late on 5 3"),
        ("遅れています", "遅 れ て い ま す"),
        ("Élan VITAL", "élan vital"),
        ("a" * 3 * LONGEST_TEXT, "a" * LONGEST_TEXT),
    ],
)
def test_words_are_what_is_left(written: str, words: str) -> None:
    assert normalised(written) == words


@settings(deadline=None)
@given(st.text())
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert len(Copies().groups(posts([text], "p"))) == 1


def test_copies_are_in_the_group_of_the_first_post_and_others_in_their_own() -> None:
    texts = [
        SAID,
        "Something else that nobody has said so far",
        f"RT @x: {SAID} https://t.co/1",
        SAID.replace("grey", "blue"),
    ]

    first, other, repost, changed = Copies().groups(posts(texts, "p"))

    assert first == repost == changed == own_id("x", "p-0")
    assert other == own_id("x", "p-1")
    assert 0 <= first < 2**63


def test_the_first_is_who_published_first_however_they_come() -> None:
    """Networks hand out the newest first."""
    older, newer = posts([SAID, SAID], "p")

    assert Copies().groups([newer, older]) == [own_id("x", "p-0")] * 2


def test_later_pages_join_the_groups_of_earlier_ones() -> None:
    copies = Copies()
    copies.groups(posts([SAID], "first"))

    assert copies.groups(posts([SAID, SAID.upper()], "second")) == [own_id("x", "first-0")] * 2


def test_a_post_that_comes_again_keeps_its_group_even_edited() -> None:
    copies = Copies()
    [group] = copies.groups(posts(["What I said at first was nothing much"], "p"))
    copies.groups(posts([SAID], "other"))

    assert copies.groups(posts([SAID], "p")) == [group]
    assert copies.groups([replace(posts([SAID], "p")[0], network="bluesky")]) == [own_id("x", "other-0")]


def test_short_texts_are_copies_only_when_equal() -> None:
    texts = [
        "thank you so much",
        "Thank you so much!!",
        "thank you very much",
        "worst airline ever",
        "worst airline ever?",
    ]

    groups = Copies().groups(posts(texts, "p"))

    assert [groups.index(group) for group in groups] == [0, 0, 2, 3, 3]


def test_nothing_is_no_copy_of_nothing() -> None:
    texts = ["", "😀", "https://t.co/x", "@brand", ""]

    assert len(set(Copies().groups(posts(texts, "p")))) == len(texts)


def test_a_repost_that_the_network_knows_joins_its_original_whatever_it_says() -> None:
    copies = Copies()
    [group] = copies.groups(posts([SAID], "p"))
    [repost, stranger, elsewhere] = posts(["", "wow", ""], "r")

    assert copies.groups([replace(repost, repost_of="p-0")]) == [group]
    assert copies.groups([replace(stranger, repost_of="unknown")]) == [own_id("x", "r-1")]
    assert copies.groups([replace(elsewhere, network="bluesky", repost_of="p-0")]) == [own_id("bluesky", "r-2")]


def test_groups_do_not_drift() -> None:
    """Each text differs in two words from the one before: by the tenth nothing is left of the first."""
    words = SAID.split()
    texts = []
    for step in range(0, len(words), 2):
        words[step : step + 2] = [f"new{step}", f"word{step}"][: len(words) - step]
        texts.append(" ".join(words))

    groups = Copies().groups(posts([SAID, *texts], "p"))

    assert groups[1] == groups[0]
    assert groups[-1] != groups[0]


def test_what_was_last_said_long_ago_begins_anew() -> None:
    copies = Copies(age=timedelta(hours=72))
    hours = [0, 71, 142, 215]
    texts = [SAID, SAID, SAID.replace("grey", "blue"), SAID]

    groups = [
        copies.groups(posts([text], f"p{hour}", NOW + timedelta(hours=hour)))[0]
        for text, hour in zip(texts, hours, strict=True)
    ]

    assert groups == [own_id("x", "p0-0")] * 3 + [own_id("x", "p215-0")]


def test_an_import_of_old_posts_neither_joins_nor_disturbs_what_is_said_now() -> None:
    copies = Copies()
    [now] = copies.groups(posts([SAID], "now"))
    old = copies.groups(posts([SAID, SAID.replace("grey", "blue")], "old", NOW - timedelta(days=2_000)))

    assert now not in old
    assert copies.groups(posts([SAID], "then", NOW + timedelta(hours=1))) == [now]


def test_the_window_keeps_the_newest_and_its_size() -> None:
    """A text that is said again and again stays, one that nobody repeats makes room."""
    copies = Copies(size=100)
    [once] = copies.groups(posts(["A text that is said a single time and never repeated"], "once"))
    [often] = copies.groups(posts([SAID], "often"))
    dice = random.Random(3)
    for turn in range(30):
        noise = [" ".join(f"w{dice.getrandbits(40)}" for _ in range(8)) for _ in range(20)]
        assert copies.groups(posts([SAID.replace("grey", f"grey{turn}"), *noise], f"turn{turn}"))[0] == often

    assert len(copies) == 100
    assert len(copies._heads) <= len(copies._texts) <= 100
    assert copies.groups(posts(["A text that is said a single time and never repeated"], "again")) != [once]


def test_posts_of_other_workers_are_known_once_remembered() -> None:
    copies = Copies()
    copies.remember("x", "theirs", SAID, NOW, own_id("x", "their first"))

    assert copies.knows("x", "theirs")
    assert not copies.knows("bluesky", "theirs")
    assert (
        copies.groups(posts([f"RT @a: {SAID}", SAID.replace("grey", "blue")], "p")) == [own_id("x", "their first")] * 2
    )


def test_two_workers_that_began_a_group_at_once_settle_on_one() -> None:
    one, other = Copies(), Copies()
    [a] = one.groups(posts([SAID], "a"))
    [b] = other.groups(posts([SAID], "b"))
    assert a != b

    one.remember("x", "b-0", SAID, NOW, b)
    other.remember("x", "a-0", SAID, NOW, a)

    assert one.groups(posts([SAID], "c")) == other.groups(posts([SAID], "c")) == [min(a, b)]
    assert one.groups(posts([SAID.replace("grey", "blue")], "d")) == [min(a, b)]


def test_a_copy_knows_the_post_that_began_its_group_here_and_at_other_workers() -> None:
    copies, others = Copies(size=10), Copies()
    found = posts([SAID, SAID], "p")
    [group, _] = copies.groups(found)
    for post in found:
        others.remember("x", post.external_id, SAID, post.posted_at, group, author_key=post.author.key)

    for known in (copies, others):
        assert known.first(found[1], group) == First("x", "a0", NOW)
        assert known.first(found[0], group) is None
        assert known.first(found[1], group + 1) is None
    copies.groups(posts([f"noise {number}" for number in range(10)], "noise"))
    assert copies.first(found[1], group) is None


def test_what_is_remembered_twice_stays_as_it_was() -> None:
    copies = Copies()
    [group] = copies.groups(posts([SAID], "p"))

    copies.remember("x", "p-0", SAID, NOW, group + 1)

    assert copies.groups(posts([SAID], "q")) == [group]


def test_six_threads_share_a_window() -> None:
    """Each brings the same texts under other ids, in pages: in the end every text has one group."""
    copies = Copies()
    dice = random.Random(4)
    texts = [" ".join(f"w{dice.getrandbits(30)}" for _ in range(10)) for _ in range(300)]

    def work(thread: int) -> list[int]:
        found = posts(texts, f"t{thread}")
        return [group for start in range(0, 300, 10) for group in copies.groups(found[start : start + 10])]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(work, range(6)))

    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0])) == 300


@pytest.mark.prove
@pytest.mark.data
def test_made_copies_of_real_posts_are_found_and_others_are_not(data: Path) -> None:
    holds(quality(data, 1_500), 1_500)


@pytest.mark.data
@pytest.mark.prove
@pytest.mark.timeout(600)
def test_made_copies_of_all_real_posts_are_found_and_others_are_not(data: Path) -> None:
    holds(quality(data), 8_000)


def holds(found: Quality, least: int) -> None:
    """At least 95 % in the group of their original, at most 0.5 % in that of another."""
    print(f"{found}: {sum(found.right.values()) / found.made:.4f} of {found.made}")
    assert found.originals >= least
    assert sum(found.right.values()) >= 0.95 * found.made
    assert min(found.right.values()) >= 0.95 * found.originals
    assert sum(found.wrong.values()) <= 0.005 * found.made
    assert found.joined <= 0.01 * found.originals


@pytest.mark.data
def test_the_same_posts_make_the_same_groups(data: Path) -> None:
    found = posts(real_texts(data)[:3_000], "p")
    shuffled = random.Random(5).sample(found, len(found))

    whole = dict(zip([post.external_id for post in found], Copies().groups(found), strict=True))
    again = dict(zip([post.external_id for post in shuffled], Copies().groups(shuffled), strict=True))

    assert whole == again
    assert len(set(whole.values())) < 3_000
