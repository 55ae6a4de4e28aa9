"""models/access.py: what a person may not see is not there."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from models.access import RIGHTS, Access, Grant, Request, Scope, allowed_locations, narrow, tracked_with
from models.database import Database
from models.errors import AccessDenied, NotFound, ScopeError
from models.organisation import Brand, Location, Organisation, Team
from tests.builders import (
    AMSTERDAM_SITE,
    BERLIN,
    CORVANE,
    EMEA,
    HALDEN,
    MUMBAI,
    NETHERLANDS,
    NOWHERE,
    OTHER_RIVAL,
    OWN,
    RIVAL,
    UNMATCHED,
    UTRECHT,
    VELTA,
    load,
)

BRANDS = ("unmatched", "corvane", "halden", "velta", "rival", "other-rival")
PLACES = (
    (NOWHERE, "unknown", None),
    (EMEA, "emea", None),
    (MUMBAI, "mumbai", None),
    (NETHERLANDS, "netherlands", EMEA),
    (BERLIN, "berlin", EMEA),
    (AMSTERDAM_SITE, "amsterdam", NETHERLANDS),
    (UTRECHT, "utrecht", NETHERLANDS),
)


def meridian(competitors: dict[int, tuple[int, ...]] | None = None) -> Organisation:
    """The small organisation, without a database."""
    kinds = ("unmatched", "own", "own", "own", "competitor", "competitor")
    return Organisation(
        name="Meridian Group",
        zone="Europe/Amsterdam",
        languages=("en",),
        simulated=False,
        brands=tuple(Brand(n, key, key, kind, "") for n, (key, kind) in enumerate(zip(BRANDS, kinds, strict=True), 1)),
        locations=tuple(Location(n, key, key, "site", top, None, None, None, (), "") for n, key, top in PLACES),
        teams=(Team(1, "none", "No team"), Team(2, "dutch-care", "Dutch care")),
        covers=(),
        competitors={CORVANE: (RIVAL, OTHER_RIVAL), HALDEN: (RIVAL,)} if competitors is None else competitors,
    )


ADMIN = Access(1, "admin@meridian.example", "Admin", frozenset({"admin"}))


def viewer(brands: set[int] | None = None, locations: set[int] | None = None, **given: Any) -> Access:
    def frozen(ids: set[int] | None) -> frozenset[int] | None:
        return None if ids is None else frozenset(ids)

    return Access(7, "ines@meridian.example", "Ines", frozenset({"viewer"}), frozen(brands), frozen(locations), **given)


def asked(**keys: tuple[str, ...]) -> Request:
    return Request(**keys)  # type: ignore[arg-type]


def test_nothing_asked_for_is_all_of_our_brands() -> None:
    for access in (ADMIN, viewer()):
        assert narrow(Request(), access, meridian()) == Scope(OWN, (*OWN, RIVAL, OTHER_RIVAL))


def test_a_person_limited_to_a_brand_gets_that_brand() -> None:
    assert narrow(Request(), viewer({HALDEN}), meridian()) == Scope((HALDEN,), (HALDEN, RIVAL))


@pytest.mark.parametrize("access", [viewer({CORVANE}), viewer({CORVANE}, {MUMBAI})])
@pytest.mark.parametrize("key", ["halden", "velta", "unmatched"])
def test_a_foreign_brand_is_as_unknown_as_one_that_is_not_there(key: str, access: Access) -> None:
    with pytest.raises(NotFound) as foreign:
        narrow(asked(brands=("corvane", key)), access, meridian())
    without = replace(meridian(), brands=tuple(brand for brand in meridian().brands if brand.key != key))
    with pytest.raises(NotFound) as unknown:
        narrow(asked(brands=("corvane", key)), access, without)

    assert str(foreign.value) == str(unknown.value)


@pytest.mark.parametrize("key", ["berlin", "netherlands", "emea", "unknown"])
def test_a_foreign_location_is_as_unknown_as_one_that_is_not_there(key: str) -> None:
    access = viewer(None, {MUMBAI})
    with pytest.raises(NotFound) as foreign:
        narrow(asked(locations=(key,)), access, meridian())
    there = meridian()
    without = replace(there, locations=tuple(item for item in there.locations if item.key != key))
    with pytest.raises(NotFound) as unknown:
        narrow(asked(locations=(key,)), access, without)

    assert str(foreign.value) == str(unknown.value)


@pytest.mark.parametrize("access", [viewer(), viewer({UNMATCHED}), viewer({UNMATCHED, CORVANE})])
def test_a_viewer_never_sees_what_no_brand_claimed(access: Access) -> None:
    for request in (Request(), asked(brands=("corvane",)), asked(brands=("unmatched",))):
        try:
            scope = narrow(request, access, meridian())
        except (NotFound, ScopeError):
            continue
        assert UNMATCHED not in (*scope.brand_ids, *scope.tracked_ids)
    with pytest.raises(NotFound):
        narrow(asked(brands=("unmatched",)), access, meridian())


def test_an_admin_sees_everything_whatever_the_row_scope_says() -> None:
    limited = replace(ADMIN, brand_ids=frozenset({CORVANE}), location_ids=frozenset({MUMBAI}))

    for access in (ADMIN, limited):
        scope = narrow(asked(brands=BRANDS, locations=("berlin",)), access, meridian())
        assert scope.brand_ids == (1, 2, 3, 4, 5, 6)
        assert scope.location_ids == (BERLIN,)
        assert narrow(Request(), access, meridian()).location_ids is None


def test_a_place_asked_for_holds_what_lies_below_it() -> None:
    scope = narrow(asked(locations=("netherlands", "mumbai")), ADMIN, meridian())

    assert scope.location_ids == (MUMBAI, NETHERLANDS, AMSTERDAM_SITE, UTRECHT)


@pytest.mark.parametrize(
    ("allowed", "keys", "seen"),
    [
        ({NETHERLANDS}, (), {NETHERLANDS, AMSTERDAM_SITE, UTRECHT}),
        ({NETHERLANDS}, ("emea",), {NETHERLANDS, AMSTERDAM_SITE, UTRECHT}),
        ({NETHERLANDS}, ("utrecht",), {UTRECHT}),
        ({UTRECHT, MUMBAI}, ("emea",), {UTRECHT}),
        ({UTRECHT, MUMBAI}, (), {UTRECHT, MUMBAI}),
        ({EMEA}, ("emea", "berlin"), {EMEA, NETHERLANDS, AMSTERDAM_SITE, UTRECHT, BERLIN}),
    ],
)
def test_a_place_asked_for_and_the_places_allowed_are_met_halfway(
    allowed: set[int], keys: tuple[str, ...], seen: set[int]
) -> None:
    assert narrow(asked(locations=keys), viewer(None, allowed), meridian()).location_ids == tuple(sorted(seen))


def test_a_person_whose_places_are_gone_sees_no_place() -> None:
    """None would be every place; an empty tuple is none."""
    assert narrow(Request(), viewer(None, {99}), meridian()).location_ids == ()


def test_two_people_who_see_the_same_have_equal_scopes() -> None:
    there = meridian()
    everyone = (
        ADMIN,
        viewer(),
        viewer(set(OWN)),
        viewer({*OWN, RIVAL}),
        viewer(
            None,
            None,
        ),
    )

    assert len({narrow(Request(), access, there) for access in everyone}) == 1
    one = narrow(
        Request(
            ("halden", "corvane", "halden"), ("utrecht", "netherlands"), ("dutch-care",), (3, 2, 2), "  late   bag "
        ),
        ADMIN,
        there,
    )
    other = narrow(
        Request(("corvane", "halden"), ("netherlands",), ("dutch-care",), (2, 3), "late bag"),
        viewer(None, {EMEA}),
        there,
    )
    assert one == other
    assert hash(one) == hash(other)


def test_competitors_of_ones_brands_have_pages_and_a_share_of_voice() -> None:
    access = viewer({HALDEN})

    assert narrow(asked(brands=("rival",)), access, meridian()).brand_ids == (RIVAL,)
    assert narrow(asked(brands=("halden",)), access, meridian()).tracked_ids == (HALDEN, RIVAL)
    with pytest.raises(NotFound):
        narrow(asked(brands=("other-rival",)), access, meridian())


def test_a_brand_of_ours_set_as_competitor_is_not_opened_by_it() -> None:
    """Two brands of ours may be compared with each other; who may see one must not read the other by that."""
    rivals = meridian({CORVANE: (HALDEN, RIVAL), HALDEN: (CORVANE,)})
    access = viewer({CORVANE})

    assert narrow(Request(), access, rivals) == Scope((CORVANE,), (CORVANE, RIVAL))
    with pytest.raises(NotFound):
        narrow(asked(brands=("halden",)), access, rivals)
    assert narrow(Request(), viewer({CORVANE, HALDEN}), rivals).brand_ids == (CORVANE, HALDEN)


def test_no_request_opens_a_brand_that_was_not_given() -> None:
    """Every set of brands somebody may have, against every pair of keys."""
    there = meridian()
    competitors = {RIVAL, OTHER_RIVAL}
    for given in ({CORVANE}, {HALDEN}, {VELTA}, {CORVANE, VELTA}, {RIVAL}, {CORVANE, UNMATCHED}, set[int]()):
        allowed = (given | {rival for own in given for rival in there.competitors.get(own, ())}) - {UNMATCHED}
        for keys in ((), *product(BRANDS, repeat=2)):
            try:
                scope = narrow(asked(brands=keys), viewer(given), there)
            except (NotFound, ScopeError):
                continue
            assert set(scope.brand_ids) <= allowed
            assert set(scope.tracked_ids) <= allowed | competitors
            assert set(scope.tracked_ids) & set(OWN) <= given


def test_somebody_without_a_brand_is_told_so() -> None:
    with pytest.raises(ScopeError, match="no brand you may see"):
        narrow(Request(), viewer(set()), meridian())


def test_an_unknown_team_is_not_found() -> None:
    with pytest.raises(NotFound, match='no team "x"'):
        narrow(asked(teams=("x",)), ADMIN, meridian())


def test_rights_are_what_was_given_and_admins_have_all() -> None:
    assert viewer().may("viewer")
    assert ADMIN.may("viewer")
    assert not viewer().may("admin")
    with pytest.raises(AccessDenied, match="this needs the right “admin”"):
        viewer().require("admin")


def test_the_scope_of_a_loaded_organisation_is_that_of_this_one(database: Database) -> None:
    """The ids above are those that a load really gives."""
    organisation = load(database)

    assert {brand.key: brand.id for brand in organisation.brands} == {key: n for n, key in enumerate(BRANDS, 1)}
    assert {place.key: place.id for place in organisation.locations} == {key: n for n, key, _ in PLACES}
    assert organisation.competitors == meridian().competitors


@pytest.mark.parametrize(
    ("scope", "needs_rows"),
    [
        (Scope((2,), (2,)), False),
        (Scope((2,), (2,), location_ids=(4,), network_ids=(2,)), False),
        (Scope((2,), (2,), location_ids=(4,), team_ids=(2,)), True),
        (Scope((2,), (2,), search="late"), True),
    ],
)
def test_a_scope_knows_whether_a_rollup_answers_it(scope: Scope, needs_rows: bool) -> None:
    assert scope.needs_rows == needs_rows


def test_the_set_of_a_page_holds_no_brand_of_ours_that_was_not_given() -> None:
    """Every set of brands somebody may have, on the page of every brand they may see."""
    there = meridian()
    for given in ({CORVANE}, {HALDEN}, {CORVANE, VELTA}, {HALDEN, RIVAL}):
        access = viewer(given)
        for brand_id in (*given, RIVAL):
            found = set(tracked_with(brand_id, access, there))
            assert brand_id in found
            assert found & set(OWN) <= given
    assert tracked_with(RIVAL, ADMIN, there) == (CORVANE, HALDEN, RIVAL, OTHER_RIVAL)
    assert tracked_with(RIVAL, viewer({HALDEN}), there) == (HALDEN, RIVAL)
    assert tracked_with(HALDEN, ADMIN, there) == (HALDEN, RIVAL)


def test_the_places_one_may_compare_with_are_those_one_may_see() -> None:
    assert allowed_locations(ADMIN, meridian()) is None
    assert allowed_locations(viewer(None, {NETHERLANDS}), meridian()) == (NETHERLANDS, AMSTERDAM_SITE, UTRECHT)


# -- several roles -------------------------------------------------------------------------------------------


def holding(*grants: Grant) -> Access:
    return Access.granted(7, "ines@meridian.example", "Ines", grants)


def of(
    role: str, brands: set[int] | None = None, places: set[int] | None = None, teams: set[int] | None = None
) -> Grant:
    def frozen(ids: set[int] | None) -> frozenset[int] | None:
        return None if ids is None else frozenset(ids)

    return Grant(role, frozen(brands), frozen(places), frozen(teams))


def test_two_roles_in_one_brand_show_the_places_of_both() -> None:
    access = holding(of("agent", {HALDEN}, {NETHERLANDS}), of("agent", {HALDEN}, {BERLIN}))
    assert narrow(Request(), access, meridian()).location_ids == (NETHERLANDS, BERLIN, AMSTERDAM_SITE, UTRECHT)


def test_places_that_differ_from_brand_to_brand_are_never_mixed() -> None:
    access = holding(of("agent", {HALDEN}, {NETHERLANDS}), of("viewer", {CORVANE}, {MUMBAI}))
    assert narrow(asked(brands=("halden",)), access, meridian()).location_ids == (NETHERLANDS, AMSTERDAM_SITE, UTRECHT)
    assert narrow(asked(brands=("corvane",)), access, meridian()).location_ids == (MUMBAI,)
    with pytest.raises(ScopeError, match="choose one brand"):
        narrow(Request(), access, meridian())
    with pytest.raises(NotFound):
        narrow(asked(brands=("halden",), locations=("mumbai",)), access, meridian())
    with pytest.raises(NotFound):
        narrow(asked(locations=("mumbai",)), access, meridian())
    assert allowed_locations(access, meridian()) == (MUMBAI, NETHERLANDS, AMSTERDAM_SITE, UTRECHT)


def test_what_all_brands_show_is_shown_for_all_of_them() -> None:
    access = holding(of("viewer", {HALDEN}), of("agent", {CORVANE}, {EMEA}))
    assert narrow(asked(brands=("halden",)), access, meridian()).location_ids is None
    below = meridian().below(EMEA)
    assert narrow(Request(), access, meridian()).location_ids == tuple(sorted(below))
    # A competitor of both is seen where both are.
    assert narrow(asked(brands=("rival",)), access, meridian()).location_ids == tuple(sorted(below))


def test_no_mix_of_roles_shows_a_place_in_a_brand_that_no_role_shows() -> None:
    there, places = meridian(), [place for place, _, _ in PLACES]
    limits: list[set[int] | None] = [None, {MUMBAI}, {NETHERLANDS}, {EMEA}]
    brands: list[set[int] | None] = [None, {HALDEN}, {CORVANE}, {HALDEN, VELTA}]
    looked = 0
    for first, second in product(product(brands, limits), repeat=2):
        access = holding(of("agent", *first), of("viewer", *second))
        for request in (Request(), *(asked(brands=(BRANDS[brand - 1],)) for brand in OWN)):
            try:
                scope = narrow(request, access, there)
            except (NotFound, ScopeError):
                continue
            shown = places if scope.location_ids is None else scope.location_ids
            for brand, place in product(scope.brand_ids, shown):
                looked += 1
                assert access.may_for("viewer", there, brand_id=brand, location_id=place), (first, second, brand, place)
    assert looked > 3_000


def test_a_right_holds_where_a_role_gives_it_and_nowhere_else() -> None:
    access, there = holding(of("approver", {HALDEN}, {NETHERLANDS}, {2}), of("viewer")), meridian()
    assert access.may_for("sign_off", there, brand_id=HALDEN, location_id=UTRECHT, team_id=2)
    assert not access.may_for("sign_off", there, brand_id=HALDEN, location_id=UTRECHT, team_id=1)
    assert not access.may_for("sign_off", there, brand_id=HALDEN, location_id=BERLIN, team_id=2)
    assert not access.may_for("sign_off", there, brand_id=CORVANE, location_id=UTRECHT, team_id=2)
    assert access.may_for("viewer", there, brand_id=CORVANE, location_id=UTRECHT)
    with pytest.raises(AccessDenied, match="“send” there"):
        access.require_for("send", there, brand_id=CORVANE)


def test_an_auditor_sees_everything_and_changes_nothing() -> None:
    access = holding(of("auditor"))
    assert access.sees_all
    assert [right for right in RIGHTS if access.may(right)] == ["viewer", "read_audit"]
    assert [right for right in RIGHTS if holding(of("display")).may(right)] == ["viewer"]
