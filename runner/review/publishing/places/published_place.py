"""Where published files are: what a folder and a bucket have in common, and what is noted of a file there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol, Self

LIST = "published.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it was written: its content, what decided that, and the job that it is of, empty for all others.

    `version` is the store's name of exactly this object in a bucket; empty in a folder, and where it is not known.
    """

    sha256: str
    recipe: str
    job: str = ""
    version: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError and TypeError for what is none."""
        return cls(**{each.name: document[each.name] for each in fields(cls) if each.name in document})

    def document(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value or name != "version"}


# What no publish wrote, or somebody changed since.
FOREIGN = Made("", "")


class PublishedPlace(Protocol):
    """A folder or a bucket while it is published to. Paths are relative to it.

    Everything raises DiskError or BucketError, and LockedError where another publish is at work.
    """

    def held(self) -> AbstractContextManager[None]:
        """Work there. All else but `read_list` stands inside."""

    def read_list(self) -> bytes | None:
        """The list that an earlier publish wrote."""

    def noted(self) -> Iterable[tuple[str, Made]]:
        """What a publish that was cut may have made, with its paths. Each is looked at before it is believed."""

    def expect(self, empty: Mapping[str, Any], paths: Collection[str]) -> None:
        """These may be put. `empty` is a list of none. Raises UsageError for a path that the place does not take."""

    def actual(self, path: str, known: Sequence[Made]) -> Made | None:
        """Which of these files is at a path; FOREIGN if it is none of them, None if there is nothing."""

    def staged(self, path: str) -> AbstractContextManager[Path]:
        """Where the file of a path is made. It is removed if the block does not put it."""

    def put(self, staged: Path, path: str, made: Made, before: Made | None) -> Made:
        """Have a file at a path, whole or not at all, in the place of the one before. Returns it as it is there.

        Raises ObjectChangedError where something else is there by now; a folder does not look.
        """

    def remove(self, path: str) -> None: ...

    def blocks(self, path: str, made: Made) -> Iterator[bytes]:
        """The content of a file that is there, a block at a time."""

    def write_list(self, content: bytes, going: Mapping[str, Made]) -> bool:
        """Have this list; whether it is another than before. What is going is removed next, and `noted` until then."""

    def clear(self) -> None:
        """All is done: nothing is noted any more."""


def bytes_of(document: Mapping[str, Any]) -> bytes:
    """A list as its file has it. Half of a surrogate pair, which UTF-8 does not have, stands as JSON's escape of it."""
    return f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode(errors="backslashreplace")


def listed(content: bytes | None) -> tuple[str | None, dict[str, list[Made]]]:
    """The file name of the manifest that a list is of, and the files that it says were made.

    Raises ValueError, KeyError, TypeError and AttributeError for one that no publish wrote.
    """
    if content is None:
        return None, {}
    document = json.loads(content)
    return str(document["manifest"]["file"]), {path: [Made.of(made)] for path, made in document["files"].items()}
