"""The jobs of a state as a notebook has them: documents as in the index, and a pandas frame of one row a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from runner.diagnostics.html_tables import html_table
from runner.errors import UsageError
from runner.model import Json
from runner.shipped import install_line
from runner.video.measures import DUPLICATE, MEASURES

if TYPE_CHECKING:
    import pandas

_PLACE = {"key": "key", "image": "image", "prompt": "prompt_id", "model": "model"}
_OUTCOME = ("take", "status", "cost", "attempts", "submitted_at", "finished_at")
_CLIP = ("seconds", "width", "height", "fps", "codec", "bytes", "sha256")
_MEASURES = (*MEASURES, DUPLICATE)
_LAST = ("orphaned", "reason", "error", "request_id", "id")
_TAKEN = frozenset((*_PLACE, *_OUTCOME, "video", *_CLIP, *_MEASURES, "defects", "pick", *_LAST))
_TIMES = ("submitted_at", "finished_at")
# pandas knows them for numbers where they are known of one job at least.
_NUMBERS = ("cost", "width", "height", "bytes", "seconds", "fps", *(name for name in MEASURES if name != "sound"))


@dataclass(frozen=True, slots=True, repr=False)
class Results(Sequence[Mapping[str, Json]]):
    """The jobs of a manifest, each as `index.json` has it. `folder` is the output folder, where their paths begin."""

    name: str
    folder: Path
    jobs: tuple[Mapping[str, Json], ...]

    def __len__(self) -> int:
        return len(self.jobs)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Json]: ...
    @overload
    def __getitem__(self, place: slice) -> Results: ...
    def __getitem__(self, place: int | slice) -> Mapping[str, Json] | Results:
        return self.jobs[place] if isinstance(place, int) else Results(self.name, self.folder, self.jobs[place])

    def __repr__(self) -> str:
        done = sum(job["status"] == "succeeded" for job in self.jobs)
        return f"<Results of {self.name}: {done:,} of {len(self):,} jobs succeeded, in {self.folder}>"

    def _repr_html_(self) -> str:
        header = ("key", "status", "cost", "seconds", "pick")
        rows = [
            (
                job["key"],
                job["status"],
                job["cost"],
                _mapping(job["video"]).get("seconds"),
                "picked" * bool(job["pick"]),
            )
            for job in self.jobs
        ]
        return html_table(repr(self)[1:-1], header, rows)

    def to_frame(self) -> pandas.DataFrame:
        """A row a job: numbers are numbers, times are times, and variables, measures and image variables are columns.

        A variable that has the name of another column stands as `variables.NAME`, one of a picture as
        `image_vars.NAME`. `video` is the whole path of the clip. Raises UsageError without pandas.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(f"to_frame needs {error.name}", install_line("pandas")) from None
        rows = [_row(job, self.folder) for job in self.jobs]
        names = dict.fromkeys(name for row in rows for name in row)
        frame = pandas.DataFrame(rows, columns=list(names) or None)
        for name in frame.columns.intersection(_NUMBERS):
            frame[name] = pandas.to_numeric(frame[name])
        for name in frame.columns.intersection(_TIMES):
            frame[name] = pandas.to_datetime(frame[name], utc=True)
        return frame


def _row(job: Mapping[str, Json], folder: Path) -> dict[str, Any]:
    video, measures = _mapping(job["video"]), _mapping(job["measures"])
    return {
        **{name: job[member] for name, member in _PLACE.items()},
        **_variables(job, "variables"),
        **{name: job[name] for name in _OUTCOME},
        "video": str(folder / str(video["path"])) if video else None,
        **{name: video.get(name) for name in _CLIP},
        **{name: measures.get(name) for name in _MEASURES},
        "defects": _defects(job["defects"]),
        "pick": job["pick"],
        **{name: job[name] for name in _LAST},
        **_variables(job, "image_vars"),
    }


def _variables(job: Mapping[str, Json], member: str) -> dict[str, Json]:
    return {f"{member}.{name}" if name in _TAKEN else name: each for name, each in _mapping(job[member]).items()}


def _defects(listed: Json) -> str:
    return ", ".join(str(_mapping(each)["measure"]) for each in listed) if isinstance(listed, list) else ""


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
