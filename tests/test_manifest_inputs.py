"""The text files that a manifest was read from."""

from __future__ import annotations

import hashlib

from runner.manifest.reader import load
from runner.model import Input, InputKind
from tests.kit import write_manifest


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def made(folder):
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "mood.j2").write_text("Fog pans")
    (folder / "products.csv").write_text("image,product\np0.jpg,shoe\n")
    return write_manifest(
        folder,
        images=[{"table": "products.csv"}],
        prompts=[{"file": "prompts/mood.j2"}, {"file": "prompts/mood.j2", "id": "again"}, {"id": "own", "text": "x"}],
    )


def test_each_file_once_in_the_order_of_paths(tmp_path):
    path = made(tmp_path)
    assert load(path).inputs == (
        Input(InputKind.MANIFEST, "campaign.yaml", digest(path.read_text())),
        Input(InputKind.TABLE, "products.csv", digest("image,product\np0.jpg,shoe\n")),
        Input(InputKind.PROMPT, "prompts/mood.j2", digest("Fog pans")),
    )


def test_ends_of_lines_and_a_mark_at_the_beginning_change_no_digest(tmp_path):
    path = made(tmp_path)
    before = load(path).inputs
    for each in (path, tmp_path / "products.csv"):
        each.write_bytes(b"\xef\xbb\xbf" + each.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).inputs == before
    path.write_text(path.read_text() + "# a comment\n")
    assert load(path).inputs[0] != before[0]
