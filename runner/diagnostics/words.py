"""How messages name values, lists of names, sizes and amounts of money."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runner.model import Json

_LONGEST = 60
_UNQUOTED = re.compile(r"(?:[A-Za-z_]|\.{1,2}/)[A-Za-z0-9_ ./*-]*(?<! )")
_NAMELIKE = re.compile(r"[\w .-]{1,40}")
_QUOTATION = re.compile(r'"(?:[^"\\]|\\.)*"|(?<!\w)\'[^\']*\'')
_QUOTED_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"])


_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


def shortened(text: str, limit: int = _LONGEST) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str) -> str:
    """The text with all characters escaped that a terminal does not show, or takes for commands."""
    return "".join(each if each.isprintable() else escaped(each) for each in text)


def escaped(character: str) -> str:
    """A character by its number, as JSON and Python write it."""
    code = ord(character)
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return known.get(character, f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def quoted(text: str) -> str:
    """The text in double quotes, as YAML writes it."""
    return '"' + printable(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def name(text: str) -> str:
    """A name in single quotes."""
    return f"'{printable(shortened(text))}'"


def only_names(message: str) -> str:
    """A message about a file that may be another than was meant: of what it quotes, only names are left."""
    return _QUOTATION.sub(lambda found: found.group() if is_namelike(found.group()[1:-1] or " ") else "…", message)


def is_namelike(text: str) -> bool:
    return _NAMELIKE.fullmatch(text) is not None


def literal(value: Json) -> str:
    """A value as JSON, shortened."""
    if isinstance(value, str):
        return quoted(shortened(value))
    return printable(shortened(json.dumps(value, ensure_ascii=False, default=str)))


def described(value: Json) -> str:
    """A value with its type, for a sentence: `the integer 5`."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return literal(value)
    if isinstance(value, str):
        return f"the text {literal(value)}"
    if isinstance(value, (int, float)):
        return f"the {'integer' if isinstance(value, int) else 'number'} {literal(value)}"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def command(*words: object) -> str:
    """A command of ours as it is typed into a shell, whatever its words hold. Each word of a flag is one of them."""
    return shlex.join(("reelrun", *map(str, words)))


def flow(value: Json) -> str:
    """A value as one would write it in YAML, on one line."""
    if isinstance(value, str):
        return value if _UNQUOTED.fullmatch(value) and value.lower() not in _QUOTED_WORDS else quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value)


def joined(words: Iterable[str], last: str = "or", limit: int = 12) -> str:
    """`a, b or c`; only the beginning of a long list."""
    items = list(words)
    if len(items) > limit:
        return ", ".join(items[:limit]) + ", …"
    return f"{', '.join(items[:-1])} {last} {items[-1]}" if len(items) > 1 else "".join(items)


def size(count: int) -> str:
    """Bytes, in the unit that people use for them."""
    for unit, factor in (("MB", 2**20), ("KB", 2**10)):
        if count >= factor:
            return f"{count / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} byte{'' if count == 1 else 's'}"


def money(amount: Decimal | float, currency: str) -> str:
    """An amount to the cent, or with all its digits if it has more: `$0.25`, `0.125 CHF`."""
    exact = Decimal(str(amount)).normalize()
    exponent = exact.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{exact:,.{digits}f}" if symbol else f"{exact:,.{digits}f} {currency}"
