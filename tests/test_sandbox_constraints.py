from __future__ import annotations

import random
import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from starlette.exceptions import HTTPException

from runner.media import Encoding
from runner.sandbox.catalog import PictureRules, Schema
from runner.sandbox.constraints import MOST_PIXELS, check, check_picture, check_policy, decoded
from tests.test_sandbox_kit import (
    MODEL,
    MOST_BYTES,
    SCHEMA,
    encoded,
    in_base64,
    picture_bytes,
    refused,
    shipped_schema,
)

RULES = PictureRules(MOST_BYTES, 300, 0.4, 2.5, ("JPEG", "PNG"))
FIELD = "payload.image"
USUAL = (Encoding.URL, Encoding.BASE64)


@pytest.fixture(params=[SCHEMA, shipped_schema(MODEL)], ids=["kit", "shipped"])
def kling(request: pytest.FixtureRequest) -> Schema:
    schema: Schema = request.param
    return schema


def refusal(payload: dict[str, object], schema: Schema) -> str:
    error = refused(lambda: check(payload, schema, "payload"))
    assert error
    assert error.status_code == 400
    return error.detail


def picture_refusal(data: bytes) -> str:
    error = refused(lambda: check_picture(data, RULES, FIELD))
    assert error
    assert error.status_code == 400
    assert error.detail.startswith("payload.image: ")
    return error.detail


def plain(width: int, height: int, format_name: str = "PNG") -> bytes:
    return encoded(Image.new("RGB", (width, height), "teal"), format_name)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, and holds nothing of it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b""), b"IEND"]
    packed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"prompt": "x" * 2500, "negative_prompt": "é" * 2500},
        {"prompt": "🎬" * 2500},
        {"duration": "5"},
        {"duration": "10"},
        {"cfg_scale": 0},
        {"cfg_scale": 1},
        {"cfg_scale": 0.0},
        {"cfg_scale": 1.0},
        {"cfg_scale": 0.333},
    ],
)
def test_what_is_just_inside_is_accepted(kling: Schema, more: dict[str, object]) -> None:
    check({"image": "x", **more}, kling, "payload")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"duration": 5}, 'payload.duration: must be "5" or "10"'),
        ({"duration": "6"}, 'payload.duration: must be "5" or "10"'),
        ({"cfg_scale": -0.01}, "payload.cfg_scale: must be at least 0"),
        ({"cfg_scale": 1.01}, "payload.cfg_scale: must be at most 1"),
        ({"cfg_scale": 2}, "payload.cfg_scale: must be at most 1"),
        ({"cfg_scale": "0.5"}, "payload.cfg_scale: must be a number"),
        ({"cfg_scale": True}, "payload.cfg_scale: must be a number"),
        ({"cfg_scale": None}, "payload.cfg_scale: must be a number"),
        ({"prompt": "x" * 2501}, "payload.prompt: has 2501 characters; at most 2500 are allowed"),
        ({"negative_prompt": "x" * 2501}, "payload.negative_prompt: has 2501 characters; at most 2500 are allowed"),
        ({"prompt": 7}, "payload.prompt: must be a string"),
        ({"image": ["x"]}, "payload.image: must be a string"),
        ({"seed": 1}, "payload.seed: is not a parameter of this model"),
    ],
)
def test_what_is_just_outside_is_refused_by_name(kling: Schema, more: dict[str, object], message: str) -> None:
    given = {"image": "x", **more}
    # Of two complaints about one field either will do: "5 is not a string" and "5 is not one of these".
    assert refusal(given, kling) in (message, "payload.duration: must be a string")


def test_a_missing_parameter_is_named(kling: Schema) -> None:
    assert refusal({"prompt": "x"}, kling) == "payload.image: is required"


def test_what_was_sent_is_never_repeated(kling: Schema) -> None:
    assert "secret" not in refusal({"image": "x", "duration": "secret" * 1000}, kling)
    assert len(refusal({"image": "x", "k" * 5000: 1}, kling)) < 200


@pytest.mark.parametrize(
    ("rules", "value", "message"),
    [
        ({"const": "on"}, "off", "does not satisfy const"),
        ({"type": ["string", "null"]}, 5, "must be a string or null"),
        ({"pattern": "^a", "patternErrorMessage": "begins with an a"}, "b", "payload.thing: begins with an a"),
        ({"pattern": "^a"}, "b", "does not satisfy pattern"),
        ({"multipleOf": 5}, 7, "must be a multiple of 5"),
        ({"exclusiveMinimum": 0}, 0, "must be more than 0"),
        ({"items": {"type": "integer"}}, [1, "x"], "must be a whole number"),
    ],
)
def test_schemas_of_other_models_have_messages_too(rules: dict[str, object], value: object, message: str) -> None:
    assert message in refusal({"thing": value}, {"properties": {"thing": rules}})


@pytest.mark.parametrize("prompt", ["a forbidden thing", "FORBIDDEN", "so Forbidden."])
def test_the_word_that_is_refused(prompt: str) -> None:
    with pytest.raises(HTTPException, match="content policy: the prompt was refused"):
        check_policy({"prompt": prompt})


@pytest.mark.parametrize("prompt", ["", "unforbidden", "forbiddenly", "forbid"])
def test_words_that_only_look_like_it(prompt: str) -> None:
    check_policy({"prompt": prompt, "negative_prompt": "forbidden"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["image", "prompt", "negative_prompt", "duration", "cfg_scale"]) | st.text(max_size=8)


@hypothesis_settings(deadline=None)
@given(st.dictionaries(names, json_values, max_size=5))
def test_any_payload_is_accepted_or_refused_in_one_line(payload: dict[str, object]) -> None:
    error = refused(lambda: check(payload, SCHEMA, "payload"))
    assert error is None or error.detail.startswith("payload.")
    assert error is None or len(error.detail) < 300


@given(st.binary(min_size=1))
def test_base64_comes_back(data: bytes) -> None:
    assert decoded(in_base64(data), USUAL, FIELD) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        "QUJ",  # padding missing
        "QUJD\n",
        " QUJD",
        "QU JD",
        "QUI_",  # the URL alphabet
        "QR==",  # decodes to the same byte as QQ==
        "QUJD=",
        "Ü" * 4,
    ],
)
def test_wrong_base64_is_refused(text: str) -> None:
    with pytest.raises(HTTPException, match=r"payload\.image: must be a URL or raw Base64, but is neither"):
        decoded(text, USUAL, FIELD)


@pytest.mark.parametrize("text", ["data:image/png;base64,QUJD", "DATA:,x"])
def test_a_data_prefix_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(HTTPException, match="without a data: prefix"):
        decoded(text, USUAL, FIELD)


@pytest.mark.parametrize(
    "prefix", ["data:image/png;base64,", "data:;base64,", "DATA:image/svg+xml;charset=utf-8;base64,"]
)
def test_a_data_uri_comes_back(prefix: str) -> None:
    assert decoded(f"{prefix}QUJD", [Encoding.DATA], FIELD) == b"ABC"


@pytest.mark.parametrize(
    ("text", "allowed", "message"),
    [
        ("QUJD", [Encoding.URL], "must be a URL"),
        ("data:image/png;base64,QUJD", [Encoding.URL], "must be a URL"),
        ("QUJD", [Encoding.URL, Encoding.DATA], "must be a URL or a data URI"),
        ("data:image/png,QUJD", [Encoding.DATA], "must be a data URI, but is not"),
        (
            "???",
            [Encoding.URL, Encoding.BASE64, Encoding.DATA],
            "must be a URL or raw Base64 or a data URI, but is not",
        ),
    ],
)
def test_a_file_is_sent_as_its_parameter_takes_it(text: str, allowed: list[Encoding], message: str) -> None:
    error = refused(lambda: decoded(text, allowed, FIELD))
    assert error
    assert error.detail.startswith(f"payload.image: {message}")


@pytest.mark.parametrize("size", [(300, 300), (300, 750), (750, 300), (301, 303), (4000, 1600)])
@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_pictures_at_the_limits_are_accepted(size: tuple[int, int], format_name: str) -> None:
    check_picture(plain(*size, format_name), RULES, FIELD)


@pytest.mark.parametrize("size", [(299, 300), (300, 299), (299, 299), (10, 600)])
def test_too_small_pictures_are_refused_with_their_size(size: tuple[int, int]) -> None:
    assert f"is {size[0]} x {size[1]} pixels; both sides must be at least 300" in picture_refusal(plain(*size))


@pytest.mark.parametrize("size", [(300, 751), (751, 300), (1000, 2501), (2501, 1000)])
def test_too_long_pictures_are_refused_with_their_ratio(size: tuple[int, int]) -> None:
    assert f"has an aspect ratio of {size[0] / size[1]:.3f}; allowed is 0.4 to 2.5" in picture_refusal(plain(*size))


def test_too_large_pictures_are_refused_with_their_size() -> None:
    rules = PictureRules.of({"maxSide": 400})
    check_picture(plain(400, 400), rules, FIELD)
    with pytest.raises(HTTPException, match="is 401 x 400 pixels; both sides must be at most 400"):
        check_picture(plain(401, 400), rules, FIELD)


def test_a_picture_may_have_to_be_as_large_as_the_video() -> None:
    rules = replace(PictureRules.of({}), exact=(64, 36))
    check_picture(plain(64, 36), rules, FIELD)
    with pytest.raises(HTTPException, match="is 36 x 64 pixels; it must have the size of the video, 64 x 36"):
        check_picture(plain(36, 64), rules, FIELD)


@pytest.mark.parametrize("format_name", ["WEBP", "GIF", "BMP"])
def test_formats_are_those_of_the_schema(format_name: str) -> None:
    check_picture(plain(64, 36, format_name), PictureRules.of({"formats": [format_name.lower()]}), FIELD)
    with pytest.raises(HTTPException, match=f"must be {format_name} by its content"):
        check_picture(plain(64, 36), PictureRules.of({"formats": [format_name]}), FIELD)


@pytest.mark.parametrize(("more", "accepted"), [(-1, True), (0, True), (1, False)])
def test_the_limit_of_bytes_is_exact(more: int, accepted: bool) -> None:
    data = plain(300, 300)
    data += b"\0" * (MOST_BYTES - len(data) + more)
    if accepted:
        check_picture(data, RULES, FIELD)
    else:
        assert picture_refusal(data) == f"payload.image: has {MOST_BYTES + 1} bytes; at most {MOST_BYTES} are allowed"


@pytest.mark.parametrize("format_name", ["WEBP", "GIF", "BMP", "TIFF"])
def test_other_formats_are_refused_whatever_they_are_called(format_name: str) -> None:
    assert picture_refusal(plain(400, 400, format_name)) == "payload.image: must be JPEG or PNG by its content"


def test_text_is_not_a_picture() -> None:
    assert picture_refusal(b"hello") == "payload.image: must be JPEG or PNG by its content"


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [10, 100, 2000])
def test_a_cut_off_picture_is_refused(format_name: str, kept: int) -> None:
    picture_refusal(picture_bytes(480, 320, format_name)[:kept])


def test_a_bomb_is_refused_by_its_header() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    assert "pixels; at most" in picture_refusal(png_of(side, side))
    assert "pixels; at most" in picture_refusal(png_of(40000, 40000))


def test_a_bomb_of_few_pixels_is_decoded_in_full() -> None:
    assert "damaged" in picture_refusal(png_of(400, 400))


@hypothesis_settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.sampled_from(["JPEG", "PNG"]))
def test_damaged_bytes_are_refused_or_accepted_and_nothing_else(seed: int, format_name: str) -> None:
    dice = random.Random(seed)
    data = bytearray(picture_bytes(320, 300, format_name))
    for _ in range(dice.randint(1, 12)):
        data[dice.randrange(min(len(data), dice.choice([60, 600, 100_000])))] = dice.randrange(256)
    error = refused(lambda: check_picture(bytes(data), RULES, FIELD))
    assert error is None or error.status_code == 400
