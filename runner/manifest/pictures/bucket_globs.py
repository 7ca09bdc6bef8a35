"""Finds the objects of a bucket that a glob matches, by the rules of globs on the disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import BucketFiles
from runner.manifest.pictures.glob_search import is_shown, loose_matcher, matcher, parts_of, patterns

# The most objects that one glob looks at.
MOST_OBJECTS = 100_000
_MAGIC = re.compile(r"[*?\[{]")
_Step = Callable[[str], object]


def matching_objects(pattern: str, files: BucketFiles) -> tuple[list[BucketAddress], list[BucketAddress]]:
    """The objects that match, and those whose names would but for capitals or another ending of the same kind.

    The folder that the pattern begins with is listed. Raises BucketError, UsageError where this is no address,
    TooManyObjectsError and TooManyEntriesError.
    """
    folder = folder_of(pattern)
    listed = files.below(folder, MOST_OBJECTS)
    ways = [parts_of(each.partition("://")[2])[1:] for each in patterns(pattern)]
    exact = [_way(way) for way in ways]
    loose = [[*_way(way)[:-1], loose_matcher(way[-1])] for way in ways if way and way[-1] != "**"]
    found: tuple[list[BucketAddress], list[BucketAddress]] = [], []
    for each in sorted(listed, key=lambda each: each.path):
        # A folder that a console made is an object with nothing in it.
        if each.size or each.path != folder.path:
            parts = each.path.split("/")
            if any(_fits(parts, way) for way in exact):
                found[0].append(folder.root.below(each.path))
            elif any(_fits(parts, way) for way in loose):
                found[1].append(folder.root.below(each.path))
    return found


def folder_of(pattern: str) -> BucketAddress:
    """The folder that all matches of a pattern lie in. Raises UsageError."""
    fixed = _MAGIC.split(pattern, maxsplit=1)[0]
    return BucketAddress.of(fixed.rpartition("/")[0] if fixed.count("/") > 2 else pattern)


def _way(steps: Sequence[str]) -> list[_Step | None]:
    """What tells of each step whether a name fits it; None for any number of folders."""
    way = [None if each == "**" else matcher(each) for each in steps]
    return [*way, is_shown] if way[-1:] == [None] else way


def _fits(parts: Sequence[str], way: Sequence[_Step | None]) -> bool:
    """Whether the parts of a path fit the steps of a pattern, tried in all ways at once."""
    places = {0}
    for part in parts:
        places |= {place + 1 for place in places if place < len(way) and way[place] is None}
        stay = {place for place in places if place < len(way) and way[place] is None and is_shown(part)}
        places = stay | {place + 1 for place in places if place < len(way) and (fits := way[place]) and fits(part)}
    return len(way) in places
