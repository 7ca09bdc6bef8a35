from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.sandbox.lens import View, crop_inside
from runner.sandbox.motion import Move, moves, path
from runner.sandbox.seed import Seed

SEED = Seed("a request/1")


def walk(*chosen: Move, cfg: float = 0.5, seconds: float = 5, seed: Seed = SEED) -> tuple[View, ...]:
    return path(chosen, cfg, seconds, 120, seed)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("The shoe on wet rock, slow push-in", (Move.PUSH_IN,)),
        ("the camera pushes slowly in", (Move.PUSH_IN,)),
        ("Zoom", (Move.PUSH_IN,)),
        ("dolly in", (Move.PUSH_IN,)),
        ("zooms out slowly", (Move.PULL_OUT,)),
        ("Pull back to reveal the valley", (Move.PULL_OUT,)),
        ("slow pull-out", (Move.PULL_OUT,)),
        ("pan left", (Move.PAN_LEFT,)),
        ("The camera pans slowly to the RIGHT.", (Move.PAN_RIGHT,)),
        ("tilt up", (Move.TILT_UP,)),
        ("tilting gently down", (Move.TILT_DOWN,)),
        ("orbit left", (Move.ORBIT_LEFT,)),
        ("it rotates to the right", (Move.ORBIT_RIGHT,)),
        ("camera rolls left", (Move.ROLL_LEFT,)),
        ("handheld", (Move.HANDHELD,)),
        ("hand-held push in, tilt up", (Move.PUSH_IN, Move.TILT_UP, Move.HANDHELD)),
        ("static shot", (Move.STATIC,)),
        ("locked-off, no camera movement", (Move.STATIC,)),
        ("static background, slow push-in", (Move.PUSH_IN,)),
        ("no zoom, pan left", (Move.PAN_LEFT,)),
        ("without panning", (Move.DRIFT,)),
        ("rolling hills, people moving in the street", (Move.DRIFT,)),
        ("", (Move.DRIFT,)),
    ],
)
def test_words_become_moves(prompt: str, expected: tuple[Move, ...]) -> None:
    assert moves(prompt, SEED) == expected


@pytest.mark.parametrize("prompt", ["pan", "tilt", "orbit", "rotate", "spin"])
def test_the_seed_chooses_a_direction_that_the_prompt_leaves_open(prompt: str) -> None:
    assert len({moves(prompt, Seed(str(number))) for number in range(20)}) == 2


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_prompt_moves_the_camera_somehow(prompt: str) -> None:
    assert moves(prompt, SEED)


@pytest.mark.parametrize(
    ("move", "part", "sign"),
    [
        (Move.PUSH_IN, "zoom", 1),
        (Move.PULL_OUT, "zoom", -1),
        (Move.PAN_LEFT, "x", -1),
        (Move.PAN_RIGHT, "x", 1),
        (Move.TILT_UP, "y", -1),
        (Move.TILT_DOWN, "y", 1),
        (Move.ORBIT_LEFT, "yaw", -1),
        (Move.ORBIT_RIGHT, "yaw", 1),
        (Move.ROLL_LEFT, "roll", -1),
        (Move.ROLL_RIGHT, "roll", 1),
        (Move.DRIFT, "zoom", 1),
    ],
)
def test_a_move_goes_its_way_and_never_back(move: Move, part: str, sign: int) -> None:
    course = [sign * getattr(view, part) for view in walk(move)]
    assert all(later >= earlier for earlier, later in pairwise(course))
    assert course[-1] > course[0] + 0.03


@pytest.mark.parametrize(
    "move", [Move.PUSH_IN, Move.PAN_LEFT, Move.TILT_UP, Move.ORBIT_LEFT, Move.ROLL_LEFT, Move.DRIFT]
)
def test_a_move_starts_and_ends_softly(move: Move) -> None:
    views = walk(move)
    steps = [abs(b.x - a.x) + abs(b.y - a.y) + abs(b.zoom - a.zoom) + abs(b.yaw - a.yaw) for a, b in pairwise(views)]
    if move is Move.ROLL_LEFT:
        steps = [abs(b.roll - a.roll) for a, b in pairwise(views)]
    assert steps[0] < max(steps) / 10
    assert steps[-1] < max(steps) / 10


def test_static_stands_still() -> None:
    assert len(set(walk(Move.STATIC))) == 1


def test_handheld_wanders_smoothly_around_one_place() -> None:
    views = walk(Move.HANDHELD)
    assert max(abs(view.x) + abs(view.y) for view in views) < 0.12
    assert len({(view.x, view.y) for view in views}) == len(views)
    steps = [b.x - a.x for a, b in pairwise(views)]
    assert max(abs(later - earlier) for earlier, later in pairwise(steps)) < 0.002


@pytest.mark.parametrize("move", [move for move in Move if move is not Move.STATIC])
def test_a_higher_cfg_scale_moves_more(move: Move) -> None:
    def extent(cfg: float) -> float:
        views = walk(move, cfg=cfg)
        parts = [(view.x, view.y, view.zoom, view.roll, view.yaw) for view in views]
        return sum(max(column) - min(column) for column in zip(*parts, strict=True))

    assert extent(0.0) < extent(0.5) < extent(1.0)


def test_ten_seconds_go_further_than_five() -> None:
    assert walk(Move.PUSH_IN, seconds=10)[-1].zoom > walk(Move.PUSH_IN)[-1].zoom


@pytest.mark.parametrize("move", list(Move))
def test_each_take_is_its_own_and_the_same_every_time(move: Move) -> None:
    first, again, other = walk(move), walk(move), walk(move, seed=Seed("a request/2"))
    assert first == again
    assert first != other


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(list(Move)), min_size=1, max_size=4, unique=True), st.floats(0, 1), st.floats(0.4, 2.5))
def test_moves_together_leave_most_of_the_picture_in_the_window(chosen: list[Move], cfg: float, aspect: float) -> None:
    assert crop_inside(walk(*chosen, cfg=cfg), aspect) > 0.3
