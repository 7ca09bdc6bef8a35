"""Collecting problems."""

from runner.diagnostics.text import Text
from runner.errors import Position, Severity
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.manifest.yaml.document import parse


def collector():
    return ReadingDiagnostics(parse(Text("m.yaml", "a: 1\nb: text\nc: 3\n")).source)


def test_problems_are_ordered_by_place_and_told_once():
    found = collector()
    found.error("E205", ("c",), "too large", "less")
    found.take(SchemaDiagnostic(("b",), "E201", "unknown", key=True))
    found.error("E205", ("c",), "too large", "less")
    found.error("E411", ("b",), "wrong", offset=2)
    assert [(each.code, each.position, each.source) for each in found.ordered()] == [
        ("E201", Position("m.yaml", 2, 1), "b: text"),
        ("E411", Position("m.yaml", 2, 6), "b: text"),
        ("E205", Position("m.yaml", 3, 4), "c: 3"),
    ]


def test_a_warning_gives_way_to_an_error_at_its_place():
    found = collector()
    found.warning("W901", ("a",), "doubtful")
    found.warning("W901", ("b",), "doubtful")
    found.error("E204", ("a",), "wrong")
    assert [(each.code, each.severity) for each in found.ordered()] == [
        ("E204", Severity.ERROR),
        ("W901", Severity.WARNING),
    ]


def test_ignored_codes_are_left_out():
    found = collector()
    found.warning("W901", ("a",), "doubtful")
    found.warning("W902", ("b",), "left out")
    assert [each.code for each in found.ordered({"W901"})] == ["W902"]


def test_attached_files_are_places_from_then_on():
    found = collector()
    found.error("E301", ("b",), "before")
    found.attach(("b",), Text("p.j2", "one\ntwo"))
    found.error("E301", ("b",), "after", offset=4)
    assert [(each.position.file, each.source) for each in found.ordered()] == [("m.yaml", "b: text"), ("p.j2", "two")]
