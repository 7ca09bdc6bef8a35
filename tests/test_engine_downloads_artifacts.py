"""From a link to a verified file in its place, over real sockets and real disks."""

import hashlib
import os
import pickle
import re
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.api.linked_files import LinkedFiles
from runner.engine.downloads.artifacts import Order, accept, arrive, inside, most_bytes_of, part_of
from runner.engine.downloads.transfer import FetchError, FetchFailure, Stop
from runner.errors import DiskError
from tests import wire
from tests.hosts import VIDEO, Host, fetch, get, get_all, leftovers, order, reply, video_of
from tests.kit import picture_bytes, video_bytes
from tests.test_video_decoding import write_clip


def test_a_video_is_fetched_verified_and_put_in_place_with_a_frame_as_thumbnail(tmp_path):
    _, fetched, _ = get_all(tmp_path, reply())
    assert video_of(tmp_path).read_bytes() == VIDEO
    video = fetched.video
    assert (video.path, video.bytes) == ("videos/shoe/take-1.mp4", len(VIDEO))
    assert video.sha256 == hashlib.sha256(VIDEO).hexdigest()
    assert (video.seconds, video.width, video.height, video.fps, video.codec) == (5.0, 64, 36, 8.0, "h264")
    thumbnail = tmp_path / fetched.thumbnail.path
    assert fetched.thumbnail.path == "thumbnails/shoe/take-1.jpg"
    assert hashlib.sha256(thumbnail.read_bytes()).hexdigest() == fetched.thumbnail.sha256
    assert leftovers(tmp_path) == []


def test_where_only_the_header_is_read_nothing_is_decoded_and_a_thumbnail_comes_from_the_service_alone(tmp_path):
    _, fetched, _ = get_all(tmp_path, reply(), decode=False)
    assert (fetched.video.bytes, fetched.thumbnail) == (len(VIDEO), None)
    assert not (tmp_path / "thumbnails").exists()
    with wire.listening(Host(reply(), thumbnail=reply(picture_bytes(3)))) as host:
        again = get(host, tmp_path, thumbnail_url=f"{host.url}/t.jpg", decode=False)
    assert (tmp_path / again.thumbnail.path).read_bytes() == picture_bytes(3)


def test_what_has_arrived_may_be_verified_by_another_process(tmp_path):
    with wire.listening(Host(reply())) as host:
        asked = order(host, tmp_path)
        arrival = arrive(LinkedFiles(True), asked, Stop())
    assert (arrival.size, arrival.part.path.read_bytes(), video_of(tmp_path).exists()) == (len(VIDEO), VIDEO, False)
    sent = pickle.loads(pickle.dumps((LinkedFiles(True), asked, arrival, Stop())))
    assert accept(*sent).video.sha256 == hashlib.sha256(VIDEO).hexdigest()
    assert (video_of(tmp_path).read_bytes(), leftovers(tmp_path)) == (VIDEO, [])


def test_links_are_no_part_of_what_is_shown_of_an_order(tmp_path):
    shown = repr(Order("r", "https://f/v?sig=secret", "https://f/t?sig=secret", tmp_path, "p", 5.0, True))
    assert "secret" not in shown


# Where files land


@pytest.mark.parametrize("folder", ["videos", "thumbnails", "videos/shoe", "thumbnails/shoe"])
def test_a_folder_that_is_a_link_out_of_the_output_is_refused(tmp_path, folder):
    outside, output = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (output / folder).parent.mkdir(parents=True)
    (output / folder).symlink_to(outside)
    with wire.listening(Host(reply())) as host, pytest.raises(DiskError, match="leads out"):
        get(host, output)
    assert list(outside.iterdir()) == []


def test_the_output_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    _, fetched, _ = get_all(tmp_path / "out", reply())
    assert (tmp_path / "disk" / fetched.video.path).read_bytes() == VIDEO


def test_a_link_in_the_place_of_a_video_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    video_of(tmp_path).parent.mkdir(parents=True)
    video_of(tmp_path).symlink_to(tmp_path / "precious")
    get_all(tmp_path, reply())
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert video_of(tmp_path).read_bytes() == VIDEO


@pytest.mark.parametrize("ending", [".part", ".part.etag"])
def test_a_link_in_the_place_of_a_part_is_not_written_through(tmp_path, ending):
    (tmp_path / "precious").write_bytes(b"precious")
    part = part_of(video_of(tmp_path), "r-1")
    part.parent.mkdir(parents=True)
    part.with_name(part.name.removesuffix(".part") + ending).symlink_to(tmp_path / "precious")
    cut = reply(VIDEO[:-9], length=len(VIDEO), ETag='"v1"')
    with wire.listening(Host(cut)) as host, pytest.raises((DiskError, FetchError)):
        get(host, tmp_path, request_id="r-1")
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_what_is_in_the_place_of_a_video_is_set_aside(tmp_path):
    video_of(tmp_path).parent.mkdir(parents=True)
    video_of(tmp_path).write_bytes(b"mine")
    _, fetched, _ = get_all(tmp_path, reply())
    assert fetched.aside == (video_of(tmp_path).with_name("take-1.changed.mp4"),)
    assert fetched.aside[0].read_bytes() == b"mine"
    _, again, _ = get_all(tmp_path, reply())
    assert again.aside == (), "an equal file is one that a killed run put there"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x"])
def test_a_path_that_leads_out_is_refused(tmp_path, path):
    with pytest.raises(DiskError):
        inside(tmp_path / "out", path)


@given(
    st.text(min_size=1) | st.sampled_from(["../../x", "a/b", "x" * 500, ".", "..", "con", "a\\b", "\N{SNOWMAN}", "a b"])
)
def test_the_name_of_a_part_is_safe_whatever_the_request_id(request_id):
    part = part_of(Path("/out/videos/shoe/take-1.mp4"), request_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}\.part", part.name)
    assert part.parent == Path("/out/videos/shoe")


@pytest.mark.parametrize("request_id", ["../../x", "x" * 500, "\N{SNOWMAN}/\u202e", "a\nb", "nul"])
def test_any_request_id_is_fetched_into_the_output_folder(tmp_path, request_id):
    output = tmp_path / "deep" / "out"
    get_all(output, reply(), request_id=request_id)
    files = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()}
    assert files == {"deep/out/videos/shoe/take-1.mp4", "deep/out/thumbnails/shoe/take-1.jpg"}


# Thumbnails


def thumbnail_of(tmp_path, answer):
    served = Host(reply(), thumbnail=answer)
    with wire.listening(served) as host:
        fetched = get(host, tmp_path, thumbnail_url=f"{host.url}/t.jpg")
    assert fetched.video.bytes == len(VIDEO)
    assert leftovers(tmp_path) == []
    return tmp_path / fetched.thumbnail.path


def test_the_services_thumbnail_is_taken(tmp_path):
    assert thumbnail_of(tmp_path, reply(picture_bytes(3))).read_bytes() == picture_bytes(3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_thumbnail_of_another_kind_becomes_a_jpeg(tmp_path, kind):
    with Image.open(thumbnail_of(tmp_path, reply(picture_bytes(3, kind=kind)))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 320))


@pytest.mark.parametrize(
    "answer",
    [
        reply(status=404),
        reply(b""),
        reply(b"<html>"),
        reply(picture_bytes(3)[:-100]),
        reply(picture_bytes(3)[:100], length=9000),
        reply(b"\0" * (21 << 20)),
        b"",
        b"HTTP/1.1 302 x\r\nLocation: ftp://x\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["404", "empty", "html", "cut", "broken off", "huge", "closed", "elsewhere"],
)
def test_where_a_thumbnail_is_not_sound_a_frame_stands_in(tmp_path, answer):
    with Image.open(thumbnail_of(tmp_path, answer)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 36))


def test_a_thumbnail_that_is_the_video_is_not_asked_for_twice(tmp_path):
    served = Host(reply())
    with wire.listening(served) as host:
        fetched = get(host, tmp_path, thumbnail_url=f"{host.url}/v.mp4")
    assert len(served.heads) == 1
    with Image.open(tmp_path / fetched.thumbnail.path) as picture:
        assert picture.size == (64, 36)


def test_a_thumbnail_that_is_another_video_is_passed_over(tmp_path):
    with Image.open(thumbnail_of(tmp_path, reply())) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 36))


# Further videos


def get_with_further(folder, *replies):
    """A video, and further ones of which each has one of the replies."""
    with wire.listening(Host(reply(), *replies)) as host:
        links = tuple(f"{host.url}/{number}" for number in range(len(replies)))
        return get(host, folder, further_urls=links)


def test_further_videos_are_verified_and_kept_apart_by_what_they_are(tmp_path):
    (tmp_path / "a.webm").write_bytes(b"")
    webm = write_clip(tmp_path / "a.webm", "libvpx", format="webm").read_bytes()
    fetched = get_with_further(tmp_path / "out", reply(webm), reply(picture_bytes(1)), reply(video_bytes(2.0)))
    assert fetched.note == (
        "the request made 4 videos; the others: others/shoe/take-1-2.webm; video 3 was left out: "
        "the video that came is refused: it is a JPEG picture; others/shoe/take-1-4.mp4"
    )
    assert fetched.video.path == "videos/shoe/take-1.mp4"
    assert (tmp_path / "out/others/shoe/take-1-2.webm").read_bytes() == webm
    assert [(each.path, each.bytes) for each in fetched.further] == [
        ("others/shoe/take-1-2.webm", len(webm)), ("others/shoe/take-1-4.mp4", len(video_bytes(2.0))),
    ]  # fmt: skip
    assert (tmp_path / "out/others/shoe/take-1-4.mp4").read_bytes() == video_bytes(2.0)
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_further_video_that_does_not_arrive_is_tried_again_with_the_first(tmp_path):
    with pytest.raises(FetchError, match="video 2 of the request: the link is no longer good") as caught:
        get_with_further(tmp_path, reply(status=404))
    assert caught.value.failure is FetchFailure.EXPIRED
    assert video_of(tmp_path).read_bytes() == VIDEO
    assert get_with_further(tmp_path, reply()).note.endswith("others/shoe/take-1-2.mp4")


# Disks


def test_a_file_in_the_way_of_a_folder_stops_with_a_remedy(tmp_path):
    (tmp_path / "videos").write_bytes(b"")
    with wire.listening(Host(reply())) as host, pytest.raises(DiskError) as caught:
        get(host, tmp_path)
    assert caught.value.hint


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB, as root can mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mount: a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_loses_nothing_and_replaces_no_good_file(small_disk):
    video_of(small_disk).parent.mkdir(parents=True)
    video_of(small_disk).write_bytes(b"a good file")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * 180_000)
    large = VIDEO + b"\0\0\0\x08free" * 4000
    with wire.listening(Host(reply(large, ETag='"v1"'), reply(large, ETag='"v1"'))) as host:
        with pytest.raises(DiskError, match="No space left") as caught:
            get(host, small_disk)
        assert "room" in caught.value.hint
        assert video_of(small_disk).read_bytes() == b"a good file"
        ballast.unlink()
        assert get(host, small_disk).video.bytes == len(large)
    assert video_of(small_disk).read_bytes() == large


@pytest.fixture
def closed_disk(small_disk):
    """A disk that cannot be written."""
    (small_disk / "videos").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    return small_disk


def test_a_read_only_disk_stops_with_a_remedy(closed_disk):
    with wire.listening(Host(reply())) as host, pytest.raises(DiskError, match="Read-only") as caught:
        get(host, closed_disk)
    assert "writable" in caught.value.hint


def test_several_downloads_at_once_do_not_meet(tmp_path):
    def serve(peer):
        peer.head()
        # The host says that it closes: a connection that dies when it is used again costs a try.
        peer.send(reply(Connection="close"))

    with wire.listening(serve) as host:
        files, results = LinkedFiles(True), []
        orders = [order(host, tmp_path, request_id=f"r-{number}", path=f"p/{number}") for number in range(6)]
        threads = [
            threading.Thread(target=lambda one=each: results.append(fetch(files, one, Stop()))) for each in orders
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert sorted(each.video.path for each in results) == [f"videos/p/{number}.mp4" for number in range(6)]
    assert leftovers(tmp_path) == []


def test_how_large_a_video_may_be_depends_on_its_length():
    assert [most_bytes_of(seconds) >> 20 for seconds in (0.0, 5.0, 10.0, 60.0, None)] == [64, 224, 384, 1024, 1024]
