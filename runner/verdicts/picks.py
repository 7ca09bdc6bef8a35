"""Which clips are picked: by one of the rules of `review.picks`.

- `any`: somebody marked it pick.
- `all`: everybody who marked a clip of this campaign pick or reject marked this one pick.
- `majority`: more than half of them marked it pick.
- `votes`: of the takes of each cell, the one with the greatest share of its votes won (a tie is half a vote); of equal
  shares the one with more votes, then the lower take. A clip without a vote won, or one that is rejected, is none.
- a reviewer's name: that reviewer marked it pick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from runner.model import Manifest, Variables, canonical_json
from runner.state.store import Store
from runner.verdicts.verdict import Marking, Winner
from runner.verdicts.votes import Verdicts, Vote, verdicts_on

ANY, ALL, MAJORITY, VOTES = RULES = ("any", "all", "majority", "votes")


class Clip(Protocol):
    """A job with its place: those that differ in nothing but the take are takes of one cell."""

    @property
    def id(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def prompt_id(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def variables(self) -> Variables: ...
    @property
    def take(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Picker:
    """Which clips of a campaign are picked: by its verdicts, and by the rule of its manifest."""

    manifest: Manifest

    def picked(self, store: Store, verdicts: Verdicts | None = None) -> frozenset[str]:
        """The ids of the jobs whose clips are picked now. Raises DiskError."""
        rule, known = self.manifest.review.picks, verdicts or verdicts_on(self.manifest, store)
        # A plan of a million jobs is gone through only where votes say something.
        return picked(rule, known, store.records() if rule == VOTES and known.votes else ())


def picked(rule: str, verdicts: Verdicts, clips: Iterable[Clip] = ()) -> frozenset[str]:
    """The ids of the jobs whose clips are picked by a rule, or by the reviewer of that name.

    The rule `votes` is about these clips; the others are about all that somebody marked.
    """
    if rule == VOTES:
        return frozenset(_by_votes(verdicts, clips))
    voices = {by for job in verdicts.marks for by in _markers(verdicts, job)}
    least = {ANY: 1, ALL: len(voices), MAJORITY: len(voices) // 2 + 1}
    pickers = {job: verdicts.marked(job, Marking.PICK) for job in verdicts.marks}
    if rule in least:
        return frozenset(job for job, names in pickers.items() if len(names) >= max(1, least[rule]))
    return frozenset(job for job, names in pickers.items() if rule in names)


def _markers(verdicts: Verdicts, job: str) -> Iterator[str]:
    return (by for by, opinion in verdicts.of(job).items() if opinion.mark is not None)


@dataclass(frozen=True, slots=True)
class _Score:
    share: Fraction
    votes: int
    take: int
    job: str

    @property
    def rank(self) -> tuple[Fraction, int, int]:
        return self.share, self.votes, -self.take


def _by_votes(verdicts: Verdicts, clips: Iterable[Clip]) -> Iterator[str]:
    points: Counter[str] = Counter()
    votes: Counter[str] = Counter()
    for vote in verdicts.votes:
        votes.update((vote.left, vote.right))
        points.update(_points(vote))
    cells: dict[str, list[_Score]] = {}
    for each in clips:
        if points[each.id] and not verdicts.rejecters(each.id):
            score = _Score(Fraction(points[each.id], 2 * votes[each.id]), votes[each.id], each.take, each.id)
            cell = canonical_json((each.image, each.prompt_id, each.model, each.variables))
            cells.setdefault(cell, []).append(score)
    return (max(scores, key=lambda each: each.rank).job for scores in cells.values())


def _points(vote: Vote) -> dict[str, int]:
    """In half votes. Both bad is a vote that neither wins."""
    won = {Winner.LEFT: (2, 0), Winner.RIGHT: (0, 2), Winner.TIE: (1, 1), Winner.BOTH_BAD: (0, 0)}[vote.winner]
    return dict(zip((vote.left, vote.right), won, strict=True))
