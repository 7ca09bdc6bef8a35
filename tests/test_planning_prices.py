from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.manifest.reader import load
from runner.model import Budget, Price
from runner.planning.prices import Prices
from tests.kit import MODEL, make_job, write_manifest

TOLD = Price(Decimal("0.05"), is_per_second=True)
JOB = make_job()


class Service:
    """Tells a price, and which models it was asked for."""

    def __init__(self, price=TOLD):
        self.price, self.asked = price, []

    def __call__(self, model):
        self.asked.append(model)
        return self.price


def manifest(folder, **keys):
    return load(write_manifest(folder, **keys))


def test_the_manifest_goes_before_the_service(tmp_path):
    service = Service()
    for keys in ({"budget": {"price_per_job": 0.3}}, {"models": {MODEL: {"price_per_job": 0.3}}}):
        assert Prices(manifest(tmp_path, **keys), service).of(JOB) == Decimal("0.3")
    both = manifest(tmp_path, budget={"price_per_job": 9}, models={MODEL: {"price_per_second": 0.1}})
    assert Prices(both, service).of(JOB) == Decimal("0.50")
    assert service.asked == []


def test_the_service_is_asked_once_a_model(tmp_path):
    service = Service()
    prices = Prices(manifest(tmp_path), service)
    assert [prices.of(JOB), prices.of(replace(JOB, seconds=10.0)), prices.of(replace(JOB, seconds=None))] == [
        Decimal("0.25"), Decimal("0.50"), None,
    ]  # fmt: skip
    assert service.asked == [MODEL]
    assert prices.told == {MODEL: TOLD}


def test_a_service_that_tells_nothing_is_not_asked_again(tmp_path):
    service = Service(None)
    prices = Prices(manifest(tmp_path), service)
    assert (prices.of(JOB), prices.of(JOB)) == (None, None)
    assert (service.asked, prices.told) == ([MODEL], {})


def test_dollars_are_no_price_in_another_currency(tmp_path):
    service = Service()
    assert Prices(manifest(tmp_path, budget={"currency": "EUR"}), service).of(JOB) is None
    assert service.asked == []


@pytest.mark.parametrize(
    ("budget", "seconds", "price"),
    [
        (Budget(), 5.0, None),
        (Budget(price_per_job=Decimal("0.25")), 5.0, Decimal("0.25")),
        (Budget(price_per_job=Decimal("0.25")), None, Decimal("0.25")),
        (Budget(price_per_second=Decimal("0.05")), 10.0, Decimal("0.5")),
        (Budget(price_per_second=Decimal("0.05")), None, None),
        (Budget(price_per_job=Decimal(0)), None, Decimal(0)),
    ],
)
def test_a_price_of_the_budget(budget, seconds, price):
    assert budget.price(seconds) == price
    assert budget.has_price is (budget != Budget())
