"""What a form asks for each kind of source that people add on the screen: fields, labels, which of them are secret.

The words live here because the screen must not know the connectors; a test holds that both name the same settings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from models.errors import InputError

LONGEST_VALUE = 4_000
FASTEST_SECONDS, SLOWEST_SECONDS = 1.0, 86_400.0
LARGEST_BUDGET = 1_000_000.0
REMEASURE = {"none": "Never", "ours": "Posts of ours", "all": "Every post"}
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `type` is text, long, url, number, choice or secret; `only` = (field, values): shown just then.

    A secret is written and never read: its value leaves the browser once and never comes back.
    """

    name: str
    label: str
    type: str = "text"
    help: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""
    only: tuple[str, tuple[str, ...]] | None = None

    @property
    def is_secret(self) -> bool:
        """Whether it is sealed and never shown again."""
        return self.type == "secret"


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of source is added. `network` is the key its mentions carry; `every_seconds` what is proposed.

    `keys` are sets of secrets of which one must be complete and none may be begun; empty = it needs none.
    """

    kind: str
    title: str
    words: str
    network: str
    every_seconds: float
    fields: tuple[Field, ...]
    is_paid: bool = False
    keys: tuple[tuple[str, ...], ...] = ()

    @property
    def secret_names(self) -> frozenset[str]:
        """The fields that are sealed."""
        return frozenset(field.name for field in self.fields if field.is_secret)


class FormFault(InputError):
    """What is wrong with a filled-in form: `faults` holds a sentence for each field, by its name."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__("; ".join(f"{name}: {words}" for name, words in faults.items()))


_SEARCH = ("what", ("search",))
_WHOSE = ("what", ("mentions", "account"))

FORMS: tuple[Form, ...] = (
    Form(
        kind="feed",
        title="Feed",
        words="RSS or Atom: press, blogs, status pages. Free.",
        network="rss",
        every_seconds=300.0,
        fields=(
            Field("url", "Address", "url", "Of the feed itself, e.g. https://example.org/feed.xml", required=True),
            Field("language", "Language", help="Only where the feed says a wrong one, e.g. de or pt-br"),
        ),
    ),
    Form(
        kind="x",
        title="X",
        words="Search, mentions of an account, or what an account of yours posts. Every post that is read costs money.",
        network="x",
        every_seconds=60.0,
        is_paid=True,
        fields=(
            Field(
                "what",
                "Listen to",
                "choice",
                choices=(("search", "A search"), ("mentions", "Mentions of an account"), ("account", "Our own posts")),
                default="search",
            ),
            Field(
                "query",
                "Query",
                "long",
                'As X writes it, e.g. "halden bank" OR @haldenbank -is:retweet',
                True,
                only=_SEARCH,
            ),
            Field(
                "longest_query",
                "Longest query",
                "choice",
                "What the access level of your app allows",
                choices=(("512", "512 characters"), ("1024", "1,024 characters"), ("4096", "4,096 characters")),
                default="512",
                only=_SEARCH,
            ),
            Field("handle", "Account", help="Its handle, e.g. haldenbank", required=True, only=_WHOSE),
            Field("bearer_token", "Bearer token of the app", "secret", "Enough for a search"),
            Field("user_token", "User token", "secret", "OAuth 2.0; instead of the bearer token"),
            Field("consumer_key", "API key", "secret", "OAuth 1.0a: all four, instead of the tokens above"),
            Field("consumer_secret", "API key secret", "secret"),
            Field("access_token", "Access token", "secret"),
            Field("access_token_secret", "Access token secret", "secret"),
            Field("app", "Name of the app", help="Only where one app has several keys: they share its quota"),
        ),
        keys=(
            ("bearer_token",),
            ("user_token",),
            ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
        ),
    ),
)
BY_KIND = {form.kind: form for form in FORMS}


def form_of(kind: str) -> Form:
    """The form of a kind; InputError where people cannot add it on the screen."""
    try:
        return BY_KIND[kind]
    except KeyError:
        known = ", ".join(BY_KIND)
        raise InputError(f'a source of the kind "{kind[:40]}" is not added on this page; known: {known}') from None


def shown(kind: str, config: Mapping[str, Any]) -> dict[str, str]:
    """The settings of a source as a form shows them: never a secret, and an address without its password."""
    form = BY_KIND.get(kind)
    if form is None:
        return {}
    values = {}
    for field in form.fields:
        value = config.get(field.name)
        if field.is_secret or value is None:
            continue
        values[field.name] = _without_password(str(value)) if field.type == "url" else _written(value)
    return values


def read(form: Form, given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings that a filled-in form means, without its secrets. FormFault names every field that cannot be used.

    `before` are the settings of the source that is changed: what no field asks for stays, and so does an address that
    came back as it was shown.
    """
    faults: dict[str, str] = {}
    config = dict(before or {})
    was = shown(form.kind, config)
    for field in form.fields:
        if field.is_secret:
            continue
        value = str(given.get(field.name) or "").strip()
        if before is not None and value and value == was.get(field.name):
            continue
        config.pop(field.name, None)
        is_asked = field.only is None or str(given.get(field.only[0]) or "") in field.only[1]
        if not is_asked or not value:
            if is_asked and field.required:
                faults[field.name] = "is needed"
            continue
        try:
            config[field.name] = _value(field, value)
        except InputError as fault:
            faults[field.name] = str(fault)
    if faults:
        raise FormFault(faults)
    return config


def secrets(form: Form, given: Mapping[str, Any]) -> dict[str, str]:
    """The secrets that were filled in; a field left empty is not among them. FormFault for one that cannot be used."""
    found = {name: str(given.get(name) or "").strip() for name in sorted(form.secret_names)}
    faults = {
        name: "holds blanks or characters that no key has; copy it again"
        for name, value in found.items()
        if value and (not value.isprintable() or " " in value or len(value) > LONGEST_VALUE)
    }
    if faults:
        raise FormFault(faults)
    return {name: value for name, value in found.items() if value}


def missing_keys(form: Form, held: Collection[str]) -> dict[str, str]:
    """What is wrong with the secrets that a source would have, by field; empty where they do."""
    faults: dict[str, str] = {}
    for keys in form.keys:
        begun = [name for name in keys if name in held]
        if begun and len(begun) < len(keys):
            faults |= {name: f"belongs to the other {len(keys) - 1} and is needed" for name in keys if name not in held}
    is_complete = any(all(name in held for name in keys) for keys in form.keys)
    if form.keys and not is_complete and not faults:
        faults[form.keys[0][0]] = "is needed, or another of the keys below"
    return faults


def number(value: Any, *, least: float, most: float, unit: str) -> float:
    """A number of a form; InputError in words."""
    try:
        found = float(str(value).strip().replace(",", "."))
    except ValueError:
        raise InputError("is no number") from None
    if not least <= found <= most:
        raise InputError(f"must be {least:g} to {most:,.0f} {unit}")
    return found


def _value(field: Field, value: str) -> Any:
    if len(value) > LONGEST_VALUE:
        raise InputError(f"has {len(value):,} characters; at most {LONGEST_VALUE:,}")
    if field.type == "number":
        found = number(value, least=0, most=1_000_000, unit="")
        return int(found) if found.is_integer() else found
    if field.type == "choice" and value not in dict(field.choices):
        raise InputError("is none of the choices")
    if field.type == "url" and not (_WEB.fullmatch(value) and _host(value)):
        raise InputError("is no address of the web; it begins with http:// or https://")
    if not all(character.isprintable() or character in "\n\t" for character in value):
        raise InputError("holds characters that cannot be shown")
    return value


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
