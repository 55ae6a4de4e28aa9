"""In which language a post is: the network's own word first, else py3langid among the configured languages.

What is no language (links, @handles, numbers, smileys) is taken out before. The script decides what it can: a text in
Arabic letters is in a configured language that is written so, and unknown where there is none. What is left is judged
by the model of py3langid among the candidates. Too few letters, or an even race, is unknown (None), never a guess.
"""

from __future__ import annotations

import html
import math
import re
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from py3langid import langid

NETWORK = "network"
LATIN = "latin"
DETECTOR = f"py3langid-{version('py3langid')}"

# Of labelled posts cut down to their first words, those judged with less confidence than this were right in one case
# of two, those just above in three of four.
LEAST_CONFIDENCE = 0.4
FEWEST_LETTERS = 4
# Eighty characters tell the language as well as all of them (99 % of 4,350 posts), and the time grows with each.
LONGEST_SAMPLE = 80

# Codes that a network says when it has no opinion: undetermined, no language, only tags, only media and the like.
_NO_LANGUAGE = frozenset(("und", "zxx", "mul", "mis", "art", "qam", "qct", "qht", "qme", "qst"))
_OLD_CODES = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro"}
_CODE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
_LONGEST_CODE = 16

# Each alternative begins with a plain character, which lets the search skip to it: three times as fast as the rest.
_NO_WORDS = re.compile(r"http\S*|www\.\S+|@[\w.]+|RT\b|#")
_ENOUGH_LATIN = re.compile(rf"(?:[^A-Za-z]*[A-Za-z]){{{FEWEST_LETTERS}}}")

# First code point of each run of a script, and the languages among those we can tell that are written in it.
_SCRIPTS: tuple[tuple[int, str], ...] = (
    (0x0000, "latin"), (0x0370, "greek"), (0x0400, "cyrillic"), (0x0530, "armenian"), (0x0590, "hebrew"),
    (0x0600, "arabic"), (0x0780, "other"), (0x0900, "devanagari"), (0x0980, "bengali"), (0x0A00, "gurmukhi"),
    (0x0A80, "gujarati"), (0x0B00, "odia"), (0x0B80, "tamil"), (0x0C00, "telugu"), (0x0C80, "kannada"),
    (0x0D00, "malayalam"), (0x0D80, "sinhala"), (0x0E00, "thai"), (0x0E80, "lao"), (0x0F00, "tibetan"),
    (0x1000, "myanmar"), (0x10A0, "georgian"), (0x1100, "hangul"), (0x1200, "ethiopic"), (0x13A0, "other"),
    (0x1780, "khmer"), (0x1800, "other"), (0x1C80, "cyrillic"), (0x1C90, "georgian"), (0x1CC0, "other"),
    (0x1E00, "latin"), (0x1F00, "greek"), (0x2000, "latin"), (0x2DE0, "cyrillic"), (0x2E00, "han"), (0x3040, "kana"),
    (0x3100, "han"), (0x3130, "hangul"), (0x3190, "han"), (0x31F0, "kana"), (0x3200, "han"), (0xA000, "other"),
    (0xA640, "cyrillic"), (0xA6A0, "other"), (0xA720, "latin"), (0xA800, "other"), (0xAC00, "hangul"),
    (0xD800, "other"), (0xF900, "han"), (0xFB00, "latin"), (0xFB13, "armenian"), (0xFB1D, "hebrew"),
    (0xFB50, "arabic"), (0xFE00, "other"), (0xFE70, "arabic"), (0xFF00, "latin"), (0xFF66, "kana"),
    (0xFFA0, "hangul"), (0x10000, "other"), (0x1D400, "latin"), (0x1D800, "other"), (0x20000, "han"),
    (0x40000, "other"),
)  # fmt: skip
_STARTS = tuple(start for start, _ in _SCRIPTS)
_WRITTEN_IN: dict[str, frozenset[str]] = {
    "arabic": frozenset(("ar", "ary", "arz", "fa", "ps", "sdh", "ug", "ur", "uzs")),
    "armenian": frozenset(("hy",)),
    "bengali": frozenset(("as", "bn")),
    "cyrillic": frozenset(("ba", "be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk")),
    "devanagari": frozenset(("gom", "hi", "mr", "ne", "sa")),
    "ethiopic": frozenset(("am",)),
    "georgian": frozenset(("ka",)),
    "greek": frozenset(("el", "grc")),
    "gujarati": frozenset(("gu",)),
    "gurmukhi": frozenset(("pa",)),
    "han": frozenset(("ja", "wuu", "yue", "zh")),
    "hangul": frozenset(("ko",)),
    "hebrew": frozenset(("hbo", "he")),
    "kana": frozenset(("ja",)),
    "kannada": frozenset(("kn",)),
    "khmer": frozenset(("km",)),
    "lao": frozenset(("lo",)),
    "malayalam": frozenset(("ml",)),
    "myanmar": frozenset(("my",)),
    "odia": frozenset(("or",)),
    "sinhala": frozenset(("si",)),
    "tamil": frozenset(("ta",)),
    "telugu": frozenset(("te",)),
    "thai": frozenset(("th",)),
    "tibetan": frozenset(("dz",)),
}
_ALSO_LATIN = frozenset(("sr",))
_NEVER_LATIN = frozenset[str]().union(*_WRITTEN_IN.values()) - _ALSO_LATIN


class Detected(NamedTuple):
    """A language (BCP 47, lower case) or None for unknown, and who said so."""

    language: str | None
    by: str


def detect(text: str, hint: str | None, configured: Sequence[str]) -> Detected:
    """The language of a post: `hint` where the network gave a usable one, else the best of `configured`.

    `configured` are codes of `known_languages`, which settings check.
    """
    said = _as_code(hint)
    if said is not None:
        return Detected(said, NETWORK)
    return Detected(_judged(text, tuple(configured)), DETECTOR)


def known_languages() -> frozenset[str]:
    """The two- and three-letter codes that can be configured."""
    with _loading:
        return frozenset(_model().labels) - _NO_LANGUAGE


def _as_code(hint: str | None) -> str | None:
    if not hint:
        return None
    code = hint.strip().lower().replace("_", "-")
    if len(code) > _LONGEST_CODE or not _CODE.fullmatch(code):
        return None
    primary, _, rest = code.partition("-")
    if primary in _NO_LANGUAGE:
        return None
    primary = _OLD_CODES.get(primary, primary)
    return f"{primary}-{rest}" if rest else primary


def _judged(text: str, configured: tuple[str, ...]) -> str | None:
    words = _NO_WORDS.sub(" ", html.unescape(text) if "&" in text else text)[:LONGEST_SAMPLE]
    candidates = _candidates(words, configured)
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    return _model_of(candidates).judged(words)


def _candidates(words: str, configured: tuple[str, ...]) -> tuple[str, ...]:
    """The configured languages that are written in the script of the text; none where its letters are too few."""
    if words.isascii():
        return _of_script(LATIN, configured) if _ENOUGH_LATIN.match(words) else ()
    scripts = Counter(_script(character) for character in words if character.isalpha())
    if not scripts:
        return ()
    # Brands and tags are written in Latin letters everywhere; a quarter of others tells more than they do.
    others = Counter({script: count for script, count in scripts.items() if script != LATIN})
    script = others.most_common(1)[0][0] if others.total() * 4 >= scripts.total() else LATIN
    # Two ideographs are a word; kana among ideographs makes them Japanese.
    fewest = 2 if script in ("han", "kana", "hangul") else FEWEST_LETTERS
    if script == "han" and scripts["kana"]:
        script = "kana"
    return _of_script(script, configured) if scripts[script] >= fewest else ()


@cache
def _script(character: str) -> str:
    return _SCRIPTS[bisect_right(_STARTS, ord(character)) - 1][1]


@cache
def _of_script(script: str, configured: tuple[str, ...]) -> tuple[str, ...]:
    if script == LATIN:
        return tuple(sorted(set(configured) - _NEVER_LATIN))
    return tuple(sorted(set(configured) & _WRITTEN_IN.get(script, frozenset())))


_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Model:
    """The model cut down to some candidates: a weight per feature and candidate, and the automaton of its features."""

    candidates: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    base: npt.NDArray[np.float32]
    next_state: Sequence[int]
    row_of_state: Sequence[int]
    feature_of_state: Sequence[int]
    encoded: Callable[[str], bytes]

    def judged(self, words: str) -> str | None:
        """The likeliest candidate, or None where it is not likely enough.

        Scores and probabilities are those of `LanguageIdentifier.classify` with `norm_probs`. For a hundred bytes and
        a few languages half of its time goes into setting up arrays and a Counter, which is why it is done here.
        """
        encoded = self.encoded(words)
        visits = self._visits(encoded)
        if not visits:
            return None
        features = np.fromiter(visits, dtype=np.intp, count=len(visits))
        counts = np.fromiter(visits.values(), dtype=np.float32, count=len(visits))
        scores = (np.log1p(counts) @ self.weights.take(features, axis=0) + self.base).tolist()
        best = max(scores)
        spread = math.sqrt(len(encoded))
        confidence = 1.0 / sum([math.exp((score - best) / spread) for score in scores])
        return self.candidates[scores.index(best)] if confidence >= LEAST_CONFIDENCE else None

    def _visits(self, encoded: bytes) -> dict[int, int]:
        """How often each feature of the model stands in the bytes."""
        next_state, row_of_state, feature_of_state = self.next_state, self.row_of_state, self.feature_of_state
        visits: dict[int, int] = {}
        state = 0
        for byte in encoded:
            state = next_state[row_of_state[state] + byte]
            feature = feature_of_state[state]
            if feature >= 0:
                visits[feature] = visits.get(feature, 0) + 1
        return visits


@cache
def _model_of(candidates: tuple[str, ...]) -> _Model:
    with _loading:
        whole = _model()
        columns = [whole.nb_classes.index(language) for language in candidates]
        return _Model(
            candidates,
            np.ascontiguousarray(whole.nb_ptc[:, columns], dtype=np.float32),
            np.asarray(whole.nb_pc[columns], dtype=np.float32),
            whole.tk_nextmove,
            whole._rowbase,
            whole.tk_output,
            whole._encode,
        )


@cache
def _model() -> langid.LanguageIdentifier:
    """All languages; takes a second to load and 80 MB to keep."""
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
