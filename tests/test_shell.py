"""dashboard/shell.py: which page an address shows to whom, and what stands around it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard import bars, shell
from dashboard.shell import Screen, layout, route
from dashboard.views import VIEWS
from models.access import Access
from models.accounts import Kept
from tests.small_organisation import ADMIN, NOW, organisation, person

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def shown(search: str = "", *, path: str = "/", access: Access = ADMIN, simulated: bool = True) -> Screen:
    return route(path, search, access, organisation(simulated=simulated), NOW)


def words(component: Any) -> str:
    """Everything that a person would read of a component."""
    return " ".join(_leaves(component))


def _leaves(component: Any) -> list[str]:
    if isinstance(component, str):
        return [component]
    if isinstance(component, list | tuple):
        return [leaf for part in component for leaf in _leaves(part)]
    children = getattr(component, "children", None)
    return [] if children is None else _leaves(children)


def test_the_start_page_is_command_and_follows_its_own_address() -> None:
    screen = shown("?brand=velta,corvane&window=7d&q=")

    assert screen.page == "command"
    assert screen.view["path"] == "/"
    assert screen.view["search"] == "?brand=corvane,velta&window=7d"
    assert screen.view["live"]


def test_a_simulated_organisation_is_called_so() -> None:
    assert "You are looking at simulated data." in words(shown().notices)
    assert not shown(simulated=False).notices


@pytest.mark.parametrize(
    ("days", "said"),
    [(6, "access ends in 6 days."), (1, "access ends tomorrow."), (0, "ends today."), (-1, "has run out.")],
)
def test_whose_account_runs_out_reads_it_on_every_page(days: int, said: str) -> None:
    ends = NOW + timedelta(days=days, hours=1)
    nobody: dict[str, Any] = {"owner": "", "owner_left": False, "deputy_id": None, "deputy": "", "deputy_left": False}
    account = Kept(
        id=1,
        network_id=2,
        handle="corvane",
        name="Corvane",
        kind="company",
        brand_id=2,
        location_id=None,
        team_id=None,
        team="",
        owner_id=1,
        purpose="",
        audience="",
        voice={},
        is_connected=True,
        secrets_expire_at=ends,
        **nobody,
    )
    for path in ("/", "/audience"):
        screen = route(path, "", ADMIN, organisation(), NOW, running_out=[account, account])
        assert "@corvane" in words(screen.notices)
        assert said in words(screen.notices)
        assert "1 more of yours." in words(screen.notices)


def test_a_look_at_the_past_says_as_known_now_and_leads_back() -> None:
    screen = shown("?brand=velta&at=2026-11-01T12:00", simulated=False)

    assert not screen.view["live"]
    assert "Last 24 h to 1 Nov 2026 12:00, as known now." in words(screen.notices)
    assert '"href": "?brand=velta"' in json.dumps(screen.notices, default=lambda part: part.to_plotly_json())


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("?window=2h", "“2h” is none of 15m, 1h, 24h, 7d, 30d"),
        ("?brand=nobody", 'There is no brand "nobody" that you may see.'),
        ("?at=yesterday", "“yesterday” is no instant"),
        ("?what=ever", "“what” is no filter"),
        ("?q=card%20OR", "“card ▸OR◂”: nothing follows this OR; add a word or remove it."),
    ],
)
def test_a_wrong_link_is_a_calm_message_with_a_way_out(search: str, said: str) -> None:
    screen = shown(search)

    assert screen.page == "fault"
    assert said in words(screen.children)
    assert "Clear filters" in words(screen.children)
    assert screen.view["path"] is None
    assert screen.options["kinds"]["brand"], "the scope bar still works"


def test_a_brand_of_others_is_told_like_one_that_does_not_exist() -> None:
    def said(key: str) -> str:
        return words(shown(f"?brand={key}", access=person(brand_ids=frozenset({2}))).children).replace(key, "…")

    assert said("halden") == said("nobody")


def test_an_address_without_a_page_says_so() -> None:
    assert "There is no page at /wall." in words(shown(path="/wall").children)


def test_a_person_without_the_right_is_told_who_can_give_it() -> None:
    nobody = Access(3, "new@meridian.example", "New", frozenset())

    screen = shown(access=nobody)

    assert screen.page == "denied"
    assert "ask an administrator" in words(screen.children)
    assert not screen.options["kinds"]


def test_a_person_without_any_brand_is_told_who_can_give_one() -> None:
    screen = shown(access=person(brand_ids=frozenset()))

    assert screen.page == "denied"
    assert "An administrator can give you one." in words(screen.children)


def test_the_scope_bar_offers_what_this_person_may_see_and_nothing_else() -> None:
    offered = shown(access=person(brand_ids=frozenset({3}), location_ids=frozenset({3}))).options["kinds"]

    assert [item["name"] for item in offered["brand"]] == ["Halden Bank"]
    assert [item["key"] for item in offered["location"]] == ["emea", "kenya", "nairobi"]


def test_the_frame_tells_nothing_about_people_or_brands() -> None:
    text = json.dumps(layout(), default=lambda part: part.to_plotly_json())

    for secret in ("Corvane", "meridian.example", "Ines"):
        assert secret not in text


def test_every_icon_that_is_asked_for_is_in_the_file() -> None:
    drawn = set(re.findall(r'<g id="(\w+)"', (ASSETS / "icons.svg").read_text()))
    sheet = (ASSETS / "view-shell.css").read_text()
    styled = set(re.findall(r"icons\.svg#(\w+)", sheet))
    scripts = "".join(path.read_text() for path in ASSETS.glob("*.js"))
    named = set(re.findall(r'\bicon\("(\w+)"', scripts))
    for text in ("dashboard/bars.py", "dashboard/shell.py"):
        named |= set(re.findall(r'\bicon\("(\w+)"', (ASSETS.parent / text).read_text()))
    named |= {view.icon for view in VIEWS}

    assert styled <= drawn
    assert {name for name in named if f".ic-{name}" not in sheet} == set()
    assert len(named) > 8


def test_every_colour_that_a_stylesheet_names_is_a_token_of_both_themes() -> None:
    tokens = (ASSETS / "tokens.css").read_text()
    declared = set(re.findall(r"(--[\w-]+):", tokens)) | {"--icon", "--depth"}

    for sheet in sorted(ASSETS.glob("*.css")):
        for name in re.findall(r"var\((--[\w-]+)", sheet.read_text()):
            assert name in declared or f"{name}:" in sheet.read_text(), (sheet.name, name)
    dark, light = tokens.split("[data-theme=light]", 1)[0], tokens.split("[data-theme=light]", 1)[1].split("}")[0]
    assert set(re.findall(r"(--[\w-]+):\s*#", light)) == set(re.findall(r"(--[\w-]+):\s*#", dark))


def test_the_keys_that_are_listed_are_the_keys_that_do_something() -> None:
    script = (ASSETS / "shell.js").read_text()

    for key in ('"/"', '"p"', '"?"', '"1"', '"5"', '"Escape"', '"l"', '"n"', '"i"'):
        assert f"event.key === {key}" in script or f"event.key >= {key}" in script or f"event.key <= {key}" in script
    listed = [key for key, _ in (*bars.SCOPE_KEYS, *bars.KEYS)]
    assert listed == ["/", "P", "1 – 5", "Ctrl K", "L", "N", "I", "Esc", "?"]
    assert 'event.key.toLowerCase() === "k"' in (ASSETS / "palette.js").read_text()


def test_the_keys_of_a_page_stand_before_those_of_every_page() -> None:
    text = words(bars.key_list())

    assert text.index("On Sources") < text.index("What is shown") < text.index("Everywhere") < text.index("Go to")
    assert "J K Next and previous source" in text


def test_every_way_by_two_keys_leads_to_a_page_that_there_is_and_is_listed() -> None:
    pages = {page["path"]: page["chord"] for page in bars.pages(ADMIN)}
    chords = {path: chord for path, chord in pages.items() if chord}

    assert chords["/"] == "C"
    assert len(set(chords.values())) == len(chords)
    assert set(chords) <= {view.path for view in VIEWS}
    listed = json.dumps(bars.key_list(), default=lambda part: part.to_plotly_json())
    for path in chords:
        assert f'"data-goes": "{path}"' in listed


def test_a_person_is_offered_the_pages_that_they_may_open() -> None:
    mine = {page["path"] for page in shown(access=person()).options["pages"]}
    all_of_them = {page["path"] for page in shown().options["pages"]}

    assert "/" in mine
    assert not any(path.startswith("/admin") for path in mine)
    assert all_of_them - mine == {view.path for view in VIEWS if not person().may(view.right)}


def test_a_phone_offers_no_more_ways_at_its_foot_than_fit_under_a_thumb() -> None:
    assert len(bars.bottom_bar().children) <= 5


def test_the_theme_is_chosen_before_anything_is_painted() -> None:
    head = shell.INDEX.split("</head>")[0]

    assert '<script src="/assets/theme.js"></script>' in head
    assert 'lang="en"' in head
