"""What counts of many verdict lines: votes, marks, stars and notes, the same in whatever order the lines come.

Lines count in the order of their time and, where that is equal, of their sha256; identical lines count once. A line
that is undone is as if it were never said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from runner.model import Manifest
from runner.state.store import Store
from runner.verdicts.verdict import Best, Mark, Marking, Note, Pair, Stars, Undo, Winner
from runner.verdicts.verdict_files import Uncounted, VerdictLine, VerdictLines, folder_of, read

STALE = "it is about another clip than the present one (stale)"
UNKNOWN = "it speaks of a job that has no clip in the state"


@dataclass(frozen=True, slots=True)
class Vote:
    """One clip against another, by job ids as they were shown. `is_pair`: the sides were shown, so left and right tell
    something; a best of several gives a vote for each pair that it decides, the better one as `left`."""

    left: str
    right: str
    winner: Winner
    by: str
    at: str
    question: str
    reasons: tuple[str, ...] = ()
    seconds: float | None = None
    blind: bool = False
    is_pair: bool = True


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reviewer holds of one clip: pick, reject or nothing, and 1 to 5 stars or none."""

    mark: Marking | None = None
    stars: int | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A note that counts, at a time of the clip in seconds."""

    job: str
    by: str
    at: str
    time: float
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Verdicts:
    """What counts. `marks` are by job id and reviewer. `stale` lines are among the uncounted."""

    votes: tuple[Vote, ...] = ()
    marks: Mapping[str, Mapping[str, Opinion]] = field(default_factory=dict)
    notes: tuple[Remark, ...] = ()
    uncounted: tuple[Uncounted, ...] = ()
    stale: int = 0
    lines: tuple[VerdictLine, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        said = f"{len(self.votes):,} votes, {len(self.marks):,} clips marked, {len(self.notes):,} notes"
        return f"<Verdicts of {', '.join(self.reviewers) or 'nobody'}: {said}>"

    def of(self, job: str) -> Mapping[str, Opinion]:
        """Each reviewer's opinion of a clip."""
        return self.marks.get(job, {})

    def marked(self, job: str, mark: Marking) -> tuple[str, ...]:
        """The reviewers who marked a clip so, by name."""
        return tuple(sorted(by for by, opinion in self.of(job).items() if opinion.mark is mark))

    def rejecters(self, job: str) -> tuple[str, ...]:
        """Who rejected a take; nobody where somebody picked it."""
        if job not in self.marks or self.marked(job, Marking.PICK):
            return ()
        return self.marked(job, Marking.REJECT)

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Whose lines count, by name."""
        return tuple(sorted({each.verdict.by for each in self.lines}))


def verdicts_on(manifest: Manifest, store: Store) -> Verdicts:
    """What counts of the verdicts on a campaign, whose clips a state has. Raises DiskError."""
    found = read(folder_of(manifest.path, is_sandbox=manifest.is_sandbox))
    # A state may have a million clips.
    return counted(found, store.clip_hashes() if found.lines else {})


def counted(found: VerdictLines, clips: Mapping[str, str]) -> Verdicts:
    """What counts of these lines. `clips` has the sha256 of the present clip of each job that has one."""
    told = list(found.uncounted)
    standing = _standing(_in_order(found.lines), told)
    valid, stale = [], 0
    for each in standing:
        why = _why_not(each, clips)
        if why:
            told.append(Uncounted(each.file, each.number, why))
            stale += why == STALE
        else:
            valid.append(each)
    return Verdicts(
        tuple(chain.from_iterable(map(_votes, valid))), _marks(valid), tuple(_notes(valid)), tuple(told), stale,
        tuple(valid),
    )  # fmt: skip


def _in_order(lines: Sequence[VerdictLine]) -> list[VerdictLine]:
    """Identical lines once, in the order in which they count."""
    once = {each.sha256: each for each in reversed(lines)}
    return sorted(once.values(), key=lambda each: (each.verdict.at, each.sha256))


def _standing(lines: Sequence[VerdictLine], told: list[Uncounted]) -> list[VerdictLine]:
    """The lines that nobody took back. An undo counts whenever it was said: its line may come with a later merge."""
    known = {each.sha256: each for each in lines}
    undone = set()
    for each in lines:
        if isinstance(each.verdict.said, Undo):
            line = known.get(each.verdict.said.line)
            why = _why_not_undone(each, line)
            if why:
                told.append(Uncounted(each.file, each.number, why))
            else:
                undone.add(each.verdict.said.line)
    return [each for each in lines if each.sha256 not in undone and not isinstance(each.verdict.said, Undo)]


def _why_not_undone(undo: VerdictLine, line: VerdictLine | None) -> str:
    if line is None:
        return "it takes back a line that is not there"
    if line.verdict.by != undo.verdict.by:
        return f"it takes back a line of {line.verdict.by}"
    return "it takes back an undo, which is final" if isinstance(line.verdict.said, Undo) else ""


def _why_not(line: VerdictLine, clips: Mapping[str, str]) -> str:
    seen = line.verdict.sha256
    if not all(job in clips for job in seen):
        return UNKNOWN
    return "" if all(clips[job] == sha256 for job, sha256 in seen.items()) else STALE


def _votes(line: VerdictLine) -> Iterator[Vote]:
    verdict, said = line.verdict, line.verdict.said
    if isinstance(said, Pair):
        yield Vote(
            said.left, said.right, said.winner, verdict.by, verdict.at, said.question, said.reasons, said.seconds,
            said.blind,
        )  # fmt: skip
    elif isinstance(said, Best):
        for better, worse in _decided(said):
            yield Vote(better, worse, Winner.LEFT, verdict.by, verdict.at, "better", is_pair=False)


def _decided(said: Best) -> Iterator[tuple[str, str]]:
    """The pairs that it decides, the better one first. The best against the worst is one pair."""
    yield from ((said.best, each) for each in said.of if each != said.best)
    if said.worst is not None:
        yield from ((each, said.worst) for each in said.of if each not in (said.best, said.worst))


def _marks(lines: Sequence[VerdictLine]) -> dict[str, dict[str, Opinion]]:
    """The latest mark and the latest stars of each reviewer on each job, those taken back left out."""
    marks: dict[tuple[str, str], Marking] = {}
    stars: dict[tuple[str, str], int] = {}
    for each in lines:
        said = each.verdict.said
        if isinstance(said, Mark):
            marks[said.job, each.verdict.by] = said.mark
        elif isinstance(said, Stars):
            stars[said.job, each.verdict.by] = said.stars
    found: dict[str, dict[str, Opinion]] = {}
    for job, by in sorted({*marks, *stars}):
        mark = marks.get((job, by), Marking.NONE)
        opinion = Opinion(None if mark is Marking.NONE else mark, stars.get((job, by)) or None)
        if opinion != Opinion():
            found.setdefault(job, {})[by] = opinion
    return found


def _notes(lines: Sequence[VerdictLine]) -> Iterator[Remark]:
    for each in lines:
        said = each.verdict.said
        if isinstance(said, Note):
            yield Remark(said.job, each.verdict.by, each.verdict.at, said.time, said.text)
