"""Whether the images of a manifest and its models fit: each model gets its first picture from one place, or none."""

from __future__ import annotations

from runner.manifest.json_values import mapping
from runner.media import first_picture
from runner.model import Manifest, ModelSchema
from runner.planning.expansion.arms import Arms
from runner.planning.plan_diagnostics import Place, PlanDiagnostics


def check_pictures(manifest: Manifest, arms: Arms, diagnostics: PlanDiagnostics) -> None:
    """Report models that take no picture and get some (E511), need one and get none (E512), or get two (E513)."""
    for model in manifest.models:
        schema = manifest.schemas[model]
        first, gets_images = first_picture(schema), bool(manifest.images) and manifest.of_model(model).takes_images
        place = Place(("model", manifest.models.index(model)) if manifest.axis_of_models else ("model",))
        if gets_images and first is None:
            hint = f"write models: {{{model}: {{images: none}}}}, and it is made from the text alone"
            diagnostics.add("E511", place, f"{model} takes no picture, and the manifest has images", hint, about="")
        for (prompt, _), arm in arms.items():
            given = next((each for each in arm.parameters if first is not None and each.name == first.name), None)
            if first is None or arm is not arms[prompt, model]:
                continue
            if given is None and not gets_images and _is_required(schema, first.name):
                hint = f"add images, or its file under params: {{{first.name}: PATH}}"
                diagnostics.add("E512", place, f"{model} needs a picture, and gets none", hint, about="")
            elif given is not None and gets_images and not _is_several(schema, first.name):
                hint = "take it out of params, or write images: none for this model under models"
                diagnostics.add("E513", given.place, f"{first.name} is filled by images already", hint, about="")


def _is_required(schema: ModelSchema, name: str) -> bool:
    required = schema.document.get("required")
    return isinstance(required, (list, tuple)) and name in required


def _is_several(schema: ModelSchema, name: str) -> bool:
    return mapping(schema.properties.get(name)).get("type") == "array"
