"""Which two arms to ask about next where there are many: those that may be the best (top-two Thompson sampling)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from runner.review.statistics.board import board_of
from runner.review.statistics.strengths import arm_distribution

# With fewer arms, asking about all pairs alike finds the best one as soon.
FEWEST_ARMS = 8
_TRIES = 50


def top_two(votes: Iterable[Sequence[object]], arms: Sequence[str], rng: np.random.Generator | int) -> tuple[str, str]:
    """The arm that is the best in a draw of what the strengths may be, and the best other one in a further draw. The
    same votes and the same `rng` (a generator or a seed) give the same pair. `arms` are two or more."""
    generator = np.random.default_rng(rng)
    strength, covariance = arm_distribution(board_of(votes, arms))
    drawn = generator.multivariate_normal(strength, covariance, size=_TRIES, method="eigh")
    first = int(drawn[0].argmax())
    others = [best for best in drawn[1:].argmax(axis=1).tolist() if best != first]
    # If all draws agree, the one behind it.
    second = others[0] if others else int(np.argsort(drawn[0])[-2])
    return arms[first], arms[second]
