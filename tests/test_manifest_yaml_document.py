"""YAML to JSON values, within limits."""

import gc
import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.text import Text
from runner.errors import ManifestError
from runner.manifest.yaml.document import MAX_ALIASED, MAX_DEPTH, parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc{}: #\n", max_size=5), inner))


def read(text):
    return parse(Text("m.yaml", text)).value


def diagnostics(text):
    """What keeps a text that can be read from being values: code, line and message of each."""
    with pytest.raises(ManifestError) as caught:
        parse(Text("m.yaml", text))
    return [(each.code, each.position.line, each.message) for each in caught.value.diagnostics]


def refusal(text):
    with pytest.raises(ManifestError) as caught:
        parse(Text("m.yaml", text))
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@given(JSON, st.booleans())
def test_values_are_those_that_were_dumped(value, flow):
    text = yaml.dump(value, default_flow_style=flow, allow_unicode=True)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    assert json.dumps(read(text), sort_keys=True) == json.dumps(yaml.safe_load(text), sort_keys=True)


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`?,<=~.0123eE+_ \n\t"), max_size=60))
def test_any_text_is_read_or_refused(text):
    found = ()
    try:
        json.dumps(read(text), allow_nan=False)
    except ManifestError as error:
        found = error.diagnostics
    assert all(each.code in ("E102", "E103", "E105", "E106", "E204") and each.hint for each in found)


def test_keys_that_are_given_twice():
    assert diagnostics("a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n") == [
        ("E103", 2, "the key 'c' is given twice; the first is in line 2"),
        ("E103", 3, "the key 'a' is given twice; the first is in line 1"),
    ]
    assert [each[:2] for each in diagnostics("a: 1\n'a': 2\n\"\\x61\": 3\n")] == [("E103", 2), ("E103", 3)]


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
    assert read(text)["own"] == value


def test_merging_what_is_no_mapping():
    assert diagnostics("own: {<<: 5}") == [("E204", 1, "<< merges mappings; this is the integer 5")]
    assert diagnostics("own: {<<: [{a: 1}, x]}") == [("E204", 1, '<< merges mappings; this is the text "x"')]
    assert diagnostics("own:\n  <<: {a: 1}\n  <<: {b: 1}") == [("E103", 3, "<< is given twice")]


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
    assert [each[:2] for each in diagnostics(f"a: 1\nb: {value}\nc: {value}\n")] == [("E106", 2), ("E106", 3)]


def test_what_an_alias_repeats_is_told_once():
    assert [each[:2] for each in diagnostics("a: &a .nan\nb: *a\nc: [*a]\nd: &d [.inf]\ne: *d\n")] == [
        ("E106", 1),
        ("E106", 4),
    ]


@pytest.mark.parametrize("key", ["1", "on", "null", "1.5", "[a]", "{a: b}", "2024-05-01", "~"])
def test_keys_that_are_no_text(key):
    assert [each[:2] for each in diagnostics(f"a: 1\n{key}: .nan\n")] == [("E106", 2), ("E106", 2)]


def test_a_template_without_quotes():
    fault = refusal("text: {{ product }}\n")
    assert fault.message == "a template without quotes is a mapping in YAML"
    assert fault.hint == 'write the whole value in quotes: "{{ product }}"'
    assert (fault.position.line, fault.position.column, fault.position.length) == (1, 7, 13)


@pytest.mark.parametrize("text", ["a: {{b: c}: d}", "a: {{b}: d}", "a: { {b}: }", "a: {{b}: , c: 1}"])
def test_mappings_with_odd_keys_are_no_templates(text):
    assert "a template without quotes is a mapping in YAML" not in [each[2] for each in diagnostics(text)]


def test_aliases_share_their_value():
    assert read("a: &a [1, 2]\nb: *a\nc: [*a, *a]\n") == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}


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
    assert len(read(laughs(5))["a4"]) == 10


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
    assert read(deep)
    assert refusal(f"[{deep}]").code == "E105"


def test_numbers():
    value = read("[5, -5, 1_000, 0x1F, 0b11, 017, 1:30, 5.0, 1.5e+3, 1e3, .5, ~, true, Yes]")
    assert value == [5, -5, 1000, 31, 3, 15, 90, 5.0, 1500.0, "1e3", 0.5, None, True, True]
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
