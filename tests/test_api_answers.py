"""What the service said: both outcome shapes, references of echoed pictures, and nothing of a wrong shape."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.api.answers import CUT_SHORT, message_of, number_of, parsed, reference_of, remote_of, words_of
from tests.kit import picture_bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = ("request_id", "model", "status", "org_id", "payload", "outcome", "created_at", "error", "message", "detail")
LINKS = ("video_url", "media_urls", "medias", "url", "thumbnail_image_url", "error")
OUTCOME = st.dictionaries(st.sampled_from(LINKS), JSON)


def document(**changes):
    return {
        "request_id": "r-1",
        "org_id": "o",
        "model": "m",
        "status": "success",
        "payload": {"prompt": "p", "image": "https://example.com/a.jpg"},
        "outcome": {"video_url": "https://f/v.mp4", "thumbnail_image_url": "https://f/t.jpg"},
        "created_at": 100,
        **changes,
    }


def test_a_request_as_it_is_documented():
    remote = remote_of(document())
    assert (remote.request_id, remote.model, remote.status, remote.organisation) == ("r-1", "m", "success", "o")
    assert (remote.created_at, remote.video_url, remote.thumbnail_url) == (100.0, "https://f/v.mp4", "https://f/t.jpg")
    assert remote.payload == {"prompt": "p", "image": "https://example.com/a.jpg"}
    assert remote.is_final
    assert "https://f/" not in repr(remote), "links may be signed: they stay out of what is shown"


@pytest.mark.parametrize(
    ("outcome", "url"),
    [
        ({"video_url": "u"}, "u"),
        ({"media_urls": [{"id": "0", "url": "u"}, {"id": "1", "url": "v"}]}, "u"),
        ({"media_urls": ["u"]}, "u"),
        ({"video_url": "", "media_urls": [{"url": "u"}]}, "u"),
        ({"medias": [{"url": "u", "type": "video"}]}, "u"),
        ({"medias": ["u"]}, "u"),
        ({"media_urls": "u"}, "u"),
        ({"media_urls": {"id": "0", "url": "u"}}, "u"),
        ({"url": "u"}, "u"),
        ({"video_url": {"url": "u"}}, "u"),
        ({"video_url": "u", "thumbnail_image_url": "u"}, "u"),
        ({"media_urls": [None, 7, {}, [], {"url": ["u"]}, "u"]}, "u"),
        ({"thumbnail_image_url": "t"}, None),
        ({"audio_url": "a", "image_url": "i", "data": {"url": "d"}, "status": "success"}, None),
        ({"video_url": 7, "media_urls": [{"url": 7}]}, None),
        ({"media_urls": {}}, None),
        ({"media_urls": []}, None),
        ({}, None),
        (None, None),
        ("u", None),
        (["u"], None),
    ],
)
def test_both_shapes_of_an_outcome(outcome, url):
    assert remote_of(document(outcome=outcome)).video_url == url


@pytest.mark.parametrize(
    ("outcome", "further"),
    [
        ({"media_urls": ["u", {"url": "v"}, "u"], "medias": [{"url": "w"}]}, ("v", "w")),
        ({"video_url": "u", "media_urls": [{"url": "u"}, {"url": "v"}], "url": "u"}, ("v",)),
        ({"video_url": "u", "media_urls": ["u", "t", "v"], "thumbnail_image_url": "t"}, ("v",)),
        ({"media_urls": ["u", "v"], "thumbnail_image_url": "u"}, ("v",)),
        ({"video_url": "u"}, ()),
        ({}, ()),
    ],
)
def test_further_videos_of_an_outcome_are_told_once_each(outcome, further):
    remote = remote_of(document(outcome=outcome))
    assert (remote.video_url, remote.further_urls) == ("u" if outcome else None, further)
    assert repr(further)[:-1] not in repr(remote) or not further, "links may be signed"


def test_an_id_under_another_name():
    told = document()
    del told["request_id"]
    assert remote_of({**told, "id": "g7/\N{SNOWMAN} =="}).request_id == "g7/\N{SNOWMAN} =="
    assert remote_of(document(id="other")).request_id == "r-1"


@pytest.mark.parametrize(
    "told",
    [
        {"error": "why"},
        {"message": "why"},
        {"reason": "why"},
        {"error_message": "why"},
        {"reason": {"message": "why"}},
        {"error": {"code": 400, "message": "why", "status": "INVALID_ARGUMENT"}},
        {"outcome": {"error": {"code": 400, "message": "why", "status": "INVALID_ARGUMENT"}}},
        {"outcome": {"error": "why"}},
        {"outcome": {"message": "why"}},
        {"outcome": {"reason": "why", "status": "failed"}},
        {"outcome": {"error_message": {"detail": "why"}}},
        {"error": None, "message": "", "outcome": {"error": {"message": "why"}}},
    ],
)
def test_a_reason_under_any_name(told):
    assert remote_of({"request_id": "r", "status": "failed", **told}).error == "why"


@pytest.mark.parametrize("request_id", [None, "", 7, "x" * 201, "a\nb", "\ud800", "\x1b[2J", ["r"]])
def test_without_a_sound_request_id_it_is_no_request(request_id):
    assert remote_of(document(request_id=request_id)) is None


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": "a"}, "a"),
        ({"message": "a"}, "a"),
        ({"detail": "a"}, "a"),
        ({"error": "", "detail": "a"}, "a"),
        ({"error": {"message": "a"}}, "a"),
        ({"error": [{"detail": "a"}]}, "a"),
        ({"detail": [{"loc": [], "message": "a"}]}, "a"),
        ({"error": 7}, ""),
        (None, ""),
        ("  a \n b  ", "a b"),
        ({"error": "\x1b[31mred\ud800"}, "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_the_words_of_an_error(told, words):
    assert message_of(told) == words


def test_words_have_an_end():
    assert len(message_of({"error": "a" * 10_000})) == 500
    deep = "a"
    for _ in range(50_000):
        deep = {"error": deep}
    assert message_of(deep) == ""


@given(st.text())
def test_words_can_always_be_shown_and_stored(text):
    words = words_of(text)
    assert words.encode().decode() == words
    assert words.isprintable()


@given(JSON)
def test_any_json_is_a_request_or_none(anything):
    assert remote_of(anything) is None or anything["request_id"]
    assert isinstance(message_of(anything), str)


@given(st.dictionaries(st.sampled_from(NAMES), JSON | OUTCOME), st.text(min_size=1, max_size=9))
def test_any_request_of_any_shape_gives_sound_fields(told, request_id):
    remote = remote_of({**told, "request_id": request_id})
    if remote is None:
        assert not request_id.isprintable()
        return
    shown = (remote.request_id, remote.status, remote.organisation, remote.error)
    assert all(each is None or each.encode() is not None for each in shown)
    assert remote.created_at is None or abs(remote.created_at) < 1e15
    assert remote.video_url is None or isinstance(remote.video_url, str)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_numbers_are_finite_and_no_booleans(value):
    number = number_of(value)
    assert number is None or (not isinstance(value, bool) and number == value)


def encoded(content):
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_reference_of_a_picture_that_is_echoed_whole(kind):
    content = picture_bytes(1, kind=kind)
    reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert reference_of(encoded(content)) == reference
    assert reference_of(f"data:image/jpeg;base64,{encoded(content)}") == reference


@given(st.integers(min_value=0), st.sampled_from(["JPEG", "PNG"]), st.sampled_from(["", "...", "[truncated]", "="]))
def test_a_picture_that_is_echoed_short_is_no_other_picture(cut, kind, end):
    content = picture_bytes(2, kind=kind)
    text = encoded(content)
    # Padding and, in a PNG, the end of its last chunk say nothing of the picture.
    short = text[: cut % (len(text) - 20)] + end
    assert reference_of(short) == CUT_SHORT


@pytest.mark.parametrize(
    "text", ["", "not base64!", "aGVsbG8=", "data:", "data:image/png;base64,", "ftp://x", "\ud800"]
)
def test_what_is_no_picture_is_cut_short(text):
    assert reference_of(text) == CUT_SHORT


@pytest.mark.parametrize(
    ("payload", "echo"),
    [
        (None, None),
        ([], None),
        ("p", None),
        ({}, {}),
        ({"image": 7}, {"image": 7}),
        ({"image": "A" * 200}, {"image": CUT_SHORT}),
        ({"refs": [{"url": "QUJD" * 60}, "still"]}, {"refs": [{"url": CUT_SHORT}, "still"]}),
    ],
)
def test_an_echo_is_kept_as_a_reference_alone(payload, echo):
    assert remote_of(document(payload=payload)).payload == echo


@given(st.binary() | JSON.map(lambda each: json.dumps(each).encode()))
def test_any_bytes_are_json_or_nothing(content):
    parsed(content)


def test_deep_and_huge_json_is_nothing():
    assert parsed(b"[" * 200_000) is None
    assert parsed(b"[" * 200_000 + b"]" * 200_000) is None
    assert parsed(b"[" * 101 + b"]" * 101) is None
    assert parsed(b"[" * 100 + b"]" * 100) is not None
    assert parsed(b"1" * 10_000) is None
    assert parsed(b'{"a": 1}') == {"a": 1}
