"""The votes of a comparison as arrays: who preferred which arm, on which unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from runner.diagnostics.suggestions import suggestion
from runner.errors import UsageError

Numbers: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

TIE, BOTH_BAD = "tie", "both-bad"


class ArmAnswer(IntEnum):
    """An answer, as seen from the arm that comes first in the board."""

    FIRST = 0
    SECOND = 1
    TIE = 2
    BOTH_BAD = 3


class ArmVote(NamedTuple):
    """What one reviewer said of two arms on one unit.

    `winner` is the name of an arm, `left`, `right`, `tie` or `both-bad`, or an ArmAnswer; `left` is the arm that was
    shown on the left (None: not known). `item` is the pair of clips that was seen; empty: any of these arms on the
    unit.
    """

    image: str
    a: str
    b: str
    winner: str | ArmAnswer
    reviewer: str
    left: str | None = None
    item: str = ""


# What an answer is worth to the first arm. Who finds both bad prefers neither.
_WORTH = np.array([1.0, 0.0, 0.5, 0.5])


@dataclass(frozen=True, slots=True)
class UnitScores:
    """The share of the first arm of a pair on a unit, sorted by pair: a row for each pair and unit with votes.

    `starts` are the rows with which the pairs in `present` begin.
    """

    pair: Codes
    unit: Codes
    score: Numbers
    votes: Numbers
    present: Codes
    starts: Codes

    @property
    def ends(self) -> Codes:
        """The rows before which they end."""
        return np.append(self.starts[1:], len(self.score))[: len(self.starts)]


@dataclass(frozen=True, slots=True)
class Board:
    """All votes, a place in each array a vote, in an order that does not depend on that in which they came.

    `a` comes before `b` in `arms`. `on_left` is 1 where `a` was on the left, -1 where `b` was, 0 where nobody knows.
    """

    arms: tuple[str, ...]
    units: tuple[str, ...]
    reviewers: tuple[str, ...]
    items: tuple[str, ...]
    unit: Codes
    a: Codes
    b: Codes
    answer: Codes
    reviewer: Codes
    on_left: Codes
    item: Codes

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every two arms, the first of them first."""
        return list(combinations(range(len(self.arms)), 2))

    @property
    def score(self) -> Numbers:
        """What each vote is worth to `a`: ties are half."""
        return _WORTH[self.answer]

    @property
    def pair(self) -> Codes:
        """The place of each vote's arms in `pairs`."""
        return self.a * (2 * len(self.arms) - self.a - 1) // 2 + self.b - self.a - 1

    def unit_scores(self) -> UnitScores:
        """The scores of units: the mean of the votes on a unit, whoever gave them and on whichever takes."""
        places, of_vote = np.unique(self.pair * max(1, len(self.units)) + self.unit, return_inverse=True)
        votes = np.bincount(of_vote, minlength=len(places)).astype(float)
        score = np.bincount(of_vote, self.score, len(places)) / np.maximum(votes, 1)
        pair, unit = np.divmod(places, max(1, len(self.units)))
        present, starts = np.unique(pair, return_index=True)
        return UnitScores(pair, unit, score, votes, present, starts)


def board_of(votes: Iterable[Sequence[object]], arms: Sequence[str] | None = None) -> Board:
    """The board of these votes. The arms are in the order given; without one, by name.

    Raises UsageError for a vote that is none.
    """
    rows = sorted(_row(vote) for vote in votes)
    names = tuple(arms) if arms is not None else tuple(sorted({arm for row in rows for arm in row[1:3]}))
    code = {name: number for number, name in enumerate(names)}
    units, reviewers, items = (sorted({str(row[place]) for row in rows}) for place in (0, 4, 6))
    numbers = [{name: number for number, name in enumerate(each)} for each in (units, reviewers, items)]
    table = np.array(
        [
            (numbers[0][unit], code[a], code[b], answer, numbers[1][by], left, numbers[2][item])
            for unit, a, b, answer, by, left, item in (_turned(row, code) for row in rows)
        ],
        dtype=np.int64,
    ).reshape(-1, 7)
    # Sorted by what counts, so that sums are the same to the last bit however the votes came.
    table = table[np.lexsort(table.T[::-1])]
    return Board(names, tuple(units), tuple(reviewers), tuple(items), *table.T)


_Row: TypeAlias = tuple[str, str, str, int, str, int, str]


def _row(vote: Sequence[object]) -> _Row:
    try:
        image, a, b, winner, reviewer, left, item = ArmVote(*vote)  # type: ignore[arg-type]  # looked at below
    except TypeError:
        raise UsageError(f"{tuple(vote)!r} is no vote", "a vote is (image, a, b, winner, reviewer, left)") from None
    if not all(isinstance(each, str) for each in (image, a, b, reviewer)) or a == b:
        raise UsageError(f"{tuple(vote)!r} is no vote", "image and reviewer are texts, a and b two different arms")
    if left not in (a, b, None):
        raise UsageError(f"left is {left!r} in a vote on {a} and {b}", "it is one of these two arms, or None")
    side = 0 if left is None else 1 if left == a else -1
    return image, a, b, _answer(winner, a, b, side), reviewer, side, item or f"{image}\0{min(a, b)}\0{max(a, b)}"


def _answer(winner: object, a: str, b: str, side: int) -> ArmAnswer:
    if isinstance(winner, ArmAnswer):
        return winner
    left, right = (ArmAnswer.FIRST, ArmAnswer.SECOND) if side > 0 else (ArmAnswer.SECOND, ArmAnswer.FIRST)
    known = {TIE: ArmAnswer.TIE, BOTH_BAD: ArmAnswer.BOTH_BAD, **({"left": left, "right": right} if side else {})}
    known |= {a: ArmAnswer.FIRST, b: ArmAnswer.SECOND}
    if not isinstance(winner, str) or winner not in known:
        hint = suggestion(str(winner), known, f"it is one of {', '.join(known)}")
        raise UsageError(f"no winner {winner!r} in a vote on {a} and {b}", hint)
    return known[winner]


def _turned(row: _Row, code: dict[str, int]) -> _Row:
    """The same vote with the arm first that comes first."""
    unit, a, b, answer, by, left, item = row
    if code[a] < code[b]:
        return row
    turned = {ArmAnswer.FIRST: ArmAnswer.SECOND, ArmAnswer.SECOND: ArmAnswer.FIRST}.get(ArmAnswer(answer), answer)
    return unit, b, a, turned, by, -left, item
