"""Globs: what they find, as Python's own glob does, and where they end."""

from __future__ import annotations

import glob
import os
import unicodedata
from pathlib import Path

import pytest

from runner.manifest.pictures import glob_search
from runner.manifest.pictures.glob_search import TooManyEntriesError, matching, near
from tests.kit import deep_folder

FILES = (
    "a.png",
    "b.jpg",
    ".hidden.png",
    "one/a.png",
    "one/two/a.png",
    "one/two/three/b.png",
    "one/.dot/c.png",
    "[x]/a.png",
    "one/a.png.txt",
    "with space/ü.png",
)
PATTERNS = (
    "*.png",
    "*",
    "**",
    "**/*.png",
    "**/**/*.png",
    "one/**",
    "one/**/a.png",
    "one/*/a.png",
    "./one/../*.png",
    "one//a.p?g",
    ".h*",
    "one/.dot/*",
    "one/.*/*.png",
    "[[]x]/*",
    "[ab].*",
    "**/two/**/*.png",
    "a.png",
    "one",
    "none/*.png",
    "a.png/*",
    "linked/*.png",
    "**/ü.png",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for each in FILES:
        path = tmp_path / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "linked").symlink_to("one/two")
    (tmp_path / "lost.png").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_python_finds(folder: Path, pattern: str) -> None:
    for each in (pattern, str(folder / pattern)):
        found = glob.glob(each, root_dir=folder, recursive=True)
        assert matching(each, folder) == sorted(
            {os.path.normpath(path) if "//" in each else path for path in found if not (folder / path).is_dir()}
        )


def test_a_link_back_up_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").touch()
    (tmp_path / "in/up").symlink_to("..")
    (tmp_path / "in/root").symlink_to("/")
    assert matching("**/*.png", tmp_path) == ["in/a.png"]


def test_folders_of_the_kernel_are_not_looked_into() -> None:
    assert matching("/proc/*/environ", Path("/")) == matching("/sys/**/uevent", Path("/")) == []
    assert matching("/*/self/environ", Path("/")) == []


def test_it_ends(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(glob_search, "MOST_ENTRIES", 5)
    with pytest.raises(TooManyEntriesError):
        matching("**/*.png", folder)
    assert matching("one/two/*", folder) == ["one/two/a.png"]


def test_a_thousand_levels(tmp_path: Path) -> None:
    with deep_folder(tmp_path) as folder:
        (folder / "a.png").touch()
        assert [Path(each).name for each in matching("**/*.png", tmp_path)] == ["a.png"]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{a,b}.{png,jpg}", ["a.png", "b.jpg"]),
        ("one/{a,two/a}.png", ["one/a.png", "one/two/a.png"]),
        ("{one,one/{two,three}}/a.png", ["one/a.png", "one/two/a.png"]),
        ("{a,}.png", ["a.png"]),
        ("{a}.png", ["{a}.png"]),
    ],
)
def test_braces_stand_for_each_of_their_words(folder: Path, pattern: str, words: list[str]) -> None:
    (folder / "{a}.png").touch()
    assert matching(pattern, folder) == words


def test_braces_have_an_end(folder: Path) -> None:
    with pytest.raises(TooManyEntriesError):
        matching("{a,b}" * 30, folder)


def test_names_match_in_either_unicode_form(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Müller") for form in ("NFC", "NFD"))
    (tmp_path / apart).mkdir()
    (tmp_path / apart / f"{composed}.png").touch()
    assert matching(f"{composed}/{apart}.*", tmp_path) == [f"{composed}/{composed}.png"]
    assert matching(f"M?ller/{apart}.png", tmp_path) == [f"{apart}/{apart}.png"]


def test_what_is_nearly_matched(tmp_path: Path) -> None:
    for name in ("a.jpg", "IMG_2.JPG", "c.jpeg", "Thumbs.db", "d.png", ".e.jpg"):
        (tmp_path / name).touch()
    assert near("*.jpg", tmp_path, matching("*.jpg", tmp_path)) == ["IMG_2.JPG", "c.jpeg"]
    assert near("img_*.jpg", tmp_path, []) == ["IMG_2.JPG"]
    assert near("D.*", tmp_path, []) == ["d.png"]
    assert near("*.png", tmp_path, ["d.png"]) == []
