"""Prompts, inline and in files."""

import pytest

from runner.diagnostics.text import Text
from runner.errors import Position
from runner.manifest.prompts import for_pictures, read_prompts
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.yaml.document import parse
from runner.model import Image, Origin, Prompt


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(*entries):
        document = parse(Text("m.yaml", "prompts:\n" + "".join(f"  - {entry}\n" for entry in entries)))
        found = ReadingDiagnostics(document.source, [tmp_path])
        prompts = read_prompts(document.value["prompts"], tmp_path, found)
        diagnostics = [(each.code, each.position.file, each.position.line, each.message) for each in found.ordered()]
        return prompts, diagnostics, found

    return read


def test_inline(read):
    prompts, diagnostics, _ = read('{id: plain, text: "The {{ x }}", params: {cfg_scale: 0.8}}')
    assert prompts == (Prompt("plain", "The {{ x }}", {"cfg_scale": 0.8}, ("prompts", 0)),)
    assert diagnostics == []


def test_in_files(read, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "mood.j2").write_bytes("\ufeffThe {{ x }}\r\nin mist\n".encode())
    prompts, diagnostics, found = read("{id: plain, text: x}", "{file: in/mood.j2}", "{file: in/mood.j2, id: again}")
    assert [(each.id, each.text, each.file) for each in prompts] == [
        ("plain", "x", None),
        ("mood", "The {{ x }}\nin mist\n", str(tmp_path / "in/mood.j2")),
        ("again", "The {{ x }}\nin mist\n", str(tmp_path / "in/mood.j2")),
    ]
    assert diagnostics == []
    # A character of the text is placed in the prompt's own file.
    place = found.source.position(("prompts", 1, "text"), offset=prompts[1].text.index("mist"), length=4)
    assert place == Position("in/mood.j2", 2, 4, 4)
    assert found.source.line(place) == "in mist"


def test_what_is_wrong(read, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "mood.j2").write_bytes(b"caf\xe9")
    (tmp_path / "huge.j2").write_bytes(b"x" * (2**20 + 1))
    _, diagnostics, _ = read(
        "{id: plain, text: x}",
        "{id: plain, text: y}",
        "{file: moood.j2}",
        "{file: folder}",
        "{file: mood.j2}",
        "{file: huge.j2}",
    )
    assert diagnostics == [
        ("E105", "huge.j2", 1, "the file is larger than 1 MB"),
        ("E210", "m.yaml", 3, "the prompt id 'plain' is given twice; the first is in line 2"),
        ("E101", "m.yaml", 4, "the prompt file 'moood.j2' does not exist"),
        ("E101", "m.yaml", 5, "the prompt file 'folder' cannot be read: Is a directory"),
        ("E104", "mood.j2", 1, "the byte 0xe9 is not UTF-8"),
    ]


def test_prompts_whose_problem_is_told_already(read):
    _, diagnostics, _ = read("{text: x}", "{id: b}", "{id: null, text: x}", "{id: b2, text: null}", "5", "null")
    assert diagnostics == []
    _, diagnostics, _ = read("{id: '', file: none.j2}")
    assert [each[0] for each in diagnostics] == ["E101"]


@pytest.mark.parametrize(
    ("images", "ids"),
    [
        ("[shoe]", {"shoe"}),
        ("[bag-*, shoe]", {"shoe", "bag-1", "bag-2"}),
        ("['?hoe']", {"shoe", "Shoe"}),
        ("['x[1]']", {"x[1]"}),
        ("['*']", {"shoe", "bag-1", "bag-2", "x[1]", "Shoe"}),
    ],
)
def test_the_pictures_of_a_prompt(read, images, ids):
    entry = {"id": "a", "images": parse(Text("m", images)).value}
    prompts, _, found = read(f"{{id: a, text: x, images: {images}}}")
    known = [Image(each, Origin.URL, "", "", {}, ()) for each in ("shoe", "bag-1", "bag-2", "x[1]", "Shoe")]
    (prompt,) = for_pictures(prompts, [entry], known, found)
    assert (prompt.images, found.found) == (ids, [])
    assert [each.id for each in known if prompt.is_for(each.id)] == [each.id for each in known if each.id in ids]


def test_an_id_may_be_spelled_with_separate_accents(read):
    prompts, _, found = read("{id: a, text: x, images: ['gr\u00fcn']}")
    known = [Image("gru\u0308n", Origin.URL, "", "", {}, ())]
    (prompt,) = for_pictures(prompts, [{"images": ["gr\u00fcn"]}], known, found)
    assert (prompt.images, found.found) == ({"gru\u0308n"}, [])


def test_a_pattern_without_a_picture_is_an_error(read):
    prompts, _, found = read("{id: a, text: x, images: [shoe, sheo, 'hat-*']}", "{id: b, text: y}")
    entries = [{"images": ["shoe", "sheo", "hat-*"]}, {}]
    for_pictures(prompts, entries, [Image("shoe", Origin.URL, "", "", {}, ())], found)
    assert [(each.code, each.position.column, each.message) for each in found.found] == [
        ("E508", 37, "no picture has the id 'sheo'"),
        ("E508", 43, "no picture has the id 'hat-*'"),
    ]
    assert found.found[0].hint == "did you mean 'shoe'? known here: shoe"
