from __future__ import annotations

import base64
import csv

import pytest

from tests.kit import picture_bytes
from tests.warned import warnings

ALL = {"lint": {}}


@pytest.fixture
def small(tmp_path):
    """Pictures of 320 x 400, 400 x 320, 449 x 900 and 450 x 450 pixels."""
    for name, size in {"a": (320, 400), "b": (400, 320), "c": (449, 900), "d": (450, 450)}.items():
        (tmp_path / f"{name}.jpg").write_bytes(picture_bytes(1, *size))
    return tmp_path


def test_a_picture_close_to_the_minimum(small):
    files = [{"file": f"{name}.jpg"} for name in "abcd"]
    close = "close to the minimum of 300 px; at least 450 px is advised"
    assert warnings(small, images=files, **ALL) == [
        f"W802 a.jpg: a.jpg has a short side of 320 px (320 x 400), {close}",
        f"W802 b.jpg: b.jpg has a short side of 320 px (400 x 320), {close}",
        f"W802 c.jpg: c.jpg has a short side of 449 px (449 x 900), {close}",
    ]


def test_pictures_of_one_entry_are_one_warning(small):
    (found,) = warnings(small, images=[{"glob": "[a-d].jpg"}], **ALL)
    assert found.startswith("W802 '[a-d].jpg': a.jpg has a short side of 320 px")
    assert found.endswith("(2 more of this entry are so, too)")


def test_a_picture_of_a_table_is_marked_in_the_table(small):
    with (small / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "image"], ["large", "d.jpg"], ["small", "a.jpg"], ["other", "b.jpg"]])
    (found,) = warnings(small, images=[{"table": "t.csv"}], **ALL)
    assert found.startswith("W802 a.jpg: a.jpg has a short side of 320 px")
    assert found.endswith("(1 more of this entry is so, too)")


def test_a_picture_without_a_file_is_called_by_its_id(small):
    text = base64.b64encode((small / "a.jpg").read_bytes()).decode()
    (found,) = warnings(small, images=[{"base64": text, "id": "dot"}], **ALL)
    assert found.startswith("W802 /9j/")
    assert ": 'dot' has a short side of 320 px" in found


def test_an_address_is_not_judged_unless_it_was_fetched(small):
    assert warnings(small, images=[{"url": "https://example.com/a.jpg"}], **ALL) == []
