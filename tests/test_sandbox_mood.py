from __future__ import annotations

from runner.sandbox.mood import mood
from runner.sandbox.seed import Seed

SEED = Seed("x")


def test_words_colour_the_light() -> None:
    plain, warm, cold = (mood(prompt, SEED) for prompt in ("a shoe", "golden sunset", "a winter night"))
    assert (plain.warmth, warm.warmth, cold.warmth) == (0, 1, -1)
    assert plain.vignette == warm.vignette < cold.vignette


def test_light_sweeps_only_when_the_prompt_speaks_of_it() -> None:
    assert mood("a shoe", SEED).sweep == 0
    assert mood("neon reflections", SEED).sweep > 0
    assert mood("delightful", SEED).sweep == 0


def test_takes_differ_in_their_light() -> None:
    assert mood("sunlight", Seed("1")) != mood("sunlight", Seed("2"))
    assert mood("sunlight", SEED) == mood("sunlight", SEED)
