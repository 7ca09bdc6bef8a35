"""A clip on a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Shown:
    """A clip with the two lines below it; its length in seconds, its width and height in pixels."""

    file: Path
    title: str
    below: str
    seconds: float
    width: int
    height: int
