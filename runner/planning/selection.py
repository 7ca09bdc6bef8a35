"""Which jobs a command is about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeAlias

from runner.diagnostics.suggestions import known_here, suggestion
from runner.errors import UsageError
from runner.model import Attempt, Json, Manifest, Status, Threshold, Variables, canonical_json, same_value
from runner.state.store import Store
from runner.verdicts.picks import Clip, Picker
from runner.video.defects import defects_of, names

# What a job can be selected by besides its variables, with the job's attribute. No variable may have such a name.
_PLACES = {"image": "image", "prompt": "prompt_id", "model": "model", "take": "take"}
# The name that stands for the status of a job, where the manifest has no variable of this name.
STATUS = "status"
# And those that stand for its defects, and for whether its clip is picked.
DEFECT, PICK = "defect", "pick"
YES, NO = "yes", "no"


class _Named(Clip, Protocol):
    """What has a place in the sweep, and a name."""

    @property
    def key(self) -> str: ...


# A job, its record, or an attempt at it.
Placed: TypeAlias = _Named | Attempt


@dataclass(frozen=True, slots=True)
class JobIds:
    """The jobs with these ids or, if `is_rest`, all others."""

    ids: frozenset[str]
    is_rest: bool = False

    def has(self, job_id: str) -> bool:
        return (job_id in self.ids) != self.is_rest

    def among(self, ids: frozenset[str]) -> JobIds:
        return JobIds(ids - self.ids if self.is_rest else ids & self.ids)

    def without(self, ids: frozenset[str]) -> JobIds:
        return JobIds(self.ids | ids, is_rest=True) if self.is_rest else JobIds(self.ids - ids)


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected jobs, and which of the final ones are to be submitted again.

    `only` and `skip` are globs on keys, in which `*` also matches `/`. `where` has the allowed values of each name, as
    texts. `pictures` has the variables of each picture, by its id; a job has only the variables of its variant.
    `statuses` are those that a job may have when the command begins, and `defects` those that its clip may have, by
    these `thresholds`; `picks` are `yes`, `no` or both, and `picker` says which clips are picked. `at` finds the `ids`
    of these jobs. `first` is how many jobs are submitted at most, in the order
    of the plan.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Mapping[str, Variables] = field(default_factory=dict, repr=False)
    statuses: tuple[Status, ...] = ()
    defects: frozenset[str] = frozenset()
    thresholds: tuple[Threshold, ...] | None = None
    picks: frozenset[str] = frozenset()
    picker: Picker | None = None
    ids: JobIds | None = field(default=None, repr=False)
    first: int | None = None
    retry_failed: bool = False
    retry_rejected: bool = False
    resubmit_unknown: bool = False

    @property
    def is_everything(self) -> bool:
        return not (self.only or self.skip or self.where or self.is_by_state)

    @property
    def is_by_state(self) -> bool:
        """Whether the state must be asked which jobs are meant."""
        return bool(self.statuses or self.defects or self.picks)

    def at(self, store: Store | None) -> Selection:
        """This selection with the jobs that have its statuses, defects and picks now. A job that the state does not
        have is pending."""
        if not self.is_by_state:
            return self
        is_rest = Status.PENDING in self.statuses
        listed = [each for each in Status if (each in self.statuses) != is_rest]
        ids = JobIds(frozenset(store.ids(listed) if store and self.statuses else ()), is_rest or not self.statuses)
        if self.defects:
            faulty = self._faulty(store) if store else ()
            ids = JobIds(frozenset(each for each in faulty if ids.has(each)))
        if len(self.picks) == 1:
            picked = self.picker.picked(store) if self.picker and store else frozenset[str]()
            ids = ids.among(picked) if YES in self.picks else ids.without(picked)
        return replace(self, ids=ids)

    def _faulty(self, store: Store) -> Iterator[str]:
        """The ids of the jobs whose clips have one of the defects."""
        for job_id, measured in store.measured():
            if any(each.measure in self.defects for each in defects_of(measured, self.thresholds)):
                yield job_id

    def has(self, job: Placed) -> bool:
        if self.is_everything:
            return True
        if self.ids is not None and not self.ids.has(_id_of(job)):
            return False
        if self.only and not any(fnmatchcase(job.key, glob) for glob in self.only):
            return False
        if any(fnmatchcase(job.key, glob) for glob in self.skip):
            return False
        return all(any(self.is_one(name, text, job) for text in texts) for name, texts in self.where.items())

    def is_one(self, name: str, text: str, job: Placed) -> bool:
        """Whether the variable of the job has the value that people write so."""
        found, value = value_of(job, name, self.pictures)
        return found and is_written(value, text)


EVERYTHING = Selection()


def of_manifest(selection: Selection, manifest: Manifest) -> Selection:
    """A selection that somebody wrote in Python, where one text may stand for a list of one, with what the manifest
    says of its pictures and defects. Raises UsageError for a name of `where` that no job has."""
    for name in selection.where:
        known_variable(name, manifest, "where")
    return replace(
        selection,
        only=_listed(selection.only),
        skip=_listed(selection.skip),
        where={name: tuple(map(text_of, _listed(values))) for name, values in selection.where.items()},
        pictures={image.id: image.known for image in manifest.images},
        thresholds=manifest.thresholds,
        picker=Picker(manifest),
    )


def _listed(values: Json) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (list, tuple)) else (values,)


def _id_of(job: Placed) -> str:
    return job.job_id if isinstance(job, Attempt) else job.id


def value_of(job: Placed, name: str, pictures: Mapping[str, Variables]) -> tuple[bool, Json]:
    """Whether the job has a variable of this name (or it is one of `_PLACES`), and the value."""
    if name in _PLACES:
        value = getattr(job, _PLACES[name])
        # A job may have no picture.
        return value != "", value
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
    """The values of each name, from texts `NAME=VALUE`.

    Raises UsageError for another text, an unknown name, or a status, a defect or a pick that no job can have.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            hint = "write NAME=VALUE, such as --where 'surface=wet rock'"
            raise UsageError(f"--where {text!r} is no condition", hint)
        known_variable(name, manifest, "--where", STATUS, DEFECT, PICK)
        if stands_for(STATUS, name, manifest):
            _check(name, value, [str(each) for each in Status])
        if stands_for(DEFECT, name, manifest):
            _check(name, value, names(manifest.thresholds))
        if stands_for(PICK, name, manifest):
            _check(name, value, (YES, NO))
        found[name] = (*found.get(name, ()), value)
    return found


def stands_for(special: str, name: str, manifest: Manifest) -> bool:
    """Whether the name stands for what the state knows: a variable of the manifest with this name goes before."""
    return name == special and name not in variables_of(manifest)


def _check(name: str, text: str, known: Sequence[str]) -> None:
    if text not in known:
        hint = suggestion(text, known, f"it is one of {', '.join(known)}" if known else "the manifest lists none")
        raise UsageError(f"--where {name}={text}: no job has such a {name}", hint)


def known_variable(name: str, manifest: Manifest, flag: str, *more: str) -> str:
    """The name, if jobs can be selected by it, or if it is among `more`. Raises UsageError otherwise."""
    known = [*variables_of(manifest), *more]
    if name not in known:
        raise UsageError(f"{flag} names the unknown variable {name!r}", known_here(name, known))
    return name


def variables_of(manifest: Manifest) -> list[str]:
    """The names that jobs can be selected by: `_PLACES`, the axes, and the variables of includes and pictures."""
    added = (name for entry in manifest.matrix.include for name in entry)
    pictured = (name for image in manifest.images for name in image.known)
    return list(dict.fromkeys((*_PLACES, *manifest.matrix.axes, *added, *pictured)))
