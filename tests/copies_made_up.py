"""Copies as people and programs make them, of real posts: how many are found, and how many that are none."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.enrich.copies import FEWEST_WORDS, Copies, normalised
from ingest.found import Author, Found
from tests.data_folder import lines, rows

NOW = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
EMOJI = ("😀", "🔥", "👍🏽", "🇳🇱", "❤️", "✈️", "👨‍👩‍👧")


def repost(text: str, dice: random.Random, _: Sequence[str]) -> str:
    """Reposted by hand."""
    return f"RT @someone{dice.randint(1, 99)}: {text}"


def link(text: str, dice: random.Random, _: Sequence[str]) -> str:
    """A link of one's own at the end."""
    return f"{text} https://t.co/{dice.getrandbits(50):x}"


def handle(text: str, dice: random.Random, _: Sequence[str]) -> str:
    """Said to somebody else."""
    words = [word for word in text.split() if not word.startswith("@")]
    return " ".join([f"@other_{dice.randint(1, 999)}", *words])


def emoji(text: str, dice: random.Random, _: Sequence[str]) -> str:
    """With a picture in the middle and one at the end."""
    words = text.split()
    words.insert(dice.randrange(len(words) + 1), dice.choice(EMOJI))
    return " ".join([*words, dice.choice(EMOJI)])


def one_word(text: str, dice: random.Random, vocabulary: Sequence[str]) -> str:
    """One word is another."""
    words = text.split()
    places = [at for at, word in enumerate(words) if word.isalpha()] or list(range(len(words)))
    at = dice.choice(places)
    words[at] = dice.choice([word for word in dice.sample(vocabulary, 5) if word.lower() != words[at].lower()])
    return " ".join(words)


CHANGES: tuple[Callable[[str, random.Random, Sequence[str]], str], ...] = (repost, link, handle, emoji, one_word)


@dataclass(frozen=True, slots=True)
class Quality:
    """`made` copies of `originals` texts that all differ, by how they were made: how many came `right` into the group
    of their original and how many `wrong` into that of another. `joined` originals were put together with another one;
    the real copies among them count too."""

    originals: int
    joined: int
    made: int
    right: dict[str, int]
    wrong: dict[str, int]


def real_texts(folder: Path) -> list[str]:
    """All texts of two sets of real posts."""
    airline = [row["text"] for row in rows(folder, "airline/tweets.csv")]
    return [*airline, *lines(folder, "tweeteval/val_text.txt")]


def quality(folder: Path, most: int | None = None) -> Quality:
    """Each kind of copy of every original; what only MinHash finds comes last, so that none helps another."""
    unique = {normalised(text): text for text in reversed(real_texts(folder))}
    originals = [text for words, text in unique.items() if len(words.split()) >= FEWEST_WORDS][:most]
    dice = random.Random(11)
    vocabulary = [word for text in originals for word in text.split() if word.isalpha()]
    copies = Copies(size=10 * len(originals))
    groups = copies.groups(posts(originals, "original"))
    own = set(groups)
    right: dict[str, int] = {}
    wrong: dict[str, int] = {}
    for change in CHANGES:
        changed = [change(text, dice, vocabulary) for text in originals]
        answers = copies.groups(posts(changed, change.__name__, NOW + timedelta(hours=1)))
        pairs = list(zip(answers, groups, strict=True))
        right[change.__name__] = sum(answer == group for answer, group in pairs)
        wrong[change.__name__] = sum(answer != group and answer in own for answer, group in pairs)
    return Quality(len(originals), len(groups) - len(own), len(originals) * len(CHANGES), right, wrong)


def posts(texts: Sequence[str], name: str, at: datetime = NOW) -> list[Found]:
    """One post a text, a millisecond apart."""
    return [
        Found("x", f"{name}-{number}", at + timedelta(milliseconds=number), text, Author(f"a{number}"))
        for number, text in enumerate(texts)
    ]
