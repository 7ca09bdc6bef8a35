"""What a missing path was meant to be."""

import pytest

from runner.manifest.nearby import inside, nearby


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
        ("~/shoe.jpg", "~ is not expanded in a manifest; paths are relative to the manifest"),
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
