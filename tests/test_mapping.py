"""Which column of a file means what, by name, by guess, by a TOML beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from ingest.connectors.file import Config, config_from, describe, explained, fetch
from models.errors import InputError
from tests.written_files import COLUMNS, HEADER, NOW, everything, written


def test_well_known_names_are_guessed_and_it_is_said(tmp_path: Path) -> None:
    config = written(tmp_path, "Tweet ID,Full Text,Created At,Retweet Count,source\n1,a,2026-01-01T00:00Z,7,web\n")
    found, _ = everything(config)

    assert (found[0].external_id, found[0].text, found[0].counts.reposts) == ("1", "a", 7)
    assert 'reposts: column "Retweet Count" (guessed from its name)' in explained(config)
    assert 'network: always "x"' in explained(config)


def test_once_a_column_is_named_nothing_optional_is_guessed(tmp_path: Path) -> None:
    rows = "id,text,posted_at,likes,author\n1,a,2026-01-01T00:00Z,7,ann\n"
    found, _ = everything(written(tmp_path, rows, columns={**COLUMNS, "author": "author"}))

    assert (found[0].author.key, found[0].counts.likes) == ("ann", None)


@pytest.mark.parametrize(
    ("header", "columns", "reason"),
    [
        ("id,text,posted_at", {}, r'network: name its column, or one network for all rows, e.g. network = "x"'),
        ("id,text,when", COLUMNS, r"posted_at: name its column; the file has: id, text, when"),
        ("id,texts,posted_at", COLUMNS, r'text: name its column \(did you mean "texts"\?\)'),
        ("id,body,posted_at", {**COLUMNS, "text": "bodi"}, r'no column "bodi" \(did you mean "body"\?\); the file has'),
        ("id,text,text,posted_at", {**COLUMNS, "text": "text"}, r'2 columns "text"; give them different names'),
        ("id,text,posted_at", {"network": "=myspace"}, r'no network "myspace"; known: bluesky'),
        ("id;text;posted_at", COLUMNS, r"one column .*name delimiter = ';'"),
    ],
)
def test_a_mapping_that_does_not_fit_names_the_way_out(
    tmp_path: Path, header: str, columns: dict[str, str], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        fetch(written(tmp_path, f"{header}\n", columns=columns), None, now=NOW)


def test_a_file_whose_first_instant_has_no_zone_is_asked_about_before_all_of_it_is_set_aside(tmp_path: Path) -> None:
    config = written(tmp_path, f"{HEADER}1,a,2026-01-01 10:00\n")

    with pytest.raises(InputError, match=r"line 2: posted_at .*name the zone"):
        fetch(config, None, now=NOW)


def test_a_toml_beside_the_file_says_how_it_is_read_and_the_config_wins(tmp_path: Path) -> None:
    config = written(tmp_path, "nr;said;at;who\n1;a;22.02.2026 10:00;United\n", columns={"author": "who"})
    (tmp_path / "posts.toml").write_text(
        'zone = "Europe/Berlin"\ndelimiter = ";"\nposted_at_form = "%d.%m.%Y %H:%M"\n[brands]\nUnited = "ua"\n'
        '[columns]\nnetwork = "x"\nexternal_id = "nr"\ntext = "said"\nposted_at = "at"\n'
        'author = "nobody"\nbrand = "who"\n'
    )
    found, _ = everything(config)

    assert (found[0].posted_at.hour, found[0].author.key, found[0].brand) == (9, "united", "ua")


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("zone = 3 3", "posts.toml cannot be read"),
        ('zone = "Mars/North"', 'posts.toml: zone: .*no zone "Mars/North"'),
        ('zoen = "UTC"', "posts.toml: zoen"),
        ('[columns]\ntexte = "a"', r'no field "texte" \(did you mean "text"\?\)'),
    ],
)
def test_a_wrong_toml_is_named_with_its_fault(tmp_path: Path, toml: str, reason: str) -> None:
    config = written(tmp_path, HEADER)
    (tmp_path / "posts.toml").write_text(toml)

    with pytest.raises(InputError, match=reason):
        fetch(config, None, now=NOW)


def test_flags_name_columns_and_settings_alike(tmp_path: Path) -> None:
    config = config_from(tmp_path / "a.csv", {"text": "body", "network": "x", "zone": "UTC"})

    assert (config.columns, config.zone) == ({"text": "body", "network": "x"}, "UTC")
    assert describe(config) == "file a.csv, zone UTC"
    with pytest.raises(InputError, match=r'no field or setting "zon" \(did you mean "zone"\?\)'):
        config_from(tmp_path / "a.csv", {"zon": "UTC"})
    with pytest.raises(InputError, match=r'the flags: zone: .*no zone "X"'):
        config_from(tmp_path / "a.csv", {"zone": "X"})


def test_a_config_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r'no field "txt" \(did you mean "text"\?\)'):
        Config(path=tmp_path, columns={"txt": "a"})
    with pytest.raises(ValidationError, match="is no form"):
        Config(path=tmp_path, posted_at_form="dd.mm.yyyy")
