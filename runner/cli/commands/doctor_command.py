"""`doctor`: what keeps a run from working here, and what to do about it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from runner.api.client import Client, Reply
from runner.api.models.model_records import ModelRecord, asked_record
from runner.api.models.schema_drift import SchemaDifference, differences
from runner.cli import screen
from runner.cli.commands.query_commands import asked
from runner.cli.options import service_of, tell_files
from runner.cli.plan_summary import price_words
from runner.diagnostics.words import command
from runner.errors import Exit, ManifestError, ReelrunError, worst
from runner.manifest.reader import load
from runner.model import Manifest, Output
from runner.planning import lockfile
from runner.shipped import extras, install_line, packages_of
from runner.state.disk import filesystem_of, refuse_network_disk
from runner.state.travelling.bucket_states import housed, standing
from runner.version import RELEASE

_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """The result of one check. `hint` says what to do if it is not well."""

    name: str
    is_well: bool
    found: str
    hint: str = ""
    code: Exit = Exit.UNAVAILABLE


def doctor(options: argparse.Namespace) -> int:
    """Check everything that a run needs."""
    manifest, told = _manifest(options)
    here = [_writing(Path.cwd())] if options.manifest is None else []
    checks = [_versions(), _extras(), _sandbox(), *here, *told, *_service(options, manifest)]
    if options.json:
        screen.document(
            {"checks": [{"name": c.name, "ok": c.is_well, "found": c.found, "hint": c.hint} for c in checks]}
        )
    else:
        for check in checks:
            if check.is_well and screen.is_quiet():
                continue
            screen.show(f"  {'ok  ' if check.is_well else 'BAD '} {check.name:<10} {check.found}")
            if not check.is_well:
                screen.show(f"       {'':<10} help: {check.hint}")
    return worst(check.code for check in checks if not check.is_well)


def _versions() -> DoctorCheck:
    known = _versions_of()
    missing = [name for name, found in known.items() if found is None]
    text = f"reelrun {RELEASE}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if missing:
        hint = f"pip install {' '.join(missing)}"
        return DoctorCheck("versions", False, f"{text}; missing: {', '.join(missing)}", hint)
    return DoctorCheck("versions", True, f"{text}, " + ", ".join(f"{name} {found}" for name, found in known.items()))


def _extras() -> DoctorCheck:
    """What can be had besides. Nobody needs all of it, so nothing of it is amiss."""
    missing = [each for each in extras() if None in _versions_of(each).values()]
    there = ", ".join(each for each in extras() if each not in missing)
    lines = "; ".join(f"{each}: {install_line(each)}" for each in missing)
    told = ". ".join(filter(None, (there and f"there: {there}", lines and f"may be added: {lines}")))
    return DoctorCheck("extras", True, told or "nothing is known of them in a mere checkout")


def _versions_of(extra: str = "") -> dict[str, str | None]:
    """The packages of an extra, by default those that everything needs, with their versions; None for one not here."""
    named = (_NAME.match(each) for each in packages_of(extra))
    return {name.group(): _version(name.group()) for name in named if name is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _sandbox() -> DoctorCheck:
    missing = [name for name in ("starlette", "uvicorn") if _version(name) is None]
    found = f"missing: {', '.join(missing)}" if missing else "can be started: reelrun run MANIFEST --sandbox"
    return DoctorCheck("sandbox", not missing, found, install_line("web"), Exit.INVALID)


def _manifest(options: argparse.Namespace) -> tuple[Manifest | None, list[DoctorCheck]]:
    """The manifest, and what is to be told of it."""
    if options.manifest is None:
        return None, []
    try:
        manifest = load(Path(options.manifest))
    except ManifestError as error:
        first = error.diagnostics[0]
        hint = f"{command('validate', options.manifest)} tells all"
        return None, [DoctorCheck("manifest", False, f"{options.manifest}: {first.message}", hint, Exit.INVALID)]
    tell_files(manifest)
    in_bucket = [] if options.state is None else [_state(manifest.output, options.state)]
    return manifest, [*_output(manifest.output), *in_bucket]


def _state(output: Output, address: str) -> DoctorCheck:
    """Whether the state in a bucket can be read, and who has its lease."""
    try:
        return DoctorCheck("state", True, f"{address}: {standing(housed(output, address, time.time()))}")
    except ReelrunError as error:
        return DoctorCheck("state", False, error.message, error.hint, error.exit_code)


def _output(output: Output) -> list[DoctorCheck]:
    """Where the results of the manifest go: the folder, or the one that it will be made in; and the state in it."""
    folder = next(each for each in (output.dir, *output.dir.parents) if each.exists())
    if output.state.exists() and not os.access(output.state, os.W_OK):
        hint = "its owner can run the campaign; everybody else can look: reelrun status"
        return [DoctorCheck("output", False, f"{output.state} cannot be written by you", hint)]
    return [replace(_writing(folder), name="output")]


def _writing(folder: Path) -> DoctorCheck:
    try:
        with tempfile.TemporaryFile(dir=folder):
            refuse_network_disk(folder / "state.sqlite")
    except OSError as error:
        return DoctorCheck(
            "disk",
            False,
            f"{folder} cannot be written: {error.strerror}",
            "use a folder of your own, or ask its owner for the right to write",
        )
    except ReelrunError as error:
        return DoctorCheck("disk", False, error.message, error.hint)
    return DoctorCheck("disk", True, f"{folder} can be written ({filesystem_of(folder) or 'unknown file system'})")


def _service(options: argparse.Namespace, manifest: Manifest | None) -> list[DoctorCheck]:
    try:
        service = service_of(options)
    except ReelrunError as error:
        return [DoctorCheck("key", False, error.message, error.hint, error.exit_code)]
    key = _checked("key", service.require_key, "is set" if service.key else "is not needed on this machine")
    if not key.is_well:
        return [key]
    client = Client(service.for_one_call())
    answers = _checked("service", lambda: asked(client, "/models"), f"{service.origin} answers, and takes the key")
    if manifest is None or not answers.is_well:
        return [key, answers]
    return [key, answers, *(_model(manifest, model, client) for model in manifest.models)]


def _model(manifest: Manifest, model: str, client: Client) -> DoctorCheck:
    """How the model at the service differs from its schema here, and its price from the one that is counted."""
    found = asked_record(client, model)
    if not isinstance(found, ModelRecord):
        is_gone = isinstance(found, Reply) and found.status in (403, 404)
        said = "the service does not have it, or not for this key" if is_gone else found.message
        return DoctorCheck("model", False, f"{model}: {said}", "reelrun models lists what there is", Exit.INVALID)
    told = [*differences(manifest.schemas[model], found), *_price(manifest, model, found)]
    text = "; ".join(each.text for each in told) or "as its schema says"
    hint = f"reelrun models {model} --schema drafts a schema of today; nothing that was bought is bought again"
    return DoctorCheck("model", not any(each.is_risk for each in told), f"{model}: {text}", hint, Exit.INVALID)


def _price(manifest: Manifest, model: str, record: ModelRecord) -> Iterator[SchemaDifference]:
    """The price of the service, held to that of the manifest, and to that of the lockfile if there is one."""
    if record.price is None:
        return
    told = price_words(record.price, "USD")
    frozen = lockfile.frozen_price(manifest, model)
    for name, price in (("manifest", manifest.price_of(model)[0]), ("lockfile", frozen)):
        if price is not None and manifest.budget.currency == "USD" and not price.is_like(record.price):
            is_risk = price.is_per_second != record.price.is_per_second or record.price.amount > price.amount
            here = price_words(price, "USD")
            yield SchemaDifference(f"the price is {told}; the {name} has {here}", is_risk=is_risk)
    if manifest.price_of(model)[0] is None and frozen is None:
        yield SchemaDifference(f"the price is {told}", is_risk=False)


def _checked(name: str, look: Callable[[], object], found: str) -> DoctorCheck:
    try:
        look()
    except ReelrunError as error:
        return DoctorCheck(name, False, error.message, error.hint, error.exit_code)
    return DoctorCheck(name, True, found)
