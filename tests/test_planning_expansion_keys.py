from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.manifest.reader import load
from runner.planning.expansion.keys import head_of, key_of, segment, told_apart
from runner.planning.expansion.paths import safe_path
from tests.kit import MODEL, write_manifest

TEXTS, IDS = st.text(max_size=300), st.text(min_size=1, max_size=300)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, st.lists(TEXTS))


def key(manifest, image, prompt, model, variables, take):
    return key_of(head_of(manifest, image, prompt, model), variables, take)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return load(write_manifest(tmp_path_factory.mktemp("keys")))


def test_a_key_reads_as_documented(manifest):
    assert key(manifest, "shoe", "plain", MODEL, {"surface": "wet rock", "cfg": 0.3}, 1) == (
        "shoe/plain/surface=wet-rock,cfg=0.3/take-1"
    )


def test_no_variables_leave_no_segment(manifest):
    assert key(manifest, "shoe", "plain", MODEL, {}, 2) == "shoe/plain/take-2"


def test_a_cell_without_a_picture_has_no_part_for_one(manifest):
    assert key(manifest, "", "plain", MODEL, {"surface": "snow"}, 1) == "plain/surface=snow/take-1"


def test_the_model_stands_in_the_key_where_it_is_an_axis(tmp_path: Path):
    listed = load(write_manifest(tmp_path, model=[MODEL]))
    assert key(listed, "shoe", "plain", MODEL, {}, 1) == f"shoe/plain/{MODEL}/take-1"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "true"), (None, "null"), (1, "1"), (1.0, "1.0"), ("1", "1"), ("Wet Rock!", "Wet-Rock"), ([1, 2], "1-2")],
)
def test_values_in_a_key(manifest, value, shown):
    assert key(manifest, "a", "b", MODEL, {"x": value}, 1) == f"a/b/x={shown}/take-1"


def test_an_id_stays_as_it_is_where_that_is_safe():
    assert [segment(name) for name in ("Shoe_1", "a.b", "a.", "a/b", "..", "Größe", "x" * 300)] == [
        "Shoe_1",
        "a.b",
        "a",
        "a-b",
        segment(".."),
        "Größe",
        "x" * 60,
    ]
    assert "." not in segment("..")


def test_long_variants_are_cut_and_still_differ(manifest):
    names = {f"axis{number}": "word " * 9 for number in range(8)}
    one = key(manifest, "a", "b", MODEL, {**names, "last": 1}, 1)
    other = key(manifest, "a", "b", MODEL, {**names, "last": 2}, 1)
    assert one != other
    assert max(len(part.encode()) for part in one.split("/")) < 140


def test_told_apart_adds_the_start_of_the_id():
    assert told_apart("a/b/take-1", "0123456789abcdef") == "a/b/take-1~01234567"


@given(image=IDS, prompt=IDS, variables=st.dictionaries(st.from_regex(r"[a-z_]\w{0,9}", fullmatch=True), VALUES))
def test_a_key_has_one_segment_a_part_and_is_a_safe_path(manifest, image, prompt, variables):
    name = key(manifest, image, prompt, MODEL, variables, 1)
    parts = name.split("/")
    assert len(parts) == (4 if variables else 3)
    assert all(part and part not in (".", "..") and len(part.encode()) <= 255 for part in parts)
    assert len(safe_path(name).split("/")) == len(parts)
