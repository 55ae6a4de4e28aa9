"""What proves the audit log from outside the database: the signing key, signed heads, and how far the chain had come.

Everything lies in `audit` of the home folder: `signing.key` (Ed25519, PEM, readable by us alone, made on first use),
`heads-YYYY.jsonl` (a signed head a line, only appended) and `latest.json` (the newest link, signed, replaced each
time rows were linked). Who changes the database without this folder cannot make the two agree again; who keeps copies
of the heads elsewhere can prove the log even against who holds the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.audit_chain import BEGINNING, TOPIC, Link, newest_link
from models.database import Database, raise_change
from models.errors import InputError
from models.tables import audit_head, audit_link
from models.tables.base import from_microseconds, to_microseconds

FOLDER = "audit"
KEY_FILE, LATEST_FILE = "signing.key", "latest.json"
# The head of a finished day, kept in the database too; one signed at any moment; and the end of the chain that came
# with a backup.
DAY, NOW, RESTORED = "day", "now", "restored"
MOST_LINE = 4_096


@dataclass(frozen=True, slots=True)
class Head:
    """“At `signed_at` link `number` had this hash”, signed. `key` is the public half, both in hexadecimal.

    `kind` is DAY for the last link of `day` (UTC), NOW for the newest link at that moment. RESTORED says that a
    backup which ended there was put in the place of the database: what was linked later went with it.
    """

    kind: str
    day: str
    number: int
    hash: str
    signed_at: datetime
    key: str
    signature: str

    def as_line(self) -> str:
        """The head as one line of JSON."""
        return json.dumps(asdict(self) | {"signed_at": to_microseconds(self.signed_at)}, sort_keys=True)

    def holds(self) -> bool:
        """Whether the signature was made by the key that the head names."""
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            public.verify(bytes.fromhex(self.signature), _signed_text(self))
        except (ValueError, InvalidSignature):
            return False
        return True


class Outside:
    """The folder beside the database. Reading makes nothing; signing makes the folder and the key."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    @property
    def key_path(self) -> Path:
        """Where the private key lies."""
        return self.folder / KEY_FILE

    def public_key(self) -> str | None:
        """The public half of the key, in hexadecimal; None where there is no key yet."""
        return _public(self._key()) if self.key_path.exists() else None

    def signed(self, kind: str, link: Link, *, day: str, now: datetime) -> Head:
        """A head for a link."""
        key = self._key(make=True)
        head = Head(kind, day, link.number, link.hash, now, _public(key), "")
        return Head(kind, day, link.number, link.hash, now, head.key, key.sign(_signed_text(head)).hex())

    def seal(self, text: bytes) -> str:
        """The signature of something else that is kept in the database."""
        return self._key(make=True).sign(b"watchfloor\n" + text).hex()

    def opens(self, text: bytes, signature: str) -> bool:
        """Whether `seal` made this signature, with the key that lies here."""
        if not self.key_path.exists():
            return False
        try:
            self._key().public_key().verify(bytes.fromhex(signature), b"watchfloor\n" + text)
        except (ValueError, InvalidSignature):
            return False
        return True

    def export(self, head: Head) -> Path:
        """Append a head to the file of its year; it is on the disk when this returns."""
        self._make_folder()
        path = self.folder / f"heads-{head.day[:4]}.jsonl"
        with path.open("a", encoding="ascii") as file:
            file.write(head.as_line() + "\n")
            file.flush()
            os.fsync(file.fileno())
        return path

    def keep_latest(self, head: Head) -> None:
        """Replace what says how far the chain had come."""
        self._make_folder()
        beside = self.folder / f".{LATEST_FILE}.{os.getpid()}"
        with beside.open("w", encoding="ascii") as file:
            file.write(head.as_line() + "\n")
            file.flush()
            # Renamed before its content is on the disk, it may be empty after a power cut.
            os.fsync(file.fileno())
        beside.replace(self.folder / LATEST_FILE)

    def latest(self) -> Head | None:
        """How far the chain had come when that was last noted; None where it never was. InputError for a bad file."""
        path = self.folder / LATEST_FILE
        return next(iter(read_heads(path)), None) if path.exists() else None

    def heads(self) -> tuple[Head, ...]:
        """Every head that was exported, and the newest link that was noted. InputError for a broken line."""
        latest = self.latest()
        exported = tuple(head for path in sorted(self.folder.glob("heads-*.jsonl")) for head in read_heads(path))
        return exported if latest is None else (*exported, latest)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _key(self, *, make: bool = False) -> Ed25519PrivateKey:
        if make and not self.key_path.exists():
            self._make_key()
        try:
            key = serialization.load_pem_private_key(self.key_path.read_bytes(), password=None)
        except ValueError as error:
            raise InputError(f"{self.key_path} holds no private key in PEM: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InputError(f"{self.key_path} holds a key of another kind; Ed25519 is needed")
        return key

    def _make_key(self) -> None:
        self._make_folder()
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        beside = self.folder / f".{KEY_FILE}.{os.getpid()}"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            # Of two processes that start together the first one's key counts, and nobody reads half of one.
            os.link(beside, self.key_path)
        except FileExistsError:
            pass
        finally:
            beside.unlink()


def read_heads(path: Path) -> tuple[Head, ...]:
    """The heads of one file; InputError, with the line, for what is none."""
    heads = []
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                heads.append(_read(line, f"{path} line {number}"))
    return tuple(heads)


def stored_heads(connection: Connection) -> tuple[Head, ...]:
    """The head of each finished day that the database holds."""
    rows = connection.execute(select(audit_head).order_by(audit_head.c.day))
    return tuple(Head(DAY, row.day, row.number, row.hash, row.signed_at, row.key, row.signature) for row in rows)


def sign_finished_day(database: Database, outside: Outside, *, now: datetime) -> Head | None:
    """Sign the last link of the newest finished day (UTC); None where there is none, or it is signed already.

    The line outside the database comes first: a head that is only there can be explained, one that is missing not.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with database.read() as connection:
        row = connection.execute(
            select(audit_link).where(audit_link.c.at < midnight).order_by(audit_link.c.number.desc()).limit(1)
        ).first()
        if row is None:
            return None
        day = f"{row.at:%Y-%m-%d}"
        if connection.execute(select(audit_head.c.day).where(audit_head.c.day == day)).first() is not None:
            return None
    head = outside.signed(DAY, Link(row.number, row.audit_id, row.at, row.hash), day=day, now=now)
    path = outside.export(head)
    values = {name: getattr(head, name) for name in ("day", "number", "hash", "signed_at", "key", "signature")}
    try:
        with database.write() as connection:
            connection.execute(insert(audit_head).values(**values, exported_to=str(path)))
            raise_change(connection, TOPIC)
    except IntegrityError:
        # Another worker signed the same link a moment before.
        return None
    return head


def sign_now(connection: Connection, outside: Outside, *, now: datetime) -> Head | None:
    """Sign the newest link and append it to the file; None where nothing is linked yet."""
    last = newest_link(connection)
    if last is None:
        return None
    head = outside.signed(NOW, last, day=f"{now.astimezone(UTC):%Y-%m-%d}", now=now)
    outside.export(head)
    return head


def note_latest(connection: Connection, outside: Outside, last: Link, *, now: datetime) -> bool:
    """Write down outside the database how far the chain has come.

    False, and nothing is written, where the chain does not hold what was noted before: that note is the proof of it.
    """
    before = outside.latest()
    if before is not None and before.number and not stands(connection, before):
        return False
    outside.keep_latest(outside.signed(NOW, last, day=f"{now.astimezone(UTC):%Y-%m-%d}", now=now))
    return True


def note_restored(database: Database, outside: Outside, *, now: datetime) -> Head | None:
    """Note that a backup is the database now: heads of what was linked after it no longer hold, and this one says why.

    None where nothing was ever signed.
    """
    if not outside.key_path.exists():
        return None
    last: Link | None = None
    # A backup of an earlier release has no chain.
    with suppress(DBAPIError), database.read() as connection:
        last = newest_link(connection)
    link = last or Link(0, 0, now, BEGINNING)
    if (before := outside.latest()) is not None:
        # How much went with it can be told later.
        outside.export(before)
    head = outside.signed(RESTORED, link, day=f"{now.astimezone(UTC):%Y-%m-%d}", now=now)
    outside.export(head)
    outside.keep_latest(head)
    return head


def stands(connection: Connection, head: Head) -> bool:
    """Whether the chain in the database has this very link."""
    found = connection.execute(select(audit_link.c.hash).where(audit_link.c.number == head.number)).scalar()
    return bool(found == head.hash)


def _read(line: str, place: str) -> Head:
    try:
        given: dict[str, Any] = json.loads(line[:MOST_LINE])
        return Head(
            kind=str(given["kind"]),
            day=str(given["day"]),
            number=int(given["number"]),
            hash=str(given["hash"]),
            signed_at=from_microseconds(int(given["signed_at"])),
            key=str(given["key"]),
            signature=str(given["signature"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{place}: is no signed head; put the file back as it was written") from error


def _signed_text(head: Head) -> bytes:
    parts: Sequence[Any] = (head.kind, head.day, head.number, head.hash, to_microseconds(head.signed_at))
    return ("watchfloor audit head\n" + "\n".join(str(part) for part in parts)).encode("utf-8", "replace")


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
