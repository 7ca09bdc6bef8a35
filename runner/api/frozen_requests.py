"""Makes the requests of a lockfile again, from nothing but the lockfile and the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from runner.api.body import Body, base64_size
from runner.api.request_files import files_of
from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.buckets.bucket_files import BucketFiles
from runner.errors import DiskError
from runner.manifest.json_values import mapping
from runner.manifest.schema.model_schemas import shipped_schema
from runner.media import USUAL_PICTURE, parameters_of
from runner.model import Image, Origin
from runner.planning.lockfile import Lockfile
from runner.shipped import shipped_models


def bodies(lockfile: Lockfile) -> Iterator[tuple[str, Body]]:
    """The key of each job and the body of its request, byte for byte as a run submits it.

    If a picture differs from the frozen one, iterating over the body raises PictureChangedError before the body is
    complete. Raises DiskError if a picture is missing, and BucketError and UsageError as `BucketFiles` does.
    """
    objects = BucketFiles()
    images = {image.reference: image for image in (_sized(each, objects) for each in lockfile.pictures())}
    for key, job in lockfile.jobs():
        payload, model = mapping(job["payload"]), str(job["model"])
        parameters = parameters_of(shipped_schema(model)) if model in shipped_models() else (USUAL_PICTURE,)
        yield key, Body(model, payload, files_of(payload, parameters, images, {}))


def _sized(image: Image, objects: BucketFiles) -> Image:
    if image.origin is Origin.URL:
        return image
    if image.origin is Origin.INLINE:
        return replace(image, size=base64_size(image.location))
    if is_bucket_address(image.written):
        address = BucketAddress.of(image.written)
        stored = objects.find(address)
        if stored is None:
            raise DiskError(f"the picture {image.written} does not exist", "put it back where the lockfile has it")
        copy = objects.copy(address, stored)
        return replace(image, location=str(copy.path), size=copy.size)
    try:
        return replace(image, size=Path(image.location).stat().st_size)
    except OSError as error:
        hint = "put it back where the lockfile has it, beside the manifest"
        raise DiskError(f"the picture {image.written} cannot be read: {error.strerror}", hint) from error
