"""Pictures against the rules of a model."""

import hashlib
import io
import os
import struct
import zlib

import pytest
from PIL import Image

from runner.manifest.pictures.inspection import Picture, Rules, inspect, inspect_file
from runner.manifest.schema.model_schemas import shipped_schema
from runner.media import first_picture
from runner.model import ModelSchema

RULES = Rules.of(first_picture(shipped_schema("Kling-Image2Video-V1.6-Standard")))


def picture(path, width, height, format="PNG"):
    Image.new("RGB", (width, height), (40, 60, 80)).save(path, format)
    return path


def diagnostics(path, *rules):
    return [(each.code, each.message) for each in inspect_file(path, rules or (RULES,)).diagnostics]


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize(("width", "height"), [(300, 300), (750, 300), (300, 750), (1000, 400)])
def test_sound_pictures(tmp_path, format, width, height):
    # The name does not matter.
    path = picture(tmp_path / "picture.gif", width, height, format)
    data = path.read_bytes()
    assert inspect_file(path, [RULES]) == Picture((), hashlib.sha256(data).hexdigest(), len(data), width, height)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (299, 300, [("E404", "has width 299 px; the API takes at least 300 px")]),
        (300, 299, [("E404", "has height 299 px; the API takes at least 300 px")]),
        (200, 250, [("E404", "has width 200 px and height 250 px; the API takes at least 300 px")]),
        (751, 300, [("E405", "has the aspect ratio 2.503:1 (751 x 300 px); the API takes 1:2.5 to 2.5:1")]),
        (300, 751, [("E405", "has the aspect ratio 1:2.503 (300 x 751 px); the API takes 1:2.5 to 2.5:1")]),
        (
            100,
            400,
            [
                ("E404", "has width 100 px; the API takes at least 300 px"),
                ("E405", "has the aspect ratio 1:4 (100 x 400 px); the API takes 1:2.5 to 2.5:1"),
            ],
        ),
    ],
)
def test_sides_and_ratio(tmp_path, width, height, expected):
    assert diagnostics(picture(tmp_path / "p.png", width, height)) == expected


def test_the_hint_says_how_to_crop(tmp_path):
    (diagnostic,) = inspect_file(picture(tmp_path / "p.png", 1000, 310), [RULES]).diagnostics
    assert diagnostic.hint == "crop it to a width of at most 775 px"
    assert inspect_file(picture(tmp_path / "q.png", 775, 310), [RULES]).diagnostics == ()


def test_bytes_up_to_the_limit(tmp_path):
    path = picture(tmp_path / "p.jpg", 400, 400, "JPEG")
    size = path.stat().st_size
    assert diagnostics(path, Rules(max_bytes=size)) == []
    # Bytes after the end of a JPEG are allowed, so that it can be filled up.
    path.write_bytes(path.read_bytes() + b"\0" * (10 * 2**20 - size))
    assert diagnostics(path) == []
    path.write_bytes(path.read_bytes() + b"\0")
    assert diagnostics(path) == [
        ("E403", "has 10 MB (10,485,761 bytes); the API takes at most 10 MB (10,485,760 bytes)"),
    ]


def test_what_is_no_picture(tmp_path):
    path = tmp_path / "p.png"
    Image.new("RGB", (400, 400)).save(path, "WEBP")
    assert diagnostics(path) == [("E402", "is a WebP picture; the API takes JPEG or PNG")]
    path.write_bytes(b"\x00" * 50)
    assert diagnostics(path) == [("E402", "is neither JPEG nor PNG by its content")]
    path.write_bytes(b"")
    assert diagnostics(path) == [("E402", "is an empty file; the API takes JPEG or PNG")]
    picture(path, 400, 400)
    assert diagnostics(path, RULES, Rules(formats=("JPEG",))) == [("E402", "is a PNG picture; the API takes JPEG")]


def test_what_cannot_be_read(tmp_path):
    assert diagnostics(tmp_path / "nothing.png") == [("E401", "does not exist")]
    assert diagnostics(tmp_path) == [("E401", "is a folder")]
    os.mkfifo(tmp_path / "pipe.png")
    assert diagnostics(tmp_path / "pipe.png") == [("E401", "is not a regular file")]
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert diagnostics(tmp_path / "loop.png")[0][0] == "E401"
    assert diagnostics(tmp_path / ("x" * 300))[0] == ("E401", "cannot be read: File name too long")
    assert diagnostics(tmp_path / "a\0b")[0][0] == "E401"


def test_damaged(tmp_path):
    path = picture(tmp_path / "p.jpg", 400, 400, "JPEG")
    path.write_bytes(path.read_bytes()[:-2])
    assert diagnostics(path) == [("E406", "is damaged: it is cut short")]


def bomb(width, height):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height", "codes"),
    [(20000, 8900, []), (20000, 8901, ["E407"]), (2**31 - 1, 2**31 - 1, ["E407"])],
)
def test_decompression_bombs(width, height, codes):
    data = bomb(width, height)
    assert [each.code for each in inspect(io.BytesIO(data), len(data), [RULES]).diagnostics] == codes


def test_several_models(tmp_path):
    path = picture(tmp_path / "p.png", 350, 350)
    assert diagnostics(path, RULES, Rules(min_side=400), Rules(min_side=300)) == [
        ("E404", "has width 350 px and height 350 px; the API takes at least 400 px")
    ]
    assert diagnostics(path, Rules(), Rules()) == []


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        ({"properties": {"image": {"type": "string"}}}, Rules()),
        ({"properties": {"img_url": {"x-media": {"kind": "image", "maxSide": 2000}}}}, Rules(max_side=2000)),
        ({"properties": {"image": {"x-image": {"minSide": 64, "formats": ["PNG"]}}}}, Rules(None, 64, None, ("PNG",))),
        ({"properties": {"image": {"x-image": {"aspectRatio": [1, 2]}}}}, Rules(aspect_ratio=(1.0, 2.0))),
    ],
)
def test_rules_of_a_schema(document, rules):
    assert Rules.of(first_picture(ModelSchema("m", document))) == rules


def turned(path, orientation, size=(640, 480)):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, (40, 60, 80)).save(path, "JPEG", exif=exif)
    return path


def test_a_picture_that_is_turned_by_a_note_in_it(tmp_path):
    path = turned(tmp_path / "p.jpg", 6)
    found = inspect_file(path, [RULES])
    assert (found.width, found.height, found.diagnostics) == (480, 640, ())
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest(), "the bytes that are sent are the identity"
    (warning,) = found.warnings
    assert (warning.code, warning.message) == (
        "W414",
        "is turned to the right by a note in it (EXIF); the service may not heed that",
    )
    assert "reelrun fix-pictures" in warning.hint
    assert inspect_file(turned(tmp_path / "q.jpg", 1), [RULES]).warnings == ()


def test_rules_are_about_what_people_see(tmp_path):
    narrow = Rules(aspect_ratio=(0.4, 1.0))
    assert inspect_file(turned(tmp_path / "p.jpg", 8), [narrow]).diagnostics == ()
    assert [each.code for each in inspect_file(turned(tmp_path / "q.jpg", 1), [narrow]).diagnostics] == ["E405"]


def test_an_opaque_channel_of_transparency_is_not_told(tmp_path):
    for alpha, codes in ((255, []), (0, ["W415"])):
        Image.new("RGBA", (320, 320), (9, 9, 9, alpha)).save(tmp_path / "p.png")
        assert [each.code for each in inspect_file(tmp_path / "p.png", [RULES]).warnings] == codes


def test_heic_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "p.jpg"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 600)
    (found,) = inspect_file(path, [RULES]).diagnostics
    assert (found.code, found.message) == ("E402", "is a HEIC picture; the API takes JPEG or PNG")
    assert "reelrun fix-pictures does that" in found.hint
