"""From posts as found to mentions ready to store: brands, language, sentiment, place, team, all before BEGIN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from ingest.enrich.brands import Matcher
from ingest.enrich.copies import Copies, First
from ingest.enrich.language import detect
from ingest.enrich.places import Places
from ingest.enrich.sentiment import Scorer, VaderScorer, score_known
from ingest.found import Found
from models.networks import network_by_key
from models.organisation import UNKNOWN, Account, Organisation
from models.rules import Subject, parse_all

Step = TypeVar("Step")


@dataclass(frozen=True, slots=True)
class Enriched:
    """One post as seen by one brand, with everything a row of `mention` needs but its id."""

    post: Found
    brand_id: int
    network_id: int
    language: str | None
    language_by: str | None
    sentiment: int | None
    sentiment_score: float | None
    sentiment_by: str | None
    location_id: int
    team_id: int
    matched: tuple[str, ...]
    home_geo: int | None = None
    home_confidence: int | None = None
    place_geo: int | None = None
    place_by: str | None = None
    place_confidence: int | None = None
    location_by: str | None = None
    # The group of copies it belongs to, and the first post of that group where this one copies it.
    copy_id: int | None = None
    copy_of: First | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """A post that an account of ours published."""

    post: Found
    account: Account
    network_id: int
    language: str | None


class Pipeline:
    """The steps for one state of the organisation. Pure: the same posts give the same mentions.

    `seconds` holds the time spent per step since it was made, for the benchmark and the log.
    """

    def __init__(
        self, organisation: Organisation, scorer: Scorer | None = None, *, copies: Copies | None = None
    ) -> None:
        self.organisation = organisation
        self._copies = copies or Copies()
        self._matcher = Matcher([(brand.id, parse_all(brand.rules)) for brand in organisation.brands if brand.rules])
        self._places = Places(organisation)
        self._scorer = scorer or VaderScorer()
        self._languages = organisation.languages
        self.seconds = {"language": 0.0, "brands": 0.0, "places": 0.0, "sentiment": 0.0, "copies": 0.0}

    def enrich(self, posts: Sequence[Found]) -> list[Enriched]:
        """One `Enriched` per post and brand it matched, in the order of the posts; brand 1 where none matched."""
        languages = self._timed("language", lambda: [detect(p.text, p.language, self._languages) for p in posts])
        brands = self._timed(
            "brands",
            lambda: [self._brands(post, language) for post, (language, _) in zip(posts, languages, strict=True)],
        )
        places = self._timed("places", lambda: [self._places.locate(post) for post in posts])
        scores = self._timed(
            "sentiment",
            lambda: score_known(
                self._scorer, [(post.text, found[0]) for post, found in zip(posts, languages, strict=True)]
            ),
        )
        groups = self._timed("copies", lambda: self._copies.groups(posts))
        enriched = []
        for post, (language, by), matches, located, score, group in zip(
            posts, languages, brands, places, scores, groups, strict=True
        ):
            network_id = network_by_key(post.network).id
            for brand_id, words in matches:
                enriched.append(
                    Enriched(
                        post=post,
                        brand_id=brand_id,
                        network_id=network_id,
                        language=language,
                        language_by=by,
                        sentiment=None if score is None else score.label,
                        sentiment_score=None if score is None else score.value,
                        sentiment_by=None if score is None else self._scorer.name,
                        location_id=located.location_id,
                        team_id=self.organisation.team_for(brand_id, located.location_id),
                        matched=words,
                        home_geo=located.home_geo,
                        home_confidence=located.home_confidence,
                        place_geo=located.place_geo,
                        place_by=located.place_by,
                        place_confidence=located.place_confidence,
                        location_by=located.location_by,
                        copy_id=group,
                        copy_of=self._copies.first(post, group),
                    )
                )
        return enriched

    def ours(self, posts: Sequence[Found]) -> tuple[list[Ours], list[Found]]:
        """What accounts of ours published, and the rest: who talks about itself is not talked about."""
        ours: list[Ours] = []
        others: list[Found] = []
        for post in posts:
            network_id = network_by_key(post.network).id
            account = self.organisation.account_of(network_id, post.author.key, post.author.handle)
            if account is None:
                others.append(post)
            else:
                language, _ = detect(post.text, post.language, self._languages)
                ours.append(Ours(post, account, network_id, language))
        return ours, others

    def _brands(self, post: Found, language: str | None) -> list[tuple[int, tuple[str, ...]]]:
        if post.brand is not None:
            return [(self.organisation.brand_by_key(post.brand).id, ())]
        subject = Subject(text=post.text, author=post.author.handle, language=language, network=post.network)
        return [(match.brand_id, match.words) for match in self._matcher.match(subject)] or [(UNKNOWN, ())]

    def _timed(self, step: str, work: Callable[[], list[Step]]) -> list[Step]:
        start = perf_counter()
        result = work()
        self.seconds[step] += perf_counter() - start
        return result


def chunks(enriched: Sequence[Enriched], size: int) -> Iterator[Sequence[Enriched]]:
    """Cut for the store: on SQLite a transaction of 200 rows holds the write lock under 50 ms."""
    for start in range(0, len(enriched), size):
        yield enriched[start : start + size]
