"""A clip as it is published, and what the list says of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.model import JobRecord, Json
from runner.results.table import cell_text

COLUMNS = (
    "path",
    "sha256",
    "source_sha256",
    "job",
    "key",
    "request_id",
    "model",
    "prompt",
    "image",
    "cost",
    "picked_by",
)


@dataclass(frozen=True, slots=True)
class PublishedClip:
    """A pick with its file: `source` is what was delivered, and `path` where it is published, below the folder.

    `picked_by` is None where it is not to be told.
    """

    record: JobRecord
    source: Path
    path: str
    picked_by: tuple[str, ...] | None

    @property
    def source_sha256(self) -> str:
        return self.record.video.sha256 if self.record.video is not None else ""

    @property
    def title(self) -> str:
        """Its name, without extension."""
        return self.path.removesuffix(Path(self.path).suffix)

    def document(self, sha256: str) -> dict[str, Json]:
        """As published.json has it; `sha256` is that of the published file."""
        record = self.record
        return {
            "path": self.path,
            "sha256": sha256,
            "source_sha256": self.source_sha256,
            "job": record.id,
            "key": record.key,
            "request_id": record.request_id,
            "model": record.model,
            "prompt": record.prompt_id,
            "image": record.image or None,
            "cost": None if record.cost is None else float(record.cost),
            "picked_by": None if self.picked_by is None else list(self.picked_by),
        }


def table_of(documents: Sequence[dict[str, Json]]) -> str:
    """The list as CSV, safe for spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in documents:
        pickers = each["picked_by"]
        names = " ".join(map(str, pickers)) if isinstance(pickers, list) else None
        writer.writerow([cell_text(value) for value in ({**each, "picked_by": names}[name] for name in COLUMNS)])
    return text.getvalue()
