"""models/organisation_*.py: a file is read with every fault at once, compared, and applied in one transaction."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from models.database import Database
from models.errors import OrganisationError
from models.organisation import Organisation, current
from models.organisation_entries import RESERVED
from models.organisation_file import Difference, OrganisationFile, apply, read
from models.tables import audit, brand, brand_rule, change, location, setting, team, team_cover
from tests.command_line import AIRLINES
from tests.empty import empty_database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MERIDIAN = AIRLINES.parent.parent / "models" / "demo" / "meridian.toml"

SMALL = """
[organisation]
name = "Two shops"
zone = "Europe/Berlin"
languages = ["en", "DE"]

[[brand]]
key = "apple-tree"
name = "Apple Tree"
competitors = ["rival"]
rules = ["appletree OR @appletree", '"apple tree" NOT garden']

[[brand]]
key = "rival"
name = "Rival"
kind = "competitor"

[[location]]
key = "berlin"
name = "Berlin"
parent = "germany"
zone = "Europe/Berlin"
latitude = 52.52
longitude = 13.405
aliases = ["BERLIN, DE", "bln"]

[[location]]
key = "germany"
name = "Germany"
kind = "country"

[[team]]
key = "desk"
name = "Desk"
covers = [{brand = "apple-tree", location = "germany"}, {brand = "*"}]
"""

SMALL_CSV = """thing,key,name,kind,zone,languages,parent,latitude,longitude,aliases,competitors,rules,covers
organisation,,Two shops,,Europe/Berlin,en;DE,,,,,,,
brand,apple-tree,Apple Tree,,,,,,,,rival,"appletree OR @appletree; ""apple tree"" NOT garden",
brand,rival,Rival,competitor,,,,,,,,,
location,berlin,Berlin,,Europe/Berlin,,germany,52.52,13.405,"BERLIN, DE; bln",,,
location,germany,Germany,country,,,,,,,,,
team,desk,Desk,,,,,,,,,,apple-tree@germany; *
"""


def written(folder: Path, text: str, name: str = "organisation.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def load(database: Database, file: OrganisationFile, now: datetime = NOW) -> tuple[Difference, ...]:
    with database.write() as connection:
        return apply(connection, file, actor="test", now=now)


def held(database: Database, now: datetime = NOW) -> Organisation:
    with database.read() as connection:
        return current(connection, now)


def counts(connection: Connection) -> list[int]:
    tables = (brand, brand_rule, location, team, team_cover, setting, audit, change)
    return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def faults(folder: Path, text: str, name: str = "organisation.toml") -> tuple[str, ...]:
    with pytest.raises(OrganisationError) as raised:
        read(written(folder, text, name))
    return raised.value.faults


# -- loading -----------------------------------------------------------------------------------------------


def test_a_file_is_loaded_and_reads_back_as_it_was_written(database: Database, tmp_path: Path) -> None:
    differences = load(database, read(written(tmp_path, SMALL)))
    found = held(database)
    assert (found.name, found.zone, found.languages, found.simulated) == (
        "Two shops",
        "Europe/Berlin",
        ("en", "de"),
        False,
    )
    apple = found.brand_by_key("apple-tree")
    assert apple.rules == ("appletree OR @appletree", '"apple tree" NOT garden')
    assert (apple.kind, apple.monogram) == ("own", "AT")
    assert found.competitors == {apple.id: (found.brand_by_key("rival").id,)}
    berlin, germany = found.location_by_key("berlin"), found.location_by_key("germany")
    assert (berlin.parent_id, berlin.aliases, berlin.latitude) == (germany.id, ("berlin, de", "bln"), 52.52)
    desk = found.team_by_key("desk")
    assert found.team_for(apple.id, berlin.id) == found.team_for(1, 1) == desk.id
    assert {(d.action, d.thing, d.key) for d in differences} >= {
        ("add", "brand", "apple-tree"),
        ("add", "location", "berlin"),
        ("add", "team", "desk"),
        ("change", "organisation", "zone"),
    }


@pytest.mark.parametrize("path", [AIRLINES, MERIDIAN], ids=["airlines", "meridian"])
def test_loading_a_file_twice_changes_nothing_the_second_time(database: Database, path: Path) -> None:
    assert load(database, read(path))
    with database.read() as connection:
        before = counts(connection)
    assert load(database, read(path), NOW + timedelta(hours=1)) == ()
    with database.read() as connection:
        assert counts(connection) == before


def test_csv_and_toml_of_the_same_organisation_are_the_same(tmp_path: Path) -> None:
    assert read(written(tmp_path, SMALL_CSV, "organisation.csv")) == read(written(tmp_path, SMALL))


def test_a_spreadsheet_with_a_byte_order_mark_and_its_own_line_ends_is_read(tmp_path: Path) -> None:
    text = "\ufeff" + SMALL_CSV.replace("\n", "\r\n")
    assert read(written(tmp_path, text, "organisation.CSV")) == read(written(tmp_path, SMALL))


def test_what_changed_is_said_from_what_to_what(database: Database, tmp_path: Path) -> None:
    load(database, read(written(tmp_path, SMALL)))
    changed = (
        SMALL.replace('name = "Berlin"', 'name = "Berlin Mitte"')
        .replace('parent = "germany"', "")
        .replace('"appletree OR @appletree", ', '"#appletree", ')
        .replace('competitors = ["rival"]', "")
        .replace('{brand = "*"}', '{location = "berlin"}')
    )
    differences = load(database, read(written(tmp_path, changed)), NOW + timedelta(hours=1))
    assert [f"{d.action} {d.thing} {d.key} {d.what}" for d in differences] == [
        "change brand apple-tree rule removed: appletree OR @appletree",
        "change brand apple-tree rule added: #appletree",
        "change location berlin name: Berlin -> Berlin Mitte, parent: germany -> none",
        "change brand apple-tree competitors: Rival -> none",
        "change team desk covers *@*, Apple Tree@Germany -> *@Berlin Mitte, Apple Tree@Germany",
    ]


def test_a_rule_that_was_replaced_is_kept_with_the_time_it_was_valid(database: Database, tmp_path: Path) -> None:
    load(database, read(written(tmp_path, SMALL)))
    later = NOW + timedelta(hours=1)
    load(database, read(written(tmp_path, SMALL.replace("@appletree", "#appletree"))), later)
    assert held(database, later).brand_by_key("apple-tree").rules[0] == "appletree OR #appletree"
    assert held(database, later - timedelta(seconds=1)).brand_by_key("apple-tree").rules[0] == "appletree OR @appletree"


def test_what_a_file_does_not_name_stays(database: Database, tmp_path: Path) -> None:
    load(database, read(written(tmp_path, SMALL)))
    differences = load(database, read(written(tmp_path, '[[brand]]\nkey = "new"\nname = "New"\n')))
    assert [(d.action, d.thing, d.key) for d in differences] == [("add", "brand", "new")]
    assert held(database).brand_by_key("apple-tree").rules


def test_a_load_wakes_the_screens_and_is_written_to_the_audit_log(database: Database, tmp_path: Path) -> None:
    load(database, read(written(tmp_path, SMALL)))
    with database.read() as connection:
        assert connection.execute(select(change.c.n).where(change.c.topic == "organisation")).scalar() == 1
        row = connection.execute(select(audit).where(audit.c.action == "organisation.load")).one()
    assert (row.subject, row.actor) == ("Two shops", "test")


def test_the_narrowest_cover_decides_the_team(database: Database) -> None:
    load(database, read(AIRLINES))
    found = held(database)
    teams = {
        (b, place): found.team_names[found.team_for(found.brand_by_key(b).id, found.location_by_key(place).id)]
        for b in ("united", "virgin-america")
        for place in ("boston", "seattle")
    }
    assert teams == {
        ("united", "boston"): "National desk",
        ("united", "seattle"): "West coast desk",
        ("virgin-america", "boston"): "Virgin America care",
        ("virgin-america", "seattle"): "West coast desk",
    }


# -- what does not hold together with the organisation -----------------------------------------------------


def test_every_unknown_reference_is_told_and_nothing_is_written(database: Database, tmp_path: Path) -> None:
    text = """
[[brand]]
key = "a"
competitors = ["ghost"]
[[location]]
key = "x"
parent = "nowhere"
[[team]]
key = "t"
covers = [{brand = "ghost"}, {location = "nowhere"}]
"""
    with database.read() as connection:
        before = counts(connection)
    with pytest.raises(OrganisationError) as raised:
        load(database, read(written(tmp_path, text)))
    assert raised.value.faults == (
        'brand "a": there is no brand "ghost" to compete with',
        'location "x": there is no location "nowhere" to be its parent',
        'team "t": there is no brand "ghost" to cover',
        'team "t": there is no location "nowhere" to cover',
    )
    with database.read() as connection:
        assert counts(connection) == before


def test_a_circle_is_refused_also_when_half_of_it_stands_in_the_database(database: Database, tmp_path: Path) -> None:
    circle = '[[location]]\nkey = "a"\nparent = "b"\n[[location]]\nkey = "b"\nparent = "a"\n'
    with pytest.raises(OrganisationError, match='location "a": its parents go in a circle through "a"'):
        load(database, read(written(tmp_path, circle)))
    load(database, read(written(tmp_path, '[[location]]\nkey = "a"\n[[location]]\nkey = "b"\nparent = "a"\n')))
    with pytest.raises(OrganisationError, match="in a circle"):
        load(database, read(written(tmp_path, '[[location]]\nkey = "a"\nparent = "b"\n')))
    with pytest.raises(OrganisationError, match="in a circle"):
        load(database, read(written(tmp_path, '[[location]]\nkey = "a"\nparent = "a"\n')))


def test_a_tree_deeper_than_eight_levels_is_refused(database: Database, tmp_path: Path) -> None:
    levels = "".join(f'[[location]]\nkey = "l{i}"\n' + (f'parent = "l{i - 1}"\n' if i else "") for i in range(9))
    with pytest.raises(OrganisationError, match='location "l8": stands 9 levels deep, at most 8 are drawn'):
        load(database, read(written(tmp_path, levels)))


# -- files with faults -------------------------------------------------------------------------------------


def test_every_fault_of_a_file_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
colour = 1
[organisation]
zone = "Mars/Olympus"
languages = "en"
simulated = "yes"
[[brand]]
key = "Not A Key"
kind = "friend"
rules = ["halden OR", "a"]
[[brand]]
key = "twice"
monogram = "TOOLONG"
competitors = ["twice"]
[[brand]]
key = "twice"
name = 5
[[brand]]
key = "unmatched"
[[location]]
key = "x"
latitude = 91
longitude = true
zone = ["UTC"]
parent = 7
aliases = ["a", "a", "\\u0000"]
[[location]]
key = "y"
latitude = nan
kind = "planet"
[[team]]
key = "t"
covers = [{brand = 1, place = "x"}, {}, {}]
[[team]]
covers = ["x"]
""",
    )
    pointed = "halden OR\n       ^^\nnothing follows this OR; add a word or remove it"
    known = "brand, location"
    assert told == (
        'there is no section "colour"; known: organisation, brand, location, team, account',
        'organisation: zone "Mars/Olympus" is no IANA zone; e.g. Europe/Amsterdam',
        'organisation: languages must be a list of texts, e.g. languages = ["…"]',
        'organisation: simulated "yes" is neither true nor false',
        'brand[0] "Not A Key": key "Not A Key" must be 1 to 63 small letters, digits and hyphens; e.g. halden-bank',
        'brand[0] "Not A Key": kind "friend" is none of own, competitor',
        f'brand[0] "Not A Key": rules[0] does not parse:\n{pointed}',
        'brand[1] "twice": competes with itself; take it out of competitors',
        'brand[1] "twice": monogram "TOOLONG" must be a text of 1 to 4 printable characters',
        'brand[2] "twice": name "5" must be a text of 1 to 200 printable characters',
        'brand[3] "unmatched": the key "unmatched" is taken by the product; choose another',
        'location[0] "x": latitude "91" must be a number from -90 to 90',
        'location[0] "x": longitude "True" must be a number from -180 to 180',
        'location[0] "x": parent "7" must be a text of 1 to 64 printable characters',
        'location[0] "x": zone "[\'UTC\']" is no IANA zone; e.g. Europe/Amsterdam',
        'location[0] "x": aliases[1] "a" stands twice',
        'location[0] "x": aliases[2] "\N{REPLACEMENT CHARACTER}" must be a text of printable characters',
        'location[1] "y": kind "planet" is none of site, country, region',
        'location[1] "y": latitude "nan" must be a number from -90 to 90',
        'location[1] "y": give both latitude and longitude, or neither',
        f'team[0] "t": covers[0]: there is no "place"; known: {known}',
        'team[0] "t": covers[0]: brand "1" must be a text of 1 to 64 printable characters',
        'team[0] "t": covers[1]: *@* stands twice',
        'team[0] "t": covers[2]: *@* stands twice',
        'team[1] "?": key "" must be 1 to 63 small letters, digits and hyphens; e.g. halden-bank',
        'team[1] "?": covers must be a list like [{brand = "halden-bank", location = "*"}]',
        'brand[2] "twice": brand "twice" stands twice in the file, first at brand[1] "twice"',
    )


def test_every_fault_of_a_csv_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = (
        "thing,key,name,colour,latitude,longitude,zone,simulated,name\n"
        "brand,a,A,red,,,UTC,,\n"
        "location,b,B,,north,1,,,\n"
        'planet,c,"C\nD",,,,,,\n'
        "\n"
        "team,t,T,,,,,,,too,many\n"
        "organisation,,O,,,,,perhaps,\n"
        "organisation,,P,,,,,,\n"
    )
    known = (
        "aliases, author, brand, competitors, covers, handle, key, kind, languages, latitude, location, longitude, "
        "monogram, name, network, parent, rules, simulated, thing, zone"
    )
    assert faults(tmp_path, text, "x.csv") == (
        'the first line names the column "name" twice',
        f'there is no column "colour"; known: {known}',
        'line 3 "b": latitude "north" is no number',
        'line 4 "c": thing "planet" is none of organisation, brand, location, team, account',
        "line 7: has 11 cells, the first line names 9 columns",
        'line 9 "P": organisation stands twice in the file',
        'line 2 "a": there is no "zone"; known: competitors, key, kind, monogram, name, rules',
        'line 3 "b": give both latitude and longitude, or neither',
    )
    simulated = "thing,key,name,simulated\norganisation,,O,perhaps\n"
    assert faults(tmp_path, simulated, "x.csv") == ('organisation: simulated "perhaps" is neither true nor false',)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"[[brand", "x.toml", "x.toml: is no TOML: "),
        (b"a = " + b"[" * 5000, "x.toml", "x.toml: is nested too deeply"),
        (b"\0", "x.toml", "x.toml: is no TOML: "),
        (b'name = "x"\n\xff', "x.toml", "x.toml: byte 0xFF in line 2 is not UTF-8; save the file as UTF-8"),
        (b"brand = 1\nlocation = [1]\nteam = {}\norganisation = []", "x.toml", "brand: write each one under its own"),
        (b"", "x.csv", "x.csv: the first line must name the columns key, name, thing"),
        (b"thing,key\n", "x.csv", "x.csv: the first line must name the columns name"),
        (b'thing,key,name\nbrand,"a"b,c\n', "x.csv", "x.csv: line 2 is no CSV: "),
        (b'thing,key,name\nbrand,"a,b\n', "x.csv", "x.csv: line 2 is no CSV: "),
        (b"thing,key,name\nbrand,a,\0\n", "x.csv", 'name "\N{REPLACEMENT CHARACTER}" must be a text'),
        (b" " * ((16 << 20) + 1), "x.toml", "x.toml: has more than 16 MB"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_sentence(tmp_path: Path, content: bytes, name: str, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(OrganisationError) as raised:
        read(path)
    assert any(reason in fault for fault in raised.value.faults)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "no.toml", f'there is no file "{tmp_path}/no.toml"'),
        (tmp_path, f"{tmp_path}: cannot be read: Is a directory"),
        (Path("a\0b"), '"a\N{REPLACEMENT CHARACTER}b" is no name of a file'),
    ):
        with pytest.raises(OrganisationError) as raised:
            read(path)
        assert raised.value.faults == (reason,)


# -- any organisation --------------------------------------------------------------------------------------

_PRINTABLE = st.characters(blacklist_categories=("C", "Z"), max_codepoint=0x1F9FF)
_NAME = st.text(_PRINTABLE, min_size=1, max_size=30)
_KEY: st.SearchStrategy[str] = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True).filter(
    lambda key: key not in RESERVED
)
_RULE = st.lists(st.from_regex(r"[@#]?[a-z]{1,8}", fullmatch=True), min_size=1, max_size=4).map(" OR ".join)


@st.composite
def organisations(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Any organisation that holds together, as TOML would be read."""
    brand_keys = draw(st.lists(_KEY, unique=True, max_size=4))
    brands = []
    for key in brand_keys:
        others = [other for other in brand_keys if other != key]
        brands.append(
            {
                "key": key,
                "name": draw(_NAME),
                "kind": draw(st.sampled_from(["own", "competitor"])),
                "competitors": draw(st.lists(st.sampled_from(others), unique=True)) if others else [],
                "rules": draw(st.lists(_RULE, unique=True, max_size=3)),
            }
        )
    place_keys = draw(st.lists(_KEY, unique=True, max_size=5))
    places = []
    for number, key in enumerate(place_keys):
        place: dict[str, Any] = {"key": key, "name": draw(_NAME)}
        place["kind"] = draw(st.sampled_from(["site", "country", "region"]))
        if number and draw(st.booleans()):
            place["parent"] = draw(st.sampled_from(place_keys[:number]))
        if draw(st.booleans()):
            place["latitude"] = draw(st.floats(-90, 90))
            place["longitude"] = draw(st.floats(-180, 180))
        if draw(st.booleans()):
            place["zone"] = draw(st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"]))
        place["aliases"] = draw(st.lists(_NAME, unique_by=str.casefold, max_size=3))
        places.append(place)
    teams = []
    for key in draw(st.lists(_KEY, unique=True, max_size=3)):
        pairs = st.tuples(st.sampled_from(["*", *brand_keys]), st.sampled_from(["*", *place_keys]))
        covers = [{"brand": b, "location": where} for b, where in draw(st.lists(pairs, unique=True, max_size=4))]
        teams.append({"key": key, "name": draw(_NAME), "covers": covers})
    return {"brand": brands, "location": draw(st.permutations(places)), "team": teams}


def _toml(whole: dict[str, list[dict[str, Any]]]) -> str:
    def value(item: Any) -> str:
        if isinstance(item, str):
            return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if isinstance(item, list):
            return f"[{', '.join(value(part) for part in item)}]"
        if isinstance(item, dict):
            return f"{{{', '.join(f'{key} = {value(part)}' for key, part in item.items())}}}"
        return f"{item!r}"

    lines = []
    for section, items in whole.items():
        for item in items:
            lines.append(f"[[{section}]]")
            lines += [f"{key} = {value(part)}" for key, part in item.items()]
    return "\n".join(lines)


def _csv(whole: dict[str, list[dict[str, Any]]]) -> str:
    file = io.StringIO()
    columns = ["thing", "key", "name", "kind", "competitors", "rules", "parent", "latitude", "longitude", "zone"]
    writer = csv.DictWriter(file, [*columns, "aliases", "covers"])
    writer.writeheader()
    for section, items in whole.items():
        for item in items:
            cells = dict(item, thing=section)
            for key in ("competitors", "rules", "aliases"):
                if key in cells:
                    cells[key] = "; ".join(part.replace(";", ";;") for part in cells[key])
            if "covers" in cells:
                cells["covers"] = "; ".join(f"{c['brand']}@{c['location']}" for c in cells["covers"])
            writer.writerow(cells)
    return file.getvalue()


@pytest.fixture
def rolled_back(tmp_path: Path) -> Iterator[Database]:
    database = empty_database(tmp_path)
    yield database
    database.close()


@pytest.mark.prove
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(organisations())
def test_any_organisation_reads_back_equal_and_loads_once(
    rolled_back: Database, tmp_path: Path, whole: dict[str, list[dict[str, Any]]]
) -> None:
    file = read(written(tmp_path, _toml(whole)))
    assert read(written(tmp_path, _csv(whole), "organisation.csv")) == file
    with rolled_back.write() as connection:
        apply(connection, file, actor="test", now=NOW)
        found = current(connection, NOW)
        again = apply(connection, file, actor="test", now=NOW + timedelta(hours=1))
        connection.rollback()
    assert again == ()
    brands = {item.id: item.key for item in found.brands}
    places = {item.id: item.key for item in found.locations}
    assert len(found.brands) == len(whole["brand"]) + 1
    for item in whole["brand"]:
        stored = found.brand_by_key(item["key"])
        assert (stored.name, stored.kind, stored.rules) == (item["name"], item["kind"], tuple(item["rules"]))
        assert {brands[i] for i in found.competitors.get(stored.id, ())} == set(item["competitors"])
    for item in whole["location"]:
        place = found.location_by_key(item["key"])
        assert (place.name, place.kind, place.zone) == (item["name"], item["kind"], item.get("zone"))
        assert (place.latitude, place.longitude) == (item.get("latitude"), item.get("longitude"))
        assert (places.get(place.parent_id) if place.parent_id else None) == item.get("parent")
        assert place.aliases == tuple(alias.casefold() for alias in item["aliases"])
    for item in whole["team"]:
        team_id = found.team_by_key(item["key"]).id
        pairs = {
            (brands.get(c.brand_id, "*"), places.get(c.location_id, "*")) for c in found.covers if c.team_id == team_id
        }
        assert pairs == {(c["brand"], c["location"]) for c in item["covers"]}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(["x.toml", "x.csv"]))
def test_any_bytes_give_a_file_or_an_organisation_error(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"thing,key,name\n" * (name == "x.csv") + content)
    _no_other_error(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["brand", "x"]), inner, max_size=2),
    max_leaves=4,
)
_WORDS = ["key", "name", "kind", "zone", "parent", "latitude", "longitude", "aliases", "rules", "competitors", "covers"]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["brand", "location", "team"]), st.dictionaries(st.sampled_from(_WORDS), _JSON, max_size=5))
def test_any_value_anywhere_is_taken_or_told(section: str, item: dict[str, Any]) -> None:
    from models.organisation_entries import brand_entry, location_entry, team_entry

    told: list[str] = []
    {"brand": brand_entry, "location": location_entry, "team": team_entry}[section]("place", item, told)
    assert all(re.match(r"place: ", fault) or "covers[" in fault for fault in told)


def _no_other_error(path: Path) -> None:
    told: tuple[str, ...] | None = None
    try:
        read(path)
    except OrganisationError as error:
        told = error.faults
    assert told != ()
