"""What went wrong, as a sentence for the person at the terminal."""

from __future__ import annotations

from models.errors import WatchfloorError


def explained(error: BaseException) -> str | None:
    """The sentence for an error that is no fault of the program; None for one that is, which deserves its traceback."""
    if isinstance(error, WatchfloorError):
        return str(error)
    if isinstance(error, OSError):
        reason = error.strerror or str(error) or type(error).__name__
        return f"{error.filename}: {reason}" if error.filename is not None else reason
    # Here and not above: what needs no database does not wait half a second for SQLAlchemy.
    from sqlalchemy.exc import DBAPIError, TimeoutError

    if isinstance(error, DBAPIError):
        return _of_database(str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given")
    if isinstance(error, TimeoutError):
        return "the database does not answer: every connection is in use; try again"
    return None


def _of_database(reason: str) -> str:
    low = reason.lower()
    if "is locked" in low:
        return "the database is busy: another process has been writing to it for 30 s; try again, or stop that one"
    if "is full" in low or "no space left" in low:
        return f"the disk is full ({reason}); make room, nothing that was stored is lost"
    if "readonly" in low or "read-only" in low:
        return f"the database cannot be written ({reason}); give the file and its folder to this user"
    if "malformed" in low or "not a database" in low:
        return f"the database is damaged ({reason}); restore a backup with `watchfloor restore FILE`"
    return f"the database does not answer: {reason}"
