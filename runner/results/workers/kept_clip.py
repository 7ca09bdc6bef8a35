"""One clip that a run kept, as a worker looks at it: found, held to its hash, decoded."""

from __future__ import annotations

from pathlib import Path

from runner.model import Measured
from runner.state.disk import hash_file, inside
from runner.video.facts import UnfitFileError
from runner.video.measures import ViewOrder


def kept_clip(folder: Path, name: str, sha256: str) -> Path:
    """Where the bytes of a clip are, which are still those that were downloaded.

    Raises UnfitFileError, DiskError and OSError.
    """
    path = inside(folder, name)
    if hash_file(path) != sha256:
        raise UnfitFileError("it is not the file that was downloaded")
    return path


def look_at_kept(folder: Path, name: str, order: ViewOrder) -> Measured:
    """Look at a clip that is still the one that was downloaded. Raises as `kept_clip` and `look_at` do."""
    return look_at(kept_clip(folder, name, order.sha256), order)


def look_at(path: Path, order: ViewOrder, threads: int = 0) -> Measured:
    """Decode a clip with so many threads (0: as many as FFmpeg finds good) and look at it. Raises UnfitFileError."""
    from runner.video.decoding import inspect_video
    from runner.video.looking.viewing import Viewing

    with Viewing(order) as viewing:
        inspect_video(path, None, decode=True, viewer=viewing, threads=threads)
        return viewing.finish()
