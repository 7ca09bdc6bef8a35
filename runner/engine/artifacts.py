"""From a link to a verified file in its place. Bytes are durable before anything is recorded of them."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate, islice
from pathlib import Path

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from runner.api.classes import EXPIRED
from runner.api.files import BadLinkError, Files
from runner.engine.facts import UnfitFileError
from runner.engine.media import inspect_video, jpeg_of
from runner.errors import DiskError
from runner.model import Artifact
from runner.state.disk import disk_trouble, hashed, make_folder, put_in_place, sync_folder

# A video of ten seconds at 720p has some tens of megabytes.
MOST_VIDEO_BYTES = 1 << 30
# A thumbnail is held in memory; it has some tens of kilobytes.
_MOST_THUMBNAIL_BYTES = 8 << 20
_BLOCK = 1 << 17
_TOTAL_SECONDS = 900.0
# Content-Range (RFC 9110 14.4): first and last byte, and how many there are in all, where that is told.
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)")


class Trouble(Enum):
    """Why a fetch did not end with a file."""

    EXPIRED = "expired"  # the link is no longer good: a fresh one is needed
    UNFIT = "unfit"  # what came is not the video
    NETWORK = "network"  # it did not come, or not wholly
    STOPPED = "stopped"  # the run was interrupted


class FetchError(Exception):
    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message

    def __reduce__(self) -> tuple[type[FetchError], tuple[Trouble, str]]:
        return FetchError, (self.trouble, self.message)


class Stop:
    """Tells downloads that the run was interrupted. A copy on another machine is never told."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __reduce__(self) -> tuple[type[Stop], tuple[()]]:
        return Stop, ()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()


@dataclass(frozen=True, slots=True)
class Order:
    """What to fetch, and where to: `path` is relative to `output_dir`/videos, without extension.

    `seconds` is the asked length of the video; `total_seconds` bounds the whole download, so that a drip is cut.
    """

    request_id: str
    video_url: str = field(repr=False)
    thumbnail_url: str | None = field(repr=False)
    output_dir: Path
    path: str
    seconds: float | None
    decode: bool
    most_bytes: int = MOST_VIDEO_BYTES
    total_seconds: float = _TOTAL_SECONDS


@dataclass(frozen=True, slots=True)
class Fetched:
    video: Artifact
    thumbnail: Artifact | None


def fetch(files: Files, order: Order, stop: Stop) -> Fetched:
    """Download, verify and put in place. Raises FetchError and DiskError; a file in place is never replaced by less."""
    path = f"videos/{order.path}.mp4"
    video = inside(order.output_dir, path)
    part = part_of(video, order.request_id)
    with disk_trouble(f"write {part}"):
        make_folder(part.parent)
    sha256, size = _download(files, order, part, stop)
    picture = _picture(files, order, stop)
    try:
        facts = inspect_video(part, order.seconds, decode=order.decode, wants_frame=picture is None)
    except UnfitFileError as error:
        _discard(part)
        raise FetchError(Trouble.UNFIT, f"the video that came is refused: {error}") from error
    with disk_trouble(f"write {video}"):
        # The folder may have become a link since: look again at where the file would land.
        put_in_place(part, inside(order.output_dir, path))
    kept = Artifact(path, sha256, size, facts.seconds, facts.width, facts.height, facts.fps, facts.codec)
    return Fetched(kept, _thumbnail(order, picture or facts.frame))


def part_of(target: Path, request_id: str) -> Path:
    """Where the bytes of a request's file are gathered: beside its place, so that a rename within one folder puts it
    there. The name is made safe: a request id is the service's word."""
    is_safe = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", request_id)
    name = request_id if is_safe else hashlib.sha256(request_id.encode()).hexdigest()
    return target.with_name(f"{name}.part")


def inside(folder: Path, relative: str) -> Path:
    """A path below `folder`. Raises DiskError where a link on the way leads out of it."""
    path = folder / relative
    if _has_link(folder, relative):
        whole, real = os.path.realpath(folder), os.path.realpath(path.parent)
        if real != whole and not real.startswith(os.path.join(whole, "")):
            raise DiskError(f"{path} leads out of {folder} through a link", "remove the link, or change output.file")
    return path


def _has_link(folder: Path, relative: str) -> bool:
    """Whether a folder on the way is a link, or leads up or elsewhere by its name."""
    names = relative.split("/")[:-1]
    below = islice(accumulate((str(folder), *names), "{}/{}".format), 1, None)
    return not {"", ".."}.isdisjoint(names) or any(map(os.path.islink, below))


def _etag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _etag_of(part).unlink(missing_ok=True)


def _download(files: Files, order: Order, part: Path, stop: Stop) -> tuple[str, int]:
    """Bring the part file to the whole of the link, going on where an earlier try with the same strong ETag ended.
    Its sha256, in hex, and its size in bytes."""
    etag = _resumable(part)
    start = part.stat().st_size if etag else 0
    headers = {"Range": f"bytes={start}-", "If-Range": etag} if etag and start else {}
    try:
        with files.open(order.video_url, headers) as response:
            if response.status == 416:
                _discard(part)
                raise FetchError(Trouble.NETWORK, "the file server has less than was there before")
            _check_answer(response)
            resumes = response.status == 206 and _goes_on(response, start, etag)
            if response.status == 206 and not resumes:
                _discard(part)
                raise FetchError(Trouble.NETWORK, "the file server sent another range than asked")
            try:
                stored = _store(response, order, part, start if resumes else 0, stop)
            except FetchError as error:
                if error.trouble is not Trouble.UNFIT:
                    _remember(part, response.headers.get("ETag"))
                raise
            if resumes:
                _etag_of(part).unlink()
            return stored
    except BadLinkError as error:
        raise FetchError(Trouble.UNFIT, str(error)) from error
    except HTTPError as error:
        raise FetchError(Trouble.NETWORK, f"the file server cannot be reached ({type(error).__name__})") from error


def _resumable(part: Path) -> str | None:
    try:
        etag = _etag_of(part).read_text(encoding="ascii")
        return etag if part.stat().st_size else None
    except (OSError, ValueError):
        return None


def _goes_on(response: BaseHTTPResponse, start: int, etag: str | None) -> bool:
    """Whether a 206 holds all the rest of the same file from `start` on."""
    told = re.fullmatch(
        r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)", response.headers.get("Content-Range", "")
    )
    if told is None or response.headers.get("ETag", etag) != etag:
        return False
    first, last, whole = int(told[1]), int(told[2]), told[3]
    return first == start and _length(response) in (None, last + 1 - first) and whole in (None, str(last + 1))


def _check_answer(response: BaseHTTPResponse) -> None:
    status = response.status
    if status in EXPIRED:
        raise FetchError(Trouble.EXPIRED, f"the link is no longer good ({status})")
    if status not in (200, 206):
        raise FetchError(Trouble.NETWORK, f"the file server answered {status}")
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    # Object stores often say octet-stream; text is an error page, whatever its status.
    if kind.startswith("text/") or kind in ("application/json", "application/xml"):
        raise FetchError(Trouble.UNFIT, f"the file server sent {kind} in place of a video")


def _store(response: BaseHTTPResponse, order: Order, part: Path, start: int, stop: Stop) -> tuple[str, int]:
    """The body into the part file, from `start` on, and synced; sha256 and size of all of it."""
    expected = _length(response)
    if start + (expected or 0) > order.most_bytes:
        raise FetchError(Trouble.UNFIT, f"the video is larger than {order.most_bytes:,} bytes")
    with disk_trouble(f"write {part}"):
        if not start:
            _forget(part)
        with part.open("r+b" if start else "wb") as file:
            digest = hashed(file, start)

            def keep(block: bytes) -> None:
                file.write(block)
                digest.update(block)

            try:
                size = start + _copy(response, order, keep, order.most_bytes - start, stop)
            finally:
                # A broken download is gone on with: its bytes must be true after a power cut, too.
                file.flush()
                os.fsync(file.fileno())
    if size == 0:
        raise FetchError(Trouble.UNFIT, "the file server sent an empty file")
    if expected is not None and size != start + expected:
        raise FetchError(Trouble.NETWORK, f"{size:,} of {start + expected:,} bytes came")
    return digest.hexdigest(), size


def _forget(part: Path) -> None:
    """Let no ETag of an earlier answer name the bytes that come now, not even after a power cut."""
    if _etag_of(part).exists():
        _etag_of(part).unlink()
        sync_folder(part.parent)


def _remember(part: Path, etag: str | None) -> None:
    """Keep the ETag of what came of a file. Only a strong one names bytes (RFC 9110 8.8.3)."""
    if etag is not None and etag.startswith('"') and etag.isascii() and etag.isprintable():
        with disk_trouble(f"write {part}"):
            _etag_of(part).write_text(etag, encoding="ascii")


def _copy(response: BaseHTTPResponse, order: Order, write: Callable[[bytes], object], most: int, stop: Stop) -> int:
    size = 0
    deadline = time.monotonic() + order.total_seconds
    for block in _blocks(response):
        write(block)
        size += len(block)
        if size > most:
            raise FetchError(Trouble.UNFIT, f"the file does not end within {most:,} bytes more")
        if stop.is_set():
            raise FetchError(Trouble.STOPPED, "interrupted")
        if time.monotonic() > deadline:
            raise FetchError(Trouble.NETWORK, f"the download took longer than {order.total_seconds:g} s")
    return size


def _blocks(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The body as it comes, so that a drip is seen as one and what came before a break is kept.

    What a network can do to it is told apart from what a disk can: both are OSErrors.
    """
    try:
        while block := response.read1(_BLOCK):
            yield block
    except HTTPError as error:
        raise FetchError(Trouble.NETWORK, f"the download broke off ({type(error).__name__})") from error


def _length(response: BaseHTTPResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isascii() and value.isdigit() else None


def _picture(files: Files, order: Order, stop: Stop) -> bytes | None:
    """The service's thumbnail as a JPEG; None where there is none that is sound."""
    if not order.thumbnail_url:
        return None
    content = bytearray()
    try:
        with files.open(order.thumbnail_url, {}) as response:
            if response.status != 200:
                return None
            _copy(response, order, content.extend, _MOST_THUMBNAIL_BYTES, stop)
        return jpeg_of(bytes(content))
    except (BadLinkError, FetchError, UnfitFileError, HTTPError):
        return None


def _thumbnail(order: Order, picture: bytes | None) -> Artifact | None:
    """Put a thumbnail in its place. Missing it is no failure."""
    if picture is None:
        return None
    path = f"thumbnails/{order.path}.jpg"
    target = inside(order.output_dir, path)
    with disk_trouble(f"write {target}"):
        part = part_of(target, order.request_id)
        make_folder(part.parent)
        with part.open("wb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, target)
    return Artifact(path, hashlib.sha256(picture).hexdigest(), len(picture))
