"""The verdict on a manifest with errors: what reading found, and what planning finds in the rest of it."""

from __future__ import annotations

from runner.errors import Diagnostic, ManifestError, Severity
from runner.manifest.reader import Reading
from runner.model import Manifest
from runner.planning.plan import make_plan


def sound(reading: Reading) -> Manifest:
    """The manifest of a reading without errors. Raises ManifestError with all problems, those of planning included.

    Warnings of planning wait until there are no errors.
    """
    if reading.manifest is None:
        raise ManifestError(reading.diagnostics)
    if not reading.has_errors:
        return reading.manifest
    try:
        make_plan(reading.manifest, warnings=reading.diagnostics)
    except ManifestError as error:
        told = set(reading.diagnostics)
        raise ManifestError(each for each in error.diagnostics if each in told or _is_new(each, reading)) from None
    raise ManifestError(reading.diagnostics)


def _is_new(found: Diagnostic, reading: Reading) -> bool:
    return found.severity is Severity.ERROR and not reading.consequences.have(found)
