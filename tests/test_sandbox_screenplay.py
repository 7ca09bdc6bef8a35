from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.film.frames import Size
from runner.sandbox.screenplay import box_of, screenplay
from tests.test_sandbox_kit import shipped_schema

PICTURE = (1000, 800)


def asked(payload: dict[str, object], **parameters: Any) -> Any:
    return screenplay(payload, parameters)


def of_model(model: str, **payload: object) -> Any:
    return screenplay(payload, shipped_schema(model)["properties"])


def test_what_nobody_asks_for() -> None:
    script = asked({})
    assert (script.prompt, script.strength, script.seconds, script.has_sound) == ("", 0.5, 5, False)
    assert script.size(PICTURE) == PICTURE


@pytest.mark.parametrize("name", ["duration", "seconds", "durationSeconds", "video_length"])
@pytest.mark.parametrize(("value", "seconds"), [(7, 7), ("7", 7), ("7s", 7), (6.6, 7), (99, 30), (0, 1), ("-3", 1)])
def test_a_length_by_its_usual_names(name: str, value: object, seconds: int) -> None:
    assert asked({name: value}).seconds == seconds


def test_a_length_by_the_schema_comes_first() -> None:
    rules = {"how_long": {"x-seconds": True}, "size": {"x-portable": {"of": "seconds", "words": {"8": "big"}}}}
    assert asked({"how_long": "9s", "duration": 3}, **rules).seconds == 9
    assert asked({"size": "big", "duration": 3}, **rules).seconds == 8


@pytest.mark.parametrize("value", [None, True, "nan", "inf", "long", "1e9", [], {}])
def test_what_is_no_length_is_the_usual_one(value: object) -> None:
    assert asked({"duration": value}).seconds == 5


@pytest.mark.parametrize(
    ("payload", "size"),
    [
        ({"aspect_ratio": "16:9"}, (1422, 800)),
        ({"aspectRatio": "1:1"}, (800, 800)),
        ({"ratio": "9:16", "resolution": "720p"}, (720, 1280)),
        ({"resolution": "1080P"}, (1350, 1080)),
        ({"resolution": "4k"}, (2700, 2160)),
        ({"resolution": "1920x1080"}, (1920, 1080)),
        ({"size": "720*1280"}, (720, 1280)),
        ({"quality": "540p", "aspect_ratio": "21:9"}, (1260, 540)),
        ({"aspect_ratio": "100:1"}, (3200, 800)),
        ({"aspect_ratio": "1:0"}, (3200, 800)),
        ({"aspect_ratio": "auto", "resolution": "high"}, PICTURE),
    ],
)
def test_the_size_of_a_clip(payload: dict[str, object], size: Size) -> None:
    assert asked(payload).size(PICTURE) == size


@given(st.text("0189:x*pk. ", max_size=14), st.integers(1, 9000), st.integers(1, 9000))
def test_whatever_is_asked_for_a_clip_has_a_size(words: str, width: int, height: int) -> None:
    size = asked({"resolution": words}).size((width, height))
    assert min(size) >= 1
    assert max(size) <= 5 * min(size) or min(size) < 10


def test_a_size_in_portable_words() -> None:
    words = {"16:9 720p": "large", "9:16 480p": "small"}
    rules = {"form": {"x-portable": {"of": ["aspect_ratio", "resolution"], "words": words}}}
    assert asked({"form": "small"}, **rules).size(PICTURE) == (480, 853)
    assert asked({"form": "large"}, **rules).size(PICTURE) == (1280, 720)


@pytest.mark.parametrize(
    ("model", "payload", "size", "sound"),
    [
        ("wan2.7-i2v", {"resolution": "720P"}, (900, 720), False),
        ("ltx-2-fast-image-to-video", {"resolution": "2560x1440", "generate_audio": True}, (2560, 1440), True),
        ("kling-v3-image-to-video", {"sound": "on"}, PICTURE, True),
        ("kling-v3-image-to-video", {"sound": "off"}, PICTURE, False),
        ("vidu-q3-pro-t2v", {"audio": True}, PICTURE, True),
        ("vidu-q3-pro-t2v", {"audio": False}, PICTURE, False),
    ],
)
def test_shipped_models(model: str, payload: dict[str, object], size: Size, sound: bool) -> None:
    script = of_model(model, duration=6, **payload)
    assert (script.seconds, script.size(PICTURE), script.has_sound) == (6, size, sound)


def test_an_address_of_a_sound_asks_for_none() -> None:
    assert not asked({"audio": "https://example.com/voice.mp3"}).has_sound


@pytest.mark.parametrize(
    ("text", "size"), [("1280x720", (1280, 720)), ("720*1280", (720, 1280)), ("auto", None), ("16:9", None)]
)
def test_boxes(text: str, size: Size | None) -> None:
    assert box_of(text) == size
