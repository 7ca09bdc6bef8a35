"""What evidence must reach; without numpy, so that a plan can tell of it quickly."""

from __future__ import annotations

from math import log

# The chance that any verdict of a comparison is wrong, however often one looks.
ALPHA = 0.05
# Evidence may pass the bar while units come in, and while votes come in on the same units: each has half of the chance.
DIRECTIONS = 2
# The bets that the capital is spread over, evenly: from nearly nothing to nearly all.
BETS = tuple((place + 0.5) / 64 for place in range(64))


def bar(pairs: int) -> float:
    """The logarithm of the evidence that names a winner among so many pairs, if it is the first."""
    return log(max(pairs, 1) / ALPHA)
