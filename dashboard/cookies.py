"""The cookies: the session, the token that changes must carry, the token of the sign-in form, a sign-on under way."""

from __future__ import annotations

from models.identity import LONGEST_SESSION

# Read by the browser's side, which sends it back as a header; Dash's renderer knows it by this name.
CSRF = "_csrf_token"
FORM_SECONDS = 3_600
FLOW_SECONDS = 600


def session_name(is_secure: bool) -> str:
    """On TLS the prefix makes the browser refuse a cookie that another host or a plain connection set."""
    return "__Host-watchfloor" if is_secure else "watchfloor"


def form_name(is_secure: bool) -> str:
    """The cookie that a sign-in form is compared with."""
    return "__Host-watchfloor_form" if is_secure else "watchfloor_form"


def flow_name(is_secure: bool) -> str:
    """The cookie that binds a sign-on at the company's to the browser that began it."""
    return "__Host-watchfloor_flow" if is_secure else "watchfloor_flow"


def for_session(session_id: str, is_secure: bool) -> str:
    """Set-Cookie of a session; scripts never see it."""
    return _cookie(session_name(is_secure), session_id, int(LONGEST_SESSION.total_seconds()), is_secure)


def for_csrf(token: str, is_secure: bool) -> str:
    """Set-Cookie of the token that scripts send back as `X-CSRFToken`."""
    return _cookie(CSRF, token, int(LONGEST_SESSION.total_seconds()), is_secure, is_for_scripts=True)


def for_form(token: str, is_secure: bool) -> str:
    """Set-Cookie of the sign-in form's token."""
    return _cookie(form_name(is_secure), token, FORM_SECONDS, is_secure)


def for_flow(binding: str, is_secure: bool) -> str:
    """Set-Cookie of what binds a sign-on at the company's; Lax, so that it comes along on the way back."""
    return _cookie(flow_name(is_secure), binding, FLOW_SECONDS, is_secure)


def ended(is_secure: bool) -> tuple[str, str]:
    """Set-Cookie headers that make a browser forget session and token."""
    return (
        _cookie(session_name(is_secure), "", 0, is_secure),
        _cookie(CSRF, "", 0, is_secure, is_for_scripts=True),
    )


def parsed(header: str) -> dict[str, str]:
    """Names and values of a Cookie header; of two with one name the first, which is the more specific."""
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and name not in found:
            found[name] = value
    return found


def _cookie(name: str, value: str, max_age: int, is_secure: bool, is_for_scripts: bool = False) -> str:
    parts = [f"{name}={value}", "Path=/", f"Max-Age={max_age}", "SameSite=Lax"]
    if is_secure:
        parts.append("Secure")
    if not is_for_scripts:
        parts.append("HttpOnly")
    return "; ".join(parts)
