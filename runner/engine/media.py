"""Videos and thumbnails: what a file really is, found out by opening it."""

from __future__ import annotations

from pathlib import Path

from runner.engine.boxes import read_header
from runner.engine.facts import UnfitFileError, VideoFacts

# How far a video's length may be from what was asked.
_TOLERANCE = 0.5


def inspect_video(path: Path, asked: float | None, *, decode: bool, wants_frame: bool = False) -> VideoFacts:
    """Open a video, compare its length with the asked one, and decode every frame unless told otherwise.

    Raises UnfitFileError. What is compared is the stream's length, not what the container claims of itself.
    """
    facts = None if decode else _header_of(path)
    if facts is None:
        # FFmpeg takes long to load, and nearly every header is read without it.
        from runner.engine.decoding import examine

        facts = examine(path, decode=decode, wants_frame=wants_frame)
    if asked is not None and abs(facts.seconds - asked) > _TOLERANCE:
        raise UnfitFileError(f"it lasts {facts.seconds:.2f} s, asked were {asked:g} s")
    return facts


def _header_of(path: Path) -> VideoFacts | None:
    try:
        return read_header(path)
    except OSError as error:
        raise UnfitFileError(f"it cannot be read ({type(error).__name__})") from error


def jpeg_of(content: bytes) -> bytes:
    """Check a downloaded thumbnail by decoding it; its JPEG, byte for byte where it is one. Raises UnfitFileError."""
    # As above: not every service gives thumbnails.
    from runner.engine.decoding import as_jpeg

    return as_jpeg(content)
