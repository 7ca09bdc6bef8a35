"""The light of a clip: a little of what the prompt says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.sandbox.seed import Seed


@dataclass(frozen=True, slots=True)
class Mood:
    """Each from 0 to 1, but `warmth`, which goes from -1 (cold) to 1 (warm)."""

    warmth: float
    vignette: float
    sweep: float  # how bright the soft band of light is that crosses the picture once
    slant: float  # of the band: how far it leans from bottom to top, in windows


_WARM = r"warm\w*|sunset|sunrise|golden|autumn|candle\w*|fire\w*|amber|dawn|dusk"
_COLD = r"cold|cool|snow\w*|winter|ice|icy|frost\w*|moon\w*|night|blue hour"
_DARK = r"dark\w*|night|moody|dramatic|noir|storm\w*|shadow\w*|mysterious|cinematic"
_LIGHT = r"light\w*|sun\w*|glow\w*|gleam\w*|shimmer\w*|shin\w*|sparkl\w*|reflect\w*|neon"


def mood(prompt: str, seed: Seed) -> Mood:
    """The mood that the words of the prompt suggest; a faint vignette when they suggest none."""
    return Mood(
        warmth=_has(_WARM, prompt) - _has(_COLD, prompt),
        vignette=0.3 + 0.4 * _has(_DARK, prompt),
        sweep=_has(_LIGHT, prompt) * seed.between("sweep", 0.7, 1.0),
        slant=seed.between("slant", -0.3, 0.3),
    )


def _has(words: str, prompt: str) -> float:
    return 1.0 if re.search(rf"\b(?:{words})\b", prompt, re.IGNORECASE) else 0.0
