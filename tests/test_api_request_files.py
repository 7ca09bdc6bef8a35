"""What stands in a request for each file: its address, its Base64, or a data URI."""

from __future__ import annotations

import base64
import json

import pytest

from runner.api.body import Body
from runner.api.request_files import files_of
from runner.media import MediaParameter
from runner.model import Image, Origin
from tests.kit import picture_bytes, sound_bytes

FIRST, LAST = "sha256:" + "0a" * 32, "sha256:" + "0b" * 32
URL = "https://example.com/a.jpg"


def written(folder, name, data):
    import hashlib

    path = folder / name
    path.write_bytes(data)
    reference = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return Image(name, Origin.FILE, str(path), reference, {}, (), len(data), written=name)


def sent(payload, encodings, images, addresses=None):
    parameters = [MediaParameter((name,), {"encodings": encodings}) for name in payload]
    body = Body("m", payload, files_of(payload, parameters, {each.reference: each for each in images}, addresses or {}))
    content = b"".join(body)
    assert len(content) == len(body)
    return json.loads(content)["payload"]


@pytest.mark.parametrize(
    ("encodings", "prefix"),
    [
        (["base64", "url"], ""),
        (["url", "base64"], ""),
        (["data"], "data:image/png;base64,"),
        (["url", "data", "base64"], "data:image/png;base64,"),
    ],
)
def test_a_file_as_text(tmp_path, encodings, prefix):
    data = picture_bytes(1, kind="PNG")
    # Its name says nothing.
    image = written(tmp_path, "a.jpg", data)
    found = sent({"x": image.reference}, encodings, [image])
    assert found == {"x": prefix + base64.b64encode(data).decode()}


def test_a_sound_as_a_data_uri(tmp_path):
    image = written(tmp_path, "voice", sound_bytes())
    assert sent({"x": image.reference}, ["data"], [image])["x"].startswith("data:audio/mpeg;base64,")


def test_several_files_anywhere_in_one_body(tmp_path):
    one, other = written(tmp_path, "a.jpg", picture_bytes(1)), written(tmp_path, "b.jpg", picture_bytes(2))
    payload = {"refs": [{"urls": [one.reference, URL]}, {"urls": [other.reference]}], "tail": one.reference}
    parameters = [MediaParameter(("refs", "[]", "urls", "[]"), {}), MediaParameter(("tail",), {})]
    images = {each.reference: each for each in (one, other)}
    content = json.loads(b"".join(Body("m", payload, files_of(payload, parameters, images, {}))))["payload"]
    first, second = (base64.b64encode(picture_bytes(number)).decode() for number in (1, 2))
    assert content == {"refs": [{"urls": [first, URL]}, {"urls": [second]}], "tail": first}


def test_an_address_goes_out_in_place_of_its_file(tmp_path):
    image = written(tmp_path, "a.jpg", picture_bytes(1))
    assert sent({"x": image.reference, "y": URL}, ["url"], [image], {image.reference: URL}) == {"x": URL, "y": URL}
    # Even where it could be put into the request.
    assert sent({"x": image.reference}, ["base64", "url"], [image], {image.reference: URL}) == {"x": URL}


def test_what_is_not_known_stays_as_it_is(tmp_path):
    image = written(tmp_path, "a.jpg", picture_bytes(1))
    assert sent({"x": FIRST, "y": LAST}, ["base64"], [image]) == {"x": FIRST, "y": LAST}
    assert sent({"x": image.reference}, ["url"], [image]) == {"x": image.reference}
