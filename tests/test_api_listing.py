"""A listing, read as a stream: hundreds of megabytes, broken ones, and what makes one whole."""

import io
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.api import listing as module
from runner.api.answer_classes import AnswerClass
from runner.api.listing import read_listing


class Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def read1(self, amount=-1, decode_content=False):
        assert decode_content, "a listing may be compressed"
        return super().read1(amount)


def entry(number=1, **changes):
    return {"request_id": f"r-{number}", "model": "m", "status": "queued", "created_at": 100 + number, **changes}


def read(document, **options):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_listing(Raw(content), **options)


def test_a_listing_as_it_is_documented():
    told = read({"requests": [entry(1), entry(2)], "total": 2})
    assert (told.kind, told.total, told.is_whole, told.message) == (AnswerClass.ACCEPTED, 2, True, "")
    assert [each.request_id for each in told.requests] == ["r-1", "r-2"]


@pytest.mark.parametrize("created_at", [None, "2024-01-01T00:00:00Z", True, {}])
def test_an_entry_without_a_readable_time_has_none(created_at):
    told = read({"requests": [entry(created_at=created_at)]})
    assert told.is_whole
    assert [each.created_at for each in told.requests] == [None]


@pytest.mark.parametrize(("told", "has_more"), [({}, None), ({"has_more": None}, None), ({"has_more": True}, True)])
def test_whether_there_are_further_pages(told, has_more):
    listing = read({"requests": [], **told})
    assert (listing.has_more, listing.is_whole) == (has_more, True)


@pytest.mark.parametrize("order", [("requests", "total"), ("total", "requests")])
@pytest.mark.parametrize("total", [None, 0])
def test_an_empty_listing_is_whole(order, total):
    document = {"requests": [], "total": total, "more": {"requests": [1], "total": [3]}}
    told = read({name: document[name] for name in (*order, "more")})
    assert (told.is_whole, told.total, told.requests) == (True, total, ())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"total": 0},
        {"requests": None},
        {"requests": {}},
        {"requests": {"a": entry()}},
        {"requests": "none"},
        {"data": [entry()]},
        [],
        [entry()],
        None,
        7,
        {"requests": [entry(), None]},
        {"requests": [7]},
        {"requests": ["r-1"]},
        {"requests": [[entry()]]},
        {"requests": [entry(request_id=None)]},
        {"requests": [entry(request_id="x" * 300)]},
        {"requests": [{}]},
        {"requests": [], "total": "2"},
        {"requests": [], "total": True},
        {"requests": [], "total": 1.5},
        {"requests": [], "total": [1]},
        {"requests": [], "has_more": "no"},
    ],
)
def test_what_has_another_shape_is_not_whole(document):
    told = read(document)
    assert not told.is_whole


@given(st.integers(min_value=0))
def test_a_listing_that_is_cut_is_never_whole(cut):
    content = json.dumps({"total": 2, "requests": [entry(1, payload={"image": "abc"}), entry(2)]}).encode()
    told = read(content[: cut % len(content)])
    assert (told.kind, told.is_whole) == (AnswerClass.UNKNOWN, False)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(content):
    told = read(content)
    assert told.is_whole == (told.kind is AnswerClass.ACCEPTED and not told.message)


@pytest.mark.parametrize("tail", [b"x", b"{}", b'{"requests": []}', b"]"])
def test_what_follows_a_listing_makes_it_broken(tail):
    assert not read(b'{"requests": []}' + tail).is_whole


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAMES = TEXT | st.sampled_from(["item", "requests", "request_id"])
ENTRIES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(ENTRIES, max_size=4))
def test_the_stream_sees_the_entries_that_a_parser_sees(entries):
    """Whatever stands in entries that are none, those that are sound are all found, in their order."""
    mixed = [each for number, other in enumerate(entries) for each in (entry(number), other)]
    told = read({"requests": mixed})
    expected = [f"r-{number}" for number in range(len(entries))]
    assert [each.request_id for each in told.requests if each.request_id.startswith("r-")] == expected
    assert told.is_whole == (not entries)


@given(st.dictionaries(NAMES, ENTRIES))
def test_the_stream_keeps_a_payload_as_a_parser_reads_it(payload):
    payload.pop("image", None)
    (remote,) = read({"requests": [entry(payload=payload)]}).requests
    assert remote.payload == json.loads(json.dumps(payload))


class Endless:
    """A body that never ends: its beginning, then the same again and again."""

    def __init__(self, start, again):
        self.next, self.again, self.given = start, again, 0

    def read1(self, amount=-1, decode_content=False):
        block, self.next = self.next, self.again
        self.given += len(block)
        return block


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b'{"requests": [', json.dumps(entry()).encode() + b"," + b" " * 60_000),
        (b'{"requests": [{"request_id": "', b"a" * 65536),
        (b"", b" " * 65536),
        (b'{"total": 1', b"1" * 65536),
    ],
)
def test_a_listing_without_an_end_is_given_up(monkeypatch, start, again):
    monkeypatch.setattr(module, "MOST_TEXT", 1 << 20)
    raw = Endless(start, again)
    told = read_listing(raw, most=4 << 20)
    assert (told.kind, told.is_whole) == (AnswerClass.UNKNOWN, False)
    assert raw.given < 8 << 20


def test_a_listing_that_takes_too_long_is_given_up():
    told = read_listing(Endless(b"", b" "), deadline=time.monotonic())
    assert (told.kind, told.is_whole) == (AnswerClass.UNKNOWN, False)


def test_a_listing_as_deep_as_a_well_is_no_trouble():
    for begin, end in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = b'{"requests": [{"request_id": "a", "payload": ' + begin * 200_000 + b"1" + end * 200_000 + b"}]}"
        told = read(deep)
        assert (told.kind, told.is_whole) == (AnswerClass.UNKNOWN, False)
        assert told.message == "the list is broken or does not end"


class Large:
    """The bytes of a listing with so many large pictures, made as they are read."""

    def __init__(self, entries, picture):
        head = json.dumps(entry(payload={"image": ""})).encode()[:-3]
        one = head[: head.rindex(b'"image": "') + 10] + b"A" * picture + b'"}}'
        self.blocks = iter([b'{"requests": [', *[one + b","] * (entries - 1), one, b'], "total": %d}' % entries])
        self.rest = b""
        self.size = 0

    def read1(self, amount=-1, decode_content=False):
        if not self.rest:
            self.rest = next(self.blocks, b"")
        block, self.rest = self.rest[:amount], self.rest[amount:]
        self.size += len(block)
        return block


def test_echoed_pictures_do_not_stay_in_memory():
    raw = Large(40, 2 << 20)
    tracemalloc.start()
    try:
        told = read_listing(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (told.is_whole, told.total, len(told.requests)) == (True, 40, 40)
    assert raw.size > 80 << 20
    assert peak < 24 << 20
