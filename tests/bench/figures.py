"""One measured figure, and how a table of them is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """`bound` is what the value must reach (`min`) or stay under (`max`); None = shown beside the others.

    `gate` is True for ratios, counts and sizes, which fail the run; a speed never does, since machines differ.
    """

    name: str
    value: float
    unit: str
    bound: float | None = None
    direction: Literal["min", "max"] = "min"
    gate: bool = False
    detail: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the value keeps its bound; a figure without one always does."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.direction == "min" else self.value <= self.bound


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", "bound", "reached", "detail", title=title)
    for figure in figures:
        sign = ">=" if figure.direction == "min" else "<="
        bound = "" if figure.bound is None else f"{sign} {number(figure.bound)}"
        reached = "" if figure.bound is None else "yes" if figure.is_reached else "NO" if figure.gate else "no (speed)"
        table.add_row(figure.name, f"{number(figure.value)} {figure.unit}", bound, reached, figure.detail)
    Console(width=150).print(table)


def number(value: float) -> str:
    """A value with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
