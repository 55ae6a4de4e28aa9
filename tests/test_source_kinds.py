"""models/source_kinds.py: the forms fit the connectors; nothing secret is shown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from ingest import connectors
from models.errors import InputError
from models.networks import BY_KEY
from models.source_kinds import BY_KIND, FORMS, Form, FormFault, form_of, missing_keys, read, secrets, shown

FEED, X = BY_KIND["feed"], BY_KIND["x"]
SEARCH = {"what": "search", "query": "halden OR @halden", "longest_query": "512"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
def test_a_form_asks_for_settings_that_its_connector_has(form: Form) -> None:
    connector = connectors.by_kind(form.kind)
    known = connector.Config.model_fields

    assert {field.name for field in form.fields} <= set(known)
    assert form.secret_names == {name for name, field in known.items() if "SecretStr" in str(field.annotation)}
    assert form.every_seconds == connector.EVERY_SECONDS
    assert form.network == connector.NETWORK
    assert form.network in BY_KEY
    assert {name for keys in form.keys for name in keys} == form.secret_names


@pytest.mark.parametrize(
    ("form", "given"),
    [
        (FEED, {"url": "https://example.org/feed.xml", "language": "de"}),
        (FEED, {"url": "http://example.org/feed"}),
        (X, SEARCH | {"longest_query": "4096", "app": "listen"}),
        (X, {"what": "mentions", "handle": "@haldenbank"}),
        (X, {"what": "account", "handle": "haldenbank", "query": "left over"}),
    ],
)
def test_what_a_form_accepts_its_connector_accepts(form: Form, given: dict[str, str]) -> None:
    config = read(form, given)
    keys = {name: SecretStr("k") for name in form.keys[0]} if form.keys else {}

    connectors.by_kind(form.kind).Config.model_validate(config | keys)


@pytest.mark.parametrize(
    ("form", "given", "names"),
    [
        (FEED, {}, {"url"}),
        (FEED, {"url": "ftp://example.org/x"}, {"url"}),
        (FEED, {"url": "https://"}, {"url"}),
        (FEED, {"url": "https://example.org/\x00"}, {"url"}),
        (FEED, {"url": "https://example.org/" + "x" * 5_000}, {"url"}),
        (X, {"what": "search"}, {"query"}),
        (X, {"what": "mentions"}, {"handle"}),
        (X, {"what": "everything", "query": "x"}, {"what"}),
        (X, SEARCH | {"longest_query": "99999"}, {"longest_query"}),
    ],
)
def test_every_field_that_cannot_be_used_is_named(form: Form, given: dict[str, str], names: set[str]) -> None:
    with pytest.raises(FormFault) as fault:
        read(form, given)
    assert set(fault.value.faults) == names


def test_a_setting_that_no_field_asks_for_stays_when_a_source_is_changed() -> None:
    before = {"url": "https://example.org/a", "language": "de", "largest_bytes": 5_000_000}
    assert read(FEED, {"url": "https://example.org/b", "language": ""}, before) == {
        "url": "https://example.org/b",
        "largest_bytes": 5_000_000,
    }


def test_the_password_of_an_address_is_not_shown_and_stays_when_the_address_comes_back_as_shown() -> None:
    before = {"url": "https://ana:hidden@example.org:8443/feed?x=1"}
    was = shown("feed", before)

    assert was == {"url": "https://example.org:8443/feed?x=1"}
    assert read(FEED, was, before) == before
    assert read(FEED, {"url": "https://example.org/other"}, before) == {"url": "https://example.org/other"}


def test_what_is_secret_is_never_among_what_is_shown_or_kept_as_a_setting() -> None:
    given: dict[str, Any] = SEARCH | {"bearer_token": "AAAA-secret", "consumer_key": "BBBB-secret"}

    assert secrets(X, given) == {"bearer_token": "AAAA-secret", "consumer_key": "BBBB-secret"}
    assert "secret" not in str(read(X, given))
    assert "secret" not in str(shown("x", given))


def test_an_empty_secret_is_none() -> None:
    assert secrets(X, {"bearer_token": "  ", "user_token": None}) == {}


def test_a_key_with_a_blank_in_it_was_copied_wrongly() -> None:
    with pytest.raises(FormFault) as fault:
        secrets(X, {"bearer_token": "AAAA BBBB"})
    assert "AAAA" not in str(fault.value)


@pytest.mark.parametrize(
    ("held", "names"),
    [
        ({"bearer_token"}, set()),
        ({"consumer_key", "consumer_secret", "access_token", "access_token_secret"}, set()),
        (set(), {"bearer_token"}),
        ({"consumer_key", "bearer_token"}, {"consumer_secret", "access_token", "access_token_secret"}),
    ],
)
def test_one_kind_of_key_must_be_complete(held: set[str], names: set[str]) -> None:
    assert set(missing_keys(X, held)) == names
    assert missing_keys(FEED, set()) == {}


def test_kinds_without_a_form_are_not_added_on_the_page() -> None:
    with pytest.raises(InputError, match="known: feed, x"):
        form_of("simulator")
