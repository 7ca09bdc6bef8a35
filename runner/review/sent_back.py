"""What people elsewhere send back: lines with the random names of their page, made lines about jobs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container
from datetime import datetime
from pathlib import Path

from runner.review.said_by_name import SeenClip, verdict_of
from runner.verdicts.verdict import VerdictError, written
from runner.verdicts.verdict_files import TakenIn, take_in

_ID = re.compile(r"[0-9a-f]{16}")


def take_in_file(source: Path, verdicts: Path, jobs: Container[str], now: datetime) -> TakenIn:
    """Append what is new in a file to the verdicts. It is one that a page saved, or one of another folder of verdicts.

    Raises UsageError and DiskError.
    """
    return take_in(source, verdicts, jobs=jobs, translated=_Translation(verdicts / "pages"), now=now)


class _Translation:
    """Makes a line of ours of each line of a file, in its order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages: dict[str, dict[str, SeenClip]] = {}
        # By page, reviewer and time: the lines so far. A page takes back a line by its time.
        self._lines: dict[tuple[str, str, str], bytes] = {}

    def __call__(self, line: bytes) -> bytes:
        """Raises VerdictError."""
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            raise VerdictError("it is not JSON") from None
        if not isinstance(document, dict) or "page" not in document:
            return line
        page, at, by = (str(document.pop(name, "")) for name in ("page", "at", "by"))
        document.pop("v", None)
        if document.get("kind") == "undo":
            target = self._lines.get((page, by, str(document.pop("of", ""))))
            if target is None:
                raise VerdictError("it takes back a line that is not before it")
            document["line"] = hashlib.sha256(target).hexdigest()
        elif document.get("kind") == "pair":
            document["blind"] = True
        made = written(verdict_of(document, self._clips(page), at, by))
        self._lines[page, by, at] = made
        return made

    def _clips(self, page: str) -> dict[str, SeenClip]:
        """What the names of a page stand for."""
        if page not in self._pages:
            self._pages[page] = self._read(page)
        return self._pages[page]

    def _read(self, page: str) -> dict[str, SeenClip]:
        path = self._folder / f"{page}.json"
        if not _ID.fullmatch(page) or not path.is_file():
            raise VerdictError("its page was not made here")
        try:
            clips = json.loads(path.read_text(encoding="utf-8"))["clips"]
            return {name: SeenClip(clip["job"], clip["sha256"]) for name, clip in clips.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise VerdictError(f"pages/{path.name} cannot be read") from None
