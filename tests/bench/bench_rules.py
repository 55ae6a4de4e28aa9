"""2,000 boolean rules over 6,000 terms on airline texts: texts per CPU-second, beside evaluating every rule."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence

from ingest.enrich.brands import Match, Matcher
from models.folding import fold
from models.rules import Rule, Subject, parse
from tests.bench.figures import Figure, show
from tests.data_folder import data_folder, rows

RULES = 2_000
TERMS = 6_000
NAIVE_TEXTS = 40


def run() -> list[Figure]:
    """Empty without the folder of real data."""
    folder = data_folder()
    if folder is None:
        return []
    texts = [row["text"] for row in rows(folder, "airline/tweets.csv")]
    subjects = [Subject(text, language="en", network="x") for text in texts]
    words = words_used(texts)
    ordinary = numbered_rules(words[: TERMS // 3] + invented_names(TERMS - TERMS // 3))
    fast, built, matches = measured(ordinary, subjects)
    crowded, _, crowded_matches = measured(numbered_rules(words[:TERMS]), subjects)

    begun = time.process_time()
    naive = [naive_match(ordinary, subject) for subject in subjects[:NAIVE_TEXTS]]
    slow = NAIVE_TEXTS / (time.process_time() - begun)
    agreeing = sum(
        expected == [(match.brand_id, match.words) for match in found]
        for expected, found in zip(naive, matches, strict=False)
    )

    size = f"{len(texts):,} texts, {RULES:,} rules, {TERMS:,} terms, {{:.2f}} matches a text"
    return [
        Figure("rules: a third of the terms is in use", fast, "texts/s", 20_000, detail=size.format(a_text(matches))),
        Figure("rules: every term is in use", crowded, "texts/s", detail=size.format(a_text(crowded_matches))),
        Figure("rules: every rule evaluated", slow, "texts/s", detail=f"{NAIVE_TEXTS} texts"),
        Figure("rules: times faster than evaluating every rule", fast / slow, "x", 100, gate=True),
        Figure("rules: texts on which both agree", agreeing, "texts", NAIVE_TEXTS, gate=True),
        Figure("rules: compiling them", built, "s"),
    ]


def measured(
    rules: Sequence[tuple[int, Rule]], subjects: Sequence[Subject]
) -> tuple[float, float, list[tuple[Match, ...]]]:
    """Texts per CPU-second, CPU-seconds to compile, and what matched."""
    begun = time.process_time()
    matcher = Matcher(rules)
    built = time.process_time() - begun
    begun = time.process_time()
    matches = [matcher.match(subject) for subject in subjects]
    return len(subjects) / (time.process_time() - begun), built, matches


def a_text(matches: Sequence[tuple[Match, ...]]) -> float:
    """Brands a text, on average."""
    return sum(map(len, matches)) / len(matches)


def words_used(texts: Sequence[str]) -> list[str]:
    """Every word of the texts with more than three letters, in an order that the seed fixes."""
    words = {word for text in texts for word in re.findall(r"\w+", fold(text)) if len(word) > 3}
    return random.Random(17).sample(sorted(words), len(words))


def invented_names(count: int) -> list[str]:
    """Names of two to four syllables, each different: what most rules of a large organisation look for in vain."""
    chance = random.Random(19)
    syllables = [
        first + second for first in "bcdfghklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er", "ix")
    ]
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(chance.choices(syllables, k=chance.randint(2, 4)))] = None
    return list(names)


def numbered_rules(terms: Sequence[str]) -> list[tuple[int, Rule]]:
    """RULES rules over the terms, one a brand."""
    mixed = random.Random(20).sample(list(terms), len(terms))
    return list(enumerate(written_rules(mixed, RULES), start=2))


def written_rules(terms: Sequence[str], count: int) -> list[Rule]:
    """Rules of the shapes people write: alternatives, a context, exclusions, limits, a NEAR, a phrase, a star."""
    chance = random.Random(18)
    each = len(terms) // count
    rules = []
    for place in range(count):
        first, second, third = terms[place * each : place * each + 3]
        context = " OR ".join(chance.sample(list(terms), 4))
        shape = (
            f"({first} OR @{second} OR {third}) -{chance.choice(terms)}",
            f"({first} OR {second} OR #{third}) AND ({context}) lang:en",
            f"{first} OR {second} NEAR/4 {third}",
            f'("{first} {second}" OR {third}*) NOT ({context}) network:x,reddit',
        )[place % 4]
        rules.append(parse(shape))
    return rules


def naive_match(rules: Sequence[tuple[int, Rule]], subject: Subject) -> list[tuple[int, tuple[str, ...]]]:
    """Every rule asked in turn."""
    answers = ((brand_id, rule.matches(subject)) for brand_id, rule in rules)
    return [(brand_id, words) for brand_id, words in answers if words is not None]


if __name__ == "__main__":
    show("Brand rules", run())
