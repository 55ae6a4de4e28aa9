"""Posts of the simulated network, minute by minute.

Every post is drawn from its own seed (network, minute, place in the minute), so any minute can be made alone, in
any order and in any process, and a copy or an answer can look up what it refers to. What a post is like depends on
when one looks: its engagement grows, its text may be edited, and it may be gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.found import Counts, Found, Gone
from ingest.simulation import desk
from ingest.simulation.dice import UNIT, endless
from ingest.simulation.drafts import Draft, drafted, lines
from ingest.simulation.fate import FATE, FATEFUL, deleted_at, edited_at, grown
from ingest.simulation.identities import external_id
from ingest.simulation.people import Person
from ingest.simulation.speech import Given, speech
from ingest.simulation.world import NETWORKS, NOISE, SITES, TALKS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000

# Accounts that go private do so between these days before and after the first start.
HIDING_DAYS = (35, 60)
# Share of posts that say where they were made, by name and by coordinates.
_PLACED = {
    "x": (0.52, 0.05),
    "bluesky": (0.54, 0.0),
    "mastodon": (0.5, 0.05),
    "reddit": (0.52, 0.0),
    "youtube": (0.54, 0.0),
    "rss": (0.8, 0.0),
}
# Networks that say which language a post is in; on the others it has to be detected.
SAY_LANGUAGE = {"x", "bluesky", "mastodon", "youtube"}
WITH_HANDLES = {"x", "mastodon", "bluesky"}
_COMMUNITIES = {"bank": "personal_finance", "cars": "electric_cars", "retail": "shopping", "mobility": "transit"}
_PICTURE_SHARE = {"x": 0.12, "bluesky": 0.15, "mastodon": 0.20, "reddit": 0.08, "youtube": 0.0, "rss": 0.5}
_PICTURES = {
    "bank": (
        "A card terminal with an error message",
        "Screenshot of a banking app",
        "Queue in front of a cash machine",
    ),
    "cars": ("A white car at a charger", "Dashboard with the range in kilometres", "Charging curve as a line chart"),
    "retail": (
        "A bowl of soup on a wooden table",
        "Shop window with winter decoration",
        "A broken parcel on a doormat",
    ),
    "mobility": ("Departure board with delays", "A van at a bus stop in the rain", "Screenshot of a ticket app"),
    NOISE: ("A bird over a motorway", "View over roofs", "A cup of coffee"),
}
# How far back an answer or a copy looks for what it refers to, in minutes.
_SEARCH = 25
_FARTHEST = 700


@dataclass(frozen=True, slots=True)
class Simulation:
    """All posts that `seed` means: `per_day` on an average day, events placed from `start` (seconds since 1970)."""

    seed: int
    start: int
    per_day: float

    def drafts(self, networks: Sequence[int], minute: int) -> list[Draft]:
        """What is posted on some of world.NETWORKS in a minute since 1970, in no order."""
        written = lines(self.seed, self.start, self.per_day, minute)
        return [
            drafted(self.seed, network, minute, place, event)
            for network in networks
            for place, event in enumerate(written[network])
        ]

    def state(self, draft: Draft, as_of: int) -> Found | Gone:
        """What the network shows of a post at an instant (microseconds since 1970)."""
        network, _minute, posted, number, site, talk, kind, _mood, language, _event, who, drawn, _subject = draft
        key = NETWORKS[network]
        fateful = drawn[FATE] & 0xFFFF < FATEFUL
        if fateful or who.hides is not None:
            reason = self.gone(draft, as_of)
            if reason is not None:
                return Gone(key, external_id(key, number), reason)
        reply_to = conversation = quote_of = repost_of = None
        related = self._related(draft) if kind != "post" else None
        if related is None:
            kind = "article" if key == "rss" else "post"
            text = _words(draft)
        elif kind == "repost":
            reason = self.gone(related, as_of)
            if reason is not None:
                return Gone(key, external_id(key, number), reason)
            language = related.language
            text = self._text(related)
            repost_of = external_id(key, related.number)
            if key == "x":
                text = f"RT @{related.who.author.handle}: {text}"
        else:
            text = _addressed(_words(draft), draft, related)
            if kind == "reply":
                reply_to = external_id(key, related.number)
                conversation = external_id(key, self._root(related).number)
            else:
                quote_of = external_id(key, related.number)
        edited = edited_at(drawn, posted) if fateful and kind != "repost" else None
        if edited is not None and edited <= as_of:
            gap = "" if language == "ja" else " "
            text = f"{text}{gap}{desk.said(language, desk.EDIT, drawn[14] & 0xFFFF)}"
        else:
            edited = None
        pictures: tuple[tuple[str, str], ...] = ()
        if drawn[10] * UNIT < _PICTURE_SHARE[key] and kind != "repost":
            alts = _PICTURES[TALKS[talk].sector]
            pictures = (("image", alts[drawn[11] % len(alts)] if drawn[12] & 1 else ""),)
        place, latitude, longitude = _made_at(network, site, drawn)
        return Found(
            key,
            external_id(key, number),
            EPOCH + timedelta(0, 0, posted),
            text,
            who.author,
            kind,
            _link(key, draft),
            reply_to,
            language if key in SAY_LANGUAGE else None,
            counts(key, who, drawn, as_of - posted),
            place,
            latitude,
            longitude,
            pictures,
            None,
            None,
            who.home,
            conversation,
            quote_of,
            repost_of,
            None if edited is None else EPOCH + timedelta(0, 0, edited),
        )

    def gone(self, draft: Draft, as_of: int) -> str | None:
        """Why the network does not show a post at an instant: deleted, protected; None where it does."""
        if draft.drawn[FATE] & 0xFFFF < FATEFUL:
            deleted = deleted_at(draft.drawn, draft.posted)
            if deleted is not None and deleted <= as_of:
                return "deleted"
        return "protected" if draft.who.hides is not None and self.is_private(draft.who, as_of) else None

    def is_private(self, who: Person, as_of: int) -> bool:
        """Whether somebody has made their account private by that instant."""
        if who.hides is None:
            return False
        before, after = HIDING_DAYS
        return as_of >= self.start * 1_000_000 + int((who.hides * (before + after) - before) * DAY)

    def _text(self, original: Draft) -> str:
        """What an original says, the same as in its own delivery."""
        related = self._related(original) if original.kind != "post" else None
        text = _words(original)
        return text if related is None else _addressed(text, original, related)

    def _root(self, answered: Draft) -> Draft:
        """Where the conversation of an answered post begins."""
        while answered.kind == "reply":
            above = self._related(answered)
            if above is None:
                break
            answered = above
        return answered

    def _related(self, answer: Draft) -> Draft | None:
        """An earlier original of the same network, often one that others answer and copy too; None if there is none,
        or if it was deleted by then."""
        back = answer.drawn[8] * UNIT
        if answer.drawn[7] * UNIT < 0.4:
            hour = answer.minute // 60 - int(back * 4)
            target = hour * 60 + (hour * 2_654_435_761 + answer.network * 97) % 60
        else:
            target = answer.minute - 1 - int(_FARTHEST * back**3)
        target = min(target, answer.minute - 1)
        for minute in range(target, target - _SEARCH, -1):
            line = lines(self.seed, self.start, self.per_day, minute)[answer.network]
            if line:
                place = answer.drawn[15] % min(len(line), 3)
                original = drafted(self.seed, answer.network, minute, place, line[place])
                if original.kind != "repost":
                    return None if self.gone(original, answer.posted) else original
        return None


def _made_at(network: int, site: int, drawn: tuple[int, ...]) -> tuple[str | None, float | None, float | None]:
    """Where a post was made: the name of a place, or latitude and longitude, or nothing of it."""
    by_name, by_device = _PLACED_BELOW[network]
    says = drawn[1] & 0xFFFF
    if says < by_name:
        places = SITES[site].places
        return places[(drawn[2] & 0xFFFF) * len(places) >> 16], None, None
    if says >= by_device:
        return None, None, None
    east, north = (drawn[2] & 0xFFFF) / 65536 - 0.5, (drawn[3] & 0xFFFF) / 65536 - 0.5
    return None, round(SITES[site].latitude + north * 0.2, 5), round(SITES[site].longitude + east * 0.3, 5)


def _addressed(text: str, draft: Draft, related: Draft) -> str:
    """An answer names whom it answers, a quote links to what it quotes."""
    key = NETWORKS[draft.network]
    if draft.kind == "quote":
        return f"{text} {_link(key, related)}"
    return f"@{related.who.author.handle} {text}" if key in WITH_HANDLES else text


def _words(draft: Draft) -> str:
    network, talk, cities = NETWORKS[draft.network], TALKS[draft.talk], SITES[draft.site].cities
    words = speech(draft.language)
    draw = endless(draft.subject)
    if network == "rss" and talk.sector != NOISE:
        # Where a language has no newspapers, the English one is read.
        words = words if words.articles else speech("en")
        return words.article(draw, (talk.names[:1], talk.products, cities), sector=talk.sector, mood=draft.mood)
    given: Given = (talk.called if network in WITH_HANDLES else talk.names, talk.products, cities)
    text = words.post(
        draw,
        given,
        sector=talk.sector,
        mood=draft.mood,
        event=draft.event.key if draft.event else None,
        is_long=network == "reddit",
    )
    if network in WITH_HANDLES:
        style = draw()
        if style < _LOWER_CASE:
            return text.lower()
        if style < _TAGGED and talk.tag:
            return f"{text} #{talk.tag}"
    return text


def counts(network: str, who: Person, drawn: tuple[int, ...], age: int) -> Counts:
    """The engagement of a post of somebody at an age in microseconds: what it comes to in the end, as far as it has
    grown; never less than before."""
    if network == "rss":
        return _SILENT
    # Few posts are seen by many: a Pareto tail, carried by the author's following.
    likes = int(who.carried * min(1.0 / (drawn[13] * UNIT + 0.0008) - 1.0, 400.0))
    answered = drawn[14] * UNIT
    share = grown(drawn, age)
    now, replies = int(likes * share), int((likes * 0.18 + 1.3) * answered * share)
    if network in ("reddit", "youtube"):
        return Counts(now, replies)
    copied = drawn[12] * UNIT
    reposts = int(likes * 0.3 * copied * share)
    if network != "x":
        return Counts(now, replies, reposts)
    followers = who.author.followers or 0
    seen = followers * (0.05 + 0.5 * copied) + likes * 22 + 8 * answered
    return Counts(now, replies, reposts, int(seen * share))


def link(network: str, where: str, number: int) -> str:
    """The address of a post; `where` is its author or its community."""
    # .example is reserved: no such address can ever lead anywhere.
    return f"https://social.example/{network}/{where}/{number:x}"


def _link(network: str, draft: Draft) -> str:
    where = draft.who.author.handle or ""
    if network == "reddit":
        where = _COMMUNITIES.get(TALKS[draft.talk].sector, "everyday")
    return link(network, where, draft.number)


_SILENT = Counts()
_LOWER_CASE, _TAGGED = int(0.09 * 65536), int(0.18 * 65536)
_PLACED_BELOW = tuple(
    (int(by_name * 65536), int((by_name + by_device) * 65536)) for by_name, by_device in _PLACED.values()
)
