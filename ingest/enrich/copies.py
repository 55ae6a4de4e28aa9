"""Which posts say the same: reposts by hand, chain letters, campaigns. Each post gets the number of its group.

Texts are compared without what copying changes: "RT @x:", links, handles, emoji, punctuation, case. Equal ones are
found by that alone, nearly equal ones by MinHash, and every candidate is then compared for real. Nothing is deleted.
"""

from __future__ import annotations

import hashlib
import html
import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add

from rensa import RMinHash, RMinHashLSH

from ingest.found import Found

DEFAULT_SIZE = 50_000
DEFAULT_AGE = timedelta(hours=72)
# Shorter texts ("thank you so much") are alike by chance: only equal ones are copies.
FEWEST_WORDS = 5
# Of the words and pairs of neighbouring words of two texts, the share that both have. One word changed in the middle of
# five is 0.5, of ten 0.73.
ALIKE = 0.5
# Of a long text its beginning is compared, so that 50,000 of them fit into memory.
LONGEST_TEXT = 2_000
# Of the texts that share a band with it, a text is compared with the newest.
MOST_CANDIDATES = 100
# 16 bands of 4: a pair at 0.5 is a candidate in 64 % of cases, at 0.6 in 89 %, at 0.73 in 99 %, one at 0.1 in 0.2 %.
PERMUTATIONS = 64
BANDS = 16
SEED = 42
_REPOST = re.compile(r"\s*(?:rt|mt)\s+@\w+\s*:?\s*")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,6}/\S*")
_HANDLE = re.compile(r"@\w+(?:[.@]\w+)*")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc]")
# A character of a script that writes no spaces between words counts as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(f"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\\W_])+")
_ASCII_WORDS = re.compile("[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class First:
    """The post that began a group of copies."""

    network: str
    author_key: str
    posted_at: datetime


@dataclass(slots=True)
class _Text:
    """A text of the window: its group, when it was last said, its number in the index where it stands for its group."""

    words: str
    copy_id: int
    last_at: datetime
    number: int | None = None


class Copies:
    """The newest `size` posts and texts; texts that were last said more than `age` ago start anew.

    `read_to` is how far the stored mentions of each brand were taken in (see ingest/recent.py). May be used by several
    threads.
    """

    def __init__(self, size: int = DEFAULT_SIZE, age: timedelta = DEFAULT_AGE) -> None:
        self.read_to: dict[int, int] = {}
        self._size = size
        self._age = age
        self._lock = threading.Lock()
        self._posts: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._firsts: OrderedDict[int, First] = OrderedDict()
        self._texts: OrderedDict[str, _Text] = OrderedDict()
        # Only the text that began a group is looked for: compared with any copy, a group would drift.
        self._heads: dict[int, _Text] = {}
        self._head_of: dict[int, int] = {}
        self._index = RMinHashLSH(ALIKE, PERMUTATIONS, BANDS)
        self._next = 0

    def groups(self, posts: Sequence[Found]) -> list[int]:
        """For each post the number of its group, in their order: made from the network and id of its first post."""
        words = [normalised(post.text) for post in posts]
        sketches = _sketches(words)
        order = sorted(range(len(posts)), key=lambda at: (posts[at].posted_at, posts[at].external_id))
        found = [0] * len(posts)
        with self._lock:
            for at in order:
                post = posts[at]
                found[at] = self._group(post, words[at], sketches[at])
            self._shrink()
        return found

    def first(self, post: Found, copy_id: int) -> First | None:
        """The post that a post copies, by its group; None for the first one itself, and where the window lost it."""
        found = self._firsts.get(copy_id)
        return None if found is None or copy_id == own_id(post.network, post.external_id) else found

    def remember(
        self,
        network: str,
        external_id: str,
        text: str,
        posted_at: datetime,
        copy_id: int,
        *,
        author_key: str | None = None,
    ) -> None:
        """Take in a post that another worker stored, in its group."""
        words = normalised(text)
        sketch = _sketches([words])[0]
        with self._lock:
            if (network, external_id) in self._posts:
                return
            self._posts[network, external_id] = copy_id
            if author_key is not None and copy_id == own_id(network, external_id):
                self._firsts[copy_id] = First(network, author_key, posted_at)
            same = self._texts.get(words)
            if same is not None and same.copy_id != copy_id and abs(posted_at - same.last_at) <= self._age:
                # Two workers began it at once: every worker settles on the same one of the two.
                self._rename(same, min(copy_id, same.copy_id))
            self._say(words, sketch, posted_at, copy_id)
            self._shrink()

    def knows(self, network: str, external_id: str) -> bool:
        """Whether the post is in the window."""
        return (network, external_id) in self._posts

    def __len__(self) -> int:
        """How many posts are in the window."""
        return len(self._posts)

    def _group(self, post: Found, words: str, sketch: RMinHash | None) -> int:
        """The group of a post: the one it has, that of what it reposts, of its text, of a text alike, else its own."""
        name = (post.network, post.external_id)
        known = self._posts.get(name)
        if known is not None:
            return known
        copy_id = None if post.repost_of is None else self._posts.get((post.network, post.repost_of))
        same = self._texts.get(words)
        if copy_id is None and same is not None and abs(post.posted_at - same.last_at) <= self._age:
            copy_id = same.copy_id
        if copy_id is None and sketch is not None:
            copy_id = self._alike(words, sketch, post.posted_at)
        if copy_id is None:
            copy_id = own_id(*name)
            self._firsts[copy_id] = First(post.network, post.author.key, post.posted_at)
        self._posts[name] = copy_id
        self._say(words, sketch, post.posted_at, copy_id)
        return copy_id

    def _say(self, words: str, sketch: RMinHash | None, at: datetime, copy_id: int) -> None:
        """Note that a text was said, in a group; the first text of a group stands for it."""
        if not words:
            return
        text = self._texts.get(words)
        if text is not None and at - text.last_at > self._age:
            self._forget(text)
            text = None
        if text is None:
            text = self._texts[words] = _Text(words, copy_id, at)
            if sketch is not None and copy_id not in self._head_of:
                text.number = self._next
                self._next += 1
                self._heads[text.number] = text
                self._head_of[copy_id] = text.number
                self._index.insert(text.number, sketch)
        self._keep(text, at)
        head = self._head_of.get(copy_id)
        if head is not None and head != text.number:
            # While a text is copied, what its copies are compared with stays.
            self._keep(self._heads[head], at)
        if copy_id in self._firsts:
            self._firsts.move_to_end(copy_id)

    def _keep(self, text: _Text, at: datetime) -> None:
        text.last_at = max(text.last_at, at)
        self._texts.move_to_end(text.words)

    def _alike(self, words: str, sketch: RMinHash, at: datetime) -> int | None:
        """The group of the text most alike, where one is alike enough and was said lately."""
        candidates = self._index.query(sketch)
        if not candidates:
            return None
        own = set(_features(words))
        best: _Text | None = None
        most = ALIKE
        for number in sorted(candidates)[-MOST_CANDIDATES:]:
            text = self._heads[number]
            other = _features(text.words)
            both = len(own.intersection(other))
            share = both / (len(own) + len(set(other)) - both)
            if share >= most and abs(at - text.last_at) <= self._age and (best is None or share > most):
                best, most = text, share
        return None if best is None else best.copy_id

    def _rename(self, text: _Text, copy_id: int) -> None:
        if text.number is not None and self._head_of.get(text.copy_id) == text.number:
            del self._head_of[text.copy_id]
            self._head_of.setdefault(copy_id, text.number)
        text.copy_id = copy_id

    def _forget(self, text: _Text) -> None:
        del self._texts[text.words]
        if text.number is not None:
            self._index.remove(text.number)
            del self._heads[text.number]
            if self._head_of.get(text.copy_id) == text.number:
                del self._head_of[text.copy_id]

    def _shrink(self) -> None:
        while len(self._posts) > self._size:
            self._posts.popitem(last=False)
        while len(self._firsts) > self._size:
            self._firsts.popitem(last=False)
        while len(self._texts) > self._size:
            self._forget(next(iter(self._texts.values())))


def own_id(network: str, external_id: str) -> int:
    """The number of the group that a post begins: 63 bits, the same wherever it is worked out."""
    digest = hashlib.blake2b(f"{network}\0{external_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def normalised(text: str) -> str:
    """The words of a text that copying keeps, in small letters, apart by spaces; empty where nothing is left."""
    text = text[:LONGEST_TEXT]
    small = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    if "&" in small and ";" in small:
        small = html.unescape(small)
    while (prefix := _REPOST.match(small)) is not None:
        small = small[prefix.end() :]
    if "/" in small or "www." in small:
        # Word by word: over the whole text it costs as much as everything else together.
        small = " ".join([_LINK.sub(" ", word) if "/" in word or "www." in word else word for word in small.split()])
    if "@" in small:
        small = _HANDLE.sub(" ", small)
    if small.isascii():
        return " ".join(_ASCII_WORDS.findall(small.replace("'", "")))
    return " ".join(_WORDS.findall(_APOSTROPHES.sub("", small)))


def _sketches(texts: Sequence[str]) -> list[RMinHash | None]:
    """A MinHash of each text that is long enough for one."""
    features = [_features(text) for text in texts]
    # n words are 2 n - 1 features.
    long = [each for each in features if len(each) >= 2 * FEWEST_WORDS - 1]
    made = iter(RMinHash.from_token_sets(long, num_perm=PERMUTATIONS, seed=SEED))
    return [next(made) if len(each) >= 2 * FEWEST_WORDS - 1 else None for each in features]


def _features(words: str) -> list[str]:
    """The words and the pairs of neighbours."""
    singles = words.split(" ")
    return [*singles, *map(add, singles, singles[1:])]
