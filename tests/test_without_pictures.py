"""Jobs without a picture, beside jobs with one, in everything that people and programs read of them."""

from __future__ import annotations

import csv
import json

import pytest
from jsonschema import Draft202012Validator

import runner
from runner.errors import Exit
from runner.manifest.reader import load
from runner.planning.lockfile import path_of
from runner.planning.lockfile import read as read_lockfile
from runner.shipped import shipped
from tests.command import call
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import MODEL, few_frames, write_manifest

TEXT = "vidu-q3-pro-t2v"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of a model with pictures and one without, and its folder."""
    path = write_manifest(
        tmp_path_factory.mktemp("both"),
        pictures=2,
        model=[MODEL, TEXT],
        models={TEXT: {"images": "none", "price_per_second": 0.1}, MODEL: {"price_per_job": 0.25}},
        takes=2,
    )
    with FaultyService(few_frames()) as service:
        return path, run(path, service), service


def test_all_are_bought_once_at_the_prices_of_their_models(finished):
    _, result, service = finished
    assert (result.exit_code, len(service.accepted)) == (Exit.DONE, 6)
    assert float(result.spent) == 4 * 0.25 + 2 * 5 * 0.1
    texts = [each.payload for each in service.accepted if each.model == TEXT]
    assert texts == [{"prompt": "A slow push-in", "duration": 5, "audio": False}] * 2


def test_the_index_has_null_for_a_picture_that_is_none(finished):
    _, result, _ = finished
    index = json.loads(result.index.read_text())
    schema = json.loads((shipped("schemas") / "index.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(index)) == []
    assert {job["key"]: job["image"] for job in index["jobs"]} == {
        **{f"p{number}/plain/{MODEL}/take-{take}": f"p{number}" for number in (0, 1) for take in (1, 2)},
        **{f"plain/{TEXT}/take-{take}": None for take in (1, 2)},
    }
    rows = list(csv.DictReader(result.index.with_suffix(".csv").read_text().splitlines()))
    assert sorted(row["image"] for row in rows) == ["", "", "p0", "p0", "p1", "p1"]
    page = result.index.with_suffix(".html").read_text()
    assert page.count('"image":null') == 2


def test_plan_and_status_tell_of_them(finished):
    path, *_ = finished
    planned = call("plan", path, "--json").document
    assert [job["image"] for job in planned["jobs"]] == ["p0", "p0", "p1", "p1", None, None]
    size = "2 images x 1 prompt x 1 model x 2 takes + 1 prompt x 1 model x 2 takes = 6 cells, 6 jobs"
    assert size in call("plan", path).out
    groups = call("status", path, "--by", "image", "--json").document["groups"]["image"]
    assert {name: counts["succeeded"] for name, counts in groups.items()} == {"p0": 2, "p1": 2, "(without)": 2}


def test_they_are_selected_by_all_but_a_picture(finished):
    path, *_ = finished
    totals = [
        call("status", path, *words, "--json").document["totals"]["succeeded"]
        for words in (("--where", "image=p0"), ("--where", f"model={TEXT}"), ("--only", "plain/*"))
    ]
    assert totals == [2, 2, 2]


def test_the_lockfile_freezes_them(finished):
    path, *_ = finished
    assert call("plan", path, "--lock").code == Exit.DONE
    jobs = dict(read_lockfile(path_of(path)).jobs())
    assert jobs[f"plain/{TEXT}/take-1"]["image"] is None
    assert call("plan", path, "--locked-strict").code == Exit.DONE
    path_of(path).unlink()


def test_a_manifest_without_any_picture(tmp_path):
    path = write_manifest(tmp_path, model=TEXT, pictures=0)
    path.write_text(path.read_text().replace("images: []\n", ""))
    manifest = load(path)
    assert manifest.images == ()
    (planned,) = runner.plan(manifest).jobs
    assert (planned.job.key, planned.job.image) == ("plain/take-1", "")
    with FaultyService(few_frames()) as service:
        result = run(path, service)
        assert (result.exit_code, [each.model for each in service.accepted]) == (Exit.DONE, [TEXT])
        calls = len(service.calls)
        assert run(path, service).exit_code is Exit.DONE
        assert len(service.calls) == calls
    assert "1 prompt = 1 cell, 1 job" in call("plan", path).out
