"""The tips of a model's vendor, as checks for requests that are valid but likely to disappoint.

What the arm alone decides is checked once: a prompt whose fixed text names a motion names it in every cell. Only the
rest is checked in each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from runner.diagnostics.words import joined, literal
from runner.media import parameters_of
from runner.model import Json, Manifest, ModelSchema, Variables
from runner.planning.expansion.arms import Arm
from runner.planning.lints.motion import is_latin, says_motion
from runner.planning.lints.tips import ModelTips, Range
from runner.planning.plan_diagnostics import Place, PlanWarning, place_of_value
from runner.planning.templates.template import Template

# A prompt with this many words or fewer leaves most of a long video to chance.
_FEW_WORDS = 5
# Five words are assumed to be shorter than this. Most prompts are longer, so their words need not be counted.
_FEW_CHARACTERS = 80
# The same prompt recurs for each take, and for each value that it does not use.
_REMEMBERED = 1024
_NEGATIVE = "negative_prompt"

# Returns the warning about a payload, or None.
Check = Callable[[Variables], PlanWarning | None]


@dataclass(frozen=True, slots=True)
class Advice:
    """A check of payloads. `check` reads no parameters other than `names`."""

    names: tuple[str, ...]
    check: Check


class Case:
    """An arm with a model: all requests that differ only in picture, variables and take.

    `constants` are the parameters that have the same value in all these requests. A value of None is left out of them.
    """

    def __init__(self, manifest: Manifest, arm: Arm, schema: ModelSchema) -> None:
        self.manifest = manifest
        self.schema = schema
        self.tips = ModelTips.of(schema)
        self.given = {each.name: each for each in arm.parameters}
        self.constants = {name: value for name, value in schema.defaults.items() if name not in self.given}
        self.constants.update({name: each.evaluate({}) for name, each in self.given.items() if each.is_constant})

    def place(self, name: str) -> Place:
        """Where the parameter is given, or where it would be given."""
        if name in self.given:
            return self.given[name].place
        return Place(("params",) if self.manifest.params else ("prompts",), key=True)

    def template(self, name: str) -> Template | None:
        """The template of the parameter, if it has exactly one."""
        templates = self.given[name].templates if name in self.given else ()
        return templates[0] if len(templates) == 1 else None

    def fixed(self, name: str) -> str:
        """The part of the parameter's text that is the same in all requests."""
        template = self.template(name)
        return template.fixed if template is not None else ""

    def axis(self, name: str) -> str | None:
        """The axis whose value the parameter is, if its template is one variable and nothing else: `{{ cfg }}`."""
        template = self.template(name)
        if template is None or template.fixed or len(template.names) != 1 or template.names != template.whole:
            return None
        (variable,) = template.names
        return variable if variable in self.manifest.matrix.axes else None


def checks(case: Case) -> dict[str, Iterator[Advice]]:
    """The checks by their codes. A check is left out if the arm alone shows that it will find nothing."""
    return {
        "W801": _motion(case),
        "W803": _ranges(case),
        "W804": _negative(case),
        "W805": _length(case),
        "W807": _nothing(case),
    }


def _motion(case: Case) -> Iterator[Advice]:
    template = case.template("prompt")
    if template is None or says_motion(template.fixed):
        return
    if any(_always_moves(case.manifest, name) for name in template.whole):
        return
    message = "the prompt says neither what moves nor what the camera does"
    hint = "name a motion and a camera move, such as: leaves sway, slow push-in; or say static camera"
    warning = PlanWarning("W801", case.place("prompt"), message, hint)

    def check(payload: Variables) -> PlanWarning | None:
        text = _text(payload, "prompt")
        return None if says_motion(text) or not is_latin(text) else warning

    yield Advice(("prompt",), check)


def _always_moves(manifest: Manifest, name: str) -> bool:
    """Whether each value of a variable of the matrix, or the value of a constant, names a motion."""
    values = _values(manifest, name) or [manifest.constants.get(name)]
    return all(isinstance(each, str) and says_motion(each) for each in values)


def _values(manifest: Manifest, name: str) -> list[Json]:
    """The values that a variable has in the matrix."""
    included = (entry[name] for entry in manifest.matrix.include if name in entry)
    return [*manifest.matrix.axes.get(name, ()), *included]


def _ranges(case: Case) -> Iterator[Advice]:
    for name, ranges in case.tips.ranges.items():
        axis = case.axis(name)
        values = _values(case.manifest, axis) if axis else ()
        if name in case.given and not (values and all(_is_in(value, ranges) for value in values)):
            yield Advice((name,), _check_of_ranges(case, name, axis, ranges))


def _check_of_ranges(case: Case, name: str, axis: str | None, ranges: Mapping[str, Range]) -> Check:
    advice = joined(f"{literal(low)} to {literal(high)} ({purpose})" for purpose, (low, high) in ranges.items())
    # Each value of an axis has its own place. The values of any other template share one place.
    warnings: dict[Json, PlanWarning] = {}

    def check(payload: Variables) -> PlanWarning | None:
        value = payload.get(name)
        if _is_in(value, ranges):
            return None
        index = value if axis else None
        if index not in warnings:
            place = place_of_value(case.manifest, axis, value) if axis else case.place(name)
            message = f"{name} is {literal(value)}; the vendor advises {advice}"
            warnings[index] = PlanWarning("W803", place, message, "choose a value in one of these ranges")
        return warnings[index]

    return check


def _is_in(value: Json, ranges: Mapping[str, Range]) -> bool:
    """Whether a number is in one of the ranges. Anything else than a number counts as in range."""
    if not isinstance(value, (int, float)):
        return True
    return any(low <= value <= high for low, high in ranges.values())


def _negative(case: Case) -> Iterator[Advice]:
    if _NEGATIVE not in case.schema.properties or case.fixed(_NEGATIVE).strip():
        return
    if _NEGATIVE in case.given:
        hint = "name what should not be seen, such as blurry, distorted"
    else:
        entry = f'{_NEGATIVE}: "blurry, distorted"'
        hint = f"add {entry}" if case.manifest.params else f"add params: {{{entry}}}"
    warning = PlanWarning("W804", case.place(_NEGATIVE), "the negative prompt is empty", hint)

    def check(payload: Variables) -> PlanWarning | None:
        value = payload.get(_NEGATIVE)
        return warning if isinstance(value, str) and not value.strip() else None

    yield Advice((_NEGATIVE,), check)


def _length(case: Case) -> Iterator[Advice]:
    name, longest = case.tips.length, case.tips.longest
    if (
        longest is None
        or "prompt" not in case.given
        or case.constants.get(name, longest) != longest
        or not _is_brief(case.fixed("prompt"))
    ):
        return
    message = f"{name} is {literal(longest)}, and the prompt has {_FEW_WORDS} words or fewer"
    hint = f"say what happens in all that time, or choose a shorter {name}"
    warning = PlanWarning("W805", case.place("prompt"), message, hint)

    def check(payload: Variables) -> PlanWarning | None:
        text = _text(payload, "prompt")
        return warning if payload.get(name) == longest and _is_brief(text) and is_latin(text) else None

    yield Advice(("prompt", name), check)


def _nothing(case: Case) -> Iterator[Advice]:
    if "prompt" not in case.given or case.fixed("prompt").strip():
        return
    media = {each.name for each in parameters_of(case.schema)}
    message = "the request has neither a prompt nor a picture: the text is empty"
    warning = PlanWarning("W807", case.place("prompt"), message, "write what is to be seen, or leave this cell out")

    def check(payload: Variables) -> PlanWarning | None:
        is_empty = not _text(payload, "prompt").strip() and not any(payload.get(name) for name in media)
        return warning if is_empty else None

    yield Advice(("prompt", *media), check)


@lru_cache(maxsize=_REMEMBERED)
def _is_brief(text: str) -> bool:
    """Whether the text has five words or fewer. Punctuation that stands alone is not a word."""
    if len(text) >= _FEW_CHARACTERS:
        return False
    return sum(any(map(str.isalnum, word)) for word in text.split()) <= _FEW_WORDS


def _text(payload: Variables, name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""
