from __future__ import annotations

import base64
import csv
from pathlib import Path

import pytest

from runner.errors import Severity
from runner.manifest.reader import load, read
from runner.planning.plan_diagnostics import Place, PlanDiagnostics, PlanWarning, place_of_picture, place_of_value
from tests.kit import picture_bytes, write_manifest

TEXT = ("prompts", 0, "text")


@pytest.fixture
def diagnostics(tmp_path: Path) -> PlanDiagnostics:
    return PlanDiagnostics(load(write_manifest(tmp_path, lint={})))


def test_nothing_found(diagnostics):
    assert not diagnostics.has_errors
    assert diagnostics.ordered(3) == ()


def test_a_fault_has_place_line_and_remedy(diagnostics):
    diagnostics.add("E311", Place(TEXT, offset=2, length=4), "slow is wrong", "be quick")
    (found,) = diagnostics.ordered(1)
    assert diagnostics.has_errors
    assert (found.code, found.severity, found.message, found.hint) == (
        "E311",
        Severity.ERROR,
        "slow is wrong",
        "be quick",
    )
    start = found.position.column - 1
    assert found.source[start : start + found.position.length] == "slow"


def test_many_cells_are_one_diagnostic_with_a_count(diagnostics):
    for number in range(1200):
        diagnostics.add("E206", Place(TEXT), f"{number} characters", cell=f"key {number}", about="")
    (found,) = diagnostics.ordered(2400)
    assert found.message == "0 characters (in 1,200 of 2,400 cells; the first is key 0)"


def test_different_codes_places_and_subjects_stay_apart(diagnostics):
    diagnostics.add("E206", Place(TEXT), "too long", cell="a")
    diagnostics.add("E203", Place(TEXT), "too long", cell="a")
    diagnostics.add("E206", Place(TEXT, offset=2, length=1), "too long", cell="a")
    diagnostics.add("E206", Place(TEXT), "too short", cell="a")
    assert len(diagnostics.ordered(1)) == 4


def test_routes_that_lead_to_one_position_are_one(diagnostics):
    """As the rows of a table do, whose column has one name."""
    diagnostics.add("E312", Place(("images", 0, "vars", "a"), key=True), "'a' is set twice")
    diagnostics.add("E312", Place(("images", 0, "vars", "b"), key=True), "'a' is set twice")
    (found,) = diagnostics.ordered(9)
    assert found.message == "'a' is set twice"


def test_the_one_cell_of_several_is_named(diagnostics):
    diagnostics.add("E206", Place(TEXT), "too long", cell="key")
    assert diagnostics.ordered(3)[0].message == "too long (in 1 of 3 cells: key)"
    assert diagnostics.ordered(1)[0].message == "too long"


def test_codes_tell_errors_from_warnings(diagnostics):
    diagnostics.add("W331", Place(TEXT), "unused")
    assert not diagnostics.has_errors
    assert not diagnostics.has_errors
    diagnostics.add("E206", Place(("version",)), "too long")
    assert diagnostics.has_errors
    assert diagnostics.has_errors
    assert [each.severity for each in diagnostics.ordered(1)] == [Severity.ERROR, Severity.WARNING]


def test_a_remark_is_told_with_its_count(diagnostics):
    diagnostics.warn(PlanWarning("W801", Place(TEXT), "no motion", "add some", 3, "first"))
    diagnostics.warn(PlanWarning("W801", Place(TEXT), "no motion", "add some", 2, "later"))
    diagnostics.warn(PlanWarning("W804", Place(("version",)), "empty", "fill it"))
    assert [each.message for each in diagnostics.ordered(9)] == [
        "empty",
        "no motion (in 5 of 9 cells; the first is first)",
    ]


def test_ignored_warnings_are_not_told(tmp_path):
    diagnostics = PlanDiagnostics(load(write_manifest(tmp_path, lint={"ignore": ["W801"]})))
    assert not diagnostics.wants("W801")
    diagnostics.warn(PlanWarning("W801", Place(TEXT), "no motion", "add some"))
    assert diagnostics.ordered(1) == ()


def test_earlier_problems_come_along_by_place(tmp_path):
    path = write_manifest(tmp_path, vars={"day": "DAY"})
    path.write_text(path.read_text().replace("DAY", "no"))
    reading = read(path)
    assert reading.manifest is not None
    diagnostics = PlanDiagnostics(reading.manifest, reading.diagnostics)
    diagnostics.add("E206", Place(("version",)), "too long")
    diagnostics.add("W332", Place(("vars", "day"), key=True), "unused")
    diagnostics.add("W803", Place(("vars", "day")), "of what reading doubts nothing more is said")
    assert [each.code for each in diagnostics.ordered(1)] == ["E206", "W332", "W901"]


def test_a_warning_gives_way_to_an_error_at_its_place(tmp_path):
    path = write_manifest(tmp_path, vars={"day": "DAY"})
    path.write_text(path.read_text().replace("DAY", "no"))
    reading = read(path)
    assert reading.manifest is not None
    diagnostics = PlanDiagnostics(reading.manifest, reading.diagnostics)
    diagnostics.add("W331", Place(TEXT), "unused")
    diagnostics.add("E311", Place(TEXT), "unknown")
    diagnostics.add("E206", Place(("vars", "day")), "wrong")
    assert [each.code for each in diagnostics.ordered(1)] == ["E311", "E206"]


def test_they_are_ordered_by_place(diagnostics):
    diagnostics.add("E206", Place(("output", "dir")), "later")
    diagnostics.add("E206", Place(("version",)), "earlier")
    assert [each.message for each in diagnostics.ordered(1)] == ["earlier", "later"]


def test_where_pictures_are_named(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "image"], ["x", "p0.jpg"], ["y", "p1.jpg"]])
    entries = [
        {"id": "one", "file": "p0.jpg"},
        {"glob": "p?.jpg"},
        {"url": "https://example.com/bag.jpg"},
        {"table": "t.csv"},
        {"base64": base64.b64encode(picture_bytes()).decode(), "id": "dot"},
    ]
    manifest = load(write_manifest(tmp_path, pictures=2, images=entries))
    assert [place_of_picture(manifest, each).route[1:] for each in manifest.images] == [
        (0, "file"),
        (1, "glob"),
        (1, "glob"),
        (2, "url"),
        (3, "table", 0, "image"),
        (3, "table", 1, "image"),
        (4, "base64"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("s", "rock", Place(("matrix", "s", 0))),
        ("cfg", 1, Place(("matrix", "cfg", 2))),
        ("s", "snow", Place(("matrix", "include", 1, "s"))),
        ("x", 2, Place(("matrix", "include", 1, "x"))),
        ("x", "2", Place(("matrix", "x"), key=True)),
    ],
)
def test_where_variables_get_their_values(tmp_path, name, value, place):
    matrix = {"s": ["rock", "sand"], "cfg": [0.5, 1, 1.0], "include": [{"x": 1}, {"s": "snow", "x": 2}]}
    assert place_of_value(load(write_manifest(tmp_path, matrix=matrix)), name, value) == place
