"""The tool that prints what stands above an example."""

import pytest

from tests.tools import example_header
from tests.tools.example_header import EXAMPLES, INVALID, VALID, header_of

NAMES = ["invalid/many-at-once", "invalid/table-rows", "valid/cells-that-come-out-equal", "valid/doubtful-words"]


def printed(monkeypatch, capsys, *paths):
    monkeypatch.setattr("sys.argv", ["example_header", "--lines", *map(str, paths)])
    example_header.main()
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_its_lines_are_those_of_an_example(monkeypatch, capsys, name):
    path = EXAMPLES / f"{name}.yaml"
    before = path.read_bytes()
    first, *lines = printed(monkeypatch, capsys, path)
    assert first == f"## {name}.yaml"
    assert lines == path.read_text().splitlines()[: len(lines)]
    assert path.read_bytes() == before


def test_its_lines_count_themselves(monkeypatch, capsys, tmp_path):
    """The places that it prints are those below the lines that are to be pasted."""
    monkeypatch.setattr(example_header, "EXAMPLES", tmp_path)
    path = tmp_path / "bare.yaml"
    parts = "images: [{url: https://e.com/u.png, id: u}]\nprompts: [{id: p, text: x}]"
    body = f"version: 2\nmodel: Kling-Image2Video-V1.6-Standard\n{parts}\ntakes: 0\n"
    path.write_text(body)
    _, *lines = printed(monkeypatch, capsys, path)
    assert [line.split(" ")[2:4] for line in lines] == [["E203", "3:10"], ["E205", "7:8"]]
    path.write_text("\n".join(lines) + "\n" + body)
    assert printed(monkeypatch, capsys, path)[1:] == lines


def test_every_comment_that_looks_like_a_header_is_one():
    words = ("expect", "shows", "plan", "duplicates", "payload", "writes", "reads")
    for path in (*VALID, *INVALID):
        lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
        found = [line for line in lines if line.startswith(tuple(f"# {word}" for word in words))]
        if found:
            assert len(found) == sum(len(header_of(path).of(word)) for word in words), path
