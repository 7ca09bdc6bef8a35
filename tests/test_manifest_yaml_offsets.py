"""From a value's character back to the text as written, in every style of scalar."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.manifest.yaml.offsets import index_of

TEXTS = st.text(alphabet="ab{}'\"\\ \n:#é春\t", min_size=1, max_size=120)


def scalar(document):
    (_, node) = yaml.compose(document, Loader=yaml.CSafeLoader).value[0]
    return document[node.start_mark.index : node.end_mark.index], node


@pytest.mark.parametrize("style", [None, "'", '"', "|", ">"])
@given(text=TEXTS, width=st.sampled_from([20, 80, 10000]), data=st.data())
def test_every_character_is_found(style, text, width, data):
    document = yaml.dump({"k": text}, default_style=style, width=width, allow_unicode=True)
    raw, node = scalar(document)
    assert node.value == text
    offset = data.draw(st.integers(0, len(text) - 1))
    index = index_of(raw, node.style, text, offset)
    if text[offset].isspace():
        assert 0 <= index <= len(raw)
    elif node.style == '"' and raw[index] == "\\":
        assert raw[index + 1] == text[offset] or raw[index + 1] in "xuU"
    else:
        assert raw[index] == text[offset]


@pytest.mark.parametrize(
    ("document", "offset", "place"),
    [
        ("k: plain text", 6, "text"),
        ("k: plain\n  text", 6, "text"),
        ("k: 'it''s one'", 5, "one'"),
        ("k: 'it''s one'", 2, "''s one'"),
        (r'k: "a\tb\u00e9c"', 4, 'c"'),
        (r'k: "a\tb\u00e9c"', 3, r'\u00e9c"'),
        ('k: "one \\\n  two"', 4, 'two"'),
        ("k: |\n    one\n      two\n", 6, "two\n"),
        ("k: |2-\n    one\n   two\n", 7, "two\n"),
        ("k: | # with a comment\n  one\n", 0, "one\n"),
        ("k: >\n  one\n  two\n\n  three\n", 8, "three\n"),
        ("k: &name !!str plain", 0, "plain"),
        ("k: &name |\n  one\n", 1, "ne\n"),
        ("k: 'one'", 3, "'"),
        ("k: one", 99, ""),
        ("k: 'a  b'", 2, " b'"),
    ],
)
def test_styles(document, offset, place):
    raw, node = scalar(document)
    assert raw[index_of(raw, node.style, node.value, offset) :] == place
