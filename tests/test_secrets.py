"""models/secrets.py: credentials at rest are opened by the key alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from models import sources
from models.database import Database
from models.errors import SettingsError
from models.secrets import check_stored, seal, unseal
from models.settings import Settings
from tests.builders import NOW, add_source

TOKEN = {"bearer": "AAAA-very-secret"}


def settings(home: Path, key: str = "") -> Settings:
    return Settings(home=home, secret_key=SecretStr(key))


def test_what_is_sealed_is_unreadable_without_the_key_and_comes_back_with_it(tmp_path: Path) -> None:
    sealed = seal(settings(tmp_path), TOKEN)

    assert b"secret" not in sealed
    assert unseal(settings(tmp_path), sealed) == TOKEN
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_another_key_is_refused_with_the_way_out(tmp_path: Path) -> None:
    sealed = seal(settings(tmp_path), TOKEN)

    with pytest.raises(SettingsError, match="WATCHFLOOR_SECRET_KEY"):
        unseal(settings(tmp_path, Fernet.generate_key().decode()), sealed)


def test_a_missing_key_is_never_made_for_opening(tmp_path: Path) -> None:
    sealed = seal(settings(tmp_path / "one"), TOKEN)

    with pytest.raises(SettingsError, match="no key"):
        unseal(settings(tmp_path / "two"), sealed)
    assert not (tmp_path / "two").exists()


def test_a_key_is_changed_by_naming_the_new_one_before_the_old_one(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    before = seal(settings(tmp_path, old), TOKEN)

    both = settings(tmp_path, f"{new},{old}")
    assert unseal(both, before) == TOKEN
    assert unseal(settings(tmp_path, new), seal(both, TOKEN)) == TOKEN


def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        seal(settings(tmp_path, "my-password"), TOKEN)
    assert "my-password" not in str(refused.value)
    assert "my-password" not in repr(settings(tmp_path, "my-password"))


def test_a_start_with_credentials_that_nothing_opens_is_refused(database: Database, tmp_path: Path) -> None:
    def check(home: Path) -> None:
        with database.read() as connection:
            check_stored(connection, settings(home))

    check(tmp_path / "two")
    source_id = add_source(database)
    sealed = seal(settings(tmp_path / "one"), TOKEN)
    with database.write() as connection:
        sources.change(connection, source_id, now=NOW, secrets=sealed)

    check(tmp_path / "one")
    with pytest.raises(SettingsError, match="WATCHFLOOR_SECRET_KEY"):
        check(tmp_path / "two")
