"""What a plan says that votes could find out."""

import pytest

from runner import campaign
from runner.cli.main import main
from runner.manifest.reader import read
from runner.planning.selection import EVERYTHING
from runner.review.comparing.plan_outlook import plan_outlook
from tests.kit import write_manifest
from tests.review.clips import TWO

ONE = [{"id": "plain", "text": "A {{ move }} in {{ light }}"}]


def outlook(folder, **keys):
    return plan_outlook(campaign.plan(read(write_manifest(folder, **keys)).valid(), EVERYTHING))


def test_a_few_images_show_nothing_and_it_says_how_many_would(tmp_path):
    assert outlook(tmp_path, pictures=6, prompts=TWO, takes=2) == [
        "6 images x 2 prompts: no preference would show; 9 images are the least",
        "one more image helps most: twice the images show 94 %, twice the takes none",
    ]


def test_more_images_show_lesser_preferences(tmp_path):
    assert outlook(tmp_path, pictures=24, prompts=TWO, takes=2) == [
        "24 images x 2 prompts: only a preference of 82 % or more would show",
        "one more image helps most: twice the images show 73 %, twice the takes 77 %",
    ]


def test_with_one_arm_there_is_nothing_to_find_out(tmp_path):
    assert outlook(tmp_path, pictures=2) == []


def test_each_axis_is_told(tmp_path):
    matrix = {"move": ["push", "pan"], "light": ["day", "fog", "night"]}
    first, _, second, _ = outlook(tmp_path, pictures=24, prompts=ONE, matrix=matrix)
    assert first.startswith("24 images x 2 values of move: only a preference of ")
    assert second.startswith("24 images x 3 values of light: only a preference of ")


@pytest.mark.parametrize(("flag", "before"), [(None, "  votes   "), ("--markdown", "What votes could find out: ")])
def test_the_plan_says_it(tmp_path, capsys, flag, before):
    manifest = write_manifest(tmp_path, pictures=2, prompts=TWO)
    assert main(["plan", str(manifest), *filter(None, [flag])]) == 0
    assert f"{before}2 images x 2 prompts: no preference would show; 9 images are the least" in capsys.readouterr().out
