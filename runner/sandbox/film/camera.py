"""How the camera moves: from the words of a prompt to one view for each frame."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from runner.sandbox.film.seed import Seed

# While the camera turns, low parts of the picture move against high parts, by this share of the turn.
LEAN = 0.2
# The distance of the widest view from the picture's edges. Without it, rounding errors would cross them.
_MARGIN = 1e-9


@dataclass(frozen=True, slots=True)
class View:
    """A position of the camera, or a step between two positions: views can be added."""

    x: float = 0.0  # from the middle of the picture to the middle of the view, in half picture widths
    y: float = 0.0  # the same in half picture heights, downwards
    near: float = 0.0  # the logarithm of the zoom
    turn: float = 0.0  # to the side: the share by which the right edge is larger than the middle

    def plus(self, step: View, share: float = 1.0) -> View:
        return View(
            self.x + share * step.x,
            self.y + share * step.y,
            self.near + share * step.near,
            self.turn + share * step.turn,
        )

    @property
    def overhang(self) -> float:
        """How much must be added to `near` so that the view shows nothing outside the picture."""
        spread = (1 + LEAN * abs(self.turn)) / (1 - abs(self.turn))
        return math.log(spread / (1 - max(abs(self.x), abs(self.y)))) - self.near + _MARGIN


# Between a verb and its direction: "pans slowly to the left", but not across a comma or a full stop.
_TO = r"\w*(?:[- ]\w+){0,3}?[- ]"
_SIDEWAYS = rf"(?:pan|truck|track|slid){_TO}"
_UPRIGHT = rf"(?:tilt|crane|boom|pedestal){_TO}"
_AROUND = rf"(?:orbit|rotat|arc|circl){_TO}"
# For each move: half of it, the words that ask for its reverse, the words that ask for itself, and the words that leave
# the direction to the seed.
_MOVES = (
    (
        View(near=0.09),
        rf"(?:pull|zoom|dolly){_TO}(?:out|back|away|backwards?)|mov{_TO}backwards?|pull-?(?:out|back)",
        rf"(?:push|zoom|dolly|creep){_TO}in|(?:push|zoom|dolly|creep|mov){_TO}(?:closer|towards?)|push-?in"
        r"|zoom(?:s|ing)?",
        None,
    ),
    (View(x=0.1), f"{_SIDEWAYS}left", f"{_SIDEWAYS}right", "pan(?:s|ning)?"),
    (View(y=0.12), f"{_UPRIGHT}up", f"{_UPRIGHT}down", "tilt(?:s|ing)?"),
    (
        View(turn=0.08, near=0.02),
        f"{_AROUND}left",
        f"{_AROUND}right",
        r"orbit(?:s|ing)?|rotat(?:e|es|ing|ion)|arc shot|arcs? around|circl(?:es|ing) around",
    ),
)
_HANDHELD = r"hand-?held|hand held|shaky|shaking camera"
_STILL = (
    r"static|locked|tripod|(?:still|fixed|motionless|stationary) (?:camera|shot|frame)"
    r"|(?:no|without(?: any)?) (?:camera )?(?:motion|movement)"
)
_NEGATED = r"\b(?:no|not|without|avoid|never)(?: any| a)? [\w-]+(?: (?:in|out|left|right|up|down))?\b"
# The shaking of a hand: waves a second, and their relative height. Their periods do not coincide.
_SWAY = ((0.31, 1.0), (0.73, 0.5), (1.61, 0.22))


def course(prompt: str, cfg_scale: float, seconds: float, frames: int, seed: Seed) -> list[View]:
    """One view for each frame, none of which shows anything outside the picture.

    `cfg_scale` (0 to 1) makes the moves larger. The seed makes each take different.
    """
    move, shaky = _requested(prompt, seed)
    strength = (0.45 + 1.1 * cfg_scale) * seed.between("amount", 0.88, 1.12)
    framing = View(seed.between("frame x", -0.007, 0.007), seed.between("frame y", -0.012, 0.012))
    views = []
    for number in range(frames):
        progress = number / max(1, frames - 1)
        view = framing.plus(move, strength * (2 * progress * progress * (3 - 2 * progress) - 1))
        views.append(view.plus(_tremor(progress * seconds, seed), strength) if shaky else view)
    nearer = View(near=max(view.overhang for view in views))
    return [view.plus(nearer) for view in views]


def _requested(prompt: str, seed: Seed) -> tuple[View, bool]:
    """Half of the move that the prompt asks for, and whether the camera is handheld."""
    wanted = re.sub(_NEGATED, " ", prompt, flags=re.IGNORECASE)
    asked, shaky = View(), _says(_HANDHELD, wanted)
    for move, back, forth, either in _MOVES:
        if either and _says(either, wanted):
            asked = asked.plus(move, _sign(wanted, back, forth) or (1.0 if seed.unit(either) < 0.5 else -1.0))
        else:
            asked = asked.plus(move, _sign(wanted, back, forth))
    if asked != View():
        return asked.plus(View(seed.between("aside", -0.02, 0.02), seed.between("level", -0.02, 0.02))), shaky
    if shaky or _says(_STILL, prompt):
        return asked, shaky
    return View(seed.between("drift", -0.03, 0.03), seed.between("rise", -0.02, 0.02), near=0.035), False


def _sign(wanted: str, back: str, forth: str) -> float:
    return -1.0 if _says(back, wanted) else 1.0 if _says(forth, wanted) else 0.0


def _says(words: str, prompt: str) -> bool:
    return re.search(rf"\b(?:{words})\b", prompt, re.IGNORECASE) is not None


def _tremor(seconds: float, seed: Seed) -> View:
    """Breathing and small corrections."""
    x, y = (
        sum(height * seed.wave(f"{axis} {rate}", rate * seconds) for rate, height in _SWAY) for axis in ("sway", "lift")
    )
    return View(0.01 * x, 0.016 * y, near=0.006 * seed.wave("lean in", 0.23 * seconds))
