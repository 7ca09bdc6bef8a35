"""Facets: what the page can be filtered by, and the values of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.model import Json, Status, canonical_json

# The key for jobs without the variable, for instance if an include adds it to others, or without a picture. No value
# has this key.
_ABSENT = ""
# Text that could be mistaken for the JSON text of another value.
_LIKE_JSON = re.compile(r'(|true|false|null|["\[{0-9-].*)', re.DOTALL)
_OF_IMAGES = "image_vars."
# What a job may have several of: the name, the label, and the member that tells them apart.
_SEVERAL = (("defects", "defect", "measure"), ("warnings", "warning", "code"))
# From done to not begun, as in a progress bar.
STATUSES = (
    Status.SUCCEEDED,
    Status.FAILED,
    Status.REJECTED,
    Status.CANCELLED,
    Status.UNKNOWN,
    Status.WAITING,
    Status.PENDING,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet: `key` names it in a link, `label` on the page; `count` jobs have it."""

    key: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """Something that jobs differ in. `name` is its column in `index.csv`, `label` is what people read.

    What `names_images` has another value for each image: it is no better a filter than the image is.
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    names_images: bool = False


def facets(jobs: Sequence[Mapping[str, Json]]) -> list[Facet]:
    """What the jobs differ in. Choices are in the order in which they first occur, statuses in that of `STATUSES`."""
    labels: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    had: Counter[str] = Counter()
    for job in jobs:
        members = list(_members(job))
        had.update({name for name, _, _ in members})
        for name, label, value in members:
            key = _key(value)
            labels.setdefault(name, label)
            values.setdefault(name, {}).setdefault(key, _label(name, value))
            counts[name, key] += 1
    images = len(values.get("image", {}))
    found = [
        Facet(
            name,
            labels[name],
            tuple(_choices(name, values[name], counts, had[name], len(jobs))),
            names_images=name.startswith(_OF_IMAGES) and len(values[name]) >= images,
        )
        for name in sorted(values, key=_rank)
    ]
    return [facet for facet in found if len(facet.choices) > 1]


def places(facets: Sequence[Facet], jobs: Iterable[Mapping[str, Json]]) -> Iterator[list[list[int]]]:
    """For each job the indices of its choices in every facet; of defects and warnings maybe several."""
    orders = [(facet.name, {choice.key: index for index, choice in enumerate(facet.choices)}) for facet in facets]
    for job in jobs:
        keys: dict[str, list[str]] = {}
        for name, _, value in _members(job):
            keys.setdefault(name, []).append(_key(value))
        yield [[order[key] for key in keys.get(name, [_ABSENT])] for name, order in orders]


def _members(job: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """The name, the label and the value of everything by which a job can be filtered."""
    yield "status", "status", job["status"]
    for name, label, member in _SEVERAL:
        yield from ((name, label, told) for told in _told(job.get(name), member))
    if job["image"] is not None:
        yield "image", "image", job["image"]
    yield "prompt_id", "prompt", job["prompt_id"]
    yield "model", "model", job["model"]
    variables = job["variables"]
    if isinstance(variables, Mapping):
        yield from ((f"variables.{name}", name, value) for name, value in variables.items())
    known = job.get("image_vars")
    if isinstance(known, Mapping):
        yield from ((f"{_OF_IMAGES}{name}", name, value) for name, value in known.items())
    yield "take", "take", job["take"]
    yield "orphaned", "orphaned", job["orphaned"]
    yield "pick", "pick", bool(job.get("pick"))


def _told(listed: Json, member: str) -> list[str]:
    """A member of each record of a list, each value once."""
    records = listed if isinstance(listed, list) else []
    return list(dict.fromkeys(str(each[member]) for each in records if isinstance(each, Mapping)))


def _rank(name: str) -> int:
    """A sort key: take, orphaned and pick come last. The sort is stable, so variables keep the order of occurrence."""
    return {"take": 1, "orphaned": 2, "pick": 3}.get(name, 0)


def _choices(
    name: str, values: Mapping[str, str], counts: Mapping[tuple[str, str], int], had: int, total: int
) -> list[Choice]:
    choices = [Choice(key, label, counts[name, key]) for key, label in values.items()]
    if name == "status":
        choices.sort(key=lambda choice: STATUSES.index(Status(choice.key)))
    missing = total - had
    label = "none" if name in ("defects", "warnings") else "not set"
    return [*choices, Choice(_ABSENT, label, missing)] if missing else choices


def _key(value: Json) -> str:
    """A text is its own key, unless it looks like another value's JSON. Equal values (1 and 1.0) have equal keys."""
    if isinstance(value, str) and not _LIKE_JSON.fullmatch(value):
        return value
    return canonical_json(value)


def _label(name: str, value: Json) -> str:
    if name in ("orphaned", "pick"):
        return "yes" if value else "no"
    return value if isinstance(value, str) and value.strip() else canonical_json(value)
