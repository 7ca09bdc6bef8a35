"""One line of a verdict file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.verdicts.verdict import (
    LONGEST,
    Best,
    Mark,
    Marking,
    Note,
    Pair,
    Stars,
    Undo,
    Verdict,
    VerdictError,
    Winner,
    parsed,
    time_text,
    written,
)

A, B, C = (letter * 16 for letter in "abc")
HASH = "0" * 64
AT = "2026-11-28T09:00:00.123456Z"
JOB = st.sampled_from([A, B, C])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SAID = st.one_of(
    st.builds(Mark, JOB, st.sampled_from(Marking)),
    st.builds(Stars, JOB, st.integers(0, 5)),
    st.builds(Note, JOB, st.floats(0, 1000), TEXT),
    st.builds(Undo, st.just(HASH)),
    st.builds(
        Pair, st.just(A), st.just(B), st.sampled_from(Winner), TEXT, st.lists(TEXT, max_size=3).map(tuple),
        st.none() | st.floats(0, 100), st.booleans(),
    ),
    st.sampled_from([Best((A, B, C), B, None), Best((A, B), B, A)]),
)  # fmt: skip


@given(SAID)
def test_what_is_written_is_read_again(said):
    verdict = Verdict(AT, "ann", dict.fromkeys(said.jobs, HASH), said)
    line = written(verdict)
    assert b"\n" not in line
    assert parsed(line) == verdict
    assert written(parsed(line)) == line


def test_a_line_is_as_the_format_says():
    line = written(Verdict(AT, "ann", {B: HASH, A: HASH}, Pair(A, B, Winner.TIE)))
    assert json.loads(line) == {
        "v": 1, "at": AT, "by": "ann", "kind": "pair", "left": A, "right": B, "winner": "tie", "question": "better",
        "reasons": [], "seconds": None, "blind": False, "sha256": {A: HASH, B: HASH},
    }  # fmt: skip


MARK = {"v": 1, "at": AT, "by": "ann", "kind": "mark", "job": A, "mark": "pick", "sha256": {A: HASH}}
PAIR = {**MARK, "kind": "pair", "left": A, "right": B, "winner": "left", "sha256": {A: HASH, B: HASH}}
PAIR = {name: each for name, each in PAIR.items() if name not in ("job", "mark")}
NOTE = {**{name: each for name, each in MARK.items() if name != "mark"}, "kind": "note", "time": 1, "text": "x"}
BEST = {**MARK, "kind": "best", "of": [A, B], "best": A, "sha256": {A: HASH, B: HASH}}
BEST = {name: each for name, each in BEST.items() if name not in ("job", "mark")}


def test_members_with_a_default_may_be_left_out():
    assert parsed(json.dumps(PAIR).encode()).said == Pair(A, B, Winner.LEFT)
    assert parsed(json.dumps(BEST).encode()).said == Best((A, B), A)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 60_000, "not JSON"),
        (b'{"v": NaN}', "NaN is no number"),
        (b'{"v": 1, "v": 1}', "twice"),
        (b'{"v": "\\ud800"}', "half a character"),
        (b" " * LONGEST, "longer than 64 KiB"),
        ({**MARK, "v": 2}, "version"),
        ({**MARK, "v": True}, "version"),
        ({**MARK, "kind": "vote"}, "its kind is none of pair, best, mark, stars, note, undo"),
        ({**MARK, "kind": ["mark"]}, "its kind"),
        ({**MARK, "weight": 1}, "mark has no member \"weight\""),
        ({**MARK, "x" * 9000: 1}, "mark has no member"),
        ({name: each for name, each in MARK.items() if name != "by"}, "'by' is missing"),
        ({**MARK, "at": "2026-11-28T09:00:00Z"}, "'at'"),
        ({**MARK, "at": "2026-13-28T09:00:00.123456Z"}, "'at'"),
        ({**MARK, "at": 5}, "'at'"),
        ({**MARK, "by": "Ann"}, "'by'"),
        ({**MARK, "by": "../ann"}, "'by'"),
        ({**MARK, "by": "a" * 41}, "'by'"),
        ({**MARK, "job": "shoe"}, "'job' is no job id"),
        ({**MARK, "job": None}, "'job' is no job id"),
        ({**MARK, "mark": "picked"}, "'mark' is none of pick, reject, none"),
        ({**MARK, "sha256": {}}, "'sha256'"),
        ({**MARK, "sha256": {A: HASH, B: HASH}}, "'sha256'"),
        ({**MARK, "sha256": {A: "0"}}, "'sha256'"),
        ({**PAIR, "right": A, "sha256": {A: HASH}}, "both clips of the pair are one"),
        ({**PAIR, "winner": "Left"}, "'winner'"),
        ({**PAIR, "reasons": "flicker"}, "'reasons'"),
        ({**PAIR, "seconds": -1}, "'seconds'"),
        ({**PAIR, "seconds": True}, "'seconds'"),
        ({**PAIR, "blind": 1}, "'blind'"),
        ({**NOTE, "time": 1e300}, "'time'"),
        ({**NOTE, "text": 5}, "'text'"),
        ({**BEST, "best": C}, "not among"),
        ({**BEST, "worst": A}, "they are one"),
        ({**BEST, "of": [A], "sha256": {A: HASH}}, "'of' is no list of job ids"),
    ],
)  # fmt: skip
def test_whatever_is_not_exactly_a_verdict_is_refused(line, why):
    with pytest.raises(VerdictError) as error:
        parsed(line if isinstance(line, bytes) else json.dumps(line).encode())
    assert why in str(error.value)
    assert len(str(error.value)) < 200


def test_what_cannot_be_read_again_is_not_written():
    for said in (Note(A, 1.0, "x" * LONGEST), Note(A, 1.0, "\ud800"), Stars(A, 6)):
        with pytest.raises(VerdictError):
            written(Verdict(AT, "ann", {A: HASH}, said))


def test_times_sort_as_texts():
    moments = [datetime(year, 1, 1, tzinfo=UTC) for year in (1, 999, 2026, 9999)]
    assert sorted(map(time_text, moments[::-1])) == list(map(time_text, moments))
    east = timezone(timedelta(hours=2))
    assert time_text(datetime(2026, 11, 28, 11, 0, 0, 5, east)) == "2026-11-28T09:00:00.000005Z"
