from __future__ import annotations

import shutil

import pytest

from runner.planning import tally
from tests.warned import diagnostics, marked, warnings

TOLD = "to a request that another cell makes already; the first: "


def prompt(text):
    return [{"id": "plain", "text": text}]


@pytest.fixture
def one(tmp_path):
    """The one warning of a manifest: what is marked, message and hint."""

    def of(**keys):
        (found,) = [each for each in diagnostics(tmp_path, **keys) if each.code == "W521"]
        return marked(found), found.message, found.hint

    return of


def test_arms_that_say_the_same(one):
    arms = [{"id": name, "text": text} for name, text in {"a": "Push-in", "b": "Pan", "c": "Push-in"}.items()]
    assert one(prompts=arms, takes=2) == (
        "c",
        f"2 of 6 cells render {TOLD}p0/c/take-1 = p0/a/take-1",
        "it comes to the same as 'a': delete one of the two, or let them differ",
    )


def test_a_picture_that_stands_twice(one, tmp_path):
    (tmp_path / "again.jpg").write_bytes(b"")
    files = [{"file": "p0.jpg"}, {"file": "p1.jpg"}, {"file": "p0.jpg", "id": "again"}]
    assert one(pictures=2, images=files) == (
        "p0.jpg",
        f"1 of 3 cells renders {TOLD}again/plain/take-1 = p0/plain/take-1",
        "it is the same picture as 'p0': delete one of the two",
    )


def test_a_copy_of_a_picture_is_the_same_picture(one, tmp_path):
    one(pictures=1, images=[{"file": "p0.jpg"}, {"file": "p0.jpg", "id": "other"}])
    shutil.copy(tmp_path / "p0.jpg", tmp_path / "copy.jpg")
    marks, _, _ = one(pictures=1, images=[{"file": "p0.jpg"}, {"file": "copy.jpg"}])
    assert marks == "copy.jpg"


def test_an_arm_that_does_not_use_an_axis(one):
    arms = [{"id": "plain", "text": "Push-in on {{ s }}"}, {"id": "control", "text": "Push-in"}]
    assert one(prompts=arms, matrix={"s": ["rock", "sand", "snow"]}) == (
        "control",
        f"2 of 6 cells render {TOLD}p0/control/s=sand/take-1 = p0/control/s=rock/take-1",
        "it does not use 's': use it, or exclude such as {prompt: control, s: sand}",
    )


def test_values_that_make_no_difference(one):
    keys = {"prompts": prompt("Push-in on {{ s | lower }}"), "matrix": {"s": ["rock", "Rock", "sand"]}}
    assert one(**keys) == (
        "Rock",
        f"1 of 3 cells renders {TOLD}p0/plain/s=Rock/take-1 = p0/plain/s=rock/take-1",
        "this value of 's' makes no difference there: delete it",
    )


def test_a_value_that_stands_twice(one):
    keys = {"prompts": prompt("Push-in"), "matrix": {"cfg": [0.5, 1, 1.0]}, "params": {"cfg_scale": "{{ cfg }}"}}
    assert one(**keys) == (
        "1.0",
        f"1 of 3 cells renders {TOLD}p0/plain/cfg=1.0/take-1 = p0/plain/cfg=1/take-1",
        "the value stands twice on the axis: delete one of the two",
    )


def test_an_include_that_stands_twice(one):
    marks, message, hint = one(prompts=prompt("Push-in {{ s }}"), matrix={"include": [{"s": "rock"}, {"s": "rock"}]})
    assert (marks, hint) == ("matrix", "a combination stands there twice: delete one of the two")
    assert message.startswith("1 of 2 cells renders ")


def test_an_included_variable_that_makes_no_difference(one):
    matrix = {"s": ["rock"], "include": [{"s": "sand", "x": "a"}, {"s": "sand", "x": "A"}]}
    marks, _, _ = one(prompts=prompt("Push-in {{ s }} {{ x | default('') | lower }}"), matrix=matrix)
    assert marks == "A"


def test_what_follows_from_an_axis_that_no_template_uses_is_not_told(tmp_path):
    matrix = {"s": ["rock", "sand"], "lens": ["wide", "tele"], "iso": [1, 2]}
    keys = {"prompts": prompt("Push-in on {{ s }}"), "matrix": matrix}
    assert warnings(tmp_path, "W521", **keys) == []
    assert warnings(tmp_path, "W521", **keys, lint={"ignore": ["W331"]}) == []


def test_what_does_not_follow_from_it_is_told_and_counted(one):
    arms = [{"id": "a", "text": "Push-in on {{ s }}"}, {"id": "b", "text": "Push-in on {{ s }}"}]
    matrix = {"lens": ["wide", "tele"], "s": ["rock", "sand"]}
    marks, message, _ = one(prompts=arms, matrix=matrix)
    assert marks == "b"
    assert message.startswith("2 of 8 cells render ")
    assert message.endswith("p0/b/lens=wide,s=rock/take-1 = p0/a/lens=wide,s=rock/take-1")


def test_of_a_plan_that_is_not_held_the_first_cell_is_looked_up(one, monkeypatch):
    monkeypatch.setattr(tally, "KEPT", 0)
    arms = [{"id": name, "text": "Push-in"} for name in "ab"]
    assert one(prompts=arms)[1].endswith("p0/b/take-1 = p0/a/take-1")


def test_takes_are_not_equal(tmp_path):
    assert warnings(tmp_path, takes=5) == []
