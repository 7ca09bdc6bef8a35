"""Fragments: what templates include, import and extend, and where a mistake in one of them is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.errors import Diagnostic, ManifestError
from runner.manifest.reader import load
from runner.planning.plan import make_plan
from runner.planning.templates.template import Templates
from tests.kit import write_manifest
from tests.templating import VARIABLES, compiled, fault, marked, render
from tests.warned import warnings

TEXTS = {
    "brand.j2": "{% macro voice(thing, mood='calm') %}{{ mood }} {{ thing }}{% endmacro %}{% set tone = 'warm' %}",
    "uses.j2": "{% macro it() %}{{ product }}{% endmacro %}",
    "where.j2": "on {{ surface }}\n",
    "crlf.j2": "a\r\nb {{ take }}\r\n",
    "in/deep.j2": "{% include 'where.j2' %}, far",
    "base.j2": "A {% block what %}shoe{% endblock %}, {% block how %}slow{% endblock %} pan",
    "middle.j2": "{% extends 'base.j2' %}{% block how %}very {{ super() }}{% endblock %}",
    "count.j2": "{% set n = namespace(x=0) %}{% macro up() %}{% set n.x = n.x + 1 %}{{ n.x }}{% endmacro %}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected", "names"),
    [
        ("A shoe {% include 'where.j2' %}!", "A shoe on wet rock!", {"surface"}),
        ("{% include 'in/deep.j2' %}", "on wet rock, far", {"surface"}),
        ("{% include 'crlf.j2' %}", "a\nb 1", {"take"}),
        ("{% from 'brand.j2' import voice as v %}{{ v('shoe') }}", "calm shoe", set()),
        ("{% import 'brand.j2' as b %}{{ b.voice('shoe', mood='bright') }}, {{ b.tone }}", "bright shoe, warm", set()),
        ("{% from 'uses.j2' import it with context %}{{ it() }}", "trail shoe", {"product"}),
        ("{% extends 'base.j2' %}{% block what %}{{ product }}{% endblock %}", "A trail shoe, slow pan", {"product"}),
        ("{% extends 'middle.j2' %}{% block what %}bag or {{ super() }}{% endblock %}", "A bag or shoe, very slow pan",
         set()),
        ("{% include ['nowhere.j2', 'where.j2'] %}", "on wet rock", {"surface"}),
        ("a{% include 'nowhere.j2' ignore missing %}b", "ab", set()),
        ("{% if false %}{% include 'where.j2' %}{% endif %}", "", {"surface"}),
    ],
)  # fmt: skip
def test_fragments_and_the_names_that_they_look_up(folder: Path, text: str, expected: str, names: set[str]) -> None:
    template = compiled(text, folder)
    assert (template.names, template.is_dynamic) == (names, False)
    assert render(text, folder) == expected


def test_a_fragment_may_be_named_by_a_variable(folder: Path) -> None:
    text = "{% include which ~ '.j2' %}"
    assert compiled(text, folder).is_dynamic
    assert render(text, folder, which="where") == "on wet rock"
    assert fault(text, folder, which="were").hint == "did you mean 'where.j2'?"


def test_each_fragment_is_read_once_and_is_an_input(folder: Path) -> None:
    templates = Templates([folder.resolve()])
    template = templates.compile("{% include 'in/deep.j2' %}{% include which %}")
    assert [each.path for each in templates.fragments.inputs()] == ["in/deep.j2", "where.j2"]
    (folder / "where.j2").write_text("changed")
    assert template.render({**VARIABLES, "which": "crlf.j2"}) == "on wet rock, fara\nb 1"
    assert [each.path for each in templates.fragments.inputs()] == ["crlf.j2", "in/deep.j2", "where.j2"]


def test_what_a_render_leaves_in_a_fragment_changes_no_other(folder: Path) -> None:
    template = compiled("{% import 'count.j2' as c %}{{ c.up() }}{{ c.up() }}", folder)
    assert [template.render({}), template.render({})] == ["12", "12"]


# Mistakes


@pytest.mark.parametrize(
    ("text", "code", "place", "message"),
    [
        ("first\n  {{ surfce }} here\n", "E311", "surfce", "unknown variable 'surfce'"),
        ("\r\n{{ product.uper() }}", "E311", "uper", "product has no 'uper'"),
        ("x\n{{ take }} {{ 1 / 0 }}", "E313", "1 / 0", "division by zero"),
        ("x\n{{ tags }}", "E316", "tags", "tags is a list"),
        ("x\n{{ a b }}", "E301", "b", "got 'b'"),
        ("x\n{% if flag %}", "E301", "if", "'if' is never closed"),
        ("x\n{{ cfg | uper }}", "E301", "uper", "there is no filter"),
        ("x }} y", "E301", "}}", "ends what nothing began"),
        ("{% include 'wrong.j2' %}", "E314", "include 'wrong.j2'", "nested too deeply"),
        ("{% extends 'wrong.j2' %}", "E314", "extends 'wrong.j2'", "nested too deeply"),
        ("{% import 'wrong.j2' as w %}", "E314", "import 'wrong.j2' as w", "nested too deeply"),
        ("a\n{% include 'were.j2' %}", "E101", "include 'were.j2'", "'were.j2' does not exist"),
    ],
)
def test_a_mistake_in_a_fragment_is_told_there(folder: Path, text: str, code: str, place: str, message: str) -> None:
    (folder / "wrong.j2").write_bytes(text.encode())
    (folder / "between.j2").write_text("far\n{% include 'wrong.j2' %}")
    for outer in (
        "{% include 'wrong.j2' %}",
        "{{ take }}{% include ['wrong.j2'] ignore missing %}",
        "{% include 'between.j2' %}",
    ):
        found = fault(outer, folder)
        assert found.code == code
        assert found.fragment is not None
        assert found.fragment.file.endswith("wrong.j2")
        assert marked(outer, found) == place
        assert message in found.message


def test_a_mistake_in_a_macro_or_block_of_a_fragment_is_told_there(folder: Path) -> None:
    (folder / "macro.j2").write_text("\n{% macro m(x) %}\n{{ x.uper() }}\n{% endmacro %}")
    found = fault("{% import 'macro.j2' as m %}{{ m.m('a') }}", folder)
    assert (found.code, marked("", found)) == ("E311", "uper")
    text = "{% extends 'base.j2' %}{% block what %}{{ prodct }}{% endblock %}"
    found = fault(text, folder)
    assert (found.code, found.fragment, marked(text, found)) == ("E311", None, "prodct")


def test_a_variable_that_a_fragment_without_context_lacks(folder: Path) -> None:
    for text in ("{% from 'uses.j2' import it %}{{ it() }}", "{% include ['no.j2', 'where.j2'] without context %}"):
        found = fault(text, folder)
        assert (found.code, marked("", found)) == ("E311", found.unknown)
        assert "write 'with context'" in found.hint


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "hint"),
    [
        ("x {% include 'were.j2' %}", "E101", "include 'were.j2'", "'were.j2' does not exist", "mean 'where.j2'?"),
        ("{% extends 'bse.j2' %}", "E101", "extends 'bse.j2'", "'bse.j2' does not exist", "did you mean 'base.j2'?"),
        ("{% include 'in/dep.j2' %}", "E101", "include 'in/dep.j2'", "does not exist", "did you mean 'in/deep.j2'?"),
        ("{% include ['a.j2', 'b.j2'] %}", "E101", "include ['a.j2', 'b.j2']", "a.j2, b.j2", "ignore missing"),
        ("{% include '" + "y" * 300 + "' %}", "E101", "include '" + "y" * 300 + "'", "does not exist", "holds"),
        ("{% include 'in' %}", "E101", "include 'in'", "the file cannot be read", "text file"),
        ("{% include 'pipe.j2' %}", "E101", "include 'pipe.j2'", "not a regular file", "text file"),
        ("{% include '../out.j2' %}", "E107", "include '../out.j2'", "lies outside the manifest's folder", "--allow-o"),
        ("{% include '/etc/passwd' %}", "E107", "include '/etc/passwd'", "lies outside", "--allow-outside /etc"),
        ("{% include 'link.j2' %}", "E107", "include 'link.j2'", "lies outside", "--allow-outside /etc"),
        ("{% include 'latin.j2' %}", "E104", "include 'latin.j2'", "latin.j2:2: the byte 0xe9 is not UTF-8", "save"),
        ("{% include 'long.j2' %}", "E105", "include 'long.j2'", "long.j2:1: the file is larger than 1 MB", "split it"),
        ("{% include mood %}", "E311", "mood", "unknown variable 'mood'", "known here"),
        ("{% include 5 %}", "E313", "include 5", "fails", ""),
        ("{% include none %}", "E101", "include none", "empty list", ""),
        ("{% from 'brand.j2' import vice %}{{ vice('a') }}", "E313", "vice('a')",
         "the template 'brand.j2' does not export the requested name 'vice'", ""),
        ("{% import 'brand.j2' as b %}{{ b.vioce('a') }}", "E311", "vioce", "b has no 'vioce'", "mean 'voice'?"),
    ],
    ids=lambda part: part[:30],
)  # fmt: skip
def test_fragments_that_cannot_be_had(folder: Path, text: str, code: str, place: str, message: str, hint: str) -> None:
    os.mkfifo(folder / "pipe.j2")
    (folder / "link.j2").symlink_to("/etc/passwd")
    (folder / "latin.j2").write_bytes(b"x\ncaf\xe9")
    (folder / "long.j2").write_text("x" * (2**20 + 1))
    (folder.parent / "out.j2").write_text("x")
    found = fault(text, folder)
    assert (found.code, marked(text, found)) == (code, place)
    assert message in found.message
    assert hint in found.hint


def test_a_fragment_may_lie_in_a_folder_that_is_allowed(folder: Path) -> None:
    (folder.parent / "shared").mkdir(exist_ok=True)
    (folder.parent / "shared" / "out.j2").write_text("far away")
    assert render("{% include '../shared/out.j2' %}", folder, folder.parent / "shared") == "far away"
    assert fault("{% include '../shared/out.j2' %}", folder).code == "E107"


def test_without_folders_there_are_no_fragments() -> None:
    assert fault("{% include 'README.md' %}").code == "E101"


# In a manifest


def diagnose(path: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(ManifestError) as caught:
        make_plan(load(path))
    return caught.value.diagnostics


def test_a_mistake_has_the_fragment_s_file_line_and_caret_for_all_cells_that_have_it(folder: Path) -> None:
    (folder / "typo.j2").write_text("On a hill,\nin {{ surfce }} light")
    arms = [{"id": "a", "text": "A {% include 'typo.j2' %}"}, {"id": "b", "text": "B, {% include 'typo.j2' %}"}]
    (found,) = diagnose(write_manifest(folder, prompts=arms, matrix={"surface": ["wet", "dry"]}))
    position = found.position
    assert (Path(position.file).name, position.line, position.column, position.length) == ("typo.j2", 2, 7, 6)
    assert found.source == "in {{ surfce }} light"
    assert "(in 4 of 4 cells; the first is p0/a/surface=wet/take-1)" in found.message
    assert "did you mean 'surface'?" in found.hint


def test_all_unknown_variables_of_a_fragment_are_told(folder: Path) -> None:
    (folder / "typos.j2").write_text("{{ one }} {{ two }}")
    found = diagnose(write_manifest(folder, prompts=[{"id": "a", "text": "{{ zero }} {% include 'typos.j2' %}"}]))
    assert [each.message for each in found] == [f"unknown variable '{name}'" for name in ("zero", "one", "two")]


@pytest.mark.parametrize("name", ["'where.j2'", "which"])
def test_what_a_fragment_looks_up_is_used(folder: Path, name: str) -> None:
    text = f"Slow push-in {{% include {name} %}}"
    keys = {"matrix": {"surface": ["rock", "sand"]}, "vars": {"which": "where.j2"}, "params": {"negative_prompt": "x"}}
    prompts = [{"id": "plain", "text": text if name == "which" else text + "{{ which }}"}]
    assert warnings(folder, "W331", "W332", "W333", prompts=prompts, **keys) == []
    unread = warnings(folder, "W331", prompts=[{"id": "plain", "text": "{{ which }} pans"}], **keys)
    assert [each.split(":")[0] for each in unread] == ["W331 surface"]


def test_what_the_fragment_of_a_constant_looks_up_is_used(folder: Path) -> None:
    for name in ("'where.j2'", "which"):
        constants = {"which": "where.j2", "surface": "rock", "place": f"{{% include {name} %}}{{{{ which[:0] }}}}"}
        assert warnings(folder, "W332", prompts=[{"id": "a", "text": "{{ place }} pans"}], vars=constants) == []


def test_the_plan_has_its_fragments_among_the_inputs(folder: Path) -> None:
    planned = make_plan(
        load(write_manifest(folder, prompts=[{"id": "a", "text": "{% include 'in/deep.j2' %}"}], vars={"surface": "x"}))
    )
    assert [each.path for each in planned.manifest.inputs] == ["campaign.yaml", "in/deep.j2", "where.j2"]
