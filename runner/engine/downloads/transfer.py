"""Downloads a file from a link. Its bytes are made durable, and a download that broke off is resumed."""

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
from runner.api.answers import words_of
from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from runner.secret import without_key
from runner.state.disk import disk_errors, sync_folder, unfollowed

# Less than 128 KiB: from there on malloc gets every block from the system and gives it back.
_BLOCK = 1 << 16
# Content-Range (RFC 9110 14.4): first byte, last byte, and the total size or `*`.
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)")


class FetchFailure(Enum):
    """Why a download failed."""

    EXPIRED = "expired"  # the link is no longer valid: a fresh one is needed
    UNFIT = "unfit"  # what arrived is not the video
    NETWORK = "network"  # nothing arrived, or not all of it
    STOPPED = "stopped"  # the run was interrupted


class FetchError(Exception):
    """A file did not arrive, or is not what it should be."""

    def __init__(self, failure: FetchFailure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message

    def __reduce__(self) -> tuple[type[FetchError], tuple[FetchFailure, str]]:
        return FetchError, (self.failure, self.message)


class Stop(threading.Event):
    """Tells downloads that the run was interrupted. A pickled copy, as on another machine, is never set."""

    def __reduce__(self) -> tuple[type[Stop], tuple[()]]:
        return Stop, ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of the size of a file and of the seconds it takes, as it may arrive byte by byte."""

    most_bytes: int
    total_seconds: float


class Part:
    """The bytes of a file that have arrived so far, and in another file the strong ETag of the complete file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._etag = path.with_name(f"{path.name}.etag")
        # Whether an earlier try has left an ETag. Read from the disk once.
        self._had_etag = os.path.exists(self._etag)

    def begun(self) -> tuple[int, str] | None:
        """How many bytes are here, and their ETag; None if there is nothing to resume."""
        if not self._had_etag:
            return None
        try:
            etag = self._etag.read_text(encoding="ascii")
            size = self.path.stat().st_size
        except (OSError, ValueError):
            return None
        return (size, etag) if size and etag else None

    def name(self, etag: str | None) -> None:
        """Store the ETag of the bytes. Only a strong one identifies them (RFC 9110 8.8.3)."""
        if etag is not None and etag.startswith('"') and etag.isascii() and etag.isprintable():
            with (
                disk_errors(f"write {self.path}"),
                open(self._etag, "w", encoding="ascii", opener=unfollowed) as file,
            ):
                file.write(etag)

    def unname(self) -> None:
        """Remove an earlier answer's ETag durably: it must not identify this one's bytes, even after a power cut."""
        if self._had_etag:
            self._etag.unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)


def download(files: LinkedFiles, url: str, part: Part, bounds: Bounds, stop: Stop) -> tuple[str, int]:
    """Download the file of a link to `part`, and resume an earlier try that has the same strong ETag.

    Returns the file's sha256, in hex, and its size in bytes. Raises FetchError and DiskError.
    """
    start, etag = part.begun() or (0, "")
    headers = {"Range": f"bytes={start}-", "If-Range": etag} if start else {}
    try:
        with files.open(url, headers) as response:
            _check_answer(response, part)
            resumes = response.status == 206
            if resumes and not _is_rest(response, start, etag):
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
    kind = words_of(without_key(response.headers.get("Content-Type", ""))).split(";")[0].strip().lower()
    # Object stores often send application/octet-stream. Text is an error page, whatever the status.
    if kind.startswith("text/") or kind in ("application/json", "application/xml"):
        raise FetchError(FetchFailure.UNFIT, f"the file server sent {kind} in place of a video")


def _is_rest(response: BaseHTTPResponse, start: int, etag: str) -> bool:
    """Whether a 206 has all the rest of the same file, from `start` on."""
    content_range = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if content_range is None or not start or response.headers.get("ETag", etag) != etag:
        return False
    first, last, whole = int(content_range[1]), int(content_range[2]), content_range[3]
    return first == start and _length(response) in (None, last + 1 - first) and whole in (None, str(last + 1))


def _store(response: BaseHTTPResponse, part: Part, start: int, bounds: Bounds, stop: Stop) -> tuple[str, int]:
    """Write the body to the part, from `start` on, and sync it. Returns sha256 and size of the whole part."""
    expected = _length(response)
    if start + (expected or 0) > bounds.most_bytes:
        raise FetchError(FetchFailure.UNFIT, f"the video is larger than {bounds.most_bytes:,} bytes")
    with disk_errors(f"write {part.path}"):
        if not start:
            part.unname()
        with open(part.path, "r+b" if start else "w+b", opener=unfollowed) as file:
            digest = hashlib.file_digest(file, "sha256")

            def keep(block: bytes) -> None:
                file.write(block)
                digest.update(block)

            try:
                size = start + copy(response, keep, Bounds(bounds.most_bytes - start, bounds.total_seconds), stop)
            finally:
                # A download that broke off is resumed, so its bytes must be correct even after a power cut.
                file.flush()
                os.fsync(file.fileno())
    if size == 0:
        raise FetchError(FetchFailure.UNFIT, "the file server sent an empty file")
    if expected is not None and size != start + expected:
        raise FetchError(FetchFailure.NETWORK, f"{size:,} of {start + expected:,} bytes came")
    return digest.hexdigest(), size


def copy(response: BaseHTTPResponse, write: Callable[[bytes], object], bounds: Bounds, stop: Stop) -> int:
    """Pass the body of an answer to `write`, block by block, and return its size. Raises FetchError."""
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
    """The body in blocks as they arrive: the deadline is checked even if the body arrives byte by byte, and what
    arrived before a break is kept.

    Network errors are caught here, apart from disk errors: both may be OSErrors.
    """
    try:
        while block := response.read1(_BLOCK):
            yield block
    except HTTPError as error:
        raise FetchError(FetchFailure.NETWORK, f"the download broke off ({type(error).__name__})") from error


def _length(response: BaseHTTPResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdigit() else None
