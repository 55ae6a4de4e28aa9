"""Replies on the desk: kept while they are written, judged before they go, submitted, signed, sent back, taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from dashboard.asks.ask import Act, Asked, Read
from dashboard.asks.cases import key_of, token
from dashboard.asks.refused import told
from models import doubts, outlook, replies, sign_off, sign_off_requests
from models.access import SEND, SUBMIT
from models.checks import BLOCK, OK, WARN, Check
from models.errors import InputError
from models.networks import BY_ID
from models.outlook import Outlook
from models.replies import LONGEST_TEXT, Reply, ReplyKey
from models.reply_steps import APPROVED
from models.replyable import BLOCKED, NATIVE

# The cells of the grid, and the checks that each stands for.
CELLS = (
    ("Length", ("length",)),
    ("Greeting", ("greeting", "sign_off")),
    ("Forbidden words", ("forbidden",)),
    ("Language", ("language",)),
    ("Promises", ("promise",)),
    ("Wording", ("statement",)),
)
# Only where there is something to say.
BESIDE = {"link_cost": "Cost"}
WEIGHT = {OK: 0, WARN: 1, BLOCK: 2}


# -- reading -------------------------------------------------------------------------------------------------


def look(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """What would become of `text`: {checks, title, about, label, tone, at_once, off}."""
    found = outlook.preview(
        connection,
        asked.organisation,
        asked.access,
        key_of(asked),
        text=words(asked, "text"),
        account_id=account(asked),
        now=asked.now,
    )
    return {"checks": list(_cells(found.checks)), **_policy(asked, found)}


def asked_of_me(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Replies whose turn to be signed is this person's: {asked: [{id, brand, author, at}]}, the oldest first."""
    waiting = sign_off_requests.requests_for(connection, asked.organisation, asked.access, asked.now)
    return {
        "asked": [
            {
                "id": str(one.reply.key),
                "brand": asked.organisation.brand_names.get(one.reply.key.brand_id, ""),
                "author": one.reply.author,
                "at": (one.asked_at or asked.now).isoformat(),
            }
            for one in waiting
            if one.is_mine
        ]
    }


def _cells(checks: Iterable[Check]) -> Iterable[dict[str, str]]:
    by_name = {check.name: check for check in checks}
    for label, names in CELLS:
        there = [by_name[name] for name in names if name in by_name]
        if there:
            worst = max(there, key=lambda check: WEIGHT[check.verdict])
            yield {"name": label, "verdict": worst.verdict, "words": worst.words}
    for name, label in BESIDE.items():
        if name in by_name and by_name[name].verdict != OK:
            yield {"name": label, "verdict": by_name[name].verdict, "words": by_name[name].words}


def _policy(asked: Asked, found: Outlook) -> dict[str, Any]:
    required, hold, held = found.required, found.way.hold, found.case
    at = {"brand_id": held.key.brand_id, "location_id": held.location_id, "team_id": held.team_id}
    wanted = SEND if required.signatures == 0 else SUBMIT
    off = "" if asked.access.may_for(wanted, asked.organisation, **at) else "You may write a draft, and not send it."
    if required.signatures == 0:
        title, label = "Nobody has to sign", "Send"
        about = "It goes out ten seconds after you send it; until then you can take it back."
        if found.way.how == NATIVE:
            about = "You post it by hand on the network; it is found there by itself."
    else:
        who = "a senior manager" if required.needs_manager and required.signatures == 1 else "a colleague"
        title = f"{who[:1].upper()}{who[1:]} signs off"
        if required.signatures > 1:
            one = ", one of them a senior manager" if required.needs_manager else ""
            title = f"{required.signatures} colleagues sign off{one}"
        label, about = "Send for sign-off", " ".join(_sentence(why) for why in required.why)
    tone = "inc" if hold is not None else "" if required.signatures else "plain"
    if hold is not None:
        title = f"Frozen by {hold.name}" if hold.is_frozen else f"Incident open: {title[:1].lower()}{title[1:]}"
    if hold is not None and hold.is_frozen:
        off = off or "Nothing goes out while the incident freezes it."
    if found.is_blocked:
        off = off or "A check stands in the way."
    return {
        "title": title,
        "about": about,
        "label": label,
        "tone": tone,
        "at_once": found.sends_at_once,
        "off": "" if found.way.how == BLOCKED else off,
    }


# -- doing ---------------------------------------------------------------------------------------------------


def save(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Keep `text` as this person's draft of `case`; words are never refused because a claim ended."""
    with told(asked):
        draft = _saved(connection, asked)
    return {
        "words": "Saved.",
        "reply": str(draft.key.id),
        "hash": draft.text_hash,
        "at": draft.saved_at.isoformat(),
        "claim": draft.claim_is_live,
        "newer": draft.newer,
    }


def submit(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Keep `text` and hand it over: it goes out after the time to undo, or waits for signatures.

    Conflicts: stale, lapsed, reason (the post has an answer: send again with one), blocked, frozen.
    """
    with told(asked):
        draft = _saved(connection, asked)
        done = sign_off.submit(
            connection,
            asked.organisation,
            asked.access,
            draft.key,
            text_hash=draft.text_hash,
            claim_token=token(asked),
            event_seen=_event(asked),
            reason=_reason(asked),
            now=asked.now,
        )
    return _handed(done)


def confirm(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Send what was signed too late to go by itself."""
    key = _reply(asked)
    with told(asked):
        standing = replies.reply(connection, asked.organisation, asked.access, key, asked.now)
        done = sign_off.confirm(
            connection,
            asked.organisation,
            asked.access,
            key,
            text_hash=standing.text_hash,
            claim_token=token(asked),
            event_seen=_event(asked),
            reason=_reason(asked),
            now=asked.now,
        )
    return _handed(done)


def edit(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Take one's own reply back, to write on; every signature is void."""
    with told(asked):
        done = replies.edit(connection, asked.organisation, asked.access, _reply(asked), now=asked.now)
    return {"words": "Taken back; nothing was sent.", "text": done.text}


def withdraw(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """End a reply that was not sent; for somebody else's a `reason` is needed."""
    with told(asked):
        replies.withdraw(
            connection, asked.organisation, asked.access, _reply(asked), reason=_reason(asked), now=asked.now
        )
    return {"words": "Withdrawn."}


def sign(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Sign the text with `hash`, written by somebody else."""
    with told(asked):
        done = sign_off.sign(
            connection, asked.organisation, asked.access, _reply(asked), text_hash=_hash(asked), now=asked.now
        )
    if done.state == APPROVED:
        return {"words": f"Signed. It goes out as {done.author} wrote it."}
    if done.waits_for_one_key:
        return {"words": f"Signed, but too late to go by itself: {done.author} sends it with one key."}
    return {"words": "Signed. Another signature is needed."}


def send_back(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Return the text with `hash` to its author, with a `reason`."""
    with told(asked):
        done = sign_off.send_back(
            connection,
            asked.organisation,
            asked.access,
            _reply(asked),
            text_hash=_hash(asked),
            reason=asked.text("reason", longest=500),
            now=asked.now,
        )
    return {"words": f"Sent back to {done.author}."}


def native(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Say that this person posts the approved reply by hand: it is found on the network, or decided."""
    with told(asked):
        doubts.answer_natively(
            connection,
            asked.organisation,
            asked.access,
            _reply(asked),
            claim_token=token(asked),
            event_seen=_event(asked),
            now=asked.now,
        )
    return {"words": "It is looked for on the network."}


def arrived(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Decide that a doubtful reply stands on the network."""
    with told(asked):
        doubts.mark_sent(
            connection,
            asked.organisation,
            asked.access,
            _reply(asked),
            url=asked.text("url", longest=2_000) or None,
            reason=asked.text("reason", longest=500),
            now=asked.now,
        )
    return {"words": "It counts as sent."}


def lost(connection: Connection, asked: Asked) -> Mapping[str, Any]:
    """Decide that a doubtful reply did not arrive."""
    with told(asked):
        doubts.mark_not_sent(
            connection,
            asked.organisation,
            asked.access,
            _reply(asked),
            reason=asked.text("reason", longest=500),
            now=asked.now,
        )
    return {"words": "It counts as not sent; write it again if it still fits."}


def _saved(connection: Connection, asked: Asked) -> replies.Draft:
    return replies.save_draft(
        connection,
        asked.organisation,
        asked.access,
        key_of(asked),
        text=words(asked, "text"),
        account_id=account(asked),
        claim_token=token(asked) or None,
        event_seen=_event(asked),
        now=asked.now,
    )


def _handed(done: Reply) -> dict[str, Any]:
    if done.state != APPROVED:
        said = "Sent for sign-off."
    elif done.is_native:
        said = f"Approved. Post it by hand on {BY_ID[done.network_id].name}."
    else:
        said = "It goes out in ten seconds."
    is_going = done.state == APPROVED and not done.is_native
    return {"words": said, "reply": str(done.key.id), "state": done.state, "undo": is_going}


# -- what is given -------------------------------------------------------------------------------------------


def words(asked: Asked, name: str) -> str:
    """A text as it was typed: joiners and marks of direction are part of what people write."""
    value = asked.given.get(name)
    if not isinstance(value, str):
        raise InputError(f"{name}: a text is needed")
    if len(value) > LONGEST_TEXT:
        raise InputError(f"{name}: {len(value):,} characters; at most {LONGEST_TEXT:,} fit")
    return value


def account(asked: Asked) -> int | None:
    """The posting account that was chosen; None = the likeliest."""
    return asked.number("account") if asked.given.get("account") not in (None, "") else None


def _reply(asked: Asked) -> ReplyKey:
    return ReplyKey(key_of(asked).brand_id, asked.number("reply"))


def _event(asked: Asked) -> int:
    return asked.number("event")


def _hash(asked: Asked) -> str:
    return asked.text("hash", longest=64)


def _reason(asked: Asked) -> str | None:
    return asked.text("reason", longest=500) or None


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


READS: dict[str, Read] = {"reply.checks": look, "replies.asked": asked_of_me}
ACTS: dict[str, Act] = {
    "reply.save": save,
    "reply.submit": submit,
    "reply.confirm": confirm,
    "reply.edit": edit,
    "reply.withdraw": withdraw,
    "reply.sign": sign,
    "reply.return": send_back,
    "reply.native": native,
    "reply.arrived": arrived,
    "reply.lost": lost,
}
