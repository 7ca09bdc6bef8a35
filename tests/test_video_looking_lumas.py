"""Measures of brightness, from frames of one shade and of blocks."""

import math

import numpy as np
import pytest

from runner.video.looking.lumas import Lumas

FPS = 24.0


def values(frames):
    lumas = Lumas()
    for frame in frames:
        lumas.see(frame)
    return lumas.values(FPS)


def flat(shade):
    return np.full((180, 320), shade, np.uint8)


def scenery(seed, shift=0, brighter=0):
    blocks = np.random.default_rng(seed).integers(60, 180, (18, 32)).astype(np.int16)
    return (np.kron(np.roll(blocks, shift, axis=1), np.ones((10, 10), np.int16)) + brighter).astype(np.uint8)


MOVING = [scenery(1, shift) for shift in range(48)]


def test_one_frame_is_nothing_to_be_told_of():
    assert values([scenery(1)]) == ({"frozen": 0.0, "black": 0.0, "cuts": 0, "flash": 0, "flicker": 0.0}, {})


def test_a_freeze_is_told_from_when_to_when():
    found, spans = values([*MOVING, *[MOVING[-1]] * 47])
    assert found["frozen"] == pytest.approx(48 / 95)
    assert spans["frozen"] == ((1.958, 3.958),)


def test_what_stands_still_for_a_moment_is_no_freeze():
    assert values([frame for frame in MOVING for _ in range(3)])[0]["frozen"] == 0.0


def test_a_slow_move_adds_up_and_grain_does_not_hide_a_freeze():
    slow = [(scenery(1).astype(float) + number / 10).astype(np.uint8) for number in range(48)]
    assert values(slow)[0]["frozen"] < 1.0
    drawn = np.random.default_rng(2)
    grain = [(scenery(1) + drawn.integers(0, 2, (180, 320))).astype(np.uint8) for _ in range(48)]
    assert values(grain)[0]["frozen"] == 1.0


def test_black_between_pictures_is_black_alone():
    found, spans = values([*MOVING[:24], *[flat(16)] * 12, *MOVING[24:]])
    assert (found["black"], spans["black"]) == (12 / 60, ((1.0, 1.5),))
    assert (found["cuts"], found["flicker"]) == (0, pytest.approx(0.0, abs=0.05))


def test_a_cut_is_told_with_its_frame():
    still, other = [scenery(1)] * 24, [scenery(2)] * 24
    found, spans = values([*still, *other])
    assert (found["cuts"], spans["cuts"]) == (1, ((1.0, 1.042),))


def test_flashes_of_the_worst_second_are_counted():
    """Two in the first second, three in the third, of 0.1 of the luminance and more."""
    bright = {2, 10, 50, 56, 62}
    found, spans = values([scenery(1, brighter=60 * (number in bright)) for number in range(96)])
    assert (found["flash"], len(spans["flash"]), spans["flash"][0]) == (3, 5, (0.083, 0.125))


def test_what_gets_brighter_evenly_or_slowly_does_not_flicker():
    slowly = [round(6 * math.sin(number / 8)) for number in range(48)]
    assert values([scenery(1, brighter=number) for number in range(24)])[0]["flicker"] == 0.0
    assert values([scenery(1, brighter=brighter) for brighter in slowly])[0]["flicker"] < 0.5


@pytest.mark.parametrize("period", [2, 3, 4, 5])
def test_what_gets_brighter_and_darker_again_and_again_flickers(period):
    found, _ = values([scenery(1, brighter=number + 4 * (number % period < period // 2)) for number in range(48)])
    assert found["flicker"] == pytest.approx(8 / period, rel=0.35)


@pytest.mark.parametrize("size", [(1, 1), (3, 320), (320, 7), (11, 11)])
def test_frames_of_any_size_are_measured(size):
    found, _ = values([np.full(size, shade, np.uint8) for shade in (0, 90, 180, 90)])
    assert found["black"] == 0.25


def test_signatures_are_equal_for_what_looks_the_same():
    one, same, other = Lumas(), Lumas(), Lumas()
    for shift in range(20):
        one.see(scenery(1, shift))
        same.see(scenery(1, shift, brighter=shift % 2))
        other.see(scenery(2, shift))
    first, second, third = (np.frombuffer(each.signature(), np.uint8).astype(int) for each in (one, same, other))
    assert len(first) == 8 * 64
    assert np.abs(first - second).mean() <= 0.75 < np.abs(first - third).mean()
