"""A listing, read as a stream: it may be hundreds of megabytes of echoed pictures, of which little is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator

import ijson
from urllib3 import BaseHTTPResponse

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Listing, Remote, number_of, remote_of

# Beyond this a listing is given up as endless: absence is then not believed.
MOST_BYTES = 2 * 1024 * 1024 * 1024
# One text in it, such as an echoed picture of 10 MB, is never longer.
MOST_TEXT = 64 * 1024 * 1024


class _Reading:
    """Reads a body with bounds, and the events in it."""

    def __init__(self, raw: BaseHTTPResponse, most: int, deadline: float) -> None:
        self._raw = raw
        self._left = most
        self._deadline = deadline
        self._since_event = 0
        self.total: int | None = None
        self.has_requests = False
        self.unsound = 0

    def read(self, amount: int = -1) -> bytes:
        # What is there, without waiting for more: a drip is seen as one.
        block = self._raw.read1(amount, decode_content=True)
        self._left -= len(block)
        self._since_event += len(block)
        if self._left < 0 or self._since_event > MOST_TEXT or time.monotonic() > self._deadline:
            raise ijson.JSONError("it does not end")
        return block

    def events(self) -> Iterator[tuple[str, str, object]]:
        """What the parser sees; what stands beside the entries is noted on the way."""
        for prefix, event, value in ijson.parse(self, use_float=True):
            self._since_event = 0
            if prefix == "requests" and event in ("start_array", "end_array"):
                self.has_requests = event == "end_array"
            elif prefix == "total":
                number = number_of(value)
                self.total = int(number) if number is not None and number.is_integer() else None
                self.unsound += self.total is None and event != "null"
            yield prefix, event, value


def read_listing(raw: BaseHTTPResponse, most: int = MOST_BYTES, *, deadline: float = float("inf")) -> Listing:
    """The requests of a listing. `is_whole` is False where anything in it could not be read.

    It is given up after `most` bytes, and at `deadline` (of the monotonic clock).
    """
    reading = _Reading(raw, most, deadline)
    found: list[Remote] = []
    try:
        for document in ijson.items(reading.events(), "requests.item"):
            remote = remote_of(document)
            if remote is None or remote.created_at is None:
                reading.unsound += 1
            else:
                found.append(remote)
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        return Listing(AnswerClass.UNKNOWN, tuple(found), reading.total, message=f"the listing is broken: {error}")
    is_whole = reading.has_requests and not reading.unsound
    message = "" if is_whole else "the listing has entries that cannot be read"
    return Listing(AnswerClass.ACCEPTED, tuple(found), reading.total, is_whole, message=message)
