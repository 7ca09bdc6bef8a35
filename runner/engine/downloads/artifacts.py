"""From a finished request to a verified file in its place. Its bytes are durable before it is recorded."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from runner.engine.downloads.transfer import Bounds, FetchError, FetchFailure, Part, Stop, copy, download
from runner.errors import DiskError
from runner.model import Artifact
from runner.state.disk import create_folders, disk_errors, make_folder, put_in_place
from runner.video.facts import UnfitFileError

# For comparison: ten seconds at 720p have tens of megabytes.
MOST_VIDEO_BYTES = 1 << 30
# A thumbnail is held in memory. Most have tens of kilobytes.
_MOST_THUMBNAIL_BYTES = 8 << 20
_TOTAL_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to download, and where to. `path` is relative to `output_dir`/videos, without an extension.

    `seconds` is the requested length of the video. `total_seconds` limits the whole download, as it may arrive byte by
    byte.
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


def fetch(files: LinkedFiles, order: Order, stop: Stop) -> Fetched:
    """Download, verify and put in place. Raises FetchError and DiskError. Only a verified file replaces another one."""
    # Imported here: FFmpeg takes long to load, and most commands do not need it.
    from runner.video.decoding import inspect_video

    path = f"videos/{order.path}.mp4"
    video = inside(order.output_dir, path)
    with disk_errors(f"write {video}"):
        make_folder(order.output_dir)
        create_folders(video.parent)
    part = Part(part_of(video, order.request_id))
    sha256, size = download(files, order.video_url, part, Bounds(order.most_bytes, order.total_seconds), stop)
    picture = _picture(files, order, stop)
    try:
        facts = inspect_video(part.path, order.seconds, decode=order.decode, wants_frame=picture is None)
    except UnfitFileError as error:
        part.discard()
        raise FetchError(FetchFailure.UNFIT, f"the video that came is refused: {error}") from error
    with disk_errors(f"write {video}"):
        # The folder may have been replaced by a link during the download: check again where the file would go.
        put_in_place(part.path, inside(order.output_dir, path), order.output_dir)
    kept = Artifact(path, sha256, size, facts.seconds, facts.width, facts.height, facts.fps, facts.codec)
    return Fetched(kept, _thumbnail(order, picture or facts.frame))


def part_of(target: Path, request_id: str) -> Path:
    """The path of a file while it is downloaded. It is in the folder of `target`, so that a rename within one folder
    puts it in place. The request id comes from the service, so it must be made a safe file name."""
    is_safe = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", request_id)
    name = request_id if is_safe else hashlib.sha256(request_id.encode()).hexdigest()
    return target.with_name(f"{name}.part")


def inside(folder: Path, relative: str) -> Path:
    """A path below `folder`. Raises DiskError if a symbolic link on the way leads out of it."""
    path = folder / relative
    if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(folder)):
        raise DiskError(f"{path} leads out of {folder} through a link", "remove the link, or change output.file")
    return path


def _picture(files: LinkedFiles, order: Order, stop: Stop) -> bytes | None:
    """The service's thumbnail as a JPEG; None if there is no valid one."""
    if not order.thumbnail_url:
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


def _thumbnail(order: Order, picture: bytes | None) -> Artifact | None:
    """Put a thumbnail in its place. It is no error if there is none."""
    if picture is None:
        return None
    path = f"thumbnails/{order.path}.jpg"
    target = inside(order.output_dir, path)
    with disk_errors(f"write {target}"):
        part = part_of(target, order.request_id)
        create_folders(part.parent)
        with part.open("wb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, target, order.output_dir)
    return Artifact(path, hashlib.sha256(picture).hexdigest(), len(picture))
