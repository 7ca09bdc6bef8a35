from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from runner.sandbox.album import Album
from runner.sandbox.catalog import Catalog, Model
from runner.sandbox.intake import Intake
from runner.sandbox.records import Records, Request
from runner.sandbox.upload_store import UploadStore
from tests.test_sandbox_kit import MODEL, encoded, in_base64, payload, picture_bytes, refused, scene, write_schemas


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    (tmp_path / "pictures").mkdir()
    catalog = Catalog.read(write_schemas(tmp_path / "schemas"))
    numbers = count(1)
    with closing(Records(tmp_path / "sandbox.sqlite")) as records:
        yield Intake(catalog, Album(tmp_path / "pictures"), records, lambda: 1000.0, lambda: f"id-{next(numbers)}")


def take(intake: Intake, model: str = MODEL, **more: object) -> Request:
    return intake.take(json.dumps({"model": model, "payload": payload(**more)}).encode())


def refusal(intake: Intake, body: bytes | str) -> tuple[int, str]:
    with pytest.raises(HTTPException) as caught:
        intake.take(body.encode() if isinstance(body, str) else body)
    assert intake.records.all() == []
    return caught.value.status_code, caught.value.detail


def test_a_request_is_stored_without_its_picture(intake: Intake) -> None:
    request = take(intake)
    digest = hashlib.sha256(picture_bytes()).hexdigest()
    assert (request.request_id, request.model, request.created_at) == ("id-1", MODEL, 1000.0)
    assert json.loads(request.payload) == {"image": f"sha256:{digest}", "prompt": "slow push-in"}
    assert json.loads(request.pictures) == ["image"]
    assert json.loads(request.filled) == {
        "image": digest,
        "prompt": "slow push-in",
        "negative_prompt": "",
        "duration": "5",
        "cfg_scale": 0.5,
    }
    assert intake.album.path(digest).read_bytes() == picture_bytes()


def test_requests_that_mean_the_same_are_equal(intake: Intake) -> None:
    same = [{}, {"duration": "5"}, {"cfg_scale": 0.5, "negative_prompt": ""}]
    assert [take(intake, **more).ordinal for more in same] == [1, 2, 3]
    assert [take(intake, cfg_scale=value).ordinal for value in (1, 1.0)] == [1, 2]


def test_any_difference_makes_another_request(intake: Intake) -> None:
    other = in_base64(encoded(scene(500, 320)))
    different = [{}, {"duration": "10"}, {"prompt": "Slow push-in"}, {"image": other}, {"cfg_scale": 0.6}]
    assert {take(intake, **more).ordinal for more in different} == {1}
    assert take(intake, model="Kling-Image2Video-V2-Master").ordinal == 1


def test_a_picture_of_many_requests_is_kept_once(intake: Intake) -> None:
    for prompt in ("a", "b", "c"):
        take(intake, prompt=prompt)
    assert len(list(intake.album.folder.iterdir())) == 1


def test_a_url_is_taken_as_it_is(intake: Intake) -> None:
    request = take(intake, image="https://example.com/bag.jpg")
    assert json.loads(request.payload)["image"] == "https://example.com/bag.jpg"
    assert json.loads(request.pictures) == ["image"]
    assert list(intake.album.folder.iterdir()) == []


def of_any_shape(intake: Intake, **payload: object) -> Request:
    media: dict[str, object] = {"type": "string", "x-media": {"kind": "image", "encodings": ["url", "data", "base64"]}}
    sound = {"type": "string", "x-media": {"kind": "audio", "encodings": ["url"]}}
    exact = {"type": "string", "x-media": {"kind": "image", "sizeOf": "size"}}
    item = {"type": "object", "properties": {"image_url": media}}
    properties = {"list": {"type": "array", "items": item}, "either": media | {"type": ["string", "array"]}}
    schema = {"properties": {**properties, "sound": sound, "exact": exact, "size": {"type": "string"}}}
    anything = replace(intake, catalog=Catalog({"m": Model("m", schema)}))
    return anything.take(json.dumps({"model": "m", "payload": payload}).encode())


def test_files_are_found_in_lists_and_objects(intake: Intake) -> None:
    text, digest = in_base64(picture_bytes()), hashlib.sha256(picture_bytes()).hexdigest()
    data, url = f"data:image/jpeg;base64,{text}", "https://example.com/bag.jpg"
    request = of_any_shape(intake, list=[{"image_url": data, "no": 1}, {"image_url": url}], either=[text, url])
    assert json.loads(request.payload) == {
        "list": [{"image_url": f"data:image/jpeg;base64,sha256:{digest}", "no": 1}, {"image_url": url}],
        "either": [f"sha256:{digest}", url],
    }
    assert json.loads(request.filled) == {
        "list": [{"image_url": digest, "no": 1}, {"image_url": url}],
        "either": [digest, url],
    }
    assert json.loads(request.pictures) == ["either", "list"]
    assert [path.name for path in intake.album.folder.iterdir()] == [digest]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"list": [{}, {"image_url": "?"}]}, r"payload\.list\.1\.image_url: must be a URL or raw Base64 or a data URI"),
        ({"either": "?"}, r"payload\.either: must be"),
        ({"sound": in_base64(b"sound")}, r"payload\.sound: must be a URL$"),
        ({"exact": in_base64(picture_bytes()), "size": "64x36"}, r"payload\.exact: .* the size of the video, 64 x 36"),
    ],
)
def test_files_are_refused_by_their_place(intake: Intake, payload: dict[str, object], message: str) -> None:
    with pytest.raises(HTTPException, match=message):
        of_any_shape(intake, **payload)


def test_sounds_are_taken_by_their_address(intake: Intake) -> None:
    request = of_any_shape(
        intake, sound="https://example.com/voice.mp3", exact=in_base64(picture_bytes()), size="480*320"
    )
    assert json.loads(request.payload)["sound"] == "https://example.com/voice.mp3"


def test_an_uploaded_picture_makes_the_same_request_as_its_bytes(intake: Intake) -> None:
    store = UploadStore(intake.records, intake.album, lambda: 1000.0)
    address = store.link("jpeg", "http://127.0.0.1:1")["public_url"]
    store.put(address.rpartition("/")[2], picture_bytes())
    assert [take(intake).ordinal, take(intake, image=address).ordinal] == [1, 2]


def test_a_sync_model_takes_a_prompt_that_the_policy_refuses(intake: Intake) -> None:
    schema = {"properties": {"prompt": {"type": "string"}}, "x-delivery": "sync"}
    sync = replace(intake, catalog=Catalog({"m": Model("m", schema)}))
    body = json.dumps({"model": "m", "payload": {"prompt": "forbidden"}})
    assert sync.take(body.encode()).number == 1


def test_half_a_surrogate_pair_is_kept(intake: Intake) -> None:
    request = take(intake, prompt="\ud83d", image="http://example.com/\ud83d")
    assert json.loads(request.payload)["prompt"] == "\ud83d"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("", 400, "the body is not JSON"),
        ("{", 400, "the body is not JSON"),
        (b"\xff\xfe", 400, "the body is not JSON"),
        ("[" * 100_000, 400, "the body is not JSON"),
        ("9" * 5000, 400, "the body is not JSON"),
        ('{"model": "m", "payload": {"cfg_scale": NaN}}', 400, "the body is not JSON"),
        ("[]", 400, "the body: must be an object"),
        ("{}", 400, "model: is required"),
        ('{"model": 5, "payload": {}}', 400, "model: must be a string"),
        ('{"model": "nope", "payload": {}}', 404, "model: nope is unknown"),
        (f'{{"model": "{MODEL.lower()}", "payload": {{}}}}', 404, f"model: {MODEL.lower()} is unknown"),
        (f'{{"model": "{MODEL}"}}', 400, "payload: is required"),
        (f'{{"model": "{MODEL}", "payload": []}}', 400, "payload: must be an object"),
        (f'{{"model": "{MODEL}", "payload": {{}}}}', 400, "payload.image: is required"),
        (
            f'{{"model": "{MODEL}", "payload": {{"image": "x"}}}}',
            400,
            "payload.image: must be a URL or raw Base64, but is neither",
        ),
    ],
)
def test_wrong_bodies_are_refused(intake: Intake, body: bytes | str, status: int, message: str) -> None:
    assert refusal(intake, body) == (status, message)


def test_a_forbidden_prompt_is_refused(intake: Intake) -> None:
    body = json.dumps({"model": MODEL, "payload": payload(prompt="a Forbidden thing")})
    assert refusal(intake, body) == (400, "content policy: the prompt was refused")


def test_a_wrong_picture_is_refused_and_not_kept(intake: Intake) -> None:
    small = in_base64(encoded(scene(299, 300)))
    status, message = refusal(intake, json.dumps({"model": MODEL, "payload": payload(image=small)}))
    assert (status, message) == (400, "payload.image: is 299 x 300 pixels; both sides must be at least 300")
    assert list(intake.album.folder.iterdir()) == []


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.just(MODEL),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["model", "payload", "image", "prompt"]) | st.text(max_size=6), inner, max_size=4
            )
        ),
        max_leaves=8,
    ).map(lambda document: json.dumps(document).encode())
)
def test_any_body_is_accepted_or_refused(intake: Intake, body: bytes) -> None:
    error = refused(lambda: intake.take(body))
    assert error is None or error.status_code in (400, 404)
