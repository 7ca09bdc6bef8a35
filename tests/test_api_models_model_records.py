from __future__ import annotations

import os
from decimal import Decimal

import pytest

from runner.api.answers import Answer
from runner.api.client import Client
from runner.api.models.model_records import (
    ModelRecord,
    ServicePrices,
    ToldParameter,
    asked_record,
    patient_for_price,
    record_of,
)  # fmt: skip
from runner.api.service import Service
from runner.model import Price
from tests.faults.service import FaultyService, status

SECOND = {"price": 152000, "unit": "second", "pricing_type": "standard"}
TIERS = {"480p": Decimal("0.07"), "720p": Decimal("0.152")}


def price(info=SECOND, details=""):
    return record_of({"price_info": info, "pricing_details": details}, "m").price


def answering(document):
    return lambda call: call.answer(200, document)


@pytest.fixture
def service():
    with FaultyService(b"") as running:
        yield running


def client(service):
    return Client(patient_for_price(Service(service.base_url)))


@pytest.mark.parametrize(
    ("info", "told"),
    [
        (SECOND, Price(Decimal("0.152"), is_per_second=True)),
        ({"price": 280000, "unit": "request"}, Price(Decimal("0.28"), is_per_second=False)),
        ({"price": 0}, Price(Decimal(0), is_per_second=False)),
        ({"price": 1, "unit": "Second"}, Price(Decimal("0.000001"), is_per_second=True)),
        ({"price": 280000, "unit": "image"}, None),
        ({"price": "0.28", "unit": "second"}, None),
        ({"price": True, "unit": "second"}, None),
        ({"price": -1, "unit": "second"}, None),
        ({"price": 0.5, "unit": "second"}, None),
        ({}, None),
        ("free", None),
    ],
)
def test_a_price_is_in_millionths_of_a_dollar(info, told):
    assert price(info) == told


@pytest.mark.parametrize(
    "details",
    [
        "Per second: 480p=$0.07, 720p=$0.152",
        "480P: $0.07/second; 720P: $0.152/second",
        "480p: $0.07 / second\n720p: $0.152 per second.",
    ],
)
def test_the_tiers_of_both_wordings_are_read(details):
    assert price(details=details) == Price(Decimal("0.152"), is_per_second=True, tiers=TIERS)


@pytest.mark.parametrize(
    "details", ["$0.152 per second", "Billed by the second: $0.152.", "Ask us.", "$0.152 or $0.152"]
)
def test_a_text_that_agrees_with_the_price_changes_nothing(details):
    assert price(details=details) == Price(Decimal("0.152"), is_per_second=True)


@pytest.mark.parametrize(
    "details",
    [
        "from $0.07 to $0.152",
        "480p=$0.07, 720p=$0.152, with sound twice that",
        "480P: $0.07/request; 720P: $0.152/request",
        "480p=$0.07, 720p=$0.152",
        "Per second: 480p=$0.07, 720p=$0.14",
        "Per second: 480p=$0.07, 480P=$0.152",
    ],
)
def test_a_text_that_is_not_certain_makes_the_price_unknown(details):
    assert price(details=details) is None


def test_a_tier_costs_what_it_says_and_another_resolution_is_not_known():
    told = price(details="Per second: 480p=$0.07, 720p=$0.152")
    assert told.of({"resolution": "720P"}, 5) == Decimal("0.760")
    assert told.of({"quality": "480p", "prompt": "in 4k"}, 10) == Decimal("0.70")
    assert told.of({"resolution": "1080p"}, 5) is None
    assert told.of({}, 5) is None
    assert told.of({"a": "480p", "b": "720p"}, 5) is None
    assert told.of({"resolution": "720p"}, None) is None


def test_a_parameter_is_read_and_the_rest_is_left_out():
    record = record_of(
        {
            "model": "m-1",
            "parameters": [
                {
                    "name": "payload.duration", "display_name": "Duration", "description": "Seconds", "type": "Enum",
                    "required": True, "default_value": "5", "options": ["5", "10"], "min_value": None, "max_value": 7,
                },
                {"description": "has no name"},
                "no parameter",
                {"name": "x", "type": 5, "required": "yes", "options": "5", "min_value": "1", "max_value": True},
            ],
        },
        "asked",
    )  # fmt: skip
    assert record.name == "m-1"
    assert record.parameters == (
        ToldParameter("duration", "Duration", "Seconds", "enum", True, "5", ("5", "10"), None, 7.0),
        ToldParameter("x", "", "", "", False, None, (), None, None),
    )


def test_the_service_is_asked_by_name(service):
    paths = []

    def told(call):
        paths.append(call.path)
        call.answer(200, {"price_info": SECOND})

    service.always["other"] = told
    asking = ServicePrices(lambda: client(service))
    assert asking("a model/1") == Price(Decimal("0.152"), is_per_second=True)
    assert paths == ["/models/a%20model%2F1"]


@pytest.mark.parametrize("fault", [status(500), status(404), status(401), answering(["no record"]), answering({})])
def test_a_service_that_tells_no_price(service, fault):
    service.always["other"] = fault
    assert ServicePrices(lambda: client(service))("m") is None


def test_a_silent_service_is_asked_once():
    opened = []

    def open_client():
        opened.append(1)
        return Client(patient_for_price(Service("http://127.0.0.1:1")))

    asking = ServicePrices(open_client)
    assert [asking(each) for each in "abc"] == [None, None, None]
    assert len(opened) == 1


def test_a_free_service_is_not_asked():
    assert ServicePrices(lambda: None)("m") is None


def test_what_is_no_record_is_the_reply(service):
    service.always["other"] = status(404)
    assert asked_record(client(service), "m").status == 404
    assert isinstance(asked_record(Client(Service("http://127.0.0.1:1", connect_timeout=1)), "m"), Answer)
    service.always["other"] = answering({"price_info": SECOND})
    assert isinstance(asked_record(client(service), "m"), ModelRecord)


def test_a_price_is_waited_for_briefly():
    patient = patient_for_price(Service("https://service.example", read_timeout=60, patience=60))
    assert (patient.connect_timeout, patient.read_timeout) == (5.0, 2.5)
    assert os.environ.get("GMI_API_KEY") is None
