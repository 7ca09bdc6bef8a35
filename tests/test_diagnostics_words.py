"""How messages name things."""

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics import suggestions, words

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
    assert suggestions.closest("Surfce", ["surface", "camera"]) == "surface"
    assert suggestions.closest("xyz", ["surface"]) is None
    assert suggestions.suggestion("surfce", ["surface"]) == "did you mean 'surface'?"
    assert suggestions.suggestion("xyz", ["surface"], "else") == "else"


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 byte"), (512, "512 bytes"), (2048, "2 KB"), (10485760, "10 MB"), (4404019, "4.2 MB")],
)
def test_size(count, text):
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("0.25", "USD", "$0.25"),
        ("0.00125", "USD", "$0.00125"),
        ("1234.5", "EUR", "€1,234.50"),
        ("10.5", "USD", "$10.50"),
        ("7", "EUR", "€7.00"),
        ("1E+3", "GBP", "£1,000.00"),
        ("0.125", "CHF", "0.125 CHF"),
        ("0", "USD", "$0.00"),
    ],
)
def test_money(amount: str, currency: str, text: str) -> None:
    assert words.money(Decimal(amount), currency) == text
    assert words.money(float(amount), currency) == text
