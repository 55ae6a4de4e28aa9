"""Files opened at the place where reading goes on, packed (.gz) or not, and known again when they changed."""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

from ingest.found import Cursor
from models.errors import ConnectorError

FINGERPRINT_BYTES = 64 * 1024
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where reading goes on: byte `offset` (unpacked), `line` counted from 1, in a file of `size` bytes.

    `fingerprint` is of the first `head` bytes, so that a file that grows stays the same file.
    """

    offset: int
    line: int
    size: int
    head: int
    fingerprint: str

    def cursor(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return asdict(self)


def stand(path: Path, cursor: Cursor | None) -> Stand:
    """Where `cursor` says, or the start where there is none or the file is another one now."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(FINGERPRINT_BYTES)
    fresh = Stand(0, 1, size, len(start), hashlib.sha256(start).hexdigest())
    if cursor is None:
        return fresh
    offset, line, head = (int(cursor.get(key, 0)) for key in ("offset", "line", "head"))
    same = hashlib.sha256(start[:head]).hexdigest() == cursor.get("fingerprint")
    # A packed file does not grow: its offset counts unpacked bytes, which no size bounds.
    fits = size == cursor.get("size") if is_packed(path) else size >= offset
    if same and fits:
        return replace(fresh, offset=offset, line=line)
    _LOG.warning("event=file_changed file=%s offset=%d action=begin_again", path.name, offset)
    return fresh


def is_packed(path: Path) -> bool:
    """True for a file that is read through gzip."""
    return path.suffix.lower() == ".gz"


def open_file(path: Path) -> IO[bytes]:
    """The file, unpacked, at its start."""
    return cast(IO[bytes], gzip.GzipFile(path, "rb")) if is_packed(path) else path.open("rb")


# Unpacking from the start for every page would cost the square of the file's length: the place is kept open.
_parked: dict[tuple[Path, str, int], IO[bytes]] = {}
_parking = threading.Lock()
_PARKED_AT_MOST = 4


def open_at(path: Path, place: Stand) -> IO[bytes]:
    """The file, for reading from `place` on: where the page before left it open, else a fresh one."""
    with _parking:
        return _parked.pop((path, place.fingerprint, place.offset), None) or open_file(path)


def park(path: Path, place: Stand, file: IO[bytes]) -> None:
    """Keep a packed file open for the page that begins at `place`; any other is closed."""
    if not is_packed(path):
        file.close()
        return
    with _parking:
        _parked[path, place.fingerprint, place.offset] = file
        while len(_parked) > _PARKED_AT_MOST:
            _parked.pop(next(iter(_parked))).close()


def position(file: IO[bytes], offset: int) -> int:
    """The byte of the file on disk that corresponds to the unpacked `offset`."""
    if isinstance(file, gzip.GzipFile):
        packed = file.fileobj
        return packed.tell() if isinstance(packed, io.IOBase) else 0
    return offset


@contextmanager
def border(path: Path) -> Iterator[None]:
    """Faults of the file system become ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise ConnectorError(f"{path} is not there", permanent=True, kind="gone") from error
    except (IsADirectoryError, PermissionError) as error:
        raise ConnectorError(f"{path} cannot be read: {error.strerror}", permanent=True, kind="unknown") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = f"{path} is cut off or is not gzip: {error}; pack it again"
        raise ConnectorError(reason, permanent=True, kind="unknown") from error
    except OSError as error:
        raise ConnectorError(f"{path} cannot be read: {error}", kind="passing") from error
