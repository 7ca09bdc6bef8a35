"""The lockfile: stable, the same on every machine, and exact about what drifted."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.errors import DriftError, Exit, UsageError
from runner.manifest.reader import load
from runner.planning import lockfile
from runner.planning.plan import make_plan
from runner.shipped import shipped
from tests.kit import picture_bytes, write_manifest

SCHEMA = json.loads((shipped("schemas") / "lockfile.schema.json").read_text())
FAR = "https://example.com/bag.jpg"


def whole(folder: Path, **keys: object) -> Path:
    """A manifest with every kind of file."""
    for name in ("prompts", "looks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "prompts" / "mood.j2").write_text("Fog drifts over {{ s }}")
    for number in range(4):
        (folder / "looks" / f"l{number}.png").write_bytes(picture_bytes(10 + number, kind="PNG"))
    (folder / "products.csv").write_text("image,id,product\np0.jpg,shoe,shoe\np1.jpg,bag,bag\n")
    content = {
        "pictures": 2,
        "images": [{"glob": "looks/*.png"}, {"table": "products.csv"}, {"url": FAR, "id": "far"}],
        "prompts": [{"file": "prompts/mood.j2"}, {"id": "plain", "text": "A slow pan on {{ s }}"}],
        "matrix": {"s": ["wet rock", "warm sand"]},
        **keys,
    }
    return write_manifest(folder, **content)


def text(path: Path) -> str:
    manifest = load(path)
    return "".join(lockfile.lines(manifest, [each.job for each in make_plan(manifest).jobs]))


def lock(path: Path) -> Path:
    target = lockfile.path_of(path)
    target.write_text(text(path), encoding="utf-8")
    return target


def drift(path: Path) -> list[str]:
    manifest = load(path)
    frozen = lockfile.read(lockfile.path_of(path))
    return list(lockfile.drift(frozen, manifest, [each.job for each in make_plan(manifest).jobs]))


def edit(path: Path, **keys: object) -> None:
    """Change top-level keys of the manifest."""
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **keys}, sort_keys=False))


def test_it_stands_beside_the_manifest_and_fits_its_schema(tmp_path):
    path = whole(tmp_path)
    assert lockfile.path_of(path) == tmp_path / "campaign.lock.json"
    document = json.loads(text(path))
    Draft202012Validator(SCHEMA).validate(document)
    assert "not deterministic" in document["note"]
    assert [each["path"] for each in document["files"]] == ["campaign.yaml", "products.csv", "prompts/mood.j2"]
    assert [each["id"] for each in document["pictures"]] == ["bag", "far", "l0", "l1", "l2", "l3", "shoe"]
    assert len(document["jobs"]) == 28


def test_one_job_a_line_in_the_order_of_keys(tmp_path):
    rows = [line.strip().rstrip(",") for line in text(whole(tmp_path)).splitlines()]
    keys = [json.loads(row)["key"] for row in rows if row.startswith('{"key"')]
    assert len(keys) == 28
    assert keys == sorted(keys)


def test_one_job_more_is_one_line_more(tmp_path):
    path = whole(tmp_path)
    before = text(path).splitlines()
    edit(path, matrix={"s": ["wet rock", "warm sand", "snow"]})
    after = [line for line in text(path).splitlines() if '"kind": "manifest"' not in line]
    assert [line for line in before if line not in after and '"kind": "manifest"' not in line] == []
    assert len(after) == len(before) - 1 + 14


def test_nothing_of_the_machine_is_in_it(tmp_path, monkeypatch):
    """Another folder, another current folder, other times, another order of the file system, other line ends."""
    here, there = tmp_path / "here", tmp_path / "there" / "deeper"
    path = whole(here)
    first = text(path)
    there.mkdir(parents=True)
    names = [each.relative_to(here) for each in here.rglob("*") if each.is_file()]
    random.Random(4).shuffle(names)
    for name in names:
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        content = (here / name).read_bytes()
        is_text = name.suffix in (".yaml", ".csv", ".j2")
        (there / name).write_bytes(content.replace(b"\n", b"\r\n") if is_text else content)
        os.utime(there / name, (1_000_000, 1_000_000))
    monkeypatch.chdir(there)
    assert text(Path("campaign.yaml")) == first
    assert str(tmp_path) not in first


def test_a_picture_behind_a_link_and_one_of_an_absolute_path_are_told_as_the_manifest_has_them(tmp_path):
    path = whole(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "looks", tmp_path / "elsewhere" / "real")
    (tmp_path / "looks").symlink_to(tmp_path / "elsewhere" / "real")
    edit(path, images=[{"glob": "looks/*.png"}, {"file": str(tmp_path / "p0.jpg"), "id": "own"}])
    paths = [each["path"] for each in json.loads(text(path))["pictures"]]
    assert paths == [*(f"looks/l{number}.png" for number in range(4)), "p0.jpg"]


def test_nothing_drifted(tmp_path):
    path = whole(tmp_path)
    lock(path)
    assert drift(path) == []
    lockfile.check(load(path), [each.job for each in make_plan(load(path)).jobs])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: (f / "prompts/mood.j2").write_text("Mist drifts over {{ s }}"),
         ["prompts/mood.j2 changed", "job l0/mood/s=wet-rock/take-1 changed: prompt (and 13 more)"]),
        (lambda f: (f / "prompts/mood.j2").write_text("Fog drifts over {{ s }}{# no word more #}"),
         ["prompts/mood.j2 changed"]),
        (lambda f: (f / "products.csv").write_text("image,id,product\np0.jpg,shoe,boot\np1.jpg,bag,bag\n"),
         ["products.csv changed"]),
        (lambda f: (f / "looks/l2.png").write_bytes(picture_bytes(99, kind="PNG")),
         ["picture l2 changed", "job l2/mood/s=wet-rock/take-1 changed: image (and 3 more)"]),
        (lambda f: (f / "looks/l2.png").unlink(),
         ["picture l2 is gone", "job l2/mood/s=warm-sand/take-1 is gone (and 3 more)"]),
        (lambda f: (f / "looks/l9.png").write_bytes(picture_bytes(99, kind="PNG")),
         ["picture l9 is not in the lockfile", "job l9/mood/s=wet-rock/take-1 is new (and 3 more)"]),
        (lambda f: (f / "campaign.yaml").write_text((f / "campaign.yaml").read_text() + "# a comment\n"),
         ["campaign.yaml changed"]),
        (lambda f: edit(f / "campaign.yaml", name="other"), ["name: test -> other", "campaign.yaml changed"]),
        (lambda f: edit(f / "campaign.yaml", takes=2),
         ["campaign.yaml changed", "job l0/mood/s=wet-rock/take-2 is new (and 27 more)"]),
        (lambda f: edit(f / "campaign.yaml", prompts=[{"file": "prompts/mood.j2", "id": "fog"}]),
         ["campaign.yaml changed", "job l0/fog/s=wet-rock/take-1 is the new key of a job (and 13 more)",
          "job bag/plain/s=warm-sand/take-1 is gone (and 13 more)"]),
        (lambda f: edit(f / "campaign.yaml", params={"cfg_scale": 0.7}),
         ["campaign.yaml changed", "job l0/mood/s=wet-rock/take-1 changed: cfg_scale (and 27 more)"]),
    ],
)  # fmt: skip
def test_what_drifted_is_told(tmp_path, change, told):
    path = whole(tmp_path)
    lock(path)
    change(tmp_path)
    assert drift(path) == told
    manifest = load(path)
    with pytest.raises(DriftError) as caught:
        lockfile.check(manifest, [each.job for each in make_plan(manifest).jobs])
    assert caught.value.exit_code is Exit.INVALID
    assert all(f"\n  {each}" in caught.value.message for each in told)


def test_another_schema_is_drift_and_another_version_of_the_tool_is_none(tmp_path):
    path = whole(tmp_path)
    target = lock(path)
    document = json.loads(target.read_text())
    target.write_text(json.dumps({**document, "tool": "reelrun 0.0.1"}))
    assert drift(path) == []
    target.write_text(json.dumps({**document, "schemas": {**document["schemas"], "manifest": "0" * 64}}))
    assert drift(path) == ["schema manifest changed"]


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1), st.floats(0, 1))
def test_any_text_and_number_is_frozen_as_it_is(tmp_path_factory, words, number):
    # What looks like a template is none here.
    assume(not re.search(r"[{}][{}%#]|[%#]}", words))
    folder = tmp_path_factory.mktemp("any")
    path = write_manifest(
        folder, vars={"w": words}, prompts=[{"id": "a", "text": "{{ w }}"}], params={"cfg_scale": number}
    )
    if len(words) <= 2500:
        lock(path)
        assert drift(path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no lockfile campaign.lock.json"),
        ("<<<<<<< HEAD\n{}", "is not JSON"),
        ("[]", "is damaged at its top"),
        ('{"version": 2}', "is of version 2"),
        ('{"version": 1}', "is damaged at note: missing"),
    ],
)
def test_a_lockfile_that_is_none(tmp_path, content, message):
    path = tmp_path / "campaign.lock.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=message) as caught:
        lockfile.read(path)
    assert caught.value.hint


def test_a_damaged_job_is_told_by_its_place(tmp_path):
    target = lock(whole(tmp_path))
    document = json.loads(target.read_text())
    document["jobs"][3]["take"] = "1"
    target.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="damaged at jobs/3/take"):
        lockfile.read(target)
