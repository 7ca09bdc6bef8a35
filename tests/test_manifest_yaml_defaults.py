"""A manifest merged with its defaults."""

from __future__ import annotations

import pytest

from runner.manifest.reader import read
from runner.model import InputKind
from runner.planning.plan import make_plan
from tests.kit import MODEL, picture_bytes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "shoe.jpg").write_bytes(picture_bytes())
    return tmp_path


def written(folder, own, shared, name="shared/all.yaml"):
    (folder / "shared" / "all.yaml").write_text(shared)
    (folder / "m.yaml").write_text(f"version: 1\ndefaults: {name}\n{own}")
    return read(folder / "m.yaml")


SHARED = f"model: {MODEL}\nimages: [{{file: shoe.jpg}}]\nlint: {{ignore: [W801, W802, W804]}}\n"
OWN = 'prompts: [{id: plain, text: "{{ a }} {{ b.c }} {{ b.d }}"}]\n'


def test_mappings_merge_and_the_rest_wins_whole(folder):
    shared = SHARED + "vars: {a: one, b: {c: x, d: y}}\nparams: {duration: '5', negative_prompt: bad}\ntakes: 3\n"
    own = OWN + "vars: {b: {d: z}}\nparams: {negative_prompt: null}\nlint: {ignore: [W801]}\ntakes: 1\n"
    manifest = written(folder, own, shared).valid()
    assert manifest.constants == {"a": "one", "b": {"c": "x", "d": "z"}}
    assert manifest.params == {"duration": "5", "negative_prompt": None}
    assert (manifest.takes, manifest.ignored) == (1, {"W801"})
    assert manifest.images[0].written == "shared/shoe.jpg"


def test_all_kinds_of_paths_are_relative_to_the_defaults(folder):
    shared = folder / "shared"
    (shared / "t.csv").write_text("image,id\nshared/shoe.jpg,t\n")
    (shared / "p.j2").write_text("{{ lens }}, slow pan")
    (shared / "lenses.txt").write_text("wide\n")
    (shared / "m.json").write_text('{"type": "object", "properties": {"image": {}, "prompt": {}}}')
    text = (
        "model: own\nmodels: {own: m.json}\nimages: [{table: t.csv}, {glob: '*.jpg'}]\nprompts: [{file: p.j2}]\n"
        "matrix: {lens: {file: lenses.txt}}\noutput: {dir: out, state: state.db}\n"
    )
    manifest = written(folder, "", text).valid()
    assert [each.id for each in manifest.images] == ["t", "shoe"]
    assert manifest.output.dir == (shared / "out").resolve()
    assert manifest.output.state == (shared / "state.db").resolve()
    named = {each.kind: each.path for each in manifest.inputs}
    assert named == {
        InputKind.MANIFEST: "m.yaml",
        InputKind.DEFAULTS: "shared/all.yaml",
        InputKind.TABLE: "shared/t.csv",
        InputKind.PROMPT: "shared/p.j2",
        InputKind.AXIS: "shared/lenses.txt",
    }


def places(reading):
    return [(each.code, each.position.file.rpartition("/")[2], each.position.line) for each in reading.diagnostics]


def test_what_is_wrong_is_told_where_it_stands(folder):
    shared = SHARED + "params:\n  cfg_scale: 7\n  duration: 5\nvars: {x: no}\nmatirx: {a: [1]}\n"
    found = written(folder, OWN + "params: {duration: 10}\nvars: {a: yes}\n", shared)
    assert sorted(places(found)) == [
        ("E201", "all.yaml", 8),
        ("E204", "m.yaml", 4),
        ("E205", "all.yaml", 5),
        ("W901", "all.yaml", 7),
        ("W901", "m.yaml", 5),
    ]


def test_planning_points_into_the_defaults_too(folder):
    shared = SHARED + "prompts:\n  - {id: plain, text: '{{ sesaon }}'}\nvars: {season: spring}\n"
    reading = written(folder, "", shared)
    with pytest.raises(Exception, match=r"shared/all.yaml:5:27: error\[E311\]: unknown variable 'sesaon'"):
        make_plan(reading.valid())


def test_constants_and_pictures_of_the_defaults_need_not_be_used(folder):
    shared = (
        SHARED.replace("[{file: shoe.jpg}]", "[{file: shoe.jpg}, {file: shoe.jpg, id: bag}]") + "vars: {unused: 1}\n"
    )
    reading = written(folder, "prompts: [{id: a, text: slow pan, images: [shoe]}]\nvars: {idle: 1}\n", shared)
    found = make_plan(reading.valid(), warnings=reading.diagnostics).diagnostics
    assert [(each.code, each.message) for each in found] == [("W332", "no template uses the constant 'idle'")]


@pytest.mark.parametrize(
    ("shared", "code", "message"),
    [
        ("- 1\n", "E510", "a list"),
        ("takes: 1\nversion: 1\n", "E510", "it stands in the manifest alone"),
        ("defaults: other.yaml\n", "E510", "defaults have no defaults"),
        ("takes: [\n", "E102", ""),
        ("takes: 1\ntakes: 2\n", "E103", "given twice"),
        ("", "E102", "empty"),
    ],
)
def test_a_file_that_holds_no_defaults(folder, shared, code, message):
    (found,) = written(folder, OWN, shared).diagnostics
    assert found.code == code
    assert message in found.message
    assert found.position.file.endswith("shared/all.yaml")


def test_a_file_that_is_not_there_or_not_below(folder):
    (found,) = written(folder, OWN, SHARED, "shared/al.yaml").diagnostics
    assert (found.code, found.position.line) == ("E101", 2)
    assert "shared/all.yaml" in found.hint
    (folder / "inner").mkdir()
    (folder / "inner" / "m.yaml").write_text("version: 1\ndefaults: ../shared/all.yaml\n" + OWN)
    (found,) = read(folder / "inner" / "m.yaml").diagnostics
    assert found.code == "E107"
    manifest = read(folder / "inner" / "m.yaml", allow_outside=[folder / "shared"])
    assert manifest.diagnostics == ()


def test_keys_for_other_programs_are_not_read(folder):
    shared = SHARED + "x-all: &a {negative_prompt: bad, x-why: 1}\nparams: {<<: *a}\nvars: {a: 1, x-b: 2, b: {c: 1}}\n"
    manifest = written(folder, OWN + "x-own: 5\n", shared).valid()
    assert manifest.params == {"negative_prompt": "bad"}
    assert list(manifest.constants) == ["a", "b"]
