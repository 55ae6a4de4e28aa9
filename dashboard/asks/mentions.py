"""One mention: all that is known of it, its copies; corrected, hidden, marked for walls, and each of these undone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from dashboard import style
from dashboard.asks.ask import Act, Asked, Read
from dashboard.panels import feed
from models import conversations, corrections, mention_details, mention_marks
from models.access import Scope, everything
from models.conversations import Said
from models.corrections import Corrected
from models.errors import InputError, NotFound
from models.export import guarded
from models.mention_details import Correction, Details
from models.mention_marks import Hidden, Who
from models.networks import BY_ID
from models.organisation import UNKNOWN, Organisation
from models.search import words_in

LONGEST_TEXT = 200_000
MOST_ANSWERS = 30
MOST_EXPORTED = 20_000
SENTIMENTS = {1: "Positive", 0: "Neutral", -1: "Negative", None: "not scored"}
EXPORTED = ("brand", "network", "external_id", "field", "before", "after", "text", "language", "at")
FORMATS = ("csv", "jsonl")


# -- reading -------------------------------------------------------------------------------------------------


def read(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The mention `brand`, `id` as a card, with {full, facts, versions, corrections, thread}. NotFound out of scope."""
    scope, organisation = _everything(asked), asked.organisation
    found = mention_details.details(connection, scope, _key(asked))
    said = found.shown
    searched = words_in(asked.question.scope.search, said.text) if asked.question is not None else ()
    words = (*said.matched, *searched)
    accounts = {account.id: account.name for account in organisation.accounts}
    thread = conversations.thread(connection, scope, said.network_id, said.external_id)
    posts = thread.posts if len(thread.posts) > 1 else ()
    return {
        "id": f"{said.brand_id}-{said.id}",
        "full": feed.pieces(said.text, words, longest=LONGEST_TEXT),
        "lang": said.language or "",
        "url": feed.web_address(said.url),
        "media": [feed.media_words(kind, alt) for kind, alt in said.media],
        "gone": found.more.is_deleted,
        "copies": feed.copies_words(found.more.copies) if found.more.copies else "",
        "facts": _facts(found, organisation),
        "times": [["Posted", said.posted_at.isoformat()], ["Received", said.received_at.isoformat()]]
        + ([["Edited", found.edited_at.isoformat()]] if found.edited_at else []),
        "versions": [[version.text, version.replaced_at.isoformat()] for version in found.versions],
        "corrections": [_corrected(item, scope, organisation) for item in found.corrections],
        "thread": [_post(post, accounts, said.external_id) for post in _around(posts, said.external_id)],
        "thread_count": len(posts),
    }


def copies(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """The newest other mentions that say the same as `brand`, `id`: {rows: [{net, network, name, reach, at, url}]}."""
    found = mention_details.copies(connection, _everything(asked), _key(asked))
    return {
        "rows": [
            {
                "id": f"{item.brand_id}-{item.id}",
                "net": network.monogram if (network := BY_ID.get(item.network_id)) else "··",
                "network": network.name if network else "Other",
                "name": (item.author_name or item.author_handle or "Somebody")[: feed.NAME_SHOWN],
                "reach": "" if item.author_followers is None else f"{style.short(item.author_followers)} reach",
                "at": item.posted_at.isoformat(),
                "url": feed.web_address(item.url),
            }
            for item in found
        ]
    }


def export(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Every correction with the text that was read, in `format` csv or jsonl, as {name, text, words}."""
    kind = asked.text("format", "csv", longest=8)
    if kind not in FORMATS:
        raise InputError(f'format: "{kind}" is none of {", ".join(FORMATS)}')
    made = list(islice(corrections.export(connection, _everything(asked)), MOST_EXPORTED + 1))
    rows = [_exported(item, asked.organisation) for item in made[:MOST_EXPORTED]]
    name = f"corrections-{asked.now:%Y%m%d-%H%M}.{kind}"
    part = f"; there are more, these are the first {MOST_EXPORTED:,}" if len(made) > MOST_EXPORTED else ""
    text = _csv(rows) if kind == "csv" else "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    counted = "1 correction" if len(rows) == 1 else f"{len(rows):,} corrections"
    return {"name": name, "text": text, "words": f"{counted} saved as {name}{part}."}


# -- doing ---------------------------------------------------------------------------------------------------


def correct(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Set `field` of the mention `brand`, `id` to `value`: -1, 0, 1, or the key of a location or a brand."""
    scope, key, field = _everything(asked), _key(asked), asked.text("field", longest=16)
    value, words = _value(asked, scope, field)
    made = corrections.correct(
        connection,
        scope,
        mention=key,
        field=field,
        value=value,
        organisation=asked.organisation,
        by=asked.access.person_id,
        actor=asked.access.email,
        now=asked.now,
    )
    if made is None:
        return {"words": f"It is {words} already.", "undo": None}
    if field == "brand":
        mention_marks.forget(connection, key)
    return {"words": f"{field.capitalize()}: {words}. Counted at once.", "undo": {"correction": f"{key[0]}-{made}"}}


def hide(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take the mention `brand`, `id` out of its brand and out of sight."""
    found = mention_marks.hide(
        connection, _everything(asked), _key(asked), organisation=asked.organisation, who=_who(asked)
    )
    undo: dict[str, str] = {"hidden": _written(found.key)}
    if found.correction is not None:
        undo["correction"] = _written(found.correction)
    return {"words": "Hidden as irrelevant; it counts for no brand any more.", "undo": undo}


def wall(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Mark the mention `brand`, `id` as fit for lobby walls (`on`), or take the mark off."""
    scope, key, on = _everything(asked), _key(asked), asked.flag("on")
    change = mention_marks.show_on_walls if on else mention_marks.take_off_walls
    change(connection, scope, key, organisation=asked.organisation, who=_who(asked))
    return {"words": "Marked for lobby walls." if on else "Taken off the lobby walls."}


def undo(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take back what `correct` or `hide` answered as `undo`, by the person who did it."""
    scope = _everything(asked)
    correction = _pair(asked, "correction") if asked.given.get("correction") else None
    if asked.given.get("hidden"):
        hidden = Hidden(_pair(asked, "hidden"), correction)
        mention_marks.unhide(connection, scope, hidden, organisation=asked.organisation, who=_who(asked))
    elif correction is not None:
        corrections.take_back(
            connection,
            scope,
            correction=correction,
            organisation=asked.organisation,
            by=asked.access.person_id,
            actor=asked.access.email,
            now=asked.now,
        )
    else:
        raise InputError("say what to undo: correction, hidden or both")
    return {"words": "Undone."}


# -- what is given -------------------------------------------------------------------------------------------


def _everything(asked: Asked) -> Scope:
    # What a person may do to a mention does not hang on what the page shows just now.
    return everything(asked.access, asked.organisation)


def _who(asked: Asked) -> Who:
    return Who(asked.access.person_id, asked.access.email, asked.now)


def _key(asked: Asked) -> tuple[int, int]:
    return asked.number("brand"), asked.number("id")


def _pair(asked: Asked, name: str) -> tuple[int, int]:
    first, _, second = asked.text(name, longest=64).partition("-")
    if not (first.isascii() and first.isdigit() and second.isascii() and second.isdigit()):
        raise InputError(f"{name}: two numbers are needed, e.g. 2-3559474956608645228")
    if int(first) >= 1 << 31 or int(second) >= 1 << 63:
        raise NotFound(f"{name}: there is none of that number")
    return int(first), int(second)


def _written(key: tuple[int, int]) -> str:
    return f"{key[0]}-{key[1]}"


def _value(asked: Asked, scope: Scope, field: str) -> tuple[int, str]:
    """What to set, and how it is called. What a person may not read is not there for them."""
    organisation = asked.organisation
    if field == "sentiment":
        value = asked.number("value")
        return value, SENTIMENTS.get(value, str(value))
    key = asked.text("value", longest=200)
    if field == "location":
        location, allowed = organisation.location_by_key(key), scope.location_ids
        if allowed is not None and location.id not in {UNKNOWN, *allowed}:
            raise NotFound(f'no location "{key}"')
        return location.id, location.name if location.id != UNKNOWN else "unknown"
    if field == "brand":
        brand = organisation.brand_by_key(key)
        if brand.id not in {UNKNOWN, *scope.brand_ids}:
            raise NotFound(f'no brand "{key}"')
        return brand.id, brand.name if brand.id != UNKNOWN else "none"
    raise InputError(f'no field "{field}" to correct; known: sentiment, location, brand')


# -- what is answered ----------------------------------------------------------------------------------------


def _facts(found: Details, organisation: Organisation) -> list[list[str]]:
    said = found.shown
    network = BY_ID.get(said.network_id)
    handle = f" ({said.author_handle})" if said.author_handle and said.author_name else ""
    author = f"{said.author_name or said.author_handle or 'not given'}{handle}"
    facts = [
        ("Author", "deleted" if found.more.is_deleted else author),
        ("Reach", "not given" if said.author_followers is None else f"{said.author_followers:,} followers, estimated"),
        ("Network", f"{network.name if network else 'other'}, {said.kind}"),
        ("Brand", "none" if said.brand_id == UNKNOWN else organisation.brand_names.get(said.brand_id, "?")),
        ("Location", _place(found, organisation)),
        ("Team", "none" if said.team_id == UNKNOWN else organisation.team_names.get(said.team_id, "?")),
        ("Place given", said.place or found.home or "none"),
        ("Language", said.language or "not known"),
        ("Sentiment", f"{SENTIMENTS[said.sentiment]}{f', by {found.sentiment_by}' if found.sentiment_by else ''}"),
        ("Matched", ", ".join(said.matched) or "no words kept"),
        ("Engagement", _engagement(found)),
    ]
    return [list(fact) for fact in facts]


def _place(found: Details, organisation: Organisation) -> str:
    if found.shown.location_id == UNKNOWN:
        return "unknown"
    by = f", by {found.location_by}" if found.location_by else ""
    return f"{organisation.location_names.get(found.shown.location_id, '?')}{by}"


def _engagement(found: Details) -> str:
    said = found.shown
    counts = (
        ("likes", said.likes), ("replies", said.replies), ("reposts", said.reposts), ("impressions", found.impressions)
    )  # fmt: skip
    return ", ".join(f"{count:,} {name}" for name, count in counts if count is not None) or "the network gives none"


def _corrected(item: Correction, scope: Scope, organisation: Organisation) -> dict[str, str]:
    return {
        "words": f"{item.field.capitalize()}: {_called(item.field, item.before, scope, organisation)} → "
        f"{_called(item.field, item.after, scope, organisation)}",
        "who": item.actor,
        "at": item.at.isoformat(),
    }


def _called(field: str, value: int | None, scope: Scope, organisation: Organisation) -> str:
    if field == "sentiment":
        return SENTIMENTS.get(value, "?")
    if value is None or value == UNKNOWN:
        return "none"
    if field == "location":
        is_readable = scope.location_ids is None or value in scope.location_ids
        return organisation.location_names.get(value, "?") if is_readable else "another location"
    return organisation.brand_names.get(value, "?") if value in scope.brand_ids else "another brand"


def _around(posts: tuple[Said, ...], external_id: str) -> tuple[Said, ...]:
    """The beginning of a conversation, or where the mention stands in a long one."""
    at = next((number for number, post in enumerate(posts) if post.external_id == external_id), 0)
    start = max(0, min(at - MOST_ANSWERS // 2, len(posts) - MOST_ANSWERS))
    return posts[start : start + MOST_ANSWERS]


def _post(post: Said, accounts: Mapping[int, str], external_id: str) -> dict[str, Any]:
    ours = accounts.get(post.account_id, "Us") if post.account_id is not None else ""
    text = "Deleted." if post.deleted else "Not collected." if post.text is None else post.text[: feed.TEXT_SHOWN]
    return {
        "who": ours or post.author or "Somebody",
        "ours": bool(ours),
        "text": text,
        "held": post.text is not None,
        "at": _instant(post.posted_at),
        "depth": min(post.depth, 4),
        "this": post.external_id == external_id,
    }


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


def _exported(item: Corrected, organisation: Organisation) -> dict[str, Any]:
    brands = {brand.id: brand.key for brand in organisation.brands}
    names: Mapping[int, str] = {}
    if item.field == "brand":
        names = brands
    elif item.field == "location":
        names = {location.id: location.key for location in organisation.locations}
    before, after = (names.get(value, value) if value is not None else None for value in (item.before, item.after))
    return {
        "brand": brands.get(item.brand_id),
        "network": BY_ID[item.network_id].key,
        "external_id": item.external_id,
        "field": item.field,
        "before": before,
        "after": after,
        "text": item.text,
        "language": item.language,
        "at": item.at.isoformat(),
    }


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, EXPORTED)
    writer.writeheader()
    for row in rows:
        writer.writerow({key: guarded(value) if isinstance(value, str) else value for key, value in row.items()})
    return out.getvalue()


READS: dict[str, Read] = {"mention": read, "mention.copies": copies, "corrections": export}
ACTS: dict[str, Act] = {
    "mention.correct": correct,
    "mention.hide": hide,
    "mention.wall": wall,
    "mention.undo": undo,
}
