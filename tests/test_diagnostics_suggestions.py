"""What a missing path was meant to be."""

import pytest

from runner.diagnostics.suggestions import SHOWN, inside, known_here, nearby, unexpanded

NOTHING = "means nothing in a manifest; write the path from the manifest, or from the root of the disk"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("images/shoe.jpg", "images/bag.png", "images/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("images/shoo.jpg", "did you mean 'images/shoe.jpg'?"),
        ("images/SHOE.JPG", "did you mean 'images/shoe.jpg'?"),
        ("images/cat.gif", "the folder 'images' holds bag.png and shoe.jpg"),
        ("imagse/shoe.jpg", "the folder 'imagse' does not exist; did you mean 'images'?"),
        ("a/b/c.jpg", "the folder 'a' does not exist"),
        ("other.txt", "the folder of the manifest holds images"),
        ("~/shoe.jpg", f"~ {NOTHING}"),
        ("~ann/shoe.jpg", f"~ann {NOTHING}"),
        ("${HOME}/shoe.jpg", f"${{HOME}} {NOTHING}"),
        ("images/$NAME.jpg", f"$NAME {NOTHING}"),
        ("%USERPROFILE%\\shoe.jpg", f"%USERPROFILE% {NOTHING}"),
        ("C:\\images\\shoe.jpg", f"C: {NOTHING}"),
        ("images\\shoe.jpg", "folders are separated by /: 'images/shoe.jpg'"),
    ],
)
def test_hints(folder, written, hint):
    assert nearby(folder / written, written) == hint


def test_an_empty_and_a_full_folder(folder):
    (folder / "empty").mkdir()
    assert inside(folder / "empty", "empty") == "the folder 'empty' holds nothing"
    for number in range(9):
        (folder / "empty" / f"f{number}").touch()
    assert inside(folder / "empty", "empty") == "the folder 'empty' holds f0, f1, f2, f3, f4, f5, …"


def test_a_near_name_is_suggested() -> None:
    assert known_here("surfce", ["camera", "surface"]) == "did you mean 'surface'? known here: camera, surface"


def test_case_does_not_count() -> None:
    assert known_here("CFG", ["cfg", "camera"]).startswith("did you mean 'cfg'?")
    assert known_here("kling", ["Kling"]).startswith("did you mean 'Kling'?")


def test_a_far_name_is_not_suggested() -> None:
    assert known_here("xyz", ["surface", "camera"]) == "known here: camera, surface"


def test_nothing_known() -> None:
    assert known_here("x", []) == "nothing is known here"


def test_a_long_list_is_cut() -> None:
    names = [f"name-{number:03}" for number in range(SHOWN + 5)]
    hint = known_here("zzz", names)
    assert hint.endswith(f"{names[SHOWN - 1]} and 5 more")


@pytest.mark.parametrize("written", ["./~/a", "a~b", "c:shoe", "5$", "100%", "a/b c", "über/x", "$5 shoe"])
def test_signs_that_nothing_replaces(written):
    assert unexpanded(written) == ""
