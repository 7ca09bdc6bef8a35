from __future__ import annotations

import re

import pytest

from tests.command import call
from tests.kit import write_manifest

DIAGNOSTIC = ["code", "severity", "file", "line", "column", "message", "hint"]
ARMS = [{"id": "plain", "text": "{{ s }}"}, {"id": "mood", "text": "Fog, {{ s }}"}]
SWEEP = {"pictures": 2, "prompts": ARMS, "matrix": {"s": ["wet rock", "warm sand"]}}


def test_a_sound_manifest(tmp_path):
    ended = call("validate", write_manifest(tmp_path, **SWEEP))
    assert (ended.code, ended.err) == (0, "")
    assert "is sound: 8 jobs. Next: reelrun plan " in ended.out
    assert not (tmp_path / "out").exists()


def test_validate_prints_its_document_for_a_sound_manifest(tmp_path):
    ended = call("validate", write_manifest(tmp_path), "--json")
    assert (ended.code, ended.document, ended.err) == (0, {"diagnostics": []}, "")


@pytest.mark.parametrize(
    "content", [None, b"", b"a: [1\nb: }", b"\xff\xfe\x00", b"- 1\n", b"a: 1\na: 2\n", b"version: 2\n"]
)
def test_validate_prints_its_document_for_everything(tmp_path, content):
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    ended = call("validate", path, "--json")
    assert (ended.code, ended.err) == (2, "")
    assert list(ended.document) == ["diagnostics"]
    assert [list(each) for each in ended.document["diagnostics"]] == [DIAGNOSTIC] * len(ended.document["diagnostics"])
    assert ended.document["diagnostics"]


def test_problems_of_templates_come_with_those_of_pictures(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    path = write_manifest(
        tmp_path, images=[{"file": "p0.jpg"}, {"file": "bad.jpg"}], prompts=[{"id": "a", "text": "{{ nope }}"}]
    )
    found = call("validate", path, "--json").document["diagnostics"]
    assert [each["code"] for each in found] == ["E402", "E311"]


def test_an_exclude_of_a_picture_that_is_broken_is_no_second_error(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    path = write_manifest(
        tmp_path, images=[{"file": "p0.jpg"}, {"file": "bad.jpg"}], matrix={"s": [1], "exclude": [{"image": "bad"}]}
    )
    assert [each["code"] for each in call("validate", path, "--json").document["diagnostics"]] == ["E402"]


def test_validate_says_what_is_wrong_where_and_how_to_mend_it(tmp_path):
    ended = call("validate", write_manifest(tmp_path, params={"duration": 5}))
    assert ended.code == 2
    assert ended.out == ""
    first, line, caret, remedy, last = ended.err.splitlines()
    assert re.search(r"campaign\.yaml:\d+:13: error\[E204\]: ", first)
    assert line.endswith("|   duration: 5")
    assert caret.endswith("|             ^")
    assert remedy.startswith("   help: ")
    assert last == "1 error. Nothing was sent."
