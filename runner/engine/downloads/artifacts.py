"""From a finished request to a verified file in its place. Its bytes are durable before it is recorded."""

from __future__ import annotations

import hashlib
import math
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from runner.engine.downloads.transfer import Bounds, FetchError, FetchFailure, Part, Stop, copy, download
from runner.model import Artifact, Credentials, Image, Measured
from runner.state.disk import create_folders, disk_errors, inside, make_folder, put_in_place, unfollowed
from runner.video.credentials import credentials_of
from runner.video.facts import UnfitFileError, VideoFacts
from runner.video.looking.previews import are_there, keep_within
from runner.video.measures import ViewOrder

# For comparison: ten seconds at 720p have tens of megabytes, and a second of the best 4K has less than 32.
MOST_VIDEO_BYTES = 1 << 30
_ALWAYS_BYTES, _BYTES_A_SECOND = 64 << 20, 32 << 20
# A thumbnail is held in memory. Most have tens of kilobytes.
_MOST_THUMBNAIL_BYTES = 8 << 20
_TOTAL_SECONDS = 900.0
# The folder of videos beyond the first of a request.
FURTHER = "others"


@dataclass(frozen=True, slots=True)
class Order:
    """What to download, and where to. `path` is relative to `output_dir`/videos, without an extension.

    `further_urls` are links to more videos that the request made. `seconds` is the requested length of the video.
    `total_seconds` limits the download of each, as it may arrive byte by byte. `first` and `last` are the pictures that
    the video begins and ends with. Its previews may have `preview_bytes` with all others; 0: none are made. `measures`:
    whether it is to be measured where it is decoded.
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
    further_urls: tuple[str, ...] = field(default=(), repr=False)
    first: Image | None = field(default=None, repr=False)
    last: Image | None = field(default=None, repr=False)
    preview_bytes: int = 0
    measures: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A video whose bytes are durable, and which nobody looked into yet; with the service's thumbnail, a JPEG."""

    part: Part
    sha256: str
    size: int
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The files of a job. `note` tells people of further videos; `aside` is what was in the places of the files before,
    at its new paths. `measured` is None where the video was not measured; `credentials` are those that it came with.
    `further` are the videos beyond the first."""

    video: Artifact
    thumbnail: Artifact | None
    note: str = ""
    aside: tuple[Path, ...] = ()
    measured: Measured | None = None
    credentials: Credentials | None = None
    further: tuple[Artifact, ...] = ()


def most_bytes_of(seconds: float | None) -> int:
    """More than a video of this length has, and few enough for the disk: what a host sends need not have an end."""
    if seconds is None:
        return MOST_VIDEO_BYTES
    return min(MOST_VIDEO_BYTES, _ALWAYS_BYTES + math.ceil(seconds * _BYTES_A_SECOND))


def arrive(files: LinkedFiles, order: Order, stop: Stop) -> Arrival:
    """Download a video, and the service's thumbnail of it. Raises FetchError and DiskError."""
    return replace(_arrived(files, order, stop, "videos"), picture=_picture(files, order, stop))


def accept(files: LinkedFiles, order: Order, arrival: Arrival, stop: Stop) -> Fetched:
    """Verify what arrived, and put it in place. Raises FetchError and DiskError. What is in its place is set aside."""
    aside: list[Path] = []
    video, facts, measured = _placed(order, arrival, aside, "videos")
    further, note = _further(files, order, stop, aside) if order.further_urls else ((), "")
    thumbnail = _thumbnail(order, arrival.picture or facts.frame, aside)
    credentials = credentials_of(order.output_dir / video.path)
    return Fetched(video, thumbnail, note, tuple(aside), measured, credentials, further)


def _arrived(files: LinkedFiles, order: Order, stop: Stop, folder: str) -> Arrival:
    target = inside(order.output_dir, f"{folder}/{order.path}")
    with disk_errors(f"write {target}"):
        make_folder(order.output_dir)
        create_folders(target.parent)
    part = Part(part_of(target, order.request_id))
    return Arrival(part, *download(files, order.video_url, part, Bounds(order.most_bytes, order.total_seconds), stop))


def _placed(
    order: Order, arrival: Arrival, aside: list[Path], folder: str
) -> tuple[Artifact, VideoFacts, Measured | None]:
    """Verify a video, and put it in place with the suffix of what it is."""
    try:
        facts, measured = _inspected(arrival, order)
    except UnfitFileError as error:
        arrival.part.discard()
        raise FetchError(FetchFailure.UNFIT, f"the video that came is refused: {error}") from error
    path = f"{folder}/{order.path}{facts.suffix}"
    with disk_errors(f"write {order.output_dir / path}"):
        # The folder may have been replaced by a link during the download: check again where the file would go.
        aside += put_in_place(arrival.part.path, inside(order.output_dir, path), order.output_dir)
    shape = (facts.seconds, facts.width, facts.height, facts.fps, facts.codec)
    return Artifact(path, arrival.sha256, arrival.size, *shape), facts, measured


def _inspected(arrival: Arrival, order: Order) -> tuple[VideoFacts, Measured | None]:
    """Verify a video. Where it is decoded for that, it is looked at in the same pass, but not once more."""
    # Imported here: FFmpeg takes long to load, and most commands do not need it.
    from runner.video.decoding import inspect_video

    wants_previews = order.preview_bytes and not are_there(arrival.sha256, order.output_dir)
    if not order.decode or not (wants_previews or order.measures):
        return inspect_video(arrival.part.path, order.seconds, decode=order.decode, wants_frame=True), None
    from runner.video.looking.viewing import Viewing

    folder = order.output_dir if wants_previews else None
    with Viewing(ViewOrder(arrival.sha256, folder, order.first, order.last, order.measures)) as viewing:
        facts = inspect_video(arrival.part.path, order.seconds, decode=True, wants_frame=True, viewer=viewing)
        measured = viewing.finish()
    if wants_previews:
        keep_within(order.output_dir, order.preview_bytes)
    return facts, measured if order.measures else None


def _further(files: LinkedFiles, order: Order, stop: Stop, aside: list[Path]) -> tuple[tuple[Artifact, ...], str]:
    """Download the other videos of a request, which were paid for, too. Returns them, and what became of all.

    They are in a folder of their own: beside the videos, one could have the path of another job. What is no video is
    only told; what does not arrive is tried again, with the first one.
    """
    words, kept = [], []
    for number, url in enumerate(order.further_urls, 2):
        name, path = f"{order.request_id}-{number}", f"{order.path}-{number}"
        one = replace(order, request_id=name, video_url=url, path=path, seconds=None, preview_bytes=0, measures=False)
        try:
            video, *_ = _placed(one, _arrived(files, one, stop, FURTHER), aside, FURTHER)
            words.append(video.path)
            kept.append(video)
        except FetchError as error:
            if error.failure is not FetchFailure.UNFIT:
                raise FetchError(error.failure, f"video {number} of the request: {error.message}") from error
            words.append(f"video {number} was left out: {error.message}")
    return tuple(kept), f"the request made {len(words) + 1} videos; the others: {'; '.join(words)}"


def part_of(target: Path, request_id: str) -> Path:
    """The path of a file while it is downloaded. It is in the folder of `target`, so that a rename within one folder
    puts it in place. The request id comes from the service, so it must be made a safe file name."""
    is_safe = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", request_id)
    name = request_id if is_safe else hashlib.sha256(request_id.encode()).hexdigest()
    return target.with_name(f"{name}.part")


def _picture(files: LinkedFiles, order: Order, stop: Stop) -> bytes | None:
    """The service's thumbnail as a JPEG; None if there is no valid one."""
    if not order.thumbnail_url or order.thumbnail_url == order.video_url:
        return None
    from runner.video.decoding import jpeg_of

    content = bytearray()
    try:
        with files.open(order.thumbnail_url, {}) as response:
            if response.status != 200:
                return None
            copy(response, content.extend, Bounds(_MOST_THUMBNAIL_BYTES, order.total_seconds), stop)
        return jpeg_of(bytes(content))
    except (BadLinkError, FetchError, UnfitFileError, CallError):
        return None


def _thumbnail(order: Order, picture: bytes | None, aside: list[Path]) -> Artifact | None:
    """Put a thumbnail in its place. It is no error if there is none."""
    if picture is None:
        return None
    path = f"thumbnails/{order.path}.jpg"
    target = inside(order.output_dir, path)
    with disk_errors(f"write {target}"):
        part = part_of(target, order.request_id)
        create_folders(part.parent)
        with open(part, "wb", opener=unfollowed) as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        aside += put_in_place(part, target, order.output_dir)
    return Artifact(path, hashlib.sha256(picture).hexdigest(), len(picture))
