"""The page in Firefox: it draws, filters, plays in step, and steps frames exactly."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.browser.figures import COMMON
from tests.browser.firefox import PROGRAM, Firefox, firefox
from tests.browser.sweeps import number_in


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    if PROGRAM is None:
        pytest.skip("needs firefox-esr")
    with firefox(tmp_path_factory.mktemp("profile")) as browser:
        browser.resize(1280, 900)
        yield browser


def test_the_same_page_works_in_firefox(fox: Firefox, matrix: str) -> None:
    fox.open(matrix + "#image=boot")
    drawn = (
        "await until(() => document.querySelector('.cell')); return document.querySelectorAll('.cell[data-id]').length;"
    )
    assert fox.run(COMMON + drawn) == 4
    played = fox.run(
        COMMON + "key(' '); await until(() => clips().length === 4 && clips().every((clip) => clip.currentTime > 0.5));"
        "key('5'); await until(() => clips().every((clip) => !clip.seeking && clip.currentTime > 3)); key(' ');"
        "return clips().length;"
    )
    assert played == 4


def test_firefox_steps_frames_exactly(fox: Firefox, matrix: str) -> None:
    fox.open("about:blank")
    fox.open(matrix + "#time=1.02")
    boxes = fox.run(
        COMMON + "const at = (frame) => clips().length === 8"
        " && clips().every((clip) => !clip.seeking && Math.floor(clip.currentTime * 24) === frame);"
        "await until(() => at(24)); key('ArrowRight'); await until(() => at(25)); await sleep(300);"
        "return clips().map(boxOf);"
    )
    picture = Image.open(io.BytesIO(fox.screenshot())).convert("RGB")
    assert isinstance(boxes, list)
    assert [number_in(picture, box) for box in boxes] == [25] * 8
