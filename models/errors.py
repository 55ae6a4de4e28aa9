"""One tree of named errors. Every message names the subject, the value, the rule and the way out."""

from __future__ import annotations

from collections.abc import Sequence


class WatchfloorError(Exception):
    """Anything the program can explain to the person who asked."""


class SettingsError(WatchfloorError):
    """One or more settings are wrong; `faults` holds one sentence for each, with its place."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class OrganisationError(WatchfloorError):
    """A file that describes the organisation is wrong; `faults` holds one sentence for each, with its place."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class ServiceLevelError(WatchfloorError):
    """Hours of business or a promise of time that cannot be; `faults` holds one sentence for each, with its place."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class RuleError(WatchfloorError):
    """A brand rule does not parse. `position` and `end` are offsets into `text` (characters, half-open)."""

    def __init__(self, reason: str, *, text: str, position: int, end: int) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        self.end = max(end, position + 1)
        super().__init__(reason)

    def pointed(self) -> str:
        """The line of the rule that is wrong, with carets under the place, and the reason."""
        start = self.text.rfind("\n", 0, self.position) + 1
        stop = self.text.find("\n", self.position)
        line = self.text[start : stop if stop != -1 else len(self.text)]
        carets = max(1, min(self.end, start + len(line)) - self.position)
        return f"{line}\n{' ' * (self.position - start)}{'^' * carets}\n{self.reason}"


class ScopeError(WatchfloorError):
    """A scope or a window that cannot be answered."""


class SearchError(ScopeError):
    """What was typed into the search field does not read as a rule; the message marks the place."""


class NotFound(WatchfloorError):
    """No such thing, or not for this person; the two are never told apart."""


class AccessDenied(WatchfloorError):
    """The person lacks the right."""


class SchemaError(WatchfloorError):
    """The database has another schema than this release needs."""


class LeaseLost(WatchfloorError):
    """Another worker owns the source now; what this one was about to write is refused."""


class InputError(WatchfloorError):
    """A file, a flag or an argument that cannot be used."""


class ConnectorError(WatchfloorError):
    """A network did not answer as it should.

    `permanent` says that asking again cannot help until a person changes something;
    `retry_after` is the number of seconds the network asked for, or None; `kind` is the word for the
    ledger and the screen: dead_token, rate_limited, passing, gone, unknown.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None, kind: str = "passing"
    ) -> None:
        self.permanent = permanent
        self.retry_after = retry_after
        self.kind = kind
        super().__init__(reason)
