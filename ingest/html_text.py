"""Markup reduced to the text a reader would see. What comes out is text: parsed as HTML it has no element."""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

# What is no text to a reader, or runs.
_DROPPED = frozenset(
    (
        *("script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "svg", "math", "head"),
        *("title", "frameset", "canvas", "audio", "video", "textarea", "select", "datalist", "noembed", "noframes"),
    )
)
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl"),
        *("dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
        *("hr", "li", "main", "nav", "ol", "pre", "section", "summary", "table", "tbody", "tfoot", "thead"),
        *("tr", "ul"),
    )
)
# A paragraph is set off by an empty line, other blocks by a new line, however many of them end together. The two
# signs are blanks to a regular expression, so no text of the markup still holds them.
_AROUND = {**dict.fromkeys(_BLOCKS, "\x1e"), "p": "\x1d", "br": "\n", "td": " ", "th": " "}
_GAP = re.compile("[\x1e ]*\x1d[\x1d\x1e ]*")
_LINE = re.compile("[\x1e ]*\x1e[\x1e ]*")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>?")
# Words of markup that people do not type as text: escaped twice, it is reduced twice.
_KNOWN = (
    r"/?(?:a|abbr|b|blockquote|body|br|center|code|div|em|embed|font|form|frame|h[1-6]|head|hr|html|i|iframe|img|input"
    r"|li|link|meta|object|ol|p|pre|script|small|span|strong|style|sub|sup|svg|table|tbody|td|th|tr|u|ul|video)"
)
_MARKUP = re.compile(rf"<{_KNOWN}(?:\s[^<>]*)?/?>", re.IGNORECASE)
_NOT_MARKUP = re.compile(rf"<(?!{_KNOWN}\b)", re.IGNORECASE)
_OPENS = re.compile(r"<(?=[a-zA-Z/!?])")
_BLANKS = re.compile(r"[^\S\n]+")
_AROUND_LINE_END = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")
_ANY_BLANKS = re.compile(r"\s+")
_SCRIPT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
# The parser takes the square of the depth (10,000 levels: 0.5 s) and holds the interpreter meanwhile.
_DEEPEST = 500
_LONGEST_TAG = 20_000
# Further rounds for what was escaped more than once.
_ROUNDS = 2


def html_text(markup: str) -> str:
    """The text of `markup`: block elements on lines of their own, entities resolved, links by their words.

    Text without markup keeps its lines. A "<" that would begin a tag if somebody parsed the text again is
    written as the quotation mark that looks like it, so a text about <script> stays readable and harmless.
    """
    text = markup
    if "<" not in text and "&" not in text:
        return _tidy(text)
    text = _reduced(text)
    for _ in range(_ROUNDS):
        if not _MARKUP.search(text):
            break
        text = _reduced(_NOT_MARKUP.sub("&lt;", text))
    return _tidy(_OPENS.sub("‹", text))


def line_of(markup: str) -> str:
    """`html_text` on one line: for titles and names."""
    return _ANY_BLANKS.sub(" ", html_text(markup)).strip()


def _reduced(markup: str) -> str:
    if not _TAG.search(markup) and "<!" not in markup and "<?" not in markup:
        return html.unescape(markup)
    if _is_too_deep(markup):
        return html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", markup)))
    body = LexborHTMLParser(markup).body
    return "" if body is None else _walked(body)


def _is_too_deep(markup: str) -> bool:
    depth = deepest = 0
    for match in _TAG.finditer(markup):
        if match.end() - match.start() > _LONGEST_TAG:
            return True
        if match[1]:
            depth = max(0, depth - 1)
        elif match[2].lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest > _DEEPEST


def _walked(body: LexborNode) -> str:
    parts: list[str] = []
    # Nodes still to visit, and text to write when their element ends: recursion would end at 1,000 levels.
    waiting: list[LexborNode | str] = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        tag = node.tag or ""
        if tag == "-text":
            parts.append(_ANY_BLANKS.sub(" ", node.text_content or ""))
            continue
        if tag.startswith("-") or tag in _DROPPED:
            continue
        if around := _AROUND.get(tag):
            parts.append(around)
            if tag != "br":
                waiting.append(around)
        children = []
        child = node.first_child
        while child is not None:
            children.append(child)
            child = child.next
        waiting.extend(reversed(children))
    return _LINE.sub("\n", _GAP.sub("\n\n", "".join(parts)))


def _tidy(text: str) -> str:
    text = _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _EMPTY_LINES.sub("\n\n", _AROUND_LINE_END.sub("\n", text)).strip()
