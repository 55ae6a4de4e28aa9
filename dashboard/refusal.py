"""A request that does not pass: with which status, and in which words."""

from __future__ import annotations

from collections.abc import Mapping

import orjson


class Refused(Exception):
    """Raised and answered inside the gate. `sign_in_for` is the address to come back to after signing in."""

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        headers: Mapping[str, str] | None = None,
        sign_in_for: str = "",
        way_back: str = "/",
    ) -> None:
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})
        self.sign_in_for = sign_in_for
        self.way_back = way_back
        super().__init__(sentence)

    def as_json(self) -> bytes:
        """What a program gets."""
        return orjson.dumps({"error": self.sentence})
