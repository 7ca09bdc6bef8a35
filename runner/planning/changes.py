"""The differences between the former and the present request of a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from runner.model import Change, Variables

# Runs of white space, words, and single other characters. Joined, the matches are the whole text.
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# SequenceMatcher takes quadratic time. The longest text that the API allows has about 1,000 pieces.
_MOST_PIECES = 4000


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words. If both texts have it, `old` and `new` are equal; otherwise `new` replaced `old`."""

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
    """Compare two texts word by word. Joined, the `old` sides are the old text, and the `new` sides the new text."""
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(left), len(right)) > _MOST_PIECES:
        return (Piece(old, new),)
    return tuple(_joined(left, right))


def _joined(left: list[str], right: list[str]) -> Iterator[Piece]:
    """The pieces. If only white space is between two changes, they become one change, which is easier to read."""
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
    """A value to group changes by. Jobs of one arm have different texts, but the same words were edited in them."""
    if isinstance(change.old, str) and isinstance(change.new, str) and change.name.endswith("prompt"):
        return (change.name, *((each.old, each.new) for each in words(change.old, change.new) if not each.is_kept))
    return (change.name, repr(change.old), repr(change.new))
