"""The pages before the dashboard, drawn on the server: sign in, one-time link, sign out. Pure: words in, HTML out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from dashboard.notice import framed

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


def sign_in_page(house: House, *, token: str, wanted: str, email: str = "", fault: str = "") -> str:
    """Mail and password. `fault` says what was wrong with the last attempt; `wanted` is where to go afterwards."""
    alert = f'<p class="fault" role="alert" id="fault">{escape(fault)}</p>' if fault else ""
    described = ' aria-describedby="fault"' if fault else ""
    # After a fault the mail stands already: the cursor belongs into the password.
    focus_email, focus_password = ("", " autofocus") if email else (" autofocus", "")
    card = (
        f'<p class="lead">Sign in to {escape(house.name)}{_tag(house)}</p>{alert}'
        '<form method="post" action="/signin">'
        f"{_hidden('csrf_token', token)}{_hidden('next', wanted)}"
        '<div><label for="email">Work email</label><input id="email" name="email" type="email" required maxlength="254"'
        f' autocomplete="username" spellcheck="false" autocapitalize="none" value="{escape(email)}"'
        f"{described}{focus_email}></div>"
        '<div><label for="password">Password</label><input id="password" name="password" type="password" required'
        f' autocomplete="current-password"{described}{focus_password}></div>'
        '<button class="btn pri wide" type="submit">Sign in <kbd aria-hidden="true">↵</kbd></button></form>'
        '<p class="hint">No password? An administrator makes a one-time link with'
        " <code>watchfloor signin-link EMAIL</code>.</p>"
    )
    return framed("Sign in", card, _below(house))


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


def _tag(house: House) -> str:
    return ' <span class="chip acc">Simulated data</span>' if house.is_simulated else ""


def _below(house: House) -> str:
    return (
        f"Self-hosted at {escape(house.address)} · version {escape(house.version)}"
        " · sign-ins are written to the audit log"
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
