"""The structure of a manifest: what YAML, the schema and the few rules beyond it find."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from yaml.nodes import SequenceNode

from runner.errors import Severity
from runner.manifest import settings
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.document import Document
from runner.manifest.draft import Draft
from runner.manifest.findings import Problem
from runner.manifest.mending import Loss, Mending, read_as_meant
from runner.manifest.names import misnamed
from runner.manifest.values import items, mapping
from runner.manifest.wording import MANIFEST, problems
from runner.manifest.words import closest, literal, name
from runner.model import Json, Route
from runner.shipped import shipped


@dataclass(frozen=True, slots=True)
class Structure:
    """The content of a manifest, without errors: what had one is mended or left out. `loss` tells what that costs."""

    content: Mapping[str, Json]
    loss: Loss


def checked(document: Document, content: Mapping[str, Json], found: Diagnostics) -> Structure:
    """Report what is wrong, and mend it. From then on the routes of the mended content are places in the source."""
    faulty = {id(fault.node) for fault in document.faults}
    for fault in document.faults:
        found.add(fault.code, Severity.ERROR, document.source.place(fault.node), fault.message, fault.hint)
    draft = Draft(content)
    wrong = _problems(draft, found)
    # What the schema says of a faulty value means nothing: the text in its stead was not written as one.
    for each in wrong:
        if each.key or id(found.source.node(each.route)) not in faulty:
            found.problem(each)
    _warn_of_doubts(document, found)
    _warn_of_axes(draft.content, found)
    loss = _mended(draft, wrong, document, found) if wrong or document.faults else Loss()
    found.source = replace(found.source, moved=draft.moved)
    return Structure(draft.content, loss)


def _problems(draft: Draft, found: Diagnostics) -> list[Problem]:
    """The problems of a draft, in which unknown keys are read as what was meant. Those of these keys are told."""
    while True:
        wrong = problems(schema(), draft.content, MANIFEST, found.source.written)
        read = read_as_meant(draft, wrong)
        if not read:
            break
        for each in read:
            found.problem(each)
        found.source = replace(found.source, moved=dict(draft.moved))
    told = {(each.route, each.key) for each in wrong}
    more = [*misnamed(draft.content), *_durations(draft.content)]
    return [*wrong, *(each for each in more if (each.route, each.key) not in told)]


def _mended(draft: Draft, wrong: Sequence[Problem], document: Document, found: Diagnostics) -> Loss:
    faulty, source = {id(fault.node) for fault in document.faults}, found.source

    def has_fault(route: Route) -> bool:
        return bool(faulty) and any(id(node) in faulty for node in source.below(route))

    mending = Mending(draft, has_fault, source.written)
    for fault in document.faults:
        mending.loss.add(fault.lost)
    mending.mend(wrong)
    return mending.loss


@cache
def schema() -> Mapping[str, Json]:
    """The schema of a manifest."""
    return cast(Mapping[str, Json], json.loads((shipped("schemas") / "manifest.schema.json").read_text("utf-8")))


def _durations(content: Mapping[str, Json]) -> Iterator[Problem]:
    """The rules for durations as text that a pattern cannot say, or says more loosely in Python."""
    section = mapping(content.get("run"))
    for key in ("wait", "settle"):
        value = section.get(key)
        if not isinstance(value, str):
            continue
        try:
            is_long = settings.seconds(value) > settings.LONGEST_DURATION
        except ValueError:
            yield Problem(("run", key), "E207", f"{key} {literal(value)} has the wrong form", "write 90s, 30m or 1h30m")
        else:
            if is_long:
                yield Problem(
                    ("run", key),
                    "E205",
                    f"{key} is {literal(value)}; it must be at most 8760h",
                    "a run waits at most a year",
                )


def _warn_of_doubts(document: Document, found: Diagnostics) -> None:
    """Warn of values that read otherwise than they look, where no rule tells which of the two was meant."""
    if not document.doubtful:
        return
    images = found.source.node(("images",))
    count = len(images.value) if isinstance(images, SequenceNode) else 0
    routes: list[Route] = [("vars",), ("matrix",), *(("images", index, "vars") for index in range(count))]
    nodes = {id(node): node for route in routes for node in found.source.below(route)}
    for key, node in nodes.items():
        doubt = document.doubtful.get(key)
        if doubt is not None:
            found.add("W901", Severity.WARNING, document.source.place(node), doubt.message, doubt.hint)


def _warn_of_axes(content: Mapping[str, Json], found: Diagnostics) -> None:
    """Warn of `exlude: [{...}]`: an axis, and nearly a keyword, with values that fit the keyword."""
    for axis, values in mapping(content.get("matrix")).items():
        meant = closest(axis, settings.KEYWORDS, cutoff=0.8) if axis not in settings.KEYWORDS else None
        if meant and items(values) and all(isinstance(each, (Mapping, list)) for each in items(values)):
            message = f"{name(axis)} is one more axis of the matrix"
            found.warning("W903", ("matrix", axis), message, f"did you mean {name(meant)}?", key=True)
