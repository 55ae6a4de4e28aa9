"""Hostile payloads from a seed: the naughty strings (tests/naughty, MIT), what they leave out, and wrong types."""

from __future__ import annotations

import csv
import io
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

NAUGHTY = Path(__file__).parent / "naughty" / "strings.json"
# What the list leaves out: what a file, an index, a COPY or a query could trip over.
OTHERS = (
    "",
    " \t\r\n",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udfff\ud800y",
    "\ud83d\ude00 in halves",
    "\ufffe\uffff\U0010ffff\U000e0001",
    "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\x1f\x7f",
    "\u202e\u2066\u2069\u200b\u200d\ufeff",
    "e" + "\u0301" * 3_000,
    "w" * 5_000,
    "corvane " * 6_000,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 500,
    "\\N\t\\.\n\\",
    '{"a",NULL}\',%s:name?$1%(x)s',
    "'; drop table mention; --",
    "</item></channel>]]><!--",
    "&#0;&#xD800;&amp;amp;lt;script&gt;",
    '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "<p>" * 2_000,
    "=cmd|' /C calc'!A0",
    "\"unbalanced, 'quotes\n",
    "https://" + "a" * 3_000,
    "@" * 500,
    "#" + "\u0130\u0131\u1e9e\ufb01" * 50,
    "(" * 300 + ")" * 299,
    "NEAR/99999999999999999999 OR NOT -",
    "ελλάδα 日本語 עברית हिन्दी",
    "null",
    "NaN",
)
NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2**31, 2**40, 2**40 + 1, 2**63, -(2**63) - 1, 10**30, 10**400),
    *(0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf"), True, None, "12", "1,200", "1e5", "٣", "²", "0x10"),
)
INSTANTS: tuple[Any, ...] = (
    *("2026-11-19T14:00:00Z", "2026-11-19 14:00:00 +0100", "Thu, 19 Nov 2026 14:00:00 GMT", "1763560800"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"),
    *("2026-02-30T00:00:00Z", "2026-11-19T24:00:00Z", "2026-11-19T23:59:60Z", "2026-11-19T14:00:00+99:99"),
    *("0", "-1", "1e18", "99999999999999999999", "Mon, 99 Foo 0000", "", None, 0, -1, 1e300, float("nan"), [], {}),
)


@cache
def naughty_strings() -> tuple[str, ...]:
    """Every string of the list."""
    return tuple(json.loads(NAUGHTY.read_text("utf-8")))


class Payloads:
    """Values that a network, a file or a person could send, from one seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def string(self) -> str:
        """A string of the lists, two of them, or characters from everywhere."""
        dice = self.dice
        kind = dice.random()
        if kind < 0.45:
            return dice.choice(naughty_strings())
        if kind < 0.75:
            return dice.choice(OTHERS)
        if kind < 0.9:
            return dice.choice(naughty_strings()) + dice.choice(OTHERS[:12]) + " corvane " + dice.choice(OTHERS[:12])
        ceiling = dice.choice((0x20, 0x7F, 0x800, 0x10000, 0x110000))
        return "".join(chr(dice.randrange(ceiling)) for _ in range(dice.randint(1, 60)))

    def value(self, depth: int = 0) -> Any:
        """Anything that JSON can say."""
        kind = self.dice.random()
        if kind < 0.5 or depth > 3:
            return self.string()
        if kind < 0.7:
            return self.dice.choice(NUMBERS)
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(self.dice.randint(0, 3))]
        if kind < 0.9:
            return {self.string(): self.value(depth + 1) for _ in range(self.dice.randint(0, 3))}
        return self.dice.choice(INSTANTS)

    def maybe(self, good: Any, odds: float = 0.35) -> Any:
        """What should stand there, or anything."""
        return self.value() if self.dice.random() < odds else good

    def text(self) -> Any:
        """A text that mostly is one."""
        return self.string() if self.dice.random() < 0.85 else self.value()

    # -- what each parser reads

    def feed_entry(self, number: int) -> str:
        """An entry of RSS with its own id, escaped as XML wants it."""
        guid = escaped(f"guid-{number}")
        parts = [f"<guid isPermaLink='false'>{guid}</guid>"]
        names = ("title", "description", "link", "author", "dc:creator", "category", "content:encoded")
        # The feed parser takes the square of an author's length; what that may take is bounded where it is called.
        longest = {"author": 300, "dc:creator": 300}
        parts += [
            f"<{name}>{escaped(self.string()[: longest.get(name)])}</{name}>"
            for name in names
            if self.dice.random() < 0.6
        ]
        parts.append(f"<pubDate>{escaped(str(self.dice.choice(INSTANTS)))}</pubDate>")
        if self.dice.random() < 0.2:
            parts.append(f"<media:content url={attribute(self.string())} type={attribute(self.string())}/>")
        return f"<item>{''.join(parts)}</item>"

    def feed(self, entries: list[str]) -> bytes:
        """A feed of entries; what it says of itself is hostile too."""
        head = "".join(f"<{name}>{escaped(self.string())}</{name}>" for name in ("title", "link", "language"))
        spaces = (
            'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
            ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        )
        whole = f'<?xml version="1.0"?><rss version="2.0" {spaces}><channel>{head}{"".join(entries)}</channel></rss>'
        return whole.encode("utf-8", "surrogatepass")

    def x_post(self, identity: str) -> dict[str, Any]:
        """A post as X gives it, with its own id."""
        strange = {name: self.value() for name in self.dice.sample(X_FIELDS, self.dice.randint(0, 5))}
        return {
            "text": self.text(),
            "author_id": self.maybe("77"),
            "created_at": self.maybe(self.dice.choice(INSTANTS)),
            "conversation_id": self.maybe(identity),
            "public_metrics": self.maybe({name: self.dice.choice(NUMBERS) for name in X_METRICS}),
            "referenced_tweets": self.maybe([{"type": "replied_to", "id": self.maybe("5")}]),
            "geo": self.maybe({"place_id": "p", "coordinates": {"coordinates": [self.maybe(4.9), self.maybe(52.3)]}}),
            **strange,
            "id": identity,
        }

    def x_includes(self) -> Any:
        """What stands beside the posts."""
        user = {"id": "77", "username": self.text(), "name": self.text(), "location": self.text()}
        metrics = {"followers_count": self.dice.choice(NUMBERS)}
        place = {"id": "p", "full_name": self.text(), "geo": self.maybe({"bbox": [4.8, 52.3, 5.0, 52.4]})}
        return self.maybe({"users": [{**user, "public_metrics": metrics}], "places": [place]}, 0.1)

    def row(self, identity: str) -> dict[str, Any]:
        """A row of a file, with its own id."""
        plain: dict[str, Any] = {name: self.maybe("", 0.5) for name in ROW if name not in ("text", "posted_at")}
        plain |= {"text": self.text(), "posted_at": self.maybe(self.dice.choice(INSTANTS)), "id": identity}
        plain |= {name: self.dice.choice(NUMBERS) for name in ("likes", "followers", "latitude", "longitude")}
        return plain

    def csv(self, rows: list[dict[str, Any]]) -> bytes:
        """The rows as CSV, their cells as they are."""
        table = io.StringIO()
        writer = csv.writer(table, quoting=csv.QUOTE_ALL)
        writer.writerow(ROW)
        writer.writerows([["" if row[name] is None else cell(row[name]) for name in ROW] for row in rows])
        return table.getvalue().encode("utf-8", "surrogatepass")

    def organisation(self, number: int) -> str:
        """A TOML of a brand, a location, a team and an account whose words are hostile."""
        # One word or two: each is refused for its own sake.
        strange = self.dice.sample(range(12), self.dice.randint(1, 2))
        quoted = [json.dumps(self.string(), ensure_ascii=False) if n in strange else PLAIN_WORDS[n] for n in range(12)]
        name, key, rule, rival, place, alias, zone, team, cover, handle, label, language = quoted
        own = key if 1 in strange else f'"brand-{number}"'
        return (
            f"[organisation]\nname = {name}\nlanguages = [{language}]\n"
            f"[[brand]]\nkey = {own}\nname = {label}\nrules = [{rule}]\n"
            + (f"competitors = [{rival}]\n" if 3 in strange else "")
            + f'[[location]]\nkey = "place-{number}"\nname = {place}\naliases = [{alias}]\n'
            + f"zone = {zone}\n"
            + f'[[team]]\nkey = "team-{number}"\nname = {team}\n'
            + (f'covers = [{{ brand = "*", location = {cover} }}]\n' if 8 in strange else "")
            + f'[[account]]\nnetwork = "x"\nhandle = "h{number}"\nname = {handle}\nkind = "company"\nbrand = {own}\n'
        )


ROW = (
    *("id", "text", "posted_at", "author", "author_name", "followers", "likes", "latitude", "longitude", "place"),
    *("home", "url", "language", "reply_to", "conversation"),
)
PLAIN_WORDS = (
    *('"Meridian"', '"brand"', '"corvane"', '"rival"', '"Mitte"', '"centre"', '"Europe/Berlin"', '"Care"'),
    *('"berlin"', '"Corvane cares"', '"Corvane"', '"en"'),
)
X_METRICS = ("like_count", "reply_count", "retweet_count", "impression_count")
X_FIELDS = ("lang", "attachments", "edit_history_tweet_ids", "note_tweet", "withheld", "entities", "source", "possibly")


def cell(value: Any) -> str:
    """A value as a cell."""
    return value if isinstance(value, str) else json.dumps(value)


def escaped(text: str) -> str:
    """Text as XML may hold it; a control character is written as the reference that XML forbids."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(c if c >= " " or c in "\t\n" else f"&#{ord(c)};" for c in plain)


def attribute(text: str) -> str:
    """Text as the value of an XML attribute."""
    return '"' + escaped(text).replace('"', "&quot;") + '"'
