"""The plot of figures: each as a share of its limit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.measure import Row
from tests.bench.table import with_unit

_MET, _MISSED = "#3b7d4f", "#b5482f"
# Bars beyond this share of a limit are cut, and say so by their label.
_WIDEST = 2.0
# What a label stands on, so that the line of the limit does not run through it.
_PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write a bar a row as SVG; equal rows make equal bytes."""
    mpl.rcParams.update({"svg.hashsalt": "reelrun", "svg.fonttype": "none"})
    # What is compared with more than itself can fall below nothing: its bar is empty.
    shares = [max(0.0, row.figure / row.limit) for row in rows]
    figure = Figure(figsize=(9.0, 0.36 * len(rows) + 0.8), layout="constrained")
    axes = figure.subplots()
    colours = [_MET if row.is_met else _MISSED for row in rows]
    axes.barh([row.measure for row in rows], [min(share, _WIDEST) for share in shares], color=colours, height=0.6)
    for place, (row, share) in enumerate(zip(rows, shares, strict=True)):
        label = f"{with_unit(row.figure, row.unit)} of {with_unit(row.limit, row.unit)}"
        axes.text(min(share, _WIDEST) + 0.02, place, label, va="center", fontsize=8, bbox=_PLATE)
    axes.axvline(1.0, color="#444444", linewidth=1.0, linestyle="--")
    axes.set_xlim(0.0, _WIDEST + 0.5)
    axes.set_xlabel("share of the limit: less is better")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
