"""Whether there is sound to be heard in a clip."""

from __future__ import annotations

import av
import numpy as np

# Sound that is louder than this (of 1) is heard.
_AUDIBLE = 0.001


class Hearing:
    """Listens until the first sound that is loud enough."""

    is_heard = False

    def hear(self, packet: av.Packet[av.AudioStream]) -> None:
        self.is_heard = any(_loudness(frame) > _AUDIBLE for frame in packet.decode())


def _loudness(frame: av.AudioFrame) -> float:
    """The loudest sample, of 1."""
    samples = frame.to_ndarray()
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f":
        return float(np.abs(samples).max(initial=0.0))
    # Unsigned samples rest in the middle.
    half = float(2 ** (bits - 1))
    return float(np.abs(samples - (half if kind == "u" else 0.0)).max(initial=0.0)) / half
