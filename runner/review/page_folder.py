"""A page for people elsewhere: a folder that opens from the disk, with copies of the clips under random names.

What stands behind the names stays here, in a file beside the verdicts, and translates what is sent back.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from runner.errors import UsageError
from runner.results.atomic_files import replacing
from runner.review.clips.padded_clips import padded, padded_lengths
from runner.review.clips.reviewed_clips import ClipNames, ReviewedClip
from runner.review.clips.sound_clips import SoundClips
from runner.review.pairing import Pool, Showing, next_pair
from runner.review.session import BEST, CULL, PAIRS, Document, facts_of
from runner.review.voting_page import VotingPage
from runner.state.disk import disk_errors, make_folder, sync_folder
from runner.verdicts.verdict import Winner
from runner.verdicts.votes import Vote

# So many pairs are a long evening.
MOST_PAIRS = 200
_PAGES = "pages"
_VERSION = 1
# Stands for somebody who has judged nothing yet.
_NEWCOMER = ""
# The time of every file, so that none tells when its clip was made.
_SOME_TIME = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """A page that was made: its folder and random id, how many clips it has, and how much there is to judge."""

    folder: Path
    id: str
    clips: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a page shows: the clips, under names, and the order of what is asked."""

    names: ClipNames
    shown: Document = field(repr=False)
    clips: tuple[ReviewedClip, ...] = field(repr=False)
    tasks: int


def contents(clips: Iterable[ReviewedClip], mode: str, votes: Sequence[Vote], sound: SoundClips) -> Contents:
    """What a page of this mode shows. `votes` are those that were given so far: what was judged least comes first."""
    secret = secrets.token_bytes(32)
    there = [clip for clip in clips if sound.has(clip)]
    names = ClipNames(there, secret)
    pool = Pool(clip.contender for clip in there)
    tasks: list[list[str]]
    if mode == PAIRS:
        tasks = [[each.left, each.right] for each in _deals(pool, votes, secret)]
    elif mode == BEST:
        tasks = [sorted(jobs, key=names.of) for jobs in pool.twins.values()]
    else:
        tasks = [[clip.job] for clip in there]
    used = {job for jobs in tasks for job in jobs}
    shown = _shown(mode, [[_facts(names, job) for job in jobs] for jobs in tasks])
    return Contents(names, shown, tuple(clip for clip in there if clip.job in used), len(tasks))


def _deals(pool: Pool, votes: Sequence[Vote], secret: bytes) -> Iterator[Showing]:
    random = Random(secret)  # noqa: S311 - it makes an order, and no secret
    known = list(votes)
    for _ in range(MOST_PAIRS):
        showing = next_pair(pool, known, _NEWCOMER, random)
        if showing is None:
            return
        known.append(Vote(showing.left, showing.right, Winner.TIE, _NEWCOMER, "", ""))
        yield showing


def _facts(names: ClipNames, job: str) -> Document:
    clip = names.clip_of(job)
    return {**facts_of(clip, names.of(job)), "ending": clip.path.suffix.lower()}


def _shown(mode: str, tasks: list[list[Document]]) -> Document:
    """As the server tells it."""
    if mode == PAIRS:
        return {"pairs": [{"left": left, "right": right} for left, right in tasks]}
    if mode == BEST:
        return {"groups": [{"of": clips, "best": None, "worst": None} for clips in tasks]}
    assert mode == CULL
    return {"clips": [{**clip, "key": "", "mark": None, "stars": None} for (clip,) in tasks]}


def write_parcel(folder: Path, verdicts: Path, found: Contents, page: VotingPage) -> Parcel:
    """Write the page into a new or empty folder, and what stands behind its names into that of the verdicts.

    Raises UsageError and DiskError.
    """
    number = secrets.token_hex(8)
    with disk_errors(f"write {folder}"):
        if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
            raise UsageError(f"{folder} is there already, and not empty", "name a new folder")
        _keep_names(verdicts / _PAGES, number, found)
        make_folder(folder / "clips")
        lengths = padded_lengths(found.names.clips.values())
        for name, clip in found.names.clips.items():
            if clip in found.clips:
                _copy(clip, lengths[clip.image], folder / "clips" / f"{name}{clip.path.suffix.lower()}")
        sync_folder(folder / "clips")
    # The page comes last: where it is, the clips are.
    with replacing(folder / "index.html") as file:
        file.write(page.text(parcel={"id": number, "shown": found.shown}))
    os.utime(folder / "index.html", (_SOME_TIME, _SOME_TIME))
    return Parcel(folder, number, len(found.clips), found.tasks)


def _copy(clip: ReviewedClip, length: int, target: Path) -> None:
    with target.open("xb") as file:
        file.writelines(padded(clip.path, length, 0, length))
        file.flush()
        os.fsync(file.fileno())
    os.utime(target, (_SOME_TIME, _SOME_TIME))


def _keep_names(folder: Path, number: str, found: Contents) -> None:
    make_folder(folder)
    clips: Mapping[str, object] = {
        name: {"job": clip.job, "sha256": clip.sha256} for name, clip in found.names.clips.items()
    }
    with replacing(folder / f"{number}.json") as file:
        json.dump({"version": _VERSION, "clips": clips}, file, indent=1)
        file.write("\n")
