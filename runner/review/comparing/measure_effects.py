"""Measures beside votes: how far each arm is from the others, in what is measured of the clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from runner.model import Json
from runner.review.comparing.clip_votes import measure_of
from runner.review.comparing.compared_clips import ClipComparison, ComparedClip
from runner.review.statistics.board import ArmAnswer, ArmVote
from runner.review.statistics.intervals import student_t
from runner.video.measures import MEASURES

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class MeasureEffect:
    """By how much a measure of an arm differs from that of the other arms on the same units, with its interval of 95 %;
    the SD between takes of one cell; and how many votes the larger value won, of those decided on clips that differ."""

    name: str
    arm: str
    effect: float
    low: float | None
    high: float | None
    noise: float | None
    won: int
    decided: int

    @property
    def agrees(self) -> float | None:
        """The share of votes that the larger value won; None where there is none."""
        return self.won / self.decided if self.decided else None

    def as_json(self) -> dict[str, Json]:
        values = {"effect": self.effect, "low": self.low, "high": self.high, "noise": self.noise, "agrees": self.agrees}
        rounded: dict[str, Json] = {
            name: None if value is None or not np.isfinite(value) else round(value, _DIGITS)
            for name, value in values.items()
        }
        return {"name": self.name, "arm": self.arm, **rounded}


def measure_effects(comparison: ClipComparison, votes: Sequence[ArmVote]) -> Iterator[MeasureEffect]:
    """Every measure in which clips differ, by arm."""
    for name in MEASURES:
        values = {clip.id: value for clip in comparison.clips.values() if (value := measure_of(clip, name)) is not None}
        if len(set(values.values())) < 2:
            continue
        noise, (won, decided) = _between_takes(comparison, values), _agreement(comparison, votes, values)
        for arm in comparison.arms:
            differences = _differences(comparison, arm, values)
            if differences:
                mean = float(np.mean(differences))
                wide = _half_interval(differences)
                low, high = (None, None) if wide is None else (mean - wide, mean + wide)
                yield MeasureEffect(name, arm, mean, low, high, noise, won, decided)


def _half_interval(values: Sequence[float]) -> float | None:
    number = len(values)
    if number < 2:
        return None
    return float(student_t(np.array([number - 1]))[0] * np.std(values, ddof=1) / np.sqrt(number))


def _differences(comparison: ClipComparison, arm: str, values: Mapping[str, float]) -> list[float]:
    """For each unit, the mean difference of the arm to the mean of the others, where all else is alike."""
    of_unit: dict[str, list[float]] = {}
    clips = sorted((clip for clip in comparison.clips.values() if clip.id in values), key=lambda clip: clip.rest)
    for _, alike in groupby(clips, key=lambda clip: clip.rest):
        arms: dict[str, list[float]] = {}
        unit = ""
        for clip in alike:
            arms.setdefault(clip.arm, []).append(values[clip.id])
            unit = clip.unit
        own, others = arms.pop(arm, None), [float(np.mean(each)) for each in arms.values()]
        if own and others:
            of_unit.setdefault(unit, []).append(float(np.mean(own)) - float(np.mean(others)))
    return [float(np.mean(each)) for each in of_unit.values()]


def _between_takes(comparison: ClipComparison, values: Mapping[str, float]) -> float | None:
    """The SD within cells, of all cells together."""
    squares = free = 0.0
    for cell in comparison.cells():
        own = [values[clip.id] for clip in cell if clip.id in values]
        if len(own) > 1:
            squares += float(np.var(own)) * len(own)
            free += len(own) - 1
    return float(np.sqrt(squares / free)) if free else None


def _agreement(comparison: ClipComparison, votes: Sequence[ArmVote], values: Mapping[str, float]) -> tuple[int, int]:
    """How many decided votes the clip with the larger value won, and of how many."""
    won = [_won_by_larger(vote, comparison.clips, values) for vote in votes]
    decided = [each for each in won if each is not None]
    return sum(decided), len(decided)


def _won_by_larger(vote: ArmVote, clips: Mapping[str, ComparedClip], values: Mapping[str, float]) -> bool | None:
    pair = [clips[job] for job in vote.item.split()]
    if vote.winner not in (ArmAnswer.FIRST, ArmAnswer.SECOND) or not all(clip.id in values for clip in pair):
        return None
    arm = vote.a if vote.winner == ArmAnswer.FIRST else vote.b
    winner, loser = sorted(pair, key=lambda clip: clip.arm != arm)
    if values[winner.id] == values[loser.id]:
        return None
    return values[winner.id] > values[loser.id]
