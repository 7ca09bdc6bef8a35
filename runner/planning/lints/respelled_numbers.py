"""Numbers that a text would hold in another spelling than the manifest has: 1.10 as 1.1, 0x1F as 31."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.model import Json, Manifest
from runner.planning.expansion.arms import Arm
from runner.planning.expansion.braces import parts, values_of
from runner.planning.plan_diagnostics import Place, PlanWarning


def respelled_numbers(manifest: Manifest, arms: Iterable[Arm]) -> Iterator[PlanWarning]:
    """A warning for each number that a template puts into a text, where that changes its spelling (W342)."""
    names = frozenset().union(*map(_put_into_texts, arms)) - manifest.set.keys()
    for route, value in values_of(manifest):
        for place, number in parts(route, value):
            if isinstance(number, bool) or not isinstance(number, int | float) or names.isdisjoint(place):
                continue
            written = _written(manifest, Place(place))
            if written != str(number) and not _is_usual(written, number):
                message = f"YAML reads {written} as the number {number}, and so it stands in the text"
                yield PlanWarning("W342", Place(place), message, f'write "{written}", with quotes, for the text')


def _put_into_texts(arm: Arm) -> frozenset[str]:
    """The variables that stand in texts as they are. A template that is one expression keeps the number."""
    texts = (
        template
        for parameter in arm.parameters
        for template in parameter.templates
        if not template.is_value or parameter.name == "prompt"
    )
    return frozenset().union(*(template.whole for template in texts))


def _written(manifest: Manifest, place: Place) -> str:
    position = manifest.source.position(place.route)
    return manifest.source.line(position)[position.column - 1 :][: position.length]


def _is_usual(written: str, number: Json) -> bool:
    """Whether only a plus sign, or the zero before a point, is left out or added: `.5` is 0.5."""
    return str(number) == f"0{written}" or written == f"+{number}" or not written[-1:].isalnum()
