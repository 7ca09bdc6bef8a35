"""A state that lives in a bucket, open in its copy on this machine.

Intents are in the bucket before a POST leaves. The state follows under compare-and-swap, and is there when a run ends.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from runner.buckets.bucket import Bucket
from runner.errors import BucketError, DiskError, LockedError, ObjectChangedError, ReelrunError, StateError
from runner.model import Status
from runner.state.database import sqlite_errors
from runner.state.disk import disk_errors, hash_file
from runner.state.names import spare_paths
from runner.state.store import Store
from runner.state.travelling.intent_batches import Intent, put_batch
from runner.state.travelling.lease import TERM, Lease, shown_time
from runner.state.travelling.state_copy import STATE

# The state is put at most so often, in seconds, and the lease renewed.
_PAUSE, _RENEWAL = 1.0, 60.0
# A copy of a large state takes the loop's time: at most this share of it.
_SHARE = 0.05
_AGAIN = 5.0
_TERM, _PUT, _BATCH = "bucket term", "bucket put", "bucket batch"


class TravellingStore(Store):
    """Call `travel` first, and `come_home` before it is closed."""

    def travel(self, bucket: Bucket, lease: Lease, version: str | None, batch: int, wall: Callable[[], float]) -> None:
        """`version` is that of the state in the bucket, None if there is none; `batch` is that of the last intents.

        From here on this copy knows what no other does, and says so.
        """
        with self.transaction():
            self.remember(_TERM, str(lease.record.term))
        self._bucket, self._lease, self._wall = bucket, lease, wall
        self._version, self._batch = version, batch
        # All intents up to this number are in the bucket.
        self._told = self.intents()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reelrun-state")
        self._put: Future[str] | None = None
        self._due = self._renewed_at = 0.0
        self._saved_changes = -1
        # The hashes of states of this run that may be in the bucket: the answers to putting them were lost.
        self._doubtful: set[str] = set()
        # Whether the plan of this run is in the bucket.
        self._has_jobs = False
        # Whether the run tells why the state cannot come home.
        self._is_told = False
        # What ended the way to the bucket, and what only delays it.
        self._broken: ReelrunError | None = None
        self.delayed: ReelrunError | None = None

    # What the state itself says of its way

    @property
    def term(self) -> int:
        return self._number(_TERM)

    @property
    def put(self) -> int:
        """The number of the last time that this state was put into its bucket."""
        return self._number(_PUT)

    @property
    def batch(self) -> int:
        """The number of the last intents that this state has."""
        return self._number(_BATCH)

    def _number(self, name: str) -> int:
        return int(self.note(name) or 0)

    @property
    def submissions(self) -> set[tuple[str, float]]:
        """The job and the time of each attempt that may have been paid for."""
        paid = "SELECT job_id, intended_at FROM attempts WHERE request_id IS NOT NULL OR outcome IS NULL"
        return set(self.each(lambda row: (str(row[0]), float(row[1])), paid))

    def inherit(self, intents: Iterable[Intent], wall: float) -> None:
        """Take over what a holder that is gone may have submitted: nothing of it is ever believed absent."""
        for each in intents:
            self._inherit(each, wall)
        self.write(
            "INSERT OR IGNORE INTO inherited_attempts SELECT number FROM attempts WHERE outcome IS NULL"
            " AND request_id IS NULL"
        )

    def _inherit(self, intent: Intent, wall: float) -> None:
        status = self.scalar("SELECT status FROM jobs WHERE id = ?", (intent.job_id,))
        if status is None:
            raise StateError(f"job {intent.job_id} of an intent is not in the state", "nothing was sent")
        is_known = "SELECT 1 FROM attempts WHERE number = ? AND job_id = ? AND intended_at = ?"
        if status == Status.SUCCEEDED or self.scalar(is_known, (intent.number, intent.job_id, intent.intended_at)):
            return
        # A job never has two open attempts: this one shows that the one before it had ended.
        self.write(
            "UPDATE attempts SET outcome = ?, error = 'it ended on a machine that is gone' WHERE job_id = ?"
            " AND outcome IS NULL",
            (Status.FAILED, intent.job_id),
        )
        if self.path_of(intent.job_id) is None:
            free = self._free(chain((intent.path,), spare_paths(intent.path, intent.job_id)), intent.job_id)
            self._take(intent.job_id, free)
        is_taken = self.scalar("SELECT 1 FROM attempts WHERE number = ?", (intent.number,)) is not None
        number = self.write(
            "INSERT INTO attempts (number, job_id, price, currency, intended_at, organisation, caller, window_start,"
            " lost_at, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'its machine is gone')",
            (
                *(None if is_taken else intent.number, intent.job_id, intent.price, intent.currency),
                *(intent.intended_at, intent.organisation, intent.caller, intent.window_start, wall),
            ),
        )
        sent = ((number, reference, address) for reference, address in intent.addresses.items())
        self.write_many("INSERT INTO sent_addresses VALUES (?, ?, ?)", sent)
        if intent.is_retake:
            self.write("INSERT OR IGNORE INTO retakes VALUES (?)", (intent.job_id,))
        self._set_status(intent.job_id, Status.UNKNOWN, "its machine is gone; looked for in the service's list")

    # On its way

    def secure(self, number: int) -> None:
        """Also put the intents up to this number into the bucket. Raises BucketError, too."""
        super().secure(number)
        if not self._has_jobs:
            # Whoever takes over finds the jobs that the intents name.
            self.bring()
            self._has_jobs = True
        holder, term = self._lease.record.holder, self._lease.record.term
        intents = list(self.each(_intent_of, _INTENTS, (self._told, number)))
        self._batch = put_batch(self._bucket, self._batch + 1, holder, term, str(self.id), intents)
        self._told = number

    def permit(self) -> None:
        self._lease.permit()

    @property
    def is_in_place(self) -> bool:
        return self._failure is None and super().is_in_place

    @property
    def _failure(self) -> ReelrunError | None:
        """Why this is not the state any more."""
        return self._lease.lost or self._broken

    def check_in_place(self) -> None:
        """Raises LockedError where the lease was taken over, and StateError where somebody else put a state, too."""
        if self._failure is not None:
            self._is_told = True
            raise self._failure
        super().check_in_place()

    def follow(self) -> None:
        """Put the state into its bucket, in the background, if it changed since."""
        now = self._lease.now()
        if self._put is not None and self._put.done():
            self._settle()
        is_changed = self._changes != self._saved_changes
        if self._put is None and self._broken is None and now >= self._due:
            if is_changed:
                self._start()
            elif now - self._renewed_at >= _RENEWAL:
                self._renewed_at = now
                self._put = self._pool.submit(self._renew)

    @property
    def _changes(self) -> int:
        return self._connection.total_changes

    def _start(self) -> None:
        began = self._lease.now()
        try:
            copy = self._snapshot()
        except DiskError as error:
            self._delay(error)
            return
        ended = self._lease.now()
        self._due = ended + max(_PAUSE, (ended - began) / _SHARE)
        is_renewed = ended - self._renewed_at >= _RENEWAL
        self._renewed_at = ended if is_renewed else self._renewed_at
        self._put = self._pool.submit(self._bring, copy, self._version, self.put, self._batch, is_renewed)

    def _snapshot(self) -> Path:
        """A file with all that the state has now."""
        with self.transaction():
            self.remember(_PUT, str(self.put + 1))
            self.remember(_BATCH, str(self._batch))
        copy = self._part
        with disk_errors(f"write {copy}"), sqlite_errors(copy):
            copy.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(copy)) as target:
                self.copy_to(target)
        self._saved_changes = self._changes
        return copy

    @property
    def _part(self) -> Path:
        return self._path.with_name(f"{self._path.name}.put")

    def _bring(self, copy: Path, version: str | None, put: int, batch: int, is_renewed: bool) -> str:
        """In the background: put a snapshot in place of this version of the state. Its new version."""
        self._version = version = self._replaced(copy, version)
        if is_renewed:
            self._lease.renew(until=shown_time(self._wall() + TERM), put=put, batch=batch)
        return version

    def _replaced(self, copy: Path, version: str | None) -> str:
        bucket = self._bucket.patient(copy.stat().st_size)
        self._doubtful.add(hash_file(copy))
        try:
            version = bucket.put_new(STATE, copy) if version is None else bucket.replace(STATE, copy, version)
        except ObjectChangedError:
            # Whoever took over tells more than that.
            self._lease.look()
            found = bucket.find(STATE)
            if found is None or bucket.sha256_of(STATE) not in self._doubtful:
                raise
            version = bucket.replace(STATE, copy, found.version)
        self._doubtful.clear()
        return version

    def _renew(self) -> str:
        self._lease.renew(until=shown_time(self._wall() + TERM))
        return self._version or ""

    def _settle(self) -> None:
        """Take in how putting the state ended."""
        put, self._put = self._put, None
        error = put.exception() if put is not None else None
        if isinstance(error, ObjectChangedError):
            hint = "nothing more was sent; only runs of reelrun may write there"
            self._broken = StateError(f"somebody else wrote {self._bucket.address.below(STATE)} meanwhile", hint)
        elif isinstance(error, (LockedError, StateError)):
            self._broken = error
        elif error is not None:
            self._delay(error if isinstance(error, BucketError) else BucketError(str(error)))
        else:
            self.delayed = None

    def _delay(self, error: ReelrunError) -> None:
        self.delayed = error
        self._saved_changes, self._due = -1, self._lease.now() + _AGAIN

    def bring(self) -> None:
        """Put the state into its bucket now. Raises LockedError, StateError and BucketError."""
        self._wait()
        if self._failure is not None:
            raise self._failure
        if self._changes != self._saved_changes:
            self._start()
            self._wait()
        error = self._failure or self.delayed
        if error is not None:
            raise error

    def _wait(self) -> None:
        if self._put is not None:
            with contextlib.suppress(ReelrunError):
                self._put.result()
            self._settle()

    def rest(self) -> None:
        """Put the state at the end of a run, which tells what is raised. Raises as `bring` does."""
        try:
            self.bring()
        except ReelrunError as error:
            self._is_told = True
            raise _kept_here(self._bucket, error) from error

    def come_home(self) -> str | None:
        """Put the state, hand back the lease, and return the state's version.

        Raises as `bring` does; None where the run told of that already.
        """
        try:
            if self._is_told:
                return None
            self.bring()
            until = shown_time(self._wall())
            values = {"put": self.put, "batch": self._batch, "state": str(self.id)}
            self._lease.renew(is_handed_back=True, until=until, **values)
        except BucketError as error:
            raise _kept_here(self._bucket, error) from error
        finally:
            self._pool.shutdown(wait=False)
            self._part.unlink(missing_ok=True)
        return self._version or ""


def _kept_here(bucket: Bucket, error: ReelrunError) -> ReelrunError:
    """What is to be done where the bucket does not have what this run knows."""
    if not isinstance(error, BucketError) or isinstance(error, ObjectChangedError):
        return error
    hint = "all is kept here: run the same command again on this machine; elsewhere only --take-over goes on"
    return BucketError(f"{bucket.address} does not have the latest state: {error.message}", hint)


def _intent_of(row: sqlite3.Row) -> Intent:
    addresses = json.loads(row["addresses"] or "{}")
    return Intent(**{**dict(row), "is_retake": bool(row["is_retake"]), "addresses": addresses})


_INTENTS = """
SELECT number, attempts.job_id, price, currency, intended_at, organisation, caller, window_start, path,
  EXISTS (SELECT 1 FROM retakes WHERE retakes.job_id = attempts.job_id) AS is_retake,
  (SELECT json_group_object(reference, address) FROM sent_addresses WHERE attempt = number) AS addresses
FROM attempts JOIN paths ON paths.job_id = attempts.job_id WHERE number > ? AND number <= ? ORDER BY number
"""
