"""The files that a manifest names: where they may lie, and what they may be."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from runner.errors import ManifestError, UsageError
from runner.manifest.files import UnreadableError, folders_of, on_disk, open_media, open_regular, read_below, read_text

MANY = 2**20


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A manifest's folder with a text, and a text outside it."""
    here = tmp_path.resolve() / "here"
    (here / "in").mkdir(parents=True)
    (here / "in" / "mood.j2").write_text("mist")
    (here.parent / "there").mkdir()
    (here.parent / "there" / "rain.j2").write_text("rain")
    monkeypatch.chdir(here)
    return here


def refusal(path, *folders):
    with pytest.raises(UnreadableError) as caught:
        read_below(path, folders, "written/mod.j2", MANY)
    return caught.value


def test_a_name_is_found_in_either_unicode_form(folder):
    composed, apart = (unicodedata.normalize(form, "Größe") for form in ("NFC", "NFD"))
    (folder / apart).mkdir()
    (folder / apart / f"{composed}.j2").write_text("mist")
    assert read_below(folder / composed / f"{apart}.j2", [folder], "", MANY).text == "mist"
    (folder / composed).mkdir()
    assert on_disk(folder / composed) == folder / composed, "an exact name comes first"
    assert on_disk(folder / "ü" / "ö") == folder / "ü" / "ö"
    assert on_disk(folder / "/".join("ü" * 2000)) == folder / "/".join("ü" * 2000)


def test_texts_lie_below_the_folder_or_one_that_is_allowed(folder):
    assert read_below(folder / "in" / "mood.j2", [folder], "", MANY).text == "mist"
    assert read_below(folder / ".." / "there" / "rain.j2", [folder, folder.parent], "", MANY).text == "rain"
    outside = refusal(folder / ".." / "there" / "rain.j2", folder)
    assert outside.code == "E107"
    assert outside.message == f"lies outside the manifest's folder: {folder.parent}/there/rain.j2"
    assert outside.hint.endswith(f"--allow-outside {folder.parent}/there")


def test_links_are_followed_before_a_place_is_judged(folder):
    (folder / "in" / "out.j2").symlink_to(folder.parent / "there" / "rain.j2")
    (folder / "away").symlink_to(folder.parent / "there")
    (folder.parent / "back.j2").symlink_to(folder / "in" / "mood.j2")
    assert refusal(folder / "in" / "out.j2", folder).code == "E107"
    assert refusal(folder / "away" / "rain.j2", folder).code == "E107"
    assert read_below(folder.parent / "back.j2", [folder], "", MANY).text == "mist"


@pytest.mark.parametrize("name", ["/proc/self/environ", "/proc/self/root/proc/self/environ", "/dev/zero"])
def test_what_the_system_shows_of_itself_is_not_read(folder, name):
    assert refusal(Path(name), folder).code == "E107"
    refused = refusal(Path(name), folder, Path("/"))
    assert (refused.code, refused.hint) == ("E107", "copy it there")
    (folder / "link").symlink_to(name)
    assert refusal(folder / "link", folder).code == "E107"
    with pytest.raises(OSError, match=r"nothing below /(proc|dev) is read"):
        open_media(folder / "link")


def test_what_is_not_there_has_a_name_near_it(folder):
    missing = refusal(folder / "in" / "mod.j2", folder)
    assert (missing.code, missing.message) == ("E101", "does not exist")
    assert missing.hint == "did you mean 'written/mood.j2'?"


def test_only_regular_files_are_read(folder):
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in ("pipe", "socket", "in", "in/mood.j2/x", "\0"):
            found = refusal(folder / name, folder)
            assert (found.code, found.message[:15]) == ("E101", "cannot be read:")
            with pytest.raises((OSError, ValueError)):
                open_media(folder / name)
    assert refusal(folder / "pipe", folder).message == "cannot be read: it is not a regular file"
    with open_regular(folder / "in" / "mood.j2") as stream:
        assert stream.read() == b"mist"


def test_links_in_a_circle(folder):
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    assert refusal(folder / "a", folder).message == "cannot be read: Too many levels of symbolic links"


def test_a_file_may_not_be_larger_than_the_limit(folder):
    path = folder / "f.txt"
    path.write_bytes(b"x" * MANY)
    assert len(read_text(path, "f", MANY).text) == MANY
    path.write_bytes(b"x" * (MANY + 1))
    with pytest.raises(ManifestError) as caught:
        read_below(path, [folder], "f.txt", MANY)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.position.file) == ("E105", "f.txt")
    assert diagnostic.message == "the file is larger than 1 MB"


def test_the_folders_of_a_manifest(folder):
    (folder / "link").symlink_to("../there")
    assert folders_of(folder, ["link", "in"]) == (folder, folder.parent / "there", folder / "in")
    for wrong in ("none", "in/mood.j2"):
        with pytest.raises(UsageError, match=f"{wrong} cannot be allowed"):
            folders_of(folder, [wrong])
