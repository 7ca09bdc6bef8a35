"""How messages name things."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.manifest import words

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9999, 9999)
    | st.text(st.sampled_from("ab no#:{}[]'\"\\1.,-é"), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc ", min_size=1, max_size=5), inner),
)


@given(JSON)
def test_flow_is_yaml(value):
    assert yaml.safe_load(words.flow(value)) == value


@given(st.text(max_size=200))
def test_what_is_printed_has_no_control_characters(text):
    assert words.printable(text).isprintable()
    assert words.name(text).isprintable()
    assert words.literal(text).isprintable()
    assert len(words.shortened(text)) <= 60


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "the integer 5"),
        (0.5, "the number 0.5"),
        ("a\nb", 'the text "a\\nb"'),
        (True, "true"),
        (None, "empty"),
        ([1], "a list"),
        ({}, "a mapping"),
    ],
)
def test_described(value, text):
    assert words.described(value) == text


def test_joined():
    assert words.joined([]) == ""
    assert words.joined(["a"]) == "a"
    assert words.joined(["a", "b", "c"]) == "a, b or c"
    assert words.joined("abc", "and", limit=2) == "a, b, …"


def test_closest():
    assert words.closest("Surfce", ["surface", "camera"]) == "surface"
    assert words.closest("xyz", ["surface"]) is None
    assert words.did_you_mean("surfce", ["surface"]) == "did you mean 'surface'?"
    assert words.did_you_mean("xyz", ["surface"], "else") == "else"


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 byte"), (512, "512 bytes"), (2048, "2 KB"), (10485760, "10 MB"), (4404019, "4.2 MB")],
)
def test_size(count, text):
    assert words.size(count) == text
