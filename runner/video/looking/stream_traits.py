"""What a stream tells of its frames, and what is taken where it tells nothing that makes sense."""

from __future__ import annotations

from fractions import Fraction

import av

_USUAL_RATE = Fraction(24)
# How colours may be stored (H.264, table E-5), and the height from which on BT.709 is usual.
_IS_RGB, _BT709, _UNTOLD, _BT601, _HIGH = 0, 1, 2, 6, 720


def rate_of(stream: av.VideoStream) -> Fraction:
    """Frames a second."""
    rate = stream.average_rate
    return Fraction(rate) if rate and 1 <= rate <= 240 else _USUAL_RATE


def matrix_of(stream: av.VideoStream) -> int:
    """How the colours are stored. Where a clip does not say it, players go by its height, which the copy has not."""
    told = int(stream.codec_context.colorspace)
    if told in (_IS_RGB, _UNTOLD):
        return _BT709 if told == _IS_RGB or stream.height >= _HIGH else _BT601
    return told


def squeeze_of(stream: av.VideoStream) -> float:
    """How wide a pixel is, where its height is 1."""
    ratio = float(stream.sample_aspect_ratio or 1)
    return ratio if 0.1 <= ratio <= 10 else 1.0
