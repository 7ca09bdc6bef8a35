"""Content Credentials (C2PA) for a published clip: who says that AI made it, with what, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.review.publishing.marks.certificates import Certificate
from runner.shipped import install_line
from runner.version import RELEASE
from runner.video.credentials import MP4, SETTINGS, credentials_of

_LABEL = "org.reelrun.job"


class UnsignedError(Exception):
    """A clip could not be signed, or what was signed is not valid."""


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """What is claimed of a clip. `job` are further facts of it. `is_edited`: a label was burnt into it."""

    title: str
    system: str
    source_type: str
    job: Mapping[str, Any]
    is_edited: bool = False


def check_extra() -> None:
    """Raises UsageError where credentials cannot be written."""
    try:
        import c2pa  # noqa: F401
    except ImportError as error:
        raise UsageError(f"--certificate needs {error.name}", install_line("provenance")) from None


def sign(source: Path, target: Path, claim: SignedClaim, certificate: Certificate, delivered: Path) -> None:
    """Write `source` with credentials to `target`. Those that the delivered clip came with are kept as its parent.

    Raises UnsignedError and OSError.
    """
    import c2pa

    has_parent = credentials_of(delivered).present
    settings = {**SETTINGS, "builder": {"thumbnail": {"enabled": False}}}
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
        info = c2pa.C2paSignerInfo(certificate.algorithm, certificate.chain.encode(), certificate.key.encode(), None)
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder.from_json(_manifest(claim, has_parent=has_parent), context) as builder,
        ):
            if has_parent:
                with delivered.open("rb") as file:
                    parent = {"title": delivered.name, "relationship": "parentOf", "instance_id": "parent"}
                    builder.add_ingredient(parent, MP4, file)
            with source.open("rb") as file, target.open("w+b") as made:
                builder.sign(signer, MP4, file, made)
    except c2pa.C2paError as error:
        raise UnsignedError(f"it cannot be signed: {error}") from None
    state = credentials_of(target).state
    if state not in ("valid", "trusted"):
        raise UnsignedError(f"its credentials would be {state}")


def _manifest(claim: SignedClaim, *, has_parent: bool) -> dict[str, Any]:
    agent = {"name": claim.system}
    made = {"action": "c2pa.created", "digitalSourceType": claim.source_type, "softwareAgent": agent}
    opened = {"action": "c2pa.opened", "parameters": {"org.cai.ingredientIds": ["parent"]}}
    labelled = {"action": "c2pa.edited", "softwareAgent": {"name": "reelrun"}}
    actions = [opened if has_parent else made, *([labelled] if claim.is_edited else [])]
    return {
        "claim_generator_info": [{"name": "reelrun", "version": RELEASE}],
        "title": claim.title,
        "format": MP4,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": _LABEL, "data": dict(claim.job)},
        ],
    }
