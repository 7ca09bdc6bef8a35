"""Defects: measures beyond their thresholds. A defect rejects nothing and buys nothing."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runner.model import Measure, Measured, Span, Threshold
from runner.video.measures import MEASURES

_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_THRESHOLD = re.compile(
    r"\s*(?P<measure>[^\s<>=]+)\s*(?P<sign>>=|<=|>|<)\s*(?P<limit>[+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*"
)
_SHOWN = 3
# Where a manifest says nothing: what nobody asks a clip for. Movement has none: what moves is the picture's matter.
USUAL = (
    Threshold("frozen", ">", 0.3),
    Threshold("black", ">", 0.05),
    Threshold("cuts", ">=", 1),
    Threshold("flash", ">=", 1),
    Threshold("flicker", ">", 1),
    Threshold("sharpness", "<", 0.65),
    Threshold("drift", ">", 12),
    Threshold("first_frame", "<", 0.35),
)


@dataclass(frozen=True, slots=True)
class Defect:
    """A measure beyond its threshold, and from when to when, where that is known."""

    measure: str
    value: float
    sign: str
    limit: float
    spans: tuple[Span, ...] = ()

    def __str__(self) -> str:
        places = ", ".join(f"{start:g}-{end:g} s" for start, end in self.spans[:_SHOWN])
        more = ", ..." if len(self.spans) > _SHOWN else ""
        return f"{self.measure} {self.value:g} ({self.sign} {self.limit:g})" + (f" at {places}{more}" if places else "")


def threshold_of(text: str) -> Threshold | None:
    """A threshold as it is written, such as `frozen > 0.3`; None for another text. The measure may be unknown."""
    found = _THRESHOLD.fullmatch(text)
    return Threshold(found["measure"], found["sign"], float(found["limit"])) if found else None


def names(thresholds: Sequence[Threshold] | None) -> tuple[str, ...]:
    """The measures that may be a defect, in the order of the measures."""
    wanted = {each.measure for each in thresholds_of(thresholds)}
    return tuple(name for name in MEASURES if name in wanted)


def defects_of(measured: Measured | None, thresholds: Sequence[Threshold] | None) -> Iterator[Defect]:
    """The measures beyond their thresholds (None: the usual ones), each once. What was not measured is no defect."""
    seen: set[str] = set()
    for each in thresholds_of(thresholds):
        value = _number(measured.values.get(each.measure)) if measured is not None else None
        if measured is None or value is None or each.measure in seen:
            continue
        if _COMPARISONS[each.sign](value, each.limit):
            seen.add(each.measure)
            yield Defect(each.measure, value, each.sign, each.limit, measured.spans.get(each.measure, ()))


def thresholds_of(thresholds: Sequence[Threshold] | None) -> Iterable[Threshold]:
    """Those of a manifest, or the usual ones where it says nothing."""
    return USUAL if thresholds is None else thresholds


def _number(value: Measure) -> float | None:
    """A measure as a number: true is 1."""
    return None if value is None else float(value)
