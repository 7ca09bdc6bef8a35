"""Limits on planning: a timer that interrupts a render, and a limit on the memory of the process."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from runner.errors import UsageError
from runner.planning.templates.template_errors import ExcessError

# The most seconds that one render may take, and the seconds between two ticks of the timer.
RENDER_SECONDS = 2.0
TICK = 0.25
# The most memory that planning may add to what the process already has, in bytes.
MEMORY = 2**30


class Watch:
    """Interrupts renders that take too long, by an alarm signal. Python handles signals only in the main thread.

    `ticks` counts the alarms since the watch began, one every TICK seconds.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self._renders = 0
        self._is_rendering = False
        self._last_render = -1
        self._same_ticks = 0

    def begin(self) -> None:
        """A render begins."""
        self._renders += 1
        self._is_rendering = True

    def end(self) -> None:
        """A render has ended."""
        self._is_rendering = False

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Run the timer. Threads other than the main thread have no timer."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _look(self, *_: object) -> None:
        self.ticks += 1
        if not self._is_rendering or self._renders != self._last_render:
            self._last_render, self._same_ticks = self._renders, 0
            return
        self._same_ticks += 1
        if self._same_ticks * TICK >= RENDER_SECONDS:
            # Each further tick raises it again, because Python drops an exception raised in a destructor or callback.
            raise ExcessError(f"it takes more than {RENDER_SECONDS:g} seconds")


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    """Until the context ends, limit the memory of the process to its present size plus MEMORY.

    Use it only in a process that does nothing else. Raises UsageError if the memory is not enough. On systems other
    than Linux there is no effective limit, so nothing is limited.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        limit = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit if soft < 0 else min(soft, limit), hard))
    try:
        yield
    except MemoryError:
        hint = "make the sweep smaller, or its templates simpler"
        raise UsageError(f"planning takes more than {MEMORY >> 30} GiB of memory", hint) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
