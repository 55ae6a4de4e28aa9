"""dashboard/signin.py: the pages before the dashboard, and the sessions they open."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from dashboard.signin import safe_next
from models import audit, identity, leaving, saved_views
from models.database import Database
from models.tables import setting
from tests.asgi import Answer, Browser
from tests.empty import empty_database
from tests.house import ANA, PASSWORD, House, form_token


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    database = empty_database(tmp_path)
    with database.write() as connection:
        for key, value in (("name", "Meridian <Group>"), ("simulated", True)):
            connection.execute(insert(setting).values(key=key, value=value))
    house = House(database)
    yield house
    house.close()
    database.close()


def sign_in(browser: Browser, email: str = ANA, password: str = PASSWORD, wanted: str = "/") -> Answer:
    browser.get(f"/signin?next={quote(wanted)}")
    fields = {"email": email, "password": password, "next": wanted, "csrf_token": form_token(browser)}
    return browser.post_form("/signin", fields)


def test_the_page_says_whose_watchfloor_it_is_and_draws_nothing_that_does_not_work(house: House) -> None:
    page = house.browser().get("/signin").text
    for part in (
        "Sign in to Meridian &lt;Group&gt;",
        "Simulated data",
        "Self-hosted at localhost:8050",
        "version 1.2.3",
        "sign-ins are written to the audit log",
    ):
        assert part in page
    assert "orgot" not in page
    assert "company sign-on" not in page
    assert not re.search(r"<script(?! src=)|\son\w+=|style=", page)
    assert not re.search(r"(src|href)=.(https?:)?//", page)


def test_a_password_signs_in_and_leads_to_the_page_that_was_wanted(database: Database) -> None:
    house = House(database)
    house.add(password=PASSWORD)
    browser = house.browser()
    answer = sign_in(browser, wanted="/?brand=quartz&window=7d")
    assert (answer.status, answer.headers["location"]) == (303, "/?brand=quartz&window=7d")
    assert browser.get("/").text.endswith(f"{ANA} 0")
    answer = browser.get("/signin?next=/%3Fteam%3Dcare")
    assert (answer.status, answer.headers["location"]) == (303, "/?team=care")
    house.close()


@pytest.mark.parametrize("by_link", [True, False])
def test_who_asked_for_no_page_begins_at_their_start_view(by_link: bool, house: House) -> None:
    number = house.add(password=PASSWORD)
    with house.database.write() as connection:
        view = saved_views.save(connection, number, name="mine", path="/", search="?window=7d", now=house.now)
        saved_views.begin_at(connection, number, view.id)
    browser = house.browser()
    if by_link:
        token = house.link()
        browser.get(f"/signin/link?token={token}")
        answer = browser.post_form("/signin/link", {"token": token, "csrf_token": form_token(browser)})
    else:
        answer = sign_in(browser)
        wanted = sign_in(house.browser(), wanted="/?brand=quartz")
        assert wanted.headers["location"] == "/?brand=quartz"

    assert (answer.status, answer.headers["location"]) == (303, "/?window=7d")


def test_an_unknown_mail_and_a_wrong_password_get_the_same_answer(house: House) -> None:
    house.add(password=PASSWORD)
    wrong = sign_in(house.browser(), password="not this sentence")
    unknown = sign_in(house.browser(), email="bob.novak@meridian.example", password="not this sentence")
    impossible = sign_in(house.browser(), email="ana.novak", password="not this sentence")
    assert wrong.status == unknown.status == impossible.status == 401
    assert "do not go together" in wrong.text

    def without_what_differs(answer: Answer) -> str:
        return re.sub(r'value="[^"]*"', "", answer.text)

    assert without_what_differs(wrong) == without_what_differs(unknown) == without_what_differs(impossible)
    assert set(wrong.cookies) == set(unknown.cookies) == {"watchfloor_form"}
    assert "not this sentence" not in wrong.text


def test_what_was_typed_comes_back_escaped(house: House) -> None:
    page = sign_in(house.browser(), email='"><script>alert(1)</script>@x', password="x").text
    assert "<script>alert" not in page
    assert "&quot;&gt;&lt;script&gt;" in page


def test_empty_fields_are_said_and_not_counted(house: House) -> None:
    for _ in range(30):
        answer = sign_in(house.browser(), password="")
        assert answer.status == 400
    assert "Give your email and your password" in answer.text


def test_an_international_mail_signs_in_however_it_is_typed(house: House) -> None:
    house.add("zoë@münchen.example", password=PASSWORD)
    assert sign_in(house.browser(), email="  ZOE\u0308@MÜNCHEN.example").status == 303


def test_the_form_needs_the_token_of_its_own_page(house: House) -> None:
    house.add(password=PASSWORD)
    browser, other = house.browser(), house.browser()
    browser.get("/signin")
    other.get("/signin")
    fields = {"email": ANA, "password": PASSWORD}
    for token in ("", "x", form_token(other)):
        answer = browser.post_form("/signin", fields | {"csrf_token": token})
        assert answer.status == 403
        assert "Back to sign in" in answer.text
    assert house.browser().post_form("/signin", fields | {"csrf_token": ""}).status == 403
    sent = fields | {"csrf_token": form_token(browser)}
    assert browser.post_form("/signin", sent, origin="https://evil.example").status == 403
    evil = {"sec-fetch-site": "cross-site"}
    assert browser.post_form("/signin", sent, **evil).status == 403
    json_sent = {"content-type": "application/json"}
    assert browser.post_form("/signin", sent, **json_sent).status == 415
    assert browser.post_form("/signin", {str(n): "" for n in range(50)}).status == 400
    assert browser.post_form("/signin", sent).status == 303


def test_two_tabs_share_one_form_token(house: House) -> None:
    house.add(password=PASSWORD)
    browser = house.browser()
    browser.get("/signin")
    first = form_token(browser)
    browser.get("/signin")
    assert browser.post_form("/signin", {"email": ANA, "password": PASSWORD, "csrf_token": first}).status == 303


def test_a_session_that_somebody_planted_is_not_taken_over(house: House) -> None:
    house.add(password=PASSWORD)
    attacker = house.signed_in()
    victim = house.browser()
    victim.cookies["watchfloor"] = attacker.cookies["watchfloor"]
    victim.get("/signin/link?token=x")
    victim.cookies["watchfloor_form"] = "t" * 43
    fields = {"email": ANA, "password": PASSWORD, "csrf_token": "t" * 43}
    assert victim.post_form("/signin", fields).status == 303
    assert victim.cookies["watchfloor"] != attacker.cookies["watchfloor"]
    house.passes(5)
    assert attacker.get("/").status == 303
    assert victim.get("/").status == 200


def test_guessing_is_slowed_and_the_wait_is_said(house: House) -> None:
    house.add(password=PASSWORD)
    for _ in range(5):
        assert sign_in(house.browser(), password="wrong").status == 401
    answer = sign_in(house.browser())
    assert answer.status == 429
    assert answer.headers["retry-after"] == "2"
    assert "Try again in 2 seconds" in answer.text
    house.passes(2)
    assert sign_in(house.browser()).status == 303
    # A link still comes in while somebody guesses at the password.
    for _ in range(6):
        sign_in(house.browser(), password="wrong")
    assert sign_in(house.browser()).status == 429
    assert house.signed_in().get("/").status == 200


def test_every_attempt_is_in_the_audit_log(house: House) -> None:
    house.add(password=PASSWORD)
    sign_in(house.browser(client="192.0.2.7"), password="wrong")
    browser = house.browser(client="192.0.2.8")
    sign_in(browser)
    browser.post_form("/signout", {"csrf_token": browser.cookies["_csrf_token"]})
    with house.database.read() as connection:
        rows = audit.newest(connection, 3)
    assert [row.action for row in rows] == ["signin.ended", "signin.succeeded", "signin.failed"]
    assert [row.details and row.details["address"] for row in rows] == [None, "192.0.2.8", "192.0.2.7"]


def test_looking_at_a_link_does_not_use_it_up(house: House) -> None:
    house.add()
    token = house.link()
    for _ in range(5):
        answer = house.browser().get(f"/signin/link?token={token}")
        assert (answer.status, "Sign in as Ana Novak" in answer.text) == (200, True)
        assert "watchfloor" not in answer.cookies
    assert house.browser().ask("HEAD", f"/signin/link?token={token}").status == 200
    browser = house.browser()
    browser.get(f"/signin/link?token={token}")
    answer = browser.post_form("/signin/link", {"token": token, "csrf_token": form_token(browser)})
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert browser.get("/").status == 200


def test_a_link_that_does_not_work_says_why_and_how_to_get_another(house: House) -> None:
    house.add()
    used = house.link()
    browser = house.browser()
    browser.get(f"/signin/link?token={used}")
    fields = {"token": used, "csrf_token": form_token(browser)}
    assert browser.post_form("/signin/link", fields).status == 303
    again = browser.post_form("/signin/link", fields)
    expired = house.link()
    house.passes(identity.LINK_VALID.total_seconds())
    answers = [again, *(house.browser().get(f"/signin/link?token={token}") for token in (used, expired, "x", ""))]
    words = ["used already", "used already", "has expired", "not valid", "not valid"]
    for answer, word in zip(answers, words, strict=True):
        assert answer.status == 410
        assert word in answer.text
        assert "watchfloor signin-link EMAIL" in answer.text


def test_of_two_simultaneous_clicks_on_a_link_one_signs_in(database: Database) -> None:
    house = House(database)
    house.add()
    token = house.link()
    browsers = [house.browser() for _ in range(4)]
    for browser in browsers:
        browser.get(f"/signin/link?token={token}")
    start, answers = threading.Barrier(len(browsers)), []

    def click(browser: Browser) -> None:
        start.wait()
        answers.append(browser.post_form("/signin/link", {"token": token, "csrf_token": form_token(browser)}).status)

    threads = [threading.Thread(target=click, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 410, 410, 410]
    house.close()


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "?x=1",
        "http:evil",
        "/signin",
        "/signin/link?token=x",
        "/signout",
        "/_dash-layout",
        "/é",
        "/\u2028",
        "/" + "x" * 3_000,
        "//[",
    ],
)
def test_signing_in_leads_nowhere_but_to_a_page_of_ours(wanted: str) -> None:
    assert safe_next(wanted) == "/"


@pytest.mark.parametrize(
    "wanted", ["/", "/?brand=a,b&at=2015-02-20T12:00%2B01:00", "/wall?x=//y", "/a/b#c", "/@evil.example"]
)
def test_a_page_of_ours_is_kept_as_it_was_wanted(wanted: str) -> None:
    assert safe_next(wanted) == wanted


def test_a_tampered_next_does_not_leave_the_site(house: House) -> None:
    house.add(password=PASSWORD)
    assert sign_in(house.browser(), wanted="//evil.example").headers["location"] == "/"
    assert 'name="next" value="/"' in house.browser().get("/signin?next=https://evil.example").text


# -- over a page -------------------------------------------------------------------------------------------


def over(browser: Browser) -> dict[str, object]:
    """What a page is told that wants to sign in over itself."""
    found = json.loads(browser.get("/signin/over").text)
    assert isinstance(found, dict)
    return found


def test_a_lapsed_session_is_opened_again_over_the_page(house: House) -> None:
    house.add(password=PASSWORD)
    browser = house.signed_in()
    assert (over(browser)["email"], over(browser)["lapsed"]) == (ANA, False)
    house.passes(12 * 3600)
    assert browser.ask("POST", "/act/log.add", {"origin": "http://localhost:8050"}).status == 401
    told = over(browser)
    assert (told["email"], told["lapsed"], told["company"], told["only_company"]) == ("", True, False, False)
    wrong = browser.post_form("/signin/over", {"email": ANA, "password": "wrong", "csrf_token": str(told["token"])})
    assert (wrong.status, "do not go together" in json.loads(wrong.text)["error"]) == (401, True)
    right = browser.post_form("/signin/over", {"email": ANA, "password": PASSWORD, "csrf_token": str(told["token"])})
    assert (right.status, json.loads(right.text)) == (200, {"email": ANA})
    assert {"watchfloor", "_csrf_token"} <= right.cookies.keys()
    assert browser.get("/").status == 200


def test_who_signed_out_or_is_no_more_with_us_has_to_leave_the_page(house: House) -> None:
    house.add()
    gone, disabled = house.signed_in(), house.signed_in()
    with house.database.write() as connection:
        identity.sign_out(connection, identity.session_hash(gone.cookies["watchfloor"]), house.now)
    house.passes(5)
    assert over(gone)["lapsed"] is False
    with house.database.write() as connection:
        leaving.disable_person(connection, ANA, house.now)
    house.passes(13 * 3600)
    assert over(disabled)["lapsed"] is False
    assert over(house.browser())["lapsed"] is False


def test_signing_in_over_a_page_is_throttled_and_needs_its_token(house: House) -> None:
    house.add(password=PASSWORD)
    browser = house.browser()
    token = str(over(browser)["token"])
    assert browser.post_form("/signin/over", {"email": ANA, "password": PASSWORD, "csrf_token": "x"}).status == 403
    fields = {"email": ANA, "password": "wrong", "csrf_token": token}
    answers = [browser.post_form("/signin/over", fields) for _ in range(7)]
    assert [answer.status for answer in answers] == [401] * 5 + [429] * 2
    assert "Too many attempts" in json.loads(answers[-1].text)["error"]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_the_window_that_was_opened_for_it_says_who_is_signed_in(house: House) -> None:
    house.add()
    page = house.signed_in().get("/signin/done").text
    assert f'data-email="{ANA}"' in page
    assert "signin-over.js" in page
    assert house.browser().get("/signin/done").status == 303
