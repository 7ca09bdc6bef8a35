"""Progress on the screen: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from typing import NoReturn

from tqdm import tqdm

from runner.cli import screen
from runner.engine.run import Snapshot
from runner.model import Manifest

# Seconds between two lines where there is no terminal.
_LINE_EVERY = 10.0
_ORDER = ("processing", "dispatched", "queued", "created", "accepted")


class Bar:
    """`46/58 ████░ 9 processing · 3 queued · $13.50 of $40.00 · 04:10 left`."""

    def __init__(self, manifest: Manifest) -> None:
        self._budget = manifest.budget
        self._bar: tqdm[NoReturn] | None = None
        self._first: tuple[int, float] | None = None

    def __call__(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        finished = snapshot.done + snapshot.failed
        if self._first is None or self._bar is None:
            self._first = finished, now
            shape = "{n_fmt:>5}/{total_fmt} {bar:24} {postfix}"
            self._bar = tqdm(total=snapshot.total, bar_format=shape, leave=False, mininterval=0.1, file=sys.stderr)
        self._bar.total = snapshot.total
        self._bar.n = finished
        told = (facts(snapshot, self._budget.currency, self._budget.max_cost), _left(snapshot, self._first, now))
        self._bar.set_postfix_str(" · ".join(each for each in told if each), refresh=False)
        self._bar.update(0)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Lines:
    """The same as lines of text, for logs."""

    def __init__(self, manifest: Manifest) -> None:
        self._budget = manifest.budget
        self._said_at: float | None = None
        self._said = ""
        self._first: tuple[int, float] | None = None

    def __call__(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = snapshot.done + snapshot.failed, now
        if self._said_at is not None and now - self._said_at < _LINE_EVERY:
            return
        told = (facts(snapshot, self._budget.currency, self._budget.max_cost), _left(snapshot, self._first, now))
        line = " · ".join((f"{snapshot.done + snapshot.failed}/{snapshot.total}", *(each for each in told if each)))
        if line != self._said:
            screen.say(line)
        self._said, self._said_at = line, now

    def close(self) -> None:
        """Nothing is left on the screen to remove."""


def facts(snapshot: Snapshot, currency: str, most: Decimal | None) -> str:
    """What is in flight by status, what went wrong, what is spent, and what keeps the run waiting."""
    statuses = sorted(snapshot.statuses.items(), key=lambda each: _ORDER.index(each[0]) if each[0] in _ORDER else 9)
    parts = [f"{number} {status}" for status, number in statuses]
    if snapshot.failed:
        parts.append(f"{snapshot.failed} failed")
    if snapshot.spent:
        spent = screen.money(snapshot.spent, currency)
        parts.append(f"{spent} of {screen.money(most, currency)}" if most is not None else spent)
    if snapshot.note:
        parts.append(snapshot.note)
    return " · ".join(parts)


def _left(snapshot: Snapshot, first: tuple[int, float], now: float) -> str:
    """The time left at the pace so far; nothing while there is no pace yet."""
    finished = snapshot.done + snapshot.failed
    made = finished - first[0]
    if made <= 0 or finished >= snapshot.total:
        return ""
    seconds = int((now - first[1]) / made * (snapshot.total - finished))
    hours, rest = divmod(seconds, 3600)
    clock = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{clock} left" if hours else f"{clock} left"
