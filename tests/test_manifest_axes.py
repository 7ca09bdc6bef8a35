"""Axes whose values stand in a file."""

from __future__ import annotations

import pytest

from runner.diagnostics.text import Text
from runner.errors import Position
from runner.manifest.axes import AxisFile
from runner.manifest.reader import read
from runner.model import InputKind
from runner.planning.plan import digest_of
from tests.command import call
from tests.kit import write_manifest


def reading(folder, text, name="cameras.txt", **keys):
    (folder / "cameras.txt").write_bytes(text)
    prompts = [{"id": "plain", "text": "{{ camera }}"}]
    matrix = {"camera": {"file": name}, "cfg": [1, 2]}
    return read(write_manifest(folder, **{"prompts": prompts, "matrix": matrix, **keys}))


@pytest.mark.parametrize("text", [b"pan\n007\nno", b"pan\n007\nno\n", b"\xef\xbb\xbfpan\r\n007\r\nno\r\n"])
def test_a_value_is_a_line_and_always_text(tmp_path, text):
    assert reading(tmp_path, text).valid().matrix.axes == {"camera": ("pan", "007", "no"), "cfg": (1, 2)}


def test_the_file_is_an_input(tmp_path):
    manifest = reading(tmp_path, b"pan\n").valid()
    (found,) = [each for each in manifest.inputs if each.kind is InputKind.AXIS]
    assert found.path == "cameras.txt"
    changed = reading(tmp_path, b"tilt\n").valid()
    assert digest_of(changed, ()) != digest_of(manifest, ())


def test_empty_lines_are_errors_at_their_places(tmp_path):
    found = reading(tmp_path, b"pan\n\n \ntilt\n").diagnostics
    places = [(each.code, each.position.line, each.message) for each in found]
    assert places == [("E509", line, "a value of the axis is an empty line") for line in (2, 3)]
    (found,) = reading(tmp_path, b"").diagnostics
    assert (found.code, found.message) == ("E509", "the file is empty")


def test_the_file_lies_below_the_manifest(tmp_path):
    (tmp_path / "other.txt").write_text("pan\n")
    (tmp_path / "inside").mkdir()
    (found,) = reading(tmp_path / "inside", b"pan\n", "../other.txt").diagnostics
    assert (found.code, found.source.strip()) == ("E107", "file: ../other.txt")


def test_places_in_the_file():
    file = AxisFile(Text("cameras.txt", "pan\n{{ x }} up\n"))
    assert file.position((1,), offset=8, length=2) == Position("cameras.txt", 2, 9, 2)
    assert file.position(()) == file.position((0,)) == Position("cameras.txt", 1, 1, 3)
    assert [file.has(route) for route in ((), (1,), (2,), ("x",), (0, 0))] == [True, True, False, False, False]


def test_a_changed_file_is_drift(tmp_path):
    reading(tmp_path, b"pan\n")
    path = tmp_path / "campaign.yaml"
    assert call("plan", path, "--lock").code == 0
    assert '"cameras.txt"' in (tmp_path / "campaign.lock.json").read_text()
    assert call("plan", path, "--locked").code == 0
    (tmp_path / "cameras.txt").write_text("tilt\n")
    assert call("plan", path, "--locked").code == 2
