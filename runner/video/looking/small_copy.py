"""The small copy of a clip, which a page plays and steps through: H.264, a keyframe every half second."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorRange

HEIGHT = 360
KEYFRAME_EVERY = 12
# threads=1: several clips are looked at at the same time. Without B-frames a clip begins at 0, and its frames come in
# their order: browsers step through it exactly. Adaptive quantisation and deblocking keep skies from showing blocks.
_ENCODER = {
    "preset": "ultrafast",
    "crf": "25",
    "threads": "1",
    "g": str(KEYFRAME_EVERY),
    "bf": "0",
    "x264-params": "no-deblock=0:aq-mode=1:scenecut=0",
}


class SmallCopy:
    """Writes frames to a file. `rate` is that of the original: its frames and those of the copy have the same numbers.

    `matrix` tells how its colours are stored (H.264, table E-5).
    """

    def __init__(self, path: Path, rate: Fraction, matrix: int) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: av.VideoStream | None = None
        self._rate, self._matrix = rate, matrix
        self._frames = 0

    def add(self, frame: av.VideoFrame) -> None:
        """A frame in the format of the copy (yuv420p); all are of one size."""
        stream = self._stream or self._begun(frame)
        frame.pts, frame.time_base = self._frames, 1 / self._rate
        self._frames += 1
        self._container.mux(stream.encode(frame))

    def _begun(self, frame: av.VideoFrame) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate, options=_ENCODER)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        context = stream.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, self._matrix
        self._stream = stream
        return stream

    def close(self) -> None:
        """Write what is left."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
