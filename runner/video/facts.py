"""What is known of a video file, and that a file is none."""

from __future__ import annotations

from dataclasses import dataclass, field


class UnfitFileError(Exception):
    """A file is not the video, or the picture, that it should be."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a video is: length in seconds, sizes in pixels, frames a second.

    `frame` is one of its frames, a third into it, as a JPEG thumbnail; None where none was wanted, or none was decoded.
    """

    seconds: float
    width: int
    height: int
    fps: float
    codec: str
    frame: bytes | None = field(default=None, repr=False)
