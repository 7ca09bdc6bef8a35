"""How messages name values, lists of names and sizes."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from runner.model import Json

_LONGEST = 60
_BARE = re.compile(r"(?:[A-Za-z_]|\.{1,2}/)[A-Za-z0-9_ ./*-]*(?<! )")
_NOT_BARE = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"])
# A hint is one line: beyond this many names, the rest is counted.
SHOWN = 20


def shortened(text: str, limit: int = _LONGEST) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str) -> str:
    """The text with everything escaped that a terminal would not show, or would obey."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return known.get(character, f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def quoted(text: str) -> str:
    """The text in double quotes, as YAML has it."""
    return '"' + printable(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def name(text: str) -> str:
    """A name in single quotes."""
    return f"'{printable(shortened(text))}'"


def literal(value: Json) -> str:
    """A value as JSON, shortened."""
    if isinstance(value, str):
        return quoted(shortened(value))
    return printable(shortened(json.dumps(value, ensure_ascii=False, default=str)))


def described(value: Json) -> str:
    """A value with its type, as a sentence needs it: `the integer 5`."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return literal(value)
    if isinstance(value, str):
        return f"the text {literal(value)}"
    if isinstance(value, (int, float)):
        return f"the {'integer' if isinstance(value, int) else 'number'} {literal(value)}"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def flow(value: Json) -> str:
    """A value as one would write it in YAML, on one line."""
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) and value.lower() not in _NOT_BARE else quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value)


def joined(words: Iterable[str], last: str = "or", limit: int = 12) -> str:
    """`a, b or c`; of a long list the beginning."""
    items = list(words)
    if len(items) > limit:
        return ", ".join(items[:limit]) + ", …"
    return f"{', '.join(items[:-1])} {last} {items[-1]}" if len(items) > 1 else "".join(items)


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant. `cutoff` is how alike they are at least, from 0 to 1."""
    lowered = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for a word that is not known."""
    found = closest(word, known)
    return f"did you mean {name(found)}?" if found else otherwise


def known_here(word: str, known: Collection[str]) -> str:
    """A hint for the unknown `word`: "did you mean 'x'? known here: x, y", in one line."""
    if not known:
        return "nothing is known here"
    names = sorted(known)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    guess = closest(word, names)
    return (f"did you mean {guess!r}? " if guess else "") + f"known here: {', '.join(names[:SHOWN])}{more}"


def size(count: int) -> str:
    """Bytes, in the unit that people use for them."""
    for unit, factor in (("MB", 2**20), ("KB", 2**10)):
        if count >= factor:
            return f"{count / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} byte{'' if count == 1 else 's'}"
