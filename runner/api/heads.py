"""The head of an answer, read without the parser of e-mails that the standard library takes to it."""

from __future__ import annotations

import http.client
import re
from http.client import HTTPException, HTTPMessage, HTTPResponse
from types import FunctionType
from typing import BinaryIO

# No sound head is larger; the standard library has the same bounds.
_MOST_BYTES, _MOST_FIELDS = 1 << 16, 100
# What RFC 9110 5.1 lets be the name of a field (tokens), and what a continued line begins with (RFC 9112 5.2).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FOLD = (" ", "\t")
_SPACE = " \t\r\n"


def fields(file: BinaryIO, *_: object, **__: object) -> HTTPMessage:
    """The header fields that stand next in a file, up to the empty line behind them; what is no field is left out.

    Raises HTTPException where there are too many, or one is too long. It takes the place of http.client.parse_headers,
    in the arguments, too.
    """
    found: list[list[str]] = []
    for line in _lines(file):
        name, colon, value = line.partition(":")
        if line.startswith(_FOLD) and found:
            found[-1][1] += f" {line.strip(_SPACE)}"
        elif colon and _NAME.fullmatch(name):
            found.append([name, value.strip(_SPACE)])
    message = HTTPMessage()
    for name, value in found:
        message[name] = value
    return message


def _lines(file: BinaryIO) -> list[str]:
    lines: list[str] = []
    while (line := file.readline(_MOST_BYTES + 1)) not in (b"\r\n", b"\n", b""):
        if len(line) > _MOST_BYTES:
            raise HTTPException("a line of the answer's head is too long")
        if len(lines) == _MOST_FIELDS:
            raise HTTPException(f"the answer's head has more than {_MOST_FIELDS} fields")
        lines.append(line.decode("iso-8859-1"))
    return lines


def _with_our_parser(function: FunctionType) -> FunctionType:
    """A function of http.client that finds ours where it looks for its parser, and is the same otherwise."""
    names = {**vars(http.client), "parse_headers": fields}
    made = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


class Response(HTTPResponse):
    """An answer of the standard library, but for how its head is parsed: e-mails have parts and types of their own,
    and looking for them takes a third of a call's time."""

    begin = _with_our_parser(HTTPResponse.begin)  # type: ignore[arg-type]  # written in Python, and so a FunctionType
