"""The distinct texts of a plan."""

from __future__ import annotations

from runner.model import Action, Change, Planned
from runner.planning.comparison import NOT_SELECTED
from runner.planning.prompt_texts import PromptText, prompt_texts, spread
from tests.kit import make_job


def planned(number, action=Action.SUBMIT, reason="new", changes=(), **payload):
    return Planned(make_job(number, **payload), action, reason, changes=changes)


def test_each_text_once_with_its_jobs_and_what_was_sent_before():
    old = Change("prompt", "the old", "same")
    jobs = [
        planned(1, Action.KEEP, "done", prompt="kept"),
        planned(2, prompt="same", changes=(old,)),
        planned(3, Action.KEEP, "done", prompt="same", negative_prompt="bad"),
        planned(4, prompt="same", changes=(old, Change("cfg_scale", 1, 2))),
        planned(5, Action.SKIP, NOT_SELECTED, prompt="hidden"),
    ]
    assert prompt_texts(jobs) == [
        PromptText("prompt", "same", [f"p0/plain/n={n}/take-1" for n in (2, 3, 4)], 2, {"the old": None}),
        PromptText("prompt", "kept", ["p0/plain/n=1/take-1"]),
        PromptText("negative_prompt", "bad", ["p0/plain/n=3/take-1"]),
    ]


def test_an_empty_prompt_is_sent_and_shown():
    assert [each.text for each in prompt_texts([planned(1, prompt="")])] == [""]


def test_some_of_many():
    texts = [PromptText("prompt", str(number)) for number in range(10)]
    assert [each.text for each in spread(texts, 3)] == ["0", "4", "9"]
    assert spread(texts[:3], 3) == texts[:3]
    assert spread([], 3) == []
