"""What the state of a source is called, what is the matter with it in a sentence, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard import style
from models.source_kinds import BY_KIND
from models.sources import Health, Setup

# condition -> (mark, word, tone). Shape and word carry the meaning: warn is yellow text, late a filled yellow chip.
CHIPS: dict[str, tuple[str, str, str]] = {
    "live": ("●", "Live", "acc"),
    "slow": ("◔", "Slow", "warn"),
    "stale": ("○", "Stale", "late"),
    "waiting": ("…", "Not fetched yet", ""),
    "paused": ("‖", "Paused", ""),
    "disconnected": ("✕", "Disconnected", "late"),
    "limited": ("◔", "Rate limited", "warn"),
    "passing": ("◔", "Passing fault", "warn"),
    "unknown": ("✕", "Unknown fault", "late"),
    "spent": ("○", "Budget spent", "late"),
    "deaf": ("○", "Deaf", "late"),
    "gone": ("✕", "Gone", "late"),
    "done": ("✓", "Read to its end", ""),
}
# Those in which nothing gets better until a person does something.
NEEDS = frozenset({"stale", "disconnected", "unknown", "spent", "deaf", "gone"})
# A worker takes what is due within a second; a source that nobody took for this long has no worker.
UNTAKEN = timedelta(seconds=30)

Way = dict[str, str]
"""What a link does: `do` = fetch, resume, pause or edit, and its `label`."""

FETCH: Way = {"do": "fetch", "label": "Fetch now"}
AGAIN: Way = {"do": "resume", "label": "Start again"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A sentence or two, the ways out, and how it looks: "" (told, nothing to do), warn."""

    words: str
    ways: tuple[Way, ...] = ()
    tone: str = "warn"


def is_untaken(item: Health, setup: Setup, now: datetime) -> bool:
    """Whether the source is long due and no worker took it: then none is running."""
    return item.state == "active" and not setup.is_running and now - setup.due_at > UNTAKEN


def trouble(item: Health, setup: Setup, now: datetime, zone: ZoneInfo) -> Trouble | None:
    """What is the matter and what to do; None for a source that is well."""
    at = "" if item.last_error_at is None else f" at {clock(item.last_error_at, now, zone)}"
    said = _sentence(item.last_error or "")
    again = f"It is asked again by itself at {clock(setup.due_at, now, zone)}."
    condition = item.condition
    if condition == "paused":
        return Trouble(_paused(item, now, zone), (AGAIN,), tone="")
    if condition == "spent":
        resets = _next_month(now)
        words = f"The budget of {money(item.budget or 0)} a month is spent. It listens again on {resets:%-d %B}."
        return Trouble(words, _edit(item, "Raise the budget"))
    if condition == "disconnected":
        words = f"The network refused the credentials{at}: {said}" if item.error_kind == "dead_token" else said
        return Trouble(words or "It was disconnected.", (*_edit(item, "Enter new credentials"), AGAIN))
    if condition == "gone":
        return Trouble(f"Gone for good{at}: {said}", (*_edit(item, "Give the new address"), AGAIN))
    if condition == "limited":
        words = f"The network's limit is reached{at}: {said} {again} Nothing to do."
        return Trouble(words, _edit(item, "Ask less often"), tone="")
    if condition == "passing":
        return Trouble(f"Failed{at}: {said} {again}", (FETCH,), tone="")
    if condition == "unknown":
        return Trouble(
            f"Failed{at} for a reason nobody foresaw: {said} {again}", (FETCH, *_edit(item, "Look at its settings"))
        )
    if is_untaken(item, setup, now):
        words = f"It was due at {clock(setup.due_at, now, zone)} and no worker took it. Is “watchfloor ingest” running?"
        return Trouble(words)
    if condition == "deaf":
        words = "It answers, but a query that always finds something found nothing: quiet here may be deaf."
        return Trouble(words, (FETCH, *_edit(item, "Look at its settings")))
    if condition in ("slow", "stale") and setup.due_at - now > timedelta(seconds=1.5 * item.every_seconds):
        waits = clock(setup.due_at, now, zone)
        return Trouble(f"It rests until {waits}: quiet hours, or its budget has to last the month.", (FETCH,))
    if condition in ("slow", "stale"):
        return Trouble(
            "Fetches come later than they should. It waits for its turn, or for a limit it shares.", (FETCH,)
        )
    return None


def cadence(seconds: float) -> str:
    """How often it is asked: every 15 s, every 5 min, once a day."""
    if seconds >= 86_400:
        return "once a day" if seconds < 172_800 else f"every {seconds / 86_400:.0f} days"
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= size:
            count = seconds / size
            return f"every {count:.0f} {unit}" if count == int(count) else f"every {count:.1f} {unit}"
    return f"every {seconds:g} s"


def normal(item: Health) -> str:
    """The arithmetic of the source's normal."""
    p95 = max(item.normal_seconds - item.every_seconds, 0.0)
    return f"normal {_length(item.normal_seconds)} = {_length(item.every_seconds)} poll + {p95:.1f} s p95 fetch"


def clock(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant as briefly as it is clear: 14:03 today, else with its day."""
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%-d %b %H:%M}"


def money(dollars: float) -> str:
    """$0.17, $49.02, $1,304."""
    return f"${dollars:,.2f}" if dollars < 1_000 and dollars != int(dollars) else f"${dollars:,.0f}"


def _edit(item: Health, label: str) -> tuple[Way, ...]:
    """The way to the form, for kinds that have one."""
    return ({"do": "edit", "label": label},) if item.kind in BY_KIND else ()


def _paused(item: Health, now: datetime, zone: ZoneInfo) -> str:
    by = f" by {item.paused_by}" if item.paused_by else ""
    at = f" {clock(item.paused_at, now, zone)}" if item.paused_at else ""
    because = f": “{item.paused_because}”" if item.paused_because else ""
    return f"Paused{by}{at}{because}."


def _next_month(now: datetime) -> datetime:
    return (now.replace(day=1) + timedelta(days=32)).replace(day=1)


def _length(seconds: float) -> str:
    return style.span_words(seconds).replace(".0 s", " s")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."
