"""A plan as Markdown."""

from __future__ import annotations

import re

from runner.model import Status
from tests.command import call
from tests.kit import write_manifest
from tests.test_cli_commands_plan_command import SWEEP, edited
from tests.test_planning_plan import plan, state_of


def lines(path, *flags):
    ended = call("plan", path, "--markdown", *flags)
    assert ended.code == 0
    return ended.out.splitlines()


def test_a_summary(tmp_path):
    made = plan(tmp_path, **SWEEP, budget={"price_per_job": 0.25, "max_cost": 1})
    with state_of(made, Status.SUCCEEDED, Status.WAITING):
        pass
    assert lines(tmp_path / "campaign.yaml")[:12] == [
        "### test: 6 submissions, \\$1.50",
        "",
        "Kling-Image2Video-V1.6-Standard: 2 images x 2 prompts x 2 variants = 8 cells, 8 jobs.",
        "\\$2.00 of the budget of \\$1.00 when done, which is over it: a run would submit nothing.",
        "",
        "| action | jobs | why | cost |",
        "|:--|--:|:--|--:|",
        "| submit | 6 | new | \\$1.50 |",
        "| attach | 1 | in flight | \\$0.25 spent |",
        "| keep | 1 | done | \\$0.25 spent |",
        "| **in all** | **8** | | **\\$1.50 to spend, \\$0.50 spent** |",
        "",
    ]


def test_changes_stand_word_by_word(tmp_path):
    before = {"prompts": [{"id": "a", "text": "fog pans"}], "takes": 2}
    after = {"prompts": [{"id": "a", "text": "mist pans"}], "params": {"cfg_scale": 0.7}}
    rows = lines(edited(tmp_path, before, after))
    start = rows.index("| job | what | old and new |") + 2
    assert rows[start : start + 2] == [
        "| `p0/a/take-1` | prompt | <del>fog</del><ins><b>mist</b></ins> pans |",
        "|  | cfg\\_scale | `0.5` → `0.7` |",
    ]
    assert "| removed | 2 | no longer in the manifest: 2 succeeded | |" in rows


def test_text_of_a_manifest_means_nothing_in_markdown(tmp_path):
    sly = "</table> | ![x](http://evil.example) @everyone `code` $x$ **b**\n# h"
    before = {"prompts": [{"id": "a`|b", "text": "fog"}]}
    after = {"prompts": [{"id": "a`|b", "text": sly}]}
    rows = lines(edited(tmp_path, before, after))
    told = next(row for row in rows if "| prompt |" in row)
    assert not re.search(r"(?<!\\)[<@$`*!|](?!/?(del|ins|b)>)", told.split("| prompt | ")[1].removesuffix(" |"))
    assert "\\n" in told


def test_many_jobs_are_cut(tmp_path):
    rows = lines(write_manifest(tmp_path, takes=130))
    assert sum(row.startswith("| `p0/") for row in rows) == 100
    assert "| ... and 30 more | | |" in rows


def test_a_summary_fits_into_a_comment(tmp_path):
    arms = [{"id": f"a{number}", "text": f"{number} pans"} for number in range(100)]
    matrix = {name: ["w" * 60] for name in "abcdefghij"}
    text = call("plan", write_manifest(tmp_path, prompts=arms, matrix=matrix, takes=2), "--markdown").out
    assert len(text) <= 65_536


def test_prompts_stand_there_to_be_read(tmp_path):
    before = {"prompts": [{"id": "a", "text": "fog pans"}, {"id": "b", "text": "same"}]}
    after = {"prompts": [{"id": "a", "text": "mist *pans*\nslowly"}, {"id": "b", "text": "same"}]}
    path = edited(tmp_path, before, after)
    rows = lines(path)
    start = rows.index("<details><summary>1 distinct text</summary>")
    assert rows[start + 2 : start + 5] == [
        "| text | jobs | before |",
        "|:--|:--|:--|",
        "| prompt: mist \\*pans\\*<br>slowly | `p0/a/take-1` | "
        "<del>fog </del><ins><b>mist \\*</b></ins>pans<ins><b>\\*\\\\nslowly</b></ins> |",
    ]
    assert "<details><summary>2 distinct texts</summary>" in lines(path, "--prompts")


def test_prompts_that_are_too_long_are_left_out_before_the_jobs(tmp_path):
    arms = [{"id": f"a{number}", "text": f"{number} " + "word " * 480} for number in range(40)]
    rows = lines(write_manifest(tmp_path, prompts=arms))
    assert "<details><summary>40 submissions</summary>" in rows
    assert not any("distinct" in row for row in rows)
