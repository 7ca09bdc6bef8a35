"""What a manifest asks of models and may not get: parameters that they lack, and what their pages leave open."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnostics.words import joined
from runner.manifest.json_values import items
from runner.model import Manifest
from runner.planning.expansion.arms import Arms, takes_prompt
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


def left_out_prompts(manifest: Manifest) -> Iterator[PlanWarning]:
    """A warning where models take no prompt (W522)."""
    models = [model for model in manifest.models if not takes_prompt(manifest.schemas[model])]
    if models:
        verb = "takes" if len(models) == 1 else "take"
        message = f"{joined(models, 'and', limit=4)} {verb} no prompt: the texts are left out there"
        hint = "what the model does is in its other parameters; lint: {ignore: [W522]} where that is fine"
        yield PlanWarning("W522", Place(("prompts",), key=True), message, hint)


def uncertain_parameters(manifest: Manifest, arms: Arms) -> Iterator[PlanWarning]:
    """A warning for each parameter of a model that is given, and whose page contradicts itself (W523)."""
    for (_, model), arm in {(id(arm), key[1]): arm for key, arm in arms.items()}.items():
        uncertain = set(map(str, items(manifest.schemas[model].document.get("x-uncertain"))))
        for parameter in arm.parameters:
            if parameter.name in uncertain:
                message = f"the page of {model} is not clear about {parameter.name}"
                hint = "try it with one job first (--first 1); reelrun models --shipped names the page"
                yield PlanWarning("W523", parameter.place, message, hint)
