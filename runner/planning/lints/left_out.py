"""Portable parameters that models do not have."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnostics.words import joined
from runner.model import Manifest
from runner.planning.expansion.portable import left_out
from runner.planning.plan_diagnostics import Place, PlanWarning


def left_out_parameters(manifest: Manifest) -> Iterator[PlanWarning]:
    """A warning for each portable parameter that models have no parameter for (W522)."""
    for name in manifest.video:
        models = [model for model in manifest.models if left_out([name], manifest.schemas[model])]
        if models:
            verb = "has" if len(models) == 1 else "have"
            message = f"{joined(models, 'and', limit=4)} {verb} no {name}: it is left out there"
            hint = "the model decides; lint: {ignore: [W522]} where that is fine"
            yield PlanWarning("W522", Place(("video", name), key=True), message, hint)
