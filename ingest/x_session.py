"""What the X client sends its requests through: bounded in time and size, its refusals told in our words."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

import orjson
from requests import PreparedRequest, Request, Response, Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from ingest.door import safe_text
from ingest.download import Answer, exchange
from models.errors import ConnectorError

# The address that the client has built in.
CLIENT_HOST = "https://api.twitter.com"
NAME = "X"
LONGEST_WORDS = 300
# More than a hundred posts at their longest; what holds more is no answer, and would cost memory to read.
MOST_VALUES = 300_000
# What is left of the time of a job when another request is not begun.
_TOO_LATE = 0.05
_PASSED_ON = ("authorization", "content-type", "user-agent")

# On level DEBUG these write the keys into the log.
for _name in ("tweepy", "requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.INFO)


class Refused(Exception):
    """X answered with another status than success; raised before the client reads it.

    The client trips over a reset that is no number, an error that is a list and a body that is nested too deeply.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(str(answer.status))


class Invalid(ConnectorError):
    """X found a parameter wrong (status 400); `parameters` are their names as far as it says."""

    def __init__(self, reason: str, parameters: frozenset[str]) -> None:
        self.parameters = parameters
        super().__init__(reason, kind="unknown")


class BoundedSession(Session):
    """A session whose requests go to `base` and are over, all of them together, after `seconds`.

    Raises Refused, or ConnectorError where there is no answer. The address is changed before the request is signed.
    """

    def __init__(self, base: str, *, seconds: float, largest_bytes: int) -> None:
        super().__init__()
        self._base = base
        self.deadline = monotonic() + seconds
        # A .netrc would replace the token; proxies are the business of what sends.
        self.trust_env = False
        self.mount("https://", _Bounded(self, largest_bytes))
        self.mount("http://", _Bounded(self, largest_bytes))

    def prepare_request(self, request: Request) -> PreparedRequest:
        request.url = self._base + str(request.url).removeprefix(CLIENT_HOST)
        return super().prepare_request(request)


class _Bounded(BaseAdapter):
    def __init__(self, session: BoundedSession, largest_bytes: int) -> None:
        super().__init__()
        self._session = session
        self._largest = largest_bytes

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        seconds = self._session.deadline - monotonic()
        if seconds <= _TOO_LATE:
            raise ConnectorError(f"{NAME} did not answer in the time of one job")
        headers = {k: _ascii(v) for k, v in request.headers.items() if k.lower() in _PASSED_ON}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        answer = exchange(
            str(request.method),
            str(request.url),
            headers,
            body if isinstance(body, bytes) else b"",
            name=NAME,
            seconds=seconds,
            largest_bytes=self._largest,
        )
        if not 200 <= answer.status < 300:
            raise Refused(answer)
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is kept open."""


def _ascii(value: str | bytes) -> str:
    # oauthlib hands its signature over as bytes.
    return value.decode("ascii") if isinstance(value, bytes) else value


def _response(request: PreparedRequest, answer: Answer) -> Response:
    response = Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.request = request
    response.url = answer.url
    response._content = answer.body
    response._content_consumed = True
    return response


def parsed(body: bytes) -> Mapping[str, Any]:
    """The object that an answer is. Half a character is taken: the door makes it safe. Raises ConnectorError."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise ConnectorError(f"{NAME} answered with more than {MOST_VALUES} values in one page", kind="unknown")
    value = _value(body)
    if not isinstance(value, dict):
        raise ConnectorError(f"{NAME} answered with something that is no answer of its interface", kind="unknown")
    return value


def _value(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def meaning(answer: Answer, *, wait_seconds: float | None = None) -> ConnectorError:
    """A refusal as one of ours, with X's own words and, where we know it, what to do."""
    status, problem = answer.status, _problem(answer.body)
    words = words_of(problem)
    if status == 400:
        return Invalid(f"{NAME} does not understand the request: {words or 'status 400'}", _parameters(problem))
    if status == 401:
        if "135" in _codes(problem) or "timestamp" in words.lower():
            return ConnectorError(
                f"{NAME} refuses the time of the request; set the clock of this machine", kind="unknown"
            )
        return ConnectorError(
            f"{NAME} does not know the keys any more ({words or 'status 401'}); make new ones and enter them",
            permanent=True,
            kind="dead_token",
        )
    if status == 402:
        way = "no credits are left; buy some in the developer console"
        return ConnectorError(
            f"{NAME} wants to be paid: {way} ({words or 'status 402'})", retry_after=900.0, kind="unknown"
        )
    if status == 403:
        return ConnectorError(f"{NAME} does not allow it: {words or 'status 403'}{_way_out(problem)}", kind="unknown")
    if status == 429:
        return ConnectorError(
            f"{NAME} is asked too often: {words or 'status 429'}", retry_after=wait_seconds, kind="rate_limited"
        )
    if status >= 500 or status == 408:
        return ConnectorError(f"{NAME} has a fault of its own (status {status}{': ' + words if words else ''})")
    return ConnectorError(f"{NAME} refuses (status {status}{': ' + words if words else ''})", kind="unknown")


def words_of(problem: Mapping[str, Any]) -> str:
    """What X says in one line: the detail, or the messages of its errors; empty where it says nothing."""
    said = [problem.get(name) for name in ("detail", "title", "error")]
    messages = [error.get("message") or error.get("detail") for error in _errors(problem)]
    named = [text for text in [*messages, *said] if isinstance(text, str) and text.strip()]
    return " ".join(safe_text(named[0]).split())[:LONGEST_WORDS] if named else ""


def _problem(body: bytes) -> Mapping[str, Any]:
    value = _value(body[:100_000])
    return value if isinstance(value, dict) else {}


def _errors(problem: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = problem.get("errors")
    given = errors if isinstance(errors, list) else []
    return [error for error in given if isinstance(error, dict)][:20]


def _codes(problem: Mapping[str, Any]) -> set[str]:
    return {str(error.get("code")) for error in _errors(problem)}


def _parameters(problem: Mapping[str, Any]) -> frozenset[str]:
    names: set[str] = set()
    for error in _errors(problem):
        parameters = error.get("parameters")
        names.update(str(name) for name in (parameters if isinstance(parameters, dict) else {}))
        # Some name the parameter in the sentence alone: 'since_id' must be ...
        message = str(error.get("message") or "")
        names.update(name for name in ("since_id", "start_time", "next_token", "pagination_token") if name in message)
    return frozenset(names)


def _way_out(problem: Mapping[str, Any]) -> str:
    if problem.get("reason") == "client-not-enrolled":
        return "; put the app into a project with access to API v2 in the developer console"
    if problem.get("reason") == "oauth1-permissions" or "oauth1" in words_of(problem).lower():
        return "; give the app the permission, then make the access token anew"
    if "unsupported-authentication" in str(problem.get("type")):
        return "; this needs the keys of a user, not of the app alone"
    return ""
