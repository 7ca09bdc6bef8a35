"""The key of the service: found in texts in every form that it is likely to have there, and taken out of them."""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from runner.errors import SecretError

NAME = "GMI_API_KEY"
REMOVED = "[key]"
# No key is shorter. Looking for a shorter text would find it in innocent words.
_LEAST = 8
_ESCAPE = re.compile(
    r"%(?:25){0,4}([0-9a-fA-F]{2})|\\{1,8}(?:u00|x)([0-9a-fA-F]{2})"
    r"|&#[xX]0{0,6}([0-9a-fA-F]{2});|&#0{0,6}([0-9]{2,3});"
)
# What signs an address, by the names that S3, Google and Azure have for it, also where the address is escaped.
_SIGNATURE = re.compile(r"((?:X-(?:Amz|Goog)-Signature|(?<![A-Za-z0-9-])sig)(?:=|%3D))[^\s&\"'<>\\]+", re.IGNORECASE)
# What may stand between two characters of a text that was broken into lines: the line end, the indentation after it,
# and the backslash that goes on with a line in YAML and in shells.
_BREAK = r"[ \t\r\n\\]{0,200}"
_WHITE = " \t\r\n"


def key_of_environment() -> str:
    """The key, without white space around it; empty if there is none, or if it is too short to be one."""
    return usable(os.environ.get(NAME))


def usable(key: str | None) -> str:
    """The key that is looked for in texts."""
    key = (key or "").strip()
    return key if len(key) >= _LEAST else ""


def place_of_key(text: str, key: str | None = None) -> tuple[int, int] | None:
    """Index and length of the first place of the key, by default that of the environment; None if there is none."""
    key = key_of_environment() if key is None else usable(key)
    if not key or not _may_hold(text, key):
        return None
    found = _pattern(key).search(text)
    return None if found is None else (found.start(), found.end() - found.start())


def holds_key(text: str, key: str | None = None) -> bool:
    return place_of_key(text, key) is not None


def without_key(text: str, key: str | None = None) -> str:
    """The text with a mark in place of the key."""
    key = key_of_environment() if key is None else usable(key)
    return _pattern(key).sub(REMOVED, text) if key and _may_hold(text, key) else text


def cleaned(document: object, key: str | None = None) -> object:
    """A JSON document without the key, in its names and in its texts. Raises RecursionError."""
    key = key_of_environment() if key is None else usable(key)
    return _cleaned(document, key) if key else document


def without_signatures(text: str) -> str:
    """The text without the signatures of addresses: with them, anybody could read what lies there."""
    return _SIGNATURE.sub(r"\1[signature]", text)


def _cleaned(document: object, key: str) -> object:
    if isinstance(document, str):
        return without_key(document, key)
    if isinstance(document, Mapping):
        return {without_key(str(name), key): _cleaned(value, key) for name, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [_cleaned(each, key) for each in document]
    return document


def refuse_key(texts: Iterable[object], what: str) -> None:
    """The last guard before something is written or sent. Raises SecretError if one of the texts holds the key."""
    key = key_of_environment()
    # The sign between them is part of no key, so that two texts do not make one.
    if key and holds_key("\0".join(each for each in texts if isinstance(each, str)), key):
        raise SecretError(
            f"{what} would hold the key of the service ({NAME})",
            "nothing of it was written or sent: look for the key in names, prompts, tables and file names",
        )


def _may_hold(text: str, key: str) -> bool:
    """Whether a search is worth its time: it takes ten times longer than this."""
    if key.lower() in text.lower():
        # What stands before it may make an escape of its first signs.
        return True
    text = _resolved(text)
    plain, encoded = _forms(key)
    return plain in text.lower() or any(each in text for each in encoded)


def _resolved(text: str) -> str:
    """The text without white space, and with all escapes resolved."""
    if "\\" in text or "%" in text or "&#" in text:
        text = _ESCAPE.sub(_character, text).replace("\\", "")
    for sign in _WHITE:
        text = text.replace(sign, "")
    return text


def _character(found: re.Match[str]) -> str:
    *hexadecimal, decimal = found.groups()
    return chr(int(decimal)) if decimal else chr(int(next(filter(None, hexadecimal)), 16))


@lru_cache(maxsize=8)
def _forms(key: str) -> tuple[str, tuple[str, ...]]:
    """The key as it is after all escapes are resolved, and its forms in Base64 and hexadecimal digits."""
    digits = key.encode().hex()
    return _resolved(key).lower(), (*_in_base64(key.encode()), digits, digits.upper())


def _in_base64(key: bytes) -> Iterable[str]:
    """The characters that Base64 always has for the key, after each number of bytes before it, in both alphabets."""
    for before in range(3):
        whole = binascii.b2a_base64(bytes(before) + key, newline=False).decode().rstrip("=")
        # The first characters depend on the bytes before the key, and the last one on those after it.
        sure = whole[(0, 2, 3)[before] : (before + len(key)) * 8 // 6]
        yield sure
        yield sure.replace("+", "-").replace("/", "_")


@lru_cache(maxsize=8)
def _pattern(key: str) -> re.Pattern[str]:
    _, encoded = _forms(key)
    spelled = (map(_spellings, key), *(map(re.escape, each) for each in dict.fromkeys(encoded)))
    return re.compile("|".join(_BREAK.join(each) for each in spelled))


def _spellings(character: str) -> str:
    """A pattern for one character: itself, and as URLs, JSON, YAML and HTML escape it."""
    code = ord(character)
    digits = "".join(f"[{each}{each.upper()}]" for each in f"{code:02x}")
    plain = "|".join(map(re.escape, dict.fromkeys((character.lower(), character.upper()))))
    # Each repetition has a limit, so that a text of nothing but backslashes takes no square of its length.
    escapes = rf"%(?:25){{0,4}}{digits}|\\{{1,8}}(?:u00|x){digits}|&#(?:[xX]0{{0,6}}{digits}|0{{0,6}}{code});"
    return f"(?:{plain}|{escapes})"
