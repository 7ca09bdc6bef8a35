"""Media that parameters name: paths, addresses and Base64, read and held to the rules of their parameter."""

from __future__ import annotations

import base64
import hashlib
from uuid import uuid4

import pytest

from runner.manifest.pictures import media_files
from runner.manifest.pictures.media_files import MediaFiles, UnfitMediaError
from runner.manifest.reader import load
from runner.media import MediaParameter
from runner.model import Origin
from runner.planning.plan import make_plan
from tests.kit import picture_bytes, sound_bytes, video_bytes, write_manifest
from tests.store_proxies import filled, refusing

PICTURE, VIDEO, SOUND = picture_bytes(1), video_bytes(3.0), sound_bytes(4.0)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "media").mkdir()
    for name, data in {
        "coast.jpg": PICTURE,
        "small.png": picture_bytes(2, 200, 320, "PNG"),
        "coast.webp": picture_bytes(1, kind="WEBP"),
        "clip.mp4": VIDEO,
        "voice.mp3": SOUND,
        "voice.wav": sound_bytes(4.0, "wav"),
        "cut.mp3": SOUND[: len(SOUND) // 2],
        "cut.jpg": PICTURE[:-200],
        "notes.txt": b"notes",
    }.items():
        (tmp_path / "media" / name).write_bytes(data)
    return tmp_path


def parameter(kind="image", **rules):
    return MediaParameter(("x",), {"kind": kind, **rules})


def reference(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_a_path_becomes_the_hash_of_its_bytes(folder):
    files = MediaFiles(folder)
    for text, kind, data in (
        ("coast.jpg", "image", PICTURE),
        ("clip.mp4", "video", VIDEO),
        ("voice.mp3", "audio", SOUND),
    ):
        assert files.reference(f"media/{text}", parameter(kind)) == reference(data)
    picture, clip, voice = files.all
    assert (picture.origin, picture.location) == (Origin.FILE, str(folder / "media" / "coast.jpg"))
    assert (picture.width, picture.height, picture.size, picture.written) == (320, 320, len(PICTURE), "media/coast.jpg")
    assert (clip.size, voice.size) == (len(VIDEO), len(SOUND))


@pytest.mark.parametrize("text", ["https://example.com/a.jpg", "HTTP://example.com/b"])
def test_an_address_counts_by_itself(folder, text):
    files = MediaFiles(folder)
    assert files.reference(text, parameter(minSide=4000)) == text
    assert files.all == ()


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_base64_is_the_file_that_it_is_of(folder, prefix):
    files = MediaFiles(folder)
    assert files.reference(prefix + base64.b64encode(PICTURE).decode(), parameter()) == reference(PICTURE)
    (image,) = files.all
    assert (image.origin, image.size, image.width) == (Origin.INLINE, len(PICTURE), 320)
    assert base64.b64decode(image.location) == PICTURE


def test_a_file_is_read_once_for_each_parameter(folder, monkeypatch):
    files = MediaFiles(folder)
    assert files.reference("media/coast.jpg", parameter()) == reference(PICTURE)
    (folder / "media" / "coast.jpg").unlink()
    assert files.reference("media/coast.jpg", parameter()) == reference(PICTURE)
    for _ in range(2):
        with pytest.raises(UnfitMediaError):
            files.reference("media/coast.jpg", MediaParameter(("y",), {"kind": "image"}))


@pytest.mark.parametrize(
    ("text", "rules", "code", "message"),
    [
        ("media/coastt.jpg", {}, "E401", "names 'media/coastt.jpg', which is no file"),
        ("media", {}, "E401", "names 'media', which is a folder"),
        ("", {}, "E401", "is empty"),
        ("media/notes.txt", {}, "E402", "media/notes.txt is a text file; the API takes JPEG or PNG"),
        ("media/coast.webp", {}, "E402", "media/coast.webp is a WebP picture; the API"),
        ("media/coast.jpg", {"maxBytes": 1000}, "E403", "media/coast.jpg has"),
        ("media/small.png", {"minSide": 300}, "E404", "has width 200 px; the API takes at least 300 px"),
        (
            "media/coast.jpg",
            {"maxSide": 300},
            "E404",
            "has width 320 px and height 320 px; the API takes at most 300 px",
        ),
        ("media/small.png", {"aspectRatio": [1, 2]}, "E405", "media/small.png has"),
        ("media/cut.jpg", {}, "E406", "media/cut.jpg is damaged: it is cut short"),
        ("A" * 200, {}, "E402", "the Base64 is"),
        ("data:image/png;base64,!!", {}, "E412", "is neither a path, an address nor Base64"),
        ("media/coast.jpg", {"kind": "video"}, "E406", "media/coast.jpg cannot be read"),
        ("media/voice.mp3", {"kind": "video"}, "E402", "media/voice.mp3 is no video"),
        ("media/clip.mp4", {"kind": "audio"}, "E402", "media/clip.mp4 has no sound"),
        ("media/voice.wav", {"kind": "audio", "formats": ["mp3"]}, "E402", "media/voice.wav is wav"),
        ("media/cut.mp3", {"kind": "audio"}, "E406", "media/cut.mp3 cannot be read: it is cut short"),
        ("media/voice.mp3", {"kind": "audio", "maxBytes": 1000}, "E403", "the API takes at most 1000 bytes"),
        (
            "media/voice.mp3",
            {"kind": "audio", "maxSeconds": 3},
            "E417",
            "media/voice.mp3 has 4 s; the API takes at most 3",
        ),
        (
            "media/clip.mp4",
            {"kind": "video", "minSeconds": 5},
            "E417",
            "media/clip.mp4 has 3 s; the API takes at least 5",
        ),
        ("media/clip.mp4", {"kind": "video", "minFps": 24}, "E417", "has 8 frames a second; the API takes at least 24"),
        (base64.b64encode(VIDEO).decode(), {"kind": "video"}, "E416", "takes no Base64 of a video or a sound"),
    ],
)
def test_what_cannot_be_sent(folder, text, rules, code, message):
    with pytest.raises(UnfitMediaError) as caught:
        MediaFiles(folder).reference(text, parameter(**rules))
    assert caught.value.code == code
    assert message in caught.value.message
    assert caught.value.hint
    # It makes copies of the images of a manifest alone.
    assert "fix-pictures" not in caught.value.hint


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("media/coast.webp", {"formats": ["WEBP", "JPEG"]}),
        ("media/voice.wav", {"kind": "audio", "formats": ["wav", "mp3"], "minSeconds": 3, "maxSeconds": 30}),
        ("media/clip.mp4", {"kind": "video", "formats": ["mp4"], "minFps": 8, "maxFps": 60, "maxSeconds": 3}),
    ],
)
def test_what_can_be_sent(folder, text, rules):
    assert MediaFiles(folder).reference(text, parameter(**rules)).startswith("sha256:")


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize(
    "text", ["/dev/zero", "/proc/self/environ", "a\0b", "\ud800", "a slow pan " * 40, "x_/" * 2000]
)
def test_what_is_no_file_of_ours_is_not_read(folder, text, kind):
    with pytest.raises(UnfitMediaError) as caught:
        MediaFiles(folder).reference(text, parameter(kind))
    assert caught.value.code in ("E401", "E412")


@pytest.fixture
def store(tmp_path, monkeypatch):
    with filled("moto", f"media-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


def test_media_of_every_kind_may_lie_in_a_bucket_and_are_read_once(folder, store):
    named = [("coast.jpg", "image", PICTURE), ("clip.mp4", "video", VIDEO), ("voice.mp3", "audio", SOUND)]
    addresses = {name: store.put(f"a/{name}", data) for name, _, data in named}
    for _ in range(2):
        files = MediaFiles(folder)
        for name, kind, data in named:
            assert files.reference(addresses[name], parameter(kind)) == reference(data)
    assert store.proxy.count("GET") == 3
    assert [(each.id, each.written, each.size) for each in files.all] == [
        (addresses[name], addresses[name], len(data)) for name, _, data in named
    ]
    picture, *_ = files.all
    assert (picture.origin, picture.width, picture.height) == (Origin.FILE, 320, 320)


@pytest.mark.parametrize(
    ("name", "data", "kind", "rules", "code", "said"),
    [
        ("voice.mp3", SOUND, "video", {}, "E402", "is no video"),
        ("clip.mp4", VIDEO, "video", {"maxBytes": 10}, "E403", "at most 10 bytes"),
        ("clip.mp4", VIDEO, "video", {"maxSeconds": 1}, "E417", "the API takes at most 1"),
        ("coast.jpg", PICTURE, "image", {"maxBytes": 10}, "E403", "at most 10 bytes"),
        ("cut.jpg", PICTURE[:-200], "image", {}, "E406", "is damaged"),
        ("", b"", "video", {}, "E401", "/x/none.mp4 does not exist"),
        ("", b"", "image", {}, "E401", "/x/none.mp4 does not exist"),
    ],
)
def test_what_a_bucket_has_is_held_to_the_same_rules(folder, store, name, data, kind, rules, code, said):
    address = store.put(f"x/{name}", data) if name else f"{store.address}/x/none.mp4"
    with pytest.raises(UnfitMediaError) as caught:
        MediaFiles(folder).reference(address, parameter(kind, **rules))
    assert (caught.value.code, said in caught.value.message, bool(caught.value.hint)) == (code, True, True)


def test_no_more_than_a_disk_holds_is_read(folder, store, monkeypatch):
    monkeypatch.setattr(media_files, "_MOST_BYTES", 100)
    with pytest.raises(UnfitMediaError) as caught:
        MediaFiles(folder).reference(store.put("clip.mp4", VIDEO), parameter("video"))
    assert (caught.value.code, store.proxy.count("GET")) == ("E403", 0)


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_a_bucket_that_cannot_be_read_is_told(folder, store, kind):
    store.proxy.fault = refusing(403)
    with pytest.raises(UnfitMediaError) as caught:
        MediaFiles(folder).reference(f"{store.address}/a.jpg", parameter(kind))
    assert (caught.value.code, "the store refuses access" in caught.value.message) == ("E421", True)
    with pytest.raises(UnfitMediaError) as caught:
        MediaFiles(folder).reference("s3://me:secret@b/a.jpg", parameter(kind))
    assert (caught.value.code, "secret" in caught.value.message) == ("E412", False)


def test_a_plan_within_bounds_of_memory_reads_what_parameters_name(store, tmp_path):
    tail = picture_bytes(5, 400, 400)
    address = store.put("tail.jpg", tail)
    keys = {"model": "wan2.7-i2v", "side": 400, "uploads": {"to": "service"}}
    path = write_manifest(
        tmp_path / "m", **keys, vars={"base": store.address}, params={"last_frame": "{{ base }}/tail.jpg"}
    )
    made = make_plan(load(path), limits_memory=True)
    (job,) = made.jobs
    assert job.job.payload["last_frame"] == reference(tail)
    assert [each.written for each in made.manifest.files] == [address]
    (tmp_path / "m" / "tail.jpg").write_bytes(tail)
    (moved,) = make_plan(load(write_manifest(tmp_path / "m", **keys, params={"last_frame": "tail.jpg"}))).jobs
    assert moved.job.id == job.job.id
