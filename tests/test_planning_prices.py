"""What submissions cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner.model import Budget


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
def test_a_price(budget, seconds, price):
    assert budget.price(seconds) == price
    assert budget.has_price is (budget != Budget())
