"""X by its API v2: recent search, mentions of an account, posts of an account, look-up of known posts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Literal

import requests
import tweepy
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ingest import x_publish, x_walk
from ingest.found import Cursor, Found, Page
from ingest.limits import Limiter
from ingest.x_posts import Read, charged, instant_of, read
from ingest.x_session import BoundedSession, Invalid, Refused, meaning, parsed, words_of
from models.errors import ConnectorError

EVERY_SECONDS = 60.0
NETWORK: str | None = "x"
LIMITED = True
LOOK_UP_SIZE = 100
API = "https://api.x.com"
# A network where nobody said this for so long is not quiet, we are deaf.
CANARY_QUERY, CANARY_FRESH = "the lang:en -is:retweet", timedelta(minutes=15)
FEWEST_RESULTS = 10
# What a canary reads, for the ledger.
CANARY_UNITS: Mapping[str, int] = {"post": FEWEST_RESULTS}
_FIELDS: Mapping[str, list[str]] = {
    "expansions": ["author_id", "referenced_tweets.id", "attachments.media_keys", "geo.place_id"],
    "tweet_fields": [
        *("attachments", "author_id", "conversation_id", "created_at", "edit_history_tweet_ids", "geo", "lang"),
        *("note_tweet", "public_metrics", "referenced_tweets", "withheld"),
    ],
    "user_fields": ["location", "name", "public_metrics", "username"],
    "media_fields": ["alt_text", "media_key", "type"],
    "place_fields": ["full_name", "geo", "place_type"],
}
_KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


class Config(BaseModel):
    """What to listen to, and the keys. Of the keys one kind is enough: `bearer_token` (the app), `user_token`
    (OAuth 2.0, a user), or the four of OAuth 1.0a (a user); a user's win. `app` is the name under which quotas are
    counted, needed only where one app has several keys. `longest_query` is 512, 1,024 or 4,096 by access level. Posts
    of the last `compliance_days` are asked after once a day, whether they are still there; 0 = never.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["search", "mentions", "account"] = "search"
    query: str | None = None
    handle: str | None = None
    user_id: str | None = Field(default=None, pattern=r"^[0-9]{1,20}$")
    bearer_token: SecretStr | None = None
    user_token: SecretStr | None = None
    consumer_key: SecretStr | None = None
    consumer_secret: SecretStr | None = None
    access_token: SecretStr | None = None
    access_token_secret: SecretStr | None = None
    app: str | None = Field(default=None, pattern=r"^[ -~]{1,40}$")
    max_results: int = Field(default=100, ge=FEWEST_RESULTS, le=100)
    longest_query: int = Field(default=512, ge=1, le=4096)
    overlap_seconds: float = Field(default=60.0, ge=0, le=3600)
    history_hours: float = Field(default=1.0, ge=0.1, le=166)
    compliance_days: float = Field(default=1.0, ge=0, le=30)
    seconds: float = Field(default=20.0, gt=0, le=25)
    largest_bytes: int = Field(default=8_000_000, ge=1_000, le=16_000_000)

    @field_validator("handle")
    @classmethod
    def _plain_handle(cls, value: str | None) -> str | None:
        handle = value.strip().removeprefix("@") if value else None
        if handle is not None and not re.fullmatch(r"[A-Za-z0-9_]{1,20}", handle):
            raise ValueError(f'"{handle[:30]}" is no handle of X: letters, digits and _ only')
        return handle

    @field_validator("bearer_token", "user_token", *_KEYS)
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        word = value.get_secret_value().strip() if value is not None else ""
        if not re.fullmatch(r"[!-~]{0,2000}", word):
            raise ValueError("a key is one word of plain letters, digits and signs; copy it again")
        return SecretStr(word) if word else None

    @model_validator(mode="after")
    def _complete(self) -> Config:
        if self.what == "search":
            if not (self.query or "").strip() or self.handle or self.user_id:
                raise ValueError("a search needs a query, and no handle or user_id")
            if len(self.query or "") > self.longest_query:
                raise ValueError(f"the query has {len(self.query or '')} characters; {self.longest_query} are allowed")
        elif self.query or not (self.handle or self.user_id):
            raise ValueError(f"{self.what} needs a handle or a user_id, and no query")
        given = [name for name in _KEYS if getattr(self, name) is not None]
        if given and len(given) < len(_KEYS):
            missing = ", ".join(name for name in _KEYS if name not in given)
            raise ValueError(f"the keys of a user are four; missing: {missing}")
        return self


def describe(config: Config) -> str:
    """One line for lists of sources, without a key."""
    if config.what == "search":
        return f"X search {config.query}"
    whom = f"@{config.handle}" if config.handle else f"user {config.user_id}"
    return f"X mentions of {whom}" if config.what == "mentions" else f"X posts of {whom}"


def fetch(config: Config, cursor: Cursor | None, *, now: datetime, limiter: Limiter) -> Page:
    """One page of a walk through what is new, newest first; a page after the last one begins the next walk.

    The window of the ledger is covered by a walk's last page. Raises ConnectorError.
    """
    before = dict(cursor or {})
    if before.get("of") != _identity(config):
        before = {"of": _identity(config)}
    if (said := x_walk.fault(before, now)) is not None:
        raise ConnectorError(said[0], retry_after=said[1], kind="unknown")
    call = _Call(config, limiter, now)
    if config.what != "search" and "user" not in before:
        # A page of its own, so that what it costs is in the ledger whatever comes after.
        user = _user(config, call)
        return Page((), {**before, "user": user}, more=True, window=(now, now), **call.paid())
    walk = x_walk.begun(
        before,
        now=now,
        overlap_seconds=config.overlap_seconds,
        history_hours=config.history_hours,
        only_recent=config.what == "search",
    )
    answer, walk = _page(config, call, before.get("user"), walk, now)
    found = read(answer, now=now)
    step = x_walk.stepped(before, walk, newest=found.newest, token=_next_token(answer), now=now)
    owner = before["user"]["id"] if config.what == "account" and before["user"]["is_ours"] else None
    call.charged |= charged(answer, owner=owner)
    return Page(
        found.found,
        step.cursor,
        found.set_aside,
        more=step.more,
        window=step.window,
        gone=found.gone,
        rate_left=call.rate_left,
        **call.paid(),
    )


def look_up(config: Config, external_ids: Sequence[str], *, now: datetime, limiter: Limiter) -> Page:
    """What X says now of posts that are known, at most LOOK_UP_SIZE of them; of an edited one the newest version."""
    call = _Call(config, limiter, now)
    asked = {identity: identity for identity in external_ids[:LOOK_UP_SIZE] if re.fullmatch(r"[0-9]{1,20}", identity)}
    if not asked:
        return Page((), None)
    first = _looked_up(call, asked, now)
    found = {post.external_id: post for post in first.found}
    gone = {post.external_id: post for post in first.gone}
    aside = first.set_aside
    if first.versions:
        newer = {version: identity for identity, version in first.versions.items()}
        found = {identity: post for identity, post in found.items() if identity not in first.versions}
        try:
            second = _looked_up(call, newer, now)
        except ConnectorError:
            # What is paid for is kept; the edited ones are left as they are known until they are asked for again.
            return Page(tuple(found.values()), None, aside, gone=first.gone, rate_left=call.rate_left, **call.paid())
        found |= {post.external_id: post for post in second.found}
        # Whoever deletes one version deletes all of them.
        gone |= {post.external_id: post for post in second.gone}
        aside += second.set_aside
    kept = tuple(post for identity, post in found.items() if identity not in gone)
    return Page(kept, None, aside, gone=tuple(gone.values()), rate_left=call.rate_left, **call.paid())


def canary(config: Config, *, now: datetime, limiter: Limiter) -> bool:
    """True when a search for one of the commonest words brings a post of the last quarter of an hour."""
    newest = _newest(_Call(config, limiter, now), CANARY_QUERY, now)
    return newest is not None and now - newest <= CANARY_FRESH


def check(config: Config, *, now: datetime, limiter: Limiter) -> str:
    """What works, in one sentence: who reads, and what is there to be read. Raises ConnectorError. Moves nothing."""
    call = _Call(config, limiter, now)
    reader = f"reads as @{_me(call).get('username')}" if call.is_user else f"reads as the app{_left(call)}"
    if config.what != "search":
        return f"{reader}; X knows the account (user {_user(config, call)['id']})"
    newest = _newest(call, str(config.query), now)
    if newest is None:
        return f"{reader}; the search works and finds nothing in the last 7 days"
    return f"{reader}; the search works, its newest post is of {newest:%d %b %Y %H:%M} UTC"


def publish(
    config: Config, handle: str, *, reply_to: str | None, text: str, key: str, now: datetime, limiter: Limiter
) -> str:
    """Publish a reply as the account whose keys these are, and return its id. X knows no `key` of an attempt.

    ConnectorError of kind "passing" where nobody knows whether it is out; any other kind says that it is not.
    """
    return x_publish.created(_Call(config, limiter, now), handle, reply_to=reply_to, text=text)


def find_by_author(
    config: Config, handle: str, since: datetime, *, now: datetime, limiter: Limiter
) -> tuple[Found, ...]:
    """What the account published since then, oldest first, at most a page: a reply that nobody confirmed is looked for
    there."""
    call = _Call(config, limiter, now)
    user = config.user_id or str(_me(call)["id"])
    bounds = {"start_time": since, "max_results": 100, **_FIELDS}
    answer = _listed(call.ask("posts", lambda x, auth: x.get_users_tweets(user, user_auth=auth, **bounds)))
    return tuple(sorted(read(answer, now=now).found, key=lambda post: (post.posted_at, post.external_id)))


def _page(
    config: Config, call: _Call, user: Mapping[str, Any] | None, walk: x_walk.Walk, now: datetime
) -> tuple[Mapping[str, Any], x_walk.Walk]:
    """The answer to the walk's next page. X refuses tokens and ids that are too old: the walk gives way, once each."""
    try:
        return _asked(config, call, user, walk), walk
    except Invalid as error:
        if walk.token is not None and (error.parameters & {"next_token", "pagination_token"} or not error.parameters):
            walk = x_walk.from_the_start(walk)
        elif error.parameters & {"since_id", "start_time"}:
            walk = x_walk.by_time(walk, now)
        else:
            raise
    try:
        return _asked(config, call, user, walk), walk
    except Invalid as error:
        if walk.since_id is None or "since_id" not in error.parameters:
            raise
        walk = x_walk.by_time(walk, now)
    return _asked(config, call, user, walk), walk


def _asked(config: Config, call: _Call, user: Mapping[str, Any] | None, walk: x_walk.Walk) -> Mapping[str, Any]:
    bounds: dict[str, Any] = {"max_results": config.max_results, **_FIELDS}
    if walk.since_id is not None:
        bounds["since_id"] = str(walk.since_id)
    if walk.start is not None:
        bounds["start_time"] = walk.start
    if user is None:
        return _searched(call, str(config.query), next_token=walk.token, **bounds)
    bounds["pagination_token"] = walk.token
    whose = user["id"]
    if config.what == "mentions":
        return _listed(call.ask("mentions", lambda x, auth: x.get_users_mentions(whose, user_auth=auth, **bounds)))
    return _listed(call.ask("posts", lambda x, auth: x.get_users_tweets(whose, user_auth=auth, **bounds)))


def _searched(call: _Call, query: str, **bounds: Any) -> Mapping[str, Any]:
    return _listed(call.ask("search", lambda x, auth: x.search_recent_tweets(query, user_auth=auth, **bounds)))


def _newest(call: _Call, query: str, now: datetime) -> datetime | None:
    """When the newest post that a query finds was made."""
    answer = _searched(call, query, max_results=FEWEST_RESULTS, tweet_fields=["created_at", "author_id"])
    newest = read(answer, now=now).newest
    return None if newest is None else instant_of(newest)


def _left(call: _Call) -> str:
    """What is left of the month's posts, where X tells it."""
    try:
        answer = call.ask("usage", lambda x, auth: x.request("GET", "/2/usage/tweets", params={"days": "1"}))
        data = answer["data"]
        left = int(data["project_cap"]) - int(data["project_usage"])
    except ConnectorError as error:
        if error.kind != "unknown":
            raise
        return ""
    except (KeyError, TypeError, ValueError):
        return ""
    return f", {max(left, 0):,} posts of this month left"


def _next_token(answer: Mapping[str, Any]) -> str | None:
    meta = answer.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def _listed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer, if it is a list of posts, an empty one too; silence and a refusal in the dress of success are not."""
    if isinstance(answer.get("meta"), dict) or "data" in answer:
        return answer
    raise ConnectorError(
        f"X does not answer the question: {words_of(answer) or 'no posts and no reason'}", kind="unknown"
    )


def _looked_up(call: _Call, asked: Mapping[str, str], now: datetime) -> Read:
    answer = call.ask("look_up", lambda x, auth: x.get_tweets(list(asked), user_auth=auth, **_FIELDS))
    if "data" not in answer and "errors" not in answer:
        _listed(answer)
    call.charged |= charged(answer)
    return read(answer, now=now, asked=asked)


def _user(config: Config, call: _Call) -> dict[str, Any]:
    """The id of the account that is followed, and whether it is the one whose keys ask."""
    if config.user_id is not None and (config.what == "mentions" or not call.is_user):
        return {"id": config.user_id, "is_ours": False}
    if call.is_user:
        me = _me(call)
        same_handle = str(me.get("username")).lower() == str(config.handle).lower()
        if me.get("id") == config.user_id or same_handle:
            return {"id": me["id"], "is_ours": True}
        if config.user_id is not None:
            return {"id": config.user_id, "is_ours": False}
    answer = call.ask("users", lambda x, auth: x.get_user(username=config.handle, user_auth=auth))
    found = answer.get("data")
    if not isinstance(found, dict) or not re.fullmatch(r"[0-9]{1,20}", str(found.get("id"))):
        words = words_of(answer)
        is_gone = "not find" in words.lower() or "not found" in words.lower()
        raise ConnectorError(
            f"X shows no account @{config.handle}: {words or 'it does not say why'}",
            permanent=is_gone,
            kind="gone" if is_gone else "unknown",
        )
    call.charged |= {("user", str(found["id"]))}
    return {"id": str(found["id"]), "is_ours": False}


def _me(call: _Call) -> Mapping[str, Any]:
    me = call.ask("me", lambda x, auth: x.get_me(user_auth=auth)).get("data")
    if not isinstance(me, dict) or not re.fullmatch(r"[0-9]{1,20}", str(me.get("id"))):
        raise ConnectorError("X does not say whose keys these are", kind="unknown")
    call.charged |= {("user", str(me["id"]))}
    return me


def _identity(config: Config) -> str:
    """What a cursor is of: another query or account begins anew."""
    parts = (config.what, config.query, config.handle, config.user_id)
    return hashlib.sha256("\0".join(str(part) for part in parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


class _Call:
    """The requests of one job: within one span of time, each booked before and heard of after."""

    def __init__(self, config: Config, limiter: Limiter, now: datetime) -> None:
        secrets = {name: _secret(getattr(config, name)) for name in (*_KEYS, "user_token", "bearer_token")}
        self._signs = secrets["consumer_key"] is not None
        self.is_user = self._signs or secrets["user_token"] is not None
        token = secrets["access_token"] if self._signs else secrets["user_token"] or secrets["bearer_token"]
        if token is None:
            raise ConnectorError("there are no keys for X; enter them", permanent=True, kind="dead_token")
        # X counts a user's requests by user, the app's own by app.
        digest = hashlib.sha256(token.encode()).hexdigest()[:16]
        self._app = (f"{config.app}/{digest}" if self.is_user else config.app) if config.app else digest
        self._limiter, self._now, self._began = limiter, now, monotonic()
        self._client = tweepy.Client(
            bearer_token=None if self._signs else token,
            **{name: secrets[name] for name in _KEYS},
            return_type=requests.Response,
            wait_on_rate_limit=False,
        )
        self._client.session = BoundedSession(API, seconds=config.seconds, largest_bytes=config.largest_bytes)
        self.rate_left: float | None = None
        # What was read is paid by the app, whichever of its users asked.
        self.charged: frozenset[tuple[str, str]] = frozenset()
        self._payer = config.app or digest

    def ask(self, endpoint: str, send: Callable[[Any, bool], Any]) -> Mapping[str, Any]:
        """The answer to one request that `send` makes with the client, told whether to sign as a user."""
        return parsed(self.send(endpoint, send))

    def send(self, endpoint: str, send: Callable[[Any, bool], Any]) -> bytes:
        """The body of the answer to one request that was taken; ConnectorError for one that was not."""
        self._limiter.ask(self._app, endpoint, self._clock())
        try:
            response = send(self._client, self._signs)
        except Refused as refusal:
            answer = refusal.answer
            quota = self._limiter.heard(self._app, endpoint, answer.status, answer.headers, self._clock())
            raise meaning(answer, wait_seconds=quota.wait_seconds) from None
        except requests.RequestException as error:
            raise ConnectorError(f"X cannot be asked: {type(error).__name__}", kind="unknown") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        quota = self._limiter.heard(self._app, endpoint, response.status_code, headers, self._clock())
        self.rate_left = quota.left
        return bytes(response.content)

    def paid(self) -> dict[str, Any]:
        """What a page says of what was read for it."""
        return {"charged": tuple(sorted(self.charged)), "payer": self._payer}

    def _clock(self) -> datetime:
        return self._now + timedelta(seconds=monotonic() - self._began)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None
