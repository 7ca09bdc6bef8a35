"""The clock that the engine uses."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

Item = TypeVar("Item")

# The least seconds between the ends of two waits: events that come close together are handled, and committed, together.
# A single event is not delayed.
_SHORTEST = 0.02


class Clock(Protocol):
    """Tells the time and waits for events."""

    def now(self) -> float:
        """Unix seconds."""

    def wait(self, inbox: SimpleQueue[Item], timeout: float) -> list[Item]:
        """Wait at most `timeout` seconds for an item in the inbox. Returns all items that are in it then."""


class SystemClock:
    """The machine's time when this object was made, plus the monotonic time since then. Setting the machine's clock
    during a run changes no wait."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._ended_at = float("-inf")

    def now(self) -> float:
        return time.monotonic() + self._offset

    def wait(self, inbox: SimpleQueue[Item], timeout: float) -> list[Item]:
        items: list[Item] = []
        try:
            items.append(inbox.get(timeout=max(timeout, 0.0)))
            time.sleep(max(self._ended_at + _SHORTEST - time.monotonic(), 0.0))
            while True:
                items.append(inbox.get_nowait())
        except Empty:
            self._ended_at = time.monotonic()
            return items
