"""A campaign's runs, from the plan to the index in named steps, and what reads or mends their results."""

from __future__ import annotations

import glob
import hashlib
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.api.models.model_records import ServicePrices, patient_for_price
from runner.api.service import DEFAULT_BASE, SANDBOX, Connection, Service
from runner.buckets.bucket_address import is_bucket_address
from runner.diagnostics.html_tables import html_table
from runner.engine.asks import Again, asking
from runner.engine.clock import SystemClock
from runner.engine.downloads.fetching import MOST_FETCHES, MOST_VERIFIED
from runner.engine.loop import Engine, Report, check_budget, check_service
from runner.engine.mirror.mirror import Mirror
from runner.engine.mirror.mirroring import MOST_COPIES
from runner.engine.run import MOST_CALLS, Progress, RunSnapshot, Tools
from runner.errors import (
    BucketError,
    DamagedStateError,
    Diagnostic,
    Exit,
    NotConfirmedError,
    ReelrunError,
    StateError,
    worst,
)
from runner.model import Action, InputKind, Manifest, Origin, Status, Uploads, Variables
from runner.planning import lockfile
from runner.planning.child_process import plan_in_child_process
from runner.planning.comparison import gone_clips
from runner.planning.elsewhere import with_elsewhere
from runner.planning.matches import Matches
from runner.planning.plan import Plan, make_plan
from runner.planning.prices import AskPrice, Prices, nobody
from runner.planning.selection import EVERYTHING, Selection
from runner.results import index, measuring, page
from runner.results.atomic_files import index_path, replacing
from runner.results.clip_reports import ClipReports, ClipTotals
from runner.results.clip_verdicts import ClipVerdicts
from runner.results.frames.job_frame import Results
from runner.results.inventory import Discrepancy, Inventory, Kind
from runner.results.job_document import job_document
from runner.results.measuring import MeasuringResult, Tell
from runner.results.mirror.mirror_inventory import MirrorInventory
from runner.results.page import Serving
from runner.results.snapshot import snapshot as taken
from runner.results.unfinished import Unfinished, unfinished
from runner.results.workers.workforce import Hire
from runner.state.disk import disk_errors, set_aside, set_aside_together
from runner.state.journal import files_beside
from runner.state.renames import carry_out
from runner.state.runlock import run_lock
from runner.state.store import Store
from runner.state.travelling import bucket_states
from runner.state.travelling.bucket_states import StateClocks
from runner.verdicts.votes import Verdicts, verdicts_on

# Enough for all calls and downloads at the same time. More threads would only cost memory.
_THREADS = MOST_CALLS + MOST_FETCHES + MOST_VERIFIED + MOST_COPIES
# The service of a run that calls none: it only copies.
_NO_SERVICE = Service(DEFAULT_BASE)
# Selects no job: no key is empty.
_NOTHING = ("",)

_OLD = re.compile(r"\.old-[0-9]+$")
_EXITS = {
    Status.PENDING: Exit.UNFINISHED,
    Status.WAITING: Exit.UNFINISHED,
    Status.UNKNOWN: Exit.UNFINISHED,
    Status.SUCCEEDED: Exit.DONE,
    Status.FAILED: Exit.JOBS_FAILED,
    Status.REJECTED: Exit.JOBS_FAILED,
    Status.CANCELLED: Exit.JOBS_FAILED,
}


@dataclass(frozen=True, slots=True)
class MirrorStanding:
    """How many files the mirror at an address lacks, why, and what to do."""

    address: str
    missing: int
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a run works with besides its plan and the state."""

    clock: SystemClock
    mirror: Mirror | None
    progress: Progress
    on_start: Callable[[Callable[[], None]], None]
    waits_for_threads: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """How a run ended. `totals` counts all jobs of the state; `unfinished` are selected jobs that did not succeed.

    `aside` is what was in the way of downloads, at its new paths. `later` jobs were left for a later run, as asked for,
    and are not among the unfinished ones. `differences` from the lockfile are those that are no drift. `removed` counts
    those of the `totals` that are in no manifest any more. `notes` are to be told of retakes and verdicts. `mirror` is
    None where the manifest has none, and of a dry run.
    """

    totals: dict[Status, int]
    submitted: int
    spent: Decimal
    unfinished: Unfinished
    index: Path
    output_dir: Path
    exit_code: Exit
    error: ReelrunError | None = None
    interrupted: bool = False
    aside: tuple[Path, ...] = ()
    later: int = 0
    differences: tuple[str, ...] = ()
    removed: Mapping[Status, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    mirror: MirrorStanding | None = None

    def __repr__(self) -> str:
        counts = ", ".join(f"{number:,} {status}" for status, number in self.totals.items() if number)
        lacks = f"; the mirror lacks {self.mirror.missing:,}" if self.mirror and self.mirror.missing else ""
        return f"<Result: {counts or 'no jobs'}; {self.submitted:,} submitted{lacks}; exit {int(self.exit_code)}>"

    def _repr_html_(self) -> str:
        rows = [(status, number) for status, number in self.totals.items() if number]
        stopped = f"; stopped: {self.error.message}" if self.error is not None else ""
        caption = f"{self.submitted:,} submitted{stopped}; page: {self.index.with_suffix('.html')}"
        return html_table(caption, ("status", "jobs"), rows)


def plan(
    manifest: Manifest,
    selection: Selection,
    warnings: Sequence[Diagnostic] = (),
    *,
    limits_memory: bool = False,
    sandbox: bool = False,
    ask_price: AskPrice = nobody,
    is_locked: bool = False,
) -> Plan:
    """Plan, and compare with the state if there is one. Writes nothing.

    `limits_memory`, `ask_price` and `is_locked` are as in `make_plan`. `sandbox` says that it is the plan of a run with
    the sandbox.
    """
    plan_in_child_process(manifest, warnings)
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    is_begun = False
    if store is None:
        planned = make_plan(
            manifest, None, selection.at(None), warnings, limits_memory=limits_memory, ask_price=ask_price
        )
    else:
        with store.seen_from(manifest.path):
            planned = make_plan(
                manifest, store, selection.at(store), warnings,
                limits_memory=limits_memory, ask_price=ask_price, is_locked=is_locked,
            )  # fmt: skip
            is_begun = store.has_attempts()
    return planned if is_begun else with_elsewhere(planned, lambda service: (service == SANDBOX) == sandbox)


def run(
    manifest: Manifest,
    connection: Connection,
    selection: Selection,
    *,
    confirm: Callable[[Plan], bool],
    progress: Progress | None = None,
    dry: bool = False,
    on_start: Callable[[Callable[[], None]], None] = lambda interrupt: None,
    warnings: Sequence[Diagnostic] = (),
    locked: bool = False,
    strict: bool = False,
    limits_memory: bool = False,
    attach: Sequence[str] = (),
    allow_uploads: Callable[[Plan], bool] = lambda plan: False,
    again: Again | None = None,
    waits_for_threads: bool = False,
    takes_over: bool = False,
) -> Result:
    """Take the run lock, plan, check the budget, ask, work, write the index.

    `dry` ends before the first call to the service: the state is written, the index is not. `on_start` is called with
    the function that interrupts the run. `locked` refuses a plan that buys otherwise than the lockfile says, and with
    `strict` one that differs from it in anything. `limits_memory` is as in `make_plan`. `attach` says which requests
    lost submissions are, each as `KEY=REQUEST_ID`. `allow_uploads` tells of a plan whether its files may be put where
    others can read them; it is not asked where the manifest says so. `again` asks for further takes first, which is
    taken back where nothing comes of it. `waits_for_threads` says that the process lives on after the run: then the run
    lock is kept until no call of it is open. `takes_over` goes on with a state in a bucket whose last runner is gone.
    Raises ReelrunError if the run cannot start.
    """
    plan_in_child_process(manifest, warnings)
    clock, mirror = SystemClock(), Mirror.of(manifest.output)
    around = _Surroundings(clock, mirror, progress or _no_progress, on_start, waits_for_threads)
    with _opened(manifest, clock, takes_over=takes_over) as store, asking(manifest, store, again) as agree:
        with store.transaction():
            check_service(store, connection.name, connection.organisation)
            selection = selection.at(store)
            store.remember_set(set_under(manifest), manifest.set)
            _reopen_gone(manifest, store, selection, mirror)
            planned = make_plan(
                manifest, store, selection, warnings, store.registering, limits_memory=limits_memory,
                ask_price=nobody if dry else ServicePrices(lambda: _client_for_prices(connection)),
                is_locked=locked or strict,
            )  # fmt: skip
            if not store.has_attempts():
                planned = with_elsewhere(planned, lambda service: service == connection.name)
            differences = _drift(planned, locked, strict=strict)
        check_budget(planned)
        if dry:
            return _dry_result(planned, store)
        report = None
        if attach or _has_work(planned, store, selection):
            planned = _agreed(planned, connection, allow_uploads, confirm)
            agree()
            report = _work(planned, connection.open(), selection, store, around, attach)
        elif mirror is not None and store.uncopied_jobs(mirror.name, most=1):
            report = _work(planned, nullcontext(_NO_SERVICE), selection, store, around)
        _return_names(manifest, store)
        ended = _result(planned, selection, store, _indexed(manifest, store, clock), report)
        return replace(ended, differences=differences, notes=planned.notes)


def _reopen_gone(manifest: Manifest, store: Store, selection: Selection, mirror: Mirror | None) -> None:
    """Where the state lives in a bucket, clips that are neither here nor in the mirror are fetched again."""
    gone = gone_clips(store, replace(manifest.output, mirror=None)) if manifest.output.home is not None else set[int]()
    present = _in_mirror(store, mirror) if gone and mirror is not None else set[str]()
    for record in list(store.records()) if gone else ():
        is_gone = int(record.id, 16) in gone and record.id not in present
        if is_gone and record.status is Status.SUCCEEDED and selection.has(record):
            store.reopen(record.id)


def _in_mirror(store: Store, mirror: Mirror) -> set[str]:
    """The ids of the jobs whose clips the mirror has. Where that cannot be told, what was recorded counts."""
    try:
        return mirror.present(store)
    except BucketError:
        return {job_id for job_id, _ in store.copies_of_clips(mirror.name)}


def _client_for_prices(connection: Connection) -> Client | None:
    """The paid service; None if this one is free, or nothing can be asked without a key."""
    try:
        if not connection.is_paid():
            return None
        with connection.open() as service:
            return Client(patient_for_price(service))
    except ReelrunError:
        # The run tells it, where it is in its way.
        return None


def _agreed(
    planned: Plan, connection: Connection, allow_uploads: Callable[[Plan], bool], confirm: Callable[[Plan], bool]
) -> Plan:
    """The plan with the consent to uploads that this run has. Raises NotConfirmedError where nobody agrees."""
    agreed = _with_uploads(planned, connection, allow_uploads)
    if agreed.totals[Action.SUBMIT] and not confirm(agreed):
        hint = "run it again, or add --yes where nobody can answer"
        raise NotConfirmedError("not confirmed: nothing was sent", hint)
    return agreed


def _with_uploads(planned: Plan, connection: Connection, allow_uploads: Callable[[Plan], bool]) -> Plan:
    manifest = planned.manifest
    if manifest.uploads is not None:
        return planned
    if not allow_uploads(planned):
        if not planned.uploads:
            return planned
        if connection.is_paid():
            hint = "write uploads: {to: service}, add --allow-uploads, or give addresses in place of files"
            number = f"{len(planned.uploads):,} file" + "s" * (len(planned.uploads) != 1)
            raise NotConfirmedError(f"{number} would be put where others can read; nothing was sent", hint)
    return replace(planned, manifest=replace(manifest, uploads=Uploads()))


def _drift(planned: Plan, locked: bool, *, strict: bool) -> tuple[str, ...]:
    """The differences from the lockfile that are no drift. Raises DriftError."""
    return lockfile.check(planned.manifest, planned.each(), strict=strict) if locked or strict else ()


def _return_names(manifest: Manifest, store: Store) -> None:
    """The clips of orphans that the manifest has again go back to their names, where these are free."""
    if not store.is_in_place:
        return
    with store.transaction():
        for job_id, former in store.returned():
            store.give_path(job_id, former)
    carry_out(store, manifest.output.dir)


def set_under(manifest: Manifest) -> str:
    """The name under which the state keeps what `--set` gave."""
    return os.path.relpath(manifest.path, manifest.output.state.parent)


def last_set(manifest: Manifest) -> Variables:
    """The constants that the last run of the manifest replaced. Raises StateError and DiskError."""
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    if store is None:
        return {}
    with store:
        return store.last_set(set_under(manifest))


def repair(
    manifest: Manifest,
    connection: Connection,
    taken: Inventory,
    mirrored: MirrorInventory | None = None,
    *,
    progress: Progress | None = None,
    on_start: Callable[[Callable[[], None]], None] = lambda interrupt: None,
) -> Result:
    """Bring missing and changed files back from the mirror, else from the service if it still has them.

    What the mirror lacks by its inventory is copied again. Nothing is submitted. A changed file is kept in its folder,
    with `.changed` in its name.
    """
    clock, mirror, folder = SystemClock(), Mirror.of(manifest.output), manifest.output.dir
    around = _Surroundings(clock, mirror, progress or _no_progress, on_start)
    broken = [each for each in taken.of(Kind.MISSING, Kind.CHANGED) if each.job_id is not None]
    with _opened(manifest, clock) as store:
        broken, aside = _fetched_back(mirror, store, folder, broken) if mirror is not None else (broken, [])
        with store.transaction():
            if broken:
                check_service(store, connection.name, connection.organisation)
            for gap in mirrored.gaps if mirrored is not None else ():
                store.forget_copy(str(manifest.output.mirror), gap.sha256)
        for each in broken:
            if each.kind is Kind.CHANGED:
                set_aside(folder / each.path)
        with store.transaction():
            for job_id in {each.job_id for each in broken}:
                store.reopen(str(job_id))
        selection = Selection(only=tuple(glob.escape(each.key or "") for each in broken) or _NOTHING)
        empty_plan = Plan(manifest, (), 0, (), ())
        service = connection.open() if broken else nullcontext(_NO_SERVICE)
        report = _work(empty_plan, service, selection, store, around)
        ended = _result(empty_plan, selection, store, _indexed(manifest, store, clock), report)
        return replace(ended, aside=(*aside, *ended.aside))


def _fetched_back(
    mirror: Mirror, store: Store, folder: Path, broken: Sequence[Discrepancy]
) -> tuple[list[Discrepancy], list[Path]]:
    """Bring files back from the mirror. Those that it could not give; and what was in the way, at its new paths."""
    copies = {}
    for each in broken:
        files = {file.path: file.sha256 for file in store.files_of(str(each.job_id))}
        copy = store.copy_of(mirror.name, files[each.path]) if each.path in files else None
        if copy is not None:
            copies[each] = copy
    with ThreadPoolExecutor(MOST_COPIES, thread_name_prefix="reelrun") as pool:
        calls = {each: pool.submit(mirror.fetch_back, copy, folder, each.path) for each, copy in copies.items()}
    left, aside = [each for each in broken if each not in calls], []
    for each, call in calls.items():
        try:
            aside += call.result()
        except BucketError:
            # Whatever the mirror says, the service may have it.
            left.append(each)
    return left, aside


def measure(
    manifest: Manifest, selection: Selection, hire: Hire, tell: Tell
) -> tuple[MeasuringResult, ClipTotals, Path]:
    """Measure the clips of the selected jobs that were not measured yet, and write the index. Nothing is sent.

    Returns how it went, what is to be told of all selected clips, and the index.
    """
    clock = SystemClock()
    with _opened(manifest, clock) as store:
        selection = selection.at(store)
        matches = Matches(selection)
        matches.see(store.records())
        matches.check()
        result = measuring.measure(store, manifest, selection, hire, tell)
        return result, ClipTotals.of(manifest, store, selection), _indexed(manifest, store, clock)


def rename(
    manifest: Manifest, selection: Selection, warnings: Sequence[Diagnostic] = ()
) -> tuple[int, list[tuple[str, str]]]:
    """Give the selected clips the names of today's `output.file`. Nothing is sent.

    Returns how many have other names now, and those that keep theirs: each key with the path that is not free.
    """
    with _opened(manifest, SystemClock()) as store:
        with store.transaction():
            selection = selection.at(store)
            planned = make_plan(manifest, store, selection, warnings, store.registering)
        return _rename(planned, selection, store)


def _rename(planned: Plan, selection: Selection, store: Store) -> tuple[int, list[tuple[str, str]]]:
    folder = planned.manifest.output.dir
    wanted = {
        job.id: job.output for job in filter(selection.has, planned.each()) if not store.is_at(job.id, job.output)
    }
    moved = _give_names(store, folder, wanted)
    # Names that go round in a circle: each holder steps aside once.
    circle = {holder for path in wanted.values() if (holder := store.holder_of(path)) in wanted}
    if circle:
        with store.transaction():
            for holder in circle:
                store.step_aside(holder)
        carry_out(store, folder)
        moved += _give_names(store, folder, wanted)
    return moved, [(job.key, job.output) for job in planned.each() if job.id in wanted]


def _give_names(store: Store, folder: Path, wanted: dict[str, str]) -> int:
    """Give jobs their names; those that got them leave `wanted`. Each round may free names that the next one gives."""
    before, moved = len(wanted) + 1, 0
    while len(wanted) < before:
        before = len(wanted)
        with store.transaction():
            for job_id, path in wanted.items():
                store.give_path(job_id, path)
        carry_out(store, folder)
        got = [job_id for job_id, path in wanted.items() if store.is_at(job_id, path)]
        for job_id in got:
            del wanted[job_id]
        moved += len(got)
    return moved


def renew_state(manifest: Manifest) -> list[Path]:
    """Where the state is damaged, gone or not the latest, rename all that belongs to it; the new paths.

    Nothing is deleted. A state that is in order stays: without it, what it holds would be bought again.
    """
    output, clock = manifest.output, SystemClock()
    with run_lock(output.state, clock.wall()):
        try:
            with Store.open(output.state, index_path(output.dir)) as store:
                store.check_values()
        except DamagedStateError:
            indexes = [each for each in sorted(output.dir.glob("index.*")) if not _OLD.search(each.name)]
            return set_aside_together((output.state, *files_beside(output.state), *indexes))
    return []


@contextmanager
def _opened(manifest: Manifest, clock: SystemClock, *, takes_over: bool = False) -> Iterator[Store]:
    """The state, locked for this run."""
    output = manifest.output
    with _store(manifest, clock, takes_over=takes_over) as store:
        # The renames of a run that was cut.
        carry_out(store.seen_from(manifest.path), output.dir)
        yield store


@contextmanager
def _store(manifest: Manifest, clock: SystemClock, *, takes_over: bool) -> Iterator[Store]:
    output, index = manifest.output, index_path(manifest.output.dir)
    if output.home is not None:
        clocks = StateClocks(clock.now, clock.wall)
        with bucket_states.opened(output, index, clocks, takes_over=takes_over) as travelling:
            yield travelling
        return
    bucket_states.check_on_disk(output)
    with run_lock(output.state, clock.wall()), Store.open(output.state, index) as store:
        yield store


def _indexed(manifest: Manifest, store: Store, clock: SystemClock) -> Path:
    """Write the index, unless the state is not in its place any more: a folder that was moved is not made again."""
    if store.is_in_place:
        return write_index(manifest, store, clock.wall())
    return store.index_in(manifest.output.dir)


def _no_progress(snapshot: RunSnapshot) -> None:
    """The progress callback that does nothing."""


def _has_work(planned: Plan, store: Store, selection: Selection) -> bool:
    active = (Action.SUBMIT, Action.ATTACH, Action.FETCH)
    return any(planned.totals[action] for action in active) or any(
        selection.has(attempt) for attempt in store.open_attempts()
    )


def _work(
    planned: Plan,
    opened: AbstractContextManager[Service],
    selection: Selection,
    store: Store,
    around: _Surroundings,
    attach: Sequence[str] = (),
) -> Report:
    """Execute the plan on a thread pool. A process that ends does not wait for threads that still hang in a call."""
    with opened as service:
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="reelrun")
        tools = Tools(
            Client(service), LinkedFiles.of(service), pool, around.clock, random.SystemRandom(), around.progress,
            around.mirror,
        )  # fmt: skip
        engine = Engine(planned, selection, store, tools, attach)
        around.on_start(engine.interrupt)
        try:
            return engine.run()
        finally:
            pool.shutdown(wait=around.waits_for_threads, cancel_futures=True)


def lock(planned: Plan, ask_price: AskPrice = nobody) -> Path:
    """Write the lockfile of a plan beside its manifest, and return its path. Raises DiskError.

    `ask_price` is asked for the prices that neither the manifest nor the plan has.
    """
    path, prices = lockfile.path_of(planned.manifest.path), Prices(planned.manifest, ask_price)
    for model in planned.manifest.models:
        prices.of_model(model)
    manifest = replace(planned.manifest, service_prices={**planned.manifest.service_prices, **prices.told})
    with replacing(path) as file:
        file.writelines(lockfile.lines(manifest, planned.each()))
    return path


def write_index(
    manifest: Manifest, store: Store, now: float, selection: Selection = EVERYTHING, *, for_excel: bool = False
) -> Path:
    """Write the index of a manifest from the state, for all or the selected jobs, and return its path.

    Raises DiskError.
    """
    header, target = _header(manifest, store, now), store.index_in(manifest.output.dir)
    return index.write(target, header, lambda: filter(selection.has, store.records()), for_excel=for_excel)


def write_page(file: TextIO, manifest: Manifest, store: Store, now: float, serving: Serving) -> None:
    """Write the page of all jobs as a review serves it. Raises DiskError."""
    with taken(manifest.output.dir, _header(manifest, store, now), store.records) as jobs:
        page.write(file, jobs, serving)


def _header(manifest: Manifest, store: Store, now: float) -> index.Header:
    folder = store.index_in(manifest.output.dir).parent
    verdicts = ClipVerdicts.of(manifest, store)
    return index.Header(
        name=manifest.name,
        file=manifest.path.name,
        sha256=_digest(manifest),
        service=store.note("service") or "",
        currency=store.currency() or manifest.budget.currency,
        generated_at=now,
        state=store.id,
        intents=store.intents(),
        pictures={image.id: image.known for image in manifest.images},
        report=ClipReports(manifest, store, verdicts),
        comparison=_comparison_section(manifest, store, verdicts),
        files={
            image.reference: os.path.relpath(image.location, folder)
            for image in manifest.images
            # The copy of a picture in a bucket stays on this machine, and only for a while.
            if image.origin is Origin.FILE and not is_bucket_address(image.written)
        },
    )


def _comparison_section(manifest: Manifest, store: Store, found: ClipVerdicts) -> str:
    """What the votes say of the arms, as HTML."""
    if not found.verdicts.votes:
        return ""
    # Imported here: statistics need numpy, which most runs do without.
    from runner.review.comparing.comparison_section import comparison_section

    return comparison_section(manifest, store, found.verdicts)


def verdicts(manifest: Manifest) -> Verdicts:
    """What reviewers said of the clips that are there now. Raises StateError, also if there is no state yet."""
    with _state_to_read(manifest) as store:
        return verdicts_on(manifest, store)


def _state_to_read(manifest: Manifest) -> Store:
    output = manifest.output
    store = Store.read(output.state, index_path(output.dir))
    if store is None:
        raise StateError(f"there is no state at {output.state} yet", "a run makes it")
    return store.seen_from(manifest.path)


def results(manifest: Manifest) -> Results:
    """The jobs of a manifest as they are now. Writes nothing. Raises StateError, also if there is no state yet."""
    with _state_to_read(manifest) as store:
        report = ClipReports(manifest, store, ClipVerdicts.of(manifest, store))
        pictures = {image.id: image.known for image in manifest.images}
        jobs = (
            job_document(each, {} if each.orphaned else pictures.get(each.image), report(each))
            for each in store.records()
        )
        return Results(manifest.name, manifest.output.dir, tuple(jobs))


def _digest(manifest: Manifest) -> str:
    """The sha256 of the manifest as it is now; of one that is no file, that of its text."""
    if manifest.is_file:
        with disk_errors(f"read {manifest.path}"):
            return hashlib.sha256(manifest.path.read_bytes()).hexdigest()
    return next(each.sha256 for each in manifest.inputs if each.kind is InputKind.MANIFEST)


def _dry_result(planned: Plan, store: Store) -> Result:
    """The result of a dry run. It is DONE whatever the state of the jobs, because none was tried."""
    output = planned.manifest.output.dir
    spent, _ = store.spent(planned.manifest.budget)
    return Result(store.totals(), 0, spent, Unfinished(), store.index_in(output), output, Exit.DONE)


def _result(planned: Plan, selection: Selection, store: Store, written: Path, report: Report | None) -> Result:
    manifest = planned.manifest
    left = unfinished(store, selection).without(planned.later)
    codes = [_EXITS[status] for status in left.totals]
    if report is not None and report.error is not None:
        codes.append(report.error.exit_code)
    if report is not None and report.interrupted:
        codes.append(Exit.INTERRUPTED)
    mirror = _mirror_standing(manifest, store, report)
    if mirror is not None and mirror.missing:
        codes.append(Exit.UNFINISHED)
    return Result(
        store.totals(),
        report.submitted if report else 0,
        store.spent(manifest.budget)[0],
        left,
        written,
        manifest.output.dir,
        worst(codes),
        report.error if report else None,
        bool(report and report.interrupted),
        report.aside if report else (),
        planned.later,
        removed=store.removed_totals(),
        mirror=mirror,
    )


def _mirror_standing(manifest: Manifest, store: Store, report: Report | None) -> MirrorStanding | None:
    address = manifest.output.mirror
    if address is None:
        return None
    missing = store.uncopied(address)
    return MirrorStanding(address, missing, *(report.mirror if report is not None and missing else ()))
