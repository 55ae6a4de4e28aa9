"""How many of real homes are resolved to a place on earth, and how fast."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime

from ingest.enrich.place_names import resolve
from ingest.enrich.places import Places
from ingest.found import Author, Found
from models import geography
from models.organisation import Location, Organisation
from tests.bench.figures import Figure, show
from tests.data_folder import data_folder, rows

AT = datetime(2026, 11, 19, tzinfo=UTC)
POINTS = 2_000


def run() -> list[Figure]:
    """Empty without the folder of real data."""
    folder = data_folder()
    if folder is None:
        print("places: skipped, the folder of real data is absent (WATCHFLOOR_TEST_DATA)")
        return []
    begun = time.process_time()
    geography.place(0)
    loaded = time.process_time() - begun
    geography.nearest_city(0.0, 0.0)
    homes = [home for row in rows(folder, "airline/tweets.csv") if (home := row["tweet_location"]).strip()]
    posts = [Found("x", str(number), AT, "", Author("a"), home=home) for number, home in enumerate(homes)]

    site = Location(2, "new-york", "New York", "site", None, None, 40.71, -74.0, (), "NY")
    places = Places(Organisation("Airlines", "UTC", ("en",), False, (), (site,), (), ()))
    begun = time.process_time()
    found = [places.locate(post) for post in posts]
    speed = len(posts) / (time.process_time() - begun)
    begun = time.process_time()
    for post in posts:
        places.locate(post)
    again = len(posts) / (time.process_time() - begun)
    resolved = sum(each.home_geo is not None for each in found)
    missed = Counter(home for home, each in zip(homes, found, strict=True) if each.home_geo is None)

    different = sorted(set(homes))
    begun = time.process_time()
    for home in different:
        resolve(home)
    each = (time.process_time() - begun) / len(different)

    dice = random.Random(13)
    points = [(dice.uniform(25, 50), dice.uniform(-125, -70)) for _ in range(POINTS)]
    begun = time.process_time()
    for point in points:
        geography.nearest_city(*point)
    nearest = (time.process_time() - begun) / POINTS
    often = ", ".join(home.strip() for home, _ in missed.most_common(3))
    return [
        Figure(
            "places: homes resolved",
            100 * resolved / len(homes),
            "%",
            78,
            gate=True,
            detail=f"n = {len(homes):,}; not: {often}",
        ),
        Figure("places: posts", speed, "posts/CPU-s", 40_000, detail=f"{len(different):,} different homes, none known"),
        Figure("places: posts, homes known", again, "posts/CPU-s"),
        Figure("places: a new text", each * 1e6, "us"),
        Figure("places: nearest city", nearest * 1e6, "us", detail=f"n = {POINTS:,} points"),
        Figure("places: reading the file", loaded, "s", 1, "max"),
    ]


if __name__ == "__main__":
    show("Places", run())
