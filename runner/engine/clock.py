"""Time, as the engine is given it."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

Item = TypeVar("Item")

# Waits end at most fifty times a second: what comes in a crowd is taken in, and committed, together. What comes alone
# waits for nothing.
_SHORTEST = 0.02


class Clock(Protocol):
    """Tells the time and waits for events."""

    def now(self) -> float:
        """Unix seconds."""

    def wait(self, inbox: SimpleQueue[Item], timeout: float) -> list[Item]:
        """What is in the inbox, at the latest after `timeout` seconds; all of it once there is anything."""


class SystemClock:
    """The time of this machine when it was made, carried on by the monotonic clock: setting the machine's clock during
    a run neither shortens nor lengthens any wait."""

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
