"""Records out of a file that may be larger than memory, with the byte and the line where each one stands.

A quote that is opened and never closed does not swallow the rest of a file: what cannot be read is handed
over as a `Fault`, and reading goes on at the first following line that is a row again.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from models.errors import InputError

# Room for a text of a million characters of four bytes; a quote left open costs one look at this much.
LONGEST_RECORD = 4 * 1024 * 1024
# A multiple of the widest code unit.
_LONGEST_LINE = LONGEST_RECORD + 4
# Of a line longer than LONGEST_RECORD, what is set aside; the rest still stands in the file.
KEPT_OF_ENDLESS = 64 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
csv.field_size_limit(LONGEST_RECORD)


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that cannot be read, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Codec:
    """How bytes become text: a name without a guess in it, the mark at the start, bytes per line-end unit."""

    name: str
    mark: int
    width: int


class _EndlessRecord(Exception):
    """The record being read is longer than LONGEST_RECORD."""


def codec_of(head: bytes, encoding: str) -> Codec:
    """The codec of a file that begins with `head` and is said to be in `encoding`; InputError where they differ."""
    try:
        "a".encode(encoding).decode(encoding)
        name = codecs.lookup(encoding).name.removesuffix("-sig")
    except (LookupError, UnicodeError, ValueError):
        raise InputError(f'encoding "{encoding}" is not known; e.g. utf-8, cp1252, utf-16') from None
    mark, marked = next(((mark, by) for mark, by in _BOMS if head.startswith(mark)), (b"", ""))
    if name == "utf-8" and (marked.startswith(("utf-16", "utf-32")) or _looks_wide(head)):
        wide = marked[:6] or "utf-16"
        raise InputError(f"the file is not UTF-8 but looks like {wide.upper()}; name it: --encoding {wide}")
    if name in ("utf-16", "utf-32"):
        name = marked if marked.startswith(name) else name + ("-be" if head[:1] == b"\0" else "-le")
    return Codec(name, len(mark) if marked == name else 0, _WIDE.get(name, 1))


def _looks_wide(head: bytes) -> bool:
    """True when every second byte is mostly NUL, as Latin letters are in UTF-16."""
    return len(head) >= 8 and max(head[::2].count(0), head[1::2].count(0)) > len(head) * 0.3


class Lines:
    """The lines of a file, decoded, from byte `offset` on. Bytes belong to the record that is being read until
    `begin` is called for the next one; `offset` and `line` (counted from 1) say where that record begins."""

    def __init__(self, file: IO[bytes], *, codec: Codec, offset: int, line: int) -> None:
        self.offset = offset
        self.line = line
        self.invalid: str | None = None
        self._file = file
        self._codec = codec
        self._taken: list[bytes] = []
        self._size = 0
        self._again: deque[bytes] = deque()
        self._read: Callable[[int], bytes] = file.readline if codec.width == 1 else self._wide_line
        file.seek(offset)

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._read(_LONGEST_LINE)
        if not raw:
            raise StopIteration
        self._taken.append(raw)
        self._size += len(raw)
        if self._size > LONGEST_RECORD:
            raise _EndlessRecord
        try:
            return raw.decode(self._codec.name)
        except UnicodeDecodeError as error:
            place = self.line + len(self._taken) - 1
            self.invalid = f"byte 0x{raw[error.start]:02X} in line {place} is not {self._codec.name.upper()}"
            return raw.decode(self._codec.name, "replace")

    @property
    def place(self) -> str:
        """Where the record stands, for people: "line 17", "lines 17-19"."""
        last = self.line + len(self._taken) - 1
        return f"line {self.line}" if last <= self.line else f"lines {self.line}-{last}"

    @property
    def raw(self) -> bytes:
        """The bytes of the record; the first 64 KB of a single line without an end."""
        raw = b"".join(self._taken)
        return raw[:KEPT_OF_ENDLESS] if not self.several and self._size > LONGEST_RECORD else raw

    @property
    def several(self) -> bool:
        """True when the record holds more than one line."""
        return len(self._taken) > 1

    def begin(self) -> None:
        """Count the bytes taken so far as done; the next record begins here."""
        self.offset += self._size
        self.line += len(self._taken)
        self._taken.clear()
        self._size = 0
        self.invalid = None

    def give_back(self, width: int, delimiter: str) -> None:
        """Keep of a broken record what comes before its first further line that reads as a row of `width` cells."""
        for at in range(1, len(self._taken)):
            line = self._taken[at].decode(self._codec.name, "replace")
            try:
                cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
            except csv.Error:
                continue
            if len(cells) == width:
                self._again.extendleft(reversed(self._taken[at:]))
                del self._taken[at:]
                self._size = sum(map(len, self._taken))
                return

    def skip_line(self) -> int:
        """Pass over the rest of a line that is too long; the bytes of the whole record."""
        while self._taken and not self._ends(self._taken[-1]) and (more := self._read(_LONGEST_LINE)):
            # One list entry stays one line, so that line numbers hold.
            self._size += len(more)
            if self._ends(more):
                break
        return self._size

    def _ends(self, raw: bytes) -> bool:
        return raw.endswith("\n".encode(self._codec.name))

    def _wide_line(self, size: int) -> bytes:
        """A line of code units of 2 or 4 bytes: the byte 10 may stand inside one, so each is completed first."""
        raw = self._file.readline(size)
        while raw:
            raw += self._file.read(-len(raw) % self._codec.width)
            if self._ends(raw) or len(raw) >= size:
                break
            more = self._file.readline(size)
            if not more:
                break
            raw += more
        return raw


def csv_records(lines: Lines, *, delimiter: str, width: int | None) -> Iterator[list[str] | Fault]:
    """The rows of a CSV file, each of `width` cells (None takes any), or the fault that stands in its place."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _EndlessRecord:
            yield _endless(lines, width, delimiter)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        except csv.Error as error:
            lines.give_back(width or 0, delimiter)
            yield Fault(_quoting(str(error)))
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if lines.invalid:
            yield Fault(f"{lines.invalid}; name the file's encoding if all of it is in another, e.g. cp1252")
        elif width is None or len(cells) == width:
            if cells:
                yield cells
        elif cells and (lines.several or lines.raw.strip()):
            lines.give_back(width, delimiter)
            yield Fault(f"{len(cells)} cells where the header has {width}")


def json_records(lines: Lines) -> Iterator[str | Fault]:
    """The lines of a JSON Lines file that hold something, or the fault that stands in a line's place."""
    while True:
        lines.begin()
        try:
            text = next(lines)
        except StopIteration:
            return
        except _EndlessRecord:
            yield _endless(lines, None, ",")
            continue
        if lines.invalid:
            yield Fault(f"{lines.invalid}; name the file's encoding if all of it is in another, e.g. cp1252")
        elif not text.isspace():
            yield text


def _endless(lines: Lines, width: int | None, delimiter: str) -> Fault:
    if lines.several:
        lines.give_back(width or 0, delimiter)
        lines.skip_line()
        return Fault(f"a quote is opened and not closed within {LONGEST_RECORD // 1024 // 1024} MB")
    size = lines.skip_line()
    return Fault(
        f"a line of {size} bytes, longer than {LONGEST_RECORD}: its first {KEPT_OF_ENDLESS} are kept here, "
        f"all of it stands at byte {lines.offset} of the file"
    )


def _quoting(message: str) -> str:
    if "unexpected end of data" in message:
        return "a quote is opened and the file ends before it closes"
    if "expected after" in message:
        return 'a quote inside a quoted cell is not doubled, or one is never closed (write "" for a quote in a text)'
    if "new-line character" in message:
        return "a carriage return stands in a cell without quotes"
    return f"the line is no CSV: {message}"
