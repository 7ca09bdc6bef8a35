from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.planning.expansion.paths import safe_path, unsafe_text

HOSTILE = st.sampled_from(
    (
        *("..", ".", "/", "//", "\\", "CON", "con.txt", "NUL ", "com1", "LPT¹.a", "a.mp4", ".part", "..mp4", "C:"),
        *("~", "-", "_", " ", "\x00", "\n", "\u3000", "\u202e", "\ud800", "\u0338"),
        *("é", "e\u0301", "👨\u200d👩\u200d👧", "x" * 300, "é" * 200),
    )
)
PATHS = st.one_of(st.text(max_size=400), st.lists(HOSTILE, max_size=20).map("".join), st.lists(HOSTILE).map("/".join))

OURS = (".mp4", ".webm", ".mov", ".mkv", ".gif", ".jpg", ".part", ".etag")


@given(PATHS)
@example("x" * 400)
@example("x" * 156 + ".mp4/y")
@example("a.webm/b.MOV/c.gif/d.mkv/e")
@example("é" * 200 + "/" + "ü" * 81)
@example("/".join("abcdefghijklmnopqrstuvwxyz"))
def test_a_safe_path_stays_inside_on_every_disk(text):
    path = safe_path(text)
    parts = path.split("/")
    assert not PurePosixPath(path).is_absolute()
    assert not PureWindowsPath(path).is_absolute()
    assert not PureWindowsPath(path).is_reserved()
    assert len(parts) <= 12
    for part in parts:
        assert part
        assert not part.startswith((".", " "))
        assert not part.endswith((".", " "))
        # The end of an output path gets at most `-`, 8 digits of the id and the extension.
        assert len(part.encode()) + len("-01234567.mp4") <= 255
        assert not set(part) & set('<>:"|?*\\\x00\n')
        assert not any(unicodedata.category(sign).startswith("C") for sign in part)
    assert not any(part.lower().endswith(OURS) for part in parts[:-1])
    assert path == unicodedata.normalize("NFC", path)


@given(PATHS)
@example("x" * 156 + ".mp4/y")
def test_a_safe_path_is_its_own_safe_path(text):
    assert safe_path(safe_path(text)) == safe_path(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("shoe/plain", "shoe/plain"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a//b/./c/", "a/b/c"),
        ("..\\x", "_-x"),
        ("CON", "_CON"),
        ("con.txt/Aux", "_con.txt/_Aux"),
        (".hidden", "_hidden"),
        ("wet rock", "wet-rock"),
        ("wet-rock.", "wet-rock"),
        ("a.mp4/b.mp4", "a.mp4_/b.mp4"),
        ("e\u0301", "é"),
        ("", "_"),
        ("...", "_"),
        ("a\x00b\nc", "a-b-c"),
    ],
)
def test_how_paths_are_made_safe(text, path):
    assert safe_path(text) == path


def test_long_names_that_begin_alike_stay_apart():
    assert safe_path("x" * 300) != safe_path("x" * 301)


@pytest.mark.parametrize(
    "template",
    [
        "{{ image.id }}/{{ prompt.id }}-{{ surface | slug }}-{{ take }}",
        "{{ '../' }}{{ x }}",
        "{% if take == 1 %}first{% else %}later{% endif %}/{{ image.id }}",
        "a..b/{{ x }}..",
        "clip.v2",
    ],
)
def test_sound_output_templates(template):
    assert unsafe_text(template) is None


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("/abs/{{ x }}", "relative"),
        ("C:/x", "relative"),
        ("a\\b", "relative"),
        ("../{{ x }}", "'..'"),
        ("{{ x }}/../y", "'..'"),
        ("a/./b", "'.'"),
        ("{% raw %}..{% endraw %}/x", "'..'"),
        ("a//b", "empty"),
        ("a/", "empty"),
        ("", "empty"),
        ("   ", "empty"),
        ("{{ image.id }}.mp4", "leave out .mp4"),
        ("~/{{ image.id }}", "nothing replaces ~"),
        ("${OUT}/{{ image.id }}", "nothing replaces ${OUT}"),
    ],
)
def test_unsound_output_templates(template, said):
    assert said in (unsafe_text(template) or "")
