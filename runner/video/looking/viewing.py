"""Looks at the frames of a clip while they are decoded: measures them, and makes the previews."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import av
from av.container import InputContainer

from runner.model import Measured
from runner.video.looking.frame_measures import FrameMeasures
from runner.video.looking.hearing import Hearing
from runner.video.looking.preview_writer import PreviewWriter
from runner.video.looking.previews import PreviewFiles
from runner.video.looking.scaled_frames import Look, ScaledFrames
from runner.video.looking.stream_traits import rate_of, squeeze_of
from runner.video.measures import ViewOrder, unmeasured


class _Guard:
    """Encloses one part of the looking. An error ends this part alone, and `note` says what it was.

    It takes any exception: the libraries have them of many kinds, and none may cost a clip that was paid for.
    """

    def __init__(self, words: str) -> None:
        self._words = words
        self.note = ""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Exception):
            told = " ".join(f"{type(error).__name__}: {error}".split())
            self.note = f"{self._words} ({told})"
        return isinstance(error, Exception)


class Viewing:
    """One clip that is looked at: `begin`, `see` each frame and `hear` each packet of sound, then `finish`.

    None of them raises an exception. What is not finished when the block ends is deleted.
    """

    def __init__(self, order: ViewOrder) -> None:
        self._order = order
        self._files = PreviewFiles.of(order)
        self._scaling = _Guard("neither measured nor previewed")
        self._measuring, self._previewing, self._hearing = map(_Guard, ("not measured", "no previews", "not heard"))
        self._frames = ScaledFrames(1.0)
        self._measures: FrameMeasures | None = None
        self._previews: PreviewWriter | None = None
        self._sound: Hearing | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._files is not None:
            self._files.discard()

    def begin(self, container: InputContainer, stream: av.VideoStream) -> None:
        self._frames = ScaledFrames(squeeze_of(stream))
        if self._order.measures:
            with self._measuring:
                self._measures = FrameMeasures(self._order, float(rate_of(stream)))
                self._sound = Hearing() if container.streams.audio else None
        if self._files is not None:
            with self._previewing:
                self._previews = PreviewWriter(self._files, stream)

    def wants_sound(self) -> bool:
        return self._sound is not None and not self._sound.is_heard and not self._hearing.note

    def hear(self, packet: av.Packet[Any]) -> None:
        if self._sound is not None:
            with self._hearing:
                self._sound.hear(packet)

    def see(self, frame: av.VideoFrame) -> None:
        if not self._scaling.note:
            with self._scaling:
                self._show(self._frames.of(frame))

    def _show(self, look: Look) -> None:
        if self._previews is not None and not self._previewing.note:
            with self._previewing:
                self._previews.add(look.small)
        if self._measures is not None and not self._measuring.note:
            with self._measuring:
                self._measures.see(look)

    def finish(self) -> Measured:
        """Complete the previews. The measures, or why there are none."""
        measured = None
        if self._previews is not None and not self._scaling.note and not self._previewing.note:
            with self._previewing:
                self._previews.finish()
        if self._measures is not None and not self._scaling.note and not self._measuring.note:
            with self._measuring:
                measured = self._measures.measured(self._is_heard())
        parts = (self._scaling,) if self._scaling.note else (self._measuring, self._previewing)
        return replace(measured or unmeasured(), note="; ".join(each.note for each in parts if each.note))

    def _is_heard(self) -> bool | None:
        """None where there is sound that could not be decoded."""
        return None if self._hearing.note else self._sound is not None and self._sound.is_heard
