"""Texts that a terminal, a log or a reader would obey, and forms of a key that nobody may read."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from urllib.parse import quote

# What no line on a screen may hold: controls, directions of text, further ends of lines, tags, halves of pairs.
OBEYED = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
# What a line would begin with that a hostile text made by itself.
FORGED = re.compile(r"^\s*(?:forged|::|##\[)", re.MULTILINE)

TEXTS: Mapping[str, str] = {
    "a cleared screen": "a\x1b[2Jb",
    "one of our own colours": "a\x1b[1;31mb\x1b[0m",
    "a title of the window": "a\x1b]0;owned\x07b",
    "a link": "a\x1b]8;;https://evil.example\x1b\\b",
    "the other control set": "a\x9b2Jb\x85c",
    "a backspace": "good\x08\x08\x08\x08evil",
    "a carriage return": "a\rforged: all is well",
    "a line of its own": "a\nforged: all is well",
    "a further line end": "a\u2028forged\u2029forged",
    "a text turned round": "a\u202egpj.exe\u202c",
    "an isolated direction": "a\u2066b\u2069\u200f\u061c",
    "invisible tags": "a\U000e0041\U000e007f",
    "a command of a workflow": "::stop-commands::x",
    "a command after a line end": "a\n::set-output name=x::y\n##[add-path]/evil",
    "half a pair": "a\ud800b",
    "a delete": "a\x7f\x00b",
}

KEY = "sk-proj-9fQ2/LmZ7aBc+eFgHiJk"


def _each(form: str) -> str:
    return "".join(form.format(ord(each)) for each in KEY)


def _in_base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode()


# How a key may come back, with the words around it.
FORMS: Mapping[str, str] = {
    "plain": f"the key {KEY} is odd",
    "in capitals": f"THE KEY {KEY.upper()}",
    "in quotes": f'{{"key":"{KEY}"}}',
    "quoted for a URL": f"?key={quote(KEY, safe='')}&x=1",
    "percent-encoded": _each("%{:02x}"),
    "percent-encoded twice": _each("%25{:02X}"),
    "escaped as in JSON": _each("\\u{:04x}"),
    "escaped twice as in JSON": _each("\\\\u{:04X}"),
    "slashes escaped": KEY.replace("/", "\\/"),
    "escaped as in YAML": _each("\\x{:02x}"),
    "escaped as in HTML": _each("&#{};"),
    "escaped in hexadecimal as in HTML": _each("&#x{:X};"),
    "broken into lines": f"{KEY[:7]}\r\n    {KEY[7:20]}\n{KEY[20:]}",
    "broken as in a shell": f"{KEY[:9]}\\\n{KEY[9:]}",
    "Base64": _in_base64(KEY),
    "Base64 after a byte": _in_base64(f"x{KEY}y"),
    "Base64 after two bytes": _in_base64(f"xx{KEY}yyy"),
    "Base64 of the header": _in_base64(f"Bearer {KEY}"),
    "Base64 for URLs": _in_base64(f":{KEY}??>>").replace("+", "-").replace("/", "_"),
    "hexadecimal digits": KEY.encode().hex(),
    "at the cut": "x" * 490 + KEY,
}
# Parts of the key and of its forms: none of them may be left over.
TRACES = (KEY[:12].lower(), KEY[-12:].lower(), _in_base64(KEY)[:16].lower(), KEY.encode().hex()[:16])


def traces_in(text: str) -> list[str]:
    return [each for each in TRACES if each in text.lower()]
