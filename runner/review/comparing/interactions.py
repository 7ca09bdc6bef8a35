"""Where a pair of arms goes otherwise for some pictures: told only where the interval of the difference says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from runner.model import Variables
from runner.planning.selection import text_of
from runner.review.statistics.board import Board, Numbers
from runner.review.statistics.intervals import expanded_t

_ALPHA = 0.05
# Fewer units on either side tell nothing; more values of a variable tell pictures apart one by one.
_FEWEST_UNITS = 5
_MOST_VALUES = 6
# Of scores that are all alike, as if they were not quite.
_LEAST_VARIANCE = 0.05


@dataclass(frozen=True, slots=True)
class Interaction:
    """The share of the first arm on the pictures with a value of a variable, and on all others."""

    a: str
    b: str
    name: str
    value: str
    share: float
    others: float


def interactions(board: Board, pictures: Mapping[str, Variables]) -> list[Interaction]:
    """Those whose interval excludes 0, with a chance of 5 % at most that any does by chance. `pictures` has the
    variables of each picture, by its id."""
    found = list(_candidates(board, pictures))
    level = NormalDist().inv_cdf(1 - _ALPHA / 2 / max(1, len(found)))
    return [each for each, own, others in found if _differ(own, others, level)]


def _candidates(board: Board, pictures: Mapping[str, Variables]) -> Iterator[tuple[Interaction, Numbers, Numbers]]:
    units = board.unit_scores()
    values = _values(board, pictures)
    for pair, start, end in zip(units.present, units.starts, units.ends, strict=True):
        a, b = (board.arms[each] for each in board.pairs[pair])
        score, places = units.score[start:end], units.unit[start:end]
        for name, of_unit in values.items():
            texts = of_unit[places]
            for value in sorted(set(texts.tolist()) - {""}):
                own, others = score[texts == value], score[texts != value]
                if min(len(own), len(others)) >= _FEWEST_UNITS:
                    yield Interaction(a, b, name, value, float(own.mean()), float(others.mean())), own, others


def _values(board: Board, pictures: Mapping[str, Variables]) -> dict[str, np.ndarray[tuple[int], np.dtype[np.object_]]]:
    """The variables with few values, as texts, by unit; empty where a picture has none."""
    known = [pictures.get(unit, {}) for unit in board.units]
    names = dict.fromkeys(name for each in known for name in each)
    texts = {name: [text_of(each[name]) if name in each else "" for each in known] for name in names}
    return {
        name: np.array(listed, dtype=object) for name, listed in texts.items() if 2 <= len(set(listed)) <= _MOST_VALUES
    }


def _differ(own: Numbers, others: Numbers, level: float) -> bool:
    variance = sum(max(float(each.var(ddof=1)), _LEAST_VARIANCE) / len(each) for each in (own, others))
    wide = expanded_t(level, np.array([min(len(own), len(others)) - 1]))[0] * np.sqrt(variance)
    return abs(float(own.mean() - others.mean())) > float(wide)
