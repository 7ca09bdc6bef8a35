"""What is known about a video file, and the error for a file that is not what it should be."""

from __future__ import annotations

from dataclasses import dataclass, field


class UnfitFileError(Exception):
    """A file is not the video, or the picture, that it should be."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The length of a video in seconds, its width and height in pixels, its frames per second and its codec.

    `suffix` is what the names of such files end with, a dot first. `frame` is the frame at a third of the video, as a
    JPEG thumbnail. It is None if it was not wanted or not decoded.
    """

    seconds: float
    width: int
    height: int
    fps: float
    codec: str
    suffix: str
    frame: bytes | None = field(default=None, repr=False)
