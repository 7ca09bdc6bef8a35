"""Which clips are picked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.verdicts.picks import RULES, picked
from runner.verdicts.verdict import Marking, Winner
from runner.verdicts.votes import Opinion, Verdicts, Vote
from tests.kit import make_job

A1, A2, A3, B1 = make_job(1), make_job(1, take=2), make_job(1, take=3), make_job(2)
CLIPS = (A1, A2, A3, B1)
NAMES = {job.id: name for job, name in zip(CLIPS, ("a1", "a2", "a3", "b1"), strict=True)}


def marks(**by_name):
    """`a1="+ann -bob"`: ann picked it, and bob rejected it; `*eve` gave it stars alone."""
    signs = {"+": Opinion(Marking.PICK), "-": Opinion(Marking.REJECT), "*": Opinion(None, 5)}
    return {
        job: {word[1:]: signs[word[0]] for word in by_name[name].split()}
        for job, name in NAMES.items()
        if name in by_name
    }


def vote(left, right, winner=Winner.LEFT):
    return Vote(left.id, right.id, winner, "ann", "", "better")


def names(rule, verdicts):
    return {NAMES[job] for job in picked(rule, verdicts, CLIPS)}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("any", {"a1", "a2", "b1"}), ("all", {"a1"}), ("majority", {"a1", "a2"}), ("bob", {"a1", "a2"}), ("eve", set())],
)
def test_by_marks(rule, expected):
    # eve gave stars alone: she is none of those who must agree.
    said = marks(a1="+ann +bob +cy", a2="+ann +bob -cy", a3="-ann *eve", b1="+cy")
    assert names(rule, Verdicts(marks=said)) == expected


@pytest.mark.parametrize("rule", [*RULES, "ann"])
def test_where_nobody_has_said_anything_nothing_is_picked(rule):
    assert names(rule, Verdicts()) == set()
    assert names(rule, Verdicts(marks=marks(a1="-ann"))) == set()


def test_by_votes_the_best_of_each_cell():
    won_twice = Verdicts(votes=(vote(A2, A1), vote(A2, B1), vote(A1, B1, Winner.TIE)))
    assert names("votes", won_twice) == {"a2", "b1"}, "b1 has half a vote, and no other take"
    assert names("votes", Verdicts(votes=(vote(A1, A2, Winner.BOTH_BAD),))) == set()
    rejected = replace(won_twice, marks=marks(a2="-ann"))
    assert names("votes", rejected) == {"a1", "b1"}


def test_of_equal_shares_the_one_with_more_votes_then_the_lower_take():
    assert names("votes", Verdicts(votes=(vote(A2, B1), vote(A3, B1), vote(A3, B1)))) == {"a3"}
    assert names("votes", Verdicts(votes=(vote(A3, B1), vote(A2, B1)))) == {"a2"}
