"""Jobs that wait to be submitted, in the order of the plan."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

from runner.model import Attempt, Job, Planned

# What has a model, a payload and a fingerprint.
Requested: TypeAlias = Job | Attempt


class Queue:
    """Hands out jobs such that requests that a list could not tell apart never overlap, and refused models are left
    alone."""

    def __init__(self, planned: Iterable[Planned], count: int, overlap: Callable[[Requested, Requested], bool]) -> None:
        """`planned` are `count` jobs; of a large plan they are made as they are taken. `overlap` tells of two requests
        whether their POSTs must not run at the same time; it holds for equal ones."""
        self._source = iter(planned)
        self._left = count
        # Jobs that were taken or held before and may be taken again, before those of `_source`.
        self._ready: deque[Planned] = deque()
        self._overlap = overlap
        # By the request that they wait for.
        self._held: dict[str, list[Planned]] = {}
        self._open: dict[str, Requested] = {}
        self._is_closed = False
        self._withheld: set[str] = set()
        self._abandoned: set[str] = set()
        # Ids of jobs that are never taken from the plan, because an earlier attempt was open when the run began.
        self._known: set[str] = set()

    @property
    def has_ready(self) -> bool:
        """Whether there may be a job that does not wait for an equal one."""
        return bool(self._ready) or self._left > 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is handed out."""
        return self._is_closed

    def __len__(self) -> int:
        return self._left + len(self._ready) + sum(map(len, self._held.values()))

    def take(self) -> Planned | None:
        """The next job to submit. Its request counts as open until it is released."""
        while (planned := self._next()) is not None:
            job = planned.job
            if job.model in self._withheld or job.fingerprint in self._abandoned:
                continue
            blocking = self._blocking(job)
            if blocking is not None:
                self._held.setdefault(blocking, []).append(planned)
                continue
            self._open[job.fingerprint] = job
            return planned
        return None

    def _blocking(self, job: Job) -> str | None:
        """The open request that the job has to wait for."""
        if job.fingerprint in self._open:
            return job.fingerprint
        return next((request for request, each in self._open.items() if self._overlap(job, each)), None)

    def _next(self) -> Planned | None:
        if self._ready:
            return self._ready.popleft()
        found = next((each for each in self._source if each.job.id not in self._known), None)
        self._left = 0 if found is None else self._left - 1
        return found

    def hold(self, attempt: Attempt) -> None:
        """A request of an earlier run is open: its equals wait."""
        self._open[attempt.fingerprint] = attempt

    def release(self, request: str) -> None:
        """The request has its id, is known not to have been accepted, or stays unknown after all that can be asked."""
        self._open.pop(request, None)
        self._ready.extendleft(reversed(self._held.pop(request, ())))

    def abandon(self, request: str) -> None:
        """The request stays open after this run, so equal ones stay pending."""
        self._abandoned.add(request)
        self._held.pop(request, None)

    def put_back(self, planned: Planned) -> None:
        """Submit this job again, before all others."""
        self.release(planned.job.fingerprint)
        if not self._is_closed:
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

    def close(self) -> None:
        """Leave everything pending: nothing more is handed out in this run."""
        self._is_closed = True
        self._source, self._left = iter(()), 0
        self._ready.clear()
        self._held.clear()
