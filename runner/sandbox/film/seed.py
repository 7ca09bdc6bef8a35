"""Randomness that is the same on every machine: named draws from a text."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

_STEPS = 1 << 53


@dataclass(frozen=True, slots=True)
class Seed:
    """Draws have names, so that a new draw somewhere does not change the others."""

    text: str

    def unit(self, name: str) -> float:
        """A number in [0, 1), uniformly distributed over names and texts."""
        digest = hashlib.sha256(f"{self.text}/{name}".encode("utf-8", "surrogatepass")).digest()
        return (int.from_bytes(digest[:8], "big") >> 11) / _STEPS

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * self.unit(name)

    def wave(self, name: str, turns: float) -> float:
        """A sine with a drawn phase, in [-1, 1]. `turns` is the number of periods since the start."""
        return math.sin(2 * math.pi * (turns + self.unit(name)))
