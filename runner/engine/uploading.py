"""Uploading: files that models take by their addresses only are put where the service can read them, each once."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from runner.api.answer_classes import AnswerClass
from runner.api.body import Body
from runner.api.file_stores import SPARE, store_of
from runner.api.request_files import files_of
from runner.api.uploads import Uploaded
from runner.engine.pacing import backoff
from runner.engine.run import MOST_POSTS, Run, result_of
from runner.errors import BucketError, DiskError, UsageError
from runner.media import parameters_of
from runner.model import Job, Planned, Uploads, Variables
from runner.planning.addressing import Addressing

# An address that is older, in seconds, is looked at once a run.
_FRESH = 86400.0
# So many files go out at the same time, and so many jobs may wait for them: memory does not grow with the plan.
_MOST_UPLOADS, _MOST_WAITING = 4, 256


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
        self._files = run.plan.manifest.media
        self._addressing = Addressing(run.plan.manifest)
        self._consent = run.plan.manifest.uploads
        self._destination = (self._consent or Uploads()).to
        self._store = store_of(self._destination, run.tools.client, run.tools.files)
        self._open: dict[str, _Upload] = {}
        # By the references of the files: where they are, and why some of them are left for the next run.
        self._addresses: dict[str, str] = {}
        self._given_up: dict[str, str] = {}
        # Of earlier runs: those that are not fresh are looked at before they are used, and the store may have to be
        # asked for something first.
        self._doubtful: dict[str, tuple[str, bool]] = {}
        for reference, (address, at) in run.store.uploads(self._destination).items():
            is_fresh = 0 <= run.wall() - at < _FRESH
            if is_fresh and not self._store.is_own:
                self._addresses[reference] = address
            else:
                self._doubtful[reference] = (address, is_fresh)

    @property
    def has_work(self) -> bool:
        return any(each.is_running for each in self._open.values()) or self.due < math.inf

    @property
    def is_full(self) -> bool:
        """Whether no further job may wait for a file."""
        return sum(len(each.waiting) for each in self._open.values()) >= _MOST_WAITING

    @property
    def due(self) -> float:
        """When the next upload may be tried; infinity while none waits for that, or other calls must end first."""
        run = self._run
        if run.queue.is_closed or run.calls >= MOST_POSTS or self._running >= _MOST_UPLOADS:
            return math.inf
        return min((each.due for each in self._open.values() if not each.is_running), default=math.inf)

    @property
    def _running(self) -> int:
        return sum(each.is_running for each in self._open.values())

    def addresses_of(self, job: Job) -> dict[str, str] | None:
        """What the job sends in place of its files. None if one of them has no address yet: the job is held back."""
        references = self._addressing.references(job.model, job.payload)
        if not all(each in self._addresses for each in references):
            return None
        try:
            # For each submission anew: it has to be read for as long as that may take.
            return {
                each: self._store.sent(self._addresses[each], self._run.settings.wait + SPARE) for each in references
            }
        except (BucketError, UsageError) as error:
            for each in references:
                self._refuse(each, error.message)
            return None

    def _refuse(self, reference: str, message: str) -> None:
        """The file has no address that this run could send."""
        self._addresses.pop(reference, None)
        self._given_up[reference] = f"{self._name(reference)} could not be uploaded: {message}"

    def body(self, job: Job, addresses: Variables) -> Body:
        """The body of the job's request, with these addresses in place of files."""
        schema = self._run.schema(job.model)
        parameters = parameters_of(schema) if schema is not None else ()
        return Body(job.model, job.payload, files_of(job.payload, parameters, self._files, addresses))

    def hold(self, planned: Planned) -> None:
        """The job waits until its files have addresses, or for the next run if one of them gets none."""
        references = self._addressing.references(planned.job.model, planned.job.payload)
        missing = [each for each in references if each not in self._addresses]
        reason = next((self._given_up[each] for each in missing if each in self._given_up), None)
        if reason is not None:
            self._leave(planned, reason)
            return
        for reference in missing:
            self._open.setdefault(reference, _Upload())
        self._open[missing[0]].waiting.append(planned)

    def start(self) -> None:
        """Begin the uploads that are due."""
        run = self._run
        while not run.is_stopping and self.due <= run.now():
            waiting = {reference: each for reference, each in self._open.items() if not each.is_running}
            reference = min(waiting, key=lambda each: waiting[each].due)
            if reference in self._doubtful:
                address, is_fresh = self._doubtful[reference]
                look = partial(self._store.is_gone, address, is_fresh=is_fresh)
                run.start(partial(self._looked, reference), look, is_of_service=not self._store.is_own)
            elif self._consent is None:
                self._give_up(reference, "nobody agreed to that (uploads, or --allow-uploads)")
                continue
            else:
                put = partial(self._store.put, self._files[reference])
                run.start(partial(self._uploaded, reference), put, is_of_service=not self._store.is_own)
            waiting[reference].is_running = True

    def _looked(self, reference: str, future: Future[bool], started: float) -> None:
        address, _ = self._doubtful.pop(reference)
        self._open[reference].is_running = False
        if not future.cancelled() and future.exception() is None and not future.result():
            self._addresses[reference] = address
            self._release(reference)

    def _uploaded(self, reference: str, future: Future[Uploaded], started: float) -> None:
        run = self._run
        self._open[reference].is_running = False
        answer = result_of(future, lambda words: Uploaded(AnswerClass.UNKNOWN, message=words))
        if not self._store.is_own:
            run.hear(answer)
        match answer.kind:
            case AnswerClass.ACCEPTED:
                run.store.keep_upload(reference, self._destination, answer.address, run.wall())
                self._addresses[reference] = answer.address
                run.tell(self._name(reference), "uploaded")
                self._release(reference)
            case AnswerClass.DENIED:
                run.deny(answer.message)
            case AnswerClass.UNPAID:
                run.stop_buying(answer.message)
            case AnswerClass.CHANGED:
                run.fail(DiskError(answer.message, "nothing was bought with the changed file"))
            case AnswerClass.REJECTED | AnswerClass.REFUSED:
                self._give_up(reference, answer.message)
            case _:
                self._try_again(reference, answer)

    def _try_again(self, reference: str, answer: Uploaded) -> None:
        run, now, each = self._run, self._run.now(), self._open[reference]
        each.failures += 1
        each.failing_since = now if each.failing_since is None else each.failing_since
        run.note = f"a file cannot be uploaded: {answer.message}"
        run.tell(self._name(reference), f"{run.note}; tried again")
        if now - each.failing_since >= run.settings.wait:
            self._give_up(reference, answer.message)
            return
        pause = answer.retry_after or backoff(each.failures, run.tools.randomness)
        # When the wait is over, it is tried once more.
        each.due = min(now + pause, each.failing_since + run.settings.wait)

    def _release(self, reference: str) -> None:
        """The file has its address: the jobs that waited for it come next."""
        for planned in reversed(self._open.pop(reference).waiting):
            self._run.queue.put_back(planned)

    def _give_up(self, reference: str, message: str) -> None:
        """The file gets no address in this run."""
        self._refuse(reference, message)
        for planned in self._open.pop(reference).waiting:
            self._leave(planned, self._given_up[reference])

    def _name(self, reference: str) -> str:
        image = self._files[reference]
        return image.written or image.id

    def _leave(self, planned: Planned, reason: str) -> None:
        """Leave a job pending: the next run tries again."""
        self._run.store.explain_pending(planned.job.id, reason)
        self._run.queue.release(planned.job.fingerprint)
