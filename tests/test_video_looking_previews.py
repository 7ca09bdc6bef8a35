"""Previews on the disk: their names, and their room."""

import os
from pathlib import Path

from runner.video.looking.previews import PreviewFiles, are_there, bytes_in, has_all, keep_within, names_in

A, B, C = "a" * 64, "b" * 64, "c" * 64


def preview(folder, name, age, size=100):
    path = folder / "previews" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (2_000_000_000 - age,) * 2)
    return path


def test_the_oldest_go_first_and_only_as_many_as_must(tmp_path):
    for age in range(5):
        preview(tmp_path, f"{str(age) * 64}.mp4", age)
    keep_within(tmp_path, 250)
    assert names_in(tmp_path) == {f"{'0' * 64}.mp4", f"{'1' * 64}.mp4"}
    keep_within(tmp_path, 250)
    assert bytes_in(tmp_path) == 200


def test_what_is_being_written_stays_and_what_a_killed_process_left_goes(tmp_path):
    written = f".{B}.0123456789ab.mp4.part"
    preview(tmp_path, f"{A}.mp4", 0)
    preview(tmp_path, written, 60)
    preview(tmp_path, f".{C}.0123456789ab.mp4.part", 7200)
    keep_within(tmp_path, 100)
    assert [path.name for path in (tmp_path / "previews").glob(".*")] == [written]
    assert written not in names_in(tmp_path)


def test_a_preview_of_an_old_clip_is_never_taken_for_what_a_killed_process_left(tmp_path, monkeypatch):
    """Another process may keep the folder within its room at any moment."""
    preview(tmp_path, f"{A}.mp4", 10**9)
    files, rename = PreviewFiles(tmp_path, B, came_at=1000.0), Path.rename

    def kept_within(path, target):
        keep_within(tmp_path, 1000)
        return rename(path, target)

    part = files.part(".mp4")
    monkeypatch.setattr(Path, "rename", kept_within)
    files.finish(part, ".mp4")
    assert (tmp_path / "previews" / f"{B}.mp4").stat().st_mtime == 1000.0


def test_what_others_put_there_is_neither_counted_nor_deleted(tmp_path):
    mine = [preview(tmp_path, name, 9000) for name in ("proxy.mp4", "half.mp4.part", f"{A}.mov", f"{A}x.mp4")]
    ours = preview(tmp_path, f"{A}.mp4", 0)
    keep_within(tmp_path, 150)
    assert all(each.exists() for each in (*mine, ours))
    keep_within(tmp_path, 0)
    assert all(each.exists() for each in mine)
    assert not ours.exists()


def test_a_folder_that_is_a_link_is_not_touched(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.mp4").write_bytes(b"mine")
    (tmp_path / "previews").symlink_to(other)
    keep_within(tmp_path, 0)
    assert (other / "a.mp4").exists()
    assert names_in(tmp_path) == frozenset()


def test_without_a_folder_there_are_none(tmp_path):
    keep_within(tmp_path, 0)
    assert (names_in(tmp_path), bytes_in(tmp_path)) == (frozenset(), 0)


def test_both_must_be_there(tmp_path):
    assert not are_there(A, tmp_path)
    for number, name in enumerate((f"{A}.webp", f"{A}.mp4"), 1):
        preview(tmp_path, name, 0)
        assert are_there(A, tmp_path) == has_all(names_in(tmp_path), A) == (number == 2)
    (tmp_path / "previews").rename(tmp_path / "elsewhere")
    (tmp_path / "previews").symlink_to("elsewhere")
    assert not are_there(A, tmp_path)
