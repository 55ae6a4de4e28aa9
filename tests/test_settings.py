"""models/settings.py: variables over one TOML file over defaults, and every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SettingsError
from models.settings import Settings, load


def faults(**environment: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        load({f"WATCHFLOOR_{name}": value for name, value in environment.items()})
    return raised.value.faults


def test_without_any_setting_the_embedded_database_lies_in_home(tmp_path: Path) -> None:
    settings = load({"WATCHFLOOR_HOME": str(tmp_path / "a home")})
    assert settings.resolved_database_url == f"sqlite:///{str(tmp_path).replace(' ', '%20')}/a home/watchfloor.db"
    assert (settings.port, settings.demo, settings.address) == (8050, True, "http://localhost:8050")


@pytest.mark.parametrize("name", ["plain", "with space", "50%20?#&", "größe"])
def test_a_home_with_any_name_holds_its_database(tmp_path: Path, name: str) -> None:
    from models.database import Database

    settings = load({"WATCHFLOOR_HOME": str(tmp_path / name)})
    assert Database(settings.resolved_database_url).url.database == str(tmp_path / name / "watchfloor.db")


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('port = 9000\nhost = "0.0.0.0"\ntrusted_proxies = ["10.0.0.0/8"]\n')
    settings = load({"WATCHFLOOR_CONFIG": str(file), "WATCHFLOOR_PORT": "9001", "WATCHFLOOR_HOME": str(tmp_path)})
    assert (settings.port, settings.host, settings.trusted_proxies) == (9001, "0.0.0.0", ("10.0.0.0/8",))


def test_a_file_in_home_is_read_without_being_named(tmp_path: Path) -> None:
    (tmp_path / "watchfloor.toml").write_text("demo = false\n")
    assert not load({"WATCHFLOOR_HOME": str(tmp_path)}).demo


@pytest.mark.parametrize(("value", "demo"), [("0", False), ("false", False), ("no", False), ("1", True), ("", True)])
def test_demo_is_switched_off_by_zero_and_an_empty_variable_is_not_set(value: str, demo: bool) -> None:
    assert load({"WATCHFLOOR_DEMO": value}).demo is demo


def test_several_proxies_are_separated_by_commas() -> None:
    assert load({"WATCHFLOOR_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}).trusted_proxies == ("10.0.0.0/8", "::1")


def test_the_public_address_is_what_people_are_given() -> None:
    settings = load({"WATCHFLOOR_PUBLIC_URL": "https://floor.example.org/", "WATCHFLOOR_HOST": "0.0.0.0"})
    assert settings.address == "https://floor.example.org"
    assert load({"WATCHFLOOR_HOST": "fd00::1"}).address == "http://[fd00::1]:8050"


KNOWN = (
    "known: home, database_url, host, port, public_url, trusted_proxies, demo, demo_rate, workers, secret_key, prices, "
    "oidc_issuer, oidc_client_id, oidc_client_secret, oidc_scopes, oidc_groups_claim, oidc_groups, oidc_link_invited, "
    "oidc_required"
)


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "watchfloor.toml"
    file.write_text('workers = "many"\nport = 8050\ncolour = "red"\n')
    told = faults(HOME=str(tmp_path), PORT="x", PROT="1", DEMO="maybe", HOST="http://a", TRUSTED_PROXIES="10.0.0.0/8,z")
    assert sorted(told) == sorted(
        [
            'WATCHFLOOR_PORT: "x" is no whole number',
            'WATCHFLOOR_PROT: there is no setting "prot" (did you mean port?); ' + KNOWN,
            'WATCHFLOOR_DEMO: "maybe" is neither yes nor no; write 1 or 0',
            'WATCHFLOOR_HOST: "http://a" is neither an address nor a name of this machine; e.g. 127.0.0.1, '
            "or 0.0.0.0 for every one",
            'WATCHFLOOR_TRUSTED_PROXIES: "z" is no address or network; e.g. 10.0.0.0/8',
            f'{file}: workers: "many" is no whole number',
            f'{file}: colour: there is no setting "colour"; {KNOWN}',
        ]
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:hunter2@h/x", 'has no database "mysql"'),
        ("postgresql+asyncpg://u:hunter2@h/x", 'has no database "postgresql+asyncpg"'),
        ("postgresql://u:hun:ter2@h:port/x", "is no database URL"),
        ("postgresql://u@h/x?password=hunter2", "has its password behind the ?"),
        ("hunter2", "is no database URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////tmp/x.db?mode=ro", "needs a file and nothing behind it"),
    ],
)
def test_a_wrong_database_url_is_told_without_its_password(url: str, reason: str) -> None:
    (told,) = faults(DATABASE_URL=url)
    assert told.startswith(f"WATCHFLOOR_DATABASE_URL: {reason}")
    assert "ter2" not in told


@pytest.mark.parametrize(
    "url", ["foo", "ftp://a", "https://", "https://a/b", "https://a?b", "https://[", "https://a:x", "https://a b"]
)
def test_a_public_address_that_nobody_can_open_is_refused(url: str) -> None:
    (told,) = faults(PUBLIC_URL=url)
    assert "is no address people can open; e.g. https://watchfloor.example.org" in told


def test_a_user_in_the_public_address_is_refused_unseen() -> None:
    (told,) = faults(PUBLIC_URL="https://ana:hunter2@floor.example.org")
    assert told == "WATCHFLOOR_PUBLIC_URL: must not name a user; e.g. https://watchfloor.example.org"


def test_several_web_processes_are_refused_on_sqlite() -> None:
    told = faults(WORKERS="2")
    reason = "SQLite is served by one web process; use 1, or set database_url to PostgreSQL"
    assert told == (f"WATCHFLOOR_WORKERS: {reason}",)
    assert load({"WATCHFLOOR_WORKERS": "2", "WATCHFLOOR_DATABASE_URL": "postgresql://h/x"}).workers == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"port = ", "cannot be read as TOML"),
        (b"\xff\xfe", "cannot be read as TOML"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"#" * (1 << 20) + b"#", "has more than 1,048,576 bytes"),
        (b'home = "\\u0000"', '"\N{REPLACEMENT CHARACTER}" is no folder'),
        (b"home = {a = 1}", "home: "),
        (b"port = true\nworkers = [1]", "workers: "),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    told = faults(CONFIG=str(file), HOME="")
    assert any(line.startswith(f"{file}: ") and reason in line for line in told), told


def test_a_named_file_that_is_missing_or_a_folder_is_told(tmp_path: Path) -> None:
    assert faults(CONFIG=str(tmp_path / "no.toml")) == (f'WATCHFLOOR_CONFIG: there is no file "{tmp_path}/no.toml"',)
    assert faults(CONFIG=str(tmp_path)) == (f"{tmp_path}: cannot be read as TOML: Is a directory",)


def test_what_the_tests_and_the_launcher_read_is_no_unknown_setting() -> None:
    load({"WATCHFLOOR_TEST_DATA": "/somewhere", "WATCHFLOOR_REQUIRE_DATA": "1", "HOME": "/x"})


SIGN_ON = {
    "OIDC_ISSUER": "https://login.example.org/realms/a",
    "OIDC_CLIENT_ID": "watchfloor",
    "OIDC_CLIENT_SECRET": "hunter2",
}


def test_company_sign_on_is_a_few_settings_and_groups_are_pairs_or_a_table(tmp_path: Path) -> None:
    def loaded(**more: str) -> Settings:
        return load({f"WATCHFLOOR_{name}": value for name, value in (SIGN_ON | more).items()})

    assert not load({}).has_company_signon
    settings = loaded(OIDC_GROUPS="care-nl = agent@brand:halden-bank+team:care, leads=manager", OIDC_SCOPES="openid,a")
    assert settings.has_company_signon
    assert settings.oidc_groups == {"care-nl": "agent@brand:halden-bank+team:care", "leads": "manager"}
    assert settings.oidc_scopes == "openid a"
    # A group of a directory has commas and equals signs in its name.
    named = loaded(OIDC_GROUPS='{"CN=care,OU=nl": "agent"}')
    assert named.oidc_groups == {"CN=care,OU=nl": "agent"}
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"OIDC_ISSUER": "http://login.example.org"}, "is no issuer; it begins with https://"),
        ({"OIDC_ISSUER": "https://a?b=c"}, "is no issuer"),
        ({"OIDC_ISSUER": "https://user@a"}, "is no issuer"),
        ({"OIDC_SCOPES": "email"}, "must name openid"),
        ({"OIDC_GROUPS": "care"}, "needs GROUP=ROLE"),
        ({"OIDC_GROUPS": "care=owner"}, 'care: no role "owner"; known: viewer'),
        ({"OIDC_GROUPS": "care=agent@halden"}, '"halden" is no brand:KEY, location:KEY or team:KEY'),
        ({"OIDC_GROUPS": "care=admin@brand:halden"}, 'the role "admin" is for everything'),
        ({"OIDC_GROUPS": "{"}, "is no JSON"),
    ],
)
def test_a_company_sign_on_that_cannot_work_is_refused_in_words(given: dict[str, str], told: str) -> None:
    (fault,) = faults(**(SIGN_ON | given))
    (name,) = given
    assert fault.startswith(f"WATCHFLOOR_{name}: ")
    assert told in fault
    assert "hunter2" not in fault


def test_settings_that_do_not_fit_together_are_told_at_once() -> None:
    told = faults(OIDC_CLIENT_SECRET="hunter2", OIDC_REQUIRED="1", WORKERS="2")
    assert sorted(told) == [
        "WATCHFLOOR_OIDC_ISSUER: is missing, though oidc_required, oidc_client_secret is set; "
        "e.g. https://login.example.org",
        "WATCHFLOOR_WORKERS: SQLite is served by one web process; use 1, or set database_url to PostgreSQL",
    ]
    assert faults(OIDC_ISSUER="https://a.example")[0].startswith("WATCHFLOOR_OIDC_CLIENT_ID: is missing")


_NAMES = st.sampled_from([*Settings.model_fields, "config", "", "prot"]) | st.text(max_size=8)
_VALUES = (
    st.text(max_size=60)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["~", "~nobody-at-all/x", "postgresql://a:b@[::1]:5/c", "postgresql://[", "sqlite:///\0", "http://[::1", "::1"]
    )
)


@given(st.dictionaries(_NAMES.map(lambda name: f"WATCHFLOOR_{name.upper()}"), _VALUES, max_size=5))
def test_any_environment_gives_settings_or_a_settings_error(environment: dict[str, str]) -> None:
    told: tuple[str, ...] = ()
    settings = None
    try:
        settings = load(environment)
    except SettingsError as error:
        told = error.faults
    assert (settings is None) == bool(told)
    assert all(fault and "\n" not in fault for fault in told)
    if settings is not None:
        assert settings.address.startswith(("http://", "https://"))
        assert settings.home.is_absolute()
