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
from runner.sandbox.catalog import Catalog
from runner.sandbox.film.clip import AbandonedError
from runner.sandbox.records import Request
from runner.sandbox.studio import Studio
from tests.test_sandbox_kit import MODEL, picture_bytes, write_schemas
from tests.test_sandbox_replies import DIGEST, REQUEST


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    for name in ("media", "pictures"):
        (tmp_path / name).mkdir()
    album = Album(tmp_path / "pictures")
    album.add(picture_bytes(), DIGEST)
    return Studio(tmp_path / "media", album, Catalog.read(write_schemas(tmp_path / "schemas")), clip_height=48)


def request(**filled: object) -> Request:
    return replace(REQUEST, filled=json.dumps({"prompt": "slow push-in", "duration": "5", "cfg_scale": 0.5, **filled}))


def made(studio: Studio, asked: Request) -> tuple[str, str]:
    return studio.make(asked, lambda: False)


@pytest.mark.parametrize(
    ("duration", "seconds"), [("5", 5), ("10", 10), (3, 3), ("nonsense", 5), (None, 5), ("600", 15)]
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
    made(studio, replace(request(), pictures=json.dumps({"image": url})))
    with av.open(studio.video(REQUEST.request_id)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (86, 48)


def test_a_request_without_a_picture_is_painted_too(studio: Studio) -> None:
    made(studio, replace(request(), pictures="{}"))
    assert studio.video(REQUEST.request_id).exists()


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
    made(studio, replace(request(), pictures=json.dumps({"image": f"{origin}/good.jpg"})))
    with av.open(studio.video(REQUEST.request_id)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (72, 48)
    with pytest.raises(HTTPException, match=r"payload\.image: is 200 x 200 pixels"):
        made(studio, replace(request(), pictures=json.dumps({"image": f"{origin}/small.jpg"})))


def test_a_picture_that_is_gone_is_a_refusal(studio: Studio) -> None:
    studio.album.path(DIGEST).unlink()
    with pytest.raises(HTTPException, match="damaged"):
        made(studio, request())
