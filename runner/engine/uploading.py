"""Uploading: files that models take by their addresses only are put where the service can read them, each once."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from runner.api.answer_classes import AnswerClass
from runner.api.body import FileText
from runner.api.request_files import files_of
from runner.api.uploads import Uploaded, is_gone, upload
from runner.engine.pacing import backoff
from runner.engine.run import Run, result_of
from runner.errors import AccessError, DiskError
from runner.media import parameters_of
from runner.model import Job, Planned
from runner.planning.uploads import addressed

# The store of the service itself; in the state, beside other destinations.
_SERVICE = "service"
# An address that is older, in seconds, is looked at once a run.
_FRESH = 86400.0


@dataclass(slots=True)
class _Upload:
    """A file on its way: the jobs that wait for it, failed tries, since when none succeeds, and the next try."""

    waiting: list[Planned] = field(default_factory=list)
    failures: int = 0
    failing_since: float | None = None
    due: float = 0.0
    is_running: bool = False


class Uploading:
    """Holds back jobs until each of their files has an address."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._files = run.plan.files
        self._open: dict[str, _Upload] = {}
        self._addresses: dict[str, str] = {}
        # Of earlier runs, and old: they are looked at before they are used.
        self._doubtful: dict[str, str] = {}
        for reference, (address, at) in run.store.uploads(_SERVICE).items():
            is_fresh = 0 <= run.wall() - at < _FRESH
            (self._addresses if is_fresh else self._doubtful)[reference] = address

    @property
    def has_work(self) -> bool:
        return bool(self._open)

    @property
    def due(self) -> float:
        """When the next upload may be tried; infinity while none waits for that."""
        return min((each.due for each in self._open.values() if not each.is_running), default=math.inf)

    def addresses_of(self, job: Job) -> dict[str, str] | None:
        """What the job sends in place of its files; None if one of them has no address yet."""
        references = self._needed(job)
        if any(each not in self._addresses for each in references):
            return None
        return {each: self._addresses[each] for each in references}

    def files_of(self, job: Job, addresses: dict[str, str]) -> dict[str, FileText | str]:
        """What the body of the job's request holds for each file."""
        schema = self._run.schema(job.model)
        return {} if schema is None else files_of(job.payload, parameters_of(schema), self._files, addresses)

    def hold(self, planned: Planned) -> None:
        """The job waits until its files have addresses."""
        missing = [each for each in self._needed(planned.job) if each not in self._addresses]
        for reference in missing:
            self._open.setdefault(reference, _Upload())
        self._open[missing[0]].waiting.append(planned)

    def start(self) -> None:
        """Begin the uploads that are due."""
        run, now = self._run, self._run.now()
        for reference, each in self._open.items():
            if not run.is_stopping and not each.is_running and each.due <= now:
                each.is_running = True
                if reference in self._doubtful:
                    look = partial(is_gone, run.tools.files, self._doubtful[reference])
                    run.start(partial(self._looked, reference), look)
                else:
                    put = partial(upload, run.tools.client, run.tools.files, self._files[reference])
                    run.start(partial(self._uploaded, reference), put)

    def _needed(self, job: Job) -> list[str]:
        schema = self._run.schema(job.model)
        return [] if schema is None else addressed(job.payload, schema, self._run.plan.manifest.uploads)

    def _looked(self, reference: str, future: Future[bool], started: float) -> None:
        address = self._doubtful.pop(reference)
        self._open[reference].is_running = False
        if not future.cancelled() and future.exception() is None and not future.result():
            self._addresses[reference] = address
            self._release(reference)

    def _uploaded(self, reference: str, future: Future[Uploaded], started: float) -> None:
        run, each = self._run, self._open[reference]
        each.is_running = False
        answer = result_of(future, lambda words: Uploaded(AnswerClass.UNKNOWN, message=words))
        match answer.kind:
            case AnswerClass.ACCEPTED:
                run.store.keep_upload(reference, _SERVICE, answer.address, run.wall())
                self._addresses[reference] = answer.address
                self._release(reference)
            case AnswerClass.DENIED:
                run.deny(answer.message)
            case AnswerClass.UNPAID:
                hint = "top up the account, then run the same command again: it buys what is left and nothing twice"
                run.queue.close()
                run.fail_at_end(AccessError(f"the service wants more credits: {answer.message}", hint))
                self._give_up(reference)
            case AnswerClass.CHANGED | AnswerClass.REFUSED:
                run.fail(DiskError(answer.message, "nothing was bought with it"))
            case _:
                self._try_again(reference, each, answer)

    def _try_again(self, reference: str, each: _Upload, answer: Uploaded) -> None:
        run, now = self._run, self._run.now()
        each.failures += 1
        each.failing_since = now if each.failing_since is None else each.failing_since
        run.note = f"a file cannot be uploaded: {answer.message}"
        if now - each.failing_since >= run.settings.wait:
            self._give_up(reference)
            return
        pause = answer.retry_after or backoff(each.failures, run.tools.randomness)
        each.due = min(now + pause, each.failing_since + run.settings.wait)

    def _release(self, reference: str) -> None:
        """The file has its address: the jobs that waited for it come next."""
        for planned in reversed(self._open.pop(reference).waiting):
            self._run.queue.put_back(planned)

    def _give_up(self, reference: str) -> None:
        """Leave the jobs of a file pending: the next run tries again."""
        for planned in self._open.pop(reference).waiting:
            self._run.queue.abandon(planned.job.fingerprint)
