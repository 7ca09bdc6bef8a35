from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.film.seed import Seed


def test_draws_are_the_same_on_every_machine() -> None:
    assert Seed("a/1").unit("zoom") == 0.23808395472904298
    assert Seed("a/1").unit("pan") == 0.11368171844725061


def test_another_text_or_name_draws_another_number() -> None:
    assert len({Seed(text).unit(name) for text in ("a/1", "a/2", "b/1") for name in ("x", "y")}) == 6


def test_draws_are_evenly_spread() -> None:
    draws = sorted(Seed("spread").unit(str(number)) for number in range(2000))
    assert max(abs(draw - (place + 0.5) / 2000) for place, draw in enumerate(draws)) < 0.04


@given(st.text(), st.text(), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_between_stays_between(text: str, name: str, low: float, width: float) -> None:
    assert low <= Seed(text).between(name, low, low + width) <= low + width


@given(st.text(), st.text(), st.floats(-1e3, 1e3))
def test_waves_stay_in_their_range(text: str, name: str, turns: float) -> None:
    assert -1.0 <= Seed(text).wave(name, turns) <= 1.0
