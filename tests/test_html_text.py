"""Markup reduced to text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from ingest.html_text import html_text, line_of


def elements(text: str) -> list[str]:
    """The names of the elements that a browser would make of `text`, beside html, head and body."""
    names = [node.tag or "" for node in LexborHTMLParser(text).css("*")]
    return [name for name in names if name not in ("html", "head", "body")]


def test_blocks_stand_on_lines_of_their_own() -> None:
    markup = "<h1>Late</h1><p>Flight <b>17</b> is&nbsp;late.</p><ul><li>one<li>two</ul>and<br>so on"

    assert html_text(markup) == "Late\n\nFlight 17 is late.\n\none\ntwo\nand\nso on"


def test_a_link_is_kept_by_its_words() -> None:
    assert html_text('see <a href="javascript:alert(1)">our page</a> now') == "see our page now"


def test_what_runs_or_is_no_text_is_dropped() -> None:
    markup = "<script>alert(1)</script><style>p{}</style><svg><script>x</script></svg><iframe>y</iframe>"

    assert html_text(f"a{markup}<template>t</template>b") == "ab"


def test_text_without_markup_keeps_its_lines_and_its_signs() -> None:
    assert html_text("1 < 2 and 3 > 2\nnext line <3") == "1 < 2 and 3 > 2\nnext line <3"


def test_entities_are_resolved() -> None:
    assert html_text("Fish &amp; chips &#8364;5 &eacute;") == "Fish & chips €5 é"


def test_markup_that_was_escaped_twice_is_reduced_twice() -> None:
    assert html_text("&lt;p&gt;Hello &lt;b&gt;you&lt;/b&gt;&lt;/p&gt;") == "Hello you"


def test_a_word_in_angle_brackets_that_is_no_markup_stays_readable() -> None:
    assert html_text("I love &lt;Meridian&gt; &amp; co") == "I love ‹Meridian> & co"


def test_a_title_stands_on_one_line() -> None:
    assert line_of("<p>one</p>\n<p>two</p>") == "one two"


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 50_000,
        "<a " * 50_000,
        "<" * 50_000,
        "<b><i>" * 20_000,
        "<script " * 20_000,
        "<x " + "a " * 20_000 + ">",
        "&a" * 50_000,
    ],
    ids=["deep", "unclosed tags", "signs", "formatting", "scripts", "attributes", "entities"],
)
def test_hostile_markup_takes_no_more_than_a_moment(markup: str) -> None:
    start = time.process_time()
    html_text(markup)

    # Parsed as it stands, 50,000 levels take twelve seconds.
    assert time.process_time() - start < 3


PIECES = st.sampled_from(
    [
        *(
            "<script>",
            "</script>",
            "&lt;script&gt;",
            "&amp;lt;script&amp;gt;",
            "<img src=x onerror=alert(1)>",
            "<",
            ">",
            "&lt;",
            "<!--",
        ),
        *(
            "-->",
            "<![CDATA[",
            "]]>",
            "<p",
            "<svg/onload=x>",
            "<p>",
            "</p>",
            "&#60;",
            "&#x3c;b&#x3e;",
            '"',
            "a",
            " ",
            "\n",
            "<plaintext>",
        ),
        *("<textarea>", "<title>", "<math>", "<noscript>", "<xmp>", "<?php", "é", "\x00", "<iframe srcdoc='<b>'>"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_text_becomes_an_element_when_it_is_parsed_again(markup: str) -> None:
    assert elements(html_text(markup)) == []
