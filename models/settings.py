"""The server's settings: `WATCHFLOOR_*` variables over one TOML file over defaults, every fault at once."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from json import loads
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from models import group_roles
from models.errors import InputError, SettingsError
from models.networks import BY_KEY

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
FILE_IN_HOME = "watchfloor.toml"
MOST_BYTES = 1 << 20
# Anything else that SQLAlchemy knows would need a driver that is not installed.
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql", "postgresql+psycopg": "postgresql"}
DATABASE_EXAMPLE = "postgresql://USER:PASSWORD@HOST/NAME"
PLAIN = {
    "bool_parsing": "is neither yes nor no; write 1 or 0",
    "int_parsing": "is no whole number",
    "float_parsing": "is no number",
}
# What networks charge for. X by its own price list of 2026, in dollars; settings change single prices.
UNITS = ("post", "user", "create", "create_with_link", "own")
PRICES = {"x": {"post": 0.005, "user": 0.010, "create": 0.015, "create_with_link": 0.200, "own": 0.001}}
DEAREST = 1000.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")


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
    secret_key: SecretStr = SecretStr("")
    prices: dict[str, dict[str, float]] = Field(default_factory=dict)
    # Company sign-on by OpenID Connect: off while no issuer is named.
    oidc_issuer: str = ""
    oidc_client_id: str = Field(default="", max_length=255)
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scopes: str = "openid email profile"
    oidc_groups_claim: str = Field(default="groups", max_length=120)
    # Group at the company's -> role here, e.g. {"care-nl": "agent@brand:halden-bank"}; see models/group_roles.py.
    oidc_groups: dict[str, str] = Field(default_factory=dict)
    # Whom an administrator invited is found by a verified email, once; from then on by issuer and subject alone.
    oidc_link_invited: bool = True
    # Then nobody signs in with a password but the break-glass administrator.
    oidc_required: bool = False

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        try:
            home = value.expanduser().absolute()
            is_name = b"\0" not in os.fsencode(home)
        except (RuntimeError, ValueError, OSError):
            is_name = False
        if not is_name:
            raise ValueError("is no folder; e.g. /var/lib/watchfloor")
        return home

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value:
            return value
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            # What SQLAlchemy says may hold a part of the password.
            raise ValueError(f"is no database URL; e.g. {DATABASE_EXAMPLE}") from None
        if url.drivername not in DRIVERS:
            raise ValueError(f'has no database "{url.drivername}"; use sqlite:///FILE or {DATABASE_EXAMPLE}')
        if DRIVERS[url.drivername] == "sqlite":
            if not url.database or url.database.startswith((":memory:", "file:")) or "\0" in url.database or url.query:
                raise ValueError("needs a file and nothing behind it, e.g. sqlite:////var/lib/watchfloor/watchfloor.db")
        elif {"password", "passfile"} & url.query.keys():
            raise ValueError(f"has its password behind the ?, where it would be shown; write {DATABASE_EXAMPLE}")
        return value

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            if HOST.fullmatch(value):
                return value
        raise ValueError("is neither an address nor a name of this machine; e.g. 127.0.0.1, or 0.0.0.0 for every one")

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        if "@" in parts.netloc:
            raise ValueError("must not name a user; e.g. https://watchfloor.example.org")
        is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
        is_clean = value.isprintable() and not re.search(r"[\s\"'<>\\^`{|}]", value)
        if parts.scheme not in ("http", "https") or not parts.hostname or not is_bare or not is_clean:
            raise ValueError(f'"{_shown(value)}" is no address people can open; e.g. https://watchfloor.example.org')
        return value.rstrip("/#?")

    @field_validator("prices")
    @classmethod
    def _known_prices(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for network, prices in value.items():
            if network not in BY_KEY:
                raise ValueError(f'has no network "{_shown(network)}"; known: {", ".join(sorted(BY_KEY))}')
            for unit, price in prices.items():
                if unit not in UNITS:
                    raise ValueError(f'has no unit "{_shown(unit)}"; known: {", ".join(UNITS)}')
                if not 0 <= price <= DEAREST:
                    raise ValueError(f"{network}.{unit} must be 0 to {DEAREST:g} dollars, not {price:g}")
        return value

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
                raise ValueError(f'"{_shown(part)}" is no address or network; e.g. 10.0.0.0/8') from error
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        is_clean = value.isprintable() and not re.search(r"[\s\"'<>\\^`{|}?#@]", value) and len(value) <= 255
        # What the company's server says is believed: it must not be changed on its way.
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not is_clean or not parts.hostname or not is_safe:
            raise ValueError(f'"{_shown(value)}" is no issuer; it begins with https://, e.g. https://login.example.org')
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _scopes(cls, value: str) -> str:
        scopes = value.replace(",", " ").split()
        if "openid" not in scopes:
            raise ValueError("must name openid, e.g. openid email profile")
        return " ".join(dict.fromkeys(scopes))

    @field_validator("oidc_groups", mode="before")
    @classmethod
    def _groups_of_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("{"):
            try:
                return loads(value)
            except (ValueError, RecursionError):
                raise ValueError('is no JSON; e.g. {"care-nl": "agent@brand:halden-bank"}') from None
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if any(not equals or not name.strip() for name, equals, _ in pairs):
            raise ValueError("needs GROUP=ROLE, e.g. care-nl=agent@brand:halden-bank, desk-leads=manager")
        return {name.strip(): role.strip() for name, _, role in pairs}

    @field_validator("oidc_groups")
    @classmethod
    def _known_roles(cls, value: dict[str, str]) -> dict[str, str]:
        for group, role in value.items():
            try:
                group_roles.read(role)
            except InputError as error:
                raise ValueError(f"{_shown(group)}: {error}") from error
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Settings:
        faults = []
        if self.workers > 1 and make_url(self.resolved_database_url).get_backend_name() == "sqlite":
            faults.append("workers: SQLite is served by one web process; use 1, or set database_url to PostgreSQL")
        if self.oidc_issuer and not self.oidc_client_id:
            faults.append("oidc_client_id: is missing; the administrator of the company sign-on gives one")
        if not self.oidc_issuer:
            given = ("oidc_client_id", "oidc_groups", "oidc_required")
            named = [name for name in given if getattr(self, name)]
            named += ["oidc_client_secret"] if self.oidc_client_secret.get_secret_value() else []
            if named:
                faults.append(
                    f"oidc_issuer: is missing, though {', '.join(named)} is set; e.g. https://login.example.org"
                )
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def has_company_signon(self) -> bool:
        """Whether people may sign in at the company's."""
        return bool(self.oidc_issuer)

    @property
    def resolved_database_url(self) -> str:
        """The database asked for, or the embedded one in `home`."""
        embedded = URL.create("sqlite", database=str(self.home / "watchfloor.db"))
        return self.database_url or embedded.render_as_string()

    def price(self, network: str, unit: str) -> float:
        """Dollars that a network charges for one of a unit; 0 where no price is known."""
        return self.prices.get(network, {}).get(unit, PRICES.get(network, {}).get(unit, 0.0))

    @property
    def address(self) -> str:
        """Where people open the product."""
        if self.public_url:
            return self.public_url
        local = self.host in ("127.0.0.1", "0.0.0.0", "::", "::1")  # noqa: S104 - compared, not bound
        host = "localhost" if local else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment and the TOML file it names (else `watchfloor.toml` in home, if there is one).

    A variable without a value counts as not set. SettingsError holds one sentence for every fault: unknown names, wrong
    values, an unreadable file.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    faults: list[str] = []
    places: dict[str, str] = {}
    values = _from_file(given, places, faults)
    for name, value in given.items():
        if name not in OTHERS:
            key = name.removeprefix(PREFIX).lower()
            values[key] = value
            places[key] = name
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults += [sentence for fault in error.errors() for sentence in _sentences(fault, places)]
    if faults or settings is None:
        raise SettingsError(faults)
    return settings


def _from_file(environment: Mapping[str, str], places: dict[str, str], faults: list[str]) -> dict[str, Any]:
    named = environment.get(CONFIG)
    try:
        home = Path(environment.get(f"{PREFIX}HOME") or Settings.model_fields["home"].default).expanduser()
        path = Path(named) if named else home / FILE_IN_HOME
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            faults.append(f"{path}: has more than {MOST_BYTES:,} bytes; settings are a few lines")
            return {}
        values = tomllib.loads(raw.decode("utf-8-sig"))
    except FileNotFoundError:
        if named:
            faults.append(f'{CONFIG}: there is no file "{_shown(named)}"')
        return {}
    except RecursionError:
        faults.append(f"{path}: is nested too deeply; settings are lines like port = 8050")
        return {}
    except (OSError, RuntimeError, ValueError) as error:
        if named or not isinstance(error, NotADirectoryError | RuntimeError):
            reason = error.strerror if isinstance(error, OSError) else error
            faults.append(f"{_shown(named) if named else home / FILE_IN_HOME}: cannot be read as TOML: {reason}")
        return {}
    places.update({key: f"{path}: {key}" for key in values})
    return values


def _sentences(fault: Any, places: Mapping[str, str]) -> list[str]:
    """One for each line: what concerns several settings together is told in one go."""
    lines = fault["msg"].removeprefix("Value error, ").split("\n") if not fault["loc"] else [fault["msg"]]
    return [_sentence({**fault, "msg": line}, places) for line in lines]


def _sentence(fault: Any, places: Mapping[str, str]) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    # What concerns several settings begins with the name of the one to change.
    key = str(fault["loc"][0]) if fault["loc"] else message.partition(":")[0]
    place = _shown(places.get(key, f"{PREFIX}{key.upper()}"))
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, Settings.model_fields, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        return f'{place}: there is no setting "{_shown(key)}"{meant}; known: {", ".join(Settings.model_fields)}'
    message = PLAIN.get(fault["type"], message if fault["loc"] else message.partition(": ")[2])
    message = message.replace("Input should be", "should be", 1)
    hidden = isinstance(fault["input"], dict | Settings) or message.startswith('"')
    hidden = hidden or any(word in key for word in ("url", "secret", "oidc_groups"))
    return f"{place}:{'' if hidden else chr(32) + chr(34) + _shown(str(fault['input'])) + chr(34)} {message}"


def _shown(text: str) -> str:
    """At most 100 characters that a terminal and a log take."""
    cut = text if len(text) <= 100 else text[:99] + "…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)
