"""Boards of votes with one fault each: what a comparison must warn of, and nothing else."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tests.review.campaigns import chance

IMAGES, ARMS, REPEATED = 72, 5, 1 / 15


def board(generator, *, images=IMAGES, beats=None, sleeper="", left_wins=0.0, leaves_out=(), arms=ARMS):
    """Three reviewers, each on every pair of arms on every image, one in fifteen twice, with random sides.

    `beats`: arms that beat each other in a circle. `sleeper` answers at random. On `left_wins` of the votes the left
    side wins whatever it is. Reviewers in `leaves_out` answer a tenth only.
    """
    names = [f"arm-{k}" for k in range(arms)]
    strength = np.linspace(1, -1, arms)
    of_image = generator.normal(0, np.sqrt(0.5), (images, arms))
    votes = []
    for by in ("ann", "bob", "cid"):
        taste = generator.normal(0, 0.3 / np.sqrt(2), arms)
        for image in range(images):
            pairs = list(combinations(range(arms), 2))
            for a, b in (*pairs, *(pair for pair in pairs if generator.random() < REPEATED)):
                if by in leaves_out and generator.random() > 0.1:
                    continue
                merit = strength + of_image[image] + taste
                odds = merit[a] - merit[b] if beats is None else (1.5 if (b - a) % arms == 1 else -1.5)
                first = generator.random() < (0.5 if by == sleeper else chance(odds))
                left = names[a] if generator.random() < 0.5 else names[b]
                winner = names[a] if first else names[b]
                if generator.random() < left_wins:
                    winner = left
                elif generator.random() < 0.1:
                    winner = "tie"
                votes.append((f"image-{image:02}", names[a], names[b], winner, by, left))
    return votes


def copied(generator):
    """The votes of one reviewer once more, under another name."""
    votes = board(generator)
    return [*votes, *((*vote[:4], "dot", vote[5]) for vote in votes if vote[4] == "ann")]


FAULTY = {
    "side-bias": lambda generator: board(generator, left_wins=0.25),
    "inconsistent": lambda generator: board(generator, sleeper="cid"),
    "copied file": copied,
    "cycle": lambda generator: board(generator, beats=True, arms=3),
    "dominant-reviewer": lambda generator: board(generator, leaves_out=("bob", "cid")),
    "few-images": lambda generator: board(generator, images=5),
}
# One file under two names is one reviewer who counts twice.
CODES = {name: name for name in FAULTY} | {"copied file": "dominant-reviewer"}
