"""Passwords: what is accepted, how they are kept (argon2id), how they are compared."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from models.errors import InputError

SHORTEST = 12
# Counted in bytes, before anything is computed: a long password must not cost time.
LONGEST_BYTES = 1_024

# Argon2id at the least cost that OWASP recommends: 19 MB and two passes are 30 ms of one core, where the library's
# default of 64 MB and four lanes takes a small server's both cores for 150 ms.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Compared with when the mail is unknown, so that an unknown mail takes as long as a wrong password. Made with the same
# costs, from a password that nobody knows.
_NOBODY = _HASHER.hash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("nobody"))


def hashed(password: str) -> str:
    """What the database keeps. InputError for a password that is too short or too long."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise InputError(f"the password has {len(normal)} characters; use at least {SHORTEST}, a sentence for example")
    if len(normal.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise InputError(f"the password is longer than {LONGEST_BYTES} bytes; use a shorter one")
    return _HASHER.hash(normal.encode("utf-8", "surrogatepass"))


def matches(password_hash: str | None, password: str) -> bool:
    """True where the password is the one that was hashed; always takes the time of one comparison.

    None for the hash (an unknown mail, a person without a password) compares with a hash that nobody can meet.
    """
    if len(password) > LONGEST_BYTES:
        return False
    given = _normal(password).encode("utf-8", "surrogatepass")
    if len(given) > LONGEST_BYTES:
        return False
    try:
        return _HASHER.verify(password_hash or _NOBODY, given) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """True where the hash was made with other costs than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _normal(password: str) -> str:
    # The same key presses give composed letters on one system and decomposed ones on another.
    return unicodedata.normalize("NFKC", password)
