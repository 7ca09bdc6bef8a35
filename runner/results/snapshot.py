"""What an index is made from: its header, and the jobs as they were at one moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from runner.model import JobRecord, Json, Status, Variables
from runner.results.atomic_files import ANEW, writing
from runner.results.job_document import NOTHING, job_document


@dataclass(frozen=True, slots=True)
class Header:
    """What the index says about the whole run.

    `file` is the manifest's file name, and `sha256` the digest of its bytes in hex. `service` is the origin of the API,
    or `sandbox`. `currency` is the unit of every cost. `generated_at` is in Unix seconds. `state` is the id of the
    state, and `intents` the highest number that an attempt in it ever had. `pictures` has what is known of each picture
    of the manifest, by its id, `report` tells what is known of a clip beyond its file, and `files` has the path of each
    picture that is a file, relative to the index, by its reference. `comparison` is a part of the page, as HTML.
    """

    name: str
    file: str
    sha256: str
    service: str
    currency: str
    generated_at: float
    state: str | None = None
    intents: int = 0
    pictures: Mapping[str, Variables] = field(default_factory=dict, repr=False)
    report: Callable[[JobRecord], Mapping[str, Json]] = field(default=lambda record: NOTHING, repr=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    comparison: str = field(default="", repr=False)


@dataclass(slots=True)
class IndexSnapshot:
    """The jobs of an index, read from the state once, so that all files of the index agree. They are kept on the disk.

    `folder` is the output folder. `variables`, `parameters`, `image_vars` and `reviewers` are the names that occur in
    any job.
    `cost` is the sum of the known costs; None if no cost is known.
    """

    folder: Path
    header: Header
    totals: dict[str, int] = field(default_factory=lambda: {str(status): 0 for status in Status})
    cost: Decimal | None = None
    variables: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    image_vars: set[str] = field(default_factory=set)
    reviewers: set[str] = field(default_factory=set)
    _spool: TextIO = field(kw_only=True, repr=False)

    @property
    def count(self) -> int:
        return sum(self.totals.values())

    def lines(self) -> Iterator[str]:
        """The JSON text of each job, without line ends, in the order of the state. One reader at a time."""
        self._spool.seek(0)
        return (line.removesuffix("\n") for line in self._spool)

    def jobs(self) -> Iterator[dict[str, Json]]:
        """Each job as the index shows it. One reader at a time."""
        return (json.loads(line) for line in self.lines())

    def add(self, record: JobRecord) -> None:
        # What the manifest says of a picture now may not be what it said when an orphaned job was bought.
        known = {} if record.orphaned else self.header.pictures.get(record.image, {})
        report = self.header.report(record)
        self._spool.write(_json(job_document(record, known, report)) + "\n")
        self.reviewers.update(report["marks"] if isinstance(report["marks"], Mapping) else ())
        self.image_vars.update(known)
        self.totals[record.status] += 1
        if record.cost is not None:
            self.cost = (self.cost or Decimal(0)) + record.cost
        self.variables.update(record.variables)
        self.parameters.update(record.payload)


_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@contextmanager
def snapshot(folder: Path, header: Header, records: Callable[[], Iterable[JobRecord]]) -> Iterator[IndexSnapshot]:
    """A snapshot of the records, kept in a nameless file in `folder` until the block ends.

    Raises DiskError.
    """
    with writing(folder, ANEW), TemporaryFile("w+", dir=folder, encoding="utf-8", errors="surrogatepass") as spool:
        taken = IndexSnapshot(folder, header, _spool=spool)
        for record in records():
            taken.add(record)
        spool.flush()
        yield taken
