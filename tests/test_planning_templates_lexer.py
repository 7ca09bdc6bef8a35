"""Every part of a template's text has its place, in the text as it was written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from runner.planning.templates.environment import Environment
from runner.planning.templates.lexer import as_written, spans, stray_end, tokens, with_newlines

LEXER = Environment().lexer
BRACES = ["{{ ", " }}", "{%- ", "-%}", "{% raw %}", "{%- endraw -%}", "{# ", " -#}"]
texts = st.lists(st.sampled_from([*BRACES, "x", "'a'", "\n", "\r\n", "\r", "  ", "é"])).map("".join)


@given(texts)
@example("  a \n {%- if x -%} \n b {{ 'c\nd' }} \n {% raw %} {{ {% endraw %}\n")
def test_tokens_stand_where_they_say(text: str) -> None:
    source = with_newlines(text)
    found = tokens(LEXER, source)
    assert all(source[token.start : token.end] == token.text for token in found)
    assert all(source[left.end : right.start].strip() == "" for left, right in pairwise(found))


@given(texts)
def test_offsets_lead_back_to_the_text_as_it_was_written(text: str) -> None:
    source = with_newlines(text)
    for offset, sign in enumerate(source):
        there = text[as_written(text, offset)]
        assert there in "\r\n" if sign == "\n" else there == sign
    assert as_written(text, len(source)) == len(text)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("ab {{ x ? }}", 8, "unexpected char '?'"),
        ("ab {{ x) }}", 7, "unexpected ')'"),
        ("ab {# x", 3, "Missing end of comment tag"),
        ("ab {% raw %}{{", 3, "Missing end of raw directive"),
    ],
)
def test_what_cannot_be_read_has_its_place(text: str, offset: int, message: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        list(LEXER.tokeniter(text, None))
    assert (caught.value.lineno, caught.value.message) == (offset, message)
    assert all(token.end <= max(offset, 5 + 7) for token in tokens(LEXER, text))


def test_spans_are_what_stands_between_the_braces() -> None:
    text = "a {{  x + 1 }} {%- if y  %}{# {{ z }} #}{% endif %}{{}}{{ 'b"
    found = spans(tokens(LEXER, text))
    assert [text[start:end] for start, end in found] == ["x + 1", "if y", "endif"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a }} b", 2),
        ("a %} b }}", 2),
        ("{{ x }}}}", 7),
        ("{% raw %}{{ a }}{% endraw %} }}", 29),
        ("a } } b % } {# }} #} {{ '}}' }} {{ {'a': {'b': 1}} }}", None),
        ("{% raw %}}} %}{% endraw %}", None),
        ("#}", None),
    ],
)
def test_what_ends_where_nothing_began(text: str, place: int | None) -> None:
    found = stray_end(tokens(LEXER, text))
    assert (found and found.start) == place
