"""Pictures that are valid, but so small that the video is likely to be blurred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.manifest.pictures.inspection import Rules
from runner.media import first_picture
from runner.model import Image, Manifest, Route
from runner.planning.plan_diagnostics import PlanWarning, place_of_picture

# The vendor asks for pictures "well above" the minimum. This factor is our reading of that.
_WELL_ABOVE = 1.5


def small_pictures(manifest: Manifest) -> Iterator[PlanWarning]:
    """A warning for each entry with pictures whose short side is close to the model's minimum (W802)."""
    schemas = (schema for model, schema in manifest.schemas.items() if manifest.gives_images(model))
    pictured = filter(None, map(first_picture, schemas))
    least = max((Rules.of(parameter).min_side or 0 for parameter in pictured), default=0)
    advised = round(least * _WELL_ABOVE)
    entries: dict[Route, list[Image]] = {}
    for image in manifest.images:
        if image.width and image.height and min(image.width, image.height) < advised:
            entries.setdefault(image.route[:2], []).append(image)
    for images in entries.values():
        yield _of_small(manifest, images, least, advised)


def _of_small(manifest: Manifest, images: Sequence[Image], least: int, advised: int) -> PlanWarning:
    first, *others = images
    side = min(first.width or 0, first.height or 0)
    message = (
        f"{first.written or repr(first.id)} has a short side of {side} px ({first.width} x {first.height}), "
        f"close to the minimum of {least} px; at least {advised} px is advised"
    )
    if others:
        message += f" ({len(others):,} more of this entry {'is' if len(others) == 1 else 'are'} so, too)"
    return PlanWarning(
        "W802", place_of_picture(manifest, first), message, "use a larger picture; scaling it up adds no sharpness"
    )
