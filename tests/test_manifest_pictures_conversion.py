"""Copies that look the same to everyone."""

import io
import sys

import pytest
from PIL import Image, ImageCms, ImageDraw

from runner.manifest.pictures.conversion import MissingHeifError, UnfixableError, converted, note_in
from runner.manifest.pictures.inspection import Rules, inspect

RULES = Rules(10 * 2**20, 300, (0.4, 2.5))
RED, GREY = (200, 20, 20), (120, 120, 120)


def drawn(size=(400, 320), mode="RGB"):
    """Grey, with a red corner at the left above."""
    picture = Image.new("RGB", size, GREY)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=RED)
    return picture.convert(mode)


def saved(picture, format, **options):
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def fixed(data, rules=RULES, note="note"):
    """The copy, decoded, after a look whether it is as it is to be."""
    copy = converted(data, [rules], note)
    found = inspect(io.BytesIO(copy.content), len(copy.content), [rules])
    assert (found.diagnostics, found.warnings) == ((), ())
    assert note_in(copy.content) == note
    picture = Image.open(io.BytesIO(copy.content))
    assert (picture.mode, picture.size) == ("RGB", (copy.width, copy.height))
    assert copy.suffix == {"JPEG": ".jpg", "PNG": ".png"}[picture.format]
    return picture


def is_near(pixel, colour, far=12):
    return all(abs(one - other) <= far for one, other in zip(pixel, colour, strict=True))


TURNS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
}


@pytest.mark.parametrize("orientation", TURNS)
def test_it_is_turned_upright_and_tells_nothing_of_its_place(orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Phone"
    picture = fixed(saved(drawn().transpose(TURNS[orientation]), "JPEG", exif=exif))
    assert picture.size == (400, 320)
    assert is_near(picture.getpixel((20, 20)), RED)
    assert is_near(picture.getpixel((380, 300)), GREY)
    assert not picture.getexif()


@pytest.mark.parametrize("format", ["WEBP", "GIF", "BMP", "TIFF", "PNG", "JPEG"])
def test_kinds_that_can_be_read(format):
    picture = fixed(saved(drawn(), format))
    assert picture.format == ("JPEG" if format == "JPEG" else "PNG")
    assert is_near(picture.getpixel((20, 20)), RED)


def test_heic(monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    data = saved(drawn(), "HEIF", quality=90)
    picture = fixed(data)
    assert (picture.format, is_near(picture.getpixel((20, 20)), RED, far=25)) == ("JPEG", True)
    turned, exif = drawn().transpose(TURNS[6]), Image.Exif()
    exif[0x0112] = 6
    turned.info["exif"] = exif.tobytes()
    data = saved(turned, "HEIF", quality=90)
    assert b"irot" in data, "HEIC has a note of its own for that"
    picture = fixed(data)
    assert (picture.size, is_near(picture.getpixel((20, 20)), RED, far=25)) == ((400, 320), True)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingHeifError):
        converted(data, [RULES], "note")


def test_the_first_of_several_pictures():
    others = [Image.new("RGB", (400, 320), "blue")]
    assert is_near(fixed(saved(drawn(), "PNG", save_all=True, append_images=others)).getpixel((20, 20)), RED)
    assert is_near(fixed(saved(drawn(), "MPO", save_all=True, append_images=others)).getpixel((20, 20)), RED)


def test_what_is_transparent_is_white():
    picture = drawn().convert("RGBA")
    picture.paste((0, 0, 0, 0), (200, 160, 400, 320))
    for format in ("PNG", "WEBP"):
        copy = fixed(saved(picture, format, **({"lossless": True} if format == "WEBP" else {})))
        assert copy.getpixel((300, 300)) == (255, 255, 255)
        assert is_near(copy.getpixel((20, 20)), RED)


def test_colours_of_print_and_of_other_profiles_are_srgb():
    assert is_near(fixed(saved(drawn(mode="CMYK"), "JPEG", quality=95)).getpixel((20, 20)), RED)
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    assert fixed(saved(drawn(), "PNG", icc_profile=linear.tobytes())).size == (400, 320)
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    copy = fixed(saved(drawn(), "JPEG", icc_profile=own.tobytes(), quality=95))
    assert is_near(copy.getpixel((20, 20)), RED)
    assert "icc_profile" not in copy.info
    assert is_near(fixed(saved(drawn(), "JPEG", icc_profile=b"no profile", quality=95)).getpixel((20, 20)), RED)


def test_sixteen_bits_of_grey_are_eight():
    picture = Image.new("I;16", (320, 320), 257 * 100)
    assert fixed(saved(picture, "PNG")).getpixel((5, 5)) == (100, 100, 100)


def test_rules_that_scaling_can_meet():
    assert fixed(saved(drawn((200, 250)), "JPEG")).size == (300, 375)
    assert fixed(saved(drawn((1000, 398)), "JPEG")).size == (995, 398)
    assert fixed(saved(drawn((398, 1000)), "JPEG")).size == (398, 995)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (saved(drawn((140, 160)), "JPEG"), "is too small (140 x 160 px): a larger one is needed"),
        (saved(drawn((1200, 400)), "JPEG"), "is too long and narrow (1200 x 400 px): crop it by hand"),
        (b"no picture", "cannot be read"),
        (saved(drawn(), "WEBP")[:200], "cannot be read"),
    ],
)
def test_pictures_of_which_no_copy_can_be_made(data, said):
    with pytest.raises(UnfixableError, match="^" + said.replace("(", r"\(").replace(")", r"\)")):
        converted(data, [RULES], "note")


def test_a_bomb_is_not_decoded():
    with pytest.raises(UnfixableError, match=r"too many pixels|cannot be read"):
        converted(saved(Image.new("1", (14_000, 14_000)), "TIFF", compression="group4"), [RULES], "note")


def test_it_is_made_smaller_until_it_is_small_enough():
    noise = Image.effect_noise((400, 400), 90).convert("RGB")
    data = saved(noise, "PNG")
    for limit, format in ((len(data) + 100, "PNG"), (len(data) - 1, "JPEG"), (70_000, "JPEG")):
        copy = fixed(data, Rules(limit, 300, (0.4, 2.5)))
        assert copy.format == format
    assert copy.width < 400
    with pytest.raises(UnfixableError, match="too many bytes"):
        converted(data, [Rules(20_000, 300, (0.4, 2.5))], "note")


def test_models_that_take_one_format():
    assert fixed(saved(drawn(), "JPEG", quality=30), Rules(formats=("PNG",))).format == "PNG"
    with pytest.raises(UnfixableError, match="no format in common"):
        converted(saved(drawn(), "BMP"), [Rules(formats=("PNG",)), Rules(formats=("JPEG",))], "note")
