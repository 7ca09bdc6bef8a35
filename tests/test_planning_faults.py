from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import Severity
from runner.manifest.reader import load, read
from runner.planning.faults import Faults, Place, Remark
from tests.kit import write_manifest

TEXT = ("prompts", 0, "text")


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    return Faults(load(write_manifest(tmp_path, lint={})))


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


def test_the_one_cell_of_several_is_named(faults):
    faults.add("E206", Place(TEXT), "too long", cell="key")
    assert faults.diagnostics(3)[0].message == "too long (in 1 of 3 cells: key)"
    assert faults.diagnostics(1)[0].message == "too long"


def test_codes_tell_errors_from_warnings(faults):
    faults.add("W331", Place(TEXT), "unused")
    assert not faults.has_errors
    assert not faults.has_errors
    faults.add("E206", Place(("version",)), "too long")
    assert faults.has_errors
    assert faults.has_errors
    assert [each.severity for each in faults.diagnostics(1)] == [Severity.ERROR, Severity.WARNING]


def test_a_remark_is_told_with_its_count(faults):
    faults.remark(Remark("W801", Place(TEXT), "no motion", "add some", 3, "first"))
    faults.remark(Remark("W801", Place(TEXT), "no motion", "add some", 2, "later"))
    faults.remark(Remark("W804", Place(("version",)), "empty", "fill it"))
    assert [each.message for each in faults.diagnostics(9)] == [
        "empty",
        "no motion (in 5 of 9 cells; the first is first)",
    ]


def test_ignored_warnings_are_not_told(tmp_path):
    faults = Faults(load(write_manifest(tmp_path, lint={"ignore": ["W801"]})))
    assert not faults.wants("W801")
    faults.remark(Remark("W801", Place(TEXT), "no motion", "add some"))
    assert faults.diagnostics(1) == ()


def test_earlier_problems_come_along_by_place(tmp_path):
    path = write_manifest(tmp_path, vars={"day": "DAY"})
    path.write_text(path.read_text().replace("DAY", "no"))
    reading = read(path)
    assert reading.manifest is not None
    faults = Faults(reading.manifest, reading.diagnostics)
    faults.add("E206", Place(("version",)), "too long")
    faults.add("W332", Place(("vars", "day"), key=True), "unused")
    faults.add("W803", Place(("vars", "day")), "of what reading doubts nothing more is said")
    assert [each.code for each in faults.diagnostics(1)] == ["E206", "W332", "W901"]


def test_a_warning_gives_way_to_an_error_at_its_place(tmp_path):
    path = write_manifest(tmp_path, vars={"day": "DAY"})
    path.write_text(path.read_text().replace("DAY", "no"))
    reading = read(path)
    assert reading.manifest is not None
    faults = Faults(reading.manifest, reading.diagnostics)
    faults.add("W331", Place(TEXT), "unused")
    faults.add("E311", Place(TEXT), "unknown")
    faults.add("E206", Place(("vars", "day")), "wrong")
    assert [each.code for each in faults.diagnostics(1)] == ["E311", "E206"]


def test_they_are_ordered_by_place(faults):
    faults.add("E206", Place(("output", "dir")), "later")
    faults.add("E206", Place(("version",)), "earlier")
    assert [each.message for each in faults.diagnostics(1)] == ["earlier", "later"]
