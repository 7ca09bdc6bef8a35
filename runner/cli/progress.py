"""Progress on the screen: a bar on a terminal, a line now and then elsewhere; with --verbose every step and call."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from runner.api.transport import LOG
from runner.cli import screen
from runner.diagnostics.terminal import safe
from runner.diagnostics.words import money
from runner.engine.run import RunSnapshot
from runner.model import Budget, Manifest

if TYPE_CHECKING:
    from tqdm import tqdm
    from tqdm.auto import tqdm as tqdm_auto

# Seconds between two lines if there is no terminal.
_LINE_EVERY = 10.0
# In columns: the least and the greatest width of the bar, and the width of a terminal that does not report its own.
_SHORTEST, _LONGEST = 8, 24
_USUAL = 80
_ORDER = ("processing", "dispatched", "queued", "created", "accepted")


class Bar:
    """`46/58 ████░ 9 processing · 3 queued · $13.50 of $40.00 · 04:10 left`."""

    def __init__(self, manifest: Manifest) -> None:
        # Imported here: runs without a terminal need no bar.
        from tqdm import tqdm

        self._tqdm = tqdm
        self._budget = manifest.budget
        self._bar: tqdm[NoReturn] | None = None
        self._first: tuple[int, float] | None = None

    def __call__(self, snapshot: RunSnapshot) -> None:
        now = time.monotonic()
        finished = snapshot.done + snapshot.failed
        if self._first is None or self._bar is None:
            self._first = finished, now
            self._bar = self._tqdm(
                total=snapshot.total, leave=False, mininterval=0.1, file=sys.stderr, dynamic_ncols=True
            )
        self._bar.total = snapshot.total
        self._bar.n = finished
        counts = f"{finished:>5,}/{snapshot.total:,}"
        words = worded(
            snapshot, self._budget, _left(snapshot, self._first, now), _columns() - len(counts) - _SHORTEST - 3
        )
        room = min(_LONGEST, _columns() - len(counts) - len(words) - 3)
        # tqdm replaces everything in braces. So other text goes into `desc`: it may contain braces.
        self._bar.bar_format = f"{counts} {{bar:{max(room, _SHORTEST)}}} {{desc}}"
        self._bar.set_description_str(safe(words), refresh=False)
        self._bar.update(0)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class PlainBar:
    """A bar as scripts and notebooks show it, with the facts behind it."""

    def __init__(self, manifest: Manifest) -> None:
        self._budget = manifest.budget
        self._bar: tqdm_auto[Any] | None = None

    def __call__(self, snapshot: RunSnapshot) -> None:
        if self._bar is None:
            self._bar = _bar_of_notebooks()(total=snapshot.total, unit=" jobs", mininterval=0.1, dynamic_ncols=True)
        self._bar.total = snapshot.total
        self._bar.n = snapshot.done + snapshot.failed
        self._bar.set_postfix_str(safe(facts(snapshot, self._budget)), refresh=False)
        self._bar.update(0)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()


def _bar_of_notebooks() -> type[tqdm_auto[Any]]:
    import warnings

    with warnings.catch_warnings():
        # It says that ipywidgets would make the bar prettier.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm as tqdm_auto
    return tqdm_auto


class Lines:
    """The same facts as lines of text, for logs."""

    def __init__(self, manifest: Manifest) -> None:
        self._budget = manifest.budget
        self._printed_at: float | None = None
        self._printed = ""
        self._first: tuple[int, float] | None = None

    def __call__(self, snapshot: RunSnapshot) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = snapshot.done + snapshot.failed, now
        if self._printed_at is not None and now - self._printed_at < _LINE_EVERY:
            return
        details = facts(snapshot, self._budget)
        counts = f"{snapshot.done + snapshot.failed}/{snapshot.total}"
        line = _joined(counts, details, _left(snapshot, self._first, now))
        if line != self._printed:
            screen.say(line)
        self._printed, self._printed_at = line, now

    def close(self) -> None:
        """Do nothing: there is nothing to remove from the screen."""


class StepLines:
    """Each step of the run in a line, with the time."""

    def __init__(self) -> None:
        self._note = ""

    def __call__(self, snapshot: RunSnapshot) -> None:
        screen.moment(*(f"{each.about}: {each.what}" for each in snapshot.steps))
        if snapshot.note != self._note and not any(snapshot.note in each.what for each in snapshot.steps):
            screen.moment(snapshot.note)
        self._note = snapshot.note

    def close(self) -> None:
        """Do nothing: there is nothing to remove from the screen."""


class _Calls(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        screen.moment(record.getMessage())


@contextmanager
def shown_calls() -> Iterator[None]:
    """Show each call of the network in this block, once it is answered."""
    handler, level = _Calls(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        LOG.setLevel(level)
        LOG.removeHandler(handler)


def worded(snapshot: RunSnapshot, budget: Budget, left: str, room: int) -> str:
    """The facts and the time left in `room` columns. If the statuses are too long, one total replaces them."""
    words = _joined(facts(snapshot, budget), left)
    if len(words) > room and snapshot.statuses:
        in_flight = {"in flight": sum(snapshot.statuses.values())}
        words = _joined(facts(replace(snapshot, statuses=in_flight), budget), left)
    return fitted(words, room)


def fitted(words: str, room: int) -> str:
    """As many of the facts as fit into `room` columns, with `…` if some are left out."""
    if len(words) <= room:
        return words
    parts = words.split(" · ")
    while parts and len(" · ".join(parts)) + 4 > room:
        parts.pop()
    return " · ".join((*parts, "…")) if room > 0 else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL
    except (OSError, ValueError):
        return _USUAL


def facts(snapshot: RunSnapshot, budget: Budget) -> str:
    """What is in flight by status, what failed, what is spent, and why the run waits."""
    statuses = sorted(snapshot.statuses.items(), key=lambda each: _ORDER.index(each[0]) if each[0] in _ORDER else 9)
    parts = [f"{number} {status}" for status, number in statuses]
    if snapshot.failed:
        parts.append(f"{snapshot.failed} failed")
    if snapshot.spent:
        spent, most = money(snapshot.spent, budget.currency), budget.max_cost
        parts.append(spent if most is None else f"{spent} of {money(most, budget.currency)}")
    if snapshot.uncopied and not snapshot.statuses:
        parts.append(f"{snapshot.uncopied:,} to copy to the mirror")
    if snapshot.note:
        parts.append(snapshot.note)
    return " · ".join(parts)


def _left(snapshot: RunSnapshot, first: tuple[int, float], now: float) -> str:
    """The time left at the pace so far; empty while no job has ended."""
    finished = snapshot.done + snapshot.failed
    made = finished - first[0]
    if made <= 0 or finished >= snapshot.total:
        return ""
    seconds = int((now - first[1]) / made * (snapshot.total - finished))
    hours, rest = divmod(seconds, 3600)
    clock = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{clock} left" if hours else f"{clock} left"
