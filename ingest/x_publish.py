"""Publishing on X: one request, and whether what came back says that it is out, that it is not, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

import requests

from ingest.x_session import NAME, parsed
from models.errors import ConnectorError


class Call(Protocol):
    """The requests of one job, as the connector makes them."""

    is_user: bool

    def send(self, endpoint: str, send: Callable[[Any, bool], Any]) -> bytes:
        """The body of the answer."""


def created(call: Call, handle: str, *, reply_to: str | None, text: str) -> str:
    """The id of a reply that X took.

    ConnectorError: "passing" where X may have taken it and did not say so: no answer in time, a fault of its own, an
    answer without an id. Every other kind is a refusal: it is not out.
    """
    if not call.is_user:
        raise ConnectorError(
            f"{NAME} takes replies by the keys of a user only; enter those of @{handle}", permanent=True, kind="unknown"
        )
    if reply_to is not None and not re.fullmatch(r"[0-9]{1,20}", reply_to):
        raise ConnectorError(f"{NAME} knows no post “{reply_to[:40]}” to answer", permanent=True, kind="gone")
    try:
        body = call.send(
            "create", lambda x, auth: x.create_tweet(text=text, in_reply_to_tweet_id=reply_to, user_auth=auth)
        )
    except ConnectorError as error:
        if isinstance(error.__cause__, requests.RequestException):
            # How far the request came is not known.
            raise ConnectorError(str(error)) from error
        raise
    return _identity(body)


def _identity(body: bytes) -> str:
    try:
        data = parsed(body).get("data")
    except ConnectorError as error:
        raise ConnectorError(f"{NAME} took the reply and answered with something that is no answer") from error
    identity = data.get("id") if isinstance(data, dict) else None
    if not isinstance(identity, str) or not re.fullmatch(r"[0-9]{1,20}", identity):
        raise ConnectorError(f"{NAME} took the reply and did not say which it is")
    return identity
