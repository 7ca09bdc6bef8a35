"""Reads a listing as a stream: it may be hundreds of megabytes of echoed pictures, and little of it is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator

import ijson
from urllib3 import BaseHTTPResponse

from runner.api.answer_classes import AnswerClass
from runner.api.answers import MOST_DEPTH, Listing, Remote, number_of, remote_of
from runner.secret import cleaned

# The most bytes of a listing. A longer one is given up, and proves no absence.
MOST_BYTES = 2 * 1024 * 1024 * 1024
# The most bytes of one text in a listing, such as an echoed picture of 10 MB.
MOST_TEXT = 64 * 1024 * 1024


class _Reading:
    """Reads a body within limits, and parses it into events."""

    def __init__(self, raw: BaseHTTPResponse, most: int, deadline: float) -> None:
        self._raw = raw
        self._left = most
        self._deadline = deadline
        self._since_event = 0
        self.total: int | None = None
        self.has_more: bool | None = None
        self.has_requests = False
        self.invalid = 0

    def read(self, amount: int = -1) -> bytes:
        # read1 does not wait for a full block, so the deadline is checked even if the body arrives byte by byte.
        block = self._raw.read1(amount, decode_content=True)
        self._left -= len(block)
        self._since_event += len(block)
        if self._left < 0 or self._since_event > MOST_TEXT or time.monotonic() > self._deadline:
            raise ijson.JSONError("it does not end")
        return block

    def events(self) -> Iterator[tuple[str, str, object]]:
        """The events of the parser. Values outside of the entries, such as `total`, are noted on the way."""
        for prefix, event, value in ijson.parse(_shallow(ijson.basic_parse(self, use_float=True))):
            self._since_event = 0
            if prefix == "requests" and event in ("start_array", "end_array"):
                self.has_requests = event == "end_array"
            elif prefix == "total":
                number = number_of(value)
                self.total = int(number) if number is not None and number.is_integer() else None
                self.invalid += self.total is None and event != "null"
            elif prefix == "has_more":
                self.has_more = value if isinstance(value, bool) else None
                self.invalid += self.has_more is None and event != "null"
            yield prefix, event, value


def _shallow(events: Iterator[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """The events, up to one that is nested too deeply: the name of the place of each holds those of all above it."""
    depth = 0
    for event, value in events:
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > MOST_DEPTH:
                raise ijson.JSONError(f"it has more than {MOST_DEPTH} levels")
        elif event in ("end_map", "end_array"):
            depth -= 1
        yield event, value


def read_listing(
    raw: BaseHTTPResponse, most: int = MOST_BYTES, *, deadline: float = float("inf"), key: str | None = None
) -> Listing:
    """The requests of a listing, without the key. `is_whole` is False if anything in it could not be read.

    Reading is given up after `most` bytes, and at `deadline` (monotonic clock).
    """
    reading = _Reading(raw, most, deadline)
    found: list[Remote] = []
    try:
        for document in ijson.items(reading.events(), "requests.item"):
            remote = remote_of(cleaned(document, key))
            if remote is None:
                reading.invalid += 1
            else:
                found.append(remote)
    except (ijson.JSONError, UnicodeDecodeError, RecursionError):
        # The parser's words quote the text around the place, cut anywhere: in the middle of the key, too.
        return Listing(AnswerClass.UNKNOWN, tuple(found), reading.total, message="the list is broken or does not end")
    is_whole = reading.has_requests and not reading.invalid
    message = "" if is_whole else "the service's list has entries that cannot be read"
    return Listing(AnswerClass.ACCEPTED, tuple(found), reading.total, reading.has_more, is_whole, message=message)
