"""The camera of a prompt, held against the one that was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set

from runner.model import Measure
from runner.planning.lints.camera_words import CameraMove, moves_of

# From here on a zoom (as the logarithm of its scale), a pan and a tilt is one that people see.
_ZOOM, _PAN, _TILT = 0.055, 0.05, 0.06
# Below these the camera does not go where it was to go.
_LEAST = {"zoom": 0.02, "pan": 0.02, "tilt": 0.02}
# Shares of the width a second: a camera that stands still, and one that surely moves. And how far one that stands gets.
_STILL, _MOVING, _NOWHERE = 0.003, 0.006, 0.015
# The mean way of a point when the picture is scaled or turned by a little, in shares of the width; and how much further
# than it gets a shaken camera goes.
_LEVER, _SHAKEN = 0.28, 2.2
_SIGNS = {
    CameraMove.PUSH_IN: ("zoom", 1),
    CameraMove.PULL_OUT: ("zoom", -1),
    CameraMove.PAN_RIGHT: ("pan", 1),
    CameraMove.PAN_LEFT: ("pan", -1),
    CameraMove.TILT_UP: ("tilt", 1),
    CameraMove.TILT_DOWN: ("tilt", -1),
    CameraMove.PAN: ("pan", 0),
    CameraMove.TILT: ("tilt", 0),
}
# One after the other, they leave nothing to be measured.
_OPPOSITES = (
    {CameraMove.PUSH_IN, CameraMove.PULL_OUT},
    {CameraMove.PAN_LEFT, CameraMove.PAN_RIGHT},
    {CameraMove.TILT_UP, CameraMove.TILT_DOWN},
)


def contradictions(prompt: str, values: Mapping[str, Measure], seconds: float) -> Iterator[str]:
    """Where the camera did not do what the prompt says, in words. Nothing where it was not measured."""
    measured = _Camera.of(values)
    if measured is None:
        return
    for move in sorted(_expected(moves_of(prompt))):
        if not measured.follows(move, seconds):
            yield f"the prompt says {move}; the camera measured: {measured}"


def _expected(moves: Set[CameraMove]) -> Set[CameraMove]:
    """What must be seen at the end. A camera that moves and also stands still does one after the other."""
    undone = set().union(*(pair for pair in _OPPOSITES if pair <= moves))
    return moves - undone - ({CameraMove.STATIC} if len(moves) > 1 else set())


def named(values: Mapping[str, Measure], seconds: float) -> CameraMove | None:
    """The move that best names the camera that was measured; None if none was."""
    camera = _Camera.of(values)
    return None if camera is None else camera.name(seconds)


class _Camera:
    """The camera of a clip by its measures."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._ways = {"zoom": math.log(values["zoom"]), "pan": values["pan"], "tilt": values["tilt"]}
        self._zoom, self._roll = values["zoom"], math.radians(values["roll"])
        self._moving = max(0.0, values["motion"] - values["wobble"])

    @classmethod
    def of(cls, values: Mapping[str, Measure]) -> _Camera | None:
        known = {name: values.get(name) for name in ("zoom", "pan", "tilt", "roll", "motion", "wobble")}
        numbers = {name: float(value) for name, value in known.items() if value is not None}
        return cls(numbers) if len(numbers) == len(known) and numbers["zoom"] > 0 else None

    def __str__(self) -> str:
        return f"zoom {self._zoom:.2f}, pan {self._ways['pan']:+.2f}, tilt {self._ways['tilt']:+.2f}"

    def name(self, seconds: float) -> CameraMove:
        zoom, pan, tilt = self._ways["zoom"], self._ways["pan"], self._ways["tilt"]
        strength, move = max(
            (abs(zoom) / _ZOOM, CameraMove.PUSH_IN if zoom > 0 else CameraMove.PULL_OUT),
            (abs(pan) / _PAN, CameraMove.PAN_RIGHT if pan > 0 else CameraMove.PAN_LEFT),
            (abs(tilt) / _TILT, CameraMove.TILT_UP if tilt > 0 else CameraMove.TILT_DOWN),
        )
        if strength >= 1:
            return move
        got = math.hypot(pan, tilt) + _LEVER * (abs(zoom) + abs(self._roll))
        if self._moving < _STILL and got < _NOWHERE:
            return CameraMove.STATIC
        return CameraMove.HANDHELD if self._moving * seconds > _SHAKEN * got else CameraMove.ORBIT

    def follows(self, move: CameraMove, seconds: float) -> bool:
        if move in _SIGNS:
            way, sign = _SIGNS[move]
            gone = self._ways[way]
            return (gone * sign if sign else abs(gone)) >= _LEAST[way]
        name = self.name(seconds)
        if move is CameraMove.STATIC:
            return self._moving < _MOVING or name in (CameraMove.STATIC, CameraMove.HANDHELD, CameraMove.ORBIT)
        return name is not CameraMove.STATIC
