"""Published replies: the simulated network takes them, shows them, and its customers react."""

from __future__ import annotations

from datetime import timedelta

import orjson

from ingest.found import Author, Found, Gone
from ingest.simulation import desk
from ingest.simulation.agenda import Post, find, state
from ingest.simulation.dice import UNIT, sixteen
from ingest.simulation.drafts import Draft
from ingest.simulation.fate import MINUTE
from ingest.simulation.identities import REMEMBERED, external_id, number_of, numbered
from ingest.simulation.memory import Memory, Remembered
from ingest.simulation.ours import OwnPost, account_by_handle
from ingest.simulation.people import Person, carried
from ingest.simulation.posts import EPOCH, SAY_LANGUAGE, WITH_HANDLES, Simulation, counts, link
from ingest.simulation.speech import LANGUAGES
from ingest.simulation.threads import Step, first_name
from ingest.simulation.world import NETWORKS, TALKS
from models.errors import ConnectorError

# Longest text a network takes.
LONGEST = {"x": 280, "bluesky": 300, "mastodon": 500, "reddit": 10_000, "youtube": 10_000}
# Microseconds from a published reply to its delivery: longer than any commit of it, or a page could pass it by.
_DELIVERY = 3_000_000
# What a customer makes of it, as running sums; the rest stays silent.
_CONTENT, _ANGRY = 0.5, 0.75
_SOON = (1.0, 15.0)
_PATIENCE = (60.0, 240.0)


def take(
    simulation: Simulation,
    memory: Memory,
    network: int,
    handle: str,
    *,
    reply_to: str | None,
    text: str,
    key: str,
    posted: int,
) -> str:
    """Publish a reply of the account `handle` and return its external id; `posted` in microseconds since 1970.

    The same `key` again publishes nothing and returns the id of the first time. ConnectorError(kind="gone") where the
    post to answer is not there, kind="unknown" for an account or a text that the network does not take.
    """
    name = NETWORKS[network]
    account = account_by_handle(network, handle)
    if account is None:
        raise _refusal(f'the simulated {name} knows no account "{handle}" of ours')
    longest = LONGEST.get(name, 0)
    if not text.strip() or len(text) > longest:
        raise _refusal(f"the simulated {name} takes texts of 1 to {longest:,} characters, not {len(text):,}")
    author = account.who.author
    target = root = answered = None
    language = "en"
    if reply_to is not None and memory.post_by_key(name, key) is None:
        answered = _there(simulation, memory, network, reply_to, posted)
        target = number_of(name, answered.external_id)
        root = number_of(name, answered.conversation or answered.external_id)
        language = _language(simulation, network, answered, root)
    kept = None
    while kept is None:
        number = numbered(posted, REMEMBERED)
        reactions: list[Remembered] = []
        if answered is not None and account_by_handle(network, answered.author.key) is None:
            said = (name, author.handle or "", TALKS[account.talk].names[0], language)
            reactions = _reactions(simulation.seed, said, number, posted, answered, root)
        packed, at = _packed(author, None), posted + _DELIVERY
        reply = Remembered(name, number, posted, at, author.key, packed, text, None, target, root, key)
        kept = memory.keep(reply, reactions)
        posted += 1
    return external_id(name, kept.number)


def remembered_state(post: Remembered, as_of: int) -> Found:
    """What the network shows of a remembered post at an instant (microseconds since 1970)."""
    author, home = _unpacked(post.author)
    drawn = sixteen(f"{post.network}/{post.number}".encode())
    who = Person(author=author, home=home, carried=min(carried(author.followers), 0.6), hides=None)
    return Found(
        network=post.network,
        external_id=external_id(post.network, post.number),
        posted_at=EPOCH + timedelta(0, 0, post.posted),
        text=post.body,
        author=author,
        kind="post" if post.reply_to is None else "reply",
        url=link(post.network, author.handle or "", post.number),
        reply_to=None if post.reply_to is None else external_id(post.network, post.reply_to),
        language=post.language if post.network in SAY_LANGUAGE else None,
        counts=counts(post.network, who, drawn, as_of - post.posted),
        home=home,
        conversation=None if post.root is None else external_id(post.network, post.root),
    )


def look(
    simulation: Simulation, memory: Memory, network: int, external_id: str, as_of: int, answered: dict[int, int]
) -> Found | Gone | None:
    """What the network shows of an id at an instant; None for what it never had or does not have yet.

    `answered` = conversations with a published reply (Memory.answered): the simulated ones end there.
    """
    number = number_of(NETWORKS[network], external_id)
    if number is None:
        return None
    kept = memory.post(NETWORKS[network], number)
    if kept is not None:
        return remembered_state(kept, as_of) if kept.posted <= as_of else None
    post = find(simulation, network, external_id)
    if post is None or post.posted > as_of or is_dropped(post, answered):
        return None
    return state(simulation, post, as_of)


def is_dropped(post: Post, answered: dict[int, int]) -> bool:
    """Whether a step of a simulated conversation never came about, because a published reply was there before it."""
    return isinstance(post, Step) and answered.get(post.root.number, post.posted) < post.posted


def _there(simulation: Simulation, memory: Memory, network: int, external_id: str, as_of: int) -> Found:
    found = look(simulation, memory, network, external_id, as_of, {})
    if isinstance(found, Found):
        return found
    why = f"is {found.reason}" if isinstance(found, Gone) else "is not there"
    raise ConnectorError(
        f"the post to answer, {external_id} on the simulated {NETWORKS[network]}, {why}", permanent=True, kind="gone"
    )


def _language(simulation: Simulation, network: int, answered: Found, root: int | None) -> str:
    if answered.language in LANGUAGES:
        return answered.language
    # On networks that say no language, it is that of whom the conversation began with.
    begun = find(simulation, network, external_id(NETWORKS[network], root)) if root is not None else None
    if isinstance(begun, Draft):
        return begun.language
    if isinstance(begun, Step):
        return begun.root.language
    assert begun is None or isinstance(begun, OwnPost)
    return "en"


def _reactions(
    seed: int, said: tuple[str, str, str, str], reply: int, posted: int, answered: Found, root: int | None
) -> list[Remembered]:
    network, handle, brand, language = said
    drawn = sixteen(f"{seed}/reaction/{network}/{reply}".encode())
    if drawn[0] * UNIT >= _ANGRY:
        return []
    tones = [(desk.CONTENT, _SOON)] if drawn[0] * UNIT < _CONTENT else [(desk.ANGRY, _SOON), (desk.WAITING, _PATIENCE)]
    reactions = []
    parent = reply
    for place, (tone, (shortest, longest)) in enumerate(tones, start=1):
        posted += int(shortest * (longest / shortest) ** (drawn[2 * place] * UNIT) * MINUTE)
        number = numbered(posted, REMEMBERED + place)
        text = desk.said(
            language, tone, drawn[2 * place + 1] & 0xFFFF, brand=brand, name=first_name(answered.author.name)
        )
        if network in WITH_HANDLES:
            text = f"@{handle} {text}"
        author = _packed(answered.author, answered.home)
        reactions.append(
            Remembered(network, number, posted, posted + _DELIVERY, None, author, text, language, parent, root)
        )
        parent = number
    return reactions


def _packed(author: Author, home: str | None) -> str:
    return orjson.dumps([author.key, author.handle, author.name, author.followers, home]).decode()


def _unpacked(packed: str) -> tuple[Author, str | None]:
    key, handle, name, followers, home = orjson.loads(packed)
    return Author(key, handle, name, followers), home


def _refusal(reason: str) -> ConnectorError:
    return ConnectorError(reason, permanent=True, kind="unknown")
