"""Which jobs a command is asked to care for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from runner.diagnostics.suggestions import known_here
from runner.errors import UsageError
from runner.model import Json, Manifest, Variables, canonical_json, same_value

# What every job has beside its variables; these names can be no variables.
_PLACES = {"image": "image", "prompt": "prompt_id", "model": "model", "take": "take"}


class Placed(Protocol):
    """Whatever has a place in the sweep: a job, its record, an attempt at it."""

    @property
    def key(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def prompt_id(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def variables(self) -> Variables: ...
    @property
    def take(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """The jobs that are asked for, and which final ones are to be submitted again.

    `only` and `skip` are globs on keys, in which `*` crosses `/`. `where` holds for each name the texts of which one
    is its value; `pictures` gives the variables of each picture by its id, as those of a job are the variant's alone.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Mapping[str, Variables] = field(default_factory=dict, repr=False)
    retry_failed: bool = False
    resubmit_unknown: bool = False

    @property
    def is_everything(self) -> bool:
        return not (self.only or self.skip or self.where)

    def has(self, job: Placed) -> bool:
        if self.is_everything:
            return True
        if self.only and not _matches(job.key, self.only):
            return False
        if _matches(job.key, self.skip):
            return False
        return all(self._is_one_of(job, name, texts) for name, texts in self.where.items())

    def _is_one_of(self, job: Placed, name: str, texts: tuple[str, ...]) -> bool:
        found, value = value_of(job, name, self.pictures)
        return found and any(is_written(value, text) for text in texts)


EVERYTHING = Selection()


def value_of(job: Placed, name: str, pictures: Mapping[str, Variables]) -> tuple[bool, Json]:
    """Whether the job has this variable, or place of the sweep, and its value."""
    if name in _PLACES:
        return True, getattr(job, _PLACES[name])
    for variables in (job.variables, pictures.get(job.image, {})):
        if name in variables:
            return True, variables[name]
    return False, None


def is_written(value: Json, text: str) -> bool:
    """Whether the text is how people write the value: 0.30 is 0.3, and both 1 and "1" are written 1."""
    if isinstance(value, str) or text == text_of(value):
        return text == text_of(value)
    try:
        return same_value(value, json.loads(text))
    except ValueError:
        return False


def text_of(value: Json) -> str:
    """How people write a value: the text that selects it."""
    return value if isinstance(value, str) else canonical_json(value)


def conditions(texts: Iterable[str], manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """`NAME=VALUE` for each name its values. Raises UsageError for what is no condition, or names no variable."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            hint = "write NAME=VALUE, such as --where 'surface=wet rock'"
            raise UsageError(f"--where {text!r} is no condition", hint)
        known_variable(name, manifest, "--where")
        found[name] = (*found.get(name, ()), value)
    return found


def known_variable(name: str, manifest: Manifest, flag: str) -> str:
    """The name, where jobs can be told apart by it. Raises UsageError."""
    known = variables_of(manifest)
    if name not in known:
        raise UsageError(f"{flag} names the unknown variable {name!r}", known_here(name, known))
    return name


def variables_of(manifest: Manifest) -> list[str]:
    """The names that tell jobs apart: what stands outside the matrix, its axes, what includes add, the pictures'."""
    added = (name for entry in manifest.matrix.include for name in entry)
    pictured = (name for image in manifest.images for name in image.vars)
    return list(dict.fromkeys((*_PLACES, *manifest.matrix.axes, *added, *pictured)))


def _matches(key: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, glob) for glob in globs)
