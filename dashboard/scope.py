"""The URL is the scope: what a link asks for, read and written back, and the question that panels get for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo

from dashboard import filters
from dashboard.filters import quoted
from dashboard.panel import INCIDENT, Question, Subject, incident_subject
from models import search as text_search
from models.access import Access, Request, Scope, Window, allowed_locations, narrow, tracked_with
from models.errors import InputError, NotFound, ScopeError
from models.networks import BY_ID, NETWORKS, network_by_key
from models.organisation import UNKNOWN, Organisation

# name -> (span, step), both in seconds.
WINDOWS: dict[str, tuple[int, int]] = {
    "15m": (900, 60),
    "1h": (3_600, 300),
    "24h": (86_400, 900),
    "7d": (604_800, 3_600),
    "30d": (2_592_000, 21_600),
}
DEFAULT_WINDOW = "24h"
WORDS = {
    "15m": "last 15 min",
    "1h": "last hour",
    "24h": "last 24 h",
    "7d": "last 7 days",
    "30d": "last 30 days",
}
STEPS = (60, 300, 900, 3_600, 21_600, 86_400)
MOST_POINTS = 400
LONGEST = timedelta(days=731)
OLDEST_YEAR = 2000
LISTS = ("brand", "location", "team", "network", "show", "lang")
SINGLES = ("window", "q", "sort", "at")
LONGEST_SEARCH = 200
LONGEST_URL = 4_000
MOST_VALUES = 100

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")
# A "+" that a link carries unescaped arrives as a blank: 2015-02-20T12:00 01:00.
_LOST_PLUS = re.compile(r"(T\d{2}:\d{2}(?::\d{2})?) (\d{2}:?\d{2})$")

Instant = date | datetime
"""As the URL says it: a day, or an instant with or without a zone (without: the organisation's)."""


@dataclass(frozen=True, slots=True)
class UrlScope:
    """What a URL asks for, normalised. Keys ascending; `span` only where the window is two instants.

    `show`, `languages` and `order` are the filters and the order of the feed.
    """

    brands: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    window: str = DEFAULT_WINDOW
    span: tuple[Instant, Instant] | None = None
    search: str = ""
    at: Instant | None = None
    show: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    order: str = filters.ORDERS[0]

    def to_search(self) -> str:
        """The query part of a link that reproduces this scope; empty for the whole of the last 24 h."""
        window = self.window if self.span is None else f"{_written(self.span[0])}..{_written(self.span[1])}"
        pairs = [
            ("brand", ",".join(self.brands)),
            ("location", ",".join(self.locations)),
            ("team", ",".join(self.teams)),
            ("network", ",".join(self.networks)),
            ("window", "" if window == DEFAULT_WINDOW else window),
            ("q", self.search),
            ("show", ",".join(self.show)),
            ("lang", ",".join(self.languages)),
            ("sort", "" if self.order == filters.ORDERS[0] else self.order),
            ("at", "" if self.at is None else _written(self.at)),
        ]
        query = "&".join(f"{name}={quote(value, safe=',:')}" for name, value in pairs if value)
        return f"?{query}" if query else ""

    def widened(self) -> UrlScope | None:
        """The next longer window, or None where there is none."""
        names = list(WINDOWS)
        if self.span is not None or self.window == names[-1]:
            return None
        return replace(self, window=names[names.index(self.window) + 1])


def parse(search: str) -> UrlScope:
    """The scope of `location.search`. ScopeError names the value that is wrong and the way out."""
    given = _given(search.removeprefix("?"))
    networks = []
    for key in given["network"]:
        try:
            networks.append(network_by_key(key).key)
        except InputError as error:
            raise ScopeError(f"network: {error}") from error
    window, span = _window_asked(_single(given, "window"))
    text = " ".join(_single(given, "q").split())
    if len(text) > LONGEST_SEARCH:
        raise ScopeError(f"q: the search has {len(text)} characters; at most {LONGEST_SEARCH} can be looked for")
    if text:
        text_search.read(text)
    asked_at = _single(given, "at")
    at = _read(asked_at, "at") if asked_at else None
    if at is not None and span is not None:
        raise ScopeError("at: a window from one instant to another has its own end; leave out one of the two")
    return UrlScope(
        brands=tuple(sorted(set(given["brand"]))),
        locations=tuple(sorted(set(given["location"]))),
        teams=tuple(sorted(set(given["team"]))),
        networks=tuple(sorted(set(networks))),
        window=window,
        span=span,
        search=text,
        at=at,
        show=filters.known("show", given["show"], filters.SHOWN),
        languages=filters.languages(given["lang"]),
        order=filters.known("sort", [_single(given, "sort") or filters.ORDERS[0]], filters.ORDERS)[0],
    )


def question(
    asked: UrlScope, access: Access, organisation: Organisation, now: datetime, *, about: tuple[str, str] | None = None
) -> Question:
    """What the panels are asked for this person: row scope applied, the window cut in steps.

    `about` is (kind, key) on the page of one brand, location or team. Raises ScopeError for a window that cannot be
    answered, NotFound for a key that is foreign or unknown.
    """
    zone, subject = organisation.zone, None
    if about is not None and about[0] == INCIDENT:
        subject = incident_subject(about[1])
    elif about is not None:
        kind, key = about
        if getattr(asked, f"{kind}s"):
            raise ScopeError(f"{kind}: this page is about one {kind} already; leave it out")
        chosen: dict[str, Any] = {f"{kind}s": (key,)}
        asked = replace(asked, **chosen)
        subject = Subject(kind, _subject_id(kind, key, organisation))
        if kind == "location":
            zone = organisation.zone_of(subject.id)
            subject = replace(subject, among=allowed_locations(access, organisation))
    scope = narrowed(asked, access, organisation)
    if subject is not None and subject.kind == "brand":
        # A competitor is measured within the sets of our brands that name it.
        scope = replace(scope, tracked_ids=tracked_with(subject.id, access, organisation))
    return Question(
        scope=scope,
        window=window_at(asked, organisation, now),
        zone=zone,
        organisation=organisation,
        now=now,
        subject=subject,
        filters=filters.read(asked.show, asked.languages, asked.order, access),
    )


def _subject_id(kind: str, key: str, organisation: Organisation) -> int:
    if kind == "brand":
        return organisation.brand_by_key(key).id
    return organisation.location_by_key(key).id if kind == "location" else organisation.team_by_key(key).id


def narrowed(asked: UrlScope, access: Access, organisation: Organisation) -> Scope:
    """The rows this person gets for what the URL asks."""
    request = Request(
        brands=asked.brands,
        locations=asked.locations,
        teams=asked.teams,
        networks=tuple(network_by_key(key).id for key in asked.networks),
        search=asked.search,
    )
    return narrow(request, access, organisation)


def window_at(asked: UrlScope, organisation: Organisation, now: datetime) -> Window:
    """The span that the URL means at `now`, on edges of its step in the organisation's zone."""
    zone = organisation.zone_info
    if asked.span is not None:
        return _custom(asked.span, zone, now)
    span, step = WINDOWS[asked.window]
    if asked.at is None:
        return Window(asked.window, _start(now, span, step, zone), now, step, True)
    end = _resolved(asked.at, zone, ends=True)
    start = _start(end, span, step, zone)
    if end > now + timedelta(days=1):
        raise ScopeError(f"at: {_written(asked.at)} lies in the future; leave it out to see what is said now")
    return Window(asked.window, start, min(end, now), step, False)


def edge_before(instant: datetime, step_seconds: int, zone: ZoneInfo) -> datetime:
    """The last edge of a step at or before `instant`, counted on the zone's clock; a day starts at its midnight."""
    local = instant.astimezone(zone)
    if step_seconds >= 86_400:
        return datetime.combine(local.date(), time(), zone).astimezone(instant.tzinfo)
    offset = local.utcoffset() or timedelta()
    seconds = int(instant.timestamp() + offset.total_seconds())
    return datetime.fromtimestamp(seconds - seconds % step_seconds - offset.total_seconds(), instant.tzinfo)


def words(scope: Scope, window: Window, organisation: Organisation) -> str:
    """The scope as a person would say it: “Corvane, Nairobi, last 15 min”."""
    return ", ".join([*scope_words(scope, organisation), window_words(window, organisation.zone_info)])


def scope_words(scope: Scope, organisation: Organisation) -> list[str]:
    """The parts of a scope in words, without the window; “all brands” where no brand is chosen."""
    own = {brand.id for brand in organisation.brands if brand.kind == "own"}
    parts = ["all brands"]
    if set(scope.brand_ids) != own:
        parts = [_listed([organisation.brand_names.get(n, "?") for n in scope.brand_ids], "brands")]
    if scope.location_ids is not None:
        parts.append(_listed(_tops(scope.location_ids, organisation), "locations"))
    if scope.team_ids is not None:
        parts.append(_listed([organisation.team_names.get(n, "?") for n in scope.team_ids], "teams"))
    if scope.network_ids is not None:
        parts.append(_listed([BY_ID[n].name for n in scope.network_ids if n in BY_ID], "networks"))
    if scope.search:
        parts.append(f"“{scope.search}”")
    return parts


def window_words(window: Window, zone: ZoneInfo) -> str:
    """The window as a person would say it; one that does not end now says when it ends."""
    if window.name not in WORDS:
        start, end = window.start.astimezone(zone), window.end.astimezone(zone)
        return f"{start:%-d %b %Y %H:%M} to {end:%-d %b %Y %H:%M}"
    if window.live:
        return WORDS[window.name]
    return f"{WORDS[window.name]} to {window.end.astimezone(zone):%-d %b %Y %H:%M}"


def options(access: Access, organisation: Organisation) -> dict[str, list[dict[str, str | int]]]:
    """What this person may choose in the scope bar: `key`, `name`, `depth` and `group`, in the order to show."""
    return {
        "brand": [
            {"key": item.key, "name": item.name, "depth": 0, "group": _GROUPS.get(item.kind, "")}
            for kind in _GROUPS
            for item in organisation.brands
            if item.kind == kind and _may_choose(item.key, access, organisation)
        ],
        "location": _location_options(access, organisation),
        "team": [
            {"key": item.key, "name": item.name, "depth": 0, "group": ""}
            for item in organisation.teams
            if item.id != UNKNOWN
        ],
        "network": [{"key": item.key, "name": item.name, "depth": 0, "group": ""} for item in NETWORKS[1:]],
    }


_GROUPS = {"own": "Ours", "competitor": "Competitors", "unmatched": "No brand"}


def _may_choose(key: str, access: Access, organisation: Organisation) -> bool:
    try:
        narrow(Request(brands=(key,)), access, organisation)
    except (NotFound, ScopeError):
        return False
    return True


def _location_options(access: Access, organisation: Organisation) -> list[dict[str, str | int]]:
    seen = allowed_locations(access, organisation)
    allowed = None if seen is None else set(seen)
    children: dict[int | None, list[int]] = {}
    by_id = {item.id: item for item in organisation.locations}
    for item in organisation.locations:
        children.setdefault(item.parent_id if item.parent_id in by_id else None, []).append(item.id)
    found: list[dict[str, str | int]] = []

    def walk(parent: int | None, depth: int) -> None:
        for child in sorted(children.get(parent, ()), key=lambda n: by_id[n].name):
            item = by_id[child]
            if item.id == UNKNOWN or (allowed is not None and not allowed & set(organisation.below(child))):
                continue
            found.append({"key": item.key, "name": item.name, "depth": depth, "group": item.kind})
            walk(child, depth + 1)

    walk(None, 0)
    return found


def _tops(location_ids: tuple[int, ...], organisation: Organisation) -> list[str]:
    """Names of what was chosen: those whose parent is not in the set as well."""
    chosen = set(location_ids)
    return [
        item.name
        for item in organisation.locations
        if item.id in chosen and (item.parent_id not in chosen or item.parent_id is None)
    ]


def _listed(names: list[str], plural: str) -> str:
    return f"{len(names)} {plural}" if len(names) > 2 else " and ".join(names)


def _given(query: str) -> dict[str, list[str]]:
    if len(query) > LONGEST_URL:
        raise ScopeError(f"the address has {len(query)} characters after “?”; at most {LONGEST_URL} are read")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise ScopeError("the part of the address after “?” cannot be read; it is no text") from error
    given: dict[str, list[str]] = {name: [] for name in (*LISTS, *SINGLES)}
    for name, value in pairs:
        if name not in given:
            raise ScopeError(f"{quoted(name)} is no filter; known: {', '.join((*LISTS, *SINGLES))}")
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise ScopeError(f"{name}: {quoted(value)} holds control characters")
        given[name] += [part.strip() for part in value.split(",")] if name in LISTS else [value.strip()]
    for name in LISTS:
        given[name] = [part for part in given[name] if part]
        if len(given[name]) > MOST_VALUES:
            raise ScopeError(f"{name}: {len(given[name])} values; at most {MOST_VALUES} can be chosen")
    return given


def _single(given: dict[str, list[str]], name: str) -> str:
    values = given[name]
    if len(values) > 1:
        raise ScopeError(f"{name}: given {len(values)} times; say it once")
    return values[0] if values else ""


def _window_asked(asked: str) -> tuple[str, tuple[Instant, Instant] | None]:
    if not asked:
        return DEFAULT_WINDOW, None
    if asked in WINDOWS:
        return asked, None
    start, dots, end = asked.partition("..")
    if not dots:
        raise ScopeError(
            f"window: {quoted(asked)} is none of {', '.join(WINDOWS)}, nor two instants, e.g. 2015-02-16..2015-02-22"
        )
    return "custom", (_read(start, "window"), _read(end, "window"))


def _read(text: str, name: str) -> Instant:
    text = _LOST_PLUS.sub(r"\1+\2", text.strip())
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(microsecond=0)
    except ValueError as error:
        raise ScopeError(f"{name}: {quoted(text)} is no day of the calendar or no time of day") from error
    raise ScopeError(f"{name}: {quoted(text)} is no instant; write e.g. 2015-02-20 or 2015-02-20T14:30Z")


def _written(instant: Instant) -> str:
    text = instant.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _resolved(instant: Instant, zone: ZoneInfo, *, ends: bool) -> datetime:
    """A point in time. A day without a time starts at its midnight and, as an end, counts whole."""
    # One year off the far end, so that no zone and no "whole day" can leave what a datetime can hold.
    if not OLDEST_YEAR <= instant.year < 9_998:
        raise ScopeError(f"{_written(instant)} is out of range; mentions begin in {OLDEST_YEAR}")
    if not isinstance(instant, datetime):
        instant = datetime.combine(instant + timedelta(days=1 if ends else 0), time())
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
    return aware.astimezone(ZoneInfo("UTC"))


def _custom(span: tuple[Instant, Instant], zone: ZoneInfo, now: datetime) -> Window:
    start, end = _resolved(span[0], zone, ends=False), _resolved(span[1], zone, ends=True)
    if start >= now:
        raise ScopeError(f"window: {_written(span[0])} lies in the future; nothing was said yet")
    live = end > now
    end = min(end, now)
    if end - start < timedelta(minutes=1):
        raise ScopeError("window: it ends before it begins, or lasts less than a minute")
    if end - start > LONGEST:
        raise ScopeError(f"window: {(end - start).days:,} days; at most two years fit on one screen")
    step = next((s for s in STEPS if ceil((end - start).total_seconds() / s) <= MOST_POINTS), STEPS[-1])
    return Window("custom", edge_before(start, step, zone), end, step, live)


def _start(end: datetime, span: int, step_seconds: int, zone: ZoneInfo) -> datetime:
    """The first edge inside the span, counted back from the last one: steps before summer time keep their length."""
    last = edge_before(end, step_seconds, zone)
    steps = int((last - end + timedelta(seconds=span)).total_seconds() // step_seconds)
    return last - timedelta(seconds=steps * step_seconds)
