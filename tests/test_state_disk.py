"""Durable steps on the file system."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import DiskError, StateError
from runner.state import disk
from tests.kit import deep_folder


def test_folders_are_made_with_their_parents(tmp_path):
    disk.make_folder(tmp_path / "a" / "b" / "c")
    disk.make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_what_is_in_the_place_of_a_file_is_set_aside(tmp_path):
    source, target = tmp_path / "deep" / "x.part", tmp_path / "deep" / "x.mp4"
    disk.create_folders(source.parent)
    asides = []
    for content in (b"one", b"two", b"three", b"three"):
        source.write_bytes(content)
        asides.append(disk.put_in_place(source, target, tmp_path))
        assert target.read_bytes() == content
        assert not source.exists()
    # The last is equal to what was there.
    assert asides == [[], [target.with_name("x.changed.mp4")], [target.with_name("x.changed-2.mp4")], []]
    assert [each.read_bytes() for (each,) in asides[1:3]] == [b"one", b"two"]


def test_a_link_to_an_equal_file_is_no_file_of_ours(tmp_path):
    (tmp_path / "mine").write_bytes(b"one")
    (tmp_path / "x.part").write_bytes(b"one")
    (tmp_path / "x.mp4").symlink_to(tmp_path / "mine")
    (aside,) = disk.put_in_place(tmp_path / "x.part", tmp_path / "x.mp4", tmp_path)
    assert aside.is_symlink()
    assert not (tmp_path / "x.mp4").is_symlink()


def test_a_changed_file_is_set_aside_and_nothing_is_overwritten(tmp_path):
    for number in range(3):
        (tmp_path / "a.mp4").write_bytes(bytes([number]))
        disk.set_aside(tmp_path / "a.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.changed-2.mp4", "a.changed-3.mp4", "a.changed.mp4"]
    with pytest.raises(DiskError):
        disk.set_aside(tmp_path / "a.mp4")


def test_files_that_belong_together_are_set_aside_under_one_number(tmp_path):
    for name in ("a", "b", "b.old-1"):
        (tmp_path / name).write_text(name)
    moved = disk.set_aside_together([tmp_path / "a", tmp_path / "b", tmp_path / "none"])
    assert moved == [tmp_path / "a.old-2", tmp_path / "b.old-2"]
    contents = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert contents == {"a.old-2": "a", "b.old-2": "b", "b.old-1": "b.old-1"}


@pytest.fixture
def deep(tmp_path):
    """A path of many levels, of which nothing is left in the end: the clean-up of pytest goes down by recursion."""
    path = tmp_path.joinpath(*["d"] * 1_200)
    yield path
    for each in (path, *path.parents[:1_199]):
        each.rmdir()


def test_folders_of_any_depth_are_made_and_are_durable(tmp_path, deep):
    disk.make_folder(deep)
    disk.sync_parents(deep, tmp_path)
    assert deep.is_dir()
    with pytest.raises(DiskError, match="too long") as caught, disk.disk_errors("make a folder"):
        disk.make_folder(deep / ("d" * 300))
    assert "shorter path" in caught.value.hint


@pytest.mark.parametrize("harm", ["removed", "replaced", "behind a link", "its folder renamed"])
def test_a_path_that_leads_elsewhere_is_noticed(tmp_path, harm):
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    path.touch()
    with path.open() as file:
        assert disk.leads_to(path, file.fileno())
        if harm == "its folder renamed":
            path.parent.rename(tmp_path / "moved")
        else:
            path.rename(tmp_path / "moved")
        if harm == "replaced":
            path.touch()
        if harm == "behind a link":
            path.symlink_to(tmp_path / "moved")
        assert not disk.leads_to(path, file.fileno())


@pytest.fixture
def synced(monkeypatch):
    """The folders whose entries were made durable, one after the other; nothing is known from before."""
    folders = []
    monkeypatch.setattr(disk, "sync_folder", folders.append)
    monkeypatch.setattr(disk, "_durable", set())
    return folders


def test_created_folders_are_told_and_not_yet_durable(tmp_path, synced):
    a, b = tmp_path / "a", tmp_path / "a" / "b"
    assert disk.create_folders(b) == [a, b]
    assert disk.create_folders(b) == []
    assert b.is_dir()
    assert synced == []
    disk.make_folder(b / "c" / "d")
    assert synced == [b, b / "c"]


def test_the_way_to_a_folder_is_made_durable_once_whoever_created_it(tmp_path, synced):
    a, b = tmp_path / "a", tmp_path / "a" / "b"
    b.mkdir(parents=True)
    disk.sync_parents(b, tmp_path)
    assert synced == [b, a, tmp_path]
    disk.sync_parents(b, tmp_path)
    disk.sync_parents(a, tmp_path)
    assert synced[3:] == [b, a]
    disk.sync_parents(tmp_path, tmp_path)
    assert synced[5:] == [tmp_path]


def test_a_folder_that_was_created_again_is_not_durable_any_more(tmp_path, synced):
    folder = tmp_path / "a"
    disk.create_folders(folder)
    disk.sync_parents(folder, tmp_path)
    folder.rmdir()
    disk.create_folders(folder)
    disk.sync_parents(folder, tmp_path)
    assert synced == [folder, tmp_path] * 2


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_way_of_which_a_sync_fails_is_made_durable_the_next_time(tmp_path, synced, monkeypatch, broken):
    a, b = tmp_path / "a", tmp_path / "a" / "b"
    failing = {(b, a, tmp_path)[broken]}
    sync = disk.sync_folder

    def fails_once(folder):
        if folder in failing:
            failing.discard(folder)
            raise OSError(5, "Input/output error")
        sync(folder)

    monkeypatch.setattr(disk, "sync_folder", fails_once)
    disk.create_folders(b)
    with pytest.raises(OSError, match="Input/output"):
        disk.sync_parents(b, tmp_path)
    disk.sync_parents(b, tmp_path)
    assert set(synced) == {b, a, tmp_path}


def test_a_folder_counts_as_durable_only_once_the_way_to_it_is(tmp_path, synced, monkeypatch):
    a, b = tmp_path / "a", tmp_path / "a" / "b"
    disk.create_folders(b)
    known = []
    monkeypatch.setattr(disk, "sync_folder", lambda folder: known.append((folder, set(disk._durable))))
    disk.sync_parents(b, tmp_path)
    assert known == [(b, set()), (a, set()), (tmp_path, set())]
    assert disk._durable == {a, b}


def test_what_is_remembered_of_folders_has_a_bound(tmp_path, synced, monkeypatch):
    monkeypatch.setattr(disk, "_MOST_DURABLE", 2)
    for name in "abc":
        disk.create_folders(tmp_path / name)
        disk.sync_parents(tmp_path / name, tmp_path)
    assert disk._durable == {tmp_path / "c"}


def test_trouble_names_the_deed_the_cause_and_the_remedy(tmp_path):
    with pytest.raises(DiskError) as caught, disk.disk_errors("read the picture"):
        (tmp_path / "none").read_bytes()
    assert caught.value.message.startswith("cannot read the picture: No such file or directory")
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


MOUNTS = [
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
    "40 22 0:40 / /mnt/team\\040share rw,relatime shared:5 - nfs4 server:/x rw",
    "41 40 8:2 / /mnt/team\\040share/local rw - xfs /dev/sdb rw",
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", "ext4"),
        ("/mnt/team share", "nfs4"),
        ("/mnt/team share/a/b", "nfs4"),
        ("/mnt/team share/local/a", "xfs"),
    ],
)
def test_the_deepest_mount_decides(path, kind):
    assert disk.deepest_mount(Path(path), MOUNTS) == kind


def test_a_state_on_a_network_disk_is_refused(tmp_path, monkeypatch):
    listing = tmp_path / "mountinfo"
    listing.write_text("\n".join([*MOUNTS, f"50 22 0:50 / {tmp_path.resolve()} rw - cifs //server/x rw"]))
    monkeypatch.setattr(disk, "_MOUNTS", listing)
    with pytest.raises(StateError, match="cifs") as caught:
        disk.refuse_network_disk(tmp_path / "state.sqlite")
    assert "output.state" in caught.value.hint


def test_this_disk_is_known():
    assert disk.filesystem_of(Path(os.getcwd()))


@given(st.binary())
def test_the_hash_of_a_file(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        assert disk.hash_file(path) == hashlib.sha256(content).hexdigest()


def test_folders_may_be_deep(tmp_path):
    with deep_folder(tmp_path) as folder:
        assert folder.is_dir()
        disk.sync_parents(folder, tmp_path)
        assert disk.create_folders(folder) == []
