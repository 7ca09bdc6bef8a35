"""States that live in buckets: how one is opened for a run, and how its copy is made fit for reading."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
from runner.errors import DamagedStateError, LockedError, ReelrunError, StateError
from runner.model import Output, StateHome
from runner.state.disk import set_aside_together
from runner.state.journal import check_latest, files_beside
from runner.state.plans import INDEX
from runner.state.runlock import run_lock, this_process
from runner.state.travelling.intent_batches import Intent, batches_above, last_batch
from runner.state.travelling.lease import TERM, Lease, LeaseRecord, read_lease, shown_time, told
from runner.state.travelling.state_copy import STATE, StateCopy, copy_in, home_of
from runner.state.travelling.travelling_store import TravellingStore

# A call for the lease, for intents or for the state may take so long, and is repeated for so long, in seconds.
_LONGEST, _RETRIED = 120.0, 15.0
_STALE = "put back the latest state, or see what the service has: reelrun requests MODEL; nothing was sent"


@dataclass(frozen=True, slots=True)
class StateClocks:
    """The clocks of a run: CLOCK_BOOTTIME for decisions, Unix seconds for people."""

    now: Callable[[], float]
    wall: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A lease that was just taken, and what it said before.

    `is_copy_latest`: the copy here has all that its holder knew. `was_left`: its holder did not hand it back, or nobody
    knows that it did.
    """

    lease: Lease
    before: LeaseRecord | None
    is_copy_latest: bool
    was_left: bool


def bucket_of(output: Output) -> Bucket:
    """The bucket that a state lives in. Raises UsageError."""
    assert output.home is not None, "only states with a home are in a bucket"
    return Bucket.open(BucketAddress.of(output.home.address), longest=_LONGEST, retried=_RETRIED, silence=_LONGEST)


def housed(output: Output, address: str | None, wall: float) -> Output:
    """The output with its state in a bucket, if it lives in one; its copy is made fit for reading.

    Raises UsageError, StateError, BucketError and DiskError.
    """
    if address is None:
        check_on_disk(output)
        return output
    home = StateHome(str(BucketAddress.of(address)), output.state)
    output = replace(output, state=copy_in(output.dir), home=home)
    refresh(output, wall)
    return output


def refresh(output: Output, wall: float) -> None:
    """Make the copy of a state fit for reading. Where a run works on it here, it is as it is.

    Raises StateError, BucketError and DiskError.
    """
    bucket = bucket_of(output)
    copy = StateCopy(bucket, output.state)
    copy.check_home()
    with contextlib.suppress(LockedError), run_lock(output.state, wall):
        found = read_lease(bucket)
        is_latest_here = found is not None and found[0].holder in copy.holders and not found[0].is_handed_back
        if not (is_latest_here and output.state.exists()) and copy.refresh() is None:
            copy.begin_anew(_former(output))
    with _plain_words():
        _check_former(_former(output), output.state)
        store = TravellingStore.read(output.state, output.dir / f"{INDEX}.json")
        if store is not None:
            store.close()


def _former(output: Output) -> Path:
    assert output.home is not None, "only states with a home are in a bucket"
    return output.home.former


def _check_former(path: Path, copy: Path) -> None:
    """Raise StateError where the folder has a state of its own that is not in the one of the bucket."""
    former, store = TravellingStore.read(path), TravellingStore.read(copy)
    if former is None or store is None:
        return
    with former, store:
        hint = f"leave out --state, or move {path} away if what it knows does not matter"
        if former.id != store.id:
            raise StateError(f"{path} is another state than the one in the bucket", hint)
        if not former.submissions <= store.submissions:
            raise StateError(f"{path} knows of submissions that the state in the bucket does not know", hint)


def standing(output: Output) -> str:
    """Who has the lease of a state, for people. Raises StateError and BucketError."""
    found = read_lease(bucket_of(output))
    if found is None:
        return "no run used it yet"
    return "no run works with it" if found[0].is_handed_back else told(found[0])


def check_on_disk(output: Output) -> None:
    """Raise StateError where the state of an output folder lives in a bucket, and nobody said so."""
    home = home_of(output.dir)
    if home is not None and not output.state.exists():
        raise StateError(f"the state of {output.dir} lives in {home}", f"add --state {home}")


@contextlib.contextmanager
def opened(output: Output, index: Path, clocks: StateClocks, *, takes_over: bool = False) -> Iterator[TravellingStore]:
    """The state of a bucket, with its lease, for a run. At the end the state is put, and the lease handed back.

    `takes_over` takes a lease whose holder is gone. Raises LockedError where another has it, StateError where what is
    there is not the latest, BucketError, DiskError.
    """
    bucket = bucket_of(output)
    copy = StateCopy(bucket, output.state)
    copy.check_home()
    with run_lock(output.state, clocks.wall()):
        taken = _taken(bucket, copy, clocks, takes_over=takes_over)
        with _plain_words(), _store(bucket, copy, output, taken, index, clocks) as store:
            try:
                yield store
            finally:
                version = store.come_home()
        if version is not None:
            copy.equals(version)


@contextlib.contextmanager
def _plain_words() -> Iterator[None]:
    """A state of a bucket is no file that --new-state could set aside."""
    try:
        yield
    except DamagedStateError as error:
        raise StateError(error.message, _STALE) from error


def _taken(bucket: Bucket, copy: StateCopy, clocks: StateClocks, *, takes_over: bool) -> _Taken:
    found = read_lease(bucket)
    before, former = (found[0] if found else None), copy.holders
    is_ours = before is not None and before.holder in former and not before.is_handed_back
    if before is not None and not (before.is_handed_back or is_ours or takes_over):
        raise LockedError(
            f"another runner works with {bucket.address}: {told(before)}",
            "wait until it ends; if its machine is gone for good, add --take-over to reelrun run",
        )
    if before is None and not takes_over and (bucket.find(STATE) is not None or last_batch(bucket)):
        hint = "see who removed it; add --take-over if no runner works with it any more"
        raise StateError(f"{bucket.address} has a state, and no lease", hint)
    at, holder = clocks.wall(), uuid4().hex
    # A lease that was removed does not say how many there were: more than there can have been.
    term = int(at) if before is None and takes_over else (before.term if before else 0) + 1
    mine = LeaseRecord(holder, this_process(), shown_time(at), shown_time(at + TERM), term)
    if before is not None:
        mine = replace(mine, state=before.state, put=before.put, batch=before.batch)
    copy.begin(holder)
    lease = Lease.take(bucket, found, mine, clocks.now)
    was_left = takes_over if before is None else not before.is_handed_back
    return _Taken(lease, before, is_ours and _is_of(copy.path, before), was_left)


def _is_of(path: Path, before: LeaseRecord | None) -> bool:
    """Whether the copy of a state was worked on under this lease."""
    if before is None or not path.exists():
        return False
    with contextlib.suppress(ReelrunError, sqlite3.Error):
        store = TravellingStore.read(path)
        if store is not None:
            with store:
                return store.term == before.term
    return False


@contextlib.contextmanager
def _store(
    bucket: Bucket, copy: StateCopy, output: Output, taken: _Taken, index: Path, clocks: StateClocks
) -> Iterator[TravellingStore]:
    with contextlib.ExitStack() as opening, contextlib.ExitStack() as on_failure:
        if not taken.was_left:
            # Nothing was sent under it. One that was left stays so: what its holder may have sent is not replayed yet.
            on_failure.callback(_hand_back, taken.lease)
        version = _version(bucket, copy, output, taken, clocks)
        copy.will_change()
        store = opening.enter_context(TravellingStore.open(copy.path))
        _check(store, bucket, taken.before)
        batch = _caught_up(store, bucket, taken, clocks)
        check_latest(copy.path, store.id, store.intents(), index)
        store.travel(bucket, taken.lease, version, batch, clocks.wall)
        _leave_former(_former(output), copy.path, clocks.wall())
        on_failure.pop_all()
        yield store


def _hand_back(lease: Lease) -> None:
    with contextlib.suppress(ReelrunError):
        lease.renew(is_handed_back=True)


def _leave_former(former: Path, copy: Path, wall: float) -> None:
    """Set aside the state that moves into the bucket: the copy has all of it."""
    if former.exists():
        with run_lock(former, wall):
            _check_former(former, copy)
            set_aside_together((former, *files_beside(former)))


def _version(bucket: Bucket, copy: StateCopy, output: Output, taken: _Taken, clocks: StateClocks) -> str | None:
    """The version of the state in the bucket; None if there is none. What it is of is in the copy then."""
    if not taken.is_copy_latest:
        return _fetched(bucket, copy, output, taken.before, clocks.wall())
    found = bucket.find(STATE)
    return None if found is None else found.version


def _fetched(bucket: Bucket, copy: StateCopy, output: Output, before: LeaseRecord | None, wall: float) -> str | None:
    """Bring the state here; None if there is none yet. Raises StateError where there should be one."""
    version, former = copy.refresh(), _former(output)
    if version is None:
        if (before is not None and before.put) or last_batch(bucket):
            raise StateError(f"{bucket.address.below(STATE)} is gone, and it was there before", _STALE)
        with run_lock(former, wall) if former.exists() else contextlib.nullcontext():
            copy.begin_anew(former)
    return version


def _check(store: TravellingStore, bucket: Bucket, before: LeaseRecord | None) -> None:
    """Raise StateError where the state is older than what its last holder had put."""
    if before is None:
        return
    is_older = store.put < before.put or (before.is_handed_back and store.batch < before.batch)
    if is_older or before.state not in ("", store.id):
        raise StateError(
            f"{bucket.address.below(STATE)} is not the latest state: its lease tells of a later one", _STALE
        )


def _caught_up(store: TravellingStore, bucket: Bucket, taken: _Taken, clocks: StateClocks) -> int:
    """Take over what is in the bucket of intents that the state does not know. The number of the last ones."""
    if not taken.was_left:
        # The holder knew all of its intents. Later ones are of one that had lost the lease, and were never sent.
        return max(last_batch(bucket), store.batch)
    last = store.batch
    inherited: list[Intent] = []
    for each in batches_above(bucket, store.batch):
        if each.state != store.id:
            raise StateError(f"{bucket.address} has intents of another state", _STALE)
        last = each.number
        # A holder that had lost the lease before this state was put never sent them.
        inherited += each.intents if each.term >= store.term else ()
    if taken.is_copy_latest:
        if any(each.number > store.intents() for each in inherited):
            hint = f"{_STALE}; or remove it, and add --take-over"
            raise StateError(f"the copy {store.path} is not the latest state: later intents are there", hint)
        return last
    with store.transaction():
        store.inherit(inherited, clocks.wall())
    return last
