"""From a link to the bytes of a file, durable and gone on with where an earlier try broke off."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from runner.api.answer_classes import EXPIRED
from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from runner.state.disk import disk_errors, sync_folder

# Less than what malloc takes from the system, and gives back, for each block anew (128 KiB).
_BLOCK = 1 << 16
# Content-Range (RFC 9110 14.4): first and last byte, and how many there are in all, where that is told.
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)")


class FetchFailure(Enum):
    """Why a fetch did not end with a file."""

    EXPIRED = "expired"  # the link is no longer good: a fresh one is needed
    UNFIT = "unfit"  # what came is not the video
    NETWORK = "network"  # it did not come, or not wholly
    STOPPED = "stopped"  # the run was interrupted


class FetchError(Exception):
    """A file did not come, or is not what it should be."""

    def __init__(self, failure: FetchFailure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message

    def __reduce__(self) -> tuple[type[FetchError], tuple[FetchFailure, str]]:
        return FetchError, (self.failure, self.message)


class Stop(threading.Event):
    """Tells downloads that the run was interrupted. A copy on another machine is never told."""

    def __reduce__(self) -> tuple[type[Stop], tuple[()]]:
        return Stop, ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file may be, and how many seconds it may take, so that a drip is cut."""

    most_bytes: int
    total_seconds: float


class Part:
    """The bytes that came of a file so far, and beside them the strong ETag that names the whole they belong to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._etag = path.with_name(f"{path.name}.etag")
        # As this try found it, and not asked of the disk again.
        self._was_named = os.path.exists(self._etag)

    def begun(self) -> tuple[int, str] | None:
        """How many bytes are here, and their ETag; None where there is nothing to go on with."""
        if not self._was_named:
            return None
        try:
            etag = self._etag.read_text(encoding="ascii")
            size = self.path.stat().st_size
        except (OSError, ValueError):
            return None
        return (size, etag) if size and etag else None

    def name(self, etag: str | None) -> None:
        """Keep the ETag of what came. Only a strong one names bytes (RFC 9110 8.8.3)."""
        if etag is not None and etag.startswith('"') and etag.isascii() and etag.isprintable():
            with disk_errors(f"write {self.path}"):
                self._etag.write_text(etag, encoding="ascii")

    def unname(self) -> None:
        """Let no ETag of an earlier answer name the bytes that come now, not even after a power cut."""
        if self._was_named:
            self._etag.unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)


def download(files: LinkedFiles, url: str, part: Part, bounds: Bounds, stop: Stop) -> tuple[str, int]:
    """Bring a part to the whole of the link, going on where an earlier try with the same strong ETag ended.

    Returns its sha256, in hex, and its size in bytes. Raises FetchError and DiskError.
    """
    start, etag = part.begun() or (0, "")
    headers = {"Range": f"bytes={start}-", "If-Range": etag} if start else {}
    try:
        with files.open(url, headers) as response:
            _check_answer(response, part)
            resumes = response.status == 206
            if resumes and not _goes_on(response, start, etag):
                part.discard()
                raise FetchError(FetchFailure.NETWORK, "the file server sent another range than asked")
            try:
                stored = _store(response, part, start if resumes else 0, bounds, stop)
            except FetchError as error:
                if error.failure is not FetchFailure.UNFIT:
                    part.name(response.headers.get("ETag"))
                raise
            if resumes:
                part.unname()
            return stored
    except BadLinkError as error:
        raise FetchError(FetchFailure.UNFIT, str(error)) from error
    except CallError as error:
        cause = type(error.__cause__).__name__
        raise FetchError(FetchFailure.NETWORK, f"the file server cannot be reached ({cause})") from error


def _check_answer(response: BaseHTTPResponse, part: Part) -> None:
    status = response.status
    if status == 416:
        part.discard()
        raise FetchError(FetchFailure.NETWORK, "the file server has less than was there before")
    if status in EXPIRED:
        raise FetchError(FetchFailure.EXPIRED, f"the link is no longer good ({status})")
    if status not in (200, 206):
        raise FetchError(FetchFailure.NETWORK, f"the file server answered {status}")
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    # Object stores often say octet-stream; text is an error page, whatever its status.
    if kind.startswith("text/") or kind in ("application/json", "application/xml"):
        raise FetchError(FetchFailure.UNFIT, f"the file server sent {kind} in place of a video")


def _goes_on(response: BaseHTTPResponse, start: int, etag: str) -> bool:
    """Whether a 206 holds all the rest of the same file from `start` on."""
    told = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None or not start or response.headers.get("ETag", etag) != etag:
        return False
    first, last, whole = int(told[1]), int(told[2]), told[3]
    return first == start and _length(response) in (None, last + 1 - first) and whole in (None, str(last + 1))


def _store(response: BaseHTTPResponse, part: Part, start: int, bounds: Bounds, stop: Stop) -> tuple[str, int]:
    """The body into the part, from `start` on, and synced; sha256 and size of all of it."""
    expected = _length(response)
    if start + (expected or 0) > bounds.most_bytes:
        raise FetchError(FetchFailure.UNFIT, f"the video is larger than {bounds.most_bytes:,} bytes")
    with disk_errors(f"write {part.path}"):
        if not start:
            part.unname()
        with part.path.open("r+b" if start else "w+b") as file:
            digest = hashlib.file_digest(file, "sha256")

            def keep(block: bytes) -> None:
                file.write(block)
                digest.update(block)

            try:
                size = start + copy(response, keep, Bounds(bounds.most_bytes - start, bounds.total_seconds), stop)
            finally:
                # A broken download is gone on with: its bytes must be true after a power cut, too.
                file.flush()
                os.fsync(file.fileno())
    if size == 0:
        raise FetchError(FetchFailure.UNFIT, "the file server sent an empty file")
    if expected is not None and size != start + expected:
        raise FetchError(FetchFailure.NETWORK, f"{size:,} of {start + expected:,} bytes came")
    return digest.hexdigest(), size


def copy(response: BaseHTTPResponse, write: Callable[[bytes], object], bounds: Bounds, stop: Stop) -> int:
    """Hand over the body of an answer, block by block, and return its size. Raises FetchError."""
    size = 0
    deadline = time.monotonic() + bounds.total_seconds
    for block in _blocks(response):
        write(block)
        size += len(block)
        if size > bounds.most_bytes:
            raise FetchError(FetchFailure.UNFIT, f"the file does not end within {bounds.most_bytes:,} bytes more")
        if stop.is_set():
            raise FetchError(FetchFailure.STOPPED, "interrupted")
        if time.monotonic() > deadline:
            raise FetchError(FetchFailure.NETWORK, f"the download took longer than {bounds.total_seconds:g} s")
    return size


def _blocks(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it comes, so that a drip is seen as one and what came before a break is kept.

    What a network can do to it is told apart from what a disk can: both are OSErrors.
    """
    try:
        while block := response.read1(_BLOCK):
            yield block
    except HTTPError as error:
        raise FetchError(FetchFailure.NETWORK, f"the download broke off ({type(error).__name__})") from error


def _length(response: BaseHTTPResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdigit() else None
