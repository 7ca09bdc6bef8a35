"""Which clips of a campaign are compared: arms, units, and pairs that differ in nothing but the arm and the take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from runner.diagnostics.suggestions import known_here
from runner.errors import UsageError
from runner.model import JobRecord, Json, Manifest, canonical_json
from runner.planning.expansion.keys import segment
from runner.planning.selection import text_of
from runner.planning.templates.slugs import slug

PROMPT, MODEL = "prompt", "model"


def compared_name(manifest: Manifest, given: str | None) -> str:
    """What is compared: as `given`, else the prompts, else the models, else the only axis. Raises UsageError."""
    known = [PROMPT, MODEL, *_axes(manifest)]
    if given is not None and given not in known:
        raise UsageError(f"--by {given!r} names nothing that has arms", known_here(given, known))
    names = [given] if given is not None else compared_names(manifest)
    if len(names) > 1:
        raise UsageError(f"there are {len(names)} axes to compare", f"write --by {' or --by '.join(names)}")
    if not names:
        raise UsageError("there is one prompt, one model and no axis", "a second prompt makes two arms to compare")
    return names[0]


def compared_names(manifest: Manifest) -> list[str]:
    """What can be compared if nobody says what: the prompts or the models where there are several, else every axis."""
    if len(manifest.prompts) > 1 or len(manifest.models) > 1:
        return [PROMPT if len(manifest.prompts) > 1 else MODEL]
    return [name for name, values in _axes(manifest).items() if len(values) > 1]


def arms_of(manifest: Manifest, by: str) -> tuple[str, ...]:
    """The names of the arms, in the manifest's order."""
    if by == PROMPT:
        return tuple(prompt.id for prompt in manifest.prompts)
    return manifest.models if by == MODEL else tuple(map(text_of, _axes(manifest).get(by, ())))


def _axes(manifest: Manifest) -> dict[str, list[Json]]:
    """The values of each axis, with those that only an include has."""
    found: dict[str, dict[str, Json]] = {
        name: {text_of(value): value for value in values} for name, values in manifest.matrix.axes.items()
    }
    for entry in manifest.matrix.include:
        for name, value in entry.items():
            found.setdefault(name, {})[text_of(value)] = value
    return {name: list(values.values()) for name, values in found.items()}


@dataclass(frozen=True, slots=True)
class ComparedClip:
    """A clip in a comparison. Clips of one `rest` differ in arm and take alone."""

    record: JobRecord
    arm: str
    rest: str
    unit: str

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def take(self) -> int:
        return self.record.take

    @property
    def cell(self) -> str:
        return f"{self.rest}\0{self.arm}"


@dataclass(frozen=True, slots=True)
class ClipComparison:
    """The clips of a comparison, by job id. `same` are arms whose cells render to requests of other arms."""

    by: str
    arms: tuple[str, ...]
    unit: str
    clips: Mapping[str, ComparedClip] = field(repr=False)
    same: tuple[tuple[str, str], ...] = ()

    def cells(self) -> Iterator[list[ComparedClip]]:
        """The takes of each cell."""
        return iter(_grouped(self.clips.values(), lambda clip: clip.cell).values())

    def matches(self) -> Iterator[tuple[ComparedClip, ComparedClip]]:
        """Every two clips that can be compared: of two arms, and alike in all else but the take."""
        place = {arm: number for number, arm in enumerate(self.arms)}
        for alike in _grouped(self.clips.values(), lambda clip: clip.rest).values():
            arms = _grouped(sorted(alike, key=lambda clip: place[clip.arm]), lambda clip: clip.arm)
            for first, second in combinations(arms.values(), 2):
                yield from product(first, second)


def clip_comparison(manifest: Manifest, records: Iterable[JobRecord], by: str) -> ClipComparison:
    """The comparison of these jobs. Those that the manifest no longer has are of no arm."""
    present = [record for record in records if not record.orphaned]
    arms = list(arms_of(manifest, by))
    has_pictures = any(map(manifest.gives_images, manifest.models))
    clips = {}
    same: dict[tuple[str, str], None] = {}
    for record in present:
        arm = _arm(record, by)
        if arm not in arms:
            continue
        rest = _rest(record, by)
        clips[record.id] = ComparedClip(record, arm, rest, record.image or rest)
        same.update(dict.fromkeys((arm, other) for other in _others(record, by, arm, arms)))
    return ClipComparison(by, tuple(arms), "image" if has_pictures else "variant", clips, tuple(same))


def _arm(record: JobRecord, by: str) -> str | None:
    if by == PROMPT:
        return record.prompt_id
    if by == MODEL:
        return record.model
    return text_of(record.variables[by]) if by in record.variables else None


def _rest(record: JobRecord, by: str) -> str:
    """Everything of a cell but the take and what is compared."""
    rest: dict[str, Json] = {"image": record.image, PROMPT: record.prompt_id, MODEL: record.model}
    rest.pop(by, None)
    return canonical_json([rest, {name: value for name, value in record.variables.items() if name != by}])


def _others(record: JobRecord, by: str, arm: str, arms: Sequence[str]) -> Iterator[str]:
    """The other arms whose cells are aliases of a job: keys tell where they differ."""
    place = {PROMPT: bool(record.image), MODEL: bool(record.image) + 1}.get(by, -2)
    for alias in record.aliases:
        parts = alias.split("/")
        names = parts[place].split(",") if by not in (PROMPT, MODEL) else parts[place : place + 1]
        yield from (other for other in arms if other != arm and _in_key(other, by) in names)


def _in_key(arm: str, by: str) -> str:
    return segment(arm) if by in (PROMPT, MODEL) else f"{by}={slug(arm, keeps_case=True)}"


def _grouped(clips: Iterable[ComparedClip], key: Callable[[ComparedClip], str]) -> dict[str, list[ComparedClip]]:
    found: dict[str, list[ComparedClip]] = {}
    for clip in clips:
        found.setdefault(key(clip), []).append(clip)
    return found
