"""Videos and sounds that go into a request: what they are, by opening them.

This module loads FFmpeg's libraries. Import it inside the functions that need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av


class UnreadableRecordingError(Exception):
    """A file is neither a video nor a sound that can be opened."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The names of the container by FFmpeg, the length in seconds, the frames a second of its video, if it has one."""

    formats: frozenset[str]
    seconds: float | None
    fps: float | None
    has_sound: bool


def recording(path: Path) -> Recording:
    """Open a file and decode its beginning. Raises UnreadableRecordingError."""
    try:
        with av.open(str(path), metadata_errors="replace", options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video and not container.streams.audio:
                raise UnreadableRecordingError("it has neither pictures nor sound")
            next(iter(container.decode(container.streams.best("video") or container.streams.best("audio"))))
            video = container.streams.best("video")
            rate = getattr(video, "average_rate", None)
            return Recording(
                frozenset(container.format.name.split(",")),
                container.duration / av.time_base if container.duration else None,
                float(rate) if rate else None,
                bool(container.streams.audio),
            )
    except (av.FFmpegError, OSError, ValueError, StopIteration) as error:
        raise UnreadableRecordingError(f"it cannot be decoded ({type(error).__name__})") from error
