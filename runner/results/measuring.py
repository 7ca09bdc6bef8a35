"""Measures the clips of a state that nobody measured yet, and makes the previews that are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from functools import partial

from runner.errors import DiskError
from runner.media import FIRST, LAST, Medium, end_pictures, media_of, parameters_of
from runner.model import Image, JobRecord, Manifest, Measured, Output
from runner.planning.plan import make_plan
from runner.planning.selection import Selection
from runner.results.workers.fitness import has_opencv
from runner.results.workers.kept_clip import KeptClip
from runner.results.workers.workforce import Hire, NotLookedAtError, Workforce
from runner.state.store import Store
from runner.video.facts import UnfitFileError
from runner.video.looking.previews import are_there, bytes_in, has_all, keep_within, names_in
from runner.video.measures import VERSION, ViewOrder

# Previews are made until they have this share of their room: beyond it, each new one would drive out an old one.
_FULL = 0.95
# How many clips wait for each that is looked at.
_AHEAD = 2
# Seconds after which it is asked anew how many workers there are.
_TURN = 2.0

# Is called with how many clips are done, and how many there are.
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Unmeasurable:
    """A clip that could not be measured, and why. `is_whole`: the reason lies with a worker, not with the clip."""

    record: JobRecord
    reason: str
    is_whole: bool = False


@dataclass(slots=True)
class MeasuringResult:
    """How many clips were measured, and got previews, how many had all before, and which could not be looked at."""

    measured: int = 0
    previewed: int = 0
    kept: int = 0
    failed: list[Unmeasurable] = field(default_factory=list)


def is_current(measured: Measured | None) -> bool:
    """Whether a clip need not be measured again: by this version, and with OpenCV where that is there."""
    return measured is not None and measured.version == VERSION and (measured.has_flow or not has_opencv())


def measure(store: Store, manifest: Manifest, selection: Selection, hire: Hire, tell: Tell) -> MeasuringResult:
    """Have the clips of the selected jobs measured, the latest first. What is measured is written at once, so that it
    is not measured again after an interruption."""
    result = MeasuringResult()
    records = [each for each in store.records() if each.video is not None and selection.has(each)][::-1]
    orders = list(_orders(manifest, records, result))
    tell(0, len(orders))
    if not orders:
        return result
    clip_of = partial(_clip_of, store, manifest.output)
    within = _within_room(orders, manifest.output.previews, result)
    with hire(len(orders)) as workforce:
        for done, (record, order, future) in enumerate(_looked_at(within, clip_of, workforce), 1):
            try:
                measured = workforce.result(future)
            except NotLookedAtError as error:
                result.failed.append(_not_looked_at(record, clip_of(record), str(error)))
            except (UnfitFileError, DiskError, OSError) as error:
                result.failed.append(Unmeasurable(record, _words(error)))
            else:
                _keep(store, record, order, measured)
                result.measured += order.measures and measured.is_known
            if order.output_dir is not None:
                keep_within(order.output_dir, manifest.output.previews)
                result.previewed += are_there(order.sha256, order.output_dir)
            tell(done, len(orders))
    return result


def _clip_of(store: Store, output: Output, record: JobRecord) -> KeptClip:
    assert record.video is not None, "only jobs with clips are measured"
    copy = store.copy_of(output.mirror, record.video.sha256) if output.mirror is not None else None
    return KeptClip(output.dir, record.video.path, output.mirror, copy)


def _not_looked_at(record: JobRecord, clip: KeptClip, reason: str) -> Unmeasurable:
    """What a worker could not look at may not be there at all."""
    assert record.video is not None, "only jobs with clips are measured"
    try:
        with clip.opened(record.video.sha256):
            pass
    except (UnfitFileError, DiskError, OSError) as error:
        return Unmeasurable(record, _words(error))
    return Unmeasurable(record, reason, is_whole=True)


def _words(error: UnfitFileError | DiskError | OSError) -> str:
    if isinstance(error, DiskError):
        return error.message
    return (error.strerror or "it cannot be read") if isinstance(error, OSError) else str(error)


def _media_of(manifest: Manifest, records: Sequence[JobRecord]) -> Mapping[str, Image]:
    """The files of the manifest by their references. Those that parameters name are known only once it is planned."""
    named = {medium.text for each in records if not each.orphaned for medium in _files_of(manifest, each)}
    if named <= manifest.media.keys():
        return manifest.media
    return make_plan(manifest).manifest.media


def _files_of(manifest: Manifest, record: JobRecord) -> Iterator[Medium]:
    schema = manifest.schemas.get(record.model)
    found = media_of(record.payload, parameters_of(schema)) if schema is not None else iter(())
    return (each for each in found if each.is_file)


def _keep(store: Store, record: JobRecord, order: ViewOrder, measured: Measured) -> None:
    """What was measured before stays; only what is noted of its previews is new."""
    known = record.measured
    if not order.measures and known is not None:
        measured = replace(known, note=measured.note) if known.is_known else known
    with store.transaction():
        store.keep_measured(order.sha256, measured)


def _orders(
    manifest: Manifest, records: Sequence[JobRecord], result: MeasuringResult
) -> Iterator[tuple[JobRecord, ViewOrder]]:
    """What is to be done, each file once. Clips that are there twice are one."""
    folder, room = manifest.output.dir, manifest.output.previews
    names = names_in(folder)
    has_room = bytes_in(folder) < _FULL * room
    media = _media_of(manifest, records) if any(not is_current(each.measured) for each in records) else {}
    seen: set[str] = set()
    for record in records:
        if record.video is None or record.video.sha256 in seen:
            continue
        sha256 = record.video.sha256
        seen.add(sha256)
        previews = has_room and not has_all(names, sha256)
        if is_current(record.measured) and not previews:
            result.kept += 1
            continue
        ends = end_pictures(record.payload, manifest.schemas.get(record.model), media)
        wanted = folder if previews else None, ends.get(FIRST), ends.get(LAST), not is_current(record.measured)
        yield record, ViewOrder(sha256, *wanted, record.finished_at)


def _within_room(
    orders: Iterable[tuple[JobRecord, ViewOrder]], most_bytes: int, result: MeasuringResult
) -> Iterator[tuple[JobRecord, ViewOrder]]:
    """Without previews once their room is full."""
    for record, order in orders:
        if order.output_dir is not None and bytes_in(order.output_dir) >= _FULL * most_bytes:
            order = replace(order, output_dir=None)
        if order.measures or order.output_dir is not None:
            yield record, order
        else:
            result.kept += 1


def _looked_at(
    orders: Iterator[tuple[JobRecord, ViewOrder]], clip_of: Callable[[JobRecord], KeptClip], workforce: Workforce
) -> Iterator[tuple[JobRecord, ViewOrder, Future[Measured]]]:
    """Each clip when it is done. Only a few wait in line, so that an interruption leaves little undone."""
    waiting: dict[Future[Measured], tuple[JobRecord, ViewOrder]] = {}
    following = next(orders, None)
    while following or waiting:
        most = workforce.at_once() * _AHEAD
        while following and len(waiting) < most:
            record, order = following
            waiting[workforce.submit(clip_of(record), order)] = following
            following = next(orders, None)
        # Now and then without one that is done: workers come and go.
        for future in wait(waiting, _TURN, FIRST_COMPLETED).done:
            yield *waiting.pop(future), future
