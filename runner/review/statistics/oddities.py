"""What is odd about the votes of a board: reasons to look at how they came about before they are believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from runner.review.statistics.agreement import answers_of
from runner.review.statistics.binomial import at_most, binomial_p
from runner.review.statistics.board import ArmAnswer, Board, Codes, Numbers
from runner.review.statistics.outlook import fewest_units

# Below this chance, sides are told as unbalanced, or a reviewer as answering repeated questions at random.
_RARE = 0.005
# How often at least reviewers who look say the same again, where arms are alike and only the pictures differ.
_SAME_AGAIN = 0.6
# How many answers it takes to say something of a reviewer.
_ENOUGH = 20
# How much less somebody's answers go with the others' than theirs do with each other, to be told as random.
_APART = 0.4


@dataclass(frozen=True, slots=True)
class Oddity:
    """A warning of a comparison."""

    code: str
    message: str


def of_sides(board: Board) -> tuple[int, int]:
    """How many decided votes the left side won, and how many of them have a side."""
    won = np.where(board.answer == ArmAnswer.FIRST, board.on_left, -board.on_left)[board.answer <= ArmAnswer.SECOND]
    return int((won > 0).sum()), int((won != 0).sum())


def oddities(board: Board, lows: Numbers, highs: Numbers, unit: str) -> Iterator[Oddity]:
    """All that is odd. `lows` and `highs` are the intervals of the pairs' shares, NaN where there are no votes."""
    yield from _few_units(board, unit)
    yield from _cycles(board, lows, highs)
    yield from _dominance(board)
    yield from _copies(board)
    yield from _side_bias(board)
    yield from _inconsistency(board)


def _few_units(board: Board, unit: str) -> Iterator[Oddity]:
    number, least = len(board.units), fewest_units(len(board.pairs))
    if 0 < number < least:
        them = f"1 {unit}" if number == 1 else f"{number} {unit}s"
        yield Oddity("few-images", f"{them} cannot name a winner, however the votes go: {least} are the least")


def _cycles(board: Board, lows: Numbers, highs: Numbers) -> Iterator[Oddity]:
    """Three arms of which each is better than the next, by intervals of 95 %."""
    beats = np.zeros((len(board.arms), len(board.arms)), dtype=bool)
    for (a, b), low, high in zip(board.pairs, lows, highs, strict=True):
        beats[a, b], beats[b, a] = low > 0.5, high < 0.5
    rows, columns = np.nonzero(beats)
    for a, b in zip(rows.tolist(), columns.tolist(), strict=True):
        thirds = np.nonzero(beats[b] & beats[:, a])[0]
        if len(thirds):
            names = [board.arms[each] for each in (a, b, int(thirds[0]), a)]
            yield Oddity("cycle", f"{' beats '.join(names)}: no order of the arms fits these votes")
            return


def _dominance(board: Board) -> Iterator[Oddity]:
    """One of several reviewers whose share is nearer to all votes than to an even share."""
    counts = np.bincount(board.reviewer, minlength=len(board.reviewers))
    if len(counts) > 1 and counts.sum() >= _ENOUGH:
        most, share = int(counts.argmax()), counts.max() / counts.sum()
        if share > (1 + 1 / len(counts)) / 2:
            name = board.reviewers[most]
            yield Oddity("dominant-reviewer", f"{share:.0%} of the votes are {name}'s: this is mostly one opinion")


def _copies(board: Board) -> Iterator[Oddity]:
    """Reviewers who gave the same answers with the same sides: one file under two names."""
    answers, sides = answers_of(board), np.zeros((len(board.reviewers), len(board.items)), dtype=np.int64)
    sides[board.reviewer, board.item] = board.on_left
    for one, other in combinations(range(len(board.reviewers)), 2):
        both = (answers[one] >= 0) & (answers[other] >= 0)
        left = sides[one][both]
        is_same = (answers[one] == answers[other])[both].all() and (left == sides[other][both]).all()
        if both.sum() >= _ENOUGH and is_same and {-1, 1} <= set(left.tolist()):
            names = f"{board.reviewers[one]} and {board.reviewers[other]}"
            message = f"{names} gave the same {both.sum()} answers, with the same sides: one file under two names?"
            yield Oddity("dominant-reviewer", message)


def _side_bias(board: Board) -> Iterator[Oddity]:
    won, number = of_sides(board)
    chance = binomial_p(won, number)
    if chance is not None and chance < _RARE:
        side = "left" if won > number - won else "right"
        share = max(won, number - won) / number
        yield Oddity("side-bias", f"the {side} side won {share:.0%} of {number} votes, whatever was on it")


def _inconsistency(board: Board) -> Iterator[Oddity]:
    for name, same, number in repeats(board):
        if at_most(same, number, _SAME_AGAIN) < _RARE / 2:
            message = f"{name} said the same again of {same} of {number} pairs that were shown twice"
            yield Oddity("inconsistent", message)
    yield from (
        Oddity("inconsistent", f"{name} agrees with the others no more than chance does, and they do with each other")
        for name in _strangers(board)
    )


def repeats(board: Board) -> Iterator[tuple[str, int, int]]:
    """For each reviewer: how many answers for an arm were the same again, of those to items that were shown before."""
    order = np.lexsort((board.answer, board.item, board.reviewer))
    order = order[board.answer[order] <= ArmAnswer.SECOND]
    by, item, answer = board.reviewer[order], board.item[order], board.answer[order]
    again = (by[1:] == by[:-1]) & (item[1:] == item[:-1])
    for number, name in enumerate(board.reviewers):
        own = again & (by[1:] == number)
        if own.any():
            yield name, int((answer[1:] == answer[:-1])[own].sum()), int(own.sum())


def _strangers(board: Board) -> Iterator[str]:
    """Reviewers of three or more whose answers go with those of the others far less than theirs go with each other.
    With two, nobody knows whose answers they are."""
    leaning = _leanings(answers_of(board))
    number = len(leaning)
    alike: dict[tuple[int, int], Numbers] = {}
    for one, other in permutations(range(number), 2):
        both = np.isfinite(leaning[one] + leaning[other])
        alike[one, other] = (leaning[one] * leaning[other])[both]
    for one in range(number) if number > 2 else ():
        own = np.concatenate([alike[one, other] for other in range(number) if other != one])
        rest = np.concatenate([alike[pair] for pair in combinations([k for k in range(number) if k != one], 2)])
        if min(len(own), len(rest)) >= _ENOUGH and rest.mean() > 3 * _error(rest):
            apart = rest.mean() - own.mean()
            if apart > max(_APART * rest.mean(), 2 * float(np.hypot(_error(own), _error(rest)))):
                yield board.reviewers[one]


def _leanings(answers: Codes) -> Numbers:
    """1 for the first arm, -1 for the second, 0 for neither, NaN for no answer."""
    return np.array([1.0, -1.0, 0.0, 0.0, np.nan])[answers]


def _error(values: Numbers) -> float:
    return float(values.std() / np.sqrt(len(values)))
