"""The key in every form that a text may hold it in."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.errors import Exit, SecretError
from runner.secret import cleaned, holds_key, place_of_key, refuse_key, usable, without_key, without_signatures
from tests.hostile.texts import FORMS, KEY, traces_in


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_found_and_taken_out(form):
    assert holds_key(f"a {form} b", KEY)
    left = without_key(f"a {form} b", KEY)
    assert "[key]" in left
    assert traces_in(left) == []
    assert not holds_key(left, KEY)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60), st.text(), st.text())
@example("00000000", "%", "")
@example("u0041234", "\\", "")
def test_a_key_of_any_signs_is_found(key, before, after):
    assert without_key(f"{before}{key}{after}", key) != f"{before}{key}{after}"
    assert not holds_key(without_key(key, key), key)


@pytest.mark.parametrize("text", ["", "a shoe", KEY[:-1], KEY[1:], KEY[::-1], "%73%6b", "[key]", "\\", "%", "&#1;"])
def test_other_texts_stay_as_they_are(text):
    assert without_key(text, KEY) == text


@pytest.mark.parametrize("key", [None, "", "   ", "short", " seven77 "])
def test_what_is_too_short_is_no_key(key):
    assert usable(key) == ""
    assert without_key(f"a {key} b", key) == f"a {key} b"


def test_the_place_is_that_of_the_whole_form():
    assert place_of_key(f"ab {KEY} c", KEY) == (3, len(KEY))
    broken = f"{KEY[:5]}\n  {KEY[5:]}"
    assert place_of_key(f"x{broken}", KEY) == (1, len(broken))


def test_a_document_is_cleaned_in_names_and_values(monkeypatch):
    document = {KEY: [f"a{KEY}", {"n": 1, "b": True, "t": (KEY,)}], "ok": None}
    assert cleaned(document, KEY) == {"[key]": ["a[key]", {"n": 1, "b": True, "t": ["[key]"]}], "ok": None}
    assert cleaned(document) is document
    monkeypatch.setenv("GMI_API_KEY", f" {KEY}\n")
    assert cleaned(document) == cleaned(document, KEY)


def test_what_would_hold_the_key_is_refused(monkeypatch):
    refuse_key([KEY], "the state")
    monkeypatch.setenv("GMI_API_KEY", KEY)
    refuse_key([KEY[:9], KEY[9:], 1, None], "the state")
    with pytest.raises(SecretError, match="the state would hold the key") as caught:
        refuse_key(["a", f"b{KEY}"], "the state")
    assert caught.value.exit_code == Exit.INVALID
    assert KEY not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("part", ["s" * 40, " ", "s ", "\\", "%73", "s\n", KEY[:-1], "&#115;", "c2stcHJvai05"])
def test_a_long_text_costs_little(part):
    """A megabyte takes a second; a search in the square of its length would not end."""
    assert holds_key(part * (1_000_000 // len(part)) + KEY, KEY)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "cannot fetch https://b.s3.amazonaws.com/a.jpg?X-Amz-Expires=9&X-Amz-Signature=0f1e: 403",
            "cannot fetch https://b.s3.amazonaws.com/a.jpg?X-Amz-Expires=9&X-Amz-Signature=[signature] 403",
        ),
        ('{"url": "https://x/a?x-goog-signature=ab%2Fc"}', '{"url": "https://x/a?x-goog-signature=[signature]"}'),
        ("https://x/a?sv=1&sig=a%2Bb%3D&se=2", "https://x/a?sv=1&sig=[signature]&se=2"),
        ("https%3A%2F%2Fx%3FX-Amz-Signature%3D0f1e", "https%3A%2F%2Fx%3FX-Amz-Signature%3D[signature]"),
        ("config=1 design=2, https://x/a.jpg?v=3", "config=1 design=2, https://x/a.jpg?v=3"),
    ],
)
def test_signatures_of_addresses_are_taken_out(text, left):
    assert without_signatures(text) == left
