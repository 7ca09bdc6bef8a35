"""What goes to a terminal: nothing that it would obey, but our own colours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.terminal import painted, safe, safe_json, wrapped
from tests.hostile.texts import KEY, OBEYED, TEXTS


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_line_is_one_line_that_nothing_obeys(text):
    line = safe(text)
    assert OBEYED.search(line) is None
    assert line.splitlines() == [line]
    assert not line.startswith("::")
    assert "##[" not in line


def test_what_is_escaped_can_be_read():
    assert safe("a\x1b[2Jb\n\t\u202e\ud800\U000e0041") == "a\\u001b[2Jb\\n\\t\\u202e\\ud800\\U000e0041"


@pytest.mark.parametrize(
    "text", ["Größe 😀 👩\u200d🚀", "می\u200cخواهم", "שלום", "日本", "a\xa0b", "\\n", "a :: b", "## [x]"]
)
def test_words_of_every_language_stay(text):
    assert safe(text) == text


def test_our_own_colours_alone_are_shown():
    assert safe(f"{painted('error:', '1;31')} \x1b[1;31mno\x1b[0m") == (
        "\x1b[1;31merror:\x1b[0m \\u001b[1;31mno\\u001b[0m"
    )
    assert safe(painted("a\x1b[2J", "31")) == "\x1b[31ma\\u001b[2J\x1b[0m"
    assert painted("", "31") == ""


def test_a_command_is_only_what_is_meant_as_one():
    assert safe("::error::x", is_command=True) == "::error::x"
    assert safe("  ::error::x") == "  :\\:error::x"
    assert safe("a ##[error]") == "a ##\\[error]"


def test_the_key_is_in_no_line_and_in_no_document(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", KEY)
    assert safe(f"a {KEY}") == "a [key]"
    assert json.loads(safe_json({KEY: [KEY]})) == {"[key]": ["[key]"]}


@given(st.text(st.characters()), st.booleans())
def test_a_document_stays_the_same_to_whoever_parses_it(text, ascii_only):
    written = safe_json({text: [text]}, ascii_only=ascii_only)
    assert OBEYED.search(written) is None
    assert json.loads(written) == {text: [text]}
    assert written.isascii() or not ascii_only


@pytest.mark.parametrize("width", [40, 60, 80])
def test_prose_breaks_at_words(width):
    line = "   help: use a larger picture, because one that is well above the minimum looks best in nearly every model"
    lines = wrapped(line, width, 9)
    assert all(len(each) <= width for each in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(line.split())
    assert all(each.startswith(" " * 9) for each in lines[1:])


def test_a_line_with_a_command_stays_whole():
    line = "   help: reelrun plan campaign.yaml --lock, and commit what it writes beside the manifest"
    assert wrapped(line, 40, 9) == [line]
    assert wrapped("x" * 100, None, 4) == ["x" * 100]
