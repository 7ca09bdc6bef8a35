from __future__ import annotations

import io
import struct
from xml.etree import ElementTree

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review.publishing.marks.xmp import SourceMark, append, packet
from runner.video.mp4_boxes import boxes
from tests.delivered import clip_bytes


def kinds(path):
    with path.open("rb") as file:
        return [box.kind for box in boxes(file)]


@given(st.text(), st.text(min_size=1))
def test_any_text_makes_valid_xml(title, prompt):
    tree = ElementTree.fromstring(packet(SourceMark(title, "model", prompt=prompt)))
    told = [each.text for each in tree.iter() if each.tag.endswith(("}li", "}AIPromptInformation"))]
    assert len(told) == 2
    if prompt.isprintable():
        assert told[1] == prompt


def test_nothing_of_a_clip_moves(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip_bytes(3))
    before = kinds(path)
    for text in (b"one", b"another"):
        append(path, text)
        assert path.read_bytes().endswith(text)
    # The older packet is free space now: there is one.
    assert kinds(path) == [*before, b"free", b"uuid"]
    content = bytearray(path.read_bytes())
    assert content[: len(clip_bytes(3))] == clip_bytes(3)
    with av.open(io.BytesIO(content)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 24


def test_a_last_box_without_an_end_gets_one(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(struct.pack(">I4s8s", 16, b"ftyp", b"isom\0\0\0\0") + struct.pack(">I4s", 0, b"mdat") + b"x" * 50)
    append(path, b"packet")
    assert kinds(path) == [b"ftyp", b"mdat", b"uuid"]


def test_large_boxes(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(struct.pack(">I4sQ", 1, b"mdat", 16 + 50) + b"x" * 50)
    append(path, b"packet")
    assert kinds(path) == [b"mdat", b"uuid"]


@pytest.mark.parametrize("content", [b"", b"abc", b"\0\0\0\x09mdat", b"\0\0\0\x04mdat", clip_bytes(3)[:-5]])
def test_what_is_no_whole_file_is_refused(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"it is no MP4|its boxes do not fill it"):
        append(path, b"packet")
