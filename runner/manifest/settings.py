"""The sections of a manifest that are plain values and name no inputs: matrix, budget, run, output and lint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from runner.manifest.json_values import integer, items, mapping, mappings
from runner.model import Budget, Json, Matrix, Output, RunSettings, Sample

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(rf"(?:(?P<h>{_NUMBER})h)?(?:(?P<m>{_NUMBER})m)?(?:(?P<s>{_NUMBER})s)?")
# In seconds. Every timer of the platform can wait that long, and no job takes longer.
LONGEST_DURATION = 365 * 86400.0
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
# The keys of the matrix that are not axes.
KEYWORDS = ("include", "exclude", "zip", "sample")


def matrix(content: Mapping[str, Json]) -> Matrix:
    axes = {name: tuple(items(values)) for name, values in content.items() if name not in KEYWORDS}
    sample = content.get("sample")
    return Matrix(
        axes=axes,
        include=mappings(content.get("include")),
        exclude=mappings(content.get("exclude")),
        zip=tuple(tuple(str(name) for name in items(names)) for names in items(content.get("zip"))),
        sample=Sample(integer(sample["count"], 1), sample.get("seed", 0)) if isinstance(sample, Mapping) else None,
    )


def budget(content: Mapping[str, Json]) -> Budget:
    usual = Budget()
    return Budget(
        max_jobs=integer(content.get("max_jobs"), usual.max_jobs),
        max_cost=_money(content.get("max_cost")),
        price_per_job=_money(content.get("price_per_job")),
        price_per_second=_money(content.get("price_per_second")),
        currency=str(content.get("currency", usual.currency)),
    )


def run(content: Mapping[str, Json]) -> RunSettings:
    usual = RunSettings()
    return RunSettings(
        concurrency=integer(content.get("concurrency"), usual.concurrency),
        attempts=integer(content.get("attempts"), usual.attempts),
        wait=seconds(content.get("wait", usual.wait)),
        settle=seconds(content.get("settle", usual.settle)),
        verify=str(content.get("verify", usual.verify)),
    )


def output(content: Mapping[str, Json], manifest: Path) -> Output:
    """Where results go. Paths are relative to the manifest; the default folder is `outputs/NAME` beside it."""
    base = manifest.parent
    folder = (base / str(content.get("dir", f"outputs/{manifest.stem}"))).resolve()
    state = content.get("state")
    file = content.get("file")
    return Output(
        dir=folder,
        state=folder / "state.sqlite" if state is None else (base / str(state)).resolve(),
        file=None if file is None else str(file),
    )


def ignored(content: Mapping[str, Json]) -> frozenset[str]:
    """The codes of the warnings that a manifest switches off. Invalid entries and codes of errors are left out."""
    codes = items(mapping(content.get("lint")).get("ignore"))
    return frozenset(code for code in codes if isinstance(code, str) and code.startswith("W"))


def seconds(duration: Json) -> float:
    """A duration of the manifest in seconds: a number, or text such as `1h30m`. Raises ValueError for other text."""
    if isinstance(duration, (int, float)):
        return float(duration)
    found = _DURATION.fullmatch(str(duration))
    if found is None or not any(found.groups()):
        raise ValueError(f"{duration!r} is no duration")
    return sum(float(number) * _SECONDS[unit] for unit, number in found.groupdict().items() if number)


def _money(value: Json) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, (int, float)) else None
