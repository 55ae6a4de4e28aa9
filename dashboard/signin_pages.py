"""The pages before the dashboard, drawn on the server: sign in, one-time link, sign out. Pure: words in, HTML out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from dashboard.notice import framed

LOCK = (
    '<svg class="lock" width="16" height="16" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor"'
    ' stroke-width="2"><rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/></svg>'
)

LINK_FAULTS = {
    "used": "This sign-in link was used already; each works once.",
    "expired": "This sign-in link has expired.",
    "unknown": "This sign-in link is not valid.",
}


@dataclass(frozen=True, slots=True)
class House:
    """Whose Watchfloor it is: what the pages say around the form."""

    name: str
    address: str
    version: str
    is_simulated: bool
    has_company: bool = False
    needs_company: bool = False


def sign_in_page(house: House, *, token: str, wanted: str, email: str = "", fault: str = "") -> str:
    """Company sign-on first, where there is one; then mail and password.

    `fault` says what was wrong with the last attempt; `wanted` is where to go afterwards.
    """
    alert = f'<p class="fault" role="alert" id="fault">{escape(fault)}</p>' if fault else ""
    described = ' aria-describedby="fault"' if fault else ""
    # After a fault the mail stands already: the cursor belongs into the password.
    focus_email, focus_password = ("", " autofocus") if email else (" autofocus", "")
    if house.has_company:
        focus_email = ""
    form = (
        '<form method="post" action="/signin">'
        f"{_hidden('csrf_token', token)}{_hidden('next', wanted)}"
        '<div><label for="email">Work email</label><input id="email" name="email" type="email" required maxlength="254"'
        f' autocomplete="username" spellcheck="false" autocapitalize="none" value="{escape(email)}"'
        f"{described}{focus_email}></div>"
        '<div><label for="password">Password</label><input id="password" name="password" type="password" required'
        f' autocomplete="current-password"{described}{focus_password}></div>'
        f'<button class="btn{"" if house.has_company else " pri"} wide" type="submit">Sign in'
        ' <kbd aria-hidden="true">↵</kbd></button></form>'
    )
    hint = (
        '<p class="hint">No password? An administrator makes a one-time link with'
        " <code>watchfloor signin-link EMAIL</code>.</p>"
    )
    lead = f'<p class="lead">Sign in to {escape(house.name)}{_tag(house)}</p>'
    card = f"{lead}{alert}{_ways(house, wanted, email, form)}{hint}"
    return framed("Sign in", card, _below(house))


def _ways(house: House, wanted: str, email: str, form: str) -> str:
    if not house.has_company:
        return form
    focus = "" if email else " autofocus"
    company = (
        f'<a class="btn pri wide" id="company" href="/signin/company?next={escape(quote(wanted, safe="/"))}"{focus}>'
        f"{LOCK}Continue with company sign-on</a>"
    )
    if not house.needs_company:
        return f'{company}<p class="or"><span>or with a local account</span></p>{form}'
    opened = " open" if email else ""
    return (
        f'{company}<details class="local"{opened}><summary>Company sign-on does not work</summary>'
        '<p class="hint">One local administrator gets in all the same. Every use is written to the audit log.</p>'
        f"{form}</details>"
    )


def done_page(house: House, *, email: str) -> str:
    """The end of a window that was opened for signing in; a script tells the page behind it and closes this one."""
    card = (
        f'<p class="lead" id="signed-in" data-email="{escape(email)}">'
        f"You are signed in to {escape(house.name)} again.</p>"
        '<p class="hint">You can close this window and go on where you were.</p>'
        '<script src="/assets/signin-over.js"></script>'
    )
    return framed("Signed in", card, _below(house))


def test_page(house: House, *, rows: Sequence[tuple[str, str, str]], can_try: bool) -> str:
    """The company sign-on looked at: (what, what it says, what is wrong with it or "") a row."""
    wrong = [name for name, _, fault in rows if fault]
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(seen)}'
        f"{_bad(fault)}</td>"
        f'<td class="mark">{"✕" if fault else "✓"}<span class="unseen">{"wrong" if fault else "right"}</span></td></tr>'
        for name, seen, fault in rows
    )
    verdict = f"Wrong: {', '.join(wrong)}." if wrong else "Nothing is wrong with what was looked at."
    go = '<a class="btn pri wide" href="/signin/company/try">Try it with my account there</a>' if can_try else ""
    card = (
        f'<p class="lead">Company sign-on of {escape(house.name)}, as an administrator sees it.'
        " Nobody is signed in by a test.</p>"
        f'<p class="{"fault" if wrong else "hint"}" role="status">{escape(verdict)}</p>'
        f'<table class="checks"><tbody>{lines}</tbody></table>{go}'
        '<a class="btn wide" href="/admin/people">To the people</a>'
    )
    return framed("Company sign-on", card, _below(house), look="signin wide-card")


def link_page(house: House, *, name: str, link: str, token: str) -> str:
    """One button, so that a program which only looks at links does not use this one up."""
    card = (
        f'<p class="lead">Sign in to {escape(house.name)}{_tag(house)}</p>'
        '<form method="post" action="/signin/link">'
        f"{_hidden('csrf_token', token)}{_hidden('token', link)}"
        f'<button class="btn pri wide" type="submit" autofocus>Sign in as {escape(name)}</button></form>'
        '<p class="hint">This link works once. On this computer you then stay signed in until you sign out,'
        " have not used it for 12 hours, or seven days are over.</p>"
    )
    return framed("Sign in", card, _below(house))


def link_fault_page(house: House, *, state: str) -> str:
    """Why a link does not work, and how to get another."""
    card = (
        f'<p class="fault" role="alert">{escape(LINK_FAULTS[state])}</p>'
        '<p class="hint">For a new one, an administrator runs this on the server:</p>'
        '<p><code class="block">watchfloor signin-link EMAIL</code></p>'
        '<a class="btn wide" href="/signin">Sign in with a password</a>'
    )
    return framed("Sign-in link", card, _below(house))


def sign_out_page(house: House, *, name: str, token: str) -> str:
    """One button that ends the session."""
    card = (
        f'<p class="lead">You are signed in to {escape(house.name)} as {escape(name)}.</p>'
        f'<form method="post" action="/signout">{_hidden("csrf_token", token)}'
        '<button class="btn pri wide" type="submit" autofocus>Sign out</button></form>'
        '<a class="btn wide" href="/">Stay</a>'
    )
    return framed("Sign out", card, _below(house))


def _bad(fault: str) -> str:
    return f'<span class="bad">{escape(fault)}</span>' if fault else ""


def _tag(house: House) -> str:
    return ' <span class="chip acc">Simulated data</span>' if house.is_simulated else ""


def _below(house: House) -> str:
    return (
        f"Self-hosted at {escape(house.address)} · version {escape(house.version)}"
        " · sign-ins are written to the audit log"
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
