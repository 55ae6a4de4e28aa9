"""Commands about the audit log: is it whole, what proves it, a copy that others can check."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from models import audit, settings
from models.audit_check import Known, Verdict, verify
from models.audit_export import json_lines
from models.audit_heads import FOLDER, Head, Outside, read_heads, sign_now, stored_heads
from models.audit_reading import Wanted
from models.errors import InputError
from models.start import existing_database
from models.terminal import age, counted, now, out

app = typer.Typer(no_args_is_help=True, help="Who changed what: is the log whole, and what proves it.")
ACTOR = "command line"


@app.callback()
def of_audit() -> None:
    """Who changed what: is the log whole, and what proves it."""


@app.command("verify", epilog="Example: watchfloor audit verify --heads /mnt/auditor/heads-2026.jsonl")
def verify_command(
    heads: Annotated[
        list[Path] | None, typer.Option(help="Signed heads that were kept elsewhere, beside those in home.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Public key that may sign heads; the one in home without it.")
    ] = None,
) -> None:
    """Read every link of the audit log and every signed head, and say the first thing that is not as it was written."""
    loaded = settings.load()
    outside = Outside(loaded.home)
    given = [head for path in heads or () for head in read_heads(path)]
    known = Known((*outside.heads(), *given), frozenset(_keys(outside, key)))
    with existing_database(loaded).read() as connection:
        verdict = verify(connection, known, now=now())
    for line in said(verdict, known):
        out.print(escape(line))
    if verdict.fault is not None:
        raise InputError(f"the audit log is not whole: {verdict.fault.words}")
    out.print("The audit log is whole.")


@app.command("head", epilog="Example: watchfloor audit head --sign")
def head_command(
    sign: Annotated[bool, typer.Option("--sign", help="Sign the newest link now and append it to the file.")] = False,
) -> None:
    """Print the public key and the newest signed head: keep them where nobody of this installation can write."""
    loaded = settings.load()
    outside = Outside(loaded.home)
    with existing_database(loaded).read() as connection:
        head: Head | None = sign_now(connection, outside, now=now()) if sign else None
        if head is None:
            head = next(reversed(stored_heads(connection)), None)
    public = outside.public_key()
    out.print(f"public key  {public}" if public else "public key  none yet; the first head makes one")
    if head is None:
        out.print("head        none signed yet: each day is signed after it ended (UTC), and now with --sign")
        return
    out.print(f"head        row {head.number:,}, {head.hash}")
    out.print(f"signed      {head.signed_at:%Y-%m-%d %H:%M:%S} UTC for {head.day}")
    out.print(f"signature   {head.signature}")
    out.print(f"kept in     {escape(str(outside.folder))}")


@app.command("export", epilog="Example: watchfloor audit export audit-2026-11.jsonl")
def export_command(file: Path) -> None:
    """Write the whole log with its links and signed heads as JSON Lines, newest first; the export is a row of it."""
    database, instant = existing_database(settings.load()), now()
    try:
        # Exclusive: an export is evidence, and none is written over another.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(f"{file} is there already; name another file") from error
    rows = 0
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        with database.read() as connection:
            for line in json_lines(connection, Wanted(), most=None, now=instant):
                target.write(line)
                rows += line.startswith('{"kind":"row"')
        with database.write() as connection:
            details: dict[str, Any] = {"rows": rows, "format": "jsonl"}
            subject = f"audit log, {counted(rows, 'row')}"
            audit.record(connection, at=instant, action="audit.exported", subject=subject, actor=ACTOR, details=details)
    out.print(f"Exported {counted(rows, 'row')} to {escape(str(file))}.")


def said(verdict: Verdict, known: Known) -> tuple[str, ...]:
    """A verdict in lines: how far the chain was read, what the heads say, what is not linked yet."""
    end = "" if verdict.last_at is None else f"; the newest was linked {verdict.last_at:%Y-%m-%d %H:%M:%S} UTC"
    lines = [f"{counted(verdict.rows, 'link')} of the chain hold{'s' if verdict.rows == 1 else ''}{end}."]
    if not verdict.heads:
        lines.append(f"No signed head to compare with: a tail that was cut off would not show. See `{FOLDER}` in home.")
    else:
        judged = "their signatures too" if known.keys else "signatures were not judged: no key is known"
        lines.append(f"Compared with {counted(verdict.heads, 'head')} that {_was(verdict.heads)} noted; {judged}.")
    lines += [f"Note: {note}." for note in verdict.notes]
    waiting = verdict.unchained
    if waiting.rows and waiting.oldest_at is not None:
        old = age(max(0.0, (now() - waiting.oldest_at).total_seconds()))
        lines.append(f"{waiting.words}, the oldest for {old}; they are linked while ingest runs.")
    return tuple(lines)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _keys(outside: Outside, given: list[str] | None) -> list[str]:
    if given:
        for key in given:
            if len(key) != 64 or not set(key.lower()) <= set("0123456789abcdef"):
                raise InputError(
                    f'--key "{key[:80]}": is no public key; write the 64 digits of `watchfloor audit head`'
                )
        return [key.lower() for key in given]
    own = outside.public_key()
    return [] if own is None else [own]
