"""The copy of a clip as it is published: the delivered file itself, or with a label, and marked."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.model import Json, canonical_json
from runner.review.publishing.marks import xmp
from runner.review.publishing.marks.certificates import Certificate
from runner.review.publishing.marks.signing import SignedClaim, UnsignedError, sign
from runner.review.publishing.marks.xmp import SourceMark
from runner.state.disk import hash_file

MP4 = ".mp4"


class CopyError(Exception):
    """A clip cannot be published as it is asked for. The message is for people."""


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """How a clip is to be published. Without a mark it is the delivered file, or that with a label.

    `label` is a text to be burnt in. `is_sealed`: it came with credentials, which any change to the file would break.
    """

    source: Path
    sha256: str
    mark: SourceMark | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    certificate: Certificate | None = None
    label: str = ""
    is_sealed: bool = False

    @property
    def suffix(self) -> str:
        return MP4 if self.label else self.source.suffix

    @property
    def is_mp4(self) -> bool:
        return self.suffix == MP4

    @property
    def is_marked_inside(self) -> bool:
        """Whether the mark goes into the file: one with a seal is left whole, unless it gets a seal of ours."""
        keeps_seal = self.is_sealed and self.certificate is None and not self.label
        return self.mark is not None and self.is_mp4 and not keeps_seal

    @property
    def sidecar(self) -> bytes | None:
        """The mark, where it cannot stand in the file."""
        return None if self.mark is None or self.is_marked_inside else xmp.packet(self.mark)

    @property
    def recipe(self) -> str:
        """Tells two copies of one clip apart that are not made alike. A signature differs each time."""
        said: dict[str, Json] = {"source": self.sha256, "label": self.label}
        if self.mark is not None and self.is_marked_inside:
            said["mark"] = xmp.packet(self.mark).decode()
        if self.certificate is not None and self.is_mp4:
            said |= {"certificate": self.certificate.digest, "facts": self.facts}
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()


def make_copy(order: CopyOrder, target: Path) -> None:
    """Write the copy. Raises CopyError and OSError."""
    work = target.with_name(f"{target.name}-work")
    try:
        _copy(order, target)
        if order.mark is None or not order.is_marked_inside:
            return
        xmp.append(target, xmp.packet(order.mark))
        if order.certificate is not None:
            # Last: whatever came after it would break the seal.
            sign(target, work, _claim(order, order.mark), order.certificate, order.source)
            work.replace(target)
    except (ValueError, UnsignedError) as error:
        raise CopyError(str(error)) from None
    finally:
        work.unlink(missing_ok=True)


def _copy(order: CopyOrder, target: Path) -> None:
    if order.label:
        # Imported here: FFmpeg takes long to load.
        from runner.review.publishing.marks.burnt_label import LabelError, burn_label

        try:
            burn_label(order.source, target, order.label)
        except LabelError as error:
            raise CopyError(str(error)) from None
        return
    shutil.copyfile(order.source, target)
    if hash_file(target) != order.sha256:
        raise CopyError("it was changed while it was copied")


def _claim(order: CopyOrder, mark: SourceMark) -> SignedClaim:
    facts: dict[str, Any] = dict(order.facts)
    return SignedClaim(mark.title, mark.system, mark.source_type, facts, is_edited=bool(order.label))
