from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runner.sandbox.catalog import Model
from runner.sandbox.constraints import check_payload, check_policy
from runner.sandbox.errors import RefusedError
from tests.test_sandbox_kit import MODEL, SCHEMA, refused, shipped_schema

KLING = Model.of(MODEL, SCHEMA)
SHIPPED = Model.of(MODEL, shipped_schema(MODEL))


@pytest.fixture(params=[KLING, SHIPPED], ids=["kit", "shipped"])
def kling(request: pytest.FixtureRequest) -> Model:
    assert isinstance(request.param, Model)
    return request.param


def refusal(payload: dict[str, object], model: Model) -> str:
    with pytest.raises(RefusedError) as caught:
        check_payload(model, payload)
    assert caught.value.status == 400
    return caught.value.message


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"prompt": "x" * 2500, "negative_prompt": "é" * 2500},
        {"prompt": "🎬" * 2500},
        {"duration": "5"},
        {"duration": "10"},
        {"cfg_scale": 0},
        {"cfg_scale": 1},
        {"cfg_scale": 0.0},
        {"cfg_scale": 1.0},
        {"cfg_scale": 0.333},
    ],
)
def test_what_is_just_inside_is_accepted(kling: Model, more: dict[str, object]) -> None:
    check_payload(kling, {"image": "x", **more})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"duration": 5}, 'payload.duration: must be "5" or "10"'),
        ({"duration": "6"}, 'payload.duration: must be "5" or "10"'),
        ({"cfg_scale": -0.01}, "payload.cfg_scale: must be at least 0"),
        ({"cfg_scale": 1.01}, "payload.cfg_scale: must be at most 1"),
        ({"cfg_scale": 2}, "payload.cfg_scale: must be at most 1"),
        ({"cfg_scale": "0.5"}, "payload.cfg_scale: must be a number"),
        ({"cfg_scale": True}, "payload.cfg_scale: must be a number"),
        ({"cfg_scale": None}, "payload.cfg_scale: must be a number"),
        ({"prompt": "x" * 2501}, "payload.prompt: has 2501 characters; at most 2500 are allowed"),
        ({"negative_prompt": "x" * 2501}, "payload.negative_prompt: has 2501 characters; at most 2500 are allowed"),
        ({"prompt": 7}, "payload.prompt: must be a string"),
        ({"image": ["x"]}, "payload.image: must be a string"),
        ({"seed": 1}, "payload.seed: is not a parameter of this model"),
    ],
)
def test_what_is_just_outside_is_refused_by_name(kling: Model, more: dict[str, object], message: str) -> None:
    given = {"image": "x", **more}
    # Of two complaints about one field either will do: "5 is not a string" and "5 is not one of these".
    assert refusal(given, kling) in (message, "payload.duration: must be a string")


def test_a_missing_parameter_is_named(kling: Model) -> None:
    assert refusal({"prompt": "x"}, kling) == "payload.image: is required"


def test_what_was_sent_is_never_repeated(kling: Model) -> None:
    assert "secret" not in refusal({"image": "x", "duration": "secret" * 1000}, kling)
    assert len(refusal({"image": "x", "k" * 5000: 1}, kling)) < 200


@pytest.mark.parametrize(
    ("rules", "value", "message"),
    [
        ({"const": "on"}, "off", "does not satisfy const"),
        ({"type": ["string", "null"]}, 5, "must be a string or null"),
        ({"pattern": "^a", "patternErrorMessage": "begins with an a"}, "b", "payload.thing: begins with an a"),
        ({"pattern": "^a"}, "b", "does not satisfy pattern"),
        ({"multipleOf": 5}, 7, "must be a multiple of 5"),
        ({"exclusiveMinimum": 0}, 0, "must be more than 0"),
        ({"items": {"type": "integer"}}, [1, "x"], "must be a whole number"),
    ],
)
def test_schemas_of_other_models_have_messages_too(rules: dict[str, object], value: object, message: str) -> None:
    model = Model.of("other", {"properties": {"thing": rules}})
    assert message in refusal({"thing": value}, model)


@pytest.mark.parametrize("prompt", ["a forbidden thing", "FORBIDDEN", "so Forbidden."])
def test_the_word_that_is_refused(prompt: str) -> None:
    with pytest.raises(RefusedError, match="content policy: the prompt was refused"):
        check_policy({"prompt": prompt})


@pytest.mark.parametrize("prompt", ["", "unforbidden", "forbiddenly", "forbid"])
def test_words_that_only_look_like_it(prompt: str) -> None:
    check_policy({"prompt": prompt, "negative_prompt": "forbidden"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["image", "prompt", "negative_prompt", "duration", "cfg_scale"]) | st.text(max_size=8)


@hypothesis_settings(deadline=None)
@given(st.dictionaries(names, json_values, max_size=5))
def test_any_payload_is_accepted_or_refused_in_one_line(payload: dict[str, object]) -> None:
    error = refused(lambda: check_payload(KLING, payload))
    assert error is None or error.message.startswith("payload.")
    assert error is None or len(error.message) < 300
