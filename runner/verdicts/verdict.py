"""One line of a verdict file: what a reviewer said of clips, as text and as frozen records.

`parsed` reads a line and refuses whatever is not exactly a verdict; `written` makes the line. Both agree: what is
written is read again as the same verdict, always in the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

from runner.diagnostics.words import literal

# The longest line, in bytes, with its end.
LONGEST = 64 * 1024
REVIEWER = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
# The question of a pair that names none.
QUESTION = "better"
_VERSION = 1
# A day: no clip is longer, and no answer takes so long.
_MOST_SECONDS = 86_400
_JOB = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Winner(StrEnum):
    """The answer to a pair."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both-bad"


class Marking(StrEnum):
    """What a reviewer marks a clip as. `none` takes an earlier mark back."""

    PICK = "pick"
    REJECT = "reject"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Pair:
    """Which of two clips is the answer to a question. `seconds` is how long that took, None if not known."""

    left: str
    right: str
    winner: Winner
    question: str = QUESTION
    reasons: tuple[str, ...] = ()
    seconds: float | None = None
    blind: bool = False

    @property
    def jobs(self) -> tuple[str, ...]:
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Best:
    """The best of several clips and, where it was said, the worst."""

    of: tuple[str, ...]
    best: str
    worst: str | None = None

    @property
    def jobs(self) -> tuple[str, ...]:
        return self.of


@dataclass(frozen=True, slots=True)
class Mark:
    job: str
    mark: Marking

    @property
    def jobs(self) -> tuple[str, ...]:
        return (self.job,)


@dataclass(frozen=True, slots=True)
class Stars:
    """1 to 5 stars; 0 takes earlier ones back."""

    job: str
    stars: int

    @property
    def jobs(self) -> tuple[str, ...]:
        return (self.job,)


@dataclass(frozen=True, slots=True)
class Note:
    """Words about a clip at a time of it, in seconds."""

    job: str
    time: float
    text: str

    @property
    def jobs(self) -> tuple[str, ...]:
        return (self.job,)


@dataclass(frozen=True, slots=True)
class Undo:
    """Takes back a line of the same reviewer, for good. `line` is the sha256 of that line without its line end."""

    line: str

    @property
    def jobs(self) -> tuple[str, ...]:
        return ()


Said: TypeAlias = Pair | Best | Mark | Stars | Note | Undo


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said, when (`at`, UTC as the line has it: such texts sort by time), and by whom.

    `sha256` has the hash of each clip that was seen, by job id: of exactly the jobs that are spoken of.
    """

    at: str
    by: str
    sha256: Mapping[str, str] = field(hash=False)
    said: Said


class VerdictError(ValueError):
    """Why a line is no verdict, in words that follow its file and number."""


def time_text(moment: datetime) -> str:
    """A moment as `at` has it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def written(verdict: Verdict) -> bytes:
    """The line of a verdict, without its line end. Raises VerdictError for what `parsed` would refuse."""
    said = verdict.said
    values = {name: getattr(said, name) for name in _MEMBERS[_KINDS[type(said)]]}
    document = {
        "v": _VERSION, "at": verdict.at, "by": verdict.by, "kind": _KINDS[type(said)], **values,
        "sha256": dict(sorted(verdict.sha256.items())),
    }  # fmt: skip
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    if _SURROGATE.search(text):
        raise VerdictError("it has half a character")
    line = text.encode()
    parsed(line)
    return line


def parsed(line: bytes) -> Verdict:
    """The verdict of a line without its line end. Raises VerdictError."""
    if len(line) >= LONGEST:
        raise VerdictError("it is longer than 64 KiB")
    document = _document(line)
    if document.get("v") != _VERSION or isinstance(document["v"], bool):
        raise VerdictError("its version v is not 1")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in _READERS:
        raise VerdictError("its kind is none of " + ", ".join(_READERS))
    members = _MEMBERS[kind]
    known = {"v", "at", "by", "kind", "sha256", *members}
    if document.keys() - known:
        raise VerdictError(f"{kind} has no member {literal(min(document.keys() - known))}")
    missing = known - document.keys() - {name for name, is_needed in members.items() if not is_needed}
    if missing:
        raise VerdictError(f"its member {min(missing)!r} is missing")
    said = _READERS[kind](_Members(document))
    return Verdict(_moment(document["at"]), _reviewer(document["by"]), _hashes(document["sha256"], said), said)


def _document(line: bytes) -> dict[str, object]:
    """The object that a line is, each member once."""
    try:
        found = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except VerdictError:
        raise
    except (ValueError, RecursionError):
        raise VerdictError("it is not JSON") from None
    if not isinstance(found, dict):
        raise VerdictError("it is not a JSON object")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise VerdictError("a member stands in it twice")
    if any(isinstance(each, str) and _SURROGATE.search(each) for pair in pairs for each in pair):
        raise VerdictError("it has half a character")
    return found


def _no_number(name: str) -> object:
    raise VerdictError(f"{name} is no number")


def _moment(value: object) -> str:
    """A time that there is, in the one form that sorts as text."""
    if isinstance(value, str) and _AT.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise VerdictError("its member 'at' is no time such as 2026-11-28T09:00:00.123456Z")


def _reviewer(value: object) -> str:
    if isinstance(value, str) and REVIEWER.fullmatch(value):
        return value
    raise VerdictError("its member 'by' is no reviewer's name (letters a-z, digits and ._-, at most 40)")


def _hashes(value: object, said: Said) -> dict[str, str]:
    if not isinstance(value, dict) or value.keys() != set(said.jobs):
        raise VerdictError("its member 'sha256' does not name exactly the jobs that it speaks of")
    if not all(isinstance(each, str) and _SHA256.fullmatch(each) for each in value.values()):
        raise VerdictError("its member 'sha256' has what is no sha256")
    return value


class _Members:
    """The members of a line, each of one type."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = document

    def has(self, name: str) -> bool:
        """Whether it is there, and not null."""
        return self._document.get(name) is not None

    def _invalid(self, name: str, what: str) -> VerdictError:
        return VerdictError(f"its member {name!r} is no {what}")

    def text(self, name: str) -> str:
        value = self._document[name]
        if isinstance(value, str):
            return value
        raise self._invalid(name, "text")

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._document[name]
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise self._invalid(name, "list of texts")

    def like(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        value = self._document[name]
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise self._invalid(name, what)

    def job(self, name: str) -> str:
        return self.like(name, _JOB, "job id")

    def jobs(self, name: str) -> tuple[str, ...]:
        """At least two, each once."""
        found = self.texts(name)
        if all(map(_JOB.fullmatch, found)) and len(found) == len(set(found)) > 1:
            return found
        raise self._invalid(name, "list of job ids")

    def flag(self, name: str) -> bool:
        value = self._document[name]
        if isinstance(value, bool):
            return value
        raise self._invalid(name, "true or false")

    def seconds(self, name: str) -> float:
        value = self._document[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST_SECONDS:
            return float(value)
        raise self._invalid(name, "number of seconds")

    def whole(self, name: str, least: int, most: int) -> int:
        value = self._document[name]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise self._invalid(name, f"whole number from {least} to {most}")

    def word(self, name: str, words: type[StrEnum]) -> str:
        found = self.text(name)
        if found in list(words):
            return found
        raise VerdictError(f"its member {name!r} is none of {', '.join(words)}")


def _pair(of: _Members) -> Pair:
    left, right = of.job("left"), of.job("right")
    if left == right:
        raise VerdictError("both clips of the pair are one")
    return Pair(
        left,
        right,
        Winner(of.word("winner", Winner)),
        of.text("question") if of.has("question") else QUESTION,
        of.texts("reasons") if of.has("reasons") else (),
        of.seconds("seconds") if of.has("seconds") else None,
        of.flag("blind") if of.has("blind") else False,
    )


def _best(of: _Members) -> Best:
    found = Best(of.jobs("of"), of.job("best"), of.job("worst") if of.has("worst") else None)
    if found.best not in found.of or found.worst not in (None, *found.of) or found.worst == found.best:
        raise VerdictError("its best or worst is not among the clips that it is of, or they are one")
    return found


# By kind: its members, each with whether it must be there.
_MEMBERS: dict[str, dict[str, bool]] = {
    "pair": {
        **dict.fromkeys(("left", "right", "winner"), True),
        **dict.fromkeys(("question", "reasons", "seconds", "blind"), False),
    },
    "best": {"of": True, "best": True, "worst": False},
    "mark": {"job": True, "mark": True},
    "stars": {"job": True, "stars": True},
    "note": {"job": True, "time": True, "text": True},
    "undo": {"line": True},
}
_READERS: dict[str, Callable[[_Members], Said]] = {
    "pair": _pair,
    "best": _best,
    "mark": lambda of: Mark(of.job("job"), Marking(of.word("mark", Marking))),
    "stars": lambda of: Stars(of.job("job"), of.whole("stars", 0, 5)),
    "note": lambda of: Note(of.job("job"), of.seconds("time"), of.text("text")),
    "undo": lambda of: Undo(of.like("line", _SHA256, "sha256")),
}
_KINDS: dict[type, str] = {Pair: "pair", Best: "best", Mark: "mark", Stars: "stars", Note: "note", Undo: "undo"}
