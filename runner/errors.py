"""All errors of the project, as one class tree. A command that an error ends has the exit code of its class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    JOBS_FAILED = 1
    INVALID = 2
    ACCESS = 3
    BUDGET = 4
    LOCKED = 5
    UNFINISHED = 6
    UNAVAILABLE = 7
    INTERRUPTED = 130


# If several exit codes apply, the first in this list is used.
PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.ACCESS,
    Exit.LOCKED,
    Exit.INVALID,
    Exit.BUDGET,
    Exit.UNAVAILABLE,
    Exit.UNFINISHED,
    Exit.JOBS_FAILED,
    Exit.DONE,
)


class Severity(StrEnum):
    """How bad a diagnostic is. An error stops every command that makes a plan; a warning stops none."""

    ERROR = "error"
    WARNING = "warning"


class Stage(StrEnum):
    """The stages in which a manifest is checked, in order. After a stage with errors, the later ones are left out."""

    YAML = "yaml"
    STRUCTURE = "structure"
    PLANNING = "planning"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text file. `line` and `column` count from 1; `length` is the width of the caret, in characters."""

    file: str
    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is wrong or doubtful at a place in a manifest. `source` is the text of that line, shown above the caret."""

    code: str
    severity: Severity
    position: Position
    message: str
    hint: str = ""
    source: str = ""

    def __str__(self) -> str:
        place = self.position
        line = f"{place.file}:{place.line}:{place.column}: {self.severity}[{self.code}]: {self.message}"
        return f"{line}\n   help: {self.hint}" if self.hint else line

    def as_json(self) -> dict[str, object]:
        """The diagnostic as `validate --json` prints it."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "file": self.position.file,
            "line": self.position.line,
            "column": self.position.column,
            "message": self.message,
            "hint": self.hint,
        }


class ReelrunError(Exception):
    """An error that a user can act on: `message` says what is wrong, and `hint` how to correct it."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[Exit] = Exit.UNAVAILABLE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """What a traceback ends with: in Python nobody prints the hint apart."""
        return f"{self.message}\n  help: {self.hint}" if self.hint else self.message


class UsageError(ReelrunError):
    """The arguments of a command are wrong, or do not go together."""

    code = "usage"
    exit_code = Exit.INVALID


class SecretError(UsageError):
    """Something that would be written or sent holds the key of the service."""

    code = "secret"


class ManifestError(ReelrunError):
    """The manifest has errors. `diagnostics` are all diagnostics of the stage `checked`, sorted by place."""

    code = "manifest"
    exit_code = Exit.INVALID

    def __init__(self, diagnostics: Iterable[Diagnostic], checked: Stage = Stage.PLANNING) -> None:
        self.checked = checked
        self.diagnostics = tuple(sorted(diagnostics, key=lambda each: (each.position, each.code)))
        errors = sum(each.severity is Severity.ERROR for each in self.diagnostics)
        first = next((each for each in self.diagnostics if each.severity is Severity.ERROR), None)
        message = f"the manifest has {errors} error{'s' if errors != 1 else ''}"
        if first is not None:
            place = first.position
            message += f"; the first: {place.file}:{place.line}:{place.column}: {first.message}"
        super().__init__(message, first.hint if first else "")

    def __str__(self) -> str:
        return "\n".join((self.message.partition(";")[0], *map(str, self.diagnostics)))


class DriftError(ReelrunError):
    """The manifest, or a file that it names, differs from what the lockfile recorded."""

    code = "drift"
    exit_code = Exit.INVALID


class AccessError(ReelrunError):
    """There is no API key, or the service refused the key or the access."""

    code = "access"
    exit_code = Exit.ACCESS


class BudgetError(ReelrunError):
    """The run would cost more than the budget allows."""

    code = "budget"
    exit_code = Exit.BUDGET


class NotConfirmedError(ReelrunError):
    """Paid submissions were neither confirmed on a terminal nor allowed with --yes."""

    code = "not_confirmed"
    exit_code = Exit.BUDGET


class LockedError(ReelrunError):
    """Another runner holds the run lock of this state file."""

    code = "locked"
    exit_code = Exit.LOCKED


class StateError(ReelrunError):
    """The state file is damaged, of a newer version, of another service, or on an unsuitable disk."""

    code = "state"
    exit_code = Exit.UNAVAILABLE


class DamagedStateError(StateError):
    """The state file is damaged, gone, or not the latest: `run --new-state` goes on without it."""


class DiskError(ReelrunError):
    """A file could not be read or written."""

    code = "disk"
    exit_code = Exit.UNAVAILABLE


class WorkersError(ReelrunError):
    """The processes or machines that measure clips cannot be reached, do not fit, or were ended."""

    code = "workers"
    exit_code = Exit.UNAVAILABLE


class PublishError(ReelrunError):
    """A clip that is to be published is not there, or is not what was delivered."""

    code = "publish"
    exit_code = Exit.JOBS_FAILED


class ServiceError(ReelrunError):
    """The service could not be reached, or gave no usable answer for too long."""

    code = "service"
    exit_code = Exit.UNAVAILABLE


class BucketError(ReelrunError):
    """A bucket could not be read or written. `reason` is why, in words that can follow the name of an object."""

    code = "bucket"
    exit_code = Exit.UNAVAILABLE

    def __init__(self, message: str, hint: str = "", reason: str = "") -> None:
        super().__init__(message, hint)
        self.reason = reason or message


class BucketRefusedError(BucketError):
    """The store lets nobody with these credentials do that, or there is no such bucket: to try again is no use."""


class ObjectGoneError(BucketError):
    """An object of a bucket that was there is there no more."""


class ObjectChangedError(BucketError):
    """An object of a bucket is not the one that it was taken for: somebody else wrote it."""


def worst(codes: Iterable[Exit]) -> Exit:
    """The exit code to use if several apply."""
    present = set(codes)
    return next((code for code in PRECEDENCE if code in present), Exit.DONE)
