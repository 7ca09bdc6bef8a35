"""Sheets and labels, by the pixels of what was written."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from runner.errors import Exit
from runner.review.publishing.lettering import fitting, letters
from runner.review.publishing.marks.burnt_label import LabelError, burn_label
from tests.command import call
from tests.delivered import clip_bytes, deliver, mark
from tests.kit import sound_bytes, write_manifest


def frames(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def grounds(page, columns, rows, width, height, under):
    """The colour in the middle of the upper edge of each place: where no bar is."""
    for row in range(rows):
        for column in range(columns):
            x, y = 8 + column * (width + 8), 8 + row * (height + under + 8)
            yield np.median(page[y + 4 : y + height - 4, x + 4 : x + width - 4].reshape(-1, 3), axis=0)


def test_a_grid_that_plays_and_a_contact_sheet(tmp_path):
    path = write_manifest(tmp_path, takes=5)
    clips = [clip_bytes(seed, seconds=0.5 + seed / 4) for seed in range(4)] + [clip_bytes(4, width=54, height=96)]
    manifest, jobs = deliver(path, clips)
    for job in jobs:
        mark(manifest, job)
    words = ("publish", path, "--to", tmp_path / "to", "--sheet", tmp_path / "sheet.mp4", "--json")
    ended = call(*words)
    assert ended.code == 0, ended.err
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    # Three columns and two rows, 384 wide; the shape is that of the first clip.
    assert sheet.shape == (2 * (216 + 45 + 8) + 8, 3 * (384 + 8) + 8, 3)
    seen = list(grounds(sheet, 3, 2, 384, 216, 45))
    wanted = [np.median(frames_of(clip, tmp_path)[0].reshape(-1, 3), axis=0) for clip in clips]
    for found, ground in zip(seen[:4], wanted[:4], strict=True):
        assert np.abs(found - ground).max() < 12
    assert np.abs(seen[5] - (245, 243, 238)).max() < 2, "the sixth place is paper"
    # Upright clips stand in the middle of their places, on film.
    assert np.abs(sheet[8 + 269 + 100, 8 + 392 + 10].astype(int) - (18, 17, 16)).max() < 4
    # There are letters below each clip.
    assert sheet[8 + 216 : 8 + 216 + 20, 8:392].min() < 80
    played = frames(tmp_path / "sheet.mp4")
    assert len(played) == 30, "as long as the longest, 1.25 s"
    assert played[0].shape == sheet.shape
    assert np.abs(played[0].astype(int) - played[20]).max() > 100, "it moves"
    assert sorted(call(*words).document["written"]) == []


def frames_of(content, folder):
    (folder / "one.mp4").write_bytes(content)
    return frames(folder / "one.mp4")


def test_sheets_have_room_for_a_hundred(tmp_path):
    path = write_manifest(tmp_path, takes=101)
    manifest, jobs = deliver(path, [clip_bytes(1)])
    for job in jobs:
        mark(manifest, job)
    ended = call("publish", path, "--to", tmp_path / "to", "--sheet", tmp_path / "sheet.mp4")
    assert (ended.code, "a sheet has room for 100 clips, not for 101" in ended.err) == (Exit.INVALID, True)


def test_a_label_is_burnt_in(tmp_path):
    path = write_manifest(tmp_path)
    content = clip_bytes(2, width=320, height=180)
    manifest, jobs = deliver(path, [content])
    mark(manifest, jobs[0])
    ended = call("publish", path, "--to", tmp_path / "to", "--label", "--mark", "--name", "it")
    assert ended.code == 0, ended.err
    before, after = frames_of(content, tmp_path), frames(tmp_path / "to/it.mp4")
    assert len(after) == len(before) == 24
    difference = np.abs(after[12].astype(int) - before[12]).max(axis=2)
    changed = np.argwhere(difference > 60)
    assert changed[:, 0].min() > 180 * 0.85
    assert changed[:, 1].max() < 320 * 0.4
    assert after[12][160:176, 4:90].max() > 180, "white letters"
    assert np.median(difference[:150]) < 6, "the rest is as it was"
    assert (
        call("publish", path, "--to", tmp_path / "to", "--label", "--mark", "--name", "it", "--json").document[
            "written"
        ]
        == []
    )


def test_a_label_keeps_the_sound(tmp_path):
    source = tmp_path / "loud.mp4"
    with av.open(str(source), "w") as made, av.open(_file(tmp_path, "v.mp4", clip_bytes(1))) as video:
        picture = made.add_stream_from_template(video.streams.video[0])
        sound = made.add_stream("aac", rate=16_000)
        for packet in video.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                made.mux(packet)
        with av.open(_file(tmp_path, "a.mp3", sound_bytes(1.0))) as tone:
            for frame in tone.decode(audio=0):
                frame.pts = None
                made.mux(sound.encode(frame))
        made.mux(sound.encode())
    burn_label(source, tmp_path / "to.mp4", "Made with AI")

    def packets(path):
        with av.open(str(path)) as container:
            return [bytes(each) for each in container.demux(audio=0) if each.size]

    assert packets(tmp_path / "to.mp4") == packets(source)
    with pytest.raises(LabelError):
        burn_label(tmp_path / "a.mp3", tmp_path / "none.mp4", "x")


def _file(folder, name, content):
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_letters_fit():
    assert fitting("short", 15, 400) == "short"
    cut = fitting("a very long name of a clip" * 5, 15, 200)
    assert cut.endswith("…")
    assert letters(15).getlength(cut) <= 200
