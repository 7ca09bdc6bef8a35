"""What votes say of the arms, as the one document that the screen, the page and programs are told from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from runner.errors import UsageError
from runner.model import Json
from runner.review.statistics.agreement import agreement
from runner.review.statistics.binomial import binomial_p
from runner.review.statistics.board import ArmAnswer, Board, Codes, Numbers, board_of
from runner.review.statistics.evidence import (
    by_holm,
    evidence_of_difference,
    evidence_of_likeness,
    more_units,
)
from runner.review.statistics.intervals import share_intervals, shares
from runner.review.statistics.oddities import Oddity, oddities, of_sides
from runner.review.statistics.strengths import strengths

# Figures are rounded so far, so that nothing reads more into them, and the last bits differ on no machine.
_DIGITS = 6
_OPEN = "not-enough"
# A share is always within 50 % of one half, but only nearly all of that can be shown.
_WIDEST = 0.499


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a comparison is told besides the votes.

    `noise` are the votes between takes of one cell: 1 where the lower take won, 0 where the higher did, 0.5 else.
    `measures` are rows of the document, and `oddities` warnings that do not come from the votes.
    """

    manifest: str | None = None
    by: str | None = None
    question: str | None = None
    on: str = "votes"
    unit: str = "image"
    noise: tuple[float, ...] = ()
    measures: tuple[dict[str, Json], ...] = ()
    oddities: tuple[Oddity, ...] = ()
    stale: int = 0


def compare(
    votes: Iterable[Sequence[object]],
    *,
    margin: float = 5,
    seed: int = 0,
    arms: Sequence[str] | None = None,
    around: Circumstances | None = None,
) -> dict[str, Json]:
    """The document of these votes. The arms are in the order given; without one, by name. `margin` is in percent:
    shares within it around 50 % are no difference. Raises UsageError for a vote or a margin that is none."""
    if not 0 < margin <= 50:
        raise UsageError(f"the margin {margin} is none", "it is in percent, above 0 and at most 50, such as 5")
    board, around = board_of(votes, arms), around or Circumstances()
    pairs = _Pairs.of(board, min(margin / 100, _WIDEST))
    lower, decided = around.noise.count(1), len(around.noise) - around.noise.count(0.5)
    left, sided = of_sides(board)
    agreed = agreement(board, seed)
    warnings = [*oddities(board, pairs.low, pairs.high, around.unit), *around.oddities]
    return {
        "manifest": around.manifest,
        "by": around.by,
        "question": around.question,
        "on": around.on,
        "unit": around.unit,
        "arms": _arms(board, seed),
        "pairs": pairs.document(board),
        "agreement": {
            "alpha": _figure(agreed.alpha),
            "low": _figure(agreed.low),
            "high": _figure(agreed.high),
            "reviewers": sum(map(bool, board.reviewers)),
        },
        "noise": {"votes": len(around.noise), "share": _share(lower, decided), "p": _p(lower, decided)},
        "side": {"share": _share(left, sided), "p": _p(left, sided)},
        "measures": list(around.measures),
        "warnings": [{"code": each.code, "message": each.message} for each in warnings],
        "stale": around.stale,
    }


def _figure(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), _DIGITS)


def _share(won: int, number: int) -> float | None:
    return _figure(won / number) if number else None


def _p(won: int, number: int) -> float | None:
    return _figure(binomial_p(won, number))


def _arms(board: Board, seed: int) -> list[Json]:
    fitted, number = strengths(board, seed), len(board.arms)
    by_first, by_second = (
        np.bincount(arm * len(ArmAnswer) + board.answer, minlength=number * len(ArmAnswer)).reshape(
            number, len(ArmAnswer)
        )
        for arm in (board.a, board.b)
    )
    wins = by_first[:, ArmAnswer.FIRST] + by_second[:, ArmAnswer.SECOND]
    losses = by_first[:, ArmAnswer.SECOND] + by_second[:, ArmAnswer.FIRST]
    ties, both_bad = ((by_first + by_second)[:, each] for each in (ArmAnswer.TIE, ArmAnswer.BOTH_BAD))
    return [
        {
            "name": name,
            "votes": int(wins[k] + losses[k] + ties[k] + both_bad[k]),
            "wins": int(wins[k]),
            "losses": int(losses[k]),
            "ties": int(ties[k]),
            "both_bad": int(both_bad[k]),
            "strength": _figure(fitted.strength[k]),
            "low": _figure(fitted.low[k]),
            "high": _figure(fitted.high[k]),
            "best": _figure(fitted.best[k]),
        }
        for k, name in enumerate(board.arms)
    ]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """A place a pair, in the board's order; NaN, or -1, where nothing is known."""

    votes: Codes
    images: Codes
    share: Numbers
    low: Numbers
    high: Numbers
    verdict: tuple[str, ...]
    more: Codes

    @classmethod
    def of(cls, board: Board, margin: float) -> _Pairs:
        units, number = board.unit_scores(), len(board.pairs)
        share, images = shares(units)
        low, high = share_intervals(board, units)
        differ = by_holm(evidence_of_difference(units), number)
        alike = by_holm(evidence_of_likeness(units, margin), number)
        named = np.where(differ, np.where(share > 0.5, "better", "worse"), np.where(alike, "no-difference", _OPEN))
        more = np.where(named == _OPEN, more_units(units, margin, number), -1)

        # A place for every pair, also for those without votes.
        known = np.full(number, -1)
        known[units.present] = np.arange(len(units.present))
        figures = [np.append(each, np.nan)[known] for each in (share, low, high)]
        return cls(
            np.bincount(board.pair, minlength=number),
            np.append(images, 0)[known],
            figures[0],
            figures[1],
            figures[2],
            tuple(np.append(named, _OPEN)[known]),
            np.append(more, -1)[known],
        )

    def document(self, board: Board) -> list[Json]:
        return [
            {
                "a": board.arms[a],
                "b": board.arms[b],
                "votes": int(self.votes[k]),
                "images": int(self.images[k]),
                "share": _figure(self.share[k]),
                "low": _figure(self.low[k]),
                "high": _figure(self.high[k]),
                "verdict": str(self.verdict[k]),
                "more_images": int(self.more[k]) if self.more[k] > 0 else None,
            }
            for k, (a, b) in enumerate(board.pairs)
        ]
