"""The objects of buckets that entries of a manifest name. What is wrong with their addresses is reported."""

from __future__ import annotations

import posixpath

from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import TooManyObjectsError
from runner.diagnostics.bucket_words import missing_hint, reason_of
from runner.diagnostics.words import joined, name
from runner.errors import BucketError, UsageError
from runner.manifest.pictures.bucket_globs import MOST_OBJECTS, folder_of, matching_objects
from runner.manifest.pictures.glob_search import TooManyEntriesError
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.model import Route


def object_address(written: str, place: Route, found: ReadingDiagnostics) -> BucketAddress | None:
    """The address of an object; None if it is none, which is reported."""
    try:
        address = BucketAddress.of(written)
    except UsageError as error:
        found.error("E412", place, error.message, error.hint)
        return None
    if not address.path:
        found.error("E412", place, f"{name(written)} is a whole bucket", f"name an object in it: {address}/shoe.jpg")
        return None
    return address


def object_beside(folder: BucketAddress, written: str, place: Route, found: ReadingDiagnostics) -> BucketAddress | None:
    """The object at a path of a table that lies in this folder of a bucket. No such path leads to a disk."""
    path = posixpath.normpath(posixpath.join(folder.path, written))
    if written.startswith("/") or path.startswith(".."):
        hint = f"paths of a table in a bucket lead from its folder, {folder}, or are addresses"
        found.error("E412", place, f"{name(written)} leads out of the bucket", hint)
        return None
    return object_address(str(folder.root.below(path)), place, found)


def objects_of_glob(pattern: str, place: Route, found: ReadingDiagnostics) -> list[BucketAddress]:
    """The objects that match; none where there is an error, which is reported."""
    try:
        folder = folder_of(pattern)
    except UsageError as error:
        found.error("E412", place, error.message, error.hint)
        return []
    try:
        objects, others = matching_objects(pattern, found.objects)
    except (BucketError, UsageError) as error:
        found.error("E421", place, f"{folder} cannot be read: {reason_of(error)}", error.hint)
        return []
    except (TooManyObjectsError, TooManyEntriesError):
        message = f"the glob {name(pattern)} looks at more than {MOST_OBJECTS:,} objects"
        found.error("E105", place, message, "begin it with the folder that holds the pictures")
        return []
    told = joined((each.name for each in others), "and", limit=6)
    if objects and others:
        hint = "capital and small letters count: write them as the bucket has them, or [Aa] for both"
        found.warning("W413", place, f"{name(pattern)} leaves out {told}", hint)
    elif not objects:
        nearly = f"it nearly matches {told}; capital and small letters count"
        hint = nearly if others else missing_hint(folder.below("*"), found.objects)
        found.error("E408", place, f"no object matches {name(pattern)}", hint)
    return objects
