"""What is asked for when clips are published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.buckets.bucket import Bucket
from runner.review.publishing.marks.certificates import Certificate


@dataclass(frozen=True, slots=True)
class PublishOrder:
    """What is to be published where, and how. The files beside the clips are None where they are not asked for.

    These lie in folders of this machine, wherever the clips go.
    """

    to: Path | Bucket
    name: str | None = None
    marks: bool = False
    with_prompt: bool = False
    certificate: Certificate | None = None
    has_label: bool = False
    is_anonymous: bool = False
    zip: Path | None = None
    sheet: Path | None = None
    timelines: tuple[Path, ...] = ()

    def sheets(self) -> list[Path]:
        """The grid that plays and the contact sheet."""
        return [] if self.sheet is None else [self.sheet.with_suffix(ending) for ending in (".mp4", ".png")]

    def files(self) -> Iterator[tuple[Path, str]]:
        """The files beside the clips, and the flags that name them."""
        yield from ((file, "--sheet") for file in self.sheets())
        yield from ((file, "--edl and --otio") for file in self.timelines)
        if self.zip is not None:
            yield self.zip, "--zip"
