"""How fast copies are found, how many of those that were made, and how many that are none."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from ingest.enrich.copies import Copies
from tests.bench.figures import Figure, show
from tests.copies_made_up import posts, quality, real_texts
from tests.data_folder import data_folder

TEXTS = 100_000
PAGE = 1_000


def run() -> list[Figure]:
    """Empty without the folder of real data."""
    folder = data_folder()
    if folder is None:
        print("copies: skipped, the folder of real data is absent (WATCHFLOOR_TEST_DATA)")
        return []
    found = quality(folder)
    right, wrong = sum(found.right.values()), sum(found.wrong.values())
    joined = 100 * found.joined / found.originals
    differ = f"n = {found.originals:,} texts that differ; real copies among them count too"
    texts = real_texts(folder)
    return [
        Figure("copies: found", 100 * right / found.made, "%", 95, gate=True, detail=f"n = {found.made:,} made"),
        *(
            Figure(f"  {name}", 100 * count / found.originals, "%", detail=f"n = {found.originals:,}")
            for name, count in found.right.items()
        ),
        Figure(
            "copies: in a wrong group",
            100 * wrong / found.made,
            "%",
            0.5,
            "max",
            gate=True,
            detail=f"n = {found.made:,}",
        ),
        Figure("copies: originals put together", joined, "%", 1, "max", gate=True, detail=differ),
        Figure("copies: real posts", speed(texts), "texts/CPU-s", 15_000, detail=f"n = {len(texts):,}"),
        Figure(
            "copies: full window", speed(shuffled(texts, TEXTS)), "texts/CPU-s", 15_000, detail=f"n = {TEXTS:,} made up"
        ),
    ]


def speed(texts: Sequence[str]) -> float:
    """Texts per CPU-second in pages, the window as a worker has it."""
    found = posts(texts, "speed")
    copies = Copies()
    begun = time.process_time()
    for start in range(0, len(found), PAGE):
        copies.groups(found[start : start + PAGE])
    return len(found) / (time.process_time() - begun)


def shuffled(texts: Sequence[str], number: int) -> list[str]:
    """Texts of the words of real ones that are no copies: more than the window holds."""
    dice = random.Random(12)
    words = [word for text in texts for word in text.split()]
    return [" ".join(dice.choices(words, k=len(texts[i % len(texts)].split()))) for i in range(number)]


if __name__ == "__main__":
    show("Copies", run())
