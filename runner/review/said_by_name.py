"""What a page says of clips, by their names there, as verdicts about jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from runner.review.clips.reviewed_clips import ClipNames
from runner.verdicts.verdict import Best, Mark, Note, Pair, Said, Stars, Verdict, VerdictError, parsed

# The members that name clips: one, or a list.
_ONE, _MANY = ("left", "right", "best", "worst", "job"), "of"
_KINDS: dict[type, str] = {Pair: "pair", Best: "best", Mark: "mark", Stars: "stars", Note: "note"}


@dataclass(frozen=True, slots=True)
class SeenClip:
    """What a name stands for: a job, and the hash of its clip as it was seen."""

    job: str
    sha256: str


def verdict_of(document: Mapping[str, object], clips: Mapping[str, SeenClip], at: str, by: str) -> Verdict:
    """The verdict that a page gave. Raises VerdictError for what is none, or about a name that is none of `clips`."""
    seen: dict[str, str] = {}

    def job(name: object) -> str:
        clip = clips.get(name) if isinstance(name, str) else None
        if clip is None:
            raise VerdictError("it names a clip that is not of this page")
        seen[clip.job] = clip.sha256
        return clip.job

    members = dict(document)
    for member in _ONE:
        if members.get(member) is not None:
            members[member] = job(members[member])
    named = members.get(_MANY)
    if isinstance(named, list):
        members[_MANY] = [job(name) for name in named]
    line = {**members, "v": 1, "at": at, "by": by, "sha256": seen}
    return parsed(json.dumps(line).encode())


def document_of(said: Said, names: ClipNames) -> dict[str, object]:
    """What was said, with the name of each clip in place of its job."""
    members = {name: value for name, value in asdict(said).items() if value is not None}
    for member in _ONE:
        if member in members:
            members[member] = names.of(members[member])
    if _MANY in members:
        members[_MANY] = [names.of(job) for job in members[_MANY]]
    return {"kind": _KINDS[type(said)], **members}
