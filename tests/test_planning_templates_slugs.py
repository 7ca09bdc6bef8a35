from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.planning.templates.slugs import LONGEST, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wet rock", "wet-rock"),
        ("Wet  Rock!", "wet-rock"),
        ("slow push-in", "slow-push-in"),
        ("v1.6_final", "v1.6_final"),
        ("0.3", "0.3"),
        ("--a--b--", "a-b"),
        ("..hidden..", "hidden"),
        (".-.x.-.", "x"),
        ("a/../b", "a-..-b"),
        ("Café", "café"),
        ("Cafe\u0301", "café"),
        ("東京 タワー", "東京-タワー"),
        ("हिन्दी", "हिन्दी"),
        ("ﬁne ½", "fine-1-2"),
        ("a\nb\tc", "a-b-c"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_a_name_of_signs_alone_is_a_digest_of_its_own() -> None:
    assert slug("!!!") != slug("???")
    assert len(slug("")) == len(slug("..")) == 8
    assert slug("") == "e3b0c442"


def test_a_long_name_is_cut() -> None:
    assert slug("ab " * 100) == ("ab-" * 20).rstrip("-")


@given(st.text(st.characters(), max_size=120))
@example("İ")
@example("\ud800")
@example("x" * 59 + "..y")
def test_every_slug_is_a_safe_name(text: str) -> None:
    made = slug(text)
    assert 0 < len(made) <= LONGEST
    assert all(sign in "._-" or unicodedata.category(sign)[0] in "LMN" for sign in made)
    assert made.strip("-.") == made
    assert "--" not in made
    assert slug(made) == made
