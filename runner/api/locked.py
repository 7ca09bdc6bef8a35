"""The requests of a lockfile, made again from it and the pictures alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from runner.api.body import Body, base64_size
from runner.errors import DiskError
from runner.manifest.json_values import mapping
from runner.model import Image, Origin
from runner.planning.lockfile import Lockfile


def bodies(lockfile: Lockfile) -> Iterator[tuple[str, Body]]:
    """The key of each job with the body of its request, byte for byte as a run submits it.

    A picture that is not the frozen one raises PictureChangedError while its body is read, before the body is
    complete. Raises DiskError for one that is missing.
    """
    images = {image.id: image for image in map(_sized, lockfile.pictures())}
    for job in lockfile.jobs():
        yield str(job["key"]), Body(str(job["model"]), mapping(job["payload"]), images[str(job["image"])])


def _sized(image: Image) -> Image:
    if image.origin is Origin.URL:
        return image
    if image.origin is Origin.INLINE:
        return replace(image, size=base64_size(image.location))
    try:
        return replace(image, size=Path(image.location).stat().st_size)
    except OSError as error:
        hint = "put it back where the lockfile has it, beside the manifest"
        raise DiskError(f"the picture {image.written} cannot be read: {error.strerror}", hint) from error
