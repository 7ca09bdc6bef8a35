"""Videos and sounds that go into requests, opened for real."""

from __future__ import annotations

import pytest

from runner.video.recordings import UnreadableRecordingError, recording
from tests.kit import picture_bytes, sound_bytes, video_bytes


def at(folder, data):
    path = folder / "file.bin"
    path.write_bytes(data)
    return path


def test_a_video(tmp_path):
    facts = recording(at(tmp_path, video_bytes(3.0)))
    assert "mp4" in facts.formats
    assert (facts.seconds, facts.fps, facts.has_sound) == (3.0, 8.0, False)


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_sound(tmp_path, kind):
    facts = recording(at(tmp_path, sound_bytes(4.0, kind)))
    assert (facts.formats, facts.fps, facts.has_sound) == ({kind}, None, True)
    assert facts.seconds == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (sound_bytes()[:2000], "it is cut short"),
        (video_bytes()[:1000], "it cannot be decoded"),
        (picture_bytes(), "it cannot be decoded"),
        (b"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n", "it cannot be decoded"),
        (b"hello", "it cannot be decoded"),
        (b"", "it cannot be decoded"),
    ],
)
def test_what_is_none(tmp_path, data, words):
    with pytest.raises(UnreadableRecordingError, match=words):
        recording(at(tmp_path, data))
