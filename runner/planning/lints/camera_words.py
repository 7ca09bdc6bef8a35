"""What a prompt says of the camera: its moves, by English words."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

# The verbs of camera moves, and the words for a camera that stands.
VERBS = (
    *("arc", "circle", "crane", "creep", "dolly", "orbit", "pan", "pedestal"),
    *("pull", "push", "rotate", "slide", "tilt", "track", "truck", "zoom"),
)
STILL = ("static", "stationary", "tripod", "unmoving", "motionless")


class CameraMove(StrEnum):
    """A way of the camera."""

    PUSH_IN = "push in"
    PULL_OUT = "pull out"
    PAN = "pan"
    PAN_LEFT = "pan left"
    PAN_RIGHT = "pan right"
    TILT = "tilt"
    TILT_UP = "tilt up"
    TILT_DOWN = "tilt down"
    ORBIT = "orbit"
    HANDHELD = "handheld"
    STATIC = "static"


# From a verb to its direction, and on: "pans slowly to the left", but not across a comma or a full stop.
_TO = r"\w*(?:[- ]\w+){0,3}?[- ]"
_SIDEWAYS = rf"(?:pan|truck|track|slid){_TO}"
_UPRIGHT = rf"(?:tilt|crane|boom|pedestal){_TO}"
# What is not wanted: "no camera movement", "without any zoom", "not panning left".
_NEGATED = re.compile(r"\b(?:no|not|without|avoid|never|don't|do not)(?: any| a| the)?(?: [\w-]+){1,2}", re.IGNORECASE)
_HELD = r"\b(?:no|without(?: any)?) (?:camera )?(?:motion|movement)\b"
_STANDING = r"static|stationary|unmoving|motionless|fixed|locked(?:[- ](?:off|down))?|still"
# The camera may be pushed, a door may be pulled: where nothing else is said, `in` and `out` must follow the verb.
_MOVES = {
    CameraMove.PUSH_IN: r"(?:push|dolly|dollies|zoom|creep)\w*[- ](?:\w+ )?in|push-?in"
    rf"|(?:dolly|zoom){_TO}(?:closer|towards?)",
    CameraMove.PULL_OUT: r"(?:pull|dolly|dollies|zoom)\w*[- ](?:\w+ )?(?:out|back|away)|pull-?(?:out|back)",
    CameraMove.PAN_LEFT: f"{_SIDEWAYS}left(?:wards?)?",
    CameraMove.PAN_RIGHT: f"{_SIDEWAYS}right(?:wards?)?",
    CameraMove.TILT_UP: f"{_UPRIGHT}up(?:wards?)?",
    CameraMove.TILT_DOWN: f"{_UPRIGHT}down(?:wards?)?",
    CameraMove.ORBIT: r"orbit(?:s|ing)?|arc shot|(?:arc|circl)(?:s|es|ing)? around",
    CameraMove.HANDHELD: r"hand-?held|hand held|shaky camera|camera shake",
    CameraMove.STATIC: rf"(?:{_STANDING}) (?:camera|shot|frame|tripod)"
    rf"|(?:camera|shot) (?:is |stays |remains )?(?:{_STANDING})|on a tripod|tripod shot|locked[- ]off",
}
_ALONE = {
    CameraMove.PAN: r"pan(?:s|ning)?|panning shot",
    CameraMove.TILT: r"tilt(?:s|ing)? (?:shot|camera)|camera tilts?",
}
_DIRECTED = {
    CameraMove.PAN: (CameraMove.PAN_LEFT, CameraMove.PAN_RIGHT),
    CameraMove.TILT: (CameraMove.TILT_UP, CameraMove.TILT_DOWN),
}


@lru_cache(maxsize=1024)
def moves_of(prompt: str) -> frozenset[CameraMove]:
    """The moves of the camera that a prompt asks for. What it rules out is none of them."""
    wanted = _NEGATED.sub(" ", prompt)
    found = {move for move, words in _MOVES.items() if _says(words, wanted)}
    found |= {move for move, words in _ALONE.items() if not found & {*_DIRECTED[move]} and _says(words, wanted)}
    if re.search(_HELD, prompt, re.IGNORECASE):
        found.add(CameraMove.STATIC)
    # A single word says it where it is the only one: "static, soft light".
    if not found and _says(r"static|tripod", wanted):
        found.add(CameraMove.STATIC)
    return frozenset(found)


def _says(words: str, prompt: str) -> bool:
    return re.search(rf"\b(?:{words})\b", prompt, re.IGNORECASE) is not None
