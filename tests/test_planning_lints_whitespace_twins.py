from __future__ import annotations

from pathlib import Path

import pytest

from runner.manifest.reader import load
from runner.planning.expansion.cells import Expansion
from runner.planning.lints import whitespace_twins
from runner.planning.lints.whitespace_twins import WhitespaceTwins
from runner.planning.plan_diagnostics import PlanDiagnostics
from runner.planning.templates.template import Templates
from tests.kit import write_manifest
from tests.warned import warnings


def arms(*texts: str):
    return [{"id": name, "text": text} for name, text in zip("abc", texts, strict=False)]


def test_prompts_that_differ_in_white_space_alone(tmp_path):
    found = warnings(tmp_path, prompts=arms("Slow push-in", "Slow  push-in", " Slow push-in"))
    told = "differs from that of p0/a/take-1 in white space alone"
    assert found == [
        f"W806 Slow  push-in: the prompt of p0/b/take-1 {told}",
        f"W806 ' Slow push-in': the prompt of p0/c/take-1 {told}",
    ]


def test_values_that_differ_in_white_space_alone(tmp_path):
    keys = {"prompts": arms("Slow push-in, {{ s }}"), "matrix": {"s": ["wet rock", "sand", "wet  rock", "sand "]}}
    (found,) = warnings(tmp_path, **keys)
    assert found.endswith(
        "the prompt of p0/a/s=wet-rock/take-1 differs from that of p0/a/s=wet-rock/take-1 in white space alone"
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"prompts": arms("Slow push-in", "Slow push-out")},
        {"prompts": arms("Slow push-in, {{ s }}"), "matrix": {"s": ["wet rock", "wetrock"]}},
        {"takes": 3},
    ],
)
def test_other_prompts_are_not_told(tmp_path, keys):
    assert warnings(tmp_path, **keys) == []


def test_prompts_of_different_pictures_are_not_compared(tmp_path):
    images = [
        {"file": "p0.jpg", "vars": {"product": "shoe"}},
        {"file": "p1.jpg", "vars": {"product": "shoe "}},
    ]
    keys = {"pictures": 2, "images": images, "prompts": arms("Slow push-in on {{ product }}.")}
    assert warnings(tmp_path, **keys) == []


def test_only_so_many_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitespace_twins, "_COMPARED", 3)
    keys = {"prompts": arms("In {{ s }}"), "matrix": {"s": ["a", "b", "c", "c "]}, "takes": 2}
    manifest = load(write_manifest(tmp_path, **keys))
    expansion = Expansion(manifest, Templates(), PlanDiagnostics(manifest))
    compared = WhitespaceTwins(expansion.arms)
    seen = 0
    for job in expansion.jobs():
        if compared.is_active:
            compared.see(job)
            seen += 1
    assert seen == 5, "the second take of the third value is not looked at any more"
    assert list(compared.warnings()) == []
