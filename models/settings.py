"""The server's settings: `WATCHFLOOR_*` variables over one TOML file over defaults, every fault at once."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from models.errors import SettingsError

PREFIX = "WATCHFLOOR_"
CONFIG = "WATCHFLOOR_CONFIG"
# Read by tests and by this module alone, so not settings.
OTHERS = {
    CONFIG,
    "WATCHFLOOR_TEST_DATA",
    "WATCHFLOOR_TEST_POSTGRES_URL",
    "WATCHFLOOR_REQUIRE_BROWSER",
    "WATCHFLOOR_REQUIRE_DATA",
}


class Settings(BaseModel):
    """Frozen. `home` holds the embedded database, keys, logs and backups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Path.home() / ".watchfloor"
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8050, ge=1, le=65535)
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    demo: bool = True
    demo_rate: float = Field(default=1.0, gt=0, le=100)
    workers: int = Field(default=1, ge=1, le=64)

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value:
            return value
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError as error:
            raise ValueError("is no database URL; e.g. postgresql://USER:PASSWORD@HOST/NAME") from error
        if backend not in ("sqlite", "postgresql"):
            raise ValueError(f'has no database "{backend}"; use sqlite:///FILE or postgresql://USER@HOST/NAME')
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/")):
            raise ValueError(f'"{value}" is no address people can open; e.g. https://watchfloor.example.org')
        return value.rstrip("/")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError as error:
                raise ValueError(f'"{part}" is no address or network; e.g. 10.0.0.0/8') from error
        return value

    @model_validator(mode="after")
    def _one_web_process_on_sqlite(self) -> Settings:
        if self.workers > 1 and make_url(self.resolved_database_url).get_backend_name() == "sqlite":
            raise ValueError("workers: SQLite is served by one web process; use 1, or set database_url to PostgreSQL")
        return self

    @property
    def resolved_database_url(self) -> str:
        """The database asked for, or the embedded one in `home`."""
        return self.database_url or f"sqlite:///{self.home / 'watchfloor.db'}"

    @property
    def address(self) -> str:
        """Where people open the product."""
        local = self.host in ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104 - compared, not bound
        return self.public_url or f"http://{'localhost' if local else self.host}:{self.port}"


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment and the TOML file it names (else `watchfloor.toml` in home, if there is one).

    SettingsError holds one sentence for every fault: unknown names, wrong values, an unreadable file.
    """
    environment = os.environ if environment is None else environment
    faults: list[str] = []
    places: dict[str, str] = {}
    values = _from_file(environment, places, faults)
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in OTHERS:
            key = name.removeprefix(PREFIX).lower()
            values[key] = value
            places[key] = name
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults += [_sentence(fault, places) for fault in error.errors()]
    if faults:
        raise SettingsError(faults)
    return settings


def _from_file(environment: Mapping[str, str], places: dict[str, str], faults: list[str]) -> dict[str, Any]:
    home = Path(environment.get(f"{PREFIX}HOME") or Settings.model_fields["home"].default).expanduser()
    named = environment.get(CONFIG)
    path = Path(named) if named else home / "watchfloor.toml"
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named:
            faults.append(f'{CONFIG}: there is no file "{named}"')
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(f"{path}: cannot be read: {error}")
        return {}
    places.update({key: f"{path}: {key}" for key in values})
    return values


def _sentence(fault: Any, places: Mapping[str, str]) -> str:
    key = str(fault["loc"][0]) if fault["loc"] else ""
    place = places.get(key, f"{PREFIX}{key.upper()}" if key else "settings")
    if fault["type"] == "extra_forbidden":
        return f'{place}: there is no setting "{key}"; known: {", ".join(Settings.model_fields)}'
    message = fault["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    shown = "" if isinstance(fault["input"], dict) or "url" in key else f' "{fault["input"]}"'
    return f"{place}:{shown} {message}"
