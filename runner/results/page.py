"""`index.html`: a run as a matrix of clips, in one file that opens from the disk and needs no network."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TextIO
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from runner.diagnostics.words import money
from runner.model import Json, Status
from runner.results.facets import STATUSES, Facet, facets, places
from runner.results.job_document import timestamp
from runner.results.snapshot import IndexSnapshot

# A browser can handle a page with this many cards. Further jobs are only in the other two files.
LIMIT = 10_000
# How many choices of a facet are visible at first; the others are behind a click.
_OPEN_CHOICES = 12
_TEMPLATES = Path(__file__).parent / "templates"
# In the order in which they run. Functions are known to all from the start.
_SCRIPTS = (
    "data",
    "address",
    "deck",
    "filters",
    "layout",
    "cells",
    "reel",
    "matrix",
    "lens",
    "prose",
    "details",
    "view",
    "pair",
    "transport",
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


def write(file: TextIO, snapshot: IndexSnapshot) -> None:
    """Writes the page of a snapshot."""
    jobs = list(islice(snapshot.jobs(), LIMIT))
    found = facets(jobs)
    header = snapshot.header
    cards = [_card(job, at, snapshot) for job, at in zip(jobs, places(found, jobs), strict=True)]
    frame = f"{_frame(jobs):.4f}"
    style = Markup(f":root{{--frame:{frame}}}\n" + "\n".join(_asset(f"styles/{name}.css") for name in _STYLES))
    scripts = "\n".join(_asset(f"scripts/{name}.js") for name in _SCRIPTS)
    script = Markup(f'"use strict";\n{{\n{scripts}}}\n')
    pieces = (
        _environment()
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
            data={"facets": [_choices(facet) for facet in found], "jobs": cards},
            frame=frame,
            style=style,
            script=script,
            policy=_policy(style, script),
        )
    )
    file.writelines(pieces)


def link(path: str) -> str:
    """The URL of a file beside the page. `./` keeps a path from being read as a host or a scheme."""
    return "./" + quote(path, errors="surrogateescape")


def words(value: Json) -> str:
    """A value as a person reads it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _card(job: dict[str, Json], at: list[list[int]], snapshot: IndexSnapshot) -> dict[str, Json]:
    """A job as the page shows it: its document, its choices in every facet, and its links and texts for the page."""
    cost, clip = job["cost"], _link(job["video"], snapshot)
    is_gone = job["video"] is not None and clip is None
    previews = job.get("previews")
    copies = previews if isinstance(previews, Mapping) else {}
    return job | {
        "choices": at,
        "clip": clip,
        "is_gone": is_gone,
        "still": _link(job["thumbnail"], snapshot),
        "sprite": _link(copies.get("sprite"), snapshot),
        "small": _link(copies.get("small"), snapshot),
        "source": _source(job, snapshot),
        "measures": job.get("measures") or {},
        "defects": job.get("defects") or [],
        "warnings": job.get("warnings") or [],
        "note": _GONE if is_gone else job["error"] or job["reason"] or _NOTES[Status(str(job["status"]))],
        "price": money(cost, snapshot.header.currency) if isinstance(cost, float) else None,
    }


def _link(artifact: Json, snapshot: IndexSnapshot) -> str | None:
    """The address of a file; None if there is none any more."""
    if not isinstance(artifact, Mapping) or not (snapshot.folder / str(artifact["path"])).is_file():
        return None
    return link(str(artifact["path"]))


def _source(job: Mapping[str, Json], snapshot: IndexSnapshot) -> str | None:
    """The address of the picture that a job was made from, where it is a file that the manifest still names."""
    payload = job["payload"]
    values = payload.values() if isinstance(payload, Mapping) else ()
    found = (snapshot.header.files.get(value) for value in values if isinstance(value, str))
    return next((link(path) for path in found if path), None)


def _choices(facet: Facet) -> dict[str, Json]:
    choices: list[Json] = [{"key": choice.key, "label": choice.label} for choice in facet.choices]
    return {"name": facet.name, "label": facet.label, "choices": choices}


def _frame(jobs: Sequence[Mapping[str, Json]]) -> float:
    """Width divided by height for the frames of the sheet: the median of the clips, within limits."""
    ratios = [ratio for ratio in (_ratio(job["video"]) for job in jobs) if ratio]
    return min(_WIDEST, max(_NARROWEST, median(ratios))) if ratios else _FRAME


def _ratio(video: Json) -> float | None:
    if not isinstance(video, Mapping):
        return None
    width, height = video["width"], video["height"]
    return width / height if isinstance(width, int) and isinstance(height, int) and height else None


def _policy(style: str, script: str) -> str:
    """The Content-Security-Policy: whatever a prompt holds, only these two texts take effect, and nothing is sent."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Without sort_keys, which is Jinja's default: the page shows the members of a job in their order.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters["words"] = words
    return environment
