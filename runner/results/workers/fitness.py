"""Whether a worker measures as this process does."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec

from runner.version import RELEASE
from runner.video.measures import VERSION


def has_opencv() -> bool:
    """Whether the extra is there that motion and camera are measured with."""
    return find_spec("cv2") is not None


@dataclass(frozen=True, slots=True)
class Fitness:
    """What decides how a process measures: its release of reelrun, how that measures, its Python, and OpenCV."""

    release: str
    measures: int
    python: str
    opencv: bool

    def lacks(self, wanted: Fitness) -> str:
        """What keeps a worker from measuring as is wanted; empty if nothing does."""
        pairs = {
            "reelrun": (self.release, wanted.release),
            "version of the measures": (self.measures, wanted.measures),
            "Python": (self.python, wanted.python),
        }
        found = [f"{name} {has}, here it is {want}" for name, (has, want) in pairs.items() if has != want]
        return "; ".join([*found, *["no OpenCV, which is here"] * (wanted.opencv and not self.opencv)])


def fitness() -> Fitness:
    """That of the process that calls this."""
    return Fitness(RELEASE, VERSION, "{}.{}".format(*sys.version_info), has_opencv())
