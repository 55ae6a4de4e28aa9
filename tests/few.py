"""Of many cases of one sentence the first few run each time; all of them with the full counts (`make prove`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few(cases: Iterable[Any], count: int = 2) -> list[Any]:
    """The cases for `pytest.mark.parametrize`, those after the first `count` marked `prove`."""
    return [case if place < count else _rare(case) for place, case in enumerate(cases)]


def _rare(case: Any) -> Any:
    if isinstance(case, type(pytest.param())):
        return pytest.param(*case.values, marks=[*case.marks, pytest.mark.prove], id=case.id)
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.prove)
