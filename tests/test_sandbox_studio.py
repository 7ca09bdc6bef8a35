from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain, repeat
from pathlib import Path

import av
import pytest
from PIL import Image
from starlette.exceptions import HTTPException

from runner.sandbox.album import Album
from runner.sandbox.catalog import Catalog, Model
from runner.sandbox.film.clip import AbandonedError
from runner.sandbox.records import Request
from runner.sandbox.studio import Studio
from tests.test_sandbox_kit import MODEL, encoded, picture_bytes, write_schemas
from tests.test_sandbox_replies import DIGEST, REQUEST


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    for name in ("media", "pictures"):
        (tmp_path / name).mkdir()
    album = Album(tmp_path / "pictures")
    album.add(picture_bytes(), DIGEST)
    return Studio(tmp_path / "media", album, Catalog.read(write_schemas(tmp_path / "schemas")), clip_height=48)


def request(**filled: object) -> Request:
    return replace(
        REQUEST,
        filled=json.dumps({"prompt": "slow push-in", "duration": "5", "cfg_scale": 0.5, "image": DIGEST, **filled}),
    )


def made(studio: Studio, asked: Request) -> tuple[str, str]:
    return studio.make(asked, lambda: False)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("5", 5), ("10", 10), (3, 3), ("nonsense", 5), (None, 5), ("600", 30), ("7s", 7), (2.6, 3), (True, 5)],
)
def test_a_clip_has_the_duration_that_was_asked_for(studio: Studio, duration: object, seconds: int) -> None:
    made(studio, request(duration=duration))
    with av.open(studio.video(REQUEST.request_id)) as container:
        assert container.duration == seconds * 1_000_000
        assert (container.streams.video[0].width, container.streams.video[0].height) == (72, 48)


def test_the_files_are_named_and_hashed(studio: Studio) -> None:
    video, still = made(studio, request())
    assert {path.name for path in studio.media.iterdir()} == {f"{REQUEST.request_id}.mp4", f"{REQUEST.request_id}.jpg"}
    assert video == hashlib.sha256(studio.video(REQUEST.request_id).read_bytes()).hexdigest()
    assert still == hashlib.sha256(studio.thumbnail(REQUEST.request_id).read_bytes()).hexdigest()
    with Image.open(studio.thumbnail(REQUEST.request_id)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (72, 48))


def test_the_clip_says_what_it_is(studio: Studio) -> None:
    made(studio, request())
    with av.open(studio.video(REQUEST.request_id)) as container:
        comment = container.metadata["comment"]
    assert "Not AI generated" in comment
    assert MODEL in comment
    assert REQUEST.request_id in comment


def test_the_same_request_makes_the_same_clip_and_another_take_a_different_one(studio: Studio) -> None:
    first, again, take = (made(studio, replace(request(), ordinal=ordinal))[0] for ordinal in (1, 1, 2))
    assert first == again
    assert first != take


def test_a_foreign_address_is_painted_and_not_fetched(studio: Studio) -> None:
    url = "http://192.0.2.1/bag.jpg"  # TEST-NET-1 of RFC 5737: nobody answers there
    made(studio, request(image=url))
    with av.open(studio.video(REQUEST.request_id)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (86, 48)


def test_a_request_without_a_picture_is_painted_too(studio: Studio) -> None:
    made(studio, request(image=None))
    assert studio.video(REQUEST.request_id).exists()


ANY: dict[str, object] = {
    "properties": {
        "frames": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"at": {"type": "string", "x-media": {"kind": "image", "role": "first"}}},
            },
        },
        "references": {"type": "array", "items": {"x-media": {"kind": "image", "role": "reference"}}},
        "tail": {"type": "string", "x-media": {"kind": "image", "role": "last"}},
        "clip": {"type": "string", "x-media": {"kind": "video"}},
        "sound": {"type": "string", "x-portable": {"of": "sound", "words": {"true": "with", "false": "without"}}},
    }
}
WHITE, RED = (encoded(Image.new("RGB", (480, 320), colour)) for colour in ("white", "red"))


def film(studio: Studio, **payload: object) -> list[av.VideoFrame]:
    """The frames of a clip of a model of any shape."""
    anything = replace(studio, catalog=Catalog({MODEL: Model(MODEL, ANY)}))
    made(anything, replace(REQUEST, filled=json.dumps({"prompt": "static", **payload})))
    with av.open(studio.video(REQUEST.request_id)) as container:
        return list(container.decode(video=0))


def comment(studio: Studio) -> str:
    with av.open(studio.video(REQUEST.request_id)) as container:
        return container.metadata["comment"]


def kept(studio: Studio, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    studio.album.add(data, digest)
    return digest


def colour(frame: av.VideoFrame) -> tuple[int, ...]:
    """In the middle, roughly: each part is 0 or 1."""
    picture = frame.to_image()
    point = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(point, tuple)
    return tuple(round(part / 255) for part in point)


def test_without_a_picture_the_words_make_the_scene(studio: Studio) -> None:
    scenes = [
        film(studio, prompt=prompt)[0].to_image() for prompt in ("a static hill", "a static sea", "a static hill")
    ]
    assert scenes[0].size == (86, 48)
    assert scenes[0].tobytes() == scenes[2].tobytes() != scenes[1].tobytes()
    assert comment(studio).startswith(
        "Made by the reelrun sandbox by moving a camera over a painted scene. Not AI generated."
    )


def test_a_picture_is_found_in_lists_and_objects(studio: Studio) -> None:
    white, red = kept(studio, WHITE), kept(studio, RED)
    assert colour(film(studio, references=[red, white])[0]) == (1, 0, 0)
    assert colour(film(studio, references=[red], frames=[{"at": white}])[0]) == (1, 1, 1)
    assert "over the picture" in comment(studio)


@pytest.mark.usefixtures("whole_films")
def test_a_clip_ends_on_its_last_picture(studio: Studio) -> None:
    shots = film(studio, references=[kept(studio, WHITE)], tail=kept(studio, RED), duration=2)
    assert [colour(shots[at]) for at in (0, 24, 47)] == [(1, 1, 1), (1, 1, 1), (1, 0, 0)]
    assert "over the picture, and by fading to another picture." in comment(studio)


def test_a_last_picture_alone_gives_the_size(studio: Studio) -> None:
    shots = film(studio, tail=kept(studio, RED), duration=1)
    assert (shots[0].width, shots[0].height) == (72, 48)
    assert colour(shots[-1]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"aspect_ratio": "1:1"}, (48, 48)),
        ({"size": "1280*720"}, (86, 48)),
        ({"resolution": "36x64"}, (28, 48)),
        ({"resolution": "40x20"}, (40, 20)),
    ],
)
def test_size_and_ratio_within_the_height_of_the_sandbox(
    studio: Studio, asked: dict[str, object], size: tuple[int, int]
) -> None:
    shot = film(studio, references=[kept(studio, WHITE)], duration=1, **asked)[0]
    assert (shot.width, shot.height) == size
    assert colour(shot) == (1, 1, 1)


@pytest.mark.parametrize(("sound", "codecs"), [("with", ["h264", "aac"]), ("without", ["h264"]), (None, ["h264"])])
def test_a_quiet_tone_where_sound_is_asked_for(studio: Studio, sound: str | None, codecs: list[str]) -> None:
    film(studio, sound=sound, duration=2)
    with av.open(studio.video(REQUEST.request_id)) as container:
        assert [stream.codec_context.name for stream in container.streams] == codecs
        assert container.duration == 2_000_000
    assert ("The sound is a tone." in comment(studio)) == (sound == "with")


def test_a_foreign_video_is_not_fetched(studio: Studio) -> None:
    film(studio, clip="http://192.0.2.1/clip.mp4", duration=1)
    assert "a painted scene" in comment(studio)


@pytest.mark.usefixtures("whole_films")
def test_a_stop_leaves_no_finished_file(studio: Studio) -> None:
    answers = chain([False] * 60, repeat(True))
    with pytest.raises(AbandonedError):
        studio.make(request(), lambda: next(answers))
    assert not studio.video(REQUEST.request_id).exists()
    assert list(studio.media.glob("*.part"))
    (studio.album.folder / "half.part").touch()
    studio.sweep()
    assert list(studio.media.iterdir()) == []
    assert [path.name for path in studio.album.folder.iterdir()] == [DIGEST]


class Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = picture_bytes() if self.path == "/good.jpg" else picture_bytes(200, 200)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quietly."""


@pytest.fixture
def origin() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Pictures) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_picture_on_this_machine_is_fetched_and_held_to_the_rules(studio: Studio, origin: str) -> None:
    made(studio, request(image=f"{origin}/good.jpg"))
    with av.open(studio.video(REQUEST.request_id)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (72, 48)
    with pytest.raises(HTTPException, match=r"payload\.image: is 200 x 200 pixels"):
        made(studio, request(image=f"{origin}/small.jpg"))


def test_a_picture_that_is_gone_is_a_refusal(studio: Studio) -> None:
    studio.album.path(DIGEST).unlink()
    with pytest.raises(HTTPException, match="damaged"):
        made(studio, request())
