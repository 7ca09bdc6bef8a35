"""What reviewers said of clips, as votes on arms: by pairs, stars, picks, or a measure of the clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from runner.diagnostics.suggestions import suggestion
from runner.errors import UsageError
from runner.model import Measure
from runner.review.comparing.compared_clips import ClipComparison, ComparedClip
from runner.review.statistics.board import ArmAnswer, ArmVote
from runner.verdicts.picks import picked
from runner.verdicts.verdict import QUESTION, Winner
from runner.verdicts.votes import Verdicts, Vote
from runner.video.measures import MEASURES

VOTES, STARS, PICKS, MEASURE = "votes", "stars", "picks", "measure:"
# What gives votes where no person does.
_NOBODY = ""
_ANSWERS = {
    Winner.LEFT: ArmAnswer.FIRST,
    Winner.RIGHT: ArmAnswer.SECOND,
    Winner.TIE: ArmAnswer.TIE,
    Winner.BOTH_BAD: ArmAnswer.BOTH_BAD,
}


@dataclass(frozen=True, slots=True)
class ClipVotes:
    """The votes on arms; those between takes of one cell (1: the lower take won, 0: the higher, 0.5: neither); how many
    pairs of two arms differ in more than arm and take."""

    votes: tuple[ArmVote, ...]
    noise: tuple[float, ...] = ()
    confounded: int = 0
    question: str | None = None


def clip_votes(comparison: ClipComparison, verdicts: Verdicts, on: str, rule: str) -> ClipVotes:
    """The votes by what `--on` names. `rule` is the one that picks clips. Raises UsageError."""
    if on == VOTES:
        return _of_pairs(comparison, verdicts)
    if on == STARS:
        return ClipVotes(tuple(_of_stars(comparison, verdicts)))
    if on == PICKS:
        chosen = picked(rule, verdicts, (clip.record for clip in comparison.clips.values()))
        return ClipVotes(tuple(_of_picks(comparison, chosen)))
    name = on.removeprefix(MEASURE)
    if not on.startswith(MEASURE) or name not in MEASURES:
        known = (VOTES, STARS, PICKS, *(f"{MEASURE}{each}" for each in MEASURES))
        raise UsageError(f"--on {on!r} gives no votes", suggestion(on, known, f"it is one of {', '.join(known)}"))
    return ClipVotes(tuple(_larger(comparison, lambda clip: measure_of(clip, name), _NOBODY)))


def measure_of(clip: ComparedClip, name: str) -> float | None:
    """A measure as a number; None where it was not taken."""
    values: dict[str, Measure] = dict(clip.record.measured.values) if clip.record.measured is not None else {}
    value = values.get(name)
    return None if value is None else float(value)


def _of_pairs(comparison: ClipComparison, verdicts: Verdicts) -> ClipVotes:
    question = _question(verdicts.votes)
    votes: list[ArmVote] = []
    noise: list[float] = []
    confounded = 0
    for vote in verdicts.votes:
        left, right = comparison.clips.get(vote.left), comparison.clips.get(vote.right)
        if vote.question != question:
            continue
        if left is None or right is None:
            continue
        if left.cell == right.cell:
            noise.append(_by_take(vote.winner, left.take, right.take))
        elif left.arm != right.arm and left.rest == right.rest:
            votes.append(_vote(vote, left, right))
        elif left.arm != right.arm:
            confounded += 1
    return ClipVotes(tuple(votes), tuple(noise), confounded, question)


def _question(votes: Iterable[Vote]) -> str:
    """The one that most votes answer; the usual one, if any does."""
    counts = Counter(vote.question for vote in votes)
    return QUESTION if counts[QUESTION] or not counts else counts.most_common(1)[0][0]


def _by_take(winner: Winner, left: int, right: int) -> float:
    if winner not in (Winner.LEFT, Winner.RIGHT):
        return 0.5
    return float((winner is Winner.LEFT) == (left < right))


def _vote(vote: Vote, left: ComparedClip, right: ComparedClip) -> ArmVote:
    item = " ".join(sorted((left.id, right.id)))
    return ArmVote(
        left.unit, left.arm, right.arm, _ANSWERS[vote.winner], vote.by, left.arm if vote.is_pair else None, item
    )


def _of_stars(comparison: ClipComparison, verdicts: Verdicts) -> Iterator[ArmVote]:
    for by in sorted({name for opinions in verdicts.marks.values() for name in opinions}):

        def stars(clip: ComparedClip, by: str = by) -> float | None:
            opinion = verdicts.of(clip.id).get(by)
            return None if opinion is None or opinion.stars is None else float(opinion.stars)

        yield from _larger(comparison, stars, by)


def _of_picks(comparison: ClipComparison, chosen: frozenset[str]) -> Iterator[ArmVote]:
    """A pick is better than a clip that is none. Two that are none may not have been looked at."""
    for vote, (first, second) in zip(
        _larger(comparison, lambda clip: float(clip.id in chosen), _NOBODY), comparison.matches(), strict=True
    ):
        if first.id in chosen or second.id in chosen:
            yield vote


def _larger(comparison: ClipComparison, value: Callable[[ComparedClip], float | None], by: str) -> Iterator[ArmVote]:
    """A vote for each two clips that can be compared and have both a value: the larger one is better."""
    for first, second in comparison.matches():
        one, other = value(first), value(second)
        if one is not None and other is not None:
            winner = ArmAnswer.TIE if one == other else ArmAnswer.FIRST if one > other else ArmAnswer.SECOND
            yield ArmVote(first.unit, first.arm, second.arm, winner, by, None, f"{first.id} {second.id}")
