from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import Severity
from runner.manifest.reader import load
from runner.planning.faults import Faults, Place
from tests.kit import write_manifest

TEXT = ("prompts", 0, "text")


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    return Faults(load(write_manifest(tmp_path)))


def test_nothing_found(faults):
    assert not faults.has_errors
    assert faults.diagnostics(3) == ()


def test_a_fault_has_place_line_and_remedy(faults):
    faults.add("E311", Place(TEXT, offset=2, length=4), "slow is wrong", "be quick")
    (found,) = faults.diagnostics(1)
    assert faults.has_errors
    assert (found.code, found.severity, found.message, found.hint) == (
        "E311",
        Severity.ERROR,
        "slow is wrong",
        "be quick",
    )
    start = found.position.column - 1
    assert found.source[start : start + found.position.length] == "slow"


def test_many_cells_are_one_diagnostic_with_a_count(faults):
    for number in range(1200):
        faults.add("E206", Place(TEXT), f"{number} characters", cell=f"key {number}", about="")
    (found,) = faults.diagnostics(2400)
    assert found.message == "0 characters (in 1,200 of 2,400 cells; the first is key 0)"


def test_different_codes_places_and_subjects_stay_apart(faults):
    faults.add("E206", Place(TEXT), "too long", cell="a")
    faults.add("E203", Place(TEXT), "too long", cell="a")
    faults.add("E206", Place(TEXT, offset=2, length=1), "too long", cell="a")
    faults.add("E206", Place(TEXT), "too short", cell="a")
    assert len(faults.diagnostics(1)) == 4


def test_routes_that_lead_to_one_position_are_one(faults):
    """As the rows of a table do, whose column has one name."""
    faults.add("E312", Place(("images", 0, "vars", "a"), key=True), "'a' is set twice")
    faults.add("E312", Place(("images", 0, "vars", "b"), key=True), "'a' is set twice")
    (found,) = faults.diagnostics(9)
    assert found.message == "'a' is set twice"


def test_they_are_ordered_by_place(faults):
    faults.add("E206", Place(("output", "dir")), "later")
    faults.add("E206", Place(("version",)), "earlier")
    assert [each.message for each in faults.diagnostics(1)] == ["earlier", "later"]
