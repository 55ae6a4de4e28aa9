"""Network credentials at rest: sealed with a key that is not in the database, opened only by who calls the network."""

from __future__ import annotations

import os
from collections.abc import Mapping

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, select

from models.errors import SettingsError
from models.settings import Settings
from models.tables import source

FILE_IN_HOME = "secret.key"
WAY_OUT = (
    "set WATCHFLOOR_SECRET_KEY to the key that was used (several, comma-separated, while changing it), or enter the"
    " credentials again"
)


def seal(settings: Settings, values: Mapping[str, str]) -> bytes:
    """`values` as bytes that only the key opens; where there is none, one is made in `home`, readable by us alone."""
    return _keys(settings, make=True).encrypt(orjson.dumps(dict(values)))


def unseal(settings: Settings, sealed: bytes) -> dict[str, str]:
    """What was sealed; SettingsError when the key is missing or another one."""
    try:
        opened: dict[str, str] = orjson.loads(_keys(settings, make=False).decrypt(sealed))
    except InvalidToken:
        raise SettingsError([f"the key of this installation does not open stored credentials: {WAY_OUT}"]) from None
    return opened


def check_stored(connection: Connection, settings: Settings) -> None:
    """Raise SettingsError where credentials are stored that the key of this installation does not open."""
    stored = connection.execute(select(source.c.secrets).where(source.c.secrets.is_not(None)).limit(1)).scalar()
    if stored is not None:
        unseal(settings, stored)


def _keys(settings: Settings, *, make: bool) -> MultiFernet:
    """Encrypts with the first key, opens with any of them."""
    given, place = settings.secret_key.get_secret_value(), "WATCHFLOOR_SECRET_KEY"
    if not given:
        path = settings.home / FILE_IN_HOME
        place = str(path)
        if not path.exists():
            if not make:
                raise SettingsError([f"there is no key for stored credentials: {WAY_OUT}"])
            settings.home.mkdir(parents=True, exist_ok=True)
            try:
                # Exclusive: of two processes that start together one makes the key and both read it.
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(handle, "wb") as file:
                    file.write(Fernet.generate_key())
        given = path.read_text(encoding="ascii", errors="replace")
    try:
        return MultiFernet([Fernet(key.strip()) for key in given.split(",") if key.strip()])
    except ValueError:
        way_out = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        raise SettingsError([f"{place}: holds no key of 32 bytes in URL-safe base64; make one: {way_out}"]) from None
