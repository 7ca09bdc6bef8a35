"""The sections of a manifest that are plain values and name no inputs: matrix, budget, run, output and lint."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.manifest.json_values import integer, items, mapping, mappings
from runner.model import Budget, Json, Matrix, ModelSettings, Output, Review, RunSettings, Sample, Threshold, Uploads
from runner.video.defects import threshold_of

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(rf"(?:(?P<h>{_NUMBER})h)?(?:(?P<m>{_NUMBER})m)?(?:(?P<s>{_NUMBER})s)?")
# In seconds. Every timer of the platform can wait that long, and no job takes longer.
LONGEST_DURATION = 365 * 86400.0
# The most for `run.wait` where addresses are signed: stores sign for 7 days, and they outlive the run by an hour.
LONGEST_SIGNED = 167 * 3600.0
# Of amounts of money, and the most that a budget may allow.
DECIMALS, MOST_COST = 9, 1_000_000_000
PRICES = ("price_per_job", "price_per_second")
AMOUNTS = ("max_cost", *PRICES)
# Gives a number as it is spelled, None if that is unknown.
Written = Callable[[str], str | None]
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_SIZE = re.compile(rf"(?P<number>{_NUMBER}) ?(?P<unit>B|[kKMGT]B)")
_BYTES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
# What previews may take on the disk.
PREVIEWS = "2 GB"
# Of a cell, where the manifest only says that rejected takes are replaced.
MOST_RETAKES = 3
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


def budget(content: Mapping[str, Json], written: Written | None = None) -> Budget:
    """`written` gives a number of the section by its key as the manifest spells it."""
    usual = Budget()

    def amount(key: str) -> Decimal | None:
        value = content.get(key)
        return money(value, written(key) if written else None) if isinstance(value, (int, float)) else None

    return Budget(
        max_jobs=integer(content.get("max_jobs"), usual.max_jobs),
        max_cost=amount("max_cost"),
        price_per_job=amount("price_per_job"),
        price_per_second=amount("price_per_second"),
        currency=str(content.get("currency", usual.currency)),
    )


def with_prices(general: Budget, content: Mapping[str, Json], written: Callable[[str, str], str | None]) -> Budget:
    """The budget with the prices of single models. `written` gives a number by its model and key as it is spelled."""
    prices = {
        model: {key: mapping(own)[key] for key in PRICES if key in mapping(own)} for model, own in content.items()
    }
    return replace(
        general,
        models={
            model: budget({**each, "currency": general.currency}, partial(written, model))
            for model, each in prices.items()
            if each
        },
    )


def models(content: Mapping[str, Json]) -> dict[str, ModelSettings]:
    """The settings of each model."""
    known = {model: mapping(entry) for model, entry in content.items()}
    return {model: ModelSettings(mapping(own.get("params")), "images" not in own) for model, own in known.items()}


def uploads(content: Json) -> Uploads | None:
    if not isinstance(content, Mapping):
        return None
    to = str(content.get("to", Uploads().to))
    # The state knows the place by this name: a slash at its end says nothing.
    return Uploads(str(BucketAddress.of(to)) if is_bucket_address(to) else to, content.get("when") == "always")


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
    file, mirror = content.get("file"), content.get("mirror")
    return Output(
        dir=folder,
        state=folder / "state.sqlite" if state is None else _unfollowed(base / str(state)),
        file=None if file is None else str(file),
        previews=size(str(content.get("previews", PREVIEWS))),
        mirror=None if mirror is None else str(BucketAddress.of(str(mirror))),
    )


def size(text: str) -> int:
    """A size of the manifest in bytes. Raises ValueError for other text."""
    found = _SIZE.fullmatch(text)
    if text == "none":
        return 0
    if found is None:
        raise ValueError(f"{text!r} is no size")
    return int(float(found["number"]) * _BYTES[found["unit"].lower()])


def thresholds(content: Mapping[str, Json]) -> tuple[Threshold, ...] | None:
    """The thresholds of defects; None where the manifest says nothing of them."""
    listed = content.get("defects")
    return tuple(filter(None, map(threshold_of, map(str, items(listed))))) if listed is not None else None


def review(content: Mapping[str, Json]) -> Review:
    usual = Review()
    margin = content.get("margin", usual.margin)
    return Review(
        question=str(content.get("question", usual.question)),
        reasons=tuple(map(str, items(content.get("reasons")))),
        margin=float(margin) if isinstance(margin, (int, float)) else usual.margin,
        picks=str(content.get("picks", usual.picks)),
    )


def most_retakes(content: Mapping[str, Json]) -> int:
    """How many further takes a cell may have in place of rejected ones."""
    return integer(content.get("most"), MOST_RETAKES) if content.get("rejected") is True else 0


def _unfollowed(path: Path) -> Path:
    """An absolute path that stays if a link is in its place: what opens the file must see it."""
    return path.resolve() if path.name in ("", "..") else path.parent.resolve() / path.name


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


def money(value: float, written: str | None) -> Decimal:
    """An amount with all its digits. A number of more than 15 has them only as it is written."""
    try:
        exact = Decimal(written or "")
    except InvalidOperation:
        exact = Decimal("NaN")
    # YAML reads some numbers otherwise: 017 is 15.
    return exact if exact.is_finite() and float(exact) == value else Decimal(str(value))


def is_countable(amount: Decimal) -> bool:
    """Whether an amount is a whole number of billionths of its currency: money is counted in these."""
    exponent = amount.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -DECIMALS
