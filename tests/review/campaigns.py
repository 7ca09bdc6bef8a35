"""Campaigns of votes with a known truth: how people vote where an arm has this share among all images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

_NORMAL = np.linspace(-5, 5, 201)
_WEIGHTS = np.exp(-(_NORMAL**2) / 2) / np.exp(-(_NORMAL**2) / 2).sum()


def chance(log_odds):
    return 1 / (1 + np.exp(-log_odds))


def share_of(log_odds, spread=1.0):
    """The share among all images, whose log-odds are normal around these."""
    return float((_WEIGHTS * chance(log_odds + spread * _NORMAL)).sum())


def log_odds_of(share, spread=1.0):
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if share_of(middle, spread) < share else (low, middle)
    return low


@dataclass(frozen=True)
class Ways:
    """How a campaign is. `spread` is the SD of an image's log-odds; `taste` that of a reviewer's, which is the same for
    all images or, where not `persistent`, anew for each."""

    images: int = 24
    reviewers: int = 1
    takes: int = 2
    ties: float = 0.1
    spread: float = 1.0
    taste: float = 0.3
    persistent: bool = True


def two_arms(generator, share, ways, order="random"):
    """The votes of a campaign with the arms a and b: every reviewer on every take of every image."""
    images = generator.normal(log_odds_of(share, ways.spread), ways.spread, ways.images)
    shape = (ways.reviewers, 1 if ways.persistent else ways.images)
    tastes = np.broadcast_to(generator.normal(0, ways.taste, shape), (ways.reviewers, ways.images))
    places = [(k, r) for _ in range(ways.takes) for r in range(ways.reviewers) for k in range(ways.images)]
    if order == "random":
        places = [places[each] for each in generator.permutation(len(places))]
    return [
        (f"image-{k:03}", "a", "b", _winner(generator, "a", "b", images[k] + tastes[r, k], ways.ties), f"r{r}", left)
        for (k, r), left in zip(places, generator.choice(["a", "b"], len(places)), strict=True)
    ]


def many_arms(generator, strengths, number, ways):
    """So many votes on random pairs of arms, on random images, by random reviewers."""
    names = [f"arm-{k}" for k in range(len(strengths))]
    images = generator.normal(0, ways.spread / np.sqrt(2), (ways.images, len(names)))
    tastes = generator.normal(0, ways.taste / np.sqrt(2), (ways.reviewers, len(names)))
    pairs = list(combinations(range(len(names)), 2))
    votes = []
    for pair, image, by, left in zip(
        generator.integers(len(pairs), size=number),
        generator.integers(ways.images, size=number),
        generator.integers(ways.reviewers, size=number),
        generator.integers(2, size=number),
        strict=True,
    ):
        a, b = pairs[pair]
        log_odds = (strengths + images[image] + tastes[by])[[a, b]]
        winner = _winner(generator, names[a], names[b], log_odds[0] - log_odds[1], ways.ties)
        votes.append((f"image-{image:03}", names[a], names[b], winner, f"r{by}", names[(a, b)[left]]))
    return votes


def _winner(generator, a, b, log_odds, ties):
    if generator.random() < ties:
        return "tie"
    return a if generator.random() < chance(log_odds) else b
