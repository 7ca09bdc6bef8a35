from __future__ import annotations

import pytest

from runner.api.models.model_records import record_of
from runner.api.models.schema_drift import differences
from runner.manifest.schema.model_schemas import shipped_schema
from runner.sandbox.catalog import Model
from runner.sandbox.replies import model_detail
from runner.shipped import shipped_document, shipped_models
from tests.kit import MODEL


def told(model=MODEL):
    return model_detail(Model(model, shipped_document(model)), 1)


def found(document, model=MODEL):
    return [(each.text, each.is_risk) for each in differences(shipped_schema(model), record_of(document, model))]


def changed(name, **members):
    document = told()
    for each in document["parameters"]:
        if each["name"] == name:
            each.update(members)
    return document


@pytest.mark.parametrize("model", shipped_models())
def test_a_model_as_its_schema_says_differs_in_nothing(model):
    assert found(told(model), model) == []


def test_a_service_that_tells_no_parameters_differs_in_none():
    assert found({"parameters": []}) == []


@pytest.mark.parametrize(
    ("document", "differs"),
    [
        (changed("duration", options=["5"]), [("duration: the service offers 10 no more", True)]),
        (changed("duration", options=["5", "10", "15"]), [("duration: the service offers 15, too", False)]),
        (
            changed("duration", default_value="10"),
            [("duration: the default is 10 at the service; here 5 is sent", False)],
        ),
        (changed("cfg_scale", max_value=0.9), [("cfg_scale: the maximum is 0.9 at the service, 1 here", True)]),
        (changed("cfg_scale", max_value=2), [("cfg_scale: the maximum is 2 at the service, 1 here", False)]),
        (changed("cfg_scale", min_value=0.1), [("cfg_scale: the minimum is 0.1 at the service, 0 here", True)]),
        (changed("negative_prompt", required=True), [("the service requires negative_prompt", False)]),
    ],
)
def test_what_changed_is_told(document, differs):
    assert found(document) == differs


def test_parameters_that_came_and_went():
    document = told()
    document["parameters"] = [each for each in document["parameters"] if each["name"] != "cfg_scale"]
    document["parameters"] += [{"name": "mode", "type": "string"}, {"name": "plan", "type": "string", "required": True}]
    assert found(document) == [
        ("the service does not know cfg_scale", True),
        ("the service has mode, the schema has not", False),
        ("the service has plan, the schema has not", True),
    ]


def test_a_parameter_that_is_required_now_and_has_no_default():
    document = told("kling-v3-text-to-video")
    for each in document["parameters"]:
        if each["name"] == "negative_prompt":
            each["required"] = True
    assert ("the service requires negative_prompt", True) in found(document, "kling-v3-text-to-video")
