"""Bytes from a link to a part, over real sockets and real disks: what is gone on with, and what is refused."""

import hashlib

import pytest

from runner.engine.downloads.artifacts import part_of
from runner.engine.downloads.transfer import FetchError, FetchFailure, Stop
from tests import wire
from tests.hosts import HALF, VIDEO, Host, get, get_all, leftovers, reply, rest, video_of
from tests.kit import picture_bytes, video_bytes

# Going on where it broke off

BROKEN = reply(VIDEO[:HALF], length=len(VIDEO), ETag='"v1"')


def test_a_broken_download_is_gone_on_with_by_its_strong_etag(tmp_path):
    host, fetched, troubles = get_all(tmp_path, BROKEN, rest())
    assert [each.failure for each in troubles] == [FetchFailure.NETWORK]
    assert host.asked_range() == f"bytes={HALF}-"
    assert b'\r\nIf-Range: "v1"\r\n' in host.heads[1]
    assert fetched.video.sha256 == hashlib.sha256(VIDEO).hexdigest()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("etag", ["none", 'W/"v1"', "v1", '"v\u00e91"', ""])
def test_without_a_strong_etag_it_starts_anew(tmp_path, etag):
    broken = reply(VIDEO[:HALF], length=len(VIDEO), ETag=etag)
    host, fetched, _ = get_all(tmp_path, broken, reply())
    assert host.asked_range() is None
    assert fetched.video.bytes == len(VIDEO)


def test_a_file_that_changed_meanwhile_is_taken_from_its_beginning(tmp_path):
    host, _, _ = get_all(tmp_path, reply(b"\0" * HALF, length=len(VIDEO), ETag='"v0"'), reply(ETag='"v1"'))
    assert host.asked_range() == f"bytes={HALF}-"
    assert video_of(tmp_path).read_bytes() == VIDEO


@pytest.mark.parametrize(
    "odd",
    [
        rest(Content_Range=f"bytes 0-{len(VIDEO) - 1}/{len(VIDEO)}"),
        rest(Content_Range="none"),
        rest(Content_Range="nonsense"),
        rest(Content_Range=f"bytes {HALF}"),
        rest(Content_Range=f"bytes {HALF}-{len(VIDEO) - 1}/{len(VIDEO) + 10}"),
        rest(Content_Range=f"bytes {HALF}-{len(VIDEO) + 9}/{len(VIDEO) + 10}"),
        rest(HALF + 1),
        rest(ETag='"v2"'),
        reply(b"", status=416, Content_Range=f"bytes */{HALF}"),
    ],
    ids=["another start", "none", "nonsense", "no end", "not to the end", "another length", "later", "etag", "416"],
)
def test_an_odd_range_is_not_glued_to_what_is_there(tmp_path, odd):
    host, fetched, troubles = get_all(tmp_path, BROKEN, odd, reply())
    assert len(troubles) == 2
    assert host.asked_range(2) is None, "it starts anew"
    assert fetched.video.sha256 == hashlib.sha256(VIDEO).hexdigest()


def test_a_range_of_an_unknown_whole_is_taken(tmp_path):
    _, fetched, troubles = get_all(tmp_path, BROKEN, rest(Content_Range=f"bytes {HALF}-{len(VIDEO) - 1}/*"))
    assert len(troubles) == 1
    assert fetched.video.bytes == len(VIDEO)


def test_half_a_file_never_passes_for_a_whole_one_even_where_only_the_header_is_checked(tmp_path):
    """Its index is at its end, or not: the length that the server told decides."""
    _, fetched, troubles = get_all(tmp_path, BROKEN, decode=False)
    assert (fetched, len(troubles)) == (None, 1)
    assert not video_of(tmp_path).exists()


def test_a_download_that_broke_twice_goes_on_twice(tmp_path):
    third = len(VIDEO) // 3
    again = reply(
        VIDEO[third : 2 * third],
        status=206,
        length=len(VIDEO) - third,
        Content_Range=f"bytes {third}-{len(VIDEO) - 1}/{len(VIDEO)}",
        ETag='"v1"',
    )
    host, fetched, _ = get_all(tmp_path, reply(VIDEO[:third], length=len(VIDEO), ETag='"v1"'), again, rest(2 * third))
    assert [host.asked_range(number) for number in range(3)] == [None, f"bytes={third}-", f"bytes={2 * third}-"]
    assert fetched.video.sha256 == hashlib.sha256(VIDEO).hexdigest()


# What is refused


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (reply(status=401), FetchFailure.EXPIRED),
        (reply(status=403), FetchFailure.EXPIRED),
        (reply(status=404), FetchFailure.EXPIRED),
        (reply(status=410), FetchFailure.EXPIRED),
        (reply(status=204), FetchFailure.NETWORK),
        (reply(status=429), FetchFailure.NETWORK),
        (reply(status=500), FetchFailure.NETWORK),
        (reply(status=206), FetchFailure.NETWORK),
        (reply(Content_Type="text/html; charset=utf-8"), FetchFailure.UNFIT),
        (reply(Content_Type="application/xml"), FetchFailure.UNFIT),
        (reply(Content_Type="Application/JSON"), FetchFailure.UNFIT),
        (reply(b""), FetchFailure.UNFIT),
        (reply(b"\0" * 5000), FetchFailure.UNFIT),
        (reply(video_bytes(2.0)), FetchFailure.UNFIT),
        (reply(VIDEO[:-200]), FetchFailure.UNFIT),
        (reply(picture_bytes(1)), FetchFailure.UNFIT),
        (b"nonsense\r\n\r\n", FetchFailure.NETWORK),
        (b"", FetchFailure.NETWORK),
        (reply(VIDEO[:100], length=len(VIDEO)), FetchFailure.NETWORK),
        (reply(b"5\r\nabc", length="none", Transfer_Encoding="chunked"), FetchFailure.NETWORK),
    ],
)
def test_what_is_refused_and_never_takes_the_place_of_a_good_file(tmp_path, answer, failure):
    video_of(tmp_path).parent.mkdir(parents=True)
    video_of(tmp_path).write_bytes(b"a good file")
    _, fetched, troubles = get_all(tmp_path, answer)
    assert fetched is None
    assert [each.failure for each in troubles] == [failure]
    assert video_of(tmp_path).read_bytes() == b"a good file"


def test_a_file_that_is_too_large_by_its_own_word_is_not_begun(tmp_path):
    _, fetched, troubles = get_all(tmp_path, reply(), most_bytes=len(VIDEO) - 1)
    assert (fetched, troubles[0].failure) == (None, FetchFailure.UNFIT)
    assert leftovers(tmp_path) == []


def test_a_file_that_does_not_end_is_cut(tmp_path):
    def endless(peer):
        peer.send(reply(b"", length="none"))
        while True:
            peer.send(b"\0" * 65536)

    _, fetched, troubles = get_all(tmp_path, endless, most_bytes=1 << 20)
    assert (fetched, troubles[0].failure) == (None, FetchFailure.UNFIT)
    assert sum(each.stat().st_size for each in tmp_path.rglob("*") if each.is_file()) < 2 << 20


def test_a_drip_is_cut_by_its_total_time(tmp_path):
    def drip(peer):
        peer.send(reply(b"", length=10_000))
        peer.drip(b"\0")

    _, fetched, troubles = get_all(tmp_path, drip, total_seconds=0.2)
    assert (fetched, troubles[0].failure) == (None, FetchFailure.NETWORK)
    assert "longer than" in troubles[0].message


def test_an_interruption_ends_a_download_and_what_came_is_kept(tmp_path):
    stop = Stop()

    def slow(peer):
        peer.send(reply(VIDEO[:HALF], length=len(VIDEO), ETag='"v1"'))
        stop.set()
        peer.drip(VIDEO[HALF : HALF + 1])

    with wire.listening(Host(slow)) as host, pytest.raises(FetchError) as caught:
        get(host, tmp_path, stop)
    assert caught.value.failure is FetchFailure.STOPPED
    assert part_of(video_of(tmp_path), "r-1").stat().st_size >= HALF
