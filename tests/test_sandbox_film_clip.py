from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from runner.sandbox.film.camera import course
from runner.sandbox.film.clip import THUMBNAIL_WIDTH, AbandonedError, encode
from runner.sandbox.film.frames import frames
from runner.sandbox.film.seed import Seed
from tests.test_sandbox_kit import scene

pytestmark = pytest.mark.usefixtures("whole_films")
RATE = 24

SIZE = (150, 100)


def film(count: int) -> list[av.VideoFrame]:
    return list(frames(scene(), SIZE, course("orbit left", 0.5, 5, count, Seed("a/1"))))


def written(
    folder: Path, film: list[av.VideoFrame], metadata: dict[str, str] | None = None, name: str = "clip.mp4"
) -> Path:
    encode(film, SIZE, folder / name, folder / "still.jpg", metadata or {}, lambda: False)
    return folder / name


@pytest.mark.parametrize("seconds", [5, 10])
def test_a_clip_is_what_it_should_be(tmp_path: Path, seconds: int) -> None:
    path = written(tmp_path, film(seconds * RATE), {"title": "Sandbox clip", "comment": "not AI"})
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
    data = written(tmp_path, film(3)).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def luma(frame: av.VideoFrame) -> Image.Image:
    plane = frame.planes[0]
    return Image.frombytes("L", SIZE, bytes(plane), "raw", "L", plane.line_size, 1)


def test_the_frames_are_in_the_clip(tmp_path: Path) -> None:
    given = film(6)
    with av.open(written(tmp_path, given)) as container:
        for frame, decoded in zip(given, container.decode(video=0), strict=True):
            assert ImageStat.Stat(ImageChops.difference(luma(frame), luma(decoded))).mean[0] < 4


def test_equal_frames_make_equal_files(tmp_path: Path) -> None:
    one, two = (written(tmp_path, film(8), name=name) for name in ("one.mp4", "two.mp4"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("format", "codec"), [("mp4", "aac"), ("mov", "aac"), ("matroska", "aac"), ("webm", "opus"), ("gif", None)]
)
def test_the_sound_is_a_quiet_tone(tmp_path: Path, format: str, codec: str | None) -> None:
    path = tmp_path / "clip"
    encode(film(RATE), SIZE, path, tmp_path / "still.jpg", {}, lambda: False, format, has_sound=True)
    with av.open(path) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ([codec] if codec else [])
        frames_of_sound = list(container.decode(audio=0)) if codec else []
    loudness = [abs(sample) for frame in frames_of_sound for sample in frame.to_ndarray().ravel()]
    assert not codec or 0.01 < max(loudness) < 0.05
    assert not codec or sum(frame.samples for frame in frames_of_sound) / 48_000 == pytest.approx(1, abs=0.05)


def test_equal_frames_with_sound_make_equal_files(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        encode(film(8), SIZE, tmp_path / name, tmp_path / "still.jpg", {}, lambda: False, has_sound=True)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_stop_ends_the_encoding_at_the_next_frame(tmp_path: Path) -> None:
    answers = iter([False, False, False, True])
    remaining = iter(film(10))
    with pytest.raises(AbandonedError):
        encode(remaining, SIZE, tmp_path / "clip.mp4", tmp_path / "still.jpg", {}, lambda: next(answers))
    assert len(list(remaining)) == 6


@pytest.mark.parametrize(("width", "expected"), [(960, (THUMBNAIL_WIDTH, 320)), (240, (240, 160))])
def test_a_thumbnail_is_a_small_jpeg_of_the_clip(tmp_path: Path, width: int, expected: tuple[int, int]) -> None:
    picture = Image.radial_gradient("L").resize((width, width * 2 // 3)).convert("RGB")
    shown = frames(picture, picture.size, course("static", 0.5, 1, RATE, Seed("a/1")))
    encode(shown, picture.size, tmp_path / "clip.mp4", tmp_path / "still.jpg", {}, lambda: False)
    with Image.open(tmp_path / "still.jpg") as still:
        assert (still.format, still.size) == ("JPEG", expected)
        small = picture.resize(expected, Image.Resampling.LANCZOS)
        assert max(ImageStat.Stat(ImageChops.difference(still.convert("RGB"), small)).mean) < 6
