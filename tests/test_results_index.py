"""The index as a whole: its three files, and the schema of the one for programs."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.errors import DiskError
from runner.model import Artifact, Credentials, JobRecord, Status
from runner.results.index import Header, write
from runner.shipped import shipped
from runner.video.measures import MEASURES

SCHEMA = json.loads((shipped("schemas") / "index.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
HEADER = Header("trail-shoes", "trail-shoes.yaml", "9f" * 32, "https://console.gmicloud.ai", "USD", 1_763_906_700.5)
PENDING = JobRecord(
    id="0123456789abcdef",
    key="shoe/plain/take-1",
    aliases=(),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="Kling-Image2Video-V1.6-Standard",
    variables={},
    take=1,
    payload={"image": "sha256:" + "0" * 64},
    status=Status.PENDING,
    reason="",
)
DONE = replace(
    PENDING,
    id="fedcba9876543210",
    aliases=("shoe/mood/take-1",),
    variables={"surface": "wet rock", "cfg": 0.3, "tags": ["a", None]},
    payload={"image": "https://example.com/a.jpg", "prompt": "Größe \u2028 x", "cfg_scale": 0.3},
    status=Status.SUCCEEDED,
    reason="done",
    request_id="5f0c",
    attempts=2,
    submitted_at=1_763_900_000.0,
    finished_at=1_763_900_140.0,
    cost=Decimal("0.50"),
    video=Artifact("videos/shoe/a #1.mp4", "0" * 64, 12_345, 5.04, 640, 360, 24.0, "h264"),
    thumbnail=Artifact("thumbnails/shoe/a #1.jpg", "1" * 64, 99),
    credentials=Credentials(True, "valid", "somebody", "trainedAlgorithmicMedia"),
)
# What is known of a clip that was looked at.
REPORT = {
    "previews": {"sprite": {"path": "previews/a.webp"}, "small": {"path": "previews/a.mp4"}},
    "measures": {**dict.fromkeys(MEASURES, 0.5), "sound": False, "last_frame": None, "duplicate_of": None},
    "defects": [{"measure": "frozen", "value": 0.5, "limit": 0.3, "spans": [[0.0, 2.5]]}],
    "warnings": [{"code": "camera", "message": "the prompt says push in"}],
    "marks": {"ann": {"mark": "pick", "stars": 4}, "bob.b": {"mark": None, "stars": 1}},
    "pick": True,
}
TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.builds(
    JobRecord,
    id=st.text("0123456789abcdef", min_size=16, max_size=16),
    key=st.text(min_size=1, max_size=20),
    aliases=st.lists(st.text(min_size=1, max_size=20), max_size=2).map(tuple),
    orphaned=st.booleans(),
    image=TEXT,
    prompt_id=TEXT,
    model=st.text(min_size=1, max_size=20),
    variables=st.dictionaries(TEXT, JSON, max_size=3),
    take=st.integers(1, 9),
    payload=st.dictionaries(TEXT | st.just("prompt"), JSON, max_size=3),
    status=st.sampled_from(Status),
    reason=TEXT,
    request_id=st.none() | st.text(min_size=1, max_size=20),
    attempts=st.integers(0, 9),
    submitted_at=st.none() | st.floats(0, 4e9),
    finished_at=st.none() | st.floats(0, 4e9),
    cost=st.none() | st.decimals(0, 10_000, places=4),
    video=st.none() | st.just(DONE.video) | st.just(Artifact("v.mp4", "0" * 64, 0)),
    thumbnail=st.none() | st.just(DONE.thumbnail),
    error=st.none() | TEXT,
)


def test_the_document(tmp_path: Path) -> None:
    path = write(tmp_path / "index.json", HEADER, lambda: [PENDING, DONE])
    assert path == tmp_path / "index.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    VALIDATOR.validate(document)
    assert list(document) == ["version", "manifest", "generated_at", "state", "intents", "totals", "jobs"]
    assert document["version"] == 1
    assert document["manifest"] == {
        "name": "trail-shoes",
        "file": "trail-shoes.yaml",
        "sha256": "9f" * 32,
        "service": "https://console.gmicloud.ai",
        "currency": "USD",
    }
    assert document["generated_at"] == "2025-11-23T14:05:00Z"
    assert (document["state"], document["intents"]) == (None, 0)
    assert document["totals"] == {
        "pending": 1,
        "waiting": 0,
        "unknown": 0,
        "succeeded": 1,
        "failed": 0,
        "rejected": 0,
        "cancelled": 0,
    }
    assert [job["id"] for job in document["jobs"]] == [PENDING.id, DONE.id]
    assert document["jobs"][1]["payload"] == DONE.payload
    assert document["jobs"][1]["finished_at"] == "2025-11-23T12:15:40Z"
    assert document["jobs"][1]["video"]["path"] == "videos/shoe/a #1.mp4"


def test_a_job_has_a_line_of_its_own_in_text_that_people_can_read(tmp_path: Path) -> None:
    jobs = [PENDING, DONE, replace(DONE, take=2)]
    lines = write(tmp_path / "index.json", HEADER, lambda: jobs).read_bytes().decode().split("\n")
    told = [json.loads(line.rstrip(",")) for line in lines if line.startswith('    {"id"')]
    assert [job["take"] for job in told] == [1, 1, 2]
    assert "Größe" in lines[9]
    assert lines[-1] == ""


def test_no_jobs(tmp_path: Path) -> None:
    document = json.loads(write(tmp_path / "index.json", HEADER, list).read_text())
    VALIDATOR.validate(document)
    assert document["jobs"] == []
    assert "There are no jobs yet" in (tmp_path / "index.html").read_text()


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    def everything() -> dict[str, bytes]:
        write(tmp_path / "index.json", HEADER, lambda: [PENDING, DONE])
        return {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}

    first = everything()
    assert sorted(first) == ["index.csv", "index.html", "index.json"]
    assert everything() == first


def test_all_files_show_the_same_moment(tmp_path: Path) -> None:
    states = iter([[PENDING], [replace(PENDING, status=Status.WAITING)] * 2])
    document = json.loads(write(tmp_path / "index.json", HEADER, lambda: next(states)).read_text())
    assert document["totals"]["pending"] == len(document["jobs"]) == 1
    with (tmp_path / "index.csv").open(encoding="utf-8", newline="") as file:
        assert len([*csv.reader(file)]) == 1 + 1
    assert "1 of 1 shown" in (tmp_path / "index.html").read_text()


def test_makes_the_folder(tmp_path: Path) -> None:
    assert write(tmp_path / "outputs" / "trail-shoes" / "index.json", HEADER, lambda: [DONE]).is_file()


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("")
    with pytest.raises(DiskError, match="cannot write"):
        write(tmp_path / "outputs" / "index.json", HEADER, lambda: [DONE])


def test_pandas_reads_it_under_the_names_of_the_table(tmp_path: Path) -> None:
    import pandas  # half a second, which other tests need not wait for

    header = replace(HEADER, report=lambda record: REPORT)
    document = json.loads(write(tmp_path / "index.json", header, lambda: [DONE, replace(DONE, take=2)]).read_text())
    assert VALIDATOR.is_valid(document)
    frame = pandas.json_normalize(document["jobs"])
    table = pandas.read_csv(tmp_path / "index.csv")
    assert set(frame.columns) == set(table.columns)
    assert table[["defects", "warnings"]].values.tolist() == [["frozen", "camera"]] * 2
    for name in (
        "take",
        "cost",
        "variables.cfg",
        "video.bytes",
        "video.fps",
        "key",
        "measures.frozen",
        "marks.ann.stars",
        "marks.ann.mark",
        "pick",
        "credentials.state",
    ):
        assert frame[name].tolist() == table[name].tolist()


@settings(max_examples=20)
@given(st.lists(RECORDS, max_size=4))
def test_whatever_the_state_holds_the_index_is_valid(records: list[JobRecord]) -> None:
    with TemporaryDirectory() as folder:
        document = json.loads(write(Path(folder) / "index.json", HEADER, lambda: records).read_bytes())
        pages = [(Path(folder) / name).read_bytes().decode() for name in ("index.csv", "index.html")]
    VALIDATOR.validate(document)
    assert [job["variables"] for job in document["jobs"]] == [record.variables for record in records]
    assert [job["payload"] for job in document["jobs"]] == [record.payload for record in records]
    assert pages[1].count("<script") == 2


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def parts(schema: Mapping[str, object], name: str = "index") -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every place of a schema that describes something of its own."""
    if "$ref" not in schema and schema != {"type": "null"}:
        yield name, schema
    for group in ("properties", "$defs"):
        members = schema.get(group, {})
        assert isinstance(members, Mapping)
        for member, inner in members.items():
            yield from parts(inner, f"{name}.{member}")
    for keyword in ("items", "additionalProperties"):
        inner = schema.get(keyword)
        if isinstance(inner, Mapping):
            yield from parts(inner, f"{name}[]")


def test_the_schema_explains_everything() -> None:
    found = list(parts(SCHEMA))
    assert len(found) > 50
    assert [name for name, schema in found if not schema.get("description")] == []


def test_the_schema_names_every_status() -> None:
    statuses = [str(status) for status in Status]
    assert SCHEMA["$defs"]["job"]["properties"]["status"]["enum"] == statuses
    assert SCHEMA["properties"]["totals"]["required"] == statuses


@pytest.mark.parametrize("member", list(SCHEMA["$defs"]["job"]["properties"]))
def test_the_schema_wants_every_member_of_a_job(member: str, tmp_path: Path) -> None:
    document = json.loads(write(tmp_path / "index.json", HEADER, lambda: [DONE]).read_text())
    del document["jobs"][0][member]
    (error,) = VALIDATOR.iter_errors(document)
    assert f"'{member}' is a required property" in error.message


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("status", "done"),
        ("cost", "0.25"),
        ("submitted_at", "2025-11-23 12:00"),
        ("take", 0),
        ("video", {"path": "a.mp4"}),
        ("thumbnail", {"path": "/tmp/a.jpg"}),
        ("measures", {"frozen": 2}),
        ("defects", [{"measure": "beauty"}]),
        ("warnings", ["camera"]),
    ],
)
def test_the_schema_refuses_what_is_wrong(member: str, value: object, tmp_path: Path) -> None:
    document = json.loads(write(tmp_path / "index.json", HEADER, lambda: [DONE]).read_text())
    document["jobs"][0][member] = value
    assert not VALIDATOR.is_valid(document)


def test_names_of_later_versions_are_no_error(tmp_path: Path) -> None:
    document = json.loads(write(tmp_path / "index.json", HEADER, lambda: [DONE]).read_text())
    document["jobs"][0]["marks"] = {}
    assert VALIDATOR.is_valid(document | {"more": 1})
