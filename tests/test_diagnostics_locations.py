"""Names of files for other programs."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.locations import path_from, uri_from

HERE = Path("/checkout/videos")


@pytest.mark.parametrize(
    ("file", "path", "uri"),
    [
        ("a.yaml", "a.yaml", "a.yaml"),
        ("./sub/../a.yaml", "a.yaml", "a.yaml"),
        ("/checkout/videos/sub/a.yaml", "sub/a.yaml", "sub/a.yaml"),
        ("prompts/été 100%.j2", "prompts/été 100%.j2", "prompts/%C3%A9t%C3%A9%20100%25.j2"),
        ("a:b.yaml", "a:b.yaml", "a%3Ab.yaml"),
        ("..a/b.yaml", "..a/b.yaml", "..a/b.yaml"),
        ("../a b.yaml", None, "file:///checkout/a%20b.yaml"),
        ("/elsewhere/a.yaml", None, "file:///elsewhere/a.yaml"),
        ("s3://campaigns/a b/t.csv", None, "s3://campaigns/a%20b/t.csv"),
    ],
)
def test_names(file, path, uri):
    assert path_from(HERE, file) == path
    assert uri_from(HERE, file) == uri


def test_a_name_that_is_not_utf_8():
    assert uri_from(HERE, os.fsdecode(b"caf\xe9.yaml")) == "caf%E9.yaml"


@given(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(lambda n: n != "..")
)
def test_a_reference_is_relative_and_leads_back_to_the_name(name):
    uri = uri_from(HERE, f"sub/{name}")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert uri.isascii()
    assert unquote_to_bytes(uri) == os.fsencode(os.path.normpath(f"sub/{name}"))
