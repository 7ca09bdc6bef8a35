"""Which jobs a command is about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from runner.diagnostics.suggestions import known_here
from runner.errors import UsageError
from runner.model import Json, Manifest, Variables, canonical_json, same_value

# What a job can be selected by besides its variables, with the job's attribute. No variable may have such a name.
_PLACES = {"image": "image", "prompt": "prompt_id", "model": "model", "take": "take"}


class Placed(Protocol):
    """Anything that has a place in the sweep: a job, its record, an attempt at it."""

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
    """The selected jobs, and which of the final ones are to be submitted again.

    `only` and `skip` are globs on keys, in which `*` also matches `/`. `where` has the allowed values of each name, as
    texts. `pictures` has the variables of each picture, by its id; a job has only the variables of its variant.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Mapping[str, Variables] = field(default_factory=dict, repr=False)
    retry_failed: bool = False
    retry_rejected: bool = False
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
    """Whether the job has a variable of this name (or it is one of `_PLACES`), and the value."""
    if name in _PLACES:
        return True, getattr(job, _PLACES[name])
    for variables in (job.variables, pictures.get(job.image, {})):
        if name in variables:
            return True, variables[name]
    return False, None


def is_written(value: Json, text: str) -> bool:
    """Whether people may write the value as this text: 0.30 means 0.3, and 1 means the number 1 and the text "1"."""
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
    """The values of each name, from texts `NAME=VALUE`. Raises UsageError for another text or an unknown name."""
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
    """The name, if jobs can be selected by it. Raises UsageError otherwise."""
    known = variables_of(manifest)
    if name not in known:
        raise UsageError(f"{flag} names the unknown variable {name!r}", known_here(name, known))
    return name


def variables_of(manifest: Manifest) -> list[str]:
    """The names that jobs can be selected by: `_PLACES`, the axes, and the variables of includes and pictures."""
    added = (name for entry in manifest.matrix.include for name in entry)
    pictured = (name for image in manifest.images for name in image.vars)
    return list(dict.fromkeys((*_PLACES, *manifest.matrix.axes, *added, *pictured)))


def _matches(key: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, glob) for glob in globs)
