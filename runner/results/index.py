"""The index: what programs and people read about the jobs of a state. It is derived, and safe to delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from runner.model import JobRecord, Json
from runner.results import page, table
from runner.results.atomic_files import ANEW, replacing, writing
from runner.results.job_document import timestamp
from runner.results.snapshot import Header, IndexSnapshot, snapshot
from runner.state.disk import make_folder

__all__ = ["Header", "write"]

VERSION = 1


def write(target: Path, header: Header, records: Callable[[], Iterable[JobRecord]], *, for_excel: bool = False) -> Path:
    """Writes the index `target`, a JSON file, and the table and the page beside it. Returns `target`.

    All three show the same moment, and each replaces its predecessor completely. Raises DiskError.
    """
    with writing(target.parent, ANEW):
        make_folder(target.parent)
    with snapshot(target.parent, header, records) as jobs:
        for path, writer in (
            (target, _write_json),
            (target.with_suffix(".csv"), table.write_for_excel if for_excel else table.write),
            (target.with_suffix(".html"), page.write),
        ):
            with replacing(path, ANEW) as file:
                writer(file, jobs)
    return target


def _write_json(file: TextIO, jobs: IndexSnapshot) -> None:
    """One job a line, so that a diff of two indexes is readable."""
    head = ",\n".join(f"  {json.dumps(name)}: {_text(value)}" for name, value in _top_members(jobs).items())
    file.write(f'{{\n{head},\n  "jobs": [')
    before = "\n    "
    for line in jobs.lines():
        file.write(before + line)
        before = ",\n    "
    file.write("\n  ]\n}\n" if jobs.count else "]\n}\n")


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _top_members(jobs: IndexSnapshot) -> dict[str, Json]:
    header = jobs.header
    return {
        "version": VERSION,
        "manifest": {
            "name": header.name,
            "file": header.file,
            "sha256": header.sha256,
            "service": header.service,
            "currency": header.currency,
        },
        "generated_at": timestamp(header.generated_at),
        "state": header.state,
        "intents": header.intents,
        "totals": jobs.totals,
    }
