"""What a payload asks of a clip, in the words of any model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.sandbox.catalog import Schema
from runner.sandbox.film.frames import Size

_LONGEST = 30  # seconds
_USUAL_SECONDS = 5
# What models call it that have no portable names.
_NAMES = {
    "seconds": ("duration", "seconds", "durationSeconds", "video_length"),
    "aspect_ratio": ("aspect_ratio", "aspectRatio", "ratio"),
    "resolution": ("resolution", "size", "quality", "video_resolution"),
    "sound": ("sound", "audio", "generate_audio", "generateAudio", "generate_audio_switch"),
}
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*s?\s*", re.IGNORECASE)
_RATIO = re.compile(r"\b(\d{1,5}(?:\.\d{1,5})?)\s*:\s*(\d{1,5}(?:\.\d{1,5})?)\b")
_BOX = re.compile(r"\b([1-9]\d{1,4})\s*[x*]\s*([1-9]\d{1,4})\b", re.IGNORECASE)
_LINES = re.compile(r"\b(?:([1-9]\d{2,3})p|([248])k)\b", re.IGNORECASE)
_LINES_OF_K = 540
_WIDEST = 4.0  # width / height, or the reverse


@dataclass(frozen=True, slots=True)
class Screenplay:
    """A clip as it is asked for. `strength` (0 to 1) is that of the moves, `frame` the words for its size."""

    prompt: str
    strength: float
    seconds: int
    has_sound: bool
    frame: str

    def size(self, picture: Size) -> Size:
        """Width and height of the clip: what is asked for, and the rest as the picture has it."""
        base = box_of(self.frame) or picture
        ratio, lines = _RATIO.search(self.frame), _LINES.search(self.frame)
        share = float(ratio[1]) / max(float(ratio[2]), 1e-3) if ratio else base[0] / base[1]
        share = min(_WIDEST, max(1 / _WIDEST, share))
        shorter = _lines(lines) if lines else min(base)
        return (round(shorter * share), shorter) if share >= 1 else (shorter, round(shorter / share))


def screenplay(payload: Mapping[str, object], parameters: Mapping[str, Schema]) -> Screenplay:
    """What a payload with the defaults of its model asks for."""
    asked: dict[str, list[object]] = {name: [] for name in _NAMES}
    for name, rules in parameters.items():
        for portable, value in _portable(name, rules, payload.get(name)):
            asked.setdefault(portable, []).append(value)
    for name, names in _NAMES.items():
        asked[name] += [payload[each] for each in names if each in payload]
    return Screenplay(
        prompt=str(payload.get("prompt") or ""),
        strength=min(1.0, max(0.0, _number(payload.get("cfg_scale"), 0.5))),
        seconds=round(min(_LONGEST, max(1, _number(next(iter(asked["seconds"]), None), _USUAL_SECONDS)))),
        has_sound=str(next(iter(asked["sound"]), "")).lower() in ("true", "on", "yes"),
        frame=" ".join(str(each) for name in ("aspect_ratio", "resolution") for each in asked[name]),
    )


def box_of(text: str) -> Size | None:
    """The width and height in a text such as 1280x720 or 1280*720."""
    found = _BOX.search(text)
    return (int(found[1]), int(found[2])) if found else None


def _portable(name: str, rules: Schema, value: object) -> Iterator[tuple[str, object]]:
    """What the value of a parameter is in portable values, and as it is."""
    told = rules.get("x-portable", {})
    of = told if isinstance(told, str) else told.get("of", ())
    names = [of] if isinstance(of, str) else list(of)
    words = {} if isinstance(told, str) else told.get("words", {})
    if value is None:
        return
    if rules.get("x-seconds"):
        yield "seconds", value
    for word in (word for word, given in words.items() if given == value):
        yield from zip(names, word.split(" "), strict=False)
    for each in names:
        yield each, value


def _lines(found: re.Match[str]) -> int:
    return int(found[1]) if found[1] else int(found[2]) * _LINES_OF_K


def _number(value: object, otherwise: float) -> float:
    """The value as a number; a text may hold one, as for durations: 5, or 5s."""
    found = _NUMBER.fullmatch(str(value))
    return float(found[1]) if found and not isinstance(value, bool) else otherwise
