"""Media in payloads: what a schema says of them, where they are, and what stands in their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.media import (
    EACH,
    Encoding,
    MediaKind,
    MediaParameter,
    encoded_replaced,
    first_picture,
    media_names,
    media_of,
    media_replaced,
    parameters_of,
    takes_several,
    with_first,
)
from runner.model import ModelSchema

IMAGE = {"x-media": {"kind": "image"}}
HASH = "sha256:" + "0a" * 32
URL = "https://example.com/a.jpg"


def schema(properties, **more):
    return ModelSchema("m", {"properties": properties, **more})


def places(properties, **more):
    return [each.steps for each in parameters_of(schema(properties, **more))]


def found(payload, *steps):
    return [(each.route, each.text) for each in media_of(payload, [MediaParameter(each, {}) for each in steps])]


@pytest.mark.parametrize(
    ("properties", "steps"),
    [
        ({"img_url": {"type": "string", **IMAGE}, "prompt": {}}, [("img_url",)]),
        ({"image": {"type": "string"}, "prompt": {}}, [("image",)]),
        ({"prompt": {"type": "string"}}, []),
        ({"image": {"x-image": {"minSide": 300}}}, [("image",)]),
        ({"refs": {"type": "array", **IMAGE}}, [("refs",)]),
        ({"refs": {"type": "array", "items": {"type": "string", **IMAGE}}}, [("refs", EACH)]),
        ({"refs": {"anyOf": [{"type": "string", **IMAGE}, {"items": IMAGE}]}}, [("refs",), ("refs", EACH)]),
        (
            {"list": {"items": {"properties": {"url": IMAGE, "kind": {}}}}, "tail": IMAGE},
            [("list", EACH, "url"), ("tail",)],
        ),
        ({"refs": {"items": {"properties": {"urls": {"items": IMAGE}}}}}, [("refs", EACH, "urls", EACH)]),
        ({"first": {"$ref": "#/$defs/frame"}, "last": {"$ref": "#/$defs/frame"}}, [("first",), ("last",)]),
        (
            # A circle ends.
            {"tree": {"properties": {"url": IMAGE, "branch": {"$ref": "#/properties/tree"}}}},
            [("tree", "url"), ("tree", "branch", "url")],
        ),
    ],
)
def test_media_are_found_wherever_a_schema_has_them(properties, steps):
    assert places(properties, **{"$defs": {"frame": {"type": "string", **IMAGE}}}) == steps


def test_what_a_parameter_says_of_itself():
    told = {"kind": "video", "role": "reference", "encodings": ["url", "data"]}
    first, old = parameters_of(schema({"clip": {"x-media": told}, "image": {"x-image": {"minSide": 300}}}))
    assert (first.name, first.kind, first.role) == ("clip", MediaKind.VIDEO, "reference")
    assert (first.encodings, first.inline) == ((Encoding.URL, Encoding.DATA), Encoding.DATA)
    assert (old.kind, old.role, old.rules["minSide"]) == (MediaKind.IMAGE, "first", 300)
    assert (old.encodings, old.inline) == ((Encoding.URL, Encoding.BASE64), Encoding.BASE64)
    assert MediaParameter(("a",), {"encodings": ["url"]}).inline is None


@pytest.mark.parametrize(
    ("roles", "first"),
    [
        (["last", "first"], 1),
        (["last", "reference", "source"], 1),
        (["source", "reference"], 0),
        (["last"], None),
        ([], None),
    ],
)
def test_the_images_of_a_manifest_fill_the_first_picture(roles, first):
    properties = {f"p{index}": {"x-media": {"kind": "image", "role": role}} for index, role in enumerate(roles)}
    clip = {"clip": {"x-media": {"kind": "video", "role": "first"}}}
    parameter = first_picture(schema(clip | properties))
    assert (parameter and parameter.name) == (None if first is None else f"p{first}")


@pytest.mark.parametrize(
    ("properties", "given", "whole"),
    [
        ({"img_url": IMAGE}, {}, "x"),
        ({"refs": {"type": "array", "items": IMAGE}}, {}, ["x"]),
        ({"refs": {"type": "array", **IMAGE}}, {"refs": ["b", "c"]}, ["x", "b", "c"]),
        ({"refs": {"type": ["string", "array"], **IMAGE}}, {}, "x"),
        ({"refs": {"type": ["string", "array"], **IMAGE}}, {"refs": "b"}, ["x", "b"]),
        (
            {"list": {"type": "array", "items": {"properties": {"url": IMAGE, "kind": {"const": "first"}, "n": {}}}}},
            {"list": [{"url": "b", "kind": "end"}]},
            [{"url": "x", "kind": "first"}, {"url": "b", "kind": "end"}],
        ),
        (
            {"refs": {"$ref": "#/$defs/refs"}},
            {},
            [{"urls": ["x"], "type": "subject"}],
        ),
        ({"media": {"properties": {"url": IMAGE, "fit": {"default": "crop"}}}}, {}, {"url": "x", "fit": "crop"}),
    ],
)
def test_a_picture_is_put_where_the_schema_has_it(properties, given, whole):
    ref = {"properties": {"urls": {"type": "array", "items": IMAGE}, "type": {"default": "subject"}}}
    model = schema(properties, **{"$defs": {"refs": {"type": "array", "items": ref}}})
    parameter = first_picture(model)
    made = with_first({"prompt": "p", **given}, parameter, model, "x")
    assert made == {"prompt": "p", parameter.name: whole}
    assert list(made)[-1] == parameter.name
    assert takes_several(model, parameter) is (isinstance(whole, list) or bool(given) or "array" in str(properties))


@pytest.mark.parametrize(
    ("payload", "steps", "texts"),
    [
        ({"a": "x", "b": "y"}, [("a",)], [(("a",), "x")]),
        ({"a": ["x", "y"]}, [("a",)], [(("a", 0), "x"), (("a", 1), "y")]),
        ({"a": "x"}, [("a", EACH)], [(("a",), "x")]),
        ({"a": "x"}, [("a",), ("a", EACH)], [(("a",), "x")]),
        ({"a": [{"u": "x", "v": "z"}, {"u": "y"}]}, [("a", EACH, "u")], [(("a", 0, "u"), "x"), (("a", 1, "u"), "y")]),
        ({"a": {"u": "x"}}, [("a", EACH, "u")], []),
        ({"a": None, "b": 5}, [("a",), ("b",), ("c",)], []),
        ({"a": {"u": ["x"]}}, [("a",)], []),
    ],
)
def test_the_texts_of_media_in_a_payload(payload, steps, texts):
    assert found(payload, *steps) == texts


NAMES = st.sampled_from("abc")
STEPS = st.lists(NAMES | st.just(EACH), max_size=4).map(tuple)


@st.composite
def nested(draw):
    """A payload with media at some steps, what else there is beside them, and how many there are."""
    steps = ("media", *draw(STEPS))
    count = 0

    def value(rest):
        nonlocal count
        if not rest:
            count += 1
            return f"file {count}"
        if rest[0] == EACH:
            return [value(rest[1:]) for _ in range(draw(st.integers(0, 2)))]
        others = draw(st.dictionaries(NAMES, st.integers() | st.text(max_size=3), max_size=2))
        return {**{name: each for name, each in others.items() if name != rest[0]}, rest[0]: value(rest[1:])}

    return {"prompt": "p", "n": [1, {"a": None}], "media": value(steps[1:])}, steps, lambda: count


@given(nested())
def test_what_was_replaced_is_found_again_and_nothing_else_changed(made):
    payload, steps, count = made
    parameter = MediaParameter(steps, {})
    before = list(media_of(payload, [parameter]))
    assert [each.text for each in before] == [f"file {number + 1}" for number in range(count())]
    replaced = media_replaced(payload, [parameter], lambda medium: f"sha256:{medium.text}")
    after = list(media_of(replaced, [parameter]))
    assert [(each.route, each.text) for each in after] == [(each.route, f"sha256:{each.text}") for each in before]
    assert media_replaced(replaced, [parameter], lambda medium: medium.text.removeprefix("sha256:")) == payload


def test_files_and_addresses_count_as_media_where_no_schema_says_so():
    payload = {"prompt": "see https://example.com", "tail": HASH, "refs": [{"u": URL}], "n": 3, "img": "coast.jpg"}
    assert media_names(payload, None) == {"tail", "refs"}
    assert media_names(payload, schema({"img": IMAGE})) == {"tail", "refs", "img"}


def test_files_in_base64_are_replaced_at_any_depth():
    encoded = "QUJD" * 40
    value = {"a": encoded, "b": [{"c": f"data:image/png;base64,{encoded}"}, "a text of people", 7, None], "d": "QUJD"}
    assert encoded_replaced(value, lambda text: str(len(text))) == {
        "a": "160",
        "b": [{"c": "182"}, "a text of people", 7, None],
        "d": "QUJD",
    }
