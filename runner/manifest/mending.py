"""A manifest with errors, mended: what has one gives way to what was probably meant, or is left out.

So reading and planning can go on with the rest. What they may find wrong only because of that is kept account of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from runner.manifest.draft import Draft
from runner.manifest.findings import Problem
from runner.manifest.names import RESERVED, is_variable, namings
from runner.manifest.settings import KEYWORDS
from runner.manifest.values import items, mapping
from runner.manifest.words import closest
from runner.model import Json, Route

# How alike an unknown key is to the known one that it is read as: letters in the wrong order, one too many.
_ALIKE = 0.75
# Keys that exclude each other, in entries of a section.
_ALTERNATIVES: Mapping[str, tuple[str, ...]] = {
    "images": ("file", "glob", "url", "table", "base64"),
    "prompts": ("text", "file"),
    "budget": ("price_per_job", "price_per_second"),
}
# What exclude may name that is no axis.
OUTSIDE = ("image", "prompt", "model")
_WORD = re.compile(r"[^\W\d]\w*")
# What planning may find because of a key that is left out, or of something below it.
_FOLLOWING: Mapping[str, frozenset[str]] = {
    "budget": frozenset(("E507", "E701")),
    "max_jobs": frozenset(("E507",)),
    "price_per_job": frozenset(("E701",)),
    "price_per_second": frozenset(("E701",)),
    "exclude": frozenset(("E507", "E602")),
    "sample": frozenset(("E507", "E602")),
    "zip": frozenset(("E505", "E507", "E602")),
    "matrix": frozenset(("E504",)),
    "include": frozenset(("E504",)),
    "params": frozenset(("E202",)),
}


@dataclass(slots=True)
class Loss:
    """What a manifest has no more once it is mended, and what it has instead.

    `keys` are all keys that are left out. `variables` are those that may have been defined there, each with the value
    that it may have had. `guessed` are the names of variables with stand-ins for values, `doubtful` the routes of
    parameters that are, or hold, stand-ins. `codes` are those of problems that may merely follow.
    """

    keys: set[str] = field(default_factory=set)
    variables: dict[str, Json] = field(default_factory=dict)
    guessed: set[str] = field(default_factory=set)
    doubtful: set[Route] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def add(self, lost: Json) -> None:
        """Note the keys in a value that is left out, at any depth: each may have defined a variable."""
        for key, value in _keys(lost):
            self.keys.add(key)
            self.codes |= _FOLLOWING.get(key, frozenset())
            for name in (key, re.sub(r"\W", "_", key), *_WORD.findall(key)):
                if is_variable(name):
                    self.variables.setdefault(name, value)

    def undefined(self, defined: Collection[str]) -> dict[str, Json]:
        """The variables that nothing else defines."""
        return {name: value for name, value in self.variables.items() if name not in defined and name not in RESERVED}


def _keys(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield key, each
            yield from _keys(each)
    for each in items(value):
        yield from _keys(each)


def read_as_meant(draft: Draft, problems: Iterable[Problem]) -> list[Problem]:
    """Read unknown keys as known ones where it is nearly certain which were meant; their problems are returned."""
    read = []
    for problem in problems:
        if problem.meant and not _rivals(problem) & set(mapping(draft.get(problem.route[:-1]))):
            found = closest(str(problem.route[-1]), (problem.meant,), _ALIKE)
            if found is not None:
                draft.rename(problem.route, found)
                read.append(problem)
    return read


def _rivals(problem: Problem) -> set[str]:
    """The keys beside which the one that was meant cannot stand."""
    others = _ALTERNATIVES.get(str(problem.route[0]), ())
    return {problem.meant, *(others if problem.meant in others else ())}


@dataclass(frozen=True, slots=True)
class Mending:
    """Takes problems out of a draft.

    `has_fault` tells whether the value at a route, or one in it, could not be read, and is a text in its stead;
    `written` is the plain scalar at a route as it stands in the text.
    """

    draft: Draft
    has_fault: Callable[[Route], bool]
    written: Callable[[Route], str | None]
    loss: Loss = field(default_factory=Loss)
    # Axes that were values, or empty.
    remade: set[str] = field(default_factory=set)

    def mend(self, problems: Iterable[Problem]) -> None:
        """Take the problems out. What could not be read, and is no problem as a text, stays as it is."""
        self._note_faults()
        for problem in problems:
            if problem.key and problem.route[:2] != ("matrix", "exclude"):
                self._leave_out_key(problem.route)
            else:
                self._mend(problem.route)
        self._settle_matrix()

    def _mend(self, route: Route) -> None:
        value = self.draft.get(route)
        match route:
            case ("images" | "prompts", int()) if isinstance(value, Mapping):
                pass  # It lacks a key; the others can be read.
            case ("images" | "prompts", int(), "id") | ("prompts", int(), "text"):
                self.draft.set(route, self._as_text(route, value))
            case ("matrix", str(axis)) if axis not in KEYWORDS:
                self._make_axis(route, axis, value)
            case ("matrix", "include" | "exclude" | "zip" as section, int(index), *_):
                self._leave_out(("matrix", section, index))
            case ("matrix", "sample", "count"):
                self._leave_out(("matrix", "sample"))
            case ("models", str(model)):
                self.loss.keys.add(model)
                self._leave_out(route)
            case ("models",):
                models = self.draft.get(("model",))
                self.loss.keys.update(str(each) for each in (models, *items(models)))
                self._leave_out(route)
            case _:
                self._leave_out(route)

    def _leave_out_key(self, route: Route) -> None:
        """Leave out a key that may be any key of its section."""
        self.loss.add({str(route[-1]): self.draft.get(route)})
        self.loss.codes |= _FOLLOWING.get(str(route[0]), frozenset())
        self._leave_out(route)

    def _leave_out(self, route: Route) -> None:
        value = self.draft.get(route)
        # A key of these sections does not make the others uncertain.
        for step in route[1:] if route[0] in ("budget", "matrix") and len(route) > 1 else route:
            self.loss.codes |= _FOLLOWING.get(str(step), frozenset())
        self.loss.add(value)
        if route[-1] in ("vars", "matrix"):
            # Whatever it is in place of a mapping, its words may be names.
            self.loss.add(dict.fromkeys(_WORD.findall(json.dumps(value, ensure_ascii=False))))
        self.draft.drop(route)

    def _as_text(self, route: Route, value: Json) -> str:
        """What a number, or a word that YAML takes for one, is as a text; empty for other values."""
        return self.written(route) or "" if isinstance(value, (bool, int, float)) else ""

    def _make_axis(self, route: Route, axis: str, value: Json) -> None:
        """The value in place of an axis is its one value."""
        if value is None or value == []:
            self.loss.guessed.add(axis)
            value = ""
        self.draft.set(route, [value])
        self.remade.add(axis)

    def _note_faults(self) -> None:
        for route, variables in namings(self.draft.content):
            for name in variables:
                if self.has_fault((*route, name)) and not (route == ("matrix",) and name in KEYWORDS):
                    self._note_fault((*route, name), name)
        for index, _ in enumerate(items(self.draft.get(("matrix", "zip")))):
            if self.has_fault(("matrix", "zip", index)):
                self._leave_out(("matrix", "zip", index))
        for route, parameters in _parameters(self.draft.content):
            self.loss.doubtful.update((*route, name) for name in parameters if self.has_fault((*route, name)))

    def _note_fault(self, route: Route, name: str) -> None:
        if route[:2] == ("matrix", "exclude"):
            self._leave_out(route[:3])
        elif route[0] != "matrix" or len(route) > 2 or not self._has_sound_value(route):
            self.loss.guessed.add(name)

    def _has_sound_value(self, route: Route) -> bool:
        """Whether an axis has a value that could be read. That one then stands for all others."""
        values = list(enumerate(items(self.draft.get(route))))
        sound = [value for index, value in values if not self.has_fault((*route, index))]
        for index, _ in values if sound else ():
            if self.has_fault((*route, index)):
                self.draft.set((*route, index), sound[0])
        return bool(sound)

    def _settle_matrix(self) -> None:
        """Leave out what refers to what is lost, and close the gaps in lists."""
        matrix = mapping(self.draft.get(("matrix",)))
        axes = {axis: len(items(values)) for axis, values in matrix.items() if axis not in KEYWORDS}
        lost = self.loss.keys - {*axes, *OUTSIDE}
        for index, entry in enumerate(items(matrix.get("exclude"))):
            if lost & set(mapping(entry)):
                self._leave_out(("matrix", "exclude", index))
        for index, group in enumerate(items(matrix.get("zip"))):
            named = set(map(str, items(group)))
            if named & lost or (named & self.remade and len({axes[name] for name in named & set(axes)}) > 1):
                self._leave_out(("matrix", "zip", index))
        for index, entry in enumerate(items(matrix.get("include"))):
            if entry == {}:
                self.draft.drop(("matrix", "include", index))
        for section in ("include", "exclude", "zip"):
            if items(matrix.get(section)):
                self.draft.close(("matrix", section))


def _parameters(content: Mapping[str, Json]) -> Iterator[tuple[Route, Mapping[str, Json]]]:
    yield ("params",), mapping(content.get("params"))
    for index, prompt in enumerate(items(content.get("prompts"))):
        yield ("prompts", index, "params"), mapping(mapping(prompt).get("params"))
