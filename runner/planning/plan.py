"""The plan: every job of a manifest, with what a run would do with it and why. Making a plan writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import overload

from runner.buckets.bucket import start_threads
from runner.buckets.bucket_address import is_bucket_address
from runner.diagnostics.diagnostic_limit import TooManyErrorsError
from runner.diagnostics.html_tables import html_table
from runner.diagnostics.suggestions import known_here
from runner.diagnostics.words import money
from runner.errors import Diagnostic, ManifestError, UsageError
from runner.manifest.settings import MOST_COST
from runner.media import every_text
from runner.model import Action, Input, Job, Json, Manifest, Orphan, Planned, Status
from runner.planning.addressing import NeededUploads, check_uploads
from runner.planning.comparison import compared, gone_clips
from runner.planning.distinct_jobs import DistinctJobs
from runner.planning.expansion.cells import Expansion
from runner.planning.expansion.retakes import Retakes
from runner.planning.lints.lints import Lints
from runner.planning.matches import Matches
from runner.planning.plan_diagnostics import Place, PlanDiagnostics
from runner.planning.prices import AskPrice, Prices, nobody
from runner.planning.selection import EVERYTHING, Selection
from runner.planning.tally import Group, Tally, with_final_names
from runner.planning.templates.template import Templates
from runner.planning.templates.watch import limited_memory
from runner.secret import NAME as KEY
from runner.secret import holds_key, key_of_environment
from runner.state.store import Store
from runner.verdicts.picks import RULES
from runner.verdicts.verdict_files import Uncounted, folder_of, reviewers_in, told
from runner.version import RELEASE

__all__ = ["Group", "Plan", "Register", "lowered", "make_plan"]

# How many jobs the state is asked about at once.
_BATCH = 1000

# Takes the jobs of a plan in order while they are made, and at the end those whose key, path or aliases changed.
Register = Callable[[Sequence[Job]], None]
# Gets the digest of a plan, or None if the plan has none. Returns what takes its jobs, or None if they are registered.
OpenRegister = Callable[[str | None], Register | None]


@dataclass(frozen=True, slots=True)
class Orphans(Iterable[Orphan]):
    """The number of orphaned jobs by status. Each iteration reads the jobs from the state: there may be a million.

    `ids` are the ids of the plan's jobs, as numbers.
    """

    totals: Mapping[Status, int] = field(default_factory=dict)
    state: Path = Path()
    ids: Collection[int] = field(default=(), repr=False)
    manifest: Path = Path()

    def __len__(self) -> int:
        return sum(self.totals.values())

    def __iter__(self) -> Iterator[Orphan]:
        """The orphaned jobs, those of the latest plans first. Raises StateError and DiskError."""
        store = Store.read(self.state) if self else None
        if store is not None:
            with closing(store.seen_from(self.manifest)):
                yield from store.orphans(self.ids)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another output folder, whose state holds `jobs` submitted jobs of a plan. A run would buy them once more."""

    folder: Path
    jobs: int


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """Every job of a manifest, in the order of the manifest.

    `duplicates` holds the keys of cells that render to the same request; `cells` counts all cells, these included.
    `spent` is what the attempts in the state have cost so far. `orphaned` are the submitted jobs of the state that the
    manifest no longer has. `groups` are the jobs by action and reason, in the order of actions. `submits` are the jobs
    to submit, in the order of the plan. `opened` are the jobs with an open attempt: to attach, to fetch, or to submit
    again although their outcome is unknown. `later` is how many jobs `Selection.first` leaves for a later run.
    `misplaced` are jobs whose clips are, or will be, at other paths than `output.file` says. `elsewhere` is another
    folder where some of the jobs were bought before. `uploads` are the references of the files that the submissions
    need as addresses, and that no earlier run has put there. `retakes` is how many of the jobs are takes beyond those
    of the manifest; `held` is how many more there would be, were the plan not locked, and `above` how many were there
    no `max_jobs`. `uncounted` are the lines of
    verdicts that do not count.
    """

    manifest: Manifest
    jobs: Sequence[Planned]
    cells: int
    duplicates: tuple[tuple[str, ...], ...]
    diagnostics: tuple[Diagnostic, ...]
    spent: Decimal = Decimal(0)
    orphaned: Orphans = field(default_factory=Orphans)
    groups: tuple[Group, ...] = ()
    submits: Iterable[Planned] = ()
    opened: tuple[Planned, ...] = ()
    later: int = 0
    misplaced: tuple[Planned, ...] = ()
    elsewhere: Elsewhere | None = None
    uploads: tuple[str, ...] = ()
    retakes: int = 0
    held: int = 0
    above: int = 0
    uncounted: tuple[Uncounted, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of retakes and verdicts, a line each."""
        most = self.manifest.budget.max_jobs
        held = f"{_retakes(self.held)} wanted, and not bought: --locked buys no new ones" if self.held else ""
        above = f"{_retakes(self.above)} wanted, and not planned: max_jobs is {most:,}" if self.above else ""
        return (*filter(None, (held, above)), *told(self.uncounted))

    @property
    def totals(self) -> dict[Action, int]:
        counted: Counter[Action] = Counter()
        for group in self.groups:
            counted[group.action] += group.jobs
        return {action: counted[action] for action in Action}

    def __repr__(self) -> str:
        counts = ", ".join(f"{number:,} to {action}" for action, number in self.totals.items() if number)
        return f"<Plan of {self.manifest.name}: {counts}{self._told(self.cost)}>"

    def _repr_html_(self) -> str:
        currency = self.manifest.budget.currency
        rows = [
            (each.action, each.jobs, each.reason, "" if each.price is None else money(each.price, currency))
            for each in self.groups
        ]
        caption = f"{self.manifest.name}: {self.cells:,} cells, {len(self.jobs):,} jobs{self._told(self.cost)}"
        return html_table(caption, ("action", "jobs", "reason", "cost"), rows)

    def _told(self, cost: Decimal | None) -> str:
        return f" for {money(cost, self.manifest.budget.currency)}" if cost else ""

    def each(self) -> Iterator[Job]:
        """The jobs alone, without asking the state about them."""
        return self.jobs.each() if isinstance(self.jobs, RemadeJobs) else (each.job for each in self.jobs)

    @property
    def cost(self) -> Decimal | None:
        """The cost of this plan's submissions; None if the price of one is not known."""
        if not self.manifest.has_price:
            return None
        prices = [group.price for group in self.groups if group.action is Action.SUBMIT]
        known = [price for price in prices if price is not None]
        return sum(known, Decimal(0)) if len(known) == len(prices) else None


def _retakes(number: int) -> str:
    return "1 retake is" if number == 1 else f"{number:,} retakes are"


def make_plan(
    manifest: Manifest,
    store: Store | None = None,
    selection: Selection = EVERYTHING,
    warnings: Sequence[Diagnostic] = (),
    open_register: OpenRegister | None = None,
    *,
    allows_slow: bool = False,
    limits_memory: bool = False,
    ask_price: AskPrice = nobody,
    is_locked: bool = False,
) -> Plan:
    """Expand, render, check and compare with the state. Raises ManifestError with every diagnostic, and
    UsageError if the state counts in another currency.

    `warnings` come from reading the manifest; the plan includes them. What `open_register` returns takes the jobs in
    batches as they are made. At the end it takes again those whose key, path or aliases only later cells decided. If
    this function raises, the caller must undo what that wrote. A sweep that would take longer than ten minutes to
    render is refused, unless `allows_slow`. `limits_memory` says that the process does nothing else: then its memory is
    limited during planning. `ask_price` is asked for the prices of models that the manifest has none for. With
    `is_locked` there are no retakes but those that were bought before.
    """
    _check_currency(manifest, store)
    history = store if store is not None and store.has_attempts() else None
    retakes = Retakes.of(manifest, history, is_locked=is_locked)
    manifest = replace(manifest, constants={**manifest.constants, **manifest.set})
    templates, diagnostics = Templates(manifest.folders), PlanDiagnostics(manifest, warnings)
    if limits_memory and _may_name_objects(manifest):
        start_threads()
    with limited_memory() if limits_memory else nullcontext(), templates.watch.kept():
        try:
            expansion = Expansion(manifest, templates, diagnostics, allows_slow=allows_slow, retakes=retakes)
            return _plan(expansion, templates, store, selection, diagnostics, open_register, ask_price)
        except TooManyErrorsError:
            raise ManifestError(diagnostics.ordered(None)) from None


def _may_name_objects(manifest: Manifest) -> bool:
    """Whether parameters may name objects of buckets: what is not looked for is planned all the same."""
    matrix = manifest.matrix
    prompts, models = (each.params for each in manifest.prompts), (each.params for each in manifest.settings.values())
    of_images = ({**image.vars, **(image.row or {})} for image in manifest.images)
    values: tuple[Json, ...] = (
        manifest.params,
        manifest.constants,
        matrix.axes,
        matrix.include,
        *prompts,
        *models,
        *of_images,
    )
    return any(is_bucket_address(text) for value in values for text in every_text(value))


def _plan(
    expansion: Expansion,
    templates: Templates,
    store: Store | None,
    selection: Selection,
    diagnostics: PlanDiagnostics,
    open_register: OpenRegister | None,
    ask_price: AskPrice,
) -> Plan:
    manifest, retakes = diagnostics.manifest, expansion.retakes
    lints = Lints(expansion.manifest, expansion, diagnostics)
    jobs = DistinctJobs(manifest, expansion, diagnostics, lints)
    tally, matches, uploads = Tally(selection.first), Matches(selection), NeededUploads(manifest, selection.first)
    register = _opened(open_register, manifest, expansion, templates) if open_register is not None else None
    history = store if store is not None and store.has_attempts() else None
    gone = gone_clips(history, manifest.output) if history else frozenset[int]()
    prices = Prices(manifest, ask_price)
    for place, batch in _batches(jobs.walk()):
        matches.see(batch)
        for planned in compared(manifest, batch, history, selection, prices, place, gone, retakes.reasons):
            tally.add(planned)
            uploads.see(planned)
            _check_price(manifest, planned, diagnostics)
        _check_key(batch, diagnostics)
        if register is not None:
            register(batch)
    walked = WalkedJobs(manifest, templates, tally.kept, retakes)
    jobs.finish(walked)
    amended = tuple(jobs.amended(walked))
    tally.finish(jobs.ids, jobs.finished)
    _check_jobs(jobs, diagnostics)
    lints.tell(replace(walked, kept=tally.kept))
    inputs = (*manifest.inputs, *templates.fragments.inputs())
    made = replace(manifest, inputs=inputs, files=expansion.files.all, service_prices=prices.told)
    check_uploads(made, uploads.references, diagnostics)
    found = _without_errors(diagnostics, expansion.seen)
    matches.see(history.open_attempts() if history else ())
    matches.check()
    if register is not None and amended:
        register(amended)
    every = tally.kept if tally.kept is not None else RemadeJobs(made, walked, jobs, selection, store is not None, gone)
    return Plan(
        made,
        every,
        expansion.seen,
        tuple((job.key, *job.aliases) for job in amended if job.aliases),
        found,
        store.spent(manifest.budget)[0] if store else Decimal(0),
        Orphans(history.orphan_totals(jobs.ids) if history else {}, manifest.output.state, jobs.ids, manifest.path),
        tally.groups(),
        tally.submits if tally.others is None else Submits(tally.submits, every, tally.others, selection.first),
        tuple(tally.opened),
        tally.later,
        tuple(tally.misplaced),
        uploads=uploads.missing(store),
        retakes=jobs.retakes,
        held=sum(retakes.held.values()),
        above=jobs.above,
        uncounted=retakes.verdicts.uncounted,
    )


def _opened(
    open_register: OpenRegister, manifest: Manifest, expansion: Expansion, templates: Templates
) -> Register | None:
    if expansion.is_dynamic:
        return open_register(None)
    return open_register(digest_of(manifest, templates.fragments.inputs(), expansion.retakes.basis))


def _without_errors(diagnostics: PlanDiagnostics, cells: int) -> tuple[Diagnostic, ...]:
    """The warnings. Raises ManifestError if there is an error among the diagnostics."""
    found = diagnostics.ordered(cells)
    if diagnostics.has_errors:
        raise ManifestError(found)
    return found


@dataclass(frozen=True, slots=True)
class WalkedJobs(Iterable[Job]):
    """The jobs of a plan as its walk gave them: the `kept` ones, or made again if there were too many to keep."""

    manifest: Manifest
    templates: Templates
    kept: Sequence[Planned] | None
    retakes: Retakes

    def __iter__(self) -> Iterator[Job]:
        if self.kept is not None:
            return (each.job for each in self.kept)
        # The first walk has reported the diagnostics. Those of this walk are dropped.
        diagnostics = PlanDiagnostics(self.manifest)
        expansion = Expansion(self.manifest, self.templates, diagnostics, retakes=self.retakes)
        return DistinctJobs(self.manifest, expansion, diagnostics).walk()


class RemadeJobs(Sequence[Planned]):
    """The jobs of a plan that is too large for memory: each iteration makes them again and asks the state."""

    def __init__(
        self,
        manifest: Manifest,
        walked: WalkedJobs,
        jobs: DistinctJobs,
        selection: Selection,
        has_state: bool,
        gone: Collection[int],
    ) -> None:
        self._manifest = manifest
        self._walked = walked
        self._jobs = jobs
        self._selection = selection
        self._has_state = has_state
        self._gone = gone

    def __len__(self) -> int:
        return len(self._jobs)

    def each(self) -> Iterator[Job]:
        """The jobs alone."""
        return map(self._jobs.finished, self._walked)

    def __iter__(self) -> Iterator[Planned]:
        store = Store.read(self._manifest.output.state) if self._has_state else None
        prices = Prices(self._manifest)
        if store is not None:
            store.seen_from(self._manifest.path)
        try:
            for place, batch in _batches(self._walked):
                for planned in compared(
                    self._manifest,
                    batch,
                    store,
                    self._selection,
                    prices,
                    place,
                    self._gone,
                    self._walked.retakes.reasons,
                ):
                    yield with_final_names(planned, self._jobs.ids, self._jobs.finished)
        finally:
            if store is not None:
                store.close()

    @overload
    def __getitem__(self, index: int) -> Planned: ...
    @overload
    def __getitem__(self, index: slice) -> list[Planned]: ...
    def __getitem__(self, index: int | slice) -> Planned | list[Planned]:
        if isinstance(index, int):
            return next(islice(self, index, None))
        return list(islice(self, index.start, index.stop, index.step))


@dataclass(frozen=True, slots=True)
class Submits(Iterable[Planned]):
    """Many jobs to submit, at most `most`. The first ones are in memory; further ones are in the plan from the place
    `others` on.
    """

    first: Sequence[Planned]
    jobs: Sequence[Planned]
    others: int
    most: int | None = None

    def __iter__(self) -> Iterator[Planned]:
        others = (each for each in islice(self.jobs, self.others, None) if each.action is Action.SUBMIT)
        return islice(chain(self.first, others), self.most)


def _batches(jobs: Iterable[Job]) -> Iterator[tuple[int, list[Job]]]:
    """The jobs in batches, each with the place of its first job."""
    walk, place = iter(jobs), 0
    while batch := list(islice(walk, _BATCH)):
        yield place, batch
        place += len(batch)


def digest_of(manifest: Manifest, fragments: Iterable[Input], retakes: Json = None) -> str:
    """A digest of everything that determines the jobs of a manifest and their keys."""
    images = [(image.id, image.reference, image.vars, image.row) for image in manifest.images]
    prompts = [(each.id, each.text, each.params, each.images and sorted(each.images)) for each in manifest.prompts]
    schemas = [(model, manifest.schemas[model].document) for model in manifest.models]
    made_from = (
        (RELEASE, manifest.name, manifest.axis_of_models, manifest.takes, manifest.output.file),
        (images, prompts, manifest.constants, asdict(manifest.matrix), manifest.params, schemas),
        (manifest.video, [(model, each.params, each.takes_images) for model, each in manifest.settings.items()]),
        [(each.path, each.sha256) for each in fragments],
        retakes,
    )
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()


def _check_jobs(jobs: DistinctJobs, diagnostics: PlanDiagnostics) -> None:
    jobs.tell_retakes()
    _check_picks(diagnostics.manifest, diagnostics)
    if not jobs and not diagnostics.has_errors:
        hint = "loosen exclude"
        diagnostics.add("E504", Place(("matrix",), key=True), "nothing is left to make: every cell is excluded", hint)


def _check_picks(manifest: Manifest, diagnostics: PlanDiagnostics) -> None:
    """A reviewer by whose picks clips are published has said something, where others have."""
    rule = manifest.review.picks
    known = reviewers_in(folder_of(manifest.path, is_sandbox=manifest.is_sandbox)) if rule not in RULES else ()
    if known and rule not in known:
        hint = known_here(rule, known)
        diagnostics.add(
            "W542", Place(("review", "picks")), f"there are no verdicts of {rule!r}: nothing is picked", hint
        )


def _check_price(manifest: Manifest, planned: Planned, diagnostics: PlanDiagnostics) -> None:
    """A price can be counted, and a limit on the cost has one for every job to submit: else a run sends nothing."""
    job, price, budget = planned.job, planned.price, manifest.budget
    if planned.action is not Action.SUBMIT:
        return
    if price is None and budget.max_cost is not None:
        message, hint = "max_cost needs a price", "add price_per_job or price_per_second under budget"
        if budget.has_price:
            message += f", and {job.model} has no length that price_per_second could multiply"
            hint = "add price_per_job under budget"
        elif manifest.has_price:
            message, hint = f"{message}, and {job.model} has none", f"add one under models: {{{job.model}: ...}}"
        place = Place(("budget", "max_cost"), key=True)
        diagnostics.add("W701", place, message, hint, cell=job.key if manifest.has_price else "")
    elif price is not None and price > MOST_COST:
        message = f"a job of {job.seconds:,g} s would cost more than {MOST_COST:,} {budget.currency}"
        diagnostics.add("E205", Place(("budget", "price_per_second")), message, "lower one of them", cell=job.key)


def _check_currency(manifest: Manifest, store: Store | None) -> None:
    """Amounts of two currencies have no sum. Raises UsageError."""
    known, currency = store.currency() if store else None, manifest.budget.currency
    if known is not None and known != currency:
        raise UsageError(
            f"budget.currency is {currency}, and {manifest.output.state} counts what was bought in {known}",
            f"write currency: {known} again, or give the manifest another output.dir",
        )


def _check_key(jobs: Sequence[Job], diagnostics: PlanDiagnostics) -> None:
    """No request, and no name of a job, may hold the key: also where only a template puts it together."""
    if not key_of_environment() or not any(map(_holds_key, jobs)):
        return
    routes = {prompt.id: prompt.route for prompt in diagnostics.manifest.prompts}
    for job in filter(_holds_key, jobs):
        message = f"a request of this prompt would hold the key of the service ({KEY})"
        hint = "take it out of names, values and templates; it belongs in the environment"
        diagnostics.add("E108", Place(routes[job.prompt_id]), message, hint)


def _holds_key(job: Job) -> bool:
    texts = (each for each in job.payload.values() if each is not None)
    return holds_key("\0".join((job.key, job.output, *map(str, texts))))


def lowered(manifest: Manifest, max_jobs: int | None, max_cost: Decimal | None) -> Manifest:
    """The manifest with its limits lowered by flags. Flags never raise a limit."""
    budget = manifest.budget
    jobs = budget.max_jobs if max_jobs is None else min(budget.max_jobs, max_jobs)
    costs = [cost for cost in (budget.max_cost, max_cost) if cost is not None]
    return replace(manifest, budget=replace(budget, max_jobs=jobs, max_cost=min(costs, default=None)))
