"""Workers of a Dask cluster that look at clips, on machines that share a disk with this one.

Dask repeats what a lost worker had begun. It is loaded only where a cluster is asked for.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from time import monotonic, sleep
from typing import TYPE_CHECKING

from runner.errors import DiskError, UsageError, WorkersError
from runner.model import Image, Measured, Origin
from runner.results.workers.fitness import Fitness, fitness
from runner.results.workers.kept_clip import KeptClip, look_at
from runner.results.workers.workforce import Hire, NotLookedAtError
from runner.shipped import install_line
from runner.version import RELEASE
from runner.video.facts import UnfitFileError
from runner.video.file_types import opened
from runner.video.measures import ViewOrder

if TYPE_CHECKING:
    from distributed import Client

# In seconds: how long an answer may take, and how long a cluster may be without workers.
_ANSWER, _UNSTAFFED = 10.0, 30.0
# How long the scheduler may take to forget what it was asked for: where it does not, it does when this process ends.
_PARTING = 2.0
_GLANCE = 0.2
_KEPT = "then run the same command again: what was measured is kept"
# A picture goes along with its clip. Dask would warn of one of 10 MB.
_LARGE = {"distributed.admin.large-graph-warning-threshold": "1GiB"}


def cluster(address: str, say: Callable[[str], None]) -> Hire:
    """The workers of the scheduler at this address. `say` tells people what is waited for."""

    @contextmanager
    def hire(_clips: int) -> Iterator[Cluster]:
        try:
            import dask
            import distributed  # noqa: F401  # it brings its settings, which are changed for this block
        except ImportError as error:
            raise UsageError(f"--cluster needs {error.name}", install_line("cluster")) from error
        with dask.config.set(_LARGE), _connected(address) as client:
            # Not pure: to look again at a clip whose previews are gone is no repetition of an earlier call.
            yield Cluster(client, client.get_executor(pure=False), address, say)

    return hire


@dataclass(frozen=True, slots=True)
class Cluster:
    """A workforce of all workers that a scheduler has at the moment."""

    client: Client
    executor: Executor
    address: str
    say: Callable[[str], None]
    fit: set[str] = field(default_factory=set)

    def at_once(self) -> int:
        threads = self._threads() or self._awaited()
        self._check(threads.keys() - self.fit)
        return sum(threads.values())

    def submit(self, clip: KeptClip, order: ViewOrder) -> Future[Measured]:
        if order.measures:
            order = replace(order, first=_carried(order.first), last=_carried(order.last))
        return self.executor.submit(look_there, clip, order)

    def result(self, future: Future[Measured]) -> Measured:
        from distributed import KilledWorker

        if future.cancelled():
            raise self._lost()
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, KilledWorker):
            times, last = error.allowed_failures + 1, error.last_worker.address
            raise NotLookedAtError(f"each worker that had it ended, {times} in a row; the last was {last}")
        if isinstance(error, (UnfitFileError, NotLookedAtError)):
            raise error
        raise NotLookedAtError(f"a worker failed at it ({type(error).__name__}: {' '.join(str(error).split())})")

    def _threads(self) -> dict[str, int]:
        """How many threads each worker has."""
        if self.client.status != "running":
            raise self._lost()
        try:
            threads: dict[str, int] = self.client.nthreads(callback_timeout=_ANSWER)
        except OSError as error:
            raise self._lost() from error
        return threads

    def _awaited(self) -> dict[str, int]:
        self.say(f"no worker is at {self.address}: waiting {_UNSTAFFED:g} s for one (dask worker {self.address})")
        end = monotonic() + _UNSTAFFED
        while not (threads := self._threads()):
            if monotonic() > end:
                raise WorkersError(f"the cluster at {self.address} has no workers", f"start some, {_KEPT}")
            sleep(_GLANCE)
        return threads

    def _check(self, workers: Iterable[str]) -> None:
        """Raise WorkersError where one of these would measure otherwise than this process."""
        if not (asked := sorted(workers)):
            return
        try:
            told = self.client.run(fitness, workers=asked, on_error="return", callback_timeout=_ANSWER)
        except TimeoutError as error:
            hint = f"end the one that hangs, {_KEPT}"
            raise WorkersError(f"not all workers answer within {_ANSWER:g} s: {', '.join(asked)}", hint) from error
        except OSError as error:
            raise self._lost() from error
        # One that has gone meanwhile has no answer: what it had is looked at by others.
        faults = {each: _lacks(answer) for each, answer in told.items() if not isinstance(answer, OSError)}
        self.fit.update(each for each, lacks in faults.items() if not lacks)
        if unfit := [f"{each} ({lacks})" for each, lacks in faults.items() if lacks]:
            same = f"install reelrun {RELEASE} with its extras cluster and measure there"
            raise WorkersError(f"workers that do not fit: {', '.join(unfit)}", f"{same}, or end them, {_KEPT}")

    def _lost(self) -> WorkersError:
        hint = f"see whether it still runs, and whether this machine reaches it, {_KEPT}"
        return WorkersError(f"the scheduler at {self.address} gives no answer any more", hint)


def _lacks(answer: Fitness | Exception) -> str:
    if isinstance(answer, Fitness):
        return answer.lacks(fitness())
    return f"no reelrun of this release: {answer}"


def _carried(image: Image | None) -> Image | None:
    """A picture with its bytes in it: manifests and their pictures need not lie on the shared disk."""
    if image is None or image.origin is not Origin.FILE:
        return image
    try:
        with opened(image) as file:
            return replace(image, origin=Origin.INLINE, location=base64.b64encode(file.read()).decode())
    except OSError:
        return None


def look_there(clip: KeptClip, order: ViewOrder) -> Measured:
    """Look at a clip as a worker of a cluster, with one thread: the worker has as many as there are cores."""
    from distributed import get_worker

    with ExitStack() as held:
        try:
            path = held.enter_context(clip.opened(order.sha256))
        except (UnfitFileError, DiskError, OSError) as error:
            words = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            raise NotLookedAtError(
                f"the worker {get_worker().address} does not see it at {clip.folder / clip.name} ({words}): it must"
                " have the output folder at this path, on a disk that it shares with this machine, or reach a mirror"
                " that has it"
            ) from error
        return look_at(path, order, threads=1)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of the scheduler. Leaving it gives up what it asked for; the cluster lives on. Raises WorkersError."""
    from distributed import Client

    # What goes wrong is told in our words.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        asyncio.run(_answered(address))
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ImportError) as error:
        hint = f"start one there (dask scheduler), or correct --cluster, {_KEPT}"
        raise WorkersError(f"no scheduler answers at {address} within {_ANSWER:g} s", hint) from error
    except TypeError as error:
        # How Dask tells that it has no certificates.
        if "TLS" not in str(error):
            raise
        hint = "name them in Dask's configuration: distributed.comm.tls.ca-file, .client.cert and .client.key"
        raise UsageError(f"{address} needs certificates, and Dask knows none", hint) from error
    try:
        yield client
    finally:
        with suppress(TimeoutError, CancelledError):
            client.close(timeout=_PARTING)


async def _answered(address: str) -> None:
    """Raises OSError where no scheduler answers. A client waits for ever for one that accepts and says nothing."""
    from distributed import Client

    client = Client(address, timeout=_ANSWER, set_as_default=False, asynchronous=True)
    try:
        async with asyncio.timeout(_ANSWER):
            await client
    finally:
        await client.close(timeout=_ANSWER)
