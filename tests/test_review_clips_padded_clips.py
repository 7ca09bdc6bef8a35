"""Clips as reviewers get them: of one length, playable, and without what tells how they were made."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.review.clips.padded_clips import padded
from runner.review.clips.telling_boxes import telling_boxes
from tests.kit import video_bytes

SECRET = "orbit left, model quokka"


def told_clip(path: Path, codec: str = "libx264", pixels: str = "yuv420p") -> Path:
    """A clip whose metadata tell its prompt."""
    with av.open(str(path), "w") as container:
        container.metadata.update(comment=SECRET, title=SECRET)
        stream = container.add_stream(codec, rate=8)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 36, pixels
        for shade in range(8):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 36), (shade * 30, 80, 120)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def frames(content: bytes) -> list[bytes]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx")])
def test_a_padded_clip_shows_the_same_frames(tmp_path: Path, suffix: str, codec: str) -> None:
    path = told_clip(tmp_path / f"clip.{suffix}", codec)
    content = path.read_bytes()
    length = len(content) + 100_000
    whole = b"".join(padded(path, length, 0, length))
    assert len(whole) == length
    assert frames(whole) == frames(content)
    assert len(frames(content)) == 8


def test_what_tells_how_it_was_made_is_blank(tmp_path: Path) -> None:
    path = told_clip(tmp_path / "clip.mp4")
    xmp = f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode()
    with path.open("ab") as file:
        file.write((24 + len(xmp)).to_bytes(4, "big") + b"uuid" + bytes(16) + xmp)
    content = path.read_bytes()
    assert content.count(SECRET.encode()) >= 2
    whole = b"".join(padded(path, len(content) + 64, 0, len(content) + 64))
    assert SECRET.encode() not in whole
    assert frames(whole) == frames(content)
    # The file itself stays as it was delivered.
    assert path.read_bytes() == content


@given(st.data())
def test_every_part_is_that_of_the_whole(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "part.mp4"
    if not path.exists():
        told_clip(path)
    length = path.stat().st_size + data.draw(st.integers(16, 600_000))
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start + 1, length))
    assert b"".join(padded(path, length, start, end)) == b"".join(padded(path, length, 0, length))[start:end]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_file_that_only_claims_to_be_one(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.mp4"
    content = video_bytes(0.5)
    path.write_bytes(content[:at] + noise + content[at:])
    size = path.stat().st_size
    assert all(0 <= start < end <= size for start, end in telling_boxes(path))
    assert len(b"".join(padded(path, size + 16, 0, size + 16))) == size + 16
