"""Globs and conditions that match no job are told, with what was probably meant."""

import pytest

from runner.errors import UsageError
from runner.model import Status
from runner.planning.matches import Matches
from runner.planning.selection import JobIds, Selection
from tests.kit import make_job

JOBS = [make_job(number) for number in (1, 2, 3)]


def checked(selection, jobs=JOBS):
    matches = Matches(selection)
    matches.see(jobs)
    matches.check()


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(only=("*n=1*", "*n=2*")),
        Selection(only=("p0/*",), skip=("*n=3*",)),
        Selection(where={"n": ("1", "3")}),
    ],
)
def test_what_matches_is_fine(selection):
    checked(selection)


@pytest.mark.parametrize(
    ("selection", "message", "hint"),
    [
        (Selection(only=("*n=1*", "*n=9*")), "--only *n=9* matches no job", "the first one is p0/plain/n=1/take-1"),
        # A part that is left out by mistake would be bought: it is told although the others match.
        (Selection(skip=("plian*",)), "--skip plian* matches no job", "did you mean --skip '*plain*'?"),
        (Selection(only=("plain",)), "--only plain matches no job", "did you mean --only '*plain*'?"),
        (Selection(only=("*Plain*",)), "--only *Plain* matches no job", "did you mean --only '*plain*'?"),
        (Selection(where={"n": ("1", "7")}), "--where n=7 matches no job", "n is 1, 2, 3"),
        (Selection(where={"image": ("p",)}), "--where image=p matches no job", "did you mean image=p0?"),
        (Selection(only=("*n=1*",), where={"n": ("2",)}), "no job is selected by --only *n=1* --where n=2", "p0/plain"),
        (
            Selection(statuses=(Status.FAILED,), ids=JobIds(frozenset())),
            "no job is selected by --where status=failed",
            "reelrun status",
        ),
    ],
)
def test_what_matches_nothing_is_an_error(selection, message, hint):
    with pytest.raises(UsageError) as caught:
        checked(selection)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_no_more_jobs_are_seen_than_it_takes():
    matches = Matches(Selection(only=("*n=1*",)))
    jobs = iter(JOBS)
    matches.see(jobs)
    assert matches.is_complete
    assert len(list(jobs)) == 1
