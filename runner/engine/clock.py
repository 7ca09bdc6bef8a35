"""Time, as the engine is given it."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

Item = TypeVar("Item")

# Waits end at most fifty times a second: what comes in a crowd is taken in, and committed, together. What comes alone
# waits for nothing.
_SHORTEST = 0.02
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Unlike CLOCK_MONOTONIC it counts the time that the machine is suspended. Only Linux has it.
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Tells the time and waits for events."""

    @property
    def boot(self) -> str:
        """The boot of the machine: times of `now` are compared within one boot alone."""

    def now(self) -> float:
        """Seconds since the machine was booted. Setting the machine's clock does not change it."""

    def wall(self) -> float:
        """Unix seconds, for people. No decision is made by it."""

    def wait(self, inbox: SimpleQueue[Item], timeout: float) -> list[Item]:
        """What is in the inbox, at the latest after `timeout` seconds; all of it once there is anything."""


class SystemClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        self._ended_at = float("-inf")
        try:
            self.boot = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            # Times of another process are then taken for those of another boot, which is safe.
            self.boot = uuid.uuid4().hex

    def now(self) -> float:
        return time.clock_gettime(_BOOTTIME)

    def wall(self) -> float:
        return time.time()

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
