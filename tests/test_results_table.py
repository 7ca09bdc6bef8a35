"""`index.csv`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model import Artifact, JobRecord, Status
from runner.results import table
from runner.results.snapshot import Header, snapshot

HEADER = Header("trail-shoes", "trail-shoes.yaml", "0" * 64, "sandbox", "USD", 0.0)
JOB = JobRecord(
    id="00000000000000aa",
    key="shoe/plain/take-1",
    aliases=("shoe/mood/take-1", "a,b"),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="m",
    variables={"surface": "wet rock", "cfg": 0.3},
    take=1,
    payload={"prompt": "A shoe", "cfg_scale": 0.3},
    status=Status.PENDING,
    reason="new",
)
DONE = replace(
    JOB,
    id="00000000000000bb",
    status=Status.SUCCEEDED,
    attempts=1,
    submitted_at=0.0,
    cost=Decimal("0.25"),
    variables={"surface": "snow", "loud": True, "tags": ["a", "b"]},
    video=Artifact("videos/a b.mp4", "0" * 64, 1234, 5.0, 640, 360, 24.0, "h264"),
    thumbnail=Artifact("thumbnails/a b.jpg", "1" * 64, 12),
)
COLUMNS = """
    id key aliases orphaned image prompt_id model
    variables.cfg variables.loud variables.surface variables.tags take payload.cfg_scale payload.prompt
    status reason request_id attempts submitted_at finished_at cost
    video.path video.sha256 video.bytes video.seconds video.width video.height video.fps video.codec
    thumbnail.path error
"""
LOOKED_AT = [
    "previews.sprite.path",
    "previews.small.path",
    "measures.frozen",
    "measures.black",
    "measures.cuts",
    "measures.flash",
    "measures.flicker",
    "measures.motion",
    "measures.sharpness",
    "measures.drift",
    "measures.first_frame",
    "measures.last_frame",
    "measures.zoom",
    "measures.pan",
    "measures.tilt",
    "measures.roll",
    "measures.wobble",
    "measures.sound",
    "measures.duplicate_of",
    "defects",
    "warnings",
]
# UTF-8 has no surrogates; how they are written is a matter of the file.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def text_of(folder: Path, jobs: Iterable[JobRecord]) -> str:
    file = io.StringIO(newline="")
    with snapshot(folder, HEADER, lambda: jobs) as taken:
        table.write(file, taken)
    return file.getvalue()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_columns_are_the_union_in_a_stable_order(tmp_path: Path) -> None:
    names = text_of(tmp_path, [JOB, DONE]).split("\r\n")[0].split(",")
    assert names == [
        "id",
        "key",
        "aliases",
        "orphaned",
        "image",
        "prompt_id",
        "model",
        "variables.cfg",
        "variables.loud",
        "variables.surface",
        "variables.tags",
        "take",
        "payload.cfg_scale",
        "payload.prompt",
        "status",
        "reason",
        "request_id",
        "attempts",
        "submitted_at",
        "finished_at",
        "cost",
        "video.path",
        "video.sha256",
        "video.bytes",
        "video.seconds",
        "video.width",
        "video.height",
        "video.fps",
        "video.codec",
        "thumbnail.path",
        *LOOKED_AT,
        "pick",
        "credentials.present",
        "credentials.state",
        "credentials.issuer",
        "credentials.source_type",
        "error",
    ]
    assert names == text_of(tmp_path, [DONE, JOB]).split("\r\n")[0].split(",")


def test_cells(tmp_path: Path) -> None:
    first, second = rows_of(text_of(tmp_path, [JOB, DONE]))
    assert json.loads(first["aliases"]) == ["shoe/mood/take-1", "a,b"]
    assert first["orphaned"] == "false"
    assert first["video.path"] == first["cost"] == first["variables.loud"] == ""
    assert second["variables.loud"] == "true"
    assert json.loads(second["variables.tags"]) == ["a", "b"]
    assert second["submitted_at"] == "1970-01-01T00:00:00Z"
    assert second["cost"] == "0.25"
    assert second["thumbnail.path"] == "thumbnails/a b.jpg"


def test_no_jobs_are_a_header_alone(tmp_path: Path) -> None:
    text = text_of(tmp_path, [])
    assert text.startswith("id,key,aliases,")
    assert rows_of(text) == []


def test_rows_and_quotes_are_those_of_rfc_4180(tmp_path: Path) -> None:
    text = text_of(tmp_path, [replace(JOB, reason='a "b", c', error="one\ntwo\rthree")])
    assert ',"a ""b"", c",' in text
    assert text.endswith(',"one\ntwo\rthree"\r\n')


def test_a_text_that_a_spreadsheet_would_run_is_marked_and_a_number_is_not(tmp_path: Path) -> None:
    (row,) = rows_of(text_of(tmp_path, [replace(JOB, payload={"prompt": "=1+1"}, variables={"tilt": -0.5})]))
    assert (row["payload.prompt"], row["variables.tilt"]) == ("'=1+1", "-0.5")


def test_image_variables_have_columns_of_their_own(tmp_path: Path) -> None:
    header = replace(HEADER, pictures={"shoe": {"Farbe": "grün", "price": 3}, "bag": {"size": "L"}})
    gone = replace(JOB, orphaned=True)
    file = io.StringIO(newline="")
    with snapshot(tmp_path, header, lambda: [JOB, replace(JOB, image="bag"), gone]) as taken:
        table.write_for_excel(file, taken)
    text = file.getvalue()
    assert text.startswith("\ufeffid;key;aliases;")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))
    names = ("image_vars.Farbe", "image_vars.price", "image_vars.size")
    assert [[row[name] for name in names] for row in rows] == [["grün", "3", ""], ["", "", "L"], ["", "", ""]]


@settings(max_examples=30, deadline=None)
@given(name=TEXT, value=TEXT, error=TEXT)
def test_any_text_comes_back(name: str, value: str, error: str) -> None:
    job = replace(JOB, variables={name: value}, payload={name: value}, error=error)
    with TemporaryDirectory() as folder:
        (row,) = rows_of(text_of(Path(folder), [job]))
    assert row[f"variables.{name}"] == row[f"payload.{name}"] == marked(value)
    assert row["error"] == marked(error)


def marked(text: str) -> str:
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text


def test_pandas_reads_it_with_types(tmp_path: Path) -> None:
    import pandas  # half a second, which other tests need not wait for

    path = tmp_path / "index.csv"
    path.write_text(text_of(tmp_path, [JOB, DONE]), newline="")
    frame = pandas.read_csv(path)
    assert frame["cost"].dtype == "float64"
    assert frame["take"].dtype == frame["attempts"].dtype == "int64"
    assert frame["orphaned"].dtype == "bool"
    assert frame["variables.cfg"].tolist()[0] == 0.3
    assert frame["video.bytes"].tolist()[1] == 1234
    assert frame.loc[0, ["cost", "video.path", "error", "variables.tags"]].isna().all()
    assert list(frame["id"]) == ["00000000000000aa", "00000000000000bb"]
    assert pandas.to_datetime(frame["submitted_at"])[1] == pandas.Timestamp(0, tz="UTC")
