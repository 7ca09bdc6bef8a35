"""Jobs that wait to be submitted, in the order of the plan."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runner.model import Planned


class Queue:
    """Hands out jobs such that equal requests (takes) never overlap and refused models are left alone."""

    def __init__(self, planned: Iterable[Planned]) -> None:
        self._ready = deque(planned)
        self._held: dict[str, list[Planned]] = {}
        self._open: set[str] = set()
        self._withheld: set[str] = set()
        self._abandoned: set[str] = set()

    @property
    def has_ready(self) -> bool:
        """Whether there is any that does not wait for an equal one."""
        return bool(self._ready)

    def __len__(self) -> int:
        return len(self._ready) + sum(map(len, self._held.values()))

    def take(self) -> Planned | None:
        """The next job that may be submitted; its request counts as open until it is released."""
        while self._ready:
            planned = self._ready.popleft()
            request = planned.job.fingerprint
            if planned.job.model in self._withheld or request in self._abandoned:
                continue
            if request in self._open:
                self._held.setdefault(request, []).append(planned)
                continue
            self._open.add(request)
            return planned
        return None

    def hold(self, request: str) -> None:
        """A request of an earlier run is open: its equals wait."""
        self._open.add(request)

    def release(self, request: str) -> None:
        """The request has its id, or is known not to have been accepted."""
        self._open.discard(request)
        self._ready.extendleft(reversed(self._held.pop(request, ())))

    def abandon(self, request: str) -> None:
        """The request stays open beyond this run, and so its equals stay pending."""
        self._abandoned.add(request)
        self._held.pop(request, None)

    def put_back(self, planned: Planned) -> None:
        """Submit this one again, first."""
        self.release(planned.job.fingerprint)
        self._ready.appendleft(planned)

    def remove(self, planned: Planned) -> None:
        """An earlier attempt of this job is open: it must be cleared up first."""
        self._ready.remove(planned)

    def withhold(self, model: str) -> None:
        """The service refuses this model, or us: leave its jobs pending."""
        self._withheld.add(model)

    def clear(self) -> None:
        self._ready.clear()
        self._held.clear()
