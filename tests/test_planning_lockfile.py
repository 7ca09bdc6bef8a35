"""The lockfile: stable, the same on every machine, and exact about what drifted."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
from tests.command import ROOT
from tests.kit import MODEL, picture_bytes, write_manifest

SCHEMA = json.loads((shipped("schemas") / "lockfile.schema.json").read_text())
FAR = "https://example.com/bag.jpg"
VERSION_1 = Path(__file__).parent / "examples" / "lockfiles" / "version-1.lock.json"


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
    plan = make_plan(load(path))
    return "".join(lockfile.lines(plan.manifest, [each.job for each in plan.jobs]))


def lock(path: Path) -> Path:
    target = lockfile.path_of(path)
    target.write_text(text(path), encoding="utf-8")
    return target


def drift(path: Path) -> lockfile.Drift:
    manifest = load(path)
    frozen = lockfile.read(lockfile.path_of(path))
    return lockfile.drift(frozen, make_plan(manifest).manifest, [each.job for each in make_plan(manifest).jobs])


def rows_of(path: Path) -> list[str]:
    return text(path).splitlines()


def edit(path: Path, **keys: object) -> None:
    """Change top-level keys of the manifest."""
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **keys}, sort_keys=False))


def test_it_stands_beside_the_manifest_and_fits_its_schema(tmp_path):
    path = whole(tmp_path)
    assert lockfile.path_of(path) == tmp_path / "campaign.lock.json"
    document = json.loads(text(path))
    Draft202012Validator(SCHEMA).validate(document)
    assert "not deterministic" in document["note"]
    assert list(document) == ["version", "note", "set", "schemas", "files", "pictures", "prices", "jobs"]
    assert {path: each["kind"] for path, each in document["files"].items()} == {
        "products.csv": "table", "prompts/mood.j2": "prompt",
    }  # fmt: skip
    assert list(document["pictures"]) == ["bag", "far", "l0", "l1", "l2", "l3", "shoe"]
    assert (document["version"], document["set"], len(document["jobs"])) == (2, {}, 28)


def test_a_key_a_line_its_value_on_the_next_and_a_blank_line_between_sorted(tmp_path):
    rows = rows_of(whole(tmp_path, budget={"price_per_job": 0.25}))
    document = json.loads("\n".join(rows))
    for name in ("schemas", "files", "pictures", "prices", "jobs"):
        first = rows.index(f'  "{name}": {{') + 1
        inside = rows[first : rows.index("  },", first) if name != "jobs" else -2]
        assert inside[2::3] == [""] * (len(document[name]) - 1)
        keys = [json.loads(row.strip().removesuffix(":")) for row in inside[::3]]
        assert keys == sorted(document[name]), name
        assert [json.loads(row.strip().removesuffix(",")) for row in inside[1::3]] == [
            document[name][key] for key in keys
        ]
    assert document["prices"] == {MODEL: {"price_per_job": 0.25, "currency": "USD"}}


def test_a_fragment_and_the_file_of_a_prompt_are_told_apart(tmp_path):
    (tmp_path / "brand.j2").write_text("A slow pan")
    path = write_manifest(tmp_path, prompts=[{"id": "a", "text": "{% include 'brand.j2' %}"}])
    manifest = make_plan(load(path)).manifest
    document = json.loads("".join(lockfile.lines(manifest, ())))
    assert {name: each["kind"] for name, each in document["files"].items()} == {"brand.j2": "fragment"}
    assert document["jobs"] == {}


def test_one_job_more_is_a_key_a_value_and_a_blank_line_more(tmp_path):
    path = whole(tmp_path)
    before = rows_of(path)
    edit(path, matrix={"s": ["wet rock", "warm sand", "snow"]})
    after = rows_of(path)
    assert [line for line in before if line not in after] == []
    assert len(after) == len(before) + 3 * 14


def sides(rows: Sequence[str], jobs: int, chance: random.Random) -> tuple[list[str], list[str], list[str]]:
    """A text, and two edits of it, each of other jobs: another request under a key, another key, or both."""
    first = rows.index('  "jobs": {') + 1
    chosen = chance.sample(range(jobs), chance.randrange(2, 9))
    edits: list[dict[int, list[str]]] = [{}, {}]
    for place, number in enumerate(chosen):
        key, value = first + 3 * number, first + 3 * number + 1
        kind, lines = chance.choice(["request", "key", "both"]), edits[place % 2]
        if kind != "key":
            lines[value] = [rows[value].replace('"id": "', f'"id": "{place}')]
        if kind != "request":
            lines[key] = [rows[key].replace("take-1", f"take-1~{place}")]
    left, right = ([line for at, row in enumerate(rows) for line in each.get(at, [row])] for each in edits)
    return list(rows), left, right


def test_edits_of_different_jobs_merge_without_a_conflict(tmp_path):
    """Neighbours, too. Only a line that both sides touch could conflict."""
    rows = rows_of(whole(tmp_path))
    conflicts, chance = 0, random.Random(20)
    for _ in range(40):
        names = [tmp_path / name for name in ("base.json", "left.json", "right.json")]
        for name, lines in zip(names, sides(rows, 28, chance), strict=True):
            name.write_text("\n".join(lines) + "\n", encoding="utf-8")
        base, left, right = names
        merged = subprocess.run(["git", "merge-file", "-p", left, base, right], capture_output=True, check=False)
        conflicts += merged.returncode != 0
        if merged.returncode == 0:
            document = json.loads(merged.stdout)
            changed = {key for each in (left, right) for key in differing(json.loads(each.read_text()), text_of(base))}
            assert changed == differing(document, text_of(base)), "the edits of both sides, and nothing else"
    assert conflicts == 0


def text_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def differing(document: Mapping[str, Any], base: Mapping[str, Any]) -> set[str]:
    keys = {*document["jobs"], *base["jobs"]}
    return {key for key in keys if document["jobs"].get(key) != base["jobs"].get(key)}


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
    paths = [each["path"] for each in json.loads(text(path))["pictures"].values()]
    assert paths == [*(f"looks/l{number}.png" for number in range(4)), "p0.jpg"]


def test_nothing_drifted(tmp_path):
    path = whole(tmp_path)
    lock(path)
    assert drift(path) == lockfile.Drift((), ())
    assert lockfile.check(load(path), [each.job for each in make_plan(load(path)).jobs], strict=True) == ()


@pytest.mark.parametrize(
    ("change", "bought", "others"),
    [
        (lambda f: (f / "prompts/mood.j2").write_text("Mist drifts over {{ s }}"),
         ["job l0/mood/s=wet-rock/take-1 changed: prompt (and 13 more)"], ["prompts/mood.j2 changed"]),
        (lambda f: (f / "prompts/mood.j2").write_text("Fog drifts over {{ s }}{# no word more #}"),
         [], ["prompts/mood.j2 changed"]),
        (lambda f: (f / "products.csv").write_text("image,id,product\np0.jpg,shoe,boot\np1.jpg,bag,bag\n"),
         [], ["products.csv changed"]),
        (lambda f: (f / "looks/l2.png").write_bytes(picture_bytes(99, kind="PNG")),
         ["job l2/mood/s=wet-rock/take-1 changed: image (and 3 more)"], ["picture l2 changed"]),
        (lambda f: (f / "looks/l2.png").unlink(),
         ["job l2/mood/s=warm-sand/take-1 is gone (and 3 more)"], ["picture l2 is gone"]),
        (lambda f: (f / "looks/l9.png").write_bytes(picture_bytes(99, kind="PNG")),
         ["job l9/mood/s=wet-rock/take-1 is new (and 3 more)"], ["picture l9 is not in the lockfile"]),
        (lambda f: (f / "campaign.yaml").write_text((f / "campaign.yaml").read_text() + "# a comment\n"), [], []),
        (lambda f: edit(f / "campaign.yaml", name="other"), [], []),
        (lambda f: edit(f / "campaign.yaml", matrix={"s": ["warm sand", "wet rock"]}), [], []),
        (lambda f: edit(f / "campaign.yaml", takes=2), ["job l0/mood/s=wet-rock/take-2 is new (and 27 more)"], []),
        (lambda f: edit(f / "campaign.yaml", prompts=[{"file": "prompts/mood.j2", "id": "fog"}]),
         ["job bag/plain/s=warm-sand/take-1 is gone (and 13 more)"],
         ["job l0/fog/s=wet-rock/take-1 is the new key of a job (and 13 more)"]),
        (lambda f: edit(f / "campaign.yaml", params={"cfg_scale": 0.7}),
         ["job l0/mood/s=wet-rock/take-1 changed: cfg_scale (and 27 more)"], []),
    ],
)  # fmt: skip
def test_what_is_bought_otherwise_is_drift_and_all_else_is_told(tmp_path, change, bought, others):
    path = whole(tmp_path)
    lock(path)
    change(tmp_path)
    assert drift(path) == lockfile.Drift(tuple(bought), tuple(others))
    manifest = load(path)
    jobs = [each.job for each in make_plan(manifest).jobs]
    if not bought:
        assert lockfile.check(manifest, jobs) == tuple(others)
    for strict in (False, True) if bought else (True,) if others else ():
        with pytest.raises(DriftError) as caught:
            lockfile.check(manifest, jobs, strict=strict)
        assert caught.value.exit_code is Exit.INVALID
        assert all(f"\n  {each}" in caught.value.message for each in (*bought, *others))


@pytest.mark.parametrize(
    ("before", "after", "bought", "others"),
    [
        ({"price_per_job": 0.25}, {"price_per_job": 0.3}, [f"price of {MODEL} rose: $0.25 -> $0.30 a job"], []),
        ({"price_per_job": 0.25}, {"price_per_job": 0.2}, [], [f"price of {MODEL} changed"]),
        ({"price_per_job": 0.25}, {"price_per_second": 0.05}, [], []),
        ({"price_per_job": 0.25}, {"price_per_second": 0.06}, [f"price of {MODEL} rose: $0.25 -> $0.30 a job"], []),
        ({"price_per_job": 0.25}, {}, [], [f"price of {MODEL} changed"]),
        ({}, {"price_per_job": 9}, [], [f"price of {MODEL} changed"]),
        ({"price_per_job": 0.25}, {"price_per_job": 0.3, "currency": "EUR"}, [], [f"price of {MODEL} changed"]),
    ],
)
def test_a_price_that_rose_is_drift(tmp_path, before, after, bought, others):
    path = write_manifest(tmp_path, budget=before)
    lock(path)
    edit(path, budget=after)
    assert drift(path) == lockfile.Drift(tuple(bought), tuple(others))


def test_another_schema_is_told(tmp_path):
    path = whole(tmp_path)
    target = lock(path)
    document = json.loads(target.read_text())
    target.write_text(json.dumps({**document, "schemas": {**document["schemas"], "manifest": "0" * 64}}))
    assert drift(path) == lockfile.Drift((), ("schema manifest changed",))


def test_a_lockfile_of_version_1_is_read(tmp_path):
    """One that the program wrote that had that version."""
    shutil.copytree(ROOT / "manifests", tmp_path / "here")
    path = tmp_path / "here" / "versioned.yaml"
    shutil.copy(VERSION_1, lockfile.path_of(path))
    frozen = lockfile.read(lockfile.path_of(path))
    assert [len(frozen.section(name)) for name in ("files", "pictures", "prices", "jobs")] == [0, 3, 0, 18]
    found = drift(path)
    assert found.bought == ()
    kinds = (
        "schema manifest changed",
        f"schema {MODEL} changed",
        f"price of {MODEL} changed",
        "is the new key of a job",
    )
    assert all(any(kind in each for kind in kinds) for each in found.others)
    edit(path, params={"negative_prompt": "blurry"})
    assert [each.split(" ", 2)[2] for each in drift(path).bought] == ["is new (and 17 more)", "is gone (and 17 more)"]


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
        assert drift(path) == lockfile.Drift((), ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no lockfile campaign.lock.json"),
        ("<<<<<<< HEAD\n{}", "is not JSON"),
        ("[]", "is damaged at its top"),
        ('{"version": 3}', "is of version 3"),
        ('{"version": 2}', "is damaged at note: missing"),
        ('{"version": 1}', "is damaged at note: missing"),
        ('{"version": 1, "note": "", "schemas": {}, "files": {}, "pictures": [], "jobs": [3]}', "is damaged at jobs"),
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
    document["jobs"]["bag/mood/s=warm-sand/take-1"]["take"] = "1"
    target.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="damaged at jobs/bag/mood/s=warm-sand/take-1/take"):
        lockfile.read(target)
