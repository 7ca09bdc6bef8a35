"""The structure of a manifest: what YAML, the schema and the few rules beyond it find."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

from yaml.nodes import SequenceNode

from runner.errors import Severity
from runner.manifest import settings
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.document import Document
from runner.manifest.findings import Problem
from runner.manifest.names import misnamed
from runner.manifest.values import items, mapping
from runner.manifest.wording import MANIFEST, problems
from runner.manifest.words import closest, literal, name
from runner.model import Json, Route
from runner.shipped import shipped

# Templates cannot see these sections. An error in one stops the planning, but hides no other error.
_ASIDE = ("takes", "budget", "run", "output", "lint")
# Stands for a limit that has an error, so that nothing is reported that would follow from it.
_NO_LIMIT = 5_000_000


def checked(document: Document, content: Mapping[str, Json], found: Diagnostics) -> Mapping[str, Json] | None:
    """Report what is wrong. The content to read on with, or None where nothing that follows could be trusted."""
    source = document.source
    for fault in document.faults:
        found.add(fault.code, Severity.ERROR, source.place(fault.node), fault.message, fault.hint)
    faulty = {id(fault.node) for fault in document.faults}
    # The value of a faulty node is not known; what the schema says of it means nothing.
    every = [*problems(schema(), content, MANIFEST, source.written)]
    wrong = [each for each in every if each.key or id(source.node(each.route)) not in faulty]
    if not wrong:
        wrong = [*misnamed(content), *_durations(content)]
    for each in wrong:
        found.problem(each)
    _warn_of_doubts(document, found)
    _warn_of_axes(content, found)
    if document.faults or any(not each.route or each.route[0] not in _ASIDE for each in wrong):
        return None
    return _without(content, [each.route for each in wrong])


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


def _without(content: Mapping[str, Json], routes: list[Route]) -> Mapping[str, Json]:
    """The content without the values at these routes, which lead into sections at most one level deep.

    What is sound of lint stays: warnings that are switched off are not told because another code is misspelled.
    """
    result = dict(content)
    for route in routes:
        if route[0] == "lint":
            continue
        section = result.get(str(route[0]))
        if len(route) == 1 or not isinstance(section, Mapping):
            result.pop(str(route[0]), None)
        else:
            result[str(route[0])] = {key: value for key, value in section.items() if key != route[1]}
    if any(route == ("budget", "max_jobs") for route in routes):
        result["budget"] = {**mapping(result["budget"]), "max_jobs": _NO_LIMIT}
    return result


def _warn_of_doubts(document: Document, found: Diagnostics) -> None:
    """Warn of values that read otherwise than they look, where no rule tells which of the two was meant."""
    if not document.doubtful:
        return
    images = document.source.node(("images",))
    count = len(images.value) if isinstance(images, SequenceNode) else 0
    routes: list[Route] = [("vars",), ("matrix",), *(("images", index, "vars") for index in range(count))]
    nodes = {id(node): node for route in routes for node in document.source.below(route)}
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
