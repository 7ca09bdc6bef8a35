"""The body of a submission: its bytes, its length, and a picture that changed."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.api.body import BLOCK, Body, FileText, PictureChangedError, base64_length, blocks_of
from runner.model import Image, Origin, canonical_json, fingerprint

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def from_file(path, **payload):
    content = path.read_bytes()
    reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
    image = Image("shoe", Origin.FILE, str(path), reference, {}, (), len(content))
    return Body("m", {"image": reference, **payload}, {reference: FileText(image)})


def inline(content, **payload):
    reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
    image = Image("dot", Origin.INLINE, base64.b64encode(content).decode(), reference, {}, (), len(content))
    return Body("m", {"image": reference, **payload}, {reference: FileText(image)})


@pytest.mark.parametrize("size", [1, 2, 3, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 2])
def test_a_file_goes_out_as_raw_base64_of_a_known_length(tmp_path, size):
    content = bytes(each % 251 for each in range(size))
    (tmp_path / "a.jpg").write_bytes(content)
    words = "Gr\u00fc\u00dfe \N{SMILING FACE WITH SMILING EYES}"
    body = from_file(tmp_path / "a.jpg", prompt=words, cfg_scale=0.5)
    blocks = list(body)
    sent = b"".join(blocks)
    assert len(body) == len(sent)
    document = json.loads(sent)
    picture = base64.b64encode(content).decode()
    assert document == {"model": "m", "payload": {"prompt": words, "cfg_scale": 0.5, "image": picture}}
    assert max(map(len, blocks)) <= base64_length(BLOCK)
    assert list(document["payload"])[-1] == "image", "the picture is last: a body that is cut is no JSON"


def test_a_url_is_passed_on_as_it_is():
    url = "https://example.com/ä?x=1&y=\"'"
    body = Body("m", {"image": url, "prompt": ""}, {})
    sent = b"".join(body)
    assert json.loads(sent) == {"model": "m", "payload": {"prompt": "", "image": url}}
    assert len(sent) == len(body)


@given(
    st.binary(min_size=1, max_size=64),
    st.dictionaries(TEXT.filter(lambda each: each != "image"), JSON),
)
def test_any_payload_arrives_as_it_is(content, payload):
    body = inline(content)
    body = Body("m", {**payload, **body.payload}, body.files)
    sent = b"".join(body)
    assert len(body) == len(sent)
    document = json.loads(sent)
    assert base64.b64decode(document["payload"].pop("image")) == content
    # A large number is written as ECMAScript does: other digits, the same double.
    assert canonical_json(document) == canonical_json({"model": "m", "payload": payload})


def test_requests_of_one_fingerprint_have_the_same_bytes():
    body, files = inline(b"x"), inline(b"x").files
    one = Body("m", {"a": 1.0, "b": {"d": 2, "c": 3}, **body.payload}, files)
    other = Body("m", {**body.payload, "b": {"c": 3, "d": 2}, "a": 1}, files)
    assert fingerprint("m", one.payload) == fingerprint("m", other.payload)
    assert b"".join(one) == b"".join(other)


@given(st.integers(0, 10_000))
def test_the_length_of_base64(size):
    assert base64_length(size) == len(base64.b64encode(bytes(size)))


def drain(body, blocks):
    for block in body:
        blocks.append(block)


def changed(path, how):
    content = path.read_bytes()
    match how:
        case "first byte":
            path.write_bytes(b"\xff" + content[1:])
        case "last byte":
            path.write_bytes(content[:-1] + b"\xff")
        case "shrunk by one":
            path.write_bytes(content[:-1])
        case "shrunk to a block":
            path.write_bytes(content[:BLOCK])
        case "grown by one":
            path.write_bytes(content + b"x")
        case "empty":
            path.write_bytes(b"")
        case "gone":
            path.unlink()
        case "a folder":
            path.unlink()
            path.mkdir()


@pytest.mark.parametrize(
    "how",
    ["first byte", "last byte", "shrunk by one", "shrunk to a block", "grown by one", "empty", "gone", "a folder"],
)
@pytest.mark.parametrize("size", [3, BLOCK, 2 * BLOCK, 2 * BLOCK + 5])
def test_a_picture_that_changed_is_never_sent_whole(tmp_path, size, how):
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(size))
    body = from_file(path, prompt="p")
    if how == "shrunk to a block" and size <= BLOCK:
        how = "shrunk by one"
    changed(path, how)
    blocks: list[bytes] = []
    with pytest.raises(PictureChangedError) as caught:
        drain(body, blocks)
    sent = b"".join(blocks)
    assert len(sent) <= len(body) - len(b'"}}') - 4, "at least the last block of the picture is held back"
    assert caught.value.hint
    with pytest.raises(json.JSONDecodeError):
        json.loads(sent)


def test_a_body_can_be_sent_again(tmp_path):
    (tmp_path / "a.jpg").write_bytes(bytes(10))
    body = from_file(tmp_path / "a.jpg")
    assert list(body) == list(body)


@pytest.mark.parametrize(
    ("written", "shown", "remedy"),
    [
        ("s3://campaigns/shoe.jpg", "(s3://campaigns/shoe.jpg)", "run the same command again"),
        ("shoe.jpg", "/gone/shoe.jpg)", "put it back, then run the same command again"),
    ],
)
def test_a_file_that_is_gone_is_told_by_the_name_that_people_know(written, shown, remedy):
    image = Image("shoe", Origin.FILE, "/gone/shoe.jpg", f"sha256:{'0' * 64}", {}, (), 10, written=written)
    with pytest.raises(PictureChangedError) as caught:
        list(blocks_of(image))
    assert (shown in caught.value.message, caught.value.hint) == (True, remedy)
