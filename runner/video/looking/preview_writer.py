"""Makes the small copy and the sprite of a clip while it is decoded."""

from __future__ import annotations

import av

from runner.video.looking.previews import SMALL, SPRITE, PreviewFiles
from runner.video.looking.small_copy import SmallCopy
from runner.video.looking.sprite import Sprite
from runner.video.looking.stream_traits import matrix_of, rate_of


class PreviewWriter:
    """Takes small frames; what it makes gets its names with `finish`."""

    def __init__(self, files: PreviewFiles, stream: av.VideoStream) -> None:
        self._files = files
        self._part = files.part(SMALL)
        self._copy = SmallCopy(self._part, rate_of(stream), matrix_of(stream))
        self._sprite = Sprite()

    def add(self, small: av.VideoFrame) -> None:
        self._sprite.add(small)
        self._copy.add(small)

    def finish(self) -> None:
        self._copy.close()
        self._files.finish(self._part, SMALL)
        part = self._files.part(SPRITE)
        part.write_bytes(self._sprite.picture())
        self._files.finish(part, SPRITE)
