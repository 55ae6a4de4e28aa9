"""What customers and accounts of ours say to each other: sentences from words/desk.toml, filled in."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

ANSWER, MORE = "answer", "more"
CONTENT, UNSURE, ANGRY, WAITING, LONGER = "content", "unsure", "angry", "waiting", "longer"
EDIT = "edit"
OF_OURS = {ANSWER, MORE}


def said(language: str, tone: str, drawn: int, *, brand: str = "", name: str = "") -> str:
    """One of the sentences of a tone, picked by `drawn` (16 bits)."""
    sentences = _words()[language][tone]
    sentence: str = sentences[drawn * len(sentences) >> 16]
    return sentence.replace("{brand}", brand).replace("{name}", name)


def published(sector: str, drawn: int, *, brand: str, product: str, city: str) -> str:
    """What an account of a brand in that sector publishes of its own accord."""
    sentences = _words()["posts"][sector]
    sentence: str = sentences[drawn * len(sentences) >> 16]
    return sentence.replace("{brand}", brand).replace("{product}", product).replace("{city}", city)


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("ingest.simulation").joinpath("words", "desk.toml").read_text("utf-8"))
