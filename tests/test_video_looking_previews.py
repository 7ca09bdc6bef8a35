"""Previews on the disk: their names, and their room."""

import os

from runner.video.looking.previews import are_there, bytes_in, has_all, keep_within, names_in


def preview(folder, name, age, size=100):
    path = folder / "previews" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (2_000_000_000 - age,) * 2)
    return path


def test_the_oldest_go_first_and_only_as_many_as_must(tmp_path):
    for age in range(5):
        preview(tmp_path, f"{age}.mp4", age)
    keep_within(tmp_path, 250)
    assert names_in(tmp_path) == {"0.mp4", "1.mp4"}
    keep_within(tmp_path, 250)
    assert bytes_in(tmp_path) == 200


def test_what_is_being_written_stays_and_what_a_killed_process_left_goes(tmp_path):
    preview(tmp_path, "a.mp4", 0)
    preview(tmp_path, ".b.mp4.part", 60)
    preview(tmp_path, ".c.mp4.part", 7200)
    keep_within(tmp_path, 100)
    assert [path.name for path in (tmp_path / "previews").glob(".*")] == [".b.mp4.part"]
    assert ".b.mp4.part" not in names_in(tmp_path)


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
    assert not are_there("ab", tmp_path)
    for number, name in enumerate(("ab.webp", "ab.mp4"), 1):
        preview(tmp_path, name, 0)
        assert are_there("ab", tmp_path) == has_all(names_in(tmp_path), "ab") == (number == 2)
    (tmp_path / "previews").rename(tmp_path / "elsewhere")
    (tmp_path / "previews").symlink_to("elsewhere")
    assert not are_there("ab", tmp_path)
