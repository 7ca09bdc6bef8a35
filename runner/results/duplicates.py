"""Clips that are there twice: the same file, or takes of one request that look the same."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

# Two takes look the same whose signatures (a few frames, each in a few blocks) differ by no more than this on average,
# of 255: less than two encodings of the same frames do.
_SAME = 0.75


def duplicates(files: Iterable[tuple[str, str]], takes: Iterable[tuple[str, str, bytes]]) -> dict[str, str]:
    """For each clip that is there twice, the id of the job that had it first.

    `files` are the hashes of clips with the ids of their jobs, and `takes` the requests with the ids of their jobs and
    the signatures of the clips; both are in the order of the jobs, the takes of one request together.
    """
    firsts: dict[str, str] = {}
    found: dict[str, str] = {}
    for sha256, job_id in files:
        first = firsts.setdefault(sha256, job_id)
        if first != job_id:
            found[job_id] = first
    for _, group in groupby(takes, key=itemgetter(0)):
        seen: list[tuple[str, bytes]] = []
        for _, job_id, signature in group:
            first = next((other for other, known in seen if _look_same(known, signature)), job_id)
            if first != job_id:
                found.setdefault(job_id, first)
            seen.append((job_id, signature))
    return found


def _look_same(one: bytes, other: bytes) -> bool:
    if not one or len(one) != len(other):
        return False
    return sum(abs(left - right) for left, right in zip(one, other, strict=True)) <= _SAME * len(one)
