"""Hints for a name that is not known: the nearest known one, and what is known."""

from __future__ import annotations

from collections.abc import Collection

from runner.manifest.words import closest

# A hint is one line: beyond this many names, the rest is counted.
SHOWN = 20


def did_you_mean(name: str, known: Collection[str]) -> str:
    """A hint for the unknown `name`: "did you mean 'x'? known here: x, y", in one line."""
    if not known:
        return "nothing is known here"
    names = sorted(known)
    listed = ", ".join(names[:SHOWN])
    if len(names) > SHOWN:
        listed += f" and {len(names) - SHOWN} more"
    guess = closest(name, names)
    return f"did you mean {guess!r}? known here: {listed}" if guess else f"known here: {listed}"
