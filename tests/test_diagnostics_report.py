"""Diagnostics as text."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.report import text
from runner.errors import Diagnostic, Position, Severity


def diagnostic(source, column=1, length=1, **values):
    values = {"code": "E204", "severity": Severity.ERROR, "message": "it is wrong", "hint": "mend it", **values}
    return Diagnostic(position=Position("m.yaml", 18, column, length), source=source, **values)


def test_the_standard():
    problem = diagnostic(
        "  duration: 5",
        13,
        message='duration is the integer 5; the API takes "5" or "10"',
        hint='it is a string in the API: write "5"',
    )
    assert text(problem) == (
        'm.yaml:18:13: error[E204]: duration is the integer 5; the API takes "5" or "10"\n'
        "   18 |   duration: 5\n"
        "      |             ^\n"
        '   help: it is a string in the API: write "5"'
    )


def test_without_a_line_or_a_hint():
    assert text(diagnostic("", hint="")) == "m.yaml:18:1: error[E204]: it is wrong"
    assert text(diagnostic("   ", severity=Severity.WARNING, code="W901")).startswith("m.yaml:18:1: warning[W901]")


def test_colour_only_when_asked_for():
    assert "\x1b" not in text(diagnostic("a: 5", 4))
    coloured = text(diagnostic("a: 5", 4), colour=True)
    assert "\x1b[1;31merror[E204]\x1b[0m" in coloured
    assert "\x1b[1;31m^\x1b[0m" in coloured
    assert "\x1b[1;33mwarning" in text(diagnostic("a", severity=Severity.WARNING), colour=True)


def columns(part):
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in part)
    return len(part) + wide - sum(bool(unicodedata.combining(each)) for each in part)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=300), st.data())
def test_the_caret_is_under_its_token(source, data):
    start = data.draw(st.integers(0, len(source) - 1))
    length = data.draw(st.integers(1, len(source) - start))
    lines = text(diagnostic(source, start + 1, length)).split("\n")
    assert all(line.isprintable() for line in lines)
    if source.strip():
        _, shown, caret, _ = lines
        assert len(shown) < 1500
        at, width = caret.index("^"), caret.count("^")
        before, after = columns(shown[:8]), columns(shown)
        assert before <= at
        assert at + width <= max(after, at + 1)


def test_a_long_line_is_cut_around_the_caret():
    source = "x" * 5000 + "wrong" + "y" * 5000
    _, shown, caret, _ = text(diagnostic(source, 5001, 5)).split("\n")
    assert len(shown) < 130
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "wrong"
    assert "…" in shown[:10]
    assert shown.endswith("…")


def test_tabs_and_wide_characters_keep_the_caret_in_place():
    _, shown, caret, _ = text(diagnostic("\t春: 5", 5)).split("\n")
    assert shown == "   18 |     春: 5"
    assert caret == "      |         ^"
