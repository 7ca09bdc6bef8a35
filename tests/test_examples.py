"""The manifests that ship with the project plan to what their comments promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from runner.manifest.reader import load, read
from runner.planning.plan import make_plan
from runner.shipped import shipped

MANIFESTS = sorted(shipped("manifests").glob("*.yaml"))
PROMISE = re.compile(r"(?:=|:) (\d+) (?:jobs|clips)")


def comment_of(path: Path) -> str:
    """The comment that opens a manifest, on one line."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.strip("# "))
    return " ".join(lines)


def test_there_are_the_promised_ones():
    assert {"quickstart", "campaign", "ab-sweep"} <= {path.stem for path in MANIFESTS}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_plans_to_the_number_in_its_comment(path):
    promised = {int(number) for number in PROMISE.findall(comment_of(path))}
    assert len(promised) == 1, "the comment states the number of jobs once"
    made = make_plan(load(path))
    assert len(made.jobs) == promised.pop()
    assert made.diagnostics == ()
    assert made.duplicates == ()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_has_no_warning_and_an_editor_knows_its_schema(path):
    assert read(path).diagnostics == ()
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert schema
    assert (path.parent / schema.group(1)).resolve() == (shipped("schemas") / "manifest.schema.json").resolve()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_results_stand_apart(path):
    output = load(path).output
    assert output.dir == (path.parent.parent / "outputs" / output.dir.name).resolve()
    others = [load(other).output.dir for other in MANIFESTS if other != path]
    assert output.dir not in others


def test_quickstart_is_small():
    (path,) = (each for each in MANIFESTS if each.stem == "quickstart")
    manifest = load(path)
    assert (len(manifest.images), len(manifest.prompts), len(manifest.matrix.axes)) == (2, 2, 1)
    assert len(make_plan(manifest).jobs) == 8


def test_the_prices_in_comments_hold():
    for path in MANIFESTS:
        found = re.search(r"jobs, \$(\d+\.\d\d) at the price below", comment_of(path))
        if found:
            assert f"{make_plan(load(path)).cost:.2f}" == found.group(1)


def test_the_pictures_are_used():
    used = {Path(image.location).name for path in MANIFESTS for image in load(path).images}
    assert {picture.name for picture in (shipped("manifests") / "images").iterdir()} == used


def test_every_manifest_is_one_document():
    for path in MANIFESTS:
        assert len(list(yaml.safe_load_all(path.read_text(encoding="utf-8")))) == 1
