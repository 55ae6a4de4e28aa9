"""The after-action report as a PDF: text that can be searched, the curve as vectors, A4."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.graphics.shapes import Drawing, Line, Polygon, PolyLine, String
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import HRFlowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from dashboard import style
from dashboard.incident_report_curve import Place, shapes
from dashboard.incident_report_words import Told, day, net, percent, told
from models.incident_report import Report

INK, SOFT, QUIET, RULE = "#121924", "#434E5E", "#5D6979", "#D5DBE3"
BAND, EXCESS, NEGATIVE, POSITIVE = "#E8ECF2", "#F3D9DA", "#A84A06", "#1563B0"
WIDTH = A4[0] - 36 * mm
# Fonts of the system that know more letters than those that come along, the first that is there.
FONTS = (
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
    ("/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf", "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf"),
    ("/usr/share/fonts/TTF/DejaVuSans.ttf", "/usr/share/fonts/TTF/DejaVuSans-Bold.ttf"),
    ("Vera.ttf", "VeraBd.ttf"),
)
PLAIN, BOLD = "Watchfloor", "Watchfloor-Bold"
MISSING = "\N{WHITE SQUARE}"
# The library keeps its fonts for the whole process.
_lock = threading.Lock()


def pdf(report: Report, zone: str, organisation: str) -> bytes:
    """The file. What the font has no letter for is shown as a square; the page in the browser has it."""
    with _lock:
        letters = _fonts()
        said, file = told(report, zone), BytesIO()
        document = SimpleDocTemplate(
            file,
            pagesize=A4,
            leftMargin=18 * mm,
            rightMargin=18 * mm,
            topMargin=14 * mm,
            bottomMargin=16 * mm,
            title=_safe(said.title, letters),
            author=_safe(organisation, letters),
            subject=_safe(said.name, letters),
            lang="en",
        )
        foot = _safe(f"Watchfloor, {organisation}. Internal. Customers are not named.", letters)

        def footer(canvas: Any, _document: Any) -> None:
            canvas.saveState()
            canvas.setFont(PLAIN, 8)
            canvas.setFillColor(HexColor(QUIET))
            canvas.drawString(18 * mm, 9 * mm, foot)
            canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, f"Page {canvas.getPageNumber()}")
            canvas.restoreState()

        document.build(_story(report, said, zone, letters), onFirstPage=footer, onLaterPages=footer)
        return file.getvalue()


def _story(report: Report, said: Told, zone: str, letters: frozenset[int]) -> list[Any]:
    def text(words: str, *, size: float = 9, colour: str = INK, font: str = PLAIN, right: bool = False) -> Paragraph:
        look = ParagraphStyle("text", fontName=font, fontSize=size, leading=size * 1.4, textColor=HexColor(colour))
        if right:
            look.alignment = TA_RIGHT
        return Paragraph(escape(_safe(words, letters)).replace("\n", "<br/>"), look)

    def part(title: str, sub: str, *inner: Any) -> KeepTogether:
        head = f'<font name="{BOLD}">{escape(title)}</font>'
        head += f'  <font size="8" color="{QUIET}">{escape(_safe(sub, letters))}</font>' if sub else ""
        look = ParagraphStyle("head", fontName=BOLD, fontSize=10.5, leading=15, spaceBefore=9, spaceAfter=3)
        first, *rest = inner or (text("Nobody has written this yet.", colour=QUIET),)
        return KeepTogether([Paragraph(head, look), first, *rest])

    def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[float], width: float) -> Table:
        drawn = [[text(head, size=8, colour=QUIET) for head in heads]] if heads else []
        drawn += [[cell if isinstance(cell, Paragraph) else text(str(cell)) for cell in row] for row in rows]
        if not drawn:
            drawn = [[text("None.", colour=QUIET), *[""] * (len(widths) - 1)]]
        made = Table(drawn, colWidths=[share * width for share in widths], repeatRows=1 if heads else 0)
        rule = ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(RULE))
        pad = [("LEFTPADDING", (0, 0), (0, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 2)]
        made.setStyle(
            TableStyle([rule, *pad, ("BOTTOMPADDING", (0, 0), (-1, -1), 3), ("VALIGN", (0, 0), (-1, -1), "TOP")])
        )
        return made

    def lines(items: Sequence[str], mark: str) -> list[Any]:
        return [text(f"{mark} {item}") for item in items]

    cells = [
        [text(cell.value, size=14, font=BOLD, colour=_tone(cell.tone)), text(cell.words, size=7.5, colour=QUIET)]
        for cell in said.cells
    ]
    narratives = []
    for one in sorted(report.figures.narratives, key=lambda one: -one.texts):
        words, tone = net(one.net)
        narratives.append((one.term, percent(one.share), text(words, colour=_tone(tone), right=True)))
    changes = [
        (one.text, one.owner, "done" if one.done else day(one.due) or "no day set") for one in report.words.changes
    ]
    signs = [[text(name, font=BOLD), text(how, size=8, colour=QUIET)] for name, how in said.signatures]
    per = style.step_words(report.figures.curve.step_seconds)
    return [
        text(said.title, size=16, font=BOLD),
        Spacer(1, 4),
        text(f"{said.name} · {said.when} · {said.severity} · {said.version}", colour=SOFT),
        HRFlowable(width="100%", thickness=1.4, color=HexColor(INK), spaceBefore=6, spaceAfter=6),
        Table([cells], colWidths=[WIDTH / len(cells)] * len(cells), style=[("LEFTPADDING", (0, 0), (-1, -1), 0)]),
        part("What happened", "", *([text(said.happened)] if said.happened else [])),
        part("Curve", f"mentions per {per}, frozen scope; band = expected range", _drawing(report, zone, letters)),
        part(
            "Timeline",
            said.timeline_sub,
            table((), [(row.clock, row.text, row.who) for row in said.timeline], (0.13, 0.62, 0.25), WIDTH),
        ),
        part(
            "Narratives",
            said.narratives_sub,
            table(("What was said", "Share", "Net"), narratives, (0.6, 0.2, 0.2), WIDTH),
        ),
        part("When, and how much", "", table((), said.facts, (0.3, 0.7), WIDTH)),
        part("Who did what", "", table(("Who", "As", "Did"), said.people, (0.35, 0.25, 0.4), WIDTH)),
        part("Went well", "", *lines(report.words.well, "+")),
        part("Went badly", "", *lines(report.words.badly, style.MINUS)),
        part(
            "What changes",
            "",
            *([table(("Action", "Owner", "Due"), changes, (0.6, 0.25, 0.15), WIDTH)] if changes else []),
        ),
        part("What we said", "", table((), [(a, b, c) for a, b, c in said.statements], (0.07, 0.6, 0.33), WIDTH)),
        part("How these figures were made", "", text(said.made, colour=SOFT)),
        Spacer(1, 16),
        Table([signs], colWidths=[WIDTH / max(len(signs), 1)] * max(len(signs), 1), style=_SIGNED)
        if signs
        else Spacer(1, 1),
    ]


_SIGNED = [("LINEABOVE", (0, 0), (-1, 0), 0.8, HexColor(INK)), ("LEFTPADDING", (0, 0), (-1, -1), 0)]


def _drawing(report: Report, zone: str, letters: frozenset[int]) -> Drawing:
    shown = shapes(report, zone, width=WIDTH, height=150)
    drawn = Drawing(shown.width, shown.height)

    def flat(places: Iterable[Place]) -> list[float]:
        return [value for x, y in places for value in (x, shown.height - y)]

    def label(x: float, y: float, words: str, *, anchor: str = "start", colour: str = QUIET) -> String:
        return String(
            x, shown.height - y, _safe(words, letters), fontName=PLAIN, fontSize=7.5,
            fillColor=HexColor(colour), textAnchor=anchor,
        )  # fmt: skip

    for run in shown.band:
        drawn.add(Polygon(flat(run), fillColor=HexColor(BAND), strokeColor=None))
    for y, words in shown.grid:
        at = shown.height - y
        drawn.add(Line(36, at, shown.width - 8, at, strokeColor=HexColor(RULE), strokeWidth=0.5))
        drawn.add(label(31, y + 2.5, words, anchor="end"))
    for run in shown.excess:
        drawn.add(Polygon(flat(run), fillColor=HexColor(EXCESS), strokeColor=None))
    for run in shown.middle:
        drawn.add(PolyLine(flat(run), strokeColor=HexColor(QUIET), strokeWidth=0.7, strokeDashArray=[3, 3]))
    for x, words in shown.marks:
        rule = Line(x, 18, x, shown.height - 14, strokeColor=HexColor(QUIET), strokeWidth=0.5, strokeDashArray=[2, 2])
        drawn.add(rule)
        late = x > shown.width * 0.75
        drawn.add(label(x - 4 if late else x + 4, 20, words, anchor="end" if late else "start", colour=SOFT))
    drawn.add(PolyLine(flat(shown.line), strokeColor=HexColor(INK), strokeWidth=1.2))
    for x, words in shown.ticks:
        drawn.add(label(x, shown.height - 4, words, anchor="middle"))
    return drawn


def _tone(tone: str) -> str:
    return {"pos": POSITIVE, "neg": NEGATIVE}.get(tone, INK)


@cache
def _fonts() -> frozenset[int]:
    """Register the first fonts that are there; the letters that they have."""
    for plain, bold in FONTS:
        if plain.startswith("/") and not (Path(plain).is_file() and Path(bold).is_file()):
            continue
        try:
            fonts = TTFont(PLAIN, plain), TTFont(BOLD, bold)
        except (TTFError, OSError):
            continue
        for font in fonts:
            pdfmetrics.registerFont(font)
        pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
        return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))
    raise RuntimeError("reportlab came without its own font; install it anew")


def _safe(words: str, letters: frozenset[int]) -> str:
    if all(ord(letter) in letters or letter == "\n" for letter in words):
        return words
    return "".join(letter if ord(letter) in letters or letter == "\n" else MISSING for letter in words)
