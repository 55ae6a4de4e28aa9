"""Company sign-on against a mock of a company's server: who is let in, and every way of not being believed."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select, update

from dashboard import cookies
from dashboard.oidc_provider import Provider
from dashboard.signin_company import is_state_of, new_state
from models import audit, organisation_file, people, roles
from models.database import Database
from models.organisation_reading import read_raw
from models.settings import Settings
from models.tables import identity_link, membership, person, session, signon_flow
from tests import company as companies
from tests.asgi import Browser
from tests.company import Claims, Company, sent_back, signed_on
from tests.empty import empty_database
from tests.house import ANA, PASSWORD, House, form_token

# The mock is older than the library it is made with.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SUBJECT = "00u-ana"
GROUPS = {"care": "agent", "leads": "manager@brand:halden-bank", "gone": "agent@brand:nowhere"}


@pytest.fixture(scope="module", autouse=True)
def _loopback_is_plain() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        yield


@pytest.fixture(scope="module")
def running(_loopback_is_plain: None) -> Iterator[Company]:
    with companies.running() as company:
        yield company


@pytest.fixture
def company(running: Company) -> Company:
    running.twist = lambda claims: None
    running.said = lambda published: None
    running.broken, running.asked = {}, []
    running.user(SUBJECT, email=ANA, email_verified=True, groups=["care"])
    return running


@pytest.fixture
def house(tmp_path: Path, company: Company) -> Iterator[House]:
    with opened_house(tmp_path, company) as house:
        yield house


class opened_house:
    """A house with company sign-on, whose clock is this machine's: the mock signs with it."""

    def __init__(self, folder: Path, company: Company, **settings: Any) -> None:
        self.database = empty_database(folder)
        given = {"oidc_issuer": company.issuer, "oidc_client_id": "watchfloor", "oidc_client_secret": "hush"}
        self.house = House(self.database, **(given | settings))
        self.house.now = datetime.now(UTC)

    def __enter__(self) -> House:
        return self.house

    def __exit__(self, *_: object) -> None:
        self.house.close()
        self.database.close()


def links(database: Database) -> list[tuple[str, str, int]]:
    with database.read() as connection:
        found = connection.execute(select(identity_link.c.issuer, identity_link.c.subject, identity_link.c.person_id))
        return [tuple(row) for row in found]


def newest(database: Database) -> audit.Entry:
    with database.read() as connection:
        return audit.newest(connection, 1)[0]


# -- let in --------------------------------------------------------------------------------------------------


def test_whom_an_administrator_invited_is_linked_once_and_lands_where_they_wanted(
    house: House, company: Company
) -> None:
    house.add(role="agent")
    browser = house.browser()
    assert "Continue with company sign-on" in browser.get("/signin").text
    answer = signed_on(browser, company, SUBJECT, "/brands")
    assert (answer.status, answer.headers["location"]) == (303, "/brands")
    assert "HttpOnly" in answer.cookies["watchfloor"]
    assert browser.get("/").text == f"SECRET {ANA} 0"
    assert links(house.database) == [(company.issuer, SUBJECT, 1)]
    with house.database.read() as connection:
        told = [row.action for row in audit.newest(connection, 3)]
        assert connection.execute(select(person.c.invited_at)).scalar_one() is None
    assert told == ["signin.succeeded", "person.linked", "person.added"]


def test_what_leaves_us_proves_who_began_and_the_secret_goes_only_to_the_company(
    house: House, company: Company
) -> None:
    house.add()
    browser = house.browser()
    answer = browser.get("/signin/company")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == (
        "code",
        "S256",
        "watchfloor",
    )
    assert asked["redirect_uri"] == "http://localhost:8050/signin/company/back"
    assert len(asked["nonce"]) == 43
    assert "HttpOnly" in answer.cookies["watchfloor_flow"]
    assert "SameSite=Lax" in answer.cookies["watchfloor_flow"]
    assert browser.cookies["watchfloor_flow"] not in answer.headers["location"]
    assert "hush" not in answer.headers["location"]
    back = urlsplit(company.consent(answer.headers["location"], SUBJECT))
    assert browser.get(f"{back.path}?{back.query}").status == 303
    (sent,) = [given for path, given in company.asked if path == "/oauth2/token"]
    assert create_s256_code_challenge(sent["code_verifier"][0]) == asked["code_challenge"]
    with house.database.read() as connection:
        assert connection.execute(select(signon_flow)).all() == []


def test_afterwards_issuer_and_subject_decide_and_the_email_nothing(house: House, company: Company) -> None:
    house.add()
    assert signed_on(house.browser(), company, SUBJECT).status == 303
    company.user(SUBJECT, email="other@meridian.example", email_verified=False)
    assert signed_on(house.browser(), company, SUBJECT).status == 303
    company.user("00u-eve", email=ANA, email_verified=True)
    answer = signed_on(house.browser(), company, "00u-eve")
    assert answer.status == 401
    assert f"nobody invited {ANA}" in answer.text
    assert links(house.database) == [(company.issuer, SUBJECT, 1)]


FIRST: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("unverified", {"email": ANA, "email_verified": False}, "does not vouch for the email address"),
    ("unsaid", {"email": ANA}, "does not vouch for the email address"),
    ("as text", {"email": ANA, "email_verified": "yes"}, "does not vouch"),
    ("no email", {}, "it names no email address"),
    ("unknown", {"email": "eve@meridian.example", "email_verified": True}, "nobody invited eve@meridian.example"),
)


def test_without_an_invitation_and_a_verified_email_nobody_is_linked(house: House, company: Company) -> None:
    house.add()
    for name, claims, reason in FIRST:
        company.user("00u-new", **claims)
        answer = signed_on(house.browser(), company, "00u-new")
        assert (answer.status, reason in answer.text) == (401, True), name
        assert newest(house.database).action == "signin.failed"
    assert links(house.database) == []


@pytest.mark.parametrize("how", ["has a password", "used up", "too old", "disabled", "break-glass", "forbidden"])
def test_an_invitation_is_for_one_person_once_and_not_for_ever(tmp_path: Path, company: Company, how: str) -> None:
    with opened_house(tmp_path, company, oidc_link_invited=how != "forbidden") as house:
        house.add(password=PASSWORD if how in ("has a password", "break-glass") else None)
        with house.database.write() as connection:
            if how == "used up":
                people.use_invitation(connection, 1)
            elif how == "too old":
                connection.execute(update(person).values(invited_at=house.now - timedelta(days=91)))
            elif how == "disabled":
                connection.execute(update(person).values(disabled_at=house.now))
            elif how == "break-glass":
                people.set_break_glass(connection, ANA, now=house.now)
                connection.execute(update(person).values(invited_at=house.now))
        answer = signed_on(house.browser(), company, SUBJECT)
        assert answer.status == 401
        assert ("settings forbid" if how == "forbidden" else "nobody invited") in answer.text
        assert links(house.database) == []
        if how == "used up":
            with house.database.write() as connection:
                people.invite(connection, 1, now=house.now, actor="test")
            assert signed_on(house.browser(), company, SUBJECT).status == 303


def test_groups_give_and_take_roles_and_leave_alone_what_people_gave(tmp_path: Path, company: Company) -> None:
    def held(house: House) -> set[tuple[str, str | None, bool]]:
        with house.database.read() as connection:
            now = roles.memberships(connection, {1}, house.now)
            rows = connection.execute(select(membership)).all()
            return {(row.right, row.granted_by, any(one.right == row.right for one in now.get(1, ()))) for row in rows}

    with opened_house(tmp_path, company, oidc_groups=GROUPS) as house:
        house.add(role="viewer")
        with house.database.write() as connection:
            wanted = read_raw(b'[[brand]]\nkey = "halden-bank"\nname = "Halden"\n', "a.toml")
            organisation_file.apply(connection, wanted, actor="test", now=house.now)
        company.user(SUBJECT, email=ANA, email_verified=True, groups=["care", "leads", "gone", "other"])
        assert signed_on(house.browser(), company, SUBJECT).status == 303
        ours = ("viewer", "command line", True)
        assert held(house) == {ours, ("agent", "company sign-on", True), ("manager", "company sign-on", True)}
        house.passes(1)
        company.user(SUBJECT, email=ANA, email_verified=True, groups=["leads"])
        assert signed_on(house.browser(), company, SUBJECT).status == 303
        assert ("agent", "company sign-on", False) in held(house)
        house.passes(1)
        # A company that names no groups at all names none: nobody keeps a role by silence.
        company.user(SUBJECT, email=ANA, email_verified=True)
        assert signed_on(house.browser(), company, SUBJECT).status == 303
        assert held(house) == {ours, ("agent", "company sign-on", False), ("manager", "company sign-on", False)}


def test_who_is_linked_and_has_no_role_now_is_told_so(house: House, company: Company) -> None:
    house.add()
    assert signed_on(house.browser(), company, SUBJECT).status == 303
    with house.database.write() as connection:
        connection.execute(update(membership).values(valid_to=house.now))
    answer = signed_on(house.browser(), company, SUBJECT)
    assert (answer.status, "no role is yours at this moment" in answer.text) == (401, True)
    with house.database.write() as connection:
        connection.execute(update(person).values(disabled_at=house.now))
    assert "this person was deactivated here" in signed_on(house.browser(), company, SUBJECT).text


def test_a_second_sign_in_ends_the_session_that_the_browser_had(house: House, company: Company) -> None:
    house.add()
    browser = house.browser()
    for _ in range(2):
        assert signed_on(browser, company, SUBJECT).status == 303
    with house.database.read() as connection:
        ended = connection.execute(select(session.c.revoked_at)).scalars().all()
    assert sorted(one is None for one in ended) == [False, True]


# -- not believed --------------------------------------------------------------------------------------------


def changed(**claims: Any) -> Callable[[Company, Claims], str | None]:
    def twist(company: Company, given: Claims) -> str | None:
        given.update(claims)
        for name in [name for name, value in claims.items() if value is None]:
            del given[name]
        return None

    return twist


def later(name: str, seconds: float) -> Callable[[Company, Claims], str | None]:
    def twist(company: Company, given: Claims) -> str | None:
        given[name] = int(time.time() + seconds)
        return None

    return twist


def parts(header: Claims, given: Claims) -> str:
    return ".".join(urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in (header, given))


def unsigned(company: Company, given: Claims) -> str:
    return f"{parts({'alg': 'none'}, given)}."


def by_secret(company: Company, given: Claims) -> str:
    """Signed with the public key as if it were a secret: what a checker that trusts the header would believe."""
    text = parts({"alg": "HS256", "kid": company.key.kid}, given)
    mark = hmac.digest(company.key.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(mark).decode().rstrip('=')}"


def by_another(company: Company, given: Claims) -> str:
    other = RSAKey.generate_key(2048, {"kid": company.key.kid or ""})
    return jwt.encode({"alg": "RS256", "kid": company.key.kid or ""}, given, other)


def cut(company: Company, given: Claims) -> str:
    header, payload, signature = company.sign(given).split(".")
    return f"{header}.{payload[:-4]}AAAA.{signature}"


HOSTILE: tuple[tuple[str, Callable[[Company, Claims], str | None], str], ...] = (
    ("issuer", changed(iss="https://evil.example"), "iss: must be "),
    ("audience", changed(aud="another"), "aud: the token is not for watchfloor"),
    ("several audiences", changed(aud=["watchfloor", "another"]), "aud: the token is for several"),
    ("another program", changed(azp="another"), "azp: the token was given to another program"),
    ("nonce", changed(nonce="A" * 43), "nonce: the token answers another request"),
    ("no nonce", changed(nonce=None), "nonce: the token answers another request"),
    ("expired", later("exp", -200), "exp: the token has expired"),
    ("no expiry", changed(exp=None), "exp: the token does not say"),
    ("odd expiry", changed(exp="soon"), "exp: the token does not say"),
    ("old", later("iat", -3_600), "iat: the token is an old one"),
    ("from the future", later("iat", 600), "iat: the token was made in the future"),
    ("not yet", later("nbf", 600), "nbf: the token is not valid yet"),
    ("nobody", changed(sub=""), "sub: the token does not say who"),
    ("a list as subject", changed(sub=[SUBJECT]), "sub: the token does not say who"),
    ("another access token", changed(at_hash="AAAA"), "whole token: not as the standard has it"),
    ("no signature", unsigned, "signature: the algorithm “none” proves nothing"),
    ("our own secret", by_secret, "signature: the algorithm “HS256” proves nothing"),
    ("another key", by_another, "signature: it was not made with the company"),
    ("cut", cut, "signature: "),
    ("no token", lambda company, given: "abc", "signature: what came is no signed token"),
    ("a bomb", lambda company, given: "a" * 100_000 + ".b.c", "signature: what came is no signed token"),
)


def test_a_token_is_believed_only_when_every_claim_is_right(house: House, company: Company) -> None:
    house.add()
    for name, twist, reason in HOSTILE:
        company.twist = lambda claims, twist=twist: twist(company, claims)  # type: ignore[misc]
        answer = signed_on(house.browser(), company, SUBJECT)
        text = answer.text.replace("&#x27;", "'")
        assert (answer.status, reason in text) == (401, True), (name, text[text.find('id="fault"') :][:200])
        assert "watchfloor" not in answer.cookies, name
        told = newest(house.database)
        assert (told.action, told.subject) == ("signin.failed", "(not known)"), name
    assert links(house.database) == []
    assert len(HOSTILE) == 21
    # The same house lets in whom it should, so the cases above fail for their own reasons.
    company.twist = lambda claims: None
    assert signed_on(house.browser(), company, SUBJECT).status == 303


def test_clocks_may_differ_by_two_minutes(house: House, company: Company) -> None:
    for seconds in (-100, 100):
        house.now = datetime.now(UTC) + timedelta(seconds=seconds)
        if seconds < 0:
            house.add()
        assert signed_on(house.browser(), company, SUBJECT).status == 303


def test_a_state_belongs_to_one_browser_works_once_and_ten_minutes(house: House, company: Company) -> None:
    house.add()
    mine, thief = house.browser(), house.browser()
    back = sent_back(mine, company, SUBJECT)
    thief.get("/signin/company")
    for stranger in (thief, house.browser()):
        answer = stranger.get(back)
        assert (answer.status, "begun in another browser" in answer.text) == (400, True)
    assert mine.get(back).status == 303
    assert mine.get("/signout").status == 200
    again = mine.get(back)
    assert (again.status, "used already" in again.text) == (400, True)
    late = sent_back(mine, company, SUBJECT)
    house.passes(601)
    assert mine.get(late).status == 400
    for path in ("", "?code=x", "?code=x&state=", "?code=x&state=%00.%ff", "?state=a.b&error=x"):
        assert mine.get(f"/signin/company/back{path}").status == 400


def test_a_code_that_was_used_opens_nothing(house: House, company: Company) -> None:
    house.add()
    browser = house.browser()
    used = parse_qs(urlsplit(sent_back(browser, company, SUBJECT)).query)["code"][0]
    first = sent_back(browser, company, SUBJECT)
    code = parse_qs(urlsplit(first).query)["code"][0]
    assert browser.get(first).status == 303
    second = sent_back(browser, company, SUBJECT)
    replayed = second.replace(parse_qs(urlsplit(second).query)["code"][0], code)
    answer = browser.get(replayed)
    assert (answer.status, "refused the code" in answer.text) == (401, True)
    # A code that was given for another request of this browser: its token carries the other nonce.
    third = sent_back(browser, company, SUBJECT)
    injected = third.replace(parse_qs(urlsplit(third).query)["code"][0], used)
    answer = browser.get(injected)
    assert (answer.status, "nonce: the token answers another request" in answer.text) == (401, True)


def test_another_server_cannot_slip_its_answer_in(house: House, company: Company) -> None:
    house.add()
    back = sent_back(house.browser(), company, SUBJECT)
    for more in ("&iss=https%3A%2F%2Fevil.example", "&iss="):
        browser = house.browser()
        answer = browser.get(sent_back(browser, company, SUBJECT) + more)
        assert (answer.status, "another server" in answer.text) == (401, True)
    assert back
    good = house.browser()
    assert good.get(f"{sent_back(good, company, SUBJECT)}&iss={company.issuer}").status == 303


def test_saying_no_at_the_company_leads_back_to_the_form(house: House, company: Company) -> None:
    browser = house.browser()
    address = browser.get("/signin/company").headers["location"]
    back = urlsplit(company.consent(address, SUBJECT, action="deny"))
    answer = browser.get(f"{back.path}?{back.query}")
    assert answer.status in (400, 401)
    assert "Continue with company sign-on" in answer.text


def test_a_state_says_nothing_to_who_only_sees_it() -> None:
    state = new_state("b" * 43)
    assert is_state_of(state, "b" * 43)
    assert not is_state_of(state, "c" * 43)
    assert not is_state_of(state, "")
    assert not is_state_of("", "b" * 43)
    assert not is_state_of(state.replace(".", ""), "b" * 43)
    assert new_state("b" * 43) != state
    assert "__Host-" in cookies.for_flow("x", True)


# -- the company's server ------------------------------------------------------------------------------------


def test_a_new_key_of_the_company_is_fetched_when_a_token_names_it(house: House, company: Company) -> None:
    def fetched() -> int:
        return sum(path == "/jwks" for path, _ in company.asked)

    seconds = [0.0]
    settings = Settings(oidc_issuer=company.issuer, oidc_client_id="watchfloor")
    provider = Provider(settings, monotonic=lambda: seconds[0])
    first = company.key.kid or ""
    assert [key.kid for key in provider.keys(first)] == [first]
    seconds[0] = 3_599
    provider.keys(first)
    assert fetched() == 1
    company.key = RSAKey.generate_key(2048, {"kid": f"{first}-next", "use": "sig"})
    assert [key.kid for key in provider.keys(company.key.kid or "")] == [company.key.kid]
    assert fetched() == 2
    # Made-up names of keys must cost the company nothing.
    for _ in range(50):
        provider.keys("made up")
    assert fetched() == 2
    seconds[0] += 11
    provider.keys("made up")
    assert fetched() == 3
    house.add()
    assert signed_on(house.browser(), company, SUBJECT).status == 303


def test_when_the_company_is_down_the_form_says_so_and_the_local_way_works(house: House, company: Company) -> None:
    house.add(password=PASSWORD)
    company.broken = {"/.well-known/openid-configuration": (500, b"")}
    browser = house.browser()
    answer = browser.get("/signin/company?next=/brands")
    assert answer.status == 503
    assert "answers 500. Try again, or use a local account." in answer.text
    fields = {"email": ANA, "password": PASSWORD, "next": "/brands", "csrf_token": form_token(browser)}
    assert browser.post_form("/signin", fields).status == 303


ODD: tuple[tuple[str, tuple[int, bytes], str], ...] = (
    ("/.well-known/openid-configuration", (200, b"<html>"), "sends no JSON"),
    ("/.well-known/openid-configuration", (200, b"[]"), "sends no object"),
    ("/.well-known/openid-configuration", (302, b""), "answers 302"),
    ("/.well-known/openid-configuration", (200, b"1" * (1 << 21)), "sends too much"),
    ("/.well-known/openid-configuration", (200, b'{"issuer": "https://evil.example"}'), "calls itself"),
)


def test_a_server_that_says_odd_things_is_told_in_words(tmp_path: Path, company: Company) -> None:
    for place, (path, answer, reason) in enumerate(ODD):
        (tmp_path / str(place)).mkdir()
        with opened_house(tmp_path / str(place), company) as house:
            company.broken = {path: answer}
            told = house.browser().get("/signin/company")
            assert (told.status, reason in told.text) == (503, True), reason
    company.broken = {}
    (tmp_path / "plain").mkdir()
    with opened_house(tmp_path / "plain", company) as house:
        company.said = lambda published: published.update(token_endpoint="http://evil.example/token")
        assert "names no token_endpoint" in house.browser().get("/signin/company").text


TOKEN_ODD: tuple[tuple[tuple[int, bytes], str], ...] = (
    ((500, b"oops"), "did not exchange the code"),
    ((200, b"{}"), "sent no token that says who"),
    ((400, b'{"error": "invalid_client<script>"}'), "refused the code"),
    ((302, b""), "did not exchange the code"),
)


def test_an_exchange_that_goes_wrong_lets_nobody_in(house: House, company: Company) -> None:
    house.add()
    for answer, reason in TOKEN_ODD:
        company.broken = {"/oauth2/token": answer}
        told = signed_on(house.browser(), company, SUBJECT)
        assert (told.status, reason in told.text) == (401, True), (answer, told.text[-900:])
        assert "<script>al" not in told.text
        assert "hush" not in told.text


def test_too_many_beginnings_from_one_address_have_to_wait(house: House, company: Company) -> None:
    browser = house.browser()
    answers = [browser.get("/signin/company").status for _ in range(62)]
    assert answers[:60] == [303] * 60
    assert answers[-1] == 429


# -- without the company -------------------------------------------------------------------------------------


def test_where_company_sign_on_is_required_only_the_break_glass_administrator_has_a_password(
    tmp_path: Path, company: Company
) -> None:
    def tried(browser: Browser, email: str) -> int:
        browser.get("/signin")
        fields = {"email": email, "password": PASSWORD, "next": "/", "csrf_token": form_token(browser)}
        return browser.post_form("/signin", fields).status

    with opened_house(tmp_path, company, oidc_required=True) as house:
        house.add(password=PASSWORD)
        house.add("hedda@meridian.example", password=PASSWORD)
        with house.database.write() as connection:
            people.set_break_glass(connection, "hedda@meridian.example", now=house.now)
        company.broken = {"/.well-known/openid-configuration": (500, b"")}
        assert "Company sign-on does not work" in house.browser().get("/signin").text
        assert tried(house.browser(), ANA) == 401
        assert newest(house.database).details == {
            "address": "127.0.0.1",
            "reason": "only company sign-on",
            "person_id": 1,
        }
        assert tried(house.browser(), "hedda@meridian.example") == 303
        told = newest(house.database)
        assert (told.action, told.subject) == ("signin.break_glass", "hedda@meridian.example")


def test_without_company_sign_on_its_addresses_are_not_there(tmp_path: Path) -> None:
    database = empty_database(tmp_path)
    house = House(database)
    for path in ("/signin/company", "/signin/company/back?code=x&state=y"):
        assert house.browser().get(path).status == 404
    assert "company" not in house.browser().get("/signin").text
    house.close()
    database.close()


# -- the page that tests it ----------------------------------------------------------------------------------


def test_an_administrator_sees_which_claim_fails_and_nobody_is_signed_in_by_it(
    tmp_path: Path, company: Company
) -> None:
    def report(browser: Browser) -> str:
        address = browser.get("/signin/company/try").headers["location"]
        back = urlsplit(company.consent(address, SUBJECT))
        return browser.get(f"{back.path}?{back.query}").text

    with opened_house(tmp_path, company, oidc_groups=GROUPS) as house:
        house.add()
        admin = house.signed_in()
        about = admin.get("/signin/company/test").text
        assert "http://localhost:8050/signin/company/back" in about
        assert "care = agent" in about
        assert "hush" not in about
        good = report(admin)
        assert "Nothing is wrong" in good
        assert f"Ana Novak, {ANA}: would be linked now" in good
        assert "agent (care)" in good
        company.twist = lambda claims: claims.update(aud="another", exp=1)
        bad = report(admin)
        assert "Wrong: aud, exp, whole token." in bad
        assert links(house.database) == []
        with house.database.read() as connection:
            assert len(connection.execute(select(session)).all()) == 1
        house.add("vic@meridian.example", role="viewer")
        viewer = house.signed_in("vic@meridian.example")
        assert viewer.get("/signin/company/test").status == viewer.get("/signin/company/try").status == 403
        # A test that an administrator began and somebody else ends is none.
        address = admin.get("/signin/company/try").headers["location"]
        viewer.cookies["watchfloor_flow"] = admin.cookies["watchfloor_flow"]
        back = urlsplit(company.consent(address, SUBJECT))
        assert viewer.get(f"{back.path}?{back.query}").status == 403


def test_the_test_page_says_when_the_company_does_not_answer(house: House, company: Company) -> None:
    house.add()
    company.broken = {"/.well-known/openid-configuration": (503, b"")}
    assert "answers 503" in house.signed_in().get("/signin/company/test").text
