"""Manifests from strangers who mean harm end soon, with a diagnostic at its place, whoever plans them.

`python -m tests.hostile` measures what each takes: at most 10 s and 1.5 GiB. From a thread the suite tries some of
them; `REELRUN_ALL=1 python -m pytest tests/hostile` tries all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.cases import CASES, Case
from tests.hostile.ends import WAYS, end_of
from tests.kit import EVERYTHING

EVERY = [(case, way) for case in CASES for way in WAYS]
# That a thread's plan ends at its limits of time and memory: tests/test_planning_child_process.py.
TRIED = [
    (case, way)
    for number, (case, way) in enumerate(EVERY)
    if EVERYTHING or number % 9 == 3 or (way == "command" and number % 4 == 0)
]


@pytest.mark.parametrize(("case", "way"), TRIED, ids=lambda each: getattr(each, "name", each).replace(" ", "-"))
def test_it_ends_with_a_diagnostic_at_its_place(case: Case, way: str, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    end = end_of(way, case.write(folder))
    errors = [each for each in end.diagnostics if each["severity"] == "error"]
    assert [(each["code"], Path(each["file"]).name, each["line"]) for each in errors] == [
        (case.code, case.file, case.line)
    ]
    assert "Traceback" not in end.errors
    assert "a-very-secret-key" not in str(end.diagnostics) + end.errors


def test_there_are_twenty_of_different_causes() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 20
