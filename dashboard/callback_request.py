"""What a browser sends to run a callback, checked before Dash believes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dashboard.refusal import Refused
from dashboard.rights import right_of_callback
from models.access import Access

MOST_ITEMS = 1_000
# What an address and a store hold, where they hold anything; the bodies of callbacks rely on it.
KINDS: Mapping[str, type] = {"pathname": str, "search": str, "data": dict}


def check_callback(body: bytes, headers: Mapping[str, str], access: Access, callbacks: Mapping[str, Any]) -> None:
    """Refused (400, 403, 404, 415) unless the body asks, in the form that was registered, for a callback one may run.

    Dash takes any JSON and answers 500 to what it did not expect; it runs every callback for anybody.
    """
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(415, "send application/json")
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "the body is no JSON") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("output"), str):
        raise Refused(400, 'the body must be an object with "output" as text')
    right = right_of_callback(asked["output"])
    registered = callbacks.get(asked["output"])
    if right is None or registered is None or "callback" not in registered:
        raise Refused(404, "there is no such callback")
    if not access.may(right):
        raise Refused(403, f"this needs the right “{right}”; ask an administrator for it")
    _check_items(asked, "inputs", registered.get("inputs", ()))
    _check_items(asked, "state", registered.get("state", ()))
    if not isinstance(asked.get("outputs", []), list | dict):
        raise Refused(400, '"outputs" must be a list or an object')
    changed = asked.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(item, str) for item in changed):
        raise Refused(400, '"changedPropIds" must be a list of texts')


def _check_items(asked: Mapping[str, Any], key: str, registered: Sequence[Mapping[str, Any]]) -> None:
    given = asked.get(key, [])
    if not isinstance(given, list) or len(given) != len(registered):
        raise Refused(400, f'"{key}" must be a list of {len(registered)}')
    for position, (item, expected) in enumerate(zip(given, registered, strict=True)):
        place = f'"{key}"[{position}]'
        if str(expected["id"]).startswith("{"):
            # An id that is a pattern stands for one component or for several.
            several = item if isinstance(item, list) else [item]
            if len(several) > MOST_ITEMS or not all(_is_value(one, expected["property"]) for one in several):
                raise Refused(400, f"{place} must be values of {expected['property']}")
        elif not _is_value(item, expected["property"]) or item["id"] != expected["id"]:
            raise Refused(400, f"{place} must be {expected['id']}.{expected['property']}")
        elif item.get("value") is not None and not isinstance(item["value"], KINDS.get(expected["property"], object)):
            raise Refused(400, f"{place}: the value is of another kind")


def _is_value(item: Any, expected: str) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), str | dict) and item.get("property") == expected
