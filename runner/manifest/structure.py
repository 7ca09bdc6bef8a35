"""Checks the structure of a manifest: its JSON Schema, and the few rules that the schema cannot express."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import cast

from yaml.nodes import SequenceNode

from runner.buckets.bucket import can_be_opened
from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.diagnostics.diagnostic_limit import MOST
from runner.diagnostics.suggestions import closest, did_you_mean, known_here, misread
from runner.diagnostics.words import described, literal, name
from runner.errors import Severity, UsageError
from runner.manifest import settings
from runner.manifest.json_values import items, mapping
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.manifest.schema.walk import without_extensions
from runner.manifest.schema.wording import MANIFEST, Written, diagnose
from runner.manifest.variable_names import misnamed
from runner.manifest.yaml.defaults import KEY as DEFAULTS
from runner.manifest.yaml.document import Document
from runner.manifest.yaml.doubts import doubts_of
from runner.manifest.yaml.source import Source
from runner.model import Json, Route
from runner.shipped import install_line, shipped
from runner.video.defects import threshold_of
from runner.video.measures import MEASURES


def checked(document: Document, found: ReadingDiagnostics) -> Mapping[str, Json]:
    """Report what is wrong with the structure. Returns the content with None in place of every invalid value."""
    content = document.value
    if not isinstance(content, Mapping):
        hint = "it begins with version: 1; reelrun init writes one to start from"
        what = "a text" if isinstance(content, str) else described(content)
        found.error("E204", (), f"the manifest is {what}; it must be a mapping", hint)
        return {}
    # With its defaults merged, nothing may be missing any more.
    judged = {key: each for key, each in content.items() if document.defaults is None or key != DEFAULTS}
    wrong = diagnose(schema(), judged, MANIFEST, found.source.written)
    content = mapping(without_extensions(content, schema()))
    reported = {(each.route, each.key) for each in wrong}
    more = [
        *_durations(content),
        *_uploads(content),
        *_amounts(content, found.source.written),
        *_unknown_measures(content),
        *_unexpanded(content, found),
        *_mirror(content),
        *islice(misnamed(content), MOST + 1),
    ]
    wrong += [each for each in more if (each.route, each.key) not in reported]
    for each in wrong:
        found.take(each)
    _warn_of_doubts(document, found)
    _warn_of_axes(content, found)
    return mapping(_without(content, (), {each.route: each.meant for each in wrong})) if wrong else content


@cache
def schema() -> Mapping[str, Json]:
    """The schema of a manifest."""
    return cast(Mapping[str, Json], json.loads((shipped("schemas") / "manifest.schema.json").read_text("utf-8")))


def _without(value: Json, route: Route, wrong: Mapping[Route, str]) -> Json:
    """The value with None at the routes in `wrong`. A misspelled key is replaced by the key that was probably meant."""
    if route in wrong:
        return None
    if isinstance(value, Mapping):
        return {wrong.get((*route, key)) or key: _without(each, (*route, key), wrong) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without(each, (*route, index), wrong) for index, each in enumerate(value)]
    return value


def _durations(content: Mapping[str, Json]) -> Iterator[SchemaDiagnostic]:
    """The rules for durations written as text that a pattern cannot express, or expresses too loosely in Python."""
    section = mapping(content.get("run"))
    for key in ("wait", "settle"):
        value = section.get(key)
        if not isinstance(value, str):
            continue
        try:
            is_long = settings.seconds(value) > settings.LONGEST_DURATION
        except ValueError:
            yield SchemaDiagnostic(
                ("run", key), "E207", f"{key} {literal(value)} has the wrong form", "write 90s, 30m or 1h30m"
            )
        else:
            if is_long:
                message = f"{key} is {literal(value)}; it must be at most 8760h"
                yield SchemaDiagnostic(("run", key), "E205", message, "a run waits at most a year")


def _uploads(content: Mapping[str, Json]) -> Iterator[SchemaDiagnostic]:
    """A bucket for uploads that cannot be one, or whose signed addresses would end before the run."""
    to = mapping(content.get("uploads")).get("to")
    if not isinstance(to, str) or not is_bucket_address(to):
        return
    try:
        BucketAddress.of(to)
    except UsageError as error:
        yield SchemaDiagnostic(("uploads", "to"), "E412", error.message, error.hint)
    if not can_be_opened():
        message = "uploads go to a bucket with obstore, which is missing"
        yield SchemaDiagnostic(("uploads", "to"), "E421", message, install_line("cloud"))
    try:
        wait = settings.run(mapping(content.get("run"))).wait
    except ValueError:
        return
    if wait > settings.LONGEST_SIGNED:
        message = f"run.wait is {wait / 3600:,.4g} hours; with uploads to a bucket it may be 167"
        hint = "signed addresses live for 7 days at most, and have to outlive the run by an hour: shorten run.wait"
        yield SchemaDiagnostic(("run", "wait"), "E205", message, hint)


def _amounts(content: Mapping[str, Json], written: Written) -> Iterator[SchemaDiagnostic]:
    """Amounts of money that are finer than what is counted."""
    sections: dict[Route, Json] = {("budget",): content.get("budget")}
    sections.update({("models", model): each for model, each in mapping(content.get("models")).items()})
    amounts = ((section, key) for section in sections for key in settings.AMOUNTS)
    for section, key in amounts:
        value, route = mapping(sections[section]).get(key), (*section, key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if not settings.is_countable(settings.money(value, written(route))):
            message = f"{key} is {written(route) or literal(value)}; it may have at most {settings.DECIMALS} decimals"
            yield SchemaDiagnostic(route, "E205", message, "money is counted in billionths of its currency")


def _unknown_measures(content: Mapping[str, Json]) -> Iterator[SchemaDiagnostic]:
    """Thresholds of measures that there are not."""
    for place, text in enumerate(items(mapping(content.get("measures")).get("defects"))):
        threshold = threshold_of(text) if isinstance(text, str) else None
        if threshold is not None and threshold.measure not in MEASURES:
            hint = known_here(threshold.measure, MEASURES)
            message = f"there is no measure {literal(threshold.measure)}"
            yield SchemaDiagnostic(("measures", "defects", place), "E530", message, hint)


def _unexpanded(content: Mapping[str, Json], found: ReadingDiagnostics) -> Iterator[SchemaDiagnostic]:
    """Output paths with signs that mean something elsewhere alone: folders of these names would be made."""
    section = mapping(content.get("output"))
    for key in ("dir", "state"):
        written = section.get(key)
        hint = misread(written) if isinstance(written, str) else ""
        if hint and "://" in str(written):
            hint = "results go to a folder of this machine"
        if hint and not any(os.path.lexists(folder / str(written)) for folder in found.folders[:1]):
            message = f"the path {literal(written)} is not one of this system"
            yield SchemaDiagnostic(("output", key), "E414", message, hint)


def _mirror(content: Mapping[str, Json]) -> Iterator[SchemaDiagnostic]:
    """An address in a bucket that is none."""
    written = mapping(content.get("output")).get("mirror")
    if isinstance(written, str):
        try:
            BucketAddress.of(written)
        except UsageError as error:
            yield SchemaDiagnostic(("output", "mirror"), "E207", f"mirror: {error.message}", error.hint)


def _warn_of_doubts(document: Document, found: ReadingDiagnostics) -> None:
    """Warn of values that YAML reads differently from how they look, if the schema does not decide what was meant.

    It cannot tell a number from another, or a text from its beginning.
    """
    source = document.source
    undecided = {id(node) for route in _undecided(source) for node in source.below(route)}
    for node, code, doubt in doubts_of(document):
        if id(node) in undecided or code != "W901" or doubt.is_number:
            found.add(code, Severity.WARNING, source.place(node), doubt.message, doubt.hint)
    if document.defaults is not None:
        _warn_of_doubts(document.defaults, found)


def _undecided(source: Source) -> Iterator[Route]:
    """The routes of values that may have any type."""
    images = source.node(("images",))
    count = len(images.value) if isinstance(images, SequenceNode) else 0
    yield from (("vars",), ("matrix",), *(("images", index, "vars") for index in range(count)))


def _warn_of_axes(content: Mapping[str, Json], found: ReadingDiagnostics) -> None:
    """Warn of an axis that is probably a misspelled keyword: `exlude: [{...}]`, with values that fit `exclude`."""
    for axis, values in mapping(content.get("matrix")).items():
        meant = closest(axis, settings.KEYWORDS, cutoff=0.8) if axis not in settings.KEYWORDS else None
        if meant and items(values) and all(isinstance(each, (Mapping, list)) for each in items(values)):
            message = f"{name(axis)} is one more axis of the matrix"
            found.warning("W903", ("matrix", axis), message, did_you_mean(name(meant)), key=True)
