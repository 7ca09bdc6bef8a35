"""Jobs that wait to be submitted, in the order of the plan."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runner.model import Planned


class Queue:
    """Hands out jobs. Equal requests (takes) never overlap, and models that the service refuses are skipped."""

    def __init__(self, planned: Iterable[Planned], count: int) -> None:
        """`planned` has `count` jobs. Those of a large plan are made only when they are taken."""
        self._source = iter(planned)
        self._left = count
        # Jobs that were taken or held before and may be taken again, before those of `_source`.
        self._ready: deque[Planned] = deque()
        self._held: dict[str, list[Planned]] = {}
        self._open: set[str] = set()
        self._withheld: set[str] = set()
        self._abandoned: set[str] = set()
        # Ids of jobs that are never taken from the plan, because an earlier attempt was open when the run began.
        self._known: set[str] = set()

    @property
    def has_ready(self) -> bool:
        """Whether there may be a job that does not wait for an equal one."""
        return bool(self._ready) or self._left > 0

    def __len__(self) -> int:
        return self._left + len(self._ready) + sum(map(len, self._held.values()))

    def take(self) -> Planned | None:
        """The next job to submit. Its request counts as open until it is released."""
        while (planned := self._next()) is not None:
            request = planned.job.fingerprint
            if planned.job.model in self._withheld or request in self._abandoned:
                continue
            if request in self._open:
                self._held.setdefault(request, []).append(planned)
                continue
            self._open.add(request)
            return planned
        return None

    def _next(self) -> Planned | None:
        if self._ready:
            return self._ready.popleft()
        found = next((each for each in self._source if each.job.id not in self._known), None)
        self._left = 0 if found is None else self._left - 1
        return found

    def hold(self, request: str) -> None:
        """A request of an earlier run is open: equal ones wait."""
        self._open.add(request)

    def release(self, request: str) -> None:
        """The request has its id, or was certainly not accepted: equal ones may go on."""
        self._open.discard(request)
        self._ready.extendleft(reversed(self._held.pop(request, ())))

    def abandon(self, request: str) -> None:
        """The request stays open after this run, so equal ones stay pending."""
        self._abandoned.add(request)
        self._held.pop(request, None)

    def put_back(self, planned: Planned) -> None:
        """Submit this job again, before all others."""
        self.release(planned.job.fingerprint)
        self._ready.appendleft(planned)

    def exclude(self, job_id: str, *, is_planned: bool) -> None:
        """An earlier attempt of this job is open. That must be settled first; then the job may be put back.

        The jobs of a large plan are compared with the state only when they are taken. A job that was settled meanwhile
        would look like a new one. `is_planned` says that the job is among those to submit.
        """
        self._known.add(job_id)
        self._left -= is_planned

    def withhold(self, model: str) -> None:
        """The service refuses this model, or our account: leave the model's jobs pending."""
        self._withheld.add(model)

    def clear(self) -> None:
        self._source, self._left = iter(()), 0
        self._ready.clear()
        self._held.clear()
