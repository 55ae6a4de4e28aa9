"""The page of the rules: what counts for a brand and what is being written, tried on stored posts, and published."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from dashboard import rule_words as words
from dashboard import style
from dashboard.asks.ask import Act, Asked, Read
from models import rule_desk, rule_volume
from models.errors import InputError
from models.organisation import Brand, Organisation
from models.organisation_rules import published, versions
from models.rule_desk import Conflict, Example, Who
from models.rule_faults import Checked, check
from models.rule_near import Ways, missed
from models.rule_trial import Post, Readings, newest_posts, terms_of
from models.rules import LONGEST_RULE, Rule, Subject, parse

SHOWN = 8
MOST_SHOWN = 200
SHOW = ("", "all", "new")
# Who writes a rule tries it after every word: the posts of a moment ago do as well as those of now.
KEPT = timedelta(seconds=10)


def rule(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What counts for `brand`, its draft (None where nobody writes), and every version with who and when."""
    of = _brand(asked)
    there, draft = published(connection, of.id), rule_desk.draft_of(connection, of.id)
    return {
        "brand": of.key,
        "name": of.name,
        "kind": of.kind,
        "published": {"version": there.version, "query": there.query, "by": there.actor, "at": _iso(there.at)},
        "draft": None
        if draft is None
        else {"query": draft.query, "base": draft.base_version, "by": draft.actor, "at": _iso(draft.at)},
        "versions": [
            {
                "version": item.version,
                "query": item.query,
                "by": item.actor or "a file",
                "at": _iso(item.valid_from),
                "until": _iso(item.valid_to),
            }
            for item in versions(connection, of.id)
        ],
    }


def preview(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """`query` tried on the newest posts for `brand`: what it finds, nearly finds, its examples, its volume."""
    of, text, show = _brand(asked), _query(asked), asked.text("show", longest=8)
    if show not in SHOW:
        raise InputError("show: all, new or nothing is needed")
    posts, checked = _posts(connection, asked), check(text)
    there = published(connection, of.id)
    tried = _tried(text, checked, there.query, posts)
    held = rule_desk.examples(connection, of.id)
    limit = rule_volume.longest_query(connection, asked.now)
    said: dict[str, Any] = {
        "errors": words.errors_of(text, checked),
        "read_as": words.read_as(text, checked),
        "of": len(posts),
        "version": there.version,
        "published": len(tried.published),
        "hindrance": _hindrance(text, there.query, held),
        "counter": None if limit is None else {"network": limit[0], "used": len(text.strip()), "limit": limit[1]},
    }
    if tried.rule is None or tried.text is None:
        nothing = [words.example(item, None, None, text, {}) for item in held]
        return said | {"matched": None, "rows": [], "fresh": 0, "near": None, "examples": nothing, "volume": None}
    before = set(tried.published)
    fresh = [place for place in tried.found if place not in before]
    shown = (fresh if show == "new" else tried.found)[: MOST_SHOWN if show else SHOWN]
    missing = missed(tried.text, tried.rule, tried.readings, tried.found, others=_others(asked.organisation, of))
    ways = Ways(tried.text)
    # A repair of the mended text does not fit the text that has the error still.
    fits = tried.text == text
    near = words.near(missing, tried.text, len(posts))
    examples = [words.example(item, tried.rule, ways, tried.text, missing.hints) for item in held]
    if not fits:
        for item in (*near["rows"], *examples):
            item["repair"] = None
    return said | {
        "matched": len(tried.found),
        "fresh": len(fresh),
        "rows": [
            words.row(posts[place], tried.readings.words(place, tried.rule.root), is_new=place not in before)
            for place in shown
        ],
        "near": near,
        "examples": examples,
        "volume": _volume(connection, asked, of, posts, tried),
    }


def save(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Keep `query` as the draft of `brand`, or answer with the text that somebody else wrote meanwhile."""
    of = _brand(asked)
    kept = rule_desk.save_draft(
        connection,
        of.id,
        _query(asked),
        base_version=asked.number("base"),
        seen_at=_seen(asked),
        who=_who(asked),
        now=asked.now,
    )
    if isinstance(kept, Conflict):
        return _conflict(kept, of)
    return {"words": "The draft is saved.", "draft": {"by": kept.actor, "at": _iso(kept.at), "base": kept.base_version}}


def discard(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Throw the draft of `brand` away."""
    of = _brand(asked)
    rule_desk.discard_draft(connection, of, who=_who(asked), now=asked.now)
    return {"words": f"The draft is gone; {of.name} is found as before."}


def publish(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Let `query` be the rule of `brand` from now on, or answer with the text that stands in the way."""
    of = _brand(asked)
    done = rule_desk.publish(
        connection,
        of,
        _query(asked),
        base_version=asked.number("base"),
        seen_at=_seen(asked),
        who=_who(asked),
        now=asked.now,
    )
    if isinstance(done, Conflict):
        return _conflict(done, of)
    return {"words": f"Version {done} counts from now on: the next posts are found by it.", "version": done}


def add(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Make an example of a `text` that was typed in."""
    of = _brand(asked)
    subject = Subject(
        asked.text("text", longest=rule_desk.LONGEST_EXAMPLE),
        asked.text("author", longest=200) or None,
        asked.text("language", longest=16) or None,
        asked.text("network", "other", longest=32),
    )
    must = asked.flag("must_match")
    rule_desk.add_example(connection, of, subject, must_match=must, who=_who(asked), now=asked.now)
    return {"words": f"The rule of {of.name} must {'' if must else 'not '}match this from now on."}


def pin(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Make an example of a `mention` of any brand."""
    of, must = _brand(asked), asked.flag("must_match")
    among = [item.id for item in asked.organisation.brands]
    rule_desk.pin_example(
        connection, of, asked.number("mention"), among=among, must_match=must, who=_who(asked), now=asked.now
    )
    return {"words": f"Pinned: the rule of {of.name} must {'' if must else 'not '}match it."}


def unpin(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take an `example` away."""
    of = _brand(asked)
    rule_desk.remove_example(connection, of, asked.number("example"), who=_who(asked), now=asked.now)
    return {"words": "The example is gone."}


def brands(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The brands that have a rule or could have one."""
    there = [item for item in asked.organisation.brands if _has_rule(item)]
    return {"brands": [{"id": str(item.id), "key": item.key, "name": item.name} for item in there]}


# -- what is asked -------------------------------------------------------------------------------------------


def _brand(asked: Asked) -> Brand:
    of = asked.organisation.brand_by_key(asked.text("brand", longest=64))
    if not _has_rule(of):
        raise InputError("what no brand claims has no rule")
    return of


def _has_rule(item: Brand) -> bool:
    return item.kind != "unmatched"


def _query(asked: Asked) -> str:
    """The rule as it was typed, its places unchanged: what cannot be stored becomes a space."""
    given = asked.given.get("query", "")
    if not isinstance(given, str):
        raise InputError(f"query: a text is needed, not {type(given).__name__}")
    if len(given) > LONGEST_RULE:
        raise InputError(f"the rule has {len(given):,} characters, at most {LONGEST_RULE:,} are allowed")
    return "".join(c if c == "\n" or not (ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF) else " " for c in given)


def _seen(asked: Asked) -> datetime | None:
    given = asked.text("seen", longest=40)
    try:
        seen = datetime.fromisoformat(given) if given else None
    except ValueError as error:
        raise InputError("seen: the instant of the draft is needed, or nothing") from error
    return seen


def _who(asked: Asked) -> Who:
    return Who(asked.access.person_id, asked.access.email, asked.access.name)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _conflict(found: Conflict, of: Brand) -> Mapping[str, Any]:
    by = found.actor or "a file"
    said = (
        f"{by} published version {found.version} of the rule of {of.name} meanwhile."
        if found.kind == "published"
        else f"{by} saved another draft of the rule of {of.name} meanwhile."
    )
    return {
        "words": said,
        "conflict": {
            "kind": found.kind,
            "query": found.query,
            "version": found.version,
            "by": by,
            "at": _iso(found.at),
        },
    }


# -- trying a rule -------------------------------------------------------------------------------------------

_kept: WeakKeyDictionary[Engine, tuple[datetime, tuple[Post, ...]]] = WeakKeyDictionary()
_turn = threading.Lock()


def _posts(connection: Connection, asked: Asked) -> tuple[Post, ...]:
    """The newest posts, as they were at most KEPT ago: reading and folding them is half of the work."""
    with _turn:
        at, posts = _kept.get(connection.engine, (None, ()))
        if at is None or not at <= asked.now < at + KEPT:
            posts = newest_posts(connection, asked.organisation)
            _kept[connection.engine] = (asked.now, posts)
        return posts


@dataclass(frozen=True, slots=True)
class _Tried:
    """A rule on posts: places of what it finds and of what the published one finds. None = it cannot be read."""

    text: str | None
    rule: Rule | None
    readings: Readings
    found: tuple[int, ...]
    published: tuple[int, ...]


def _tried(text: str, checked: Checked, counts: str, posts: tuple[Post, ...]) -> _Tried:
    found = None if checked.mended is None else parse(checked.mended)
    there = parse(counts) if counts else None
    readings = Readings(posts, [item for item in (found, there) if item is not None])
    return _Tried(
        text=checked.mended if checked.faults else text,
        rule=found,
        readings=readings,
        found=() if found is None else readings.matched(found),
        published=() if there is None else readings.matched(there),
    )


def _others(organisation: Organisation, of: Brand) -> list[Any]:
    rules = [item.rules for item in organisation.brands if item.rules and item.id != of.id]
    return [term for texts in rules for term in terms_of(parse("\n".join(texts)).root)]


def _hindrance(text: str, counts: str, held: tuple[Example, ...]) -> str | None:
    why = rule_desk.hindrance(text, held)
    if why is None and text.strip() == counts.strip():
        return "nothing is changed"
    return why


def _volume(
    connection: Connection, asked: Asked, of: Brand, posts: tuple[Post, ...], tried: _Tried
) -> Mapping[str, Any]:
    days = rule_volume.volume(
        connection, asked.organisation, of.id, found=len(tried.found), published=len(tried.published), now=asked.now
    )
    cost = rule_volume.cost(connection, posts, tried.found, tried.published, now=asked.now)
    if cost.network is None:
        price = "no extra cost"
    elif cost.dollars < 0.01:
        price = f"no extra cost on {cost.network}"
    else:
        price = f"at most ${cost.dollars:,.2f} a month more on {cost.network}"
    # Today is not over: the figure a day is that of the days before.
    past = days.now[:-1]
    usual = sum(past) / len(past) if past else 0.0
    after = None if days.change is None else usual * (1 + days.change)
    change = ""
    if days.change is not None:
        share = round(100 * days.change)
        change = "unchanged" if share == 0 else f"{'▲' if share > 0 else '▼'} {abs(share):,}%"
    zone = asked.organisation.zone_info
    return {
        "now": list(days.now),
        "after": None if days.after is None else [round(value, 1) for value in days.after],
        "days": [f"{day.astimezone(zone):%-d %b}" for day in days.days],
        "now_words": f"now {style.short(round(usual))} a day",
        "after_words": "" if after is None else f"after {style.short(round(after))} a day",
        "change": change,
        "cost": price,
        "about": f"estimated on the newest {len(posts):,} posts"
        if days.change is not None
        else f"too few of the newest {len(posts):,} posts match today’s version to estimate",
    }


READS: dict[str, Read] = {"rules.rule": rule, "rules.preview": preview, "rules.brands": brands}
ACTS: dict[str, Act] = {
    "rules.save": save,
    "rules.discard": discard,
    "rules.publish": publish,
    "rules.example": add,
    "rules.pin": pin,
    "rules.unpin": unpin,
}
