"""What counts of verdict lines, in whatever order and however often they come."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runner.verdicts.verdict import (
    Best,
    Mark,
    Marking,
    Note,
    Pair,
    Stars,
    Undo,
    Verdict,
    Winner,
    parsed,
    written,
)
from runner.verdicts.verdict_files import VerdictLine, VerdictLines, file_of, read
from runner.verdicts.votes import STALE, UNKNOWN, Opinion, counted

JOBS = [f"{number:016x}" for number in range(1, 5)]
CLIPS = {job: hashlib.sha256(job.encode()).hexdigest() for job in JOBS}
STRANGE = "f" * 16
OLD = "0" * 64


def line(said, by="ann", second=0, micro=0, **changed):
    at = f"2026-11-28T09:00:{second:02}.{micro:06}Z"
    return written(Verdict(at, by, {job: CLIPS.get(job, OLD) for job in said.jobs} | changed, said))


def digest(text):
    return hashlib.sha256(text).hexdigest()


def of(*lines):
    """What counts of lines, each read from the file of its reviewer."""
    found = (VerdictLine(parsed(each), digest(each), "x.jsonl", number) for number, each in enumerate(lines, 1))
    return counted(VerdictLines(tuple(found)), CLIPS)


def test_a_later_mark_replaces_the_earlier_and_stars_stand_beside_it():
    job = JOBS[0]
    pick, reject = (Mark(job, Marking(each)) for each in ("pick", "reject"))
    lines = [line(pick, micro=1), line(reject, micro=2), line(pick, micro=3), line(Stars(job, 4), micro=2)]
    assert of(*lines[::-1]).marks == {job: {"ann": Opinion(Marking.PICK, 4)}}
    taken_back = [*lines, line(Mark(job, Marking.NONE), second=1), line(Stars(job, 0), second=1)]
    assert of(*taken_back).marks == {}
    assert of(*lines, line(reject, "bob")).rejecters(job) == (), "somebody picked it"
    assert of(line(reject), line(reject, "bob")).rejecters(job) == ("ann", "bob")


def test_a_best_is_a_vote_for_each_pair_that_it_decides():
    a, b, c, d = JOBS
    votes = of(line(Best((a, b, c, d), b, d))).votes
    assert {(each.left, each.right) for each in votes} == {(b, a), (b, c), (b, d), (a, d), (c, d)}
    assert {each.winner for each in votes} == {Winner.LEFT}
    assert not any(each.is_pair for each in votes)
    assert len(of(line(Best((a, b), a))).votes) == 1


def test_a_pair_keeps_what_was_said_of_it():
    said = Pair(JOBS[0], JOBS[1], Winner.BOTH_BAD, "run", ("flicker",), 2.5, blind=True)
    (vote,) = of(line(said)).votes
    assert (vote.left, vote.right, vote.winner, vote.question) == (JOBS[0], JOBS[1], Winner.BOTH_BAD, "run")
    assert (vote.reasons, vote.seconds, vote.blind, vote.is_pair, vote.by) == (("flicker",), 2.5, True, True, "ann")


def test_an_undo_is_final_and_only_of_ones_own_lines():
    first = line(Mark(JOBS[0], Marking.PICK), second=5)
    # An undo counts whenever it was said.
    undo = line(Undo(digest(first)), second=1)
    assert of(first, undo).marks == of(undo, first, line(Undo(digest(undo)), second=9)).marks == {}
    foreign = of(first, line(Undo(digest(first)), "bob"), line(Undo("9" * 64)))
    assert foreign.marks[JOBS[0]]["ann"].mark is Marking.PICK
    assert [each.why for each in foreign.uncounted] == ["it takes back a line that is not there",
                                                       "it takes back a line of ann"]  # fmt: skip
    again = of(first, undo, line(Undo(digest(undo)), second=9))
    assert [each.why for each in again.uncounted] == ["it takes back an undo, which is final"]
    # What was undone is not told as stale, either.
    stale = line(Mark(JOBS[0], Marking.PICK), **{JOBS[0]: OLD})
    assert of(stale, line(Undo(digest(stale)))).uncounted == ()


def test_verdicts_on_other_clips_and_unknown_jobs_are_told():
    found = of(
        line(Pair(JOBS[0], JOBS[1], Winner.LEFT), **{JOBS[1]: OLD}),
        line(Mark(STRANGE, Marking.REJECT)),
        line(Note(JOBS[2], 1.5, "hand")),
    )
    assert (found.votes, found.marks, found.stale) == ((), {}, 1)
    assert sorted((each.line, each.why) for each in found.uncounted) == [(1, STALE), (2, UNKNOWN)]
    assert [(each.job, each.by, each.time, each.text) for each in found.notes] == [(JOBS[2], "ann", 1.5, "hand")]
    assert found.reviewers == ("ann",)


JOB = st.sampled_from([*JOBS, STRANGE])
SAID = st.one_of(
    st.builds(Mark, JOB, st.sampled_from(Marking)),
    st.builds(Stars, JOB, st.integers(0, 5)),
    st.builds(Note, JOB, st.just(0.5), st.text(max_size=3).filter(lambda text: text.isprintable())),
    st.lists(JOB, min_size=2, max_size=2, unique=True).flatmap(
        lambda jobs: st.builds(Pair, st.just(jobs[0]), st.just(jobs[1]), st.sampled_from(Winner))
    ),
    st.lists(JOB, min_size=3, max_size=4, unique=True).map(lambda jobs: Best(tuple(jobs), jobs[0], jobs[1])),
)
BROKEN = (
    b"<<<<<<< HEAD",
    b'{"v": 1}',
    b"\xff\xfe",
    b'{"v": 2, "kind": "mark"}',
    line(Mark(JOBS[0], Marking.PICK), "eve"),
    json.dumps({**json.loads(line(Mark(JOBS[0], Marking.PICK))), "kind": "mork"}).encode(),
    json.dumps({**json.loads(line(Mark(JOBS[0], Marking.PICK))), "weight": 9}).encode(),
    b'{"by":"ann","by":"bob"}',
    b"[" * 5000,
)


@st.composite
def said_by(draw, by):
    """The lines of a reviewer, many within one second and some at one moment, with undos and what is none of theirs."""
    lines = []
    for said in draw(st.lists(SAID, max_size=8)):
        stale = dict.fromkeys(said.jobs, OLD) if draw(st.integers(0, 5)) == 0 else {}
        lines.append(line(said, by, micro=draw(st.integers(0, 3)), **stale))
    for target in draw(st.lists(st.sampled_from(lines), max_size=2)) if lines else ():
        lines.append(line(Undo(digest(target)), by, micro=draw(st.integers(0, 3))))
    return lines + draw(st.lists(st.sampled_from(BROKEN), max_size=3))


def result(folder):
    found = counted(read(folder), CLIPS)
    return found.votes, found.marks, found.notes, found.stale, {each.why for each in found.uncounted}


@given(said_by("ann"), said_by("bob"), st.randoms(use_true_random=False))
def test_merged_in_any_order_and_twice_the_same_counts(ann, bob, random):
    with tempfile.TemporaryDirectory() as base:
        folders = [Path(base, name) for name in ("once", "mixed", "twice")]
        for folder in folders:
            folder.mkdir()
            for by, lines in (("ann", ann), ("bob", bob)):
                mixed = list(lines)
                random.shuffle(mixed)
                parts = {"once": lines, "mixed": mixed, "twice": [*mixed, *lines]}[folder.name]
                end = b"\r\n" if folder.name == "mixed" else b"\n"
                file_of(folder, by).write_bytes(b"".join(each + end for each in parts))
        once, mixed, twice = map(result, folders)
    assert once == mixed == twice
    # Marks by the plainest reading of the rule: of the lines that count, the last one by time and hash.
    known = {digest(each): each for each in ann}
    undone = {parsed(each).said.line for each in ann if each not in BROKEN and isinstance(parsed(each).said, Undo)}
    marks = [
        (parsed(each).at, sha, parsed(each).said.job, parsed(each).said.mark)
        for sha, each in known.items()
        if each not in BROKEN and sha not in undone and isinstance(parsed(each).said, Mark)
        and parsed(each).sha256 == {job: CLIPS.get(job) for job in parsed(each).sha256}
    ]  # fmt: skip
    latest = {job: mark for _, _, job, mark in sorted(marks)}
    told = {job: each["ann"].mark for job, each in once[1].items() if "ann" in each and each["ann"].mark}
    assert told == {job: mark for job, mark in latest.items() if mark is not Marking.NONE}
