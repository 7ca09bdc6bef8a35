"""Files for the benchmarks: what they weigh, and that they pass for what they are."""

import pytest
from PIL import Image

from runner.manifest.pictures.inspection import Rules, inspect_file
from runner.video.decoding import inspect_video
from tests.bench.clip import clip, head_of, name_in, write_picture


@pytest.mark.parametrize("decode", [True, False])
def test_a_padded_clip_is_a_video_of_its_size_that_bears_its_name(tmp_path, decode):
    path = tmp_path / "a.mp4"
    head = head_of("some-name", 50_000)
    path.write_bytes(head + bytes(50_000 - len(head)))
    assert inspect_video(path, 5.0, decode=decode).seconds == 5.0
    assert name_in(path, 9) == "some-name"


def test_a_size_that_the_clip_does_not_fit_into_is_refused():
    with pytest.raises(ValueError, match="bytes or more"):
        head_of("name", len(clip()))


@pytest.mark.parametrize("size", [5_000, 70_000, 131_072, 131_075, 1_000_000])
def test_a_picture_has_its_size_and_is_sound(tmp_path, size):
    path = tmp_path / "a.jpg"
    write_picture(path, size, 3)
    assert path.stat().st_size == size
    assert inspect_file(path, [Rules(min_side=300)]).diagnostics == ()
    with Image.open(path) as picture:
        picture.load()


def test_pictures_of_two_seeds_differ(tmp_path):
    write_picture(tmp_path / "a.jpg", 9_000, 1)
    write_picture(tmp_path / "b.jpg", 9_000, 2)
    assert (tmp_path / "a.jpg").read_bytes() != (tmp_path / "b.jpg").read_bytes()
