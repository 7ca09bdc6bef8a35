"""Mirroring: copies each file to the mirror once its outcome is on the disk, beside all else that a run does."""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import Future
from functools import partial

from runner.engine.mirror.mirror import Mirror, UncopiedError
from runner.engine.pacing import backoff
from runner.engine.run import Run
from runner.errors import BucketError, BucketRefusedError
from runner.model import Artifact, MirrorCopy

# The most copies at once; one where the store fails.
MOST_COPIES = 3
# When nothing else is left to do, a store that failed for so many seconds is left for the next run.
PATIENCE = 60.0
# So many jobs wait at most: what more there is stays in the state alone.
_MOST_WAITING = 256


class Mirroring:
    """Takes the files of jobs from the state, those of earlier runs, too, until the mirror lacks none."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._mirror = run.tools.mirror
        self._jobs: deque[str] = deque()
        self._files: deque[tuple[str, Artifact]] = deque()
        # The last job that was taken from the state; None: there are no more.
        self._after: str | None = None if self._mirror is None else ""
        # By the hashes of the files: those on their way, and why some are left for the next run.
        self._running: set[str] = set()
        self._left: dict[str, str] = {}
        self._failures = 0
        self._failing_since: float | None = None
        self._due = 0.0
        self._error: BucketError | None = None
        if self._mirror is not None:
            run.uncopied = run.store.uncopied(self._mirror.name)

    @property
    def is_copying(self) -> bool:
        """Whether copies are on their way now."""
        return bool(self._running)

    @property
    def has_work(self) -> bool:
        """Whether there is anything to wait for, once nothing else is left to do."""
        return not self._is_hopeless and (self.is_copying or self._has_more)

    @property
    def _has_more(self) -> bool:
        return bool(self._files or self._jobs) or self._after is not None

    @property
    def _is_hopeless(self) -> bool:
        if self._failing_since is None:
            return False
        is_refused = isinstance(self._error, BucketRefusedError)
        return is_refused or self._run.now() - self._failing_since >= PATIENCE

    @property
    def due(self) -> float:
        """When the next copy may be tried; infinity while there is none, or other copies must end first."""
        return self._due if self._has_more and len(self._running) < self._slots else math.inf

    @property
    def _slots(self) -> int:
        return 1 if self._failures else MOST_COPIES

    @property
    def failure(self) -> tuple[str, str]:
        """Why the mirror lacks files, if it does, and what to do."""
        if self._error is not None:
            return self._error.message, self._error.hint
        if self._left:
            first, others = next(iter(self._left.values())), len(self._left) - 1
            return first + (f", and {others:,} more" if others else ""), "reelrun verify MANIFEST --repair mends files"
        return "", ""

    def add(self, job_id: str) -> None:
        """A job has its files. Their copies begin once that is committed."""
        if self._mirror is None:
            return
        self._run.uncopied += sum(self._is_wanted(each) for each in self._run.store.files_of(job_id))
        if len(self._jobs) < _MOST_WAITING:
            self._jobs.append(job_id)
        elif self._after is None:
            self._after = ""

    def start(self) -> None:
        """Begin the copies that there is room for."""
        run, mirror = self._run, self._mirror
        while mirror is not None and not run.is_stopping and self.due <= run.now():
            job_id, file = self._next() or ("", None)
            if file is None:
                return
            self._running.add(file.sha256)
            paths = mirror.paths_for(run.store, file)
            call = partial(mirror.copy, run.plan.manifest.output.dir, file, paths)
            run.start(partial(self._copied, mirror, job_id, file), call, is_call=False)

    def _next(self) -> tuple[str, Artifact] | None:
        """The next file that is to be copied, with its job."""
        while self._has_more:
            if self._files:
                job_id, file = self._files.popleft()
                if self._is_wanted(file):
                    return job_id, file
            elif self._jobs:
                job_id = self._jobs.popleft()
                self._files.extend((job_id, each) for each in self._run.store.files_of(job_id))
            else:
                self._look_on()
        return None

    def _is_wanted(self, file: Artifact) -> bool:
        assert self._mirror is not None
        is_known = file.sha256 in self._running or file.sha256 in self._left
        return not is_known and self._run.store.copy_of(self._mirror.name, file.sha256) is None

    def _look_on(self) -> None:
        """Take the next jobs from the state."""
        assert self._mirror is not None
        self._jobs.extend(self._run.store.uncopied_jobs(self._mirror.name, self._after or "", _MOST_WAITING))
        self._after = self._jobs[-1] if self._jobs else None

    def _copied(self, mirror: Mirror, job_id: str, file: Artifact, future: Future[MirrorCopy], started: float) -> None:
        self._running.discard(file.sha256)
        error = None if future.cancelled() else future.exception()
        if future.cancelled():
            self._files.append((job_id, file))
        elif error is None:
            self._run.store.keep_copy(mirror.name, future.result())
            self._run.uncopied -= 1
            self._recover()
        elif isinstance(error, BucketError):
            self._files.append((job_id, file))
            self._fail(error, started)
        elif file not in self._run.store.files_of(job_id):
            # It got another name meanwhile.
            self._jobs.append(job_id)
        else:
            is_ours = isinstance(error, UncopiedError)
            self._left[file.sha256] = str(error) if is_ours else f"{file.path}: an unexpected {type(error).__name__}"

    def _recover(self) -> None:
        if self._failures:
            self._run.note = ""
        self._failures, self._failing_since, self._error = 0, None, None

    def _fail(self, error: BucketError, started: float) -> None:
        run = self._run
        self._failures += 1
        self._error = error
        self._failing_since = started if self._failing_since is None else min(self._failing_since, started)
        self._due = run.now() + backoff(self._failures, run.tools.randomness)
        run.note = f"the mirror: {error.message}"
