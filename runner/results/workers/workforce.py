"""What the measuring asks of those who look at clips, wherever they are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Protocol

from runner.model import Measured
from runner.results.workers.kept_clip import KeptClip
from runner.video.measures import ViewOrder


class NotLookedAtError(Exception):
    """A worker could not look at a clip. The clip may be whole."""


class Workforce(Protocol):
    """Workers that look at clips. None of them opens the state, and none sends anything to a service."""

    def at_once(self) -> int:
        """How many clips are looked at at once, by those who are there now. Raises WorkersError."""
        ...

    def submit(self, clip: KeptClip, order: ViewOrder) -> Future[Measured]:
        """Have a clip looked at that is still the one that was downloaded."""
        ...

    def result(self, future: Future[Measured]) -> Measured:
        """What was measured.

        Raises UnfitFileError, DiskError and OSError where the clip is at fault, NotLookedAtError where a worker is,
        and WorkersError where nobody goes on.
        """
        ...


# Gets workers for so many clips, at least one. What still waits when they are left is given up.
Hire = Callable[[int], AbstractContextManager[Workforce]]
