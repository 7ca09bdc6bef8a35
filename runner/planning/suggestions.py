"""Hints for a name that is not known: the nearest known one, and what is known."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# A hint is one line: beyond this many names, the rest is counted.
SHOWN = 20


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that `name` was probably meant to be, regardless of case, or None."""
    by_folded = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Collection[str]) -> str:
    """A hint for the unknown `name`: "did you mean 'x'? known here: x, y", in one line."""
    if not known:
        return "nothing is known here"
    names = sorted(known)
    listed = ", ".join(names[:SHOWN])
    if len(names) > SHOWN:
        listed += f" and {len(names) - SHOWN} more"
    guess = nearest(name, names)
    return f"did you mean {guess!r}? known here: {listed}" if guess else f"known here: {listed}"
