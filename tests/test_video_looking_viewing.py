"""What is made and measured while a clip is decoded, on real clips."""

from __future__ import annotations

import io
import struct
import sys

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pictures

from runner.model import Image, Origin
from runner.results.workers.kept_clip import look_at
from runner.video.decoding import inspect_video
from runner.video.looking.viewing import Viewing
from runner.video.measures import MEASURES, OF_FLOW, VERSION, ViewOrder
from tests.measures.clips import pan, write
from tests.test_video_decoding import write_clip

SHA = "ab" * 32
SIZE, FRAMES = (320, 180), 48


@pytest.fixture(scope="module")
def frames():
    return pan(1, SIZE, FRAMES)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, frames):
    return write(tmp_path_factory.mktemp("clips") / "pan.mp4", frames)


def looked_at(path, **order):
    return look_at(path, ViewOrder(SHA, **order))


def test_one_pass_verifies_measures_and_makes_both_previews(clip, tmp_path):
    with Viewing(ViewOrder(SHA, tmp_path)) as viewing:
        facts = inspect_video(clip, 2.0, decode=True, wants_frame=True, viewer=viewing)
        measured = viewing.finish()
    assert (facts.seconds, facts.width, facts.fps, facts.frame is None) == (2.0, 320, 24.0, False)
    assert list(measured.values) == list(MEASURES)
    assert (measured.note, measured.version, measured.has_flow) == ("", VERSION, True)
    assert measured.values["pan"] == pytest.approx(0.3, abs=0.02)
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == [f"{SHA}.mp4", f"{SHA}.webp"]


def test_the_small_copy_has_the_frames_of_the_clip_and_a_keyframe_every_12(clip, tmp_path):
    looked_at(clip, output_dir=tmp_path)
    path = tmp_path / "previews" / f"{SHA}.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        copied = list(container.decode(stream))
        assert (stream.codec_context.name, stream.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 24)
        assert (stream.width, stream.height, len(container.streams)) == (320, 180, 1)
    assert [frame.time * 24 for frame in copied] == pytest.approx(range(FRAMES))
    assert [number for number, frame in enumerate(copied) if frame.key_frame] == [0, 12, 24, 36]
    content = path.read_bytes()
    assert content.find(b"moov") < content.find(b"mdat"), "it plays while it loads"


def test_the_sprite_has_24_equal_cells_each_from_its_part_of_the_clip(tmp_path):
    shades = [np.full((144, 256, 3), 5 * number, np.uint8) for number in range(48)]
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
        ({"size": (16384, 64), "frames": 2}, (2048, 8)),
        ({"size": (16, 8192), "frames": 2}, (2, 360)),
        ({"size": (2, 2), "frames": 3}, (2, 2)),
        ({"size": (63, 35), "frames": 3, "format": "matroska", "codec": "ffv1", "pixels": "bgr0"}, (64, 34)),
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


@pytest.mark.parametrize("part", ["goodFeaturesToTrack", "calcOpticalFlowPyrLK", "estimateAffinePartial2D"])
def test_an_error_of_opencv_costs_the_measures_and_nothing_else(clip, tmp_path, monkeypatch, part):
    def broken(*_, **__):
        raise cv2.error("out of\nmemory")

    monkeypatch.setattr(cv2, part, broken)
    measured = looked_at(clip, output_dir=tmp_path)
    assert measured.note == "not measured (error: out of memory)"
    assert len(list((tmp_path / "previews").iterdir())) == 2


def test_a_clip_without_an_end_is_measured_up_to_a_bound(clip, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.video.looking.frame_measures.MOST_FRAMES", FRAMES - 1)
    measured = looked_at(clip, output_dir=tmp_path)
    assert measured.note == "not measured (ValueError: it has more than 47 frames)"
    assert (measured.is_known, len(list((tmp_path / "previews").iterdir()))) == (False, 2)


def small_size(folder):
    with av.open(str(folder / "previews" / f"{SHA}.mp4")) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, stream.frames


def test_a_clip_that_is_shown_turned_has_upright_previews(tmp_path):
    path = write_clip(tmp_path / "a.mp4", size=(64, 36), frames=5)
    content = bytearray(path.read_bytes())
    # The matrix of the track: a quarter to the right.
    straight, turned = ((one, other, 0, -other, one, 0, 0, 0, 1 << 30) for one, other in ((1 << 16, 0), (0, 1 << 16)))
    at = content.index(struct.pack(">9i", *straight), content.index(b"tkhd"))
    struct.pack_into(">9i", content, at, *turned)
    path.write_bytes(content)
    assert (looked_at(path, output_dir=tmp_path).note, small_size(tmp_path)) == ("", (36, 64, 5))
    thumbnail = inspect_video(path, None, decode=True, wants_frame=True).frame
    assert Pictures.open(io.BytesIO(thumbnail)).size == (36, 64)


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt, stream.codec_context.sample_aspect_ratio = 64, 36, "yuv420p", 2
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((36, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    looked_at(tmp_path / "a.mp4", output_dir=tmp_path)
    assert small_size(tmp_path) == (128, 36, 1)


def test_a_clip_that_changes_its_size_keeps_that_of_its_first_frame(tmp_path):
    parts = [write_clip(tmp_path / str(side), format="mpegts", size=(side, 36), frames=4) for side in (64, 128)]
    (tmp_path / "a.ts").write_bytes(b"".join(each.read_bytes() for each in parts))
    assert (looked_at(tmp_path / "a.ts", output_dir=tmp_path).note, small_size(tmp_path)) == ("", (64, 36, 8))


def test_sound_that_cannot_be_decoded_is_not_known(tmp_path):
    path = write_clip(tmp_path / "a.mp4", sound=True)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in (each for each in container.demux(audio=0) if each.size):
            content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    measured = looked_at(path)
    assert (measured.values["sound"], measured.values["frozen"], measured.note) == (None, 0.0, "")


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


def test_first_and_last_frame_are_held_against_their_pictures(clip, frames, tmp_path):
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
