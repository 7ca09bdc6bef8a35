"""`index.html`: a run as a matrix of clips, in one file that opens from the disk and needs no network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TextIO
from urllib.parse import quote

from runner.diagnostics.words import money
from runner.model import Json, Status
from runner.results.facets import STATUSES, Facet, facets, places
from runner.results.job_document import timestamp
from runner.results.snapshot import IndexSnapshot
from runner.results.templates.page_parts import TEMPLATES, environment, policy, scripts, styles
from runner.video.measures import MEASURES

# A browser can handle a page with this many cards. Further jobs are only in the other two files.
LIMIT = 10_000
# How many choices of a facet are visible at first; the others are behind a click.
_OPEN_CHOICES = 12
# In the order in which they run. Functions are known to all from the start.
_SCRIPTS = (
    "elements",
    "data",
    "address",
    "deck",
    "filters",
    "layout",
    "sorting",
    "cells",
    "reel",
    "matrix",
    "lens",
    "prose",
    "details",
    "view",
    "pair",
    "marks",
    "transport",
    "bindings",
    "keys",
    "start",
)
_STYLES = ("base", "sheet", "view", "comparison")
# Shown in place of a picture if the job has neither an error nor a reason.
_NOTES = {
    Status.PENDING: "Not submitted yet",
    Status.WAITING: "At the service; the next run goes on with it",
    Status.UNKNOWN: "The answer to its submission was lost",
    Status.SUCCEEDED: "The clip is not in this folder",
    Status.FAILED: "The service could not make this clip",
    Status.REJECTED: "The service refused this request",
    Status.CANCELLED: "Cancelled at the service",
}
# Shown in place of a clip that was deleted.
_GONE = "The clip is not in this folder any more; 'reelrun verify MANIFEST --repair' fetches what the service still has"
_FRAME = 16 / 9
_NARROWEST, _WIDEST = 9 / 16, 16 / 9


@dataclass(frozen=True, slots=True)
class Serving:
    """What differs on a page that a review serves: `by` is who looks at it, `names` are those that jobs go by there,
    and `address` gives the address of a file, by its path relative to the index."""

    by: str
    names: Mapping[str, str]
    address: Callable[[str], str]


def write(file: TextIO, snapshot: IndexSnapshot, serving: Serving | None = None) -> None:
    """Writes the page of a snapshot."""
    address = link if serving is None else serving.address
    jobs = list(islice(snapshot.jobs(), LIMIT))
    found = facets(jobs)
    header = snapshot.header
    cards = [_card(job, at, snapshot, address) for job, at in zip(jobs, places(found, jobs), strict=True)]
    frame = f"{_frame(jobs):.4f}"
    style = styles(*(TEMPLATES / f"styles/{name}.css" for name in _STYLES), root=f"--frame:{frame}")
    script = scripts(*(TEMPLATES / f"scripts/{name}.js" for name in _SCRIPTS))
    pieces = (
        environment(words)
        .get_template("page.html.j2")
        .generate(
            header=header,
            generated_at=timestamp(header.generated_at),
            totals={status: snapshot.totals[status] for status in STATUSES},
            count=snapshot.count,
            cost=None if snapshot.cost is None else money(snapshot.cost, header.currency),
            models=sorted({str(job["model"]) for job in jobs}),
            facets=found,
            open_choices=_OPEN_CHOICES,
            cards=cards,
            data={
                "facets": [_choices(facet) for facet in found],
                "jobs": cards,
                "meanings": dict(MEASURES),
                "serving": None if serving is None else {"by": serving.by, "names": serving.names},
            },
            is_served=serving is not None,
            frame=frame,
            style=style,
            script=script,
            policy=policy(style, script, "'none'" if serving is None else "'self'"),
        )
    )
    file.writelines(pieces)


def link(path: str) -> str:
    """The URL of a file beside the page. `./` keeps a path from being read as a host or a scheme."""
    return "./" + quote(path, errors="surrogateescape")


def words(value: Json) -> str:
    """A value as a person reads it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _card(
    job: dict[str, Json], at: list[list[int]], snapshot: IndexSnapshot, address: Callable[[str], str]
) -> dict[str, Json]:
    """A job as the page shows it: its document, its choices in every facet, and its links and texts for the page."""
    links = _Links(snapshot, address)
    cost, clip = job["cost"], links.of(job["video"])
    is_gone = job["video"] is not None and clip is None
    previews = job.get("previews")
    copies = previews if isinstance(previews, Mapping) else {}
    return job | {
        "choices": at,
        "clip": clip,
        "is_gone": is_gone,
        "still": links.of(job["thumbnail"]),
        "sprite": links.of(copies.get("sprite")),
        "small": links.of(copies.get("small")),
        "source": links.source(job),
        "measures": job.get("measures") or {},
        "defects": job.get("defects") or [],
        "warnings": job.get("warnings") or [],
        "marks": job.get("marks") or {},
        "pick": bool(job.get("pick")),
        "note": _GONE if is_gone else job["error"] or job["reason"] or _NOTES[Status(str(job["status"]))],
        "price": money(cost, snapshot.header.currency) if isinstance(cost, float) else None,
    }


@dataclass(frozen=True, slots=True)
class _Links:
    """The addresses of the files of jobs."""

    snapshot: IndexSnapshot
    address: Callable[[str], str]

    def of(self, artifact: Json) -> str | None:
        """The address of a file; None if there is none any more."""
        if not isinstance(artifact, Mapping) or not (self.snapshot.folder / str(artifact["path"])).is_file():
            return None
        return self.address(str(artifact["path"]))

    def source(self, job: Mapping[str, Json]) -> str | None:
        """The address of the picture that a job was made from, where it is a file that the manifest still names."""
        payload = job["payload"]
        values = payload.values() if isinstance(payload, Mapping) else ()
        found = (self.snapshot.header.files.get(value) for value in values if isinstance(value, str))
        return next((self.address(path) for path in found if path), None)


def _choices(facet: Facet) -> dict[str, Json]:
    choices: list[Json] = [{"key": choice.key, "label": choice.label} for choice in facet.choices]
    return {"name": facet.name, "label": facet.label, "names_images": facet.names_images, "choices": choices}


def _frame(jobs: Sequence[Mapping[str, Json]]) -> float:
    """Width divided by height for the frames of the sheet: the median of the clips, within limits."""
    ratios = [ratio for ratio in (_ratio(job["video"]) for job in jobs) if ratio]
    return min(_WIDEST, max(_NARROWEST, median(ratios))) if ratios else _FRAME


def _ratio(video: Json) -> float | None:
    if not isinstance(video, Mapping):
        return None
    width, height = video["width"], video["height"]
    return width / height if isinstance(width, int) and isinstance(height, int) and height else None
