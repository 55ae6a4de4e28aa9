"""Where the real data lies. It is read in place and never part of the repository."""

from __future__ import annotations

import csv
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def data_folder() -> Path | None:
    """WATCHFLOOR_TEST_DATA, else ../shared/data beside the project; None where there is no such folder."""
    folder = Path(os.environ.get("WATCHFLOOR_TEST_DATA", "../shared/data"))
    folder = folder if folder.is_absolute() else ROOT / folder
    return folder if folder.is_dir() else None


def rows(folder: Path, path: str) -> list[dict[str, str]]:
    """The rows of a CSV file of the data folder."""
    with (folder / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(folder: Path, path: str) -> list[str]:
    """The lines of a text file of the data folder; only a line feed ends one."""
    return (folder / path).read_text(encoding="utf-8").rstrip("\n").split("\n")
