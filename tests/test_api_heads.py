"""The head of an answer: what the standard library reads of a sound one, and bounds for one that is not."""

import http.client
import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.api.heads import Response, fields

NAMES = st.sampled_from(("Date", "content-length", "ETag", "X-Odd_Name", "Set-Cookie", "!#$%&'*+.^`|~"))
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f\x85"))
HEADS = st.lists(st.tuples(NAMES, VALUES, st.sampled_from(("", " ", "\t", "  "))), max_size=30)


def head(*lines: str) -> io.BytesIO:
    return io.BytesIO("".join(f"{line}\r\n" for line in (*lines, "")).encode("iso-8859-1") + b"the body")


@given(HEADS)
def test_a_sound_head_is_what_the_standard_library_reads(found):
    lines = [f"{name}:{space}{value}{space}" for name, value, space in found]
    ours, theirs = head(*lines), head(*lines)
    read, expected = fields(ours), http.client.parse_headers(theirs)
    assert read.items() == [(name, value.strip(" \t")) for name, value in expected.items()]
    assert ours.read() == theirs.read() == b"the body"
    assert read.get("CONTENT-LENGTH") == next(
        (value.strip(" \t") for name, value, _ in found if name == "content-length"), None
    )


def test_a_line_that_goes_on_is_one_field():
    assert fields(head("A: one", "\t two", "  three", "B: four")).items() == [("A", "one two three"), ("B", "four")]


def test_what_is_no_field_is_left_out():
    read = fields(head(" first", "no colon", ": no name", "a name : x", "n\0: x", "A: b"))
    assert read.items() == [("A", "b")]


def test_a_head_that_ends_early_is_what_came():
    assert fields(io.BytesIO(b"A: b\r\nC: d")).items() == [("A", "b"), ("C", "d")]
    assert fields(io.BytesIO(b"A: b\n\nthe body")).items() == [("A", "b")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [([f"A{n}: b" for n in range(101)], "more than 100 fields"), (["A: " + 70_000 * "b"], "too long")],
)
def test_a_head_without_bounds_is_refused(lines, words):
    with pytest.raises(http.client.HTTPException, match=words):
        fields(head(*lines))


def response(content: bytes) -> Response:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(content)
        theirs.shutdown(socket.SHUT_WR)
        found = Response(ours, method="GET")
        found.begin()
        return found


def test_an_answer_is_read_with_this_parser():
    found = response(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nno field\r\nContent-Length: 3\r\n\r\nyes")
    # The standard library takes what stands behind a line that is no field for the body of an e-mail.
    assert (found.status, found.reason, found.length, found.read()) == (200, "OK", 3, b"yes")


def test_chunks_are_told_by_the_head():
    found = response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n")
    assert (found.chunked, found.read()) == (True, b"yes")
