"""How good and how fast the enrichment is: sentiment, language, and rules written for four companies."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from ingest.enrich.language import detect
from ingest.enrich.sentiment import VaderScorer
from tests.bench.figures import Figure, show
from tests.brand_rules import qualities
from tests.data_folder import data_folder, lines, rows
from tests.macro_recall import macro_recall

CONFIGURED = ("en", "fr", "it", "es", "ar")
FOLDERS = {"english": "en", "french": "fr", "italian": "it", "spanish": "es", "arabic": "ar"}
FEWEST_POSTS = 4_000


def run() -> list[Figure]:
    """Empty without the folder of real data."""
    folder = data_folder()
    return [] if folder is None else [*sentiment(folder), *language(folder), *brands(folder)]


def sentiment(folder: Path) -> list[Figure]:
    """Macro recall over three classes, on all rows and on those that had no say in the thresholds; speed."""
    texts = lines(folder, "tweeteval/val_text.txt")
    expected = [int(label) - 1 for label in lines(folder, "tweeteval/val_labels.txt")]
    scorer = VaderScorer()
    given = [score.label for score in scorer.score(texts) if score is not None]
    airline = [row["text"] for row in rows(folder, "airline/tweets.csv")]
    begun = time.process_time()
    scorer.score(airline)
    speed = len(airline) / (time.process_time() - begun)
    whole, held_out = macro_recall(expected, given), macro_recall(expected[1::2], given[1::2])
    return [
        Figure("sentiment: macro recall", 100 * whole, "%", 56, gate=True, detail=f"n = {len(given):,}"),
        Figure(
            "sentiment: on the half kept apart", 100 * held_out, "%", 56, gate=True, detail=f"n = {len(given[1::2]):,}"
        ),
        Figure("sentiment: texts per CPU-second", speed, "texts/s", 10_000, detail=f"{len(airline):,} airline texts"),
    ]


def language(folder: Path) -> list[Figure]:
    """Accuracy over five languages (None counts as wrong), each of them, romanised Hindi apart; speed."""
    right: Counter[str] = Counter()
    posts: Counter[str] = Counter()
    detect("Load the model before the clock runs.", None, CONFIGURED)
    for name, code in FOLDERS.items():
        for text in lines(folder, f"xlmt/{name}/test_text.txt"):
            posts[name] += 1
            right[name] += detect(text, None, CONFIGURED).language == code
    airline = [row["text"] for row in rows(folder, "airline/tweets.csv")]
    begun = time.process_time()
    for text in airline:
        detect(text, None, CONFIGURED)
    speed = len(airline) / (time.process_time() - begun)
    hindi = Counter(
        detect(text, None, (*CONFIGURED, "hi")).language for text in lines(folder, "xlmt/hindi/test_text.txt")
    )
    said = ", ".join(f"{code or 'unknown'} {count}" for code, count in hindi.most_common())
    accuracy = 100 * right.total() / posts.total()
    return [
        Figure("language: accuracy", accuracy, "%", 94, gate=True, detail=f"n = {posts.total():,}"),
        Figure("language: posts judged", posts.total(), "posts", FEWEST_POSTS, gate=True),
        *(
            Figure(f"language: {name}", 100 * right[name] / posts[name], "%", detail=f"n = {posts[name]:,}")
            for name in posts
        ),
        Figure(
            "language: romanised Hindi", 100 * hindi["hi"] / hindi.total(), "%", detail=f"n = {hindi.total():,}: {said}"
        ),
        Figure("language: texts per CPU-second", speed, "texts/s", 8_000, detail=f"{len(airline):,} airline texts"),
    ]


def brands(folder: Path) -> list[Figure]:
    """Precision and recall of one rule a company."""
    figures = []
    for quality in qualities(folder):
        found = quality.right + quality.wrong
        about = quality.right + quality.missed
        name = f"rules: {quality.company}"
        detail = f"{quality.right} of {{}}"
        figures += [
            Figure(
                f"{name}, precision", quality.precision, "", 0.90, gate=True, detail=detail.format(f"{found} found")
            ),
            Figure(f"{name}, recall", quality.recall, "", 0.80, gate=True, detail=detail.format(f"{about} about it")),
        ]
    return figures


if __name__ == "__main__":
    show("Enrichment", run())
