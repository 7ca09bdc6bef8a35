"""Surprises of YAML: plain words that it reads differently from how they look, and values that JSON does not have."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode

from runner.diagnostics.words import literal, name, shortened
from runner.model import Json

# A plain text that begins with one of these may have been meant as a number. A set does not hold the empty text.
FIRST = frozenset("0123456789+-.")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"[-+]?0o[0-7]+")
_KINDS = {
    "timestamp": "a date",
    "binary": "binary data",
    "set": "a set",
    "omap": "an ordered map",
    "pairs": "a list of pairs",
}


@dataclass(frozen=True, slots=True)
class Pitfall:
    """Message and hint for a plain scalar that YAML reads differently from what most people expect.

    `is_number`: it reads another number than it seems to be.
    """

    message: str
    hint: str
    is_number: bool = False


def doubt(node: ScalarNode, value: Json) -> Pitfall | None:
    """The surprise in a scalar such as `no`, `017`, `1:30`, `1e3` or `08`; None if there is none."""
    text = shortened(node.value)
    if node.style or node.tag.endswith("null"):
        return None
    if isinstance(value, bool):
        truth = literal(value)
        if text.lower() == truth:
            return None
        return Pitfall(f"YAML reads {text} as {truth}", f'write "{text}" for the word, {truth} for the truth value')
    if isinstance(value, str):
        return _meant_as_number(text)
    if isinstance(value, int) and (":" in text or re.match("[-+]?0[0-9_]", text)):
        base = 60 if ":" in text else 8
        message = f"YAML reads {text} as the number {value} (base {base})"
        return Pitfall(message, f'write "{text}" for the text, {value} for the number', is_number=True)
    return None


def _meant_as_number(text: str) -> Pitfall | None:
    if _OCTAL.fullmatch(text):
        number = str(int(text.replace("0o", ""), 8))
    elif _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        number = number_for(text)
    else:
        return None
    return Pitfall(f"YAML reads {text} as text", f'write {number} for the number, "{text}" for the text')


def number_for(text: str) -> str:
    """How to write a number so that YAML reads it as a number: `1e3` as 1000.0."""
    number = float(text)
    if number.is_integer() and "." not in text and "e" not in text.lower():
        return str(int(number))
    written = repr(number)
    return written.replace("e", ".0e") if "e" in written and "." not in written else written


def of_tag(tag: str) -> tuple[str, str]:
    """Message and hint for a tag that JSON has no value for."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind in _KINDS:
        return f"{_KINDS[kind]} is no JSON value", "use a text, a number, true or false, a list or a mapping"
    shown = f"!!{kind}" if kind != tag else tag
    return f"the tag {name(shown)} is not known here", "leave the tag out"


def of_scalar(node: ScalarNode) -> tuple[str, str]:
    """Message and hint for a scalar that JSON has no value for."""
    text = shortened(node.value)
    quote = f'write "{text}", with quotes'
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "timestamp":
        return f"YAML reads {text} as a date, and JSON has no dates", quote
    if kind == "float":
        return f"{text} is no number that JSON has", f"{quote}, or a finite number"
    if kind == "int":
        return f"{text} is an integer of more than 64 bits", f"{quote}: this long, it is a name rather than a number"
    if kind == "bool":
        return f"{name(text)} is neither true nor false", "write true or false"
    return of_tag(node.tag)


def is_template(text: str, node: MappingNode) -> bool:
    """Whether a mapping is {{ product }} without quotes: to YAML it is a mapping, with a mapping for its one key."""
    written = text[node.start_mark.index : node.end_mark.index]
    has_one = len(node.value) == 1 and isinstance(node.value[0][0], MappingNode)
    return has_one and written.startswith("{{") and written.endswith("}}")


def of_template(text: str, node: MappingNode) -> tuple[str, str]:
    """Message and hint for a template without quotes."""
    start = node.start_mark.index
    end = text.find("\n", start)
    whole = text[start : end if end >= 0 else len(text)].split("}}")[0]
    hint = f'write the whole value in quotes: "{shortened(whole)}}}}}"'
    return "a template without quotes is a mapping in YAML", hint


def of_key(text: str, key: Node) -> tuple[str, str]:
    """Message and hint for a key that is not a text."""
    if isinstance(key, ScalarNode) and key.value:
        shown = shortened(key.value)
        return f"the key {shown} is not a text in YAML", f'write "{shown}": with quotes'
    written = shortened(text[key.start_mark.index : key.end_mark.index])
    return f"the key {written or '(empty)'} is not a text", "a key is a single word or a quoted text"
