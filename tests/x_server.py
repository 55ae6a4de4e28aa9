"""A server on loopback that speaks the API v2 of X: posts found, edited, deleted, created; quotas; faults."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from oauthlib.common import Request as SignedRequest  # type: ignore[import-untyped]
from oauthlib.oauth1.rfc5849 import signature  # type: ignore[import-untyped]

from ingest.x_posts import ID_EPOCH, ID_LOW_BITS

BEARER = "app-token"
USER_TOKEN = "user-token"
KEYS = {
    "consumer_key": "consumer",
    "consumer_secret": "consumer-secret",
    "access_token": "7-access",
    "access_token_secret": "access-secret",
}
WINDOW = timedelta(minutes=15)
SEVEN_DAYS = timedelta(days=7)
DEFAULT_FIELDS = ("id", "text", "edit_history_tweet_ids")
KNOWN = {
    "search": {"query", "start_time", "end_time", "since_id", "until_id", "max_results", "next_token", "sort_order"},
    "mentions": {"start_time", "end_time", "since_id", "until_id", "max_results", "pagination_token"},
    "look_up": {"ids"},
    "users": set(),
    "me": set(),
    "usage": {"days"},
}
FIELDS = {"expansions", "tweet.fields", "user.fields", "media.fields", "place.fields", "poll.fields"}
Step = Callable[["XHandler"], None]


@dataclass(frozen=True)
class Asked:
    """A request that came in: when by the server's clock, where, with what, and what it was answered."""

    at: datetime
    endpoint: str
    params: dict[str, str]
    headers: dict[str, str]
    status: int


@dataclass
class Quota:
    """`limit` requests a window that begins with its first request."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass
class XServer:
    """Posts and users as X gives them. `script` holds what answers the next requests instead of the truth."""

    url: str
    clock: Callable[[], datetime]
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    limits: dict[str, int] = field(default_factory=dict)
    quotas: dict[str, Quota] = field(default_factory=dict)
    script: list[Step] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    served: dict[tuple[str, str, str], int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what is said on it

    def add_user(self, identity: str, handle: str, **more: Any) -> str:
        """An account."""
        self.users[identity] = {"id": identity, "username": handle, "name": handle.title(), **more}
        return identity

    def add_post(self, text: str, *, by: str, at: datetime, low: int = 0, **more: Any) -> str:
        """A post of `at`; `low` tells those of one millisecond apart."""
        number = ((at - ID_EPOCH) // timedelta(milliseconds=1) << ID_LOW_BITS) + low
        identity = str(number)
        self.posts[number] = {
            "id": identity,
            "text": text,
            "author_id": by,
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z",
            "conversation_id": identity,
            "edit_history_tweet_ids": [identity],
            "lang": "en",
            "public_metrics": {"like_count": 0, "reply_count": 0, "retweet_count": 0, "impression_count": 0},
            **more,
        }
        return identity

    def edit(self, identity: str, text: str, *, at: datetime) -> str:
        """A new version with a new id, as an edit makes it; the old one can still be asked for."""
        old = self.posts[int(identity)]
        history = list(old["edit_history_tweet_ids"])
        new = self.add_post(text, by=old["author_id"], at=at, conversation_id=old["conversation_id"])
        for version in [*history, new]:
            self.posts[int(version)]["edit_history_tweet_ids"] = [*history, new]
        return new

    def delete(self, identity: str) -> None:
        """All versions of a post are gone."""
        for version in list(self.posts[int(identity)]["edit_history_tweet_ids"]):
            self.posts.pop(int(version))

    # -- what was asked of it

    def requests(self, endpoint: str | None = None) -> list[Asked]:
        """The requests so far, of one endpoint or all."""
        return [asked for asked in self.asked if endpoint in (None, asked.endpoint)]

    def charged(self) -> dict[str, int]:
        """What X charges for what was served: each post and user once a UTC day."""
        kinds = [kind for kind, _, _ in self.served]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    def count(self, kind: str, identity: str) -> None:
        key = (kind, identity, self.clock().astimezone(UTC).date().isoformat())
        self.served[key] = self.served.get(key, 0) + 1


class XHandler(BaseHTTPRequestHandler):
    """One request. `state` is the server's."""

    state: XServer
    endpoint = ""
    params: dict[str, str]
    body = b""

    def do_GET(self) -> None:
        """Answer what is read."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Answer what is written."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        self.params = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.endpoint = _endpoint(method, parts.path)
        self.close_connection = True
        with self.state.lock:
            step = self.state.script.pop(0) if self.state.script else ordinary
        # The client had enough, which is what these tests are about.
        with suppress(OSError):
            step(self)

    def note(self, status: int) -> None:
        """Remember the request."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.asked.append(Asked(self.state.clock(), self.endpoint, self.params, headers, status))

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Send JSON, packed as X sends it."""
        self.note(status)
        packed = gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode(), 1)
        self.send_response_only(status)
        named = {
            "Date": self.state.clock().strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "Content-Type": "application/json; charset=utf-8",
            "Content-Encoding": "gzip",
            "Content-Length": str(len(packed)),
            **(headers or {}),
        }
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(packed)

    def problem(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        """Refuse as X does."""
        kind = title.lower().replace(" ", "-")
        said = {"title": title, "detail": detail, "type": f"https://api.twitter.com/2/problems/{kind}", **more}
        self.reply(status, {**said, "status": status}, headers)


def _endpoint(method: str, path: str) -> str:
    if method == "POST":
        return "create" if path == "/2/tweets" else "unknown"
    if path.startswith("/2/users/by/username/"):
        return "users"
    parts = path.strip("/").split("/")
    if len(parts) == 4 and parts[1] == "users" and parts[3] in ("mentions", "tweets"):
        return "mentions" if parts[3] == "mentions" else "posts"
    return {
        "/2/tweets/search/recent": "search",
        "/2/tweets": "look_up",
        "/2/users/me": "me",
        "/2/usage/tweets": "usage",
    }.get(path, "unknown")


# -- steps of a script


def ordinary(handler: XHandler) -> None:
    """The truth, within the quota."""
    state = handler.state
    with state.lock:
        who = _who(handler)
        if who is None:
            handler.problem(401, "Unauthorized", "Unauthorized")
            return
        allowed, headers = _within_quota(state, handler.endpoint)
        if not allowed:
            handler.problem(429, "Too Many Requests", "Too Many Requests", headers)
            return
        ANSWERS.get(handler.endpoint, _unknown)(handler, who, headers)


def refused(status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Step:
    """A refusal."""
    return lambda handler: handler.problem(status, title, detail, headers, **more)


def too_many(reset: str | None = None) -> Step:
    """Status 429, with this word as the reset or without a word."""
    headers = {} if reset is None else {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0"}
    named = headers if reset is None else {**headers, "x-rate-limit-reset": reset}
    return refused(429, "Too Many Requests", "Too Many Requests", named)


def said(body: Any, headers: dict[str, str] | None = None) -> Step:
    """These very words, with status 200."""
    return lambda handler: handler.reply(200, body, headers)


def raw(*parts: bytes, for_ever: bytes = b"", every_seconds: float = 0.0) -> Step:
    """Bytes, head included, then `for_ever` again and again until the test ends."""

    def send(handler: XHandler) -> None:
        handler.note(0)
        for part in parts:
            handler.wfile.write(part)
        while for_ever and not handler.state.stopped.wait(every_seconds):
            handler.wfile.write(for_ever)

    return send


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def cut() -> Step:
    """Half an answer, then nothing."""
    return raw(_HEAD + b'Content-Length: 5000\r\n\r\n{"data": [')


def black_hole() -> Step:
    """The request is taken and never answered."""

    def wait(handler: XHandler) -> None:
        handler.note(0)
        handler.state.stopped.wait()

    return wait


def dripping(every_seconds: float = 1.0) -> Step:
    """A byte a second."""
    return raw(_HEAD + b'\r\n{"data": "', for_ever=b"a", every_seconds=every_seconds)


def endless() -> Step:
    """A body without end, as fast as it goes."""
    return raw(_HEAD + b'\r\n{"data": "', for_ever=b"a" * 65_536)


def bomb(megabytes: int) -> Step:
    """A small body that unpacks to a large one."""
    packed = gzip.compress(b'{"data": "' + b"a" * (megabytes * 1_000_000), 9)
    return raw(_HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def accepted_in_silence(handler: XHandler) -> None:
    """A post is created, and nobody is told."""
    with handler.state.lock:
        _store_created(handler)
    handler.note(0)
    handler.state.stopped.wait()


def accepted_then(step: Step) -> Step:
    """A post is created, and then comes this in place of the answer."""

    def run(handler: XHandler) -> None:
        with handler.state.lock:
            _store_created(handler)
        step(handler)

    return run


# -- the truth


def _who(handler: XHandler) -> str | None:
    """app, or the id of the user whose keys these are; None for nobody's."""
    given = handler.headers.get("Authorization", "")
    if given.startswith("OAuth "):
        return "7" if _is_signed(handler) else None
    return {f"Bearer {BEARER}": "app", f"Bearer {USER_TOKEN}": "7"}.get(given)


def _is_signed(handler: XHandler) -> bool:
    """Whether the OAuth 1.0a signature is right for the address that was asked here."""
    uri = handler.state.url + handler.path
    headers = {"Authorization": handler.headers["Authorization"]}
    request = SignedRequest(uri, handler.command, "", headers)
    params = signature.collect_parameters(uri_query=urlsplit(uri).query, headers=headers, exclude_oauth_signature=False)
    request.params = [(name, value) for name, value in params if name != "oauth_signature"]
    request.signature = dict(params).get("oauth_signature", "")
    tokens = dict(params)
    known = tokens.get("oauth_consumer_key") == KEYS["consumer_key"]
    known = known and tokens.get("oauth_token") == KEYS["access_token"]
    right = signature.verify_hmac_sha1(request, KEYS["consumer_secret"], KEYS["access_token_secret"])
    return known and bool(right)


def _within_quota(state: XServer, endpoint: str) -> tuple[bool, dict[str, str]]:
    now = state.clock()
    quota = state.quotas.get(endpoint)
    if quota is None or now >= quota.resets_at:
        limit = state.limits.get(endpoint, 450)
        quota = state.quotas[endpoint] = Quota(limit, limit, now + WINDOW)
    allowed = quota.remaining > 0
    quota.remaining -= allowed
    return allowed, {
        "x-rate-limit-limit": str(quota.limit),
        "x-rate-limit-remaining": str(quota.remaining),
        # X gives whole seconds; the window ends within the one named.
        "x-rate-limit-reset": str(int(quota.resets_at.timestamp())),
    }


def _listing(handler: XHandler, posts: list[dict[str, Any]], headers: dict[str, str], *, only_recent: bool) -> None:
    params, now = handler.params, handler.state.clock()
    known = KNOWN["search" if handler.endpoint == "search" else "mentions"] | FIELDS
    if strange := set(params) - known:
        _invalid(handler, strange.pop(), "is no parameter", headers)
        return
    since = int(params.get("since_id", 0))
    oldest = ((now - SEVEN_DAYS - ID_EPOCH) // timedelta(milliseconds=1)) << ID_LOW_BITS
    if only_recent and since and since < oldest:
        _invalid(handler, "since_id", "must be a tweet id created after 7 days ago", headers)
        return
    start = datetime.fromisoformat(params["start_time"]) if "start_time" in params else None
    if only_recent and start is not None and start < now - SEVEN_DAYS:
        _invalid(handler, "start_time", "must be on or after 7 days ago", headers)
        return
    token = params.get("next_token") or params.get("pagination_token")
    before = 2**63
    if token is not None:
        if not token.startswith("before-"):
            _invalid(handler, "next_token" if only_recent else "pagination_token", "is not valid", headers)
            return
        before = int(token.removeprefix("before-"))
    size = int(params.get("max_results", 10))
    if not (10 if only_recent else 5) <= size <= 100:
        _invalid(handler, "max_results", "must be between 10 and 100", headers)
        return
    fitting = sorted((p for p in posts if since < int(p["id"]) < before), key=lambda p: -int(p["id"]))
    if start is not None:
        fitting = [post for post in fitting if datetime.fromisoformat(post["created_at"]) >= start]
    page = fitting[:size]
    answer = _answer(handler, page)
    answer["meta"] = {"result_count": len(page)}
    if page:
        answer["meta"] |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
    if len(fitting) > size:
        answer["meta"]["next_token"] = f"before-{page[-1]['id']}"
    handler.reply(200, answer, headers)


def _invalid(handler: XHandler, name: str, why: str, headers: dict[str, str]) -> None:
    error = {"parameters": {name: [handler.params.get(name, "")]}, "message": f"'{name}' {why}"}
    detail = "One or more parameters to your request was invalid."
    handler.problem(400, "Invalid Request", detail, headers, errors=[error])


def _answer(
    handler: XHandler, posts: list[dict[str, Any]], missing: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The posts with the fields and expansions asked for, and errors for what cannot be included."""
    state = handler.state
    fields = {*DEFAULT_FIELDS, *handler.params.get("tweet.fields", "").split(",")}
    wanted = set(handler.params.get("expansions", "").split(","))
    includes: dict[str, dict[str, Any]] = {"users": {}, "tweets": {}, "media": {}, "places": {}}
    errors = list(missing or [])
    for post in posts:
        state.count("post", post["id"])
        if "author_id" in wanted and post["author_id"] in state.users:
            includes["users"][post["author_id"]] = _cut(
                state.users[post["author_id"]],
                {"id", "name", "username", *handler.params.get("user.fields", "").split(",")},
            )
        for reference in post.get("referenced_tweets", []) if "referenced_tweets.id" in wanted else []:
            other = state.posts.get(int(reference["id"]))
            if other is None or other["author_id"] in state.protected:
                errors.append(_missing(reference["id"], "referenced_tweets.id", protected=other is not None))
            else:
                includes["tweets"][other["id"]] = _cut(other, fields)
        if "attachments.media_keys" in wanted:
            keys = post.get("attachments", {}).get("media_keys", [])
            includes["media"] |= {key: state.media[key] for key in keys if key in state.media}
        place = post.get("geo", {}).get("place_id")
        if "geo.place_id" in wanted and place in state.places:
            includes["places"][place] = state.places[place]
    for kind, word in (("users", "user"), ("tweets", "post")):
        for identity in includes[kind]:
            state.count(word, identity)
    answer: dict[str, Any] = {"data": [_cut(post, fields) for post in posts]} if posts else {}
    answer["includes"] = {kind: list(items.values()) for kind, items in includes.items() if items}
    return {**answer, **({"errors": errors} if errors else {})}


def _cut(item: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in fields}


def _missing(identity: str, parameter: str, *, protected: bool) -> dict[str, Any]:
    title = "Authorization Error" if protected else "Not Found Error"
    word = "not-authorized-for-resource" if protected else "resource-not-found"
    return {
        "resource_type": "tweet",
        "resource_id": identity,
        "value": identity,
        "parameter": parameter,
        "title": title,
        "detail": f"{'Sorry, you are not authorized to see' if protected else 'Could not find'} tweet [{identity}].",
        "type": f"https://api.twitter.com/2/problems/{word}",
    }


def _visible(state: XServer) -> list[dict[str, Any]]:
    return [post for post in state.posts.values() if post["author_id"] not in state.protected]


def _search(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    words = [word.lower() for word in handler.params.get("query", "").split() if ":" not in word]
    if not words:
        _invalid(handler, "query", "is empty", headers)
        return
    fitting = [post for post in _visible(handler.state) if all(word in post["text"].lower() for word in words)]
    _listing(handler, fitting, headers, only_recent=True)


def _of_user(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    identity = handler.path.split("/")[3]
    handle = handler.state.users.get(identity, {}).get("username", "")
    if handler.endpoint == "posts":
        fitting = [post for post in _visible(handler.state) if post["author_id"] == identity]
    else:
        fitting = [post for post in _visible(handler.state) if f"@{handle}".lower() in post["text"].lower()]
    _listing(handler, fitting, headers, only_recent=False)


def _look_up(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    ids = handler.params.get("ids", "").split(",")
    if len(ids) > 100 or set(handler.params) - KNOWN["look_up"] - FIELDS:
        _invalid(handler, "ids", "must be 100 at most", headers)
        return
    posts, errors = [], []
    for identity in ids:
        post = handler.state.posts.get(int(identity))
        if post is None or post["author_id"] in handler.state.protected:
            errors.append(_missing(identity, "ids", protected=post is not None))
        else:
            posts.append(post)
    handler.reply(200, _answer(handler, posts, errors), headers)


def _user(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    handle = urlsplit(handler.path).path.rpartition("/")[2].lower()
    user = next((user for user in handler.state.users.values() if user["username"].lower() == handle), None)
    if user is None:
        detail = f"Could not find user with username: [{handle}]."
        error = {"resource_type": "user", "value": handle, "title": "Not Found Error", "detail": detail}
        handler.reply(200, {"errors": [error]}, headers)
        return
    handler.state.count("user", user["id"])
    handler.reply(200, {"data": _cut(user, {"id", "name", "username"})}, headers)


def _me(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    if who == "app":
        handler.problem(403, "Unsupported Authentication", "Authenticating with app-only is forbidden", headers)
        return
    handler.state.count("user", who)
    handler.reply(200, {"data": _cut(handler.state.users[who], {"id", "name", "username"})}, headers)


def _usage(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    cap = {"project_cap": "2000000", "project_usage": "1200", "project_id": "1", "cap_reset_day": 4}
    handler.reply(200, {"data": cap}, headers)


def _create(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    if who == "app":
        handler.problem(403, "Unsupported Authentication", "Authenticating with app-only is forbidden", headers)
        return
    given = json.loads(handler.body)
    text, answers = given["text"], given.get("reply", {}).get("in_reply_to_tweet_id")
    if answers and int(answers) not in handler.state.posts:
        detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
        handler.problem(403, "Forbidden", detail, headers)
        return
    if any(post["text"] == text for post in handler.state.created):
        handler.problem(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.", headers)
        return
    handler.reply(201, {"data": _cut(_store_created(handler), set(DEFAULT_FIELDS))}, headers)


def _store_created(handler: XHandler) -> dict[str, Any]:
    state, given = handler.state, json.loads(handler.body)
    answers = given.get("reply", {}).get("in_reply_to_tweet_id")
    references = [{"type": "replied_to", "id": answers}] if answers else []
    identity = state.add_post(
        given["text"], by="7", at=state.clock(), low=len(state.created) + 1, referenced_tweets=references
    )
    state.created.append(state.posts[int(identity)])
    return state.posts[int(identity)]


def _unknown(handler: XHandler, who: str, headers: dict[str, str]) -> None:
    handler.problem(404, "Not Found", f"Could not find {handler.path}", headers)


ANSWERS: dict[str, Callable[[XHandler, str, dict[str, str]], None]] = {
    "search": _search,
    "mentions": _of_user,
    "posts": _of_user,
    "look_up": _look_up,
    "users": _user,
    "me": _me,
    "usage": _usage,
    "create": _create,
}


@contextmanager
def x_server(clock: Callable[[], datetime]) -> Iterator[XServer]:
    """A server for one test, whose now is `clock`'s; user 7 is who signs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (XHandler,), {}))
    server.daemon_threads = True
    state = XServer(f"http://127.0.0.1:{server.server_address[1]}", clock)
    server.RequestHandlerClass.state = state  # type: ignore[attr-defined]
    state.add_user("7", "acme")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
