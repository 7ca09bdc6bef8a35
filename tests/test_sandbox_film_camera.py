from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.sandbox.film.camera import LEAN, View, course
from runner.sandbox.film.seed import Seed

SEED = Seed("a request/1")
# A prompt for each move, the part of a view that it changes, and the way that this goes.
MOVES = [
    ("slow push-in", "near", 1),
    ("slow pull-out", "near", -1),
    ("pan left", "x", -1),
    ("pan right", "x", 1),
    ("tilt up", "y", -1),
    ("tilt down", "y", 1),
    ("orbit left", "turn", -1),
    ("orbit right", "turn", 1),
    ("a shoe", "near", 1),
]
PROMPTS = [*(prompt for prompt, _, _ in MOVES), "handheld", "static camera"]


def walk(prompt: str, cfg: float = 0.5, seed: Seed = SEED, frames: int = 120) -> list[View]:
    return course(prompt, cfg, 5, frames, seed)


def travel(views: list[View]) -> dict[str, float]:
    """How far the camera goes, by part."""
    return {part: getattr(views[-1], part) - getattr(views[0], part) for part in ("x", "y", "near", "turn")}


def asked(prompt: str, seed: Seed = SEED) -> str:
    """What a prompt moves, as `+near -x`; a drift of its own accord is none of it."""
    views = walk(prompt, seed=seed)
    if len({(view.x, view.y) for view in views}) == 1:
        return "nothing"
    signs = [f"{'+' if way > 0 else '-'}{part}" for part, way in travel(views).items() if abs(way) > 0.1]
    return " ".join(signs) or "a little"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("The shoe on wet rock, slow push-in", "+near"),
        ("the camera pushes slowly in", "+near"),
        ("Zoom", "+near"),
        ("dolly in", "+near"),
        ("moves closer to the cup", "+near"),
        ("zooms out slowly", "-near"),
        ("Pull back to reveal the valley", "-near"),
        ("slow pull-out", "-near"),
        ("pan left", "-x"),
        ("The camera pans slowly to the RIGHT.", "+x"),
        ("tilt up", "-y"),
        ("tilting gently down", "+y"),
        ("orbit left", "-turn"),
        ("it rotates to the right", "+turn"),
        ("push in, tilt up", "-y +near"),
        ("static shot", "nothing"),
        ("locked-off, no camera movement", "nothing"),
        ("static background, slow push-in", "+near"),
        ("no zoom, pan left", "-x"),
        ("without panning", "a little"),
        ("rolling hills, people moving in the street", "a little"),
        ("handheld", "a little"),
        ("", "a little"),
    ],
)
def test_words_become_moves(prompt: str, expected: str) -> None:
    assert asked(prompt) == expected


@pytest.mark.parametrize("prompt", ["pan", "tilt", "orbit", "rotate"])
def test_the_seed_chooses_a_direction_that_the_prompt_leaves_open(prompt: str) -> None:
    assert len({asked(prompt, Seed(str(number))) for number in range(20)}) == 2


@pytest.mark.parametrize(("prompt", "part", "sign"), MOVES)
def test_a_move_goes_its_way_and_never_back(prompt: str, part: str, sign: int) -> None:
    values = [sign * getattr(view, part) for view in walk(prompt)]
    assert all(later >= earlier for earlier, later in pairwise(values))
    assert values[-1] > values[0] + 0.03


@pytest.mark.parametrize(("prompt", "part"), [(prompt, part) for prompt, part, _ in MOVES])
def test_a_move_starts_and_ends_softly(prompt: str, part: str) -> None:
    steps = [abs(getattr(later, part) - getattr(earlier, part)) for earlier, later in pairwise(walk(prompt))]
    assert steps[0] < max(steps) / 10
    assert steps[-1] < max(steps) / 10


def test_static_stands_still() -> None:
    assert len(set(walk("static camera"))) == 1


def test_handheld_wanders_smoothly_around_one_place() -> None:
    views = walk("handheld")
    assert max(abs(view.x) + abs(view.y) for view in views) < 0.12
    assert len({(view.x, view.y) for view in views}) == len(views)
    steps = [later.x - earlier.x for earlier, later in pairwise(views)]
    assert max(abs(later - earlier) for earlier, later in pairwise(steps)) < 0.002


def test_a_hand_may_hold_a_camera_that_moves() -> None:
    assert asked("hand-held pan left") == asked("pan left")
    assert walk("hand-held pan left") != walk("pan left")


@pytest.mark.parametrize("prompt", [prompt for prompt in PROMPTS if prompt != "static camera"])
def test_a_higher_cfg_scale_moves_more(prompt: str) -> None:
    def extent(cfg: float) -> float:
        parts = [(view.x, view.y, view.near, view.turn) for view in walk(prompt, cfg)]
        return sum(max(column) - min(column) for column in zip(*parts, strict=True))

    assert extent(0.0) < extent(0.5) < extent(1.0)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_each_take_is_its_own_and_the_same_every_time(prompt: str) -> None:
    first, again, other = walk(prompt), walk(prompt), walk(prompt, seed=Seed("a request/2"))
    assert first == again
    assert first != other


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(PROMPTS), max_size=4).map(", ".join) | st.text(max_size=100),
    st.floats(0, 1),
    st.text(max_size=5),
)
def test_nothing_outside_the_picture_is_ever_seen_and_most_of_it_is(prompt: str, cfg: float, seed: str) -> None:
    views = walk(prompt, cfg, Seed(seed), frames=9)
    for view in views:
        half = math.exp(-view.near)
        assert half > 0.3
        for u, v in [(-1, -1), (-1, 1), (1, -1), (1, 1)]:
            depth = 1 + view.turn * u
            assert abs(view.x + (u + LEAN * view.turn * v) * half / depth) <= 1
            assert abs(view.y + v * half / depth) <= 1
