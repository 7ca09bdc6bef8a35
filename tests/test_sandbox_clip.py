from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from runner.sandbox.clip import RATE, THUMBNAIL_WIDTH, AbandonedError, encode, thumbnail
from runner.sandbox.planes import Planes
from tests.test_sandbox_kit import scene

SIZE = (150, 100)


def film(count: int, size: tuple[int, int] = SIZE) -> list[Planes]:
    return [Planes.of(scene().rotate(number / 4).resize(size)) for number in range(count)]


@pytest.mark.parametrize("seconds", [5, 10])
def test_a_clip_is_what_it_should_be(tmp_path: Path, seconds: int) -> None:
    path = tmp_path / "clip.mp4"
    frames = film(1) * (seconds * RATE)
    encode(frames, SIZE, path, {"title": "Sandbox clip", "comment": "not AI"}, lambda: False)
    with av.open(path) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height, video.average_rate) == (*SIZE, RATE)
        assert video.frames == seconds * RATE
        assert video.duration is not None
        assert video.time_base is not None
        assert video.duration * video.time_base == seconds
        assert container.duration == seconds * 1_000_000
        assert container.metadata["title"] == "Sandbox clip"
        assert container.metadata["comment"] == "not AI"
        assert (video.codec_context.color_range, video.codec_context.colorspace) == (1, 1)
        assert sum(1 for _ in container.decode(video=0)) == seconds * RATE


def test_a_clip_can_be_played_while_it_loads(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encode(film(3), SIZE, path, {}, lambda: False)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_frames_are_in_the_clip(tmp_path: Path) -> None:
    frames = film(6)
    encode(frames, SIZE, tmp_path / "clip.mp4", {}, lambda: False)
    with av.open(tmp_path / "clip.mp4") as container:
        for planes, frame in zip(frames, container.decode(video=0), strict=True):
            plane = frame.planes[0]
            luma = Image.frombytes("L", SIZE, bytes(plane), "raw", "L", plane.line_size, 1)
            assert ImageStat.Stat(ImageChops.difference(luma, planes.luma)).mean[0] < 4


def test_equal_frames_make_equal_files(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        encode(film(8), SIZE, tmp_path / name, {}, lambda: False)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_stop_ends_the_encoding_at_the_next_frame(tmp_path: Path) -> None:
    answers = iter([False, False, False, True])
    frames = iter(film(10))
    with pytest.raises(AbandonedError):
        encode(frames, SIZE, tmp_path / "clip.mp4", {}, lambda: next(answers))
    assert len(list(frames)) == 6


@pytest.mark.parametrize(("width", "expected"), [(960, (THUMBNAIL_WIDTH, 320)), (240, (240, 160))])
def test_a_thumbnail_is_a_small_jpeg_of_the_frame(tmp_path: Path, width: int, expected: tuple[int, int]) -> None:
    picture = Image.radial_gradient("L").resize((width, width * 2 // 3)).convert("RGB")
    thumbnail(Planes.of(picture), tmp_path / "still.jpg")
    with Image.open(tmp_path / "still.jpg") as still:
        assert (still.format, still.size) == ("JPEG", expected)
        small = picture.resize(expected, Image.Resampling.LANCZOS)
        assert max(ImageStat.Stat(ImageChops.difference(still.convert("RGB"), small)).mean) < 6
