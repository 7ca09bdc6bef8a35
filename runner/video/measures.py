"""The measures of a clip: their names, what each is, and the record of those that were taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from runner.model import Image, Measured

# Frames are measured otherwise from version to version: what an older one measured is measured again.
VERSION = 1

# In the order in which they are shown. `duplicate_of` is no figure of a clip alone: the index adds it.
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "frozen": "share of the frames that stand still, 0 to 1",
        "black": "share of the frames that are black, 0 to 1",
        "cuts": "number of hard cuts",
        "flash": "flashes in the worst second",
        "flicker": "mean change of the brightness from frame to frame that motion does not explain, of 255",
        "motion": "mean length of the flow, in shares of the width a second",
        "sharpness": "sharpness at the end over that at the start",
        "drift": "CIEDE2000 between the mean colours of start and end",
        "first_frame": "likeness of the first frame to the picture, 0 to 1",
        "last_frame": "likeness of the last frame to the tail picture, 0 to 1",
        "zoom": "scale at the end over the start; above 1 is a push in",
        "pan": "way of the camera to the right, in shares of the width",
        "tilt": "way of the camera up, in shares of the height",
        "roll": "turn of the camera, clockwise, in degrees",
        "wobble": "what the camera does not explain of the flow, in shares of the width a second",
        "sound": "whether there is sound to be heard; 1 in a threshold",
    }
)
# Those that are taken from the flow, with OpenCV.
OF_FLOW = ("motion", "zoom", "pan", "tilt", "roll", "wobble")
DUPLICATE = "duplicate_of"


@dataclass(frozen=True, slots=True)
class ViewOrder:
    """What to look for in a clip: its hash, the folder below which previews go (None: make none), the pictures that
    the first and the last frame are held against, whether to measure it, and when it came, in Unix seconds (None: now):
    the oldest previews go first."""

    sha256: str
    output_dir: Path | None = None
    first: Image | None = None
    last: Image | None = None
    measures: bool = True
    came_at: float | None = None


def unmeasured(note: str = "") -> Measured:
    """What is known of a clip that could not be measured."""
    return Measured(dict.fromkeys(MEASURES), note=note, version=VERSION)
