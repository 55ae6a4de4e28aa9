"""Rules for the four companies of `sanders/corpus.csv`, and how well they find the posts that are about them.

`irrelevant` there is a post in another language, or one with the word and not the company. The rules are what a person
would write after a look at a week of posts: the company's names and products, its language, and the traders and
aggregators that tag everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingest.enrich.brands import Matcher
from ingest.enrich.language import detect
from models.rules import Subject, parse
from tests.data_folder import rows

COMPANIES = ("apple", "google", "microsoft", "twitter")
LANGUAGES = (
    "ar", "cs", "da", "de", "en", "es", "fi", "fr", "id", "it",
    "ja", "ko", "nl", "no", "pl", "pt", "ru", "sv", "tr", "zh",
)  # fmt: skip
RULES = {
    "apple": """
        apple OR @apple OR #apple OR iphone* OR ipad* OR ipod* OR macbook* OR itunes OR icloud OR "ios 5"
        lang:en
        -"free shipping" -"best price"
    """,
    "google": """
        google OR #google OR gmail OR android NEAR/5 google OR "galaxy nexus"
        lang:en
        -ebook* -"press release" -classified* -asiaclassified*
    """,
    "microsoft": """
        microsoft OR #microsoft OR windows NEAR/3 (phone OR 7 OR 8 OR server) OR wp7 OR xbox OR ballmer
        lang:en
    """,
    "twitter": """
        twitter OR #twitter OR @twitter
        lang:en
        -#followback -#teamfollowback
    """,
}


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a rule finds what people said is about the company."""

    company: str
    right: int
    wrong: int
    missed: int
    left_out: int

    @property
    def precision(self) -> float:
        """The share of the posts it found that are about the company."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of the posts about the company that it found."""
        return self.right / (self.right + self.missed)


@cache
def qualities(folder: Path) -> tuple[Quality, ...]:
    """One per company, over the posts that were collected for it, with the language as we detect it."""
    matcher = Matcher([(number, parse(RULES[company])) for number, company in enumerate(COMPANIES)])
    counts = {company: [0, 0, 0, 0] for company in COMPANIES}
    for row in rows(folder, "sanders/corpus.csv"):
        text, company = row["TweetText"], row["Topic"]
        subject = Subject(text, language=detect(text, None, LANGUAGES).language, network="x")
        is_found = any(COMPANIES[match.brand_id] == company for match in matcher.match(subject))
        is_about = row["Sentiment"] != "irrelevant"
        counts[company][(not is_about if is_found else 2 + (not is_about))] += 1
    return tuple(Quality(company, *counts[company]) for company in COMPANIES)
