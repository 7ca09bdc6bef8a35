"""Copies in prepared/, and the lines that name them."""

import base64
import hashlib
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from runner.manifest.files import on_disk
from runner.manifest.pictures.prepared_copies import changed_lines, prepare
from runner.manifest.reader import load, named_pictures
from tests.kit import MODEL, picture_bytes


def phone(shade=60, orientation=6):
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (shade, 60, 80)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


class Campaign:
    """A manifest on disk, and what is prepared for it."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        self.path = self.folder / "c.yaml"

    def put(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def write(self, *images):
        entries = "".join(f"  {each}\n" for each in images)
        prompts = "prompts:\n  - {id: p, text: Slow push-in}\n"
        self.path.write_text(f"version: 1\nmodel: {MODEL}\nimages:\n{entries}{prompts}", encoding="utf-8")

    def prepare(self):
        named = named_pictures(Path(self.path.name))
        self.errors = named.errors
        self.done = list(prepare(named.candidates, named.rules, named.base))
        return changed_lines(self.done, named.source, named.base)

    def change(self):
        """Do what the lines say, and read the manifest that comes of it: no warning is left."""
        lines = self.prepare()
        for file in {each.file for each in lines}:
            told = {each.line: each.new for each in lines if each.file == file}
            text = (self.folder / file).read_text(encoding="utf-8").split("\n")
            new = [line for number, old in enumerate(text, 1) for line in told.get(number, (old,))]
            (self.folder / file).write_text("\n".join(new), encoding="utf-8")
        return load(self.path)

    def files(self):
        return sorted(
            str(each.relative_to(self.folder)) for each in self.folder.rglob("prepared/**/*") if each.is_file()
        )


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Campaign(tmp_path)


def new(lines):
    return [(each.file, each.line, each.new) for each in lines]


def test_nothing_is_done_to_pictures_that_are_right(campaign):
    campaign.put("a.jpg", picture_bytes(1))
    campaign.write("- {file: a.jpg}", '- {url: "https://example.com/a.jpg", id: u}')
    assert campaign.prepare() == []
    assert campaign.files() == []


def test_files_keep_their_ids(campaign):
    campaign.put("in/IMG 1.JPG", phone())
    campaign.put("ü.jpg", phone(61))
    campaign.write('- {file: "in/IMG 1.JPG", vars: {x: 1}}', "- file: ü.jpg", "  id: named")
    assert new(campaign.prepare()) == [
        ("c.yaml", 4, ("  - {file: prepared/in/IMG 1.jpg, vars: {x: 1}}",)),
        ("c.yaml", 5, ('  - file: "prepared/ü.jpg"',)),
    ]
    manifest = campaign.change()
    assert [(each.id, each.width, each.height) for each in manifest.images] == [
        ("IMG 1", 480, 640),
        ("named", 480, 640),
    ]


def test_rows_of_tables_of_any_kind(campaign):
    for number, name in enumerate(("a", "b", "c, d", "e")):
        campaign.put(f"in/{name}.JPG", phone(60 + number))
    campaign.put("t.csv", 'id;image;x\na;in/a.JPG;1\nb;"in/b.JPG";2\n')
    campaign.put("u.csv", 'image,id\n"in/c, d.JPG",c\n')
    campaign.put("v.jsonl", '{"id": "e", "image": "in/e.JPG", "n": 1}\n')
    campaign.write("- {table: t.csv}", "- {table: u.csv}", "- {table: v.jsonl}")
    assert new(campaign.prepare()) == [
        ("t.csv", 2, ("a;prepared/in/a.jpg;1",)),
        ("t.csv", 3, ('b;"prepared/in/b.jpg";2',)),
        ("u.csv", 2, ('"prepared/in/c, d.jpg",c',)),
        ("v.jsonl", 1, ('{"id": "e", "image": "prepared/in/e.jpg", "n": 1}',)),
    ]
    assert [each.id for each in campaign.change().images] == ["a", "b", "c", "e"]


def test_of_a_glob_every_picture_gets_a_copy_and_right_ones_stay_what_they_are(campaign):
    campaign.put("in/a.JPG", phone())
    campaign.put("in/ok.JPG", picture_bytes(1))
    campaign.write("- {glob: in/*.JPG, vars: {x: 1}}")
    assert new(campaign.prepare()) == [("c.yaml", 4, ("  - {glob: prepared/in/*.jpg, vars: {x: 1}}",))]
    assert (campaign.folder / "prepared/in/ok.jpg").read_bytes() == picture_bytes(1)
    before = {each.id: each.reference for each in load(campaign.path).images}
    after = {each.id: each.reference for each in campaign.change().images}
    assert (before["ok"], before["a"] == after["a"]) == (after["ok"], False)


def test_where_no_glob_finds_the_copies_alone_they_are_listed(campaign):
    campaign.put("in/a.jpg", phone())
    campaign.put("in/b.png", picture_bytes(1, kind="PNG"))
    campaign.put("prepared/in/other.jpg", picture_bytes(2))
    campaign.write('- {glob: "in/*.{jpg,png}", vars: {x: a b}}')
    assert new(campaign.prepare()) == [
        (
            "c.yaml",
            4,
            ("  - {file: prepared/in/a.jpg, vars: {x: a b}}", "  - {file: prepared/in/b.png, vars: {x: a b}}"),
        )
    ]
    assert [each.id for each in campaign.change().images] == ["a", "b"]


def test_a_copy_is_made_once_a_source(campaign):
    campaign.put("a.jpg", phone())
    campaign.write("- {file: a.jpg}")
    campaign.prepare()
    made = (campaign.folder / "prepared/a.jpg").stat().st_mtime_ns
    first = campaign.prepare()
    assert [each.is_new for each in campaign.done] == [False]
    assert (campaign.folder / "prepared/a.jpg").stat().st_mtime_ns == made
    # Another picture under the same name: the copy of the first may be that of a clip that was bought.
    campaign.put("a.jpg", phone(99))
    ((_, _, (line,)),) = new(campaign.prepare())
    assert [each.is_new for each in campaign.done] == [True]
    assert (campaign.folder / "prepared/a.jpg").stat().st_mtime_ns == made
    assert len(campaign.files()) == 2
    assert line.startswith("  - {file: prepared/a-")
    assert line.endswith(".jpg, id: a}")
    assert [each.id for each in campaign.change().images] == ["a"]
    assert first[0].new == ("  - {file: prepared/a.jpg}",)


def test_what_lies_there_already_is_not_written_over(campaign):
    campaign.put("a.jpg", phone())
    campaign.put("prepared/a.jpg", b"mine")
    campaign.write("- file: a.jpg")
    ((_, _, lines),) = new(campaign.prepare())
    assert (campaign.folder / "prepared/a.jpg").read_bytes() == b"mine"
    assert lines[1] == "    id: a"
    assert [each.id for each in campaign.change().images] == ["a"]


def test_no_file_of_any_name_is_written_over(campaign):
    campaign.put("a.jpg", phone())
    campaign.write("- {file: a.jpg}")
    campaign.prepare()
    (name,) = campaign.files()
    taken = [name, name.replace(".jpg", f"-{hashlib.sha256(phone()).hexdigest()[-8:]}.jpg")]
    for each in taken:
        Path(each).write_bytes(b"mine")
    ((_, _, (line,)),) = new(campaign.prepare())
    assert [Path(each).read_bytes() for each in taken] == [b"mine", b"mine"]
    assert line.endswith("-2.jpg, id: a}")


def test_a_picture_in_base64_becomes_a_file(campaign):
    text = base64.b64encode(phone()).decode()
    campaign.write(f'- {{base64: "{text}", id: a/b}}')
    assert new(campaign.prepare()) == [("c.yaml", 4, ("  - {file: prepared/a-b.jpg, id: a/b}",))]
    assert [each.id for each in campaign.change().images] == ["a/b"]


def test_pictures_elsewhere_and_those_of_which_no_copy_can_be_made(campaign):
    outside = campaign.folder.parent / "outside.JPG"
    outside.write_bytes(phone())
    campaign.put("long.jpg", picture_bytes(1, 1200, 300))
    campaign.put("none.jpg", b"no picture")
    campaign.write(f"- {{file: {outside}}}", "- {file: long.jpg}", "- {file: none.jpg}", "- {file: gone.jpg}")
    ((_, _, (line,)),) = new(campaign.prepare())
    assert line.startswith("  - {file: prepared/")
    assert line.endswith("/outside.jpg}")
    assert [each.problem.partition(" (")[0] for each in campaign.done] == [
        *("", "is too long and narrow", "cannot be read", "cannot be read")
    ]
    os.unlink(outside)


def test_other_errors_of_the_manifest_are_told_and_do_not_matter(campaign):
    campaign.put("a.jpg", phone())
    campaign.write("- {file: a.jpg}", "- {table: none.csv}", "- {file: 3}")
    assert [each.new for each in campaign.prepare()] == [("  - {file: prepared/a.jpg}",)]
    assert [each.code for each in campaign.errors] == ["E409", "E204"]
    assert on_disk(campaign.folder / "prepared/a.jpg").exists()
