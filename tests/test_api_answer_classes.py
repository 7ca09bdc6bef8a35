"""The one table of what an answer means, and the times in headers."""

import time
from datetime import UTC
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.api.answer_classes import ASK, EXPIRED, GENERAL, SUBMIT, AnswerClass, retry_after

NOW = "Tue, 14 Nov 2023 22:13:20 GMT"


def test_only_a_429_is_repeated():
    """A POST that may have been accepted is billed again where it is repeated blindly."""
    assert {status for status, kind in SUBMIT.items() if kind in (AnswerClass.BUSY, AnswerClass.UNSENT)} == {429}


@pytest.mark.parametrize("status", [100, 200, 201, 204, *range(300, 310), 406, 408, 409, 425, *range(500, 600)])
def test_what_is_not_in_the_table_is_unknown(status):
    assert SUBMIT.get(status, AnswerClass.UNKNOWN) is AnswerClass.UNKNOWN


def test_the_final_ones_and_those_that_stop_the_run():
    assert {status for status, kind in SUBMIT.items() if kind is AnswerClass.DENIED} == {401, 403}
    final = {status for status, kind in SUBMIT.items() if kind in (AnswerClass.REJECTED, AnswerClass.REFUSED)}
    assert final == {400, 404, 405, 413, 415, 422}
    assert {status for status, kind in SUBMIT.items() if kind is AnswerClass.UNPAID} == {402}
    assert final > GENERAL
    assert {404, 403, 410} <= EXPIRED
    assert ASK[404] is AnswerClass.MISSING


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("99999999999999999999", 3600),
        ("7.5", None),
        ("-7", None),
        ("\u0667", None),
        ("soon", None),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10),
        ("Tue, 14 Nov 2023 22:13:30", 10),
        ("Tuesday, 14-Nov-23 22:13:30 GMT", 10),
        ("Tue, 14 Nov 2020 22:13:30 GMT", 0),
        ("Tue, 14 Nov 2999 22:13:30 GMT", 3600),
        ("Tue, 99 Nov 2023 22:13:30 GMT", None),
    ],
)
def test_retry_after_in_both_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.text() | st.integers().map(str) | st.datetimes(timezones=st.just(UTC)).map(format_datetime))
def test_retry_after_is_nothing_or_a_sane_pause(value):
    told = retry_after(value, NOW)
    assert told is None or 0 <= told <= 3600


def test_a_date_is_compared_with_the_date_of_the_same_answer_alone(monkeypatch):
    """It may be any time there, and it is in GMT wherever this machine stands."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert retry_after("Thu, 01 Jan 1970 00:16:40", "Thu, 01 Jan 1970 00:16:30 GMT") == 10
        assert retry_after("Thu, 01 Jan 1970 00:16:40 GMT", None) is None
        assert retry_after("Thu, 01 Jan 1970 00:16:40 GMT", "yesterday") is None
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
