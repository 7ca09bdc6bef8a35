"""What changed between the request that a key had and the one that it has now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from runner.model import Change, Variables

# Words, and what stands between them: together they are the whole text.
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# The matcher takes quadratic time; texts at the API's limit have about 1,000 pieces.
_MOST_PIECES = 4000


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words of two texts: what both have (`old` and `new` are equal), or what took the place of what."""

    old: str
    new: str

    @property
    def is_kept(self) -> bool:
        return self.old == self.new


def changes(payload: Variables, before: Variables) -> tuple[Change, ...]:
    """The parameters that differ, in the order of the new request."""
    names = dict.fromkeys((*payload, *before))
    return tuple(
        Change(name, before.get(name), payload.get(name)) for name in names if payload.get(name) != before.get(name)
    )


def words(old: str, new: str) -> tuple[Piece, ...]:
    """The two texts word by word: joined, the old sides are the old text, and the new sides the new one."""
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(left), len(right)) > _MOST_PIECES:
        return (Piece(old, new),)
    return tuple(_joined(left, right))


def _joined(left: list[str], right: list[str]) -> Iterator[Piece]:
    """The pieces. White space that stands alone between two changes belongs to them, so that each reads as one."""
    before, after = "", ""
    for tag, i, j, k, end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        old, new = "".join(left[i:j]), "".join(right[k:end])
        if tag == "equal" and (old.strip() or not (before or after)):
            if before or after:
                yield Piece(before, after)
            before = after = ""
            yield Piece(old, new)
        else:
            before, after = before + old, after + new
    if before or after:
        yield Piece(before, after)


def edits(change: Change) -> tuple[object, ...]:
    """What is the same in changes that are alike: jobs of one arm differ in their texts, and share the edit."""
    if isinstance(change.old, str) and isinstance(change.new, str) and change.name.endswith("prompt"):
        return (change.name, *((each.old, each.new) for each in words(change.old, change.new) if not each.is_kept))
    return (change.name, repr(change.old), repr(change.new))
