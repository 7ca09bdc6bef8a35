"""Chances of so many successes; without numpy, since a plan's sentences need them."""

from __future__ import annotations

from math import exp, lgamma, log


def at_most(successes: int, trials: int, chance: float) -> float:
    """The chance of so many successes or fewer."""
    return sum(
        exp(
            lgamma(trials + 1)
            - lgamma(each + 1)
            - lgamma(trials - each + 1)
            + each * log(chance)
            + (trials - each) * log(1 - chance)
        )
        for each in range(successes + 1)
    )


def binomial_p(successes: int, trials: int) -> float | None:
    """The chance, if both ways are equally likely, of a split at least as uneven; None without trials."""
    return min(1.0, 2 * at_most(min(successes, trials - successes), trials, 0.5)) if trials else None
