"""From a link to a verified file in its place, over real sockets and real disks."""

import hashlib
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.api.linked_files import LinkedFiles
from runner.engine.downloads.artifacts import Order, fetch, inside, part_of
from runner.engine.downloads.transfer import Stop
from runner.errors import DiskError
from tests import wire
from tests.hosts import VIDEO, Host, get, get_all, leftovers, order, reply, video_of
from tests.kit import picture_bytes


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
