"""Videos and sounds that go into a request: what they are, by opening them.

This module loads FFmpeg's libraries. Import it inside the functions that need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

# As FFmpeg names them. It would also open pictures, texts, and lists of other files.
_FORMATS = ("mov", "matroska", "avi", "mpegts", "flv", "gif", "wav", "mp3", "flac", "ogg", "aac")
# In seconds: a file that ends so much before the length in its header was not copied whole.
_TOLERANCE = 0.5


class UnreadableRecordingError(Exception):
    """A file is neither a video nor a sound that can be opened; the text says why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The names of the container by FFmpeg, the length in seconds, the frames a second of its video, if it has one."""

    formats: frozenset[str]
    seconds: float
    fps: float | None
    has_sound: bool


def recording(path: Path) -> Recording:
    """Open a file, decode its beginning and read it to its end. Raises UnreadableRecordingError."""
    options = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "file"}
    try:
        with av.open(str(path), metadata_errors="replace", options=options) as container:
            stream = container.streams.best("video") or container.streams.best("audio")
            if stream is None or next(iter(container.decode(stream)), None) is None:
                raise UnreadableRecordingError("it has neither frames nor sound")
            seconds = _length(container)
            if seconds < (container.duration or 0) / av.time_base - _TOLERANCE:
                raise UnreadableRecordingError("it is cut short")
            rate = getattr(container.streams.best("video"), "average_rate", None)
            return Recording(
                frozenset(container.format.name.split(",")),
                seconds,
                float(rate) if rate else None,
                bool(container.streams.audio),
            )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableRecordingError(f"it cannot be decoded ({type(error).__name__})") from error


def _length(container: InputContainer) -> float:
    """Seconds from the start to the end of the last packet."""
    container.seek(0)
    ends = [
        float((packet.pts + (packet.duration or 0)) * packet.time_base)
        for packet in container.demux()
        if packet.pts is not None and packet.time_base is not None
    ]
    return max(ends, default=0.0) - (container.start_time or 0) / av.time_base
