"""One case as the desk draws it: who it is with, the conversation with what happened between, what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dashboard import style
from dashboard.asks import case_beside, case_words
from dashboard.asks.case_beside import Facts
from dashboard.asks.case_words import Names
from dashboard.panels import feed, queue
from models.access import DRAFT, SEND, SIGN_OFF, SUBMIT, WORK, Access
from models.case_posts import CasePost
from models.case_reading import QueueRow
from models.case_steps import CLOSED, MATTERS, Event
from models.case_view import CaseView
from models.networks import BY_ID
from models.organisation import Account, Organisation
from models.replies import Reply
from models.reply_steps import APPROVED, AWAITING, DRAFTED, FAILED, RETURNED, SENT, UNKNOWN, WITHDRAWN
from models.replyable import Replyable

LONGEST_TEXT = 20_000
EXCERPT = 200


def case(facts: Facts, who: Access, organisation: Organisation, now: datetime) -> dict[str, Any]:
    """The case in plain JSON; instants in ISO, ids as text."""
    view, row = facts.view, facts.view.case
    network = BY_ID.get(row.network_id)
    names = Names(
        view.names,
        organisation,
        queue.name_of(row.author_name, row.author_handle),
        network.name if network else "the network",
    )
    at = {"brand_id": row.key.brand_id, "location_id": row.location_id, "team_id": row.team_id}
    may = {right: who.may_for(right, organisation, **at) for right in (WORK, DRAFT, SUBMIT, SEND, SIGN_OFF)}
    shown = queue.row(
        QueueRow(row, None, None, row.holder(now), view.holder_name, "", awaiting=False),
        organisation,
        view.names,
    )
    accounts = {account.id: account for account in organisation.accounts}
    return shown | {
        "state": queue.STATES[row.state],
        "closed": row.state in CLOSED,
        "handle": row.author_handle if row.author_handle and row.author_handle != shown["name"] else "",
        "level": row.level,
        "tags": list(row.tags),
        "mine": view.is_mine,
        "token": view.token,
        "may": may,
        "url": feed.web_address(facts.way.url),
        "reply": _way(facts.way),
        "earlier": [_earlier(facts, past, organisation) for past in view.author.cases],
        "thread": _thread(facts, who, names, accounts, may),
        "events": [_newer(event, names, view, who) for event in view.events if event.kind in MATTERS],
        "draft": _draft(facts.draft),
        "panel": _panel(facts, who, may),
        "customer": case_beside.customer(facts, network.name if network else "Other"),
        "similar": [
            {"text": item.text, "note": case_beside.alike(item, facts.people, accounts, organisation)}
            for item in view.similar
        ],
        "notes": [
            {"text": str(note.details.get("text", "")), "who": note.actor, "at": note.at.isoformat()}
            for note in reversed(view.notes)
        ],
        "trail": case_beside.trail(facts, names),
        "service": case_beside.service(facts, now),
    }


def _way(way: Replyable) -> dict[str, Any]:
    """Whether it can be answered, how, and as whom; the reason where not by a click."""
    return {
        "how": way.how,
        "why": _sentence(way.reason),
        "account": "" if way.account_id is None else str(way.account_id),
        "accounts": [{"id": str(item.id), "name": _account_name(item)} for item in way.accounts],
        "frozen": way.hold is not None and way.hold.is_frozen,
    }


def _account_name(account: Account) -> str:
    return account.handle if account.handle.startswith("@") else f"@{account.handle}"


# -- the conversation ----------------------------------------------------------------------------------------


def _thread(
    facts: Facts, who: Access, names: Names, accounts: Mapping[int, Account], may: Mapping[str, bool]
) -> list[dict[str, Any]]:
    view = facts.view
    told = {event.mention_id: event.number for event in view.events if event.mention_id is not None}
    items = [(post.posted_at or view.case.opened_at, 0, _post(post, view, told, accounts)) for post in view.posts]
    items += [(event.at, 1, _between(event, names)) for event in view.events if event.kind in case_words.BETWEEN]
    posted = {post.reply_id for post in view.posts if post.reply_id is not None}
    for reply in facts.replies:
        is_there = reply.state == SENT and reply.key.id in posted
        if reply.state not in (DRAFTED, WITHDRAWN) and not is_there:
            items.append((_time_of(reply), 2, _reply(reply, who, accounts, may)))
    return [item for _, _, item in sorted(items, key=lambda found: found[:2])]


def _time_of(reply: Reply) -> datetime:
    return reply.sent_at or reply.submitted_at or reply.changed_at


def _post(post: CasePost, view: CaseView, told: Mapping[int, int], accounts: Mapping[int, Account]) -> dict[str, Any]:
    ours = post.account_id is not None
    account = accounts.get(post.account_id) if post.account_id is not None else None
    glyph, word, tone = feed.SENTIMENTS.get(post.sentiment, ("", "", "")) if post.sentiment is not None else ("",) * 3
    person = view.names.get(post.person_id, "") if post.person_id is not None else ""
    is_mine = post.is_customer or ours
    item: dict[str, Any] = {
        "key": f"p{post.external_id}",
        "kind": "post",
        "ours": ours,
        "who": account.name if account is not None else post.author or post.handle or "Somebody",
        "about": f"by {person}" if person else "" if is_mine else "somebody else",
        "text": feed.pieces(post.text, post.matched, longest=LONGEST_TEXT) if post.text is not None else None,
        "lang": post.language or "",
        "url": feed.web_address(post.url),
        "n": told.get(post.mention_id, 0) if post.mention_id is not None else 0,
    }
    if post.posted_at is not None:
        item["at"] = post.posted_at.isoformat()
    if word and not ours:
        item |= {"glyph": glyph, "word": word, "tone": tone}
    if post.media:
        item["media"] = [feed.media_words(kind, alt) for kind, alt in post.media]
    if post.deleted:
        item["gone"] = 1
    if post.edited_at is not None:
        item["edited"] = post.edited_at.isoformat()
    if not is_mine:
        item["depth"] = 1
    if post.external_id == view.answering and view.case.waiting_since is not None:
        item["answering"] = 1
    return item


def _between(event: Event, names: Names) -> dict[str, Any]:
    item: dict[str, Any] = {
        "key": f"e{event.number}",
        "kind": "event",
        "at": event.at.isoformat(),
        "words": case_words.said(event, names),
    }
    # What was sent back is shown with the reply, not with the event.
    if event.kind in ("noted", "handed_over") and event.details.get("text"):
        item |= {"text": str(event.details["text"]), "note": 1}
    return item


def _newer(event: Event, names: Names, view: CaseView, who: Access) -> dict[str, Any]:
    post = next((p for p in view.posts if p.mention_id is not None and p.mention_id == event.mention_id), None)
    text = post.text if post is not None and not post.deleted else event.details.get("text")
    return {
        "n": event.number,
        "at": event.at.isoformat(),
        "words": case_words.said(event, names),
        "matters": True,
        "mine": event.person_id == who.person_id,
        "text": queue.excerpt(str(text), EXCERPT) if text else "",
    }


def _earlier(facts: Facts, past: Any, organisation: Organisation) -> dict[str, str]:
    opened = past.opened_at.astimezone(organisation.zone_info)
    words = f"{opened:%-d %b %Y}: {', '.join(past.tags)}" if past.tags else f"{opened:%-d %b %Y}"
    if past.resolved_at is not None:
        words += f", solved in {style.span_words((past.resolved_at - past.opened_at).total_seconds())}"
    else:
        words += f", {queue.STATES[past.state]}"
    return {"id": str(past.key), "words": words}


# -- replies -------------------------------------------------------------------------------------------------


def _reply(reply: Reply, who: Access, accounts: Mapping[int, Account], may: Mapping[str, bool]) -> dict[str, Any]:
    account = accounts.get(reply.account_id) if reply.account_id is not None else None
    is_mine = reply.author_id == who.person_id
    item: dict[str, Any] = {
        "key": f"r{reply.key.id}",
        "kind": "reply",
        "id": str(reply.key.id),
        "state": reply.state,
        "who": reply.author,
        "mine": is_mine,
        "about": f"as {_account_name(account)}" if account is not None else "",
        "at": _time_of(reply).isoformat(),
        "text": reply.text,
        "says": _says(reply),
        "can": _can(reply, is_mine, may),
    }
    if reply.state == APPROVED and reply.send_at is not None:
        item["send_at"] = reply.send_at.isoformat()
    return item


def _says(reply: Reply) -> list[str]:
    words = []
    if reply.state == APPROVED and reply.is_native:
        words.append("Post it by hand on the network; it is found there by itself.")
    if reply.state == UNKNOWN and not reply.is_native:
        words.append("The network did not answer. It is looked for there; nothing is sent again by itself.")
    if reply.state == UNKNOWN and reply.is_native:
        words.append("It is looked for on the network.")
    words += [f"Signed by {item.actor}." for item in reply.signed if item.verdict == "signed" and item.in_force]
    if reply.error and reply.state in (RETURNED, FAILED, UNKNOWN):
        returned = next((item for item in reversed(reply.signed) if item.verdict == "returned"), None)
        by = f"{returned.actor}: " if returned is not None and returned.reason == reply.error else ""
        words.append(_sentence(f"{by}{reply.error}"))
    return words


def _can(reply: Reply, is_mine: bool, may: Mapping[str, bool]) -> list[list[str]]:
    """What this person may do with it: [act, words of the button]."""
    if reply.state == AWAITING:
        if is_mine:
            return [["edit", "Take it back and edit"]]
        return [["withdraw", "Withdraw"]] if may[SIGN_OFF] else []
    if reply.state == RETURNED and is_mine:
        if reply.waits_for_one_key and may[SEND]:
            return [["confirm", "Send it now"], ["edit", "Edit"], ["withdraw", "Withdraw"]]
        return [["withdraw", "Withdraw"]]
    if reply.state == APPROVED and is_mine:
        return [["native", "I posted it by hand"], ["edit", "Edit"]] if reply.is_native else [["edit", "Undo"]]
    if reply.state == UNKNOWN and may[SEND]:
        return [["arrived", "It arrived"], ["lost", "It did not arrive"]]
    if reply.state == FAILED and is_mine:
        return [["again", "Write it again"]]
    return []


def _draft(draft: Reply | None) -> dict[str, Any] | None:
    """What goes into the composer; a signed reply that only waits for one key stays where it is."""
    if draft is None or draft.waits_for_one_key:
        return None
    return {
        "id": str(draft.key.id),
        "hash": draft.text_hash,
        "text": draft.text,
        "account": "" if draft.account_id is None else str(draft.account_id),
        "at": draft.changed_at.isoformat(),
    }


def _panel(facts: Facts, who: Access, may: Mapping[str, bool]) -> dict[str, Any] | None:
    """The reply that waits for a signature: to be judged by this person, or to be waited for."""
    waiting = next((reply for reply in facts.replies if reply.state == AWAITING), None)
    if waiting is None:
        return None
    has_signed = any(item.person_id == who.person_id and item.in_force for item in waiting.signed)
    is_mine = waiting.author_id == who.person_id
    given = sum(item.in_force and item.verdict == "signed" for item in waiting.signed)
    needed = "one signature" if waiting.signatures == 1 else f"{waiting.signatures} signatures"
    says = [f"{given} of {needed} given" if given else f"Needs {needed}"]
    if waiting.needs_manager:
        says[0] += ", one of a senior manager" if waiting.signatures > 1 else " of a senior manager"
    return {
        "id": str(waiting.key.id),
        "hash": waiting.text_hash,
        "who": waiting.author,
        "mine": is_mine,
        "may": may[SIGN_OFF] and not is_mine and not has_signed,
        "asked": (waiting.submitted_at or waiting.changed_at).isoformat(),
        "text": waiting.text,
        "before": _sent_back(facts.view.events, waiting),
        "why": [_sentence(words) for words in waiting.why],
        "says": [f"{words}." for words in says],
    }


def _sent_back(events: Iterable[Event], reply: Reply) -> str:
    """The text of this reply that was sent back last, where another stands now."""
    texts = [
        event.details.get("text")
        for event in events
        if event.kind == "sent_back" and event.reply_id == reply.key.id and event.details.get("text")
    ]
    return str(texts[-1]) if texts and texts[-1] != reply.text else ""


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."
