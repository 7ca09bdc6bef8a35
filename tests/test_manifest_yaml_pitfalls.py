"""Words that YAML reads otherwise than they look."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.text import Text
from runner.manifest.yaml.document import parse
from runner.manifest.yaml.pitfalls import number_for


def doubts(text):
    return list(parse(Text("m.yaml", text)).surprises.values())


@pytest.mark.parametrize(
    ("written", "read", "hint"),
    [
        ("no", "YAML reads no as false", 'write "no" for the word, false for the truth value'),
        ("On", "YAML reads On as true", 'write "On" for the word, true for the truth value'),
        ("017", "YAML reads 017 as the number 15 (base 8)", 'write "017" for the text, 15 for the number'),
        ("1:30", "YAML reads 1:30 as the number 90 (base 60)", 'write "1:30" for the text, 90 for the number'),
        ("1e3", "YAML reads 1e3 as text", 'write 1000.0 for the number, "1e3" for the text'),
        ("08", "YAML reads 08 as text", 'write 8 for the number, "08" for the text'),
        ("0o17", "YAML reads 0o17 as text", 'write 15 for the number, "0o17" for the text'),
    ],
)
def test_doubts(written, read, hint):
    (doubt,) = doubts(f"[{written}]")
    assert (doubt.message, doubt.hint) == (read, hint)


@pytest.mark.parametrize(
    "written",
    [
        "true",
        "False",
        '"no"',
        "'017'",
        "0",
        "10",
        "1_000",
        "0x1F",
        "0.5",
        "1.0e+3",
        "~",
        "spring",
        "1.2.3",
        "1e",
        "1e999",
    ],
)
def test_plain_words_are_plain(written):
    assert doubts(f"[{written}]") == []


@given(st.from_regex(r"[-+]?[0-9]{1,5}(\.[0-9]{0,3})?([eE][-+]?[0-9]{1,2})?", fullmatch=True))
def test_numbers_as_they_should_be_written_are_numbers(text):
    assert yaml.safe_load(number_for(text)) == float(text)
