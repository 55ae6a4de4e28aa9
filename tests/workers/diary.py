"""What several processes did, a line an event, in one file that outlives each of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: when (seconds since 1970), in which process, what, and of which source and page."""

    at: float
    pid: int
    what: str
    source: int = 0
    next: int = 0
    words: str = ""


class Diary:
    """The pen of one process. A line is written in one call, so that lines of several processes do not mix."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, **more: Any) -> None:
        """Add a line."""
        os.write(self._file, (json.dumps({"at": time(), "pid": os.getpid(), "what": what, **more}) + "\n").encode())


class Reader:
    """Reads what was written since it read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.entries: list[Entry] = []

    def look(self) -> list[Entry]:
        """Every entry there is by now, in the order of the file."""
        self.entries += self._new()
        return self.entries

    def _new(self) -> Iterator[Entry]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield Entry(**json.loads(line))
