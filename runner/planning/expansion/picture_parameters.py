"""Whether the images of a manifest and its models fit: each model gets its first picture from one place, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from runner.manifest.json_values import items
from runner.media import MediaParameter, Medium, first_picture, media_of, takes_several
from runner.model import Image, Manifest, Prompt, Variables
from runner.planning.expansion.arms import Arm, Arms
from runner.planning.plan_diagnostics import Place, PlanDiagnostics

# Width and height as the parameters of models have them: 1280x720, 1280*720.
_SIZE = re.compile(r"([0-9]{1,5})[x*]([0-9]{1,5})")


def unfit(manifest: Manifest, arms: Arms, diagnostics: PlanDiagnostics) -> frozenset[tuple[str, str]]:
    """The prompts and models whose picture is wrong, which is reported: nothing more need be said of their cells."""
    return frozenset(
        (prompt.id, model)
        for model in manifest.models
        for prompt in manifest.prompts
        if not _fits(manifest, model, prompt, arms[prompt.id, model], diagnostics)
    )


def _fits(manifest: Manifest, model: str, prompt: Prompt, arm: Arm, diagnostics: PlanDiagnostics) -> bool:
    for code, place, message, hint in _wrong(manifest, model, prompt, arm):
        diagnostics.add(code, place, message, hint)
        return False
    return True


def _wrong(manifest: Manifest, model: str, prompt: Prompt, arm: Arm) -> Iterator[tuple[str, Place, str, str]]:
    """A model that takes no picture and gets some (E511), needs one and gets none (E512), or gets two (E513)."""
    schema, gets_images = manifest.schemas[model], manifest.gives_images(model)
    place = Place(("model", manifest.models.index(model)) if manifest.axis_of_models else ("model",))
    first = first_picture(schema)
    if first is None:
        if gets_images:
            hint = f"write models: {{{model}: {{images: none}}}}, and its videos are made from the text alone"
            yield "E511", place, f"{model} takes no picture, and the manifest has images", hint
        return
    given = next((each for each in arm.parameters if each.name == first.name), None)
    if given is None and not gets_images and first.name in items(schema.document.get("required")):
        hint = f"add images, or its file under params: {{{first.name}: PATH}}"
        yield "E512", place, f"{model} needs a picture, and gets none", hint
    elif given is not None and gets_images and not takes_several(schema, first):
        hint = f"take it out of params, or write models: {{{model}: {{images: none}}}}"
        yield "E513", given.place, f"{first.name} of {model} is filled by images already", hint


def wrong_sizes(
    payload: Variables, parameters: Iterable[MediaParameter], known: Mapping[str, Image]
) -> Iterator[tuple[Medium, str]]:
    """The pictures of a request that are not exactly as large as another parameter says (`sizeOf`), and a message."""
    for medium in media_of(payload, parameters):
        name, image = str(medium.parameter.rules.get("sizeOf")), known.get(medium.text)
        asked = _SIZE.fullmatch(str(payload.get(name)))
        if not asked or image is None or image.width is None:
            continue
        if (image.width, image.height) != (int(asked[1]), int(asked[2])):
            yield medium, f"{image.id} has {image.width} x {image.height} px; {name} is {asked[0]}, and they must agree"
