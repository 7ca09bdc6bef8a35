"""A reviewer's session: what is shown next, and what they say of it, on the disk before they see more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Lock
from typing import TypeAlias

from runner.review.clips.reviewed_clips import ClipNames, ReviewedClip
from runner.review.clips.sound_clips import SoundClips
from runner.review.pairing import Pool, Showing, next_pair
from runner.review.reviewer_log import ReviewerLog
from runner.review.said_by_name import SeenClip, document_of, verdict_of
from runner.verdicts.verdict import Best, Mark, Note, Pair, Said, Stars, Undo, VerdictError, Winner
from runner.verdicts.votes import Vote

Document: TypeAlias = dict[str, object]

PAIRS, BEST, CULL = MODES = ("pairs", "best", "cull")
# What is said in a mode, and can be taken back there.
_SAID: dict[str, tuple[type, ...]] = {PAIRS: (Pair, Note), BEST: (Best, Note), CULL: (Mark, Stars, Note)}
# Stands for the time of a line until it is written.
_SOME_TIME = "1970-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Desk:
    """Who reviews what: the clips, the folder of the verdicts, and the reasons that may be given.

    `secret` makes names and orders. `since` is when the reviewer sat down: what was said before is not taken back.
    """

    clips: tuple[ReviewedClip, ...] = field(repr=False)
    folder: Path
    by: str
    secret: bytes = field(repr=False)
    reasons: tuple[str, ...] = ()
    since: str = ""


class Session:
    """Safe to use from several threads. `tell` gets a line about each clip that cannot be shown."""

    def __init__(self, desk: Desk, tell: Callable[[str], None]) -> None:
        self.names = ClipNames(desk.clips, desk.secret)
        self._desk = desk
        self._lock = Lock()
        self._log = ReviewerLog(desk.folder, desk.by, {clip.job: clip.sha256 for clip in desk.clips}, desk.since)
        self._sound = SoundClips(tell)
        self._pool = Pool(clip.contender for clip in desk.clips)

    def clip(self, name: str) -> ReviewedClip | None:
        """The clip of a name, if its file still is what was verified."""
        found = self.names.clips.get(name)
        return found if found is not None and self._sound.has(found) else None

    def pairs(self) -> Document:
        """The pair that is shown next, and the one after it, so that its clips can be loaded."""
        with self._lock:
            return self._pairs()

    def _pairs(self, first: Showing | None = None) -> Document:
        verdicts = self._log.verdicts()
        own = {frozenset((each.left, each.right)) for each in self._log.votes(verdicts)}
        judged = sum(jobs <= self._pool.places.keys() for jobs in own)
        pair = first or self._deal(verdicts.votes)
        ahead = None if pair is None else self._deal((*verdicts.votes, _assumed(pair, self._desk.by)))
        return {
            "pair": self._named(pair),
            "ahead": self._named(ahead),
            "judged": judged,
            "left": max(0, self._pool.size - judged),
        }

    def _deal(self, votes: Sequence[Vote]) -> Showing | None:
        """The next pair of which both clips are as they were. The same one if it is asked for again."""
        count = sum(each.by == self._desk.by and each.is_pair for each in votes)
        random = Random(f"{self._desk.secret.hex()} {count}")  # noqa: S311 - it makes an order, and no secret
        while (showing := next_pair(self._pool, votes, self._desk.by, random)) is not None:
            changed = {job for job in showing.jobs if not self._sound.has(self.names.clip_of(job))}
            if not changed:
                return showing
            self._pool = self._pool.without(changed)
        return None

    def _named(self, showing: Showing | None) -> Document | None:
        if showing is None:
            return None
        return {"left": self._facts(showing.left), "right": self._facts(showing.right)}

    def _facts(self, job: str) -> Document:
        return facts_of(self.names.clip_of(job), self.names.of(job))

    def cull(self) -> Document:
        """Every clip, with what this reviewer holds of it."""
        with self._lock:
            marks = self._log.verdicts().marks
        clips: list[Document] = []
        for clip in self._desk.clips:
            own = marks.get(clip.job, {}).get(self._desk.by)
            opinion = {"mark": own.mark, "stars": own.stars} if own else {"mark": None, "stars": None}
            clips.append({**self._facts(clip.job), "key": clip.key, **opinion})
        return {"clips": clips}

    def best(self) -> Document:
        """The takes of each cell that has several, in an order that does not tell their numbers."""
        with self._lock:
            said = {frozenset(each.of): each for each in self._log.said(self._log.verdicts(), Best)}
        groups: list[Document] = []
        for jobs in self._pool.twins.values():
            own = said.get(frozenset(jobs))
            chosen = {} if own is None else document_of(own, self.names)
            clips = [self._facts(job) for job in sorted(jobs, key=self.names.of)]
            groups.append({"of": clips, "best": chosen.get("best"), "worst": chosen.get("worst")})
        return {"groups": groups}

    def say(self, document: Mapping[str, object]) -> Document:
        """Write down what a page said; after a pair, the next one. Raises VerdictError and DiskError."""
        clips = {name: SeenClip(clip.job, clip.sha256) for name, clip in self._sound_in(document).items()}
        verdict = verdict_of(document, clips, _SOME_TIME, self._desk.by)
        said = self._checked(verdict.said)
        with self._lock:
            self._log.append(said, verdict.sha256)
            return self._pairs() if isinstance(said, Pair) else {}

    def _sound_in(self, document: Mapping[str, object]) -> dict[str, ReviewedClip]:
        """The clips that a document names, but for those that are no longer what they were."""
        values = [
            *document.values(),
            *(each for value in document.values() if isinstance(value, list) for each in value),
        ]
        clips = {value: self.clip(value) for value in values if isinstance(value, str)}
        return {name: clip for name, clip in clips.items() if clip is not None}

    def _checked(self, said: Said) -> Said:
        """What was said, if it is about what is shown here. A pair is blind here."""
        if isinstance(said, Undo):
            raise VerdictError("what is taken back is asked for in another way")
        if isinstance(said, Best) and frozenset(said.of) not in map(frozenset, self._pool.twins.values()):
            raise VerdictError("these are not the takes of one cell")
        if not isinstance(said, Pair):
            return said
        showing = Showing(said.left, said.right)
        if not (self._pool.are_rivals(showing) or self._pool.are_twins(showing)):
            raise VerdictError("these two are not compared")
        if not set(said.reasons) <= set(self._desk.reasons):
            raise VerdictError("it gives a reason that the manifest does not have")
        return replace(said, blind=True)

    def undo(self, mode: str) -> Document:
        """Take back the last thing that was said in this mode, and tell what it was. Raises DiskError."""
        with self._lock:
            line = self._log.last(self._log.verdicts(), _SAID[mode])
            if line is None:
                return {"undone": None}
            said = line.verdict.said
            self._log.append(Undo(line.sha256), {})
            again = self._pairs(Showing(said.left, said.right) if isinstance(said, Pair) else None)
            return {"undone": document_of(said, self.names), **(again if mode == PAIRS else {})}


def _assumed(pair: Showing, by: str) -> Vote:
    """The vote that is about to come, whatever it says."""
    return Vote(pair.left, pair.right, Winner.TIE, by, "", "")


def facts_of(clip: ReviewedClip, name: str) -> Document:
    """What a page needs for showing a clip."""
    is_still = clip.path.suffix.lower() == ".gif"
    return {"name": name, "fps": clip.fps, "is_still": is_still, "flashes": clip.flashes}
