"""Pictures in the form that H.264 takes: BT.709, limited range, brightness apart from colour."""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

BLACK = 16
GREY = 128
WHITE = 235


@dataclass(frozen=True, slots=True)
class Planes:
    """A picture as brightness and two colour differences of half its width and height, each an 8-bit grey picture."""

    luma: Image.Image
    blue: Image.Image
    red: Image.Image

    @classmethod
    def of(cls, picture: Image.Image) -> Planes:
        """From an RGB picture with even sides."""
        frame = av.VideoFrame(picture.width, picture.height, "rgb24")
        frame.planes[0].update(picture.tobytes("raw", "RGB", frame.planes[0].line_size, 1))
        frame = frame.reformat(format="yuv444p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
        luma, blue, red = (
            Image.frombytes("L", picture.size, bytes(plane), "raw", "L", plane.line_size, 1) for plane in frame.planes
        )
        return cls(luma, blue.reduce(2), red.reduce(2))

    def frame(self) -> av.VideoFrame:
        """As a frame for the encoder."""
        frame = av.VideoFrame(self.luma.width, self.luma.height, "yuv420p")
        for plane, picture in zip(frame.planes, (self.luma, self.blue, self.red), strict=True):
            plane.update(picture.tobytes("raw", "L", plane.line_size, 1))
        frame.colorspace = Colorspace.ITU709
        frame.color_range = ColorRange.MPEG
        return frame

    def picture(self) -> Image.Image:
        """As an RGB picture."""
        plane = self.frame().reformat(format="rgb24").planes[0]
        return Image.frombytes("RGB", self.luma.size, bytes(plane), "raw", "RGB", plane.line_size, 1)
