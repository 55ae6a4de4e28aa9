"""From a row of cells to a post.

A row that lacks its id, its text or its instant is refused; a wrong optional value costs the value, not the
row, and is said.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from ingest.door import LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, safe_count, safe_text
from ingest.found import Author, Counts, Found
from ingest.html_text import html_text
from ingest.instants import NoZone, read_instant
from ingest.mapping import FIELDS, Columns
from models.database import EARLIEST, latest
from models.networks import BY_KEY

UNKNOWN_AUTHOR = "unknown"
# Handles of these are the same in capitals; elsewhere an id may differ by case alone.
_HANDLES_FOLD = frozenset({"x", "bluesky", "mastodon", "reddit", "instagram", "facebook"})
_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
_LONGEST_LANGUAGE = 16
_LONGEST_KEY = 64
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}\x00-\x20]+", re.IGNORECASE)
_LONGEST_URL = 2_000
_SILENT = Counts()
_BRACKETS = str.maketrans("", "", "[]()")


class RowError(Exception):
    """The row cannot become a post; the message says which value and why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are read: `zone` for instants without one, `instant_form` (None = any clear one), the order of a
    coordinates column, `brands` from cell to key, `hash_ids` for rows without an id, `html` for marked-up texts."""

    zone: ZoneInfo | None = None
    instant_form: str | None = None
    longitude_first: bool = False
    brands: Mapping[str, str] | None = None
    hash_ids: bool = False
    html: bool = False


class RowReader:
    """Reads the rows of one file; made once a page, since the plan it makes of the columns is what makes it fast."""

    def __init__(self, columns: Columns, reading: Reading, now: datetime) -> None:
        self._reading = reading
        self._now = now
        self._latest = latest(now).astimezone(UTC)
        self._defaults = [columns.constants.get(field, "") for field in FIELDS]
        self._pick = itemgetter(*(columns.at.get(field, len(columns.header) + n) for n, field in enumerate(FIELDS)))
        self._is_counted = any(field in columns.at for field in ("likes", "replies", "reposts", "impressions"))
        self._networks = {key: key for key in BY_KEY}
        self._brands: dict[str, str | None] = {"": None}

    def post(self, cells: list[str]) -> tuple[Found, list[str]]:
        """The post of a row of as many cells as the header, and what had to be left out of it.

        Raises RowError for a row that cannot be stored, NoZone for an instant whose zone nobody named.
        """
        cells += self._defaults
        (
            network, external_id, author, author_name, followers, text, posted_at, place, coordinates,
            latitude, longitude, likes, replies, reposts, impressions, language, reply_to, url, brand,
            home, conversation,
        ) = self._pick(cells)  # fmt: skip
        notes: list[str] = []
        network = self._networks.get(network) or _network(network)
        text = html_text(safe_text(text)) if self._reading.html else safe_text(text)
        if not text or text.isspace():
            raise RowError("the text is empty")
        at, given = self._instant(posted_at.strip())
        who = _author(author.strip(), author_name.strip(), network, followers, notes)
        external_id = self._id(external_id.strip(), (network, who.key, posted_at, text))
        if len(text) > LONGEST_TEXT:
            notes.append(f"the text after its first {LONGEST_TEXT} characters (it has {len(text)})")
            text = text[:LONGEST_TEXT]
        north = east = None
        if coordinates or latitude or longitude:
            north, east = self._coordinates(coordinates, latitude, longitude, notes)
        answered = _identity(reply_to.strip(), "reply_to", notes) if reply_to else None
        root = _identity(conversation.strip(), "conversation", notes) if conversation else None
        # Positional, in the order of the record: by name it takes half as long again.
        return Found(
            network,
            external_id,
            at,
            text,
            who,
            "reply" if answered else "post",
            _web_address(url.strip(), notes) if url else None,
            answered,
            _language(language, notes) if language else None,
            _counts(likes, replies, reposts, impressions, notes) if self._is_counted else _SILENT,
            _short(place.strip(), "place", notes) or None if place else None,
            north,
            east,
            (),
            self._brand(brand.strip()) if brand else None,
            given,
            _short(home.strip(), "home", notes) or None if home else None,
            root,
        ), notes

    def _instant(self, given: str) -> tuple[datetime, str | None]:
        if not given:
            raise RowError("posted_at is empty")
        zone, form = self._reading.zone, self._reading.instant_form
        if form is None:
            # Most files write ISO: the short way for it, the long one for all else.
            try:
                at = datetime.fromisoformat(given)
                if at.tzinfo is None and zone is not None:
                    at = at.replace(tzinfo=zone)
                if at.tzinfo is not None and EARLIEST <= (at := at.astimezone(UTC)) <= self._latest:
                    return at, None
            except (ValueError, OverflowError):
                pass
        try:
            instant = read_instant(given, zone=zone, form=form, now=self._now)
        except NoZone:
            raise
        except ValueError as error:
            raise RowError(f"posted_at {safe_text(str(error))}") from None
        return instant.at, None if instant.given is None else safe_text(given[:LONGEST_NAME])

    def _id(self, given: str, content: tuple[str, ...]) -> str:
        if given.isdecimal() and len(given) <= LONGEST_ID:
            return given
        if not given and self._reading.hash_ids:
            whole = "\x00".join(content).encode("utf-8", "backslashreplace")
            return "sha256:" + hashlib.sha256(whole).hexdigest()
        if not given:
            raise RowError('external_id is empty (id_from = "hash" makes one of the content)')
        if _SHORTENED.fullmatch(given):
            raise RowError(
                f'external_id "{given[:40]}" lost its last digits on the way (a spreadsheet does that to long numbers)'
            )
        notes: list[str] = []
        identity = _identity(given, "external_id", notes)
        if identity is None:
            raise RowError(notes[0])
        return identity

    def _coordinates(
        self, pair: str, latitude: str, longitude: str, notes: list[str]
    ) -> tuple[float | None, float | None]:
        if pair and not pair.isspace():
            given = pair
            parts = pair.translate(_BRACKETS).replace(";", ",").split(",")
            if len(parts) == 2 and self._reading.longitude_first:
                parts.reverse()
        else:
            given = f"{latitude}, {longitude}"
            parts = [latitude, longitude]
        try:
            north, east = map(float, parts)
        except ValueError:
            notes.append(f'coordinates: "{given[:60]}" is no pair of latitude and longitude')
            return None, None
        if not (math.isfinite(north) and math.isfinite(east) and abs(north) <= 90 and abs(east) <= 180):
            notes.append(f'coordinates: "{given[:60]}" is outside latitude -90..90, longitude -180..180')
            return None, None
        return north, east

    def _brand(self, given: str) -> str | None:
        if given not in self._brands:
            table = self._reading.brands or {}
            self._brands[given] = table.get(given) or brand_key(given)
        return self._brands[given]


def _network(given: str) -> str:
    key = given.strip().lower()
    if key not in BY_KEY:
        raise RowError(f'network "{safe_text(given[:40])}" is not known; known: {", ".join(sorted(BY_KEY))}')
    return key


def brand_key(name: str) -> str | None:
    """The key of a brand called `name`: "US Airways" -> "us-airways"; None where no letter or digit is in it."""
    plain = unicodedata.normalize("NFKD", safe_text(name)).casefold()
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", "-", bare).strip("-")[:_LONGEST_KEY].strip("-") or None


def _author(given: str, name: str, network: str, followers: str, notes: list[str]) -> Author:
    shown = _short(name, "author_name", notes) or None if name else None
    count = _count(followers, "followers", notes) if followers else None
    handle = _identity(given.removeprefix("@"), "author", notes) if given else None
    if handle is None:
        return Author(UNKNOWN_AUTHOR, None, shown, count)
    key = handle.lower() if network in _HANDLES_FOLD else handle
    # A number is the network's id of the account, not what people call it.
    return Author(key, None if handle.isdigit() else handle, shown, count)


def _identity(given: str, field: str, notes: list[str]) -> str | None:
    # "3.0": a column of ids with gaps that went through a table of floats.
    if given.endswith(".0") and given[:-2].isdigit():
        given = given[:-2]
    identity = safe_text(given)
    if len(identity) <= LONGEST_ID:
        return identity or None
    notes.append(f'{field}: "{identity[:40]}..." has {len(identity)} characters, at most {LONGEST_ID} are kept')
    return None


def _short(given: str, field: str, notes: list[str]) -> str:
    value = safe_text(given)
    if len(value) > LONGEST_NAME:
        notes.append(f"{field} after its first {LONGEST_NAME} characters (it has {len(value)})")
        return value[:LONGEST_NAME]
    return value


def _counts(likes: str, replies: str, reposts: str, impressions: str, notes: list[str]) -> Counts:
    return Counts(
        _count(likes, "likes", notes) if likes else None,
        _count(replies, "replies", notes) if replies else None,
        _count(reposts, "reposts", notes) if reposts else None,
        _count(impressions, "impressions", notes) if impressions else None,
    )


def _count(given: str, field: str, notes: list[str]) -> int | None:
    # Below 2^40 for sure, which is the limit.
    if len(given) < 13 and given.isdecimal():
        return int(given)
    plain = given.strip()
    if not plain:
        return None
    plain = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
    try:
        count = safe_count(int(plain) if len(plain) < 20 and plain.isdecimal() else float(plain))
    except ValueError:
        count = None
    if count is None:
        notes.append(f'{field}: "{safe_text(given[:40])}" is no count of 0 to 2^40')
    return count


def _language(given: str, notes: list[str]) -> str | None:
    language = given.strip().lower().replace("_", "-")
    if not language or language == "und":
        return None
    if not _LANGUAGE.fullmatch(language) or len(language) > _LONGEST_LANGUAGE:
        notes.append(f'language: "{given[:40]}" is no language code (en, pt-br)')
        return None
    return language


def _web_address(given: str, notes: list[str]) -> str | None:
    if not given:
        return None
    if not _URL.fullmatch(given) or len(given) > _LONGEST_URL:
        notes.append(f'url: "{given[:80]}" is no address of the web (http or https)')
        return None
    return safe_text(given)
