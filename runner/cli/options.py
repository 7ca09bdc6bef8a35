"""What several commands make of their arguments: the manifest, its output folder, the selection."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from runner.api.service import Service
from runner.cli import screen
from runner.cli.set_flag import with_flags
from runner.diagnostics.words import command
from runner.errors import Diagnostic, UsageError
from runner.manifest.output_folders import moved
from runner.manifest.reader import read
from runner.manifest.settings import DECIMALS, MOST_COST, is_countable
from runner.model import Manifest, Status
from runner.planning.plan import lowered
from runner.planning.selection import DEFECT, PICK, STATUS, Selection, conditions, stands_for
from runner.results.atomic_files import index_path
from runner.results.unfinished import Unfinished
from runner.state.store import Store
from runner.state.travelling.bucket_states import housed
from runner.verdicts.picks import Picker

_SHARED_FLAGS = ("allow_outside", "set", "output", "state", "only", "skip", "where")
_OWN_FLAGS = {"run": ("base_url", "patience", "max_jobs", "max_cost"), "verify": ("base_url",)}


def manifest_of(options: argparse.Namespace) -> tuple[Manifest, tuple[Diagnostic, ...]]:
    """The manifest, changed by the flags, and its warnings. Raises ManifestError and UsageError."""
    reading = read(Path(options.manifest), allow_outside=options.allow_outside)
    manifest = lowered(reading.valid(), getattr(options, "max_jobs", None), _cost(getattr(options, "max_cost", None)))
    output = housed(moved(manifest.output, options.output, options.sandbox), options.state, time.time())
    manifest = replace(manifest, output=output, is_sandbox=options.sandbox)
    concurrency = getattr(options, "concurrency", None)
    if concurrency is not None:
        manifest = replace(manifest, run=replace(manifest.run, concurrency=concurrency))
    tell_files(manifest)
    manifest, doubts = with_flags(options, manifest)
    return manifest, (*reading.diagnostics, *doubts)


def tell_files(manifest: Manifest) -> None:
    """With --verbose: what was read, and where results go."""
    there = "" if manifest.output.state.exists() else " (not there yet)"
    screen.detail(
        f"manifest {manifest.path}",
        *(f"{each.kind} {manifest.path.parent / each.path}" for each in manifest.inputs if each.kind != "manifest"),
        *(
            f"schema {schema.document.get('$id', f'of the manifest for {name}')}"
            for name, schema in manifest.schemas.items()
        ),
        f"media inspected: {screen.count(len(manifest.images) + len(manifest.files), 'file')}",
        f"state {manifest.output.state}{there}",
    )


def service_of(options: argparse.Namespace) -> Service:
    """The service given by flags and environment. Raises UsageError and AccessError."""
    given = vars(options)
    service = Service.from_environment(os.environ, given.get("base_url"), given.get("patience"))
    key = "with a key" if service.key else "without a key"
    screen.detail(f"service {service.base_url} {key}")
    return service


def _cost(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        cost = Decimal(text)
    except InvalidOperation:
        cost = Decimal(-1)
    if not cost.is_finite() or not 0 <= cost <= MOST_COST or not is_countable(cost):
        hint = f"write a number, such as 12.50, up to {MOST_COST:,} and with at most {DECIMALS} decimals"
        raise UsageError(f"--max-cost {text} is no amount of money", hint)
    return cost


def state_of(manifest: Manifest) -> Store | None:
    """The state of a manifest for reading; None if there is none yet. Raises StateError and DiskError."""
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    return None if store is None else store.seen_from(manifest.path)


def selection_of(options: argparse.Namespace, manifest: Manifest) -> Selection:
    """The jobs that the flags select. Raises UsageError if --where names a variable that the manifest does not have."""
    where = conditions(options.where, manifest)
    special = (STATUS, DEFECT, PICK)
    statuses, defects, picks = (where.pop(each, ()) if stands_for(each, each, manifest) else () for each in special)
    return Selection(
        only=tuple(options.only),
        skip=tuple(options.skip),
        where=where,
        statuses=tuple(map(Status, statuses)),
        defects=frozenset(defects),
        thresholds=manifest.thresholds,
        picks=frozenset(picks),
        picker=Picker(manifest),
        first=getattr(options, "first", None),
        pictures={image.id: image.known for image in manifest.images},
        retry_failed=getattr(options, "retry_failed", False),
        retry_rejected=getattr(options, "retry_rejected", False),
        resubmit_unknown=getattr(options, "resubmit_unknown", False),
    )


def retry_flags(left: Unfinished) -> list[str]:
    """The flags that submit these jobs again."""
    failed = left.totals.get(Status.FAILED, 0) - left.refused + left.totals.get(Status.CANCELLED, 0)
    rejected = left.totals.get(Status.REJECTED, 0) + left.refused
    return ["--retry-failed"] * bool(failed) + ["--retry-rejected"] * bool(rejected)


def command_line(options: argparse.Namespace, name: str, *flags: str) -> str:
    """The next command, for people to copy: with those arguments of this one that fit it, and with `flags`."""
    given = vars(options)
    words = [name, options.manifest]
    if given.get("sandbox"):
        words.append("--sandbox")
    for each in (*_SHARED_FLAGS, *_OWN_FLAGS.get(name, ())):
        value = given.get(each)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                words += _flag(f"--{each.replace('_', '-')}", str(one))
    return command(*words, *flags)


def _flag(name: str, value: str) -> list[str]:
    """A flag with its value. A value that looks like a flag stands in one word with its name."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
