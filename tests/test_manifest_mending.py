"""What a manifest with errors is mended to, and what that costs."""

import pytest

from runner.manifest.diagnostics import Diagnostics
from runner.manifest.document import parse
from runner.manifest.draft import Draft
from runner.manifest.findings import Problem
from runner.manifest.mending import Loss, Mending, read_as_meant
from runner.manifest.structure import checked
from runner.manifest.text import Text

SMALL = "version: 1\nmodel: m\nimages: [{url: u}]\nprompts: [{id: p, text: x}]\n"


def mended(more, small=SMALL):
    document = parse(Text("m.yaml", small + more))
    structure = checked(document, document.value, Diagnostics(document.source))
    return structure.content, structure.loss


def matrix(more):
    content, loss = mended(f"matrix: {{a: [1, 2], b: [3, 4], {more}}}\n")
    return content["matrix"], loss


def test_nothing_is_lost_of_what_is_sound():
    assert mended("vars: {a: 1}\n")[1] == Loss()


@pytest.mark.parametrize(
    ("images", "mended_to"),
    [
        ("[{url: u, id: 5}]", [{"url": "u", "id": "5"}]),
        ("[{url: u, id: no}]", [{"url": "u", "id": "no"}]),
        ("[{url: u, id: 007}]", [{"url": "u", "id": "007"}]),
        ("[{url: u, id: [a]}]", [{"url": "u", "id": ""}]),
        ('[{url: u, id: "\\n"}]', [{"url": "u", "id": ""}]),
        ("[{url: u, id: 2024-05-01}]", [{"url": "u", "id": "2024-05-01"}]),
        ("[{base64: AAAA}]", [{"base64": "AAAA", "id": ""}]),
        ("[{vars: {a: 1}}]", [{"vars": {"a": 1}}]),
        ("[{url: 5, vars: {a: 1}}]", [{"vars": {"a": 1}}]),
        ("[{url: u, file: f}, {glob: g, id: x}]", [{"url": "u"}, {"glob": "g"}]),
        ("[x, {url: u}, 5]", [None, {"url": "u"}, None]),
        ("[]", None),
        ("u", None),
    ],
)
def test_pictures(images, mended_to):
    assert mended("", SMALL.replace("[{url: u}]", images))[0].get("images") == mended_to


@pytest.mark.parametrize(
    ("prompts", "mended_to"),
    [
        ("[{id: p, text: 5}]", [{"id": "p", "text": "5"}]),
        ("[{id: p, text: [x]}]", [{"id": "p", "text": ""}]),
        ("[{text: x}]", [{"text": "x", "id": ""}]),
        ("[{id: p, params: {a: 1}}]", [{"id": "p", "params": {"a": 1}}]),
        ("[{id: p, file: 5}]", [{"id": "p"}]),
        ("[x, {id: p, text: x}]", [None, {"id": "p", "text": "x"}]),
    ],
)
def test_prompts(prompts, mended_to):
    assert mended("", SMALL.replace("[{id: p, text: x}]", prompts))[0]["prompts"] == mended_to


@pytest.mark.parametrize(
    ("model", "mended_to"),
    [("[m, 5, n, m, '']", ["m", None, "n", None, None]), ("5", None), ("[]", None)],
)
def test_models(model, mended_to):
    assert mended("", SMALL.replace("model: m", f"model: {model}"))[0].get("model") == mended_to


@pytest.mark.parametrize(
    ("axis", "values", "guessed"),
    [
        ("rock", ["rock"], set()),
        ("0", [0], set()),
        ("{x: 1}", [{"x": 1}], set()),
        ("[]", [""], {"c"}),
        ("", [""], {"c"}),
        ("2024-05-01", ["2024-05-01"], {"c"}),
        ("[2024-05-01, x, .nan]", ["x", "x", "x"], set()),
        ("[[2024-05-01], [1]]", [[1], [1]], set()),
        ("[2024-05-01, .nan]", ["2024-05-01", ".nan"], {"c"}),
    ],
)
def test_axes(axis, values, guessed):
    content, loss = matrix(f"c: {axis}")
    assert content["c"] == values
    assert loss.guessed == guessed


@pytest.mark.parametrize(
    ("more", "section", "left"),
    [
        ("exclude: [{a: 1}, x, {}, {a-b: 1, a: 2}, {a: 2024-05-01}, {b: 3}]", "exclude", [{"a": 1}, {"b": 3}]),
        ("exclude: {a: 1}", "exclude", None),
        ("a-c: [1], exclude: [{a: 1}, {a-c: 1}]", "exclude", [{"a": 1}]),
        ("include: [{a: 1}, x, {}, {d-e: 1}, {d: 1, d-e: 1}]", "include", [{"a": 1}, {"d": 1}]),
        ("include: x", "include", None),
        ("zip: [[a], [a, b], x, [a, 5], [a, a]]", "zip", [["a", "b"]]),
        ("zip: [[a, b, 2024-05-01]]", "zip", []),
        ("d-e: [1], zip: [[a, d-e], [a, b]]", "zip", [["a", "b"]]),
        ("d: 1, zip: [[a, d], [a, b], [b, none]]", "zip", [["a", "b"], ["b", "none"]]),
        ("sample: {seed: 1}", "sample", None),
        ("sample: {count: 2, sead: 1}", "sample", {"count": 2, "seed": 1}),
        ("sample: {count: 2, seed: [1]}", "sample", {"count": 2}),
    ],
)
def test_entries_of_the_matrix(more, section, left):
    assert matrix(more)[0].get(section) == left


@pytest.mark.parametrize(
    ("more", "lost"),
    [
        ("vars: {a-b: 1}", {"a_b": 1, "a": 1, "b": 1}),
        ("vars: [{a: 1}, b]", {"a": 1, "b": None}),
        ("vars: season=spring", {"season": None, "spring": None}),
        ("vars: {a: 1}\nvars: {b: 2}", {"vars": {"b": 2}, "b": 2}),
        ("vars: {on: 5}", {"on": 5}),
        ("constants: {a: {b: 1}}", {"constants": {"a": {"b": 1}}, "a": {"b": 1}, "b": 1}),
        ("matrix: [a]", {"a": None}),
        ("matrix: {include: {a: 1}}", {"a": 1}),
        ("matrix: {include: [x]}", {}),
        ("takes: two", {}),
        ("run: {x: {y: 1}}", {"x": {"y": 1}, "y": 1}),
    ],
)
def test_variables_that_may_have_been_defined_in_what_is_left_out(more, lost):
    assert mended(f"{more}\n")[1].variables == lost


def test_what_nothing_else_defines():
    loss = Loss()
    loss.add([{"a": 1, "b": {"c": 2, "image": 3, "a": 4}}])
    assert loss.undefined({"c", "d"}) == {"a": 1, "b": {"c": 2, "image": 3, "a": 4}}


@pytest.mark.parametrize(
    ("more", "guessed", "doubtful"),
    [
        ("vars: {a: .nan, b: {c: [2024-05-01]}, d: 1}", {"a", "b"}, set()),
        ("matrix: {a: [1], include: [{b: .nan, c: 1}]}", {"b"}, set()),
        ("params: {a: .nan, b: [{c: 2024-05-01}], d: 1}", set(), {("params", "a"), ("params", "b")}),
    ],
)
def test_values_that_are_stand_ins(more, guessed, doubtful):
    loss = mended(f"{more}\n")[1]
    assert (loss.guessed, loss.doubtful) == (guessed, doubtful)


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ("budget: 5", {"E507", "E701"}),
        ("budget: {max_jobs: x}", {"E507"}),
        ("budget: {max_cost: x}", set()),
        ("budget: {price_per_job: x}", {"E701"}),
        ("budget: {costs: 5}", {"E507", "E701"}),
        ("price_per_job: 5", {"E701"}),
        ("params: [a]", {"E202"}),
        ("params: {prompt: x}", {"E202"}),
        ("matrix: {a: [1], exclude: [x]}", {"E507", "E602"}),
        ("matrix: {a: [1], sample: 5}", {"E507", "E602"}),
        ("matrix: {a: [1], zip: [x]}", {"E505", "E507", "E602"}),
        ("matrix: {a: [1], include: [x]}", {"E504"}),
        ("matrix: 5", {"E504"}),
        ("exclude: [{a: 1}]", {"E507", "E602"}),
        ("takes: x", set()),
        ("run: 5", set()),
        ("output: {file: 5}", set()),
    ],
)
def test_codes_of_what_may_follow(more, codes):
    assert mended(f"{more}\n")[1].codes == codes


@pytest.mark.parametrize(
    ("models", "keys"),
    [("{own: 5, other: a.json}", {"own"}), ("x", {"m"}), ("{'': 5}", {""})],
)
def test_models_whose_files_are_not_known(models, keys):
    assert mended(f"models: {models}\n")[1].keys == keys


def unknown(*route, meant):
    return Problem(route, "E201", "", key=True, meant=meant)


@pytest.mark.parametrize(
    ("content", "problem", "key"),
    [
        ({"tkaes": 1}, unknown("tkaes", meant="takes"), "takes"),
        ({"parameters": 1}, unknown("parameters", meant="params"), "params"),
        ({"takes": 1, "takse": 2}, unknown("takse", meant="takes"), "takse"),
        ({"title": 1}, unknown("title", meant="table"), "title"),
        ({"x": 1}, unknown("x", meant=""), "x"),
    ],
)
def test_unknown_keys_are_read_where_it_is_nearly_certain_what_was_meant(content, problem, key):
    draft = Draft(content)
    assert read_as_meant(draft, [problem]) == ([] if key in content else [problem])
    assert key in draft.content


@pytest.mark.parametrize(
    ("entry", "is_read"), [({"flie": "x"}, True), ({"flie": "x", "url": "u"}, False), ({"flie": "x", "id": "i"}, True)]
)
def test_a_key_that_would_be_one_too_many_is_not_read(entry, is_read):
    draft = Draft({"images": [entry]})
    assert bool(read_as_meant(draft, [unknown("images", 0, "flie", meant="file")])) is is_read


def test_only_what_has_problems_is_taken_out():
    draft = Draft({"takes": 0, "name": "x", "run": {"wait": 5}})
    mending = Mending(draft, lambda route: False, lambda route: None)
    mending.mend([Problem(("takes",), "E205", ""), Problem(("run", "wait"), "E205", "")])
    assert draft.content == {"name": "x", "run": {}}
