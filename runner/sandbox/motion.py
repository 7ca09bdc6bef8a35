"""How the camera moves: from the words of a prompt to one view for each frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from runner.sandbox.lens import View, combine
from runner.sandbox.seed import Seed

# The clip of ten seconds may go further than that of five, but not twice as far.
_LONG_SECONDS = 10.0
_LONG_GAIN = 0.25


class Move(StrEnum):
    """A movement of the camera that a prompt can ask for."""

    PUSH_IN = "push in"
    PULL_OUT = "pull out"
    PAN_LEFT = "pan left"
    PAN_RIGHT = "pan right"
    TILT_UP = "tilt up"
    TILT_DOWN = "tilt down"
    ORBIT_LEFT = "orbit left"
    ORBIT_RIGHT = "orbit right"
    ROLL_LEFT = "roll left"
    ROLL_RIGHT = "roll right"
    HANDHELD = "handheld"
    STATIC = "static"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the clip: the eased share of the way (0 to 1), the seconds since the start, the strength of moves."""

    way: float
    seconds: float
    strength: float
    seed: Seed

    @property
    def swing(self) -> float:
        """From -1 at the start to 1 at the end."""
        return 2 * self.way - 1


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


# Between a verb and its direction: "pans slowly to the left", but not across a comma or a full stop.
_BETWEEN = r"\w*(?:[- ]\w+){0,3}?[- ]"
_STILL = _words(
    r"static|locked|tripod|(?:still|fixed|motionless|stationary) (?:camera|shot|frame)"
    r"|(?:no|without(?: any)?) (?:camera )?(?:motion|movement)"
)
_NEGATED = _words(r"(?:no|not|without|avoid|never)(?: any| a)? [\w-]+(?: (?:in|out|left|right|up|down))?")
_HANDHELD = _words(r"hand-?held|hand held|shaky|shaking camera")
_PUSH = _words(
    rf"(?:push|zoom|dolly|creep){_BETWEEN}in|(?:push|zoom|dolly|creep|mov){_BETWEEN}(?:closer|towards?)"
    rf"|push-?in|zoom(?:s|ing)?(?!{_BETWEEN}(?:out|back|away))"
)
_PULL = _words(rf"(?:pull|zoom|dolly){_BETWEEN}(?:out|back|away|backwards?)|pull-?(?:out|back)|mov{_BETWEEN}backwards?")

# Verb, the two directions with their moves; without a direction the seed chooses where that is allowed.
_DIRECTED = (
    (r"pan(?:s|ning)?", True, {"left": Move.PAN_LEFT, "right": Move.PAN_RIGHT}),
    (r"(?:truck|track|slid|slide)(?:s|ing)?", False, {"left": Move.PAN_LEFT, "right": Move.PAN_RIGHT}),
    (r"tilt(?:s|ing)?", True, {"up": Move.TILT_UP, "down": Move.TILT_DOWN}),
    (r"(?:crane|boom|pedestal)(?:s|ing)?", False, {"up": Move.TILT_UP, "down": Move.TILT_DOWN}),
    (r"orbit(?:s|ing)?|rotat(?:e|es|ing|ion)|arc shot|arcs? around|circl(?:es|ing) around", True,
     {"left": Move.ORBIT_LEFT, "right": Move.ORBIT_RIGHT}),
    (r"(?:camera |dutch |barrel )rolls?|spin(?:s|ning)?", True, {"left": Move.ROLL_LEFT, "right": Move.ROLL_RIGHT}),
)  # fmt: skip


def moves(prompt: str, seed: Seed) -> tuple[Move, ...]:
    """The moves that the prompt asks for, in a fixed order; a gentle drift when it asks for none."""
    wanted = _NEGATED.sub(" ", prompt)
    found = {move for move in (_directed(wanted, *rule, seed) for rule in _DIRECTED) if move}
    found |= {move for move, words in ((Move.PUSH_IN, _PUSH), (Move.PULL_OUT, _PULL)) if words.search(wanted)}
    if _HANDHELD.search(wanted):
        found.add(Move.HANDHELD)
    if not found:
        found.add(Move.STATIC if _STILL.search(prompt) else Move.DRIFT)
    return tuple(move for move in Move if move in found)


def path(chosen: tuple[Move, ...], cfg_scale: float, seconds: float, frames: int, seed: Seed) -> tuple[View, ...]:
    """One view for each frame. `cfg_scale` (0 to 1) makes the moves stronger, the seed makes each take its own."""
    longer = 1 + _LONG_GAIN if seconds >= _LONG_SECONDS else 1
    strength = (0.45 + 1.1 * cfg_scale) * longer * seed.between("amount", 0.88, 1.12)
    moments = [_moment(number, frames, seconds, strength, seed) for number in range(frames)]
    return tuple(combine([_framing(seed), *(_VIEWS[move](moment) for move in chosen)]) for moment in moments)


def _directed(prompt: str, verb: str, free: bool, directions: dict[str, Move], seed: Seed) -> Move | None:
    choices = "|".join(directions)
    match = re.search(rf"\b(?:{verb})\b(?:[- ]\w+){{0,3}}?[- ]({choices})\b", prompt, re.IGNORECASE)
    if match:
        return directions[match.group(1).lower()]
    if free and re.search(rf"\b(?:{verb})\b", prompt, re.IGNORECASE):
        ways = list(directions.values())
        return ways[int(seed.unit(f"direction of {verb}") * len(ways))]
    return None


def _moment(number: int, frames: int, seconds: float, strength: float, seed: Seed) -> Moment:
    share = number / max(1, frames - 1)
    return Moment(share * share * (3 - 2 * share), share * seconds, strength, seed)


def _framing(seed: Seed) -> View:
    """A slightly different framing of the picture in each take."""
    return View(x=seed.between("frame x", -0.007, 0.007), y=seed.between("frame y", -0.012, 0.012))


def _closer(moment: Moment, way: float) -> View:
    """Towards a point near the centre, which stays where it is in the window."""
    zoom = 1 + 0.2 * moment.strength * way
    pull = 1 - 1 / zoom
    x, y = moment.seed.between("focus x", -0.2, 0.2), moment.seed.between("focus y", -0.25, 0.2)
    return View(x=pull * x, y=pull * y, zoom=zoom)


def _pan(moment: Moment, direction: float) -> View:
    travel = direction * 0.1 * moment.strength
    return View(x=travel * moment.swing, y=moment.seed.between("level", -0.02, 0.02) * moment.swing)


def _tilt(moment: Moment, direction: float) -> View:
    travel = direction * 0.12 * moment.strength
    return View(x=moment.seed.between("level", -0.012, 0.012) * moment.swing, y=travel * moment.swing)


def _orbit(moment: Moment, direction: float) -> View:
    turn = direction * moment.strength * moment.swing
    return View(yaw=0.13 * turn, x=-0.034 * turn, lean=0.02 * turn, zoom=1 + 0.04 * moment.strength * moment.way)


def _roll(moment: Moment, direction: float) -> View:
    return View(roll=direction * 0.06 * moment.strength * moment.swing, zoom=1 + 0.06 * moment.strength * moment.way)


def _handheld(moment: Moment) -> View:
    """Breathing and small corrections: slow waves whose periods never meet."""
    seed, time = moment.seed, moment.seconds
    x = seed.wave("sway", 0.31 * time) + 0.5 * seed.wave("step", 0.73 * time) + 0.22 * seed.wave("tremor", 1.61 * time)
    y = seed.wave("lift", 0.27 * time) + 0.5 * seed.wave("breath", 0.61 * time) + 0.22 * seed.wave("pulse", 1.37 * time)
    size = 0.016 * moment.strength
    return View(x=0.6 * size * x, y=size * y, zoom=1 + 0.35 * size * seed.wave("lean in", 0.23 * time))


def _drift(moment: Moment) -> View:
    side = moment.seed.sign("drift") * moment.seed.between("drift amount", 0.012, 0.028)
    return View(
        x=side * moment.strength * moment.swing,
        y=moment.seed.between("rise", -0.02, 0.02) * moment.strength * moment.swing,
        zoom=1 + 0.07 * moment.strength * moment.way,
    )


_VIEWS: dict[Move, Callable[[Moment], View]] = {
    Move.PUSH_IN: lambda moment: _closer(moment, moment.way),
    Move.PULL_OUT: lambda moment: _closer(moment, 1 - moment.way),
    Move.PAN_LEFT: lambda moment: _pan(moment, -1),
    Move.PAN_RIGHT: lambda moment: _pan(moment, 1),
    Move.TILT_UP: lambda moment: _tilt(moment, -1),
    Move.TILT_DOWN: lambda moment: _tilt(moment, 1),
    Move.ORBIT_LEFT: lambda moment: _orbit(moment, -1),
    Move.ORBIT_RIGHT: lambda moment: _orbit(moment, 1),
    Move.ROLL_LEFT: lambda moment: _roll(moment, -1),
    Move.ROLL_RIGHT: lambda moment: _roll(moment, 1),
    Move.HANDHELD: _handheld,
    Move.STATIC: lambda moment: View(),
    Move.DRIFT: _drift,
}
