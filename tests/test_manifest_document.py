"""YAML to JSON values, within limits."""

import gc
import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ManifestError
from runner.manifest.document import MAX_ALIASED, MAX_DEPTH, parse
from runner.manifest.text import Text

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc{}: #\n", max_size=5), inner))


def read(text):
    document = parse(Text("m.yaml", text))
    return document.value, [(each.code, document.source.place(each.node).line) for each in document.faults]


def refusal(text):
    with pytest.raises(ManifestError) as caught:
        parse(Text("m.yaml", text))
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@given(JSON, st.booleans())
def test_values_are_those_that_were_dumped(value, flow):
    text = yaml.dump(value, default_flow_style=flow, allow_unicode=True)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    read_back, faults = read(text)
    assert faults == []
    assert json.dumps(read_back, sort_keys=True) == json.dumps(yaml.safe_load(text), sort_keys=True)


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`?,<=~.0123eE+_ \n\t"), max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        document = parse(Text("m.yaml", text))
    except ManifestError as error:
        (diagnostic,) = error.diagnostics
        assert diagnostic.code in ("E102", "E105")
        assert diagnostic.hint
    else:
        json.dumps(document.value, allow_nan=False)


def test_duplicate_keys_are_faults_and_the_first_one_stands():
    value, faults = read("a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n")
    assert value == {"a": 1, "b": {"c": 1, "d": 2}}
    assert faults == [("E103", 2), ("E103", 3)]
    assert read("a: 1\n'a': 2\n\"\\x61\": 3\n")[1] == [("E103", 2), ("E103", 3)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}", {"x": 1, "y": 3}),
        ("base: &b {x: 1, y: 2}\nown: {y: 3, <<: *b}", {"x": 1, "y": 3}),
        ("base: &b {x: 1}\nown: {<<: [*b, {x: 2, z: 4}], y: 3}", {"x": 1, "z": 4, "y": 3}),
        ("base: &b {x: 1}\nmore: &m {<<: *b, q: 1}\nown: {<<: *m}", {"x": 1, "q": 1}),
        ("own: {k: <<, v: =}", {"k": "<<", "v": "="}),
    ],
)
def test_merge_keys(text, value):
    read_value, faults = read(text)
    assert (read_value["own"], faults) == (value, [])


def test_merging_what_is_no_mapping():
    assert read("own: {<<: 5}")[1] == [("E204", 1)]
    assert read("own: {<<: [{a: 1}, x]}") == ({"own": {"a": 1}}, [("E204", 1)])
    assert read("own:\n  <<: {a: 1}\n  <<: {b: 1}") == ({"own": {"a": 1, "b": 1}}, [("E103", 3)])


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01",
        "2024-05-01 10:00:00",
        ".nan",
        "-.inf",
        "1.0e+999",
        "!!binary aGVsbG8=",
        "!!set {a}",
        "!!omap [a: 1]",
        "!!python/name:os.system ''",
        "!!python/object/apply:os.system ['true']",
        "!own 5",
        "!!int x",
        "!!bool x",
        "!!float x",
        "99999999999999999999",
        "0x" + "f" * 200,
        "9" * 5000,
    ],
)
def test_values_that_json_does_not_have(value):
    (read_value, faults) = read(f"a: 1\nb: {value}\nc: 2\n")
    assert faults == [("E106", 2)]
    # A text is what was probably meant by a scalar; of a collection nothing is known.
    assert set(read_value) == {"a", "b", "c"}
    assert read_value["b"] is None or read_value["b"] in value


@pytest.mark.parametrize("key", ["1", "on", "null", "1.5", "[a]", "{a: b}", "2024-05-01", "~"])
def test_keys_that_are_no_text(key):
    assert read(f"a: 1\n{key}: 2\n") == ({"a": 1}, [("E106", 2)])


def test_a_template_without_quotes():
    document = parse(Text("m.yaml", "text: {{ product }}\n"))
    (fault,) = document.faults
    assert fault.message == "a template without quotes is a mapping in YAML"
    assert fault.hint == 'write the whole value in quotes: "{{ product }}"'
    assert document.value == {"text": "{{ product }}"}
    place = document.source.position(("text",), offset=3, length=7)
    assert (place.line, place.column, place.length) == (1, 10, 7)


@pytest.mark.parametrize("text", ["a: {{b: c}: d}", "a: {{b}: d}", "a: { {b}: }", "a: {{b}: , c: 1}"])
def test_mappings_with_odd_keys_are_no_templates(text):
    document = parse(Text("m.yaml", text))
    assert [each.message for each in document.faults] != ["a template without quotes is a mapping in YAML"]
    assert isinstance(document.value["a"], dict)


def test_what_a_fault_leaves_out_is_kept_with_it():
    document = parse(Text("m.yaml", "a: {b: 1}\na: {c: 2}\non: {d: .nan}\n"))
    assert [(each.code, each.lost) for each in document.faults] == [
        ("E103", {"a": {"c": 2}}),
        ("E106", {}),
        ("E106", {"on": {"d": ".nan"}}),
    ]


def test_aliases_share_their_value():
    value, faults = read("a: &a [1, 2]\nb: *a\nc: [*a, *a]\n")
    assert (value, faults) == ({"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}, [])


def laughs(levels, width=10):
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        laughs(30),
        f"a: &a [{', '.join('x' * 600)}]\nb: [{', '.join(['*a'] * 600)}]",
        "a: &a {" + ", ".join(f"k{n}: 1" for n in range(600)) + "}\nb: [" + ", ".join(["{<<: *a}"] * 600) + "]",
    ],
    ids=["billion laughs", "quadratic", "merges"],
)
def test_aliases_that_multiply_are_refused(text):
    diagnostic = refusal(text)
    assert diagnostic.code == "E105"
    assert f"{MAX_ALIASED:,}" in diagnostic.message


def test_few_aliases_are_not():
    assert len(read(laughs(5))[0]["a4"]) == 10


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "&a [{b: [*a]}]"])
def test_circles_are_refused(text):
    assert refusal(text).code == "E105"


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 50_000, "- " * 50_000, "? " * 50_000, "".join(" " * n + "a:\n" for n in range(300))],
)
def test_nesting_is_bounded(text):
    diagnostic = refusal(text)
    assert (diagnostic.code, diagnostic.message) == ("E105", "more than 100 levels of nesting")


@pytest.mark.parametrize("levels", [150, 900, 3_000])
def test_nesting_is_too_deep_at_one_place_however_deep_it_gets(levels):
    position = refusal("a: 1\nb: " + "[" * levels).position
    assert (position.line, position.column) == (2, MAX_DEPTH + 2)


def test_nesting_within_the_bound():
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read(deep)[1] == []
    assert refusal(f"[{deep}]").code == "E105"


def test_numbers():
    value, faults = read("[5, -5, 1_000, 0x1F, 0b11, 017, 1:30, 5.0, 1.5e+3, 1e3, .5, ~, true, Yes]")
    assert value == [5, -5, 1000, 31, 3, 15, 90, 5.0, 1500.0, "1e3", 0.5, None, True, True]
    assert faults == []
    assert all(not isinstance(each, float) or math.isfinite(each) for each in value)


def test_the_garbage_collector_is_left_as_it_was():
    assert gc.isenabled()
    refusal("[")
    assert gc.isenabled()
    gc.disable()
    try:
        read("a: 1")
        assert not gc.isenabled()
    finally:
        gc.enable()
