"""What is made and measured while a clip is decoded, on real clips."""

from __future__ import annotations

import sys

import av
import numpy as np
import pytest
from PIL import Image as Pictures

from runner.model import Image, Origin
from runner.results.measuring import look_at
from runner.video.decoding import inspect_video
from runner.video.looking.viewing import Viewing
from runner.video.measures import MEASURES, OF_FLOW, VERSION, ViewOrder
from tests.measures.clips import pan, write
from tests.test_video_decoding import write_clip

SHA = "ab" * 32
SIZE, FRAMES = (640, 360), 48


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write(tmp_path_factory.mktemp("clips") / "pan.mp4", pan(1, SIZE, FRAMES))


def looked_at(path, **order):
    return look_at(path, ViewOrder(SHA, **order))


def test_one_pass_verifies_measures_and_makes_both_previews(clip, tmp_path):
    with Viewing(ViewOrder(SHA, tmp_path)) as viewing:
        facts = inspect_video(clip, 2.0, decode=True, wants_frame=True, viewer=viewing)
        measured = viewing.finish()
    assert (facts.seconds, facts.width, facts.fps, facts.frame is None) == (2.0, 640, 24.0, False)
    assert list(measured.values) == list(MEASURES)
    assert (measured.note, measured.version, measured.has_flow) == ("", VERSION, True)
    assert measured.values["pan"] == pytest.approx(0.3, abs=0.02)
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == [f"{SHA}.mp4", f"{SHA}.webp"]


def test_the_small_copy_has_the_frames_of_the_clip_and_a_keyframe_every_12(clip, tmp_path):
    looked_at(clip, output_dir=tmp_path)
    path = tmp_path / "previews" / f"{SHA}.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert (stream.codec_context.name, stream.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 24)
        assert (stream.width, stream.height, len(container.streams)) == (640, 360, 1)
    assert [frame.time * 24 for frame in frames] == pytest.approx(range(FRAMES))
    assert [number for number, frame in enumerate(frames) if frame.key_frame] == [0, 12, 24, 36]
    content = path.read_bytes()
    assert content.find(b"moov") < content.find(b"mdat"), "it plays while it loads"


def test_the_sprite_has_24_equal_cells_each_from_its_part_of_the_clip(tmp_path):
    shades = [np.full((360, 640, 3), 5 * number, np.uint8) for number in range(48)]
    looked_at(write(tmp_path / "a.mp4", shades), output_dir=tmp_path)
    with Pictures.open(tmp_path / "previews" / f"{SHA}.webp") as sprite:
        assert (sprite.format, sprite.size) == ("WEBP", (24 * 213, 120))
        cells = [sprite.convert("L").getpixel((213 * cell + 100, 60)) for cell in range(24)]
    assert cells == pytest.approx([5 * (2 * cell + 0.5) for cell in range(24)], abs=8)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"size": (64, 36), "frames": 5}, (64, 36)),
        ({"size": (202, 360)}, (202, 360)),
        ({"size": (1920, 480), "frames": 3}, (1440, 360)),
        ({"format": "gif", "codec": "gif", "pixels": "rgb8"}, (64, 36)),
        ({"format": "webm", "codec": "libvpx"}, (64, 36)),
        ({"times": [index * index for index in range(24)]}, (64, 36)),
        ({"frames": 1}, (64, 36)),
    ],
    ids=str,
)
def test_any_clip_that_is_taken_has_previews(tmp_path, options, size):
    path = write_clip(tmp_path / "clip", **options)
    assert looked_at(path, output_dir=tmp_path).note == ""
    with av.open(str(tmp_path / "previews" / f"{SHA}.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == size
    with Pictures.open(tmp_path / "previews" / f"{SHA}.webp") as sprite:
        assert sprite.width % 24 == 0


def test_previews_that_cannot_be_written_are_a_note_and_the_clip_is_measured_all_the_same(clip, tmp_path):
    (tmp_path / "previews").write_text("in the way")
    measured = looked_at(clip, output_dir=tmp_path)
    assert measured.note.startswith("no previews (")
    assert measured.values["frozen"] == 0.0


def test_previews_do_not_follow_a_link_out_of_the_folder(clip, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "previews").symlink_to(elsewhere)
    assert "no previews" in looked_at(clip, output_dir=tmp_path / "out").note
    assert list(elsewhere.iterdir()) == []


def test_a_fault_of_the_measuring_is_a_note_and_the_clip_keeps_its_previews(clip, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("no")

    monkeypatch.setattr("runner.video.looking.lumas.Lumas.see", broken)
    measured = looked_at(clip, output_dir=tmp_path)
    assert measured.note == "not measured (RuntimeError: no)"
    assert set(measured.values.values()) == {None}
    assert len(list((tmp_path / "previews").iterdir())) == 2


def test_what_is_cut_leaves_no_part_behind(clip, tmp_path):
    with av.open(str(clip)) as container, Viewing(ViewOrder(SHA, tmp_path)) as viewing:
        viewing.begin(container, container.streams.video[0])
        viewing.see(next(container.decode(video=0)))
        assert len(list((tmp_path / "previews").iterdir())) == 1
    assert list((tmp_path / "previews").iterdir()) == []


def test_without_opencv_the_flow_is_not_known(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.delitem(sys.modules, "runner.video.looking.camera_path", raising=False)
    measured = looked_at(clip)
    assert not measured.has_flow
    assert [name for name, value in measured.values.items() if value is None] == [
        name for name in MEASURES if name in OF_FLOW or name in ("first_frame", "last_frame")
    ]


@pytest.mark.parametrize(("sound", "heard"), [(False, False), (True, False)])
def test_a_silent_track_is_no_sound(tmp_path, sound, heard):
    assert looked_at(write_clip(tmp_path / "a.mp4", sound=sound)).values["sound"] is heard


def test_sound_is_heard(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        video = container.add_stream("libx264", rate=8)
        voice = container.add_stream("aac", rate=8000)
        video.width, video.height, video.pix_fmt = 64, 36, "yuv420p"
        for _ in range(8):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((36, 64, 3), np.uint8), format="rgb24")))
        wave = np.sin(np.arange(8192) / 5)[None].astype(np.float32) / 2
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(voice.encode(frame))
        for stream in (video, voice):
            container.mux(stream.encode(None))
    assert looked_at(tmp_path / "a.mp4").values["sound"] is True


def test_first_and_last_frame_are_held_against_their_pictures(clip, tmp_path):
    frames = pan(1, SIZE, FRAMES)
    pictures = []
    for number in (0, -1):
        Pictures.fromarray(frames[number]).save(tmp_path / f"{number}.png")
        pictures.append(Image("p", Origin.FILE, str(tmp_path / f"{number}.png"), "", {}, ()))
    right = looked_at(clip, first=pictures[0], last=pictures[1]).values
    wrong = looked_at(clip, first=pictures[1], last=pictures[0]).values
    assert min(right["first_frame"], right["last_frame"]) > 0.8
    assert max(wrong["first_frame"], wrong["last_frame"]) < 0.5


def test_a_picture_that_is_gone_or_an_address_is_not_compared(clip, tmp_path):
    gone = Image("p", Origin.FILE, str(tmp_path / "gone.png"), "", {}, ())
    address = Image("p", Origin.URL, "https://example.com/a.png", "", {}, ())
    measured = looked_at(clip, first=gone, last=address)
    assert (measured.note, measured.values["first_frame"], measured.values["last_frame"]) == ("", None, None)
