"""Plain pages outside Dash, drawn on the server: the frame of the sign-in pages, and a sentence with a way on."""

from __future__ import annotations

from html import escape

LOGO = (
    '<svg width="32" height="32" viewBox="0 0 28 28" aria-hidden="true" fill="none" stroke="var(--accent)"'
    ' stroke-width="2"><circle cx="14" cy="14" r="11.5"/><circle cx="14" cy="14" r="6" opacity=".55"/>'
    '<path d="M14 14 22 6" stroke-linecap="round"/><circle cx="14" cy="14" r="2" fill="var(--accent)"'
    ' stroke="none"/></svg>'
)


def framed(title: str, card: str, below: str = "", *, look: str = "signin") -> str:
    """A whole page: `card` and `below` are HTML that is safe already. No script of its own, no foreign host."""
    return (
        '<!doctype html>\n<html lang="en" data-theme="dark">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        '<meta name="color-scheme" content="dark light">'
        f"<title>{escape(title)} · Watchfloor</title>"
        '<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/assets/tokens.css"><link rel="stylesheet" href="/assets/signin.css">'
        '<script src="/assets/theme.js"></script></head>\n'
        f'<body class="{look}"><div class="land" aria-hidden="true"></div>\n<main>'
        f'<div class="card"><h1>{LOGO}Watchfloor</h1>{card}</div></main>\n'
        f'<footer class="below">{below}</footer></body></html>\n'
    )


def notice_page(sentence: str, way_back: str) -> str:
    """One sentence and one button."""
    shown = escape(sentence[:1].upper() + sentence[1:])
    word = "Back to sign in" if way_back == "/signin" else "To the start page"
    return framed(
        "Not here", f'<p class="lead">{shown}.</p><a class="btn pri wide" href="{escape(way_back)}">{word}</a>'
    )
