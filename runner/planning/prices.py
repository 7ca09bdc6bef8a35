"""What submissions cost, as far as the manifest says."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from runner.model import Budget


def has_price(budget: Budget) -> bool:
    return budget.price_per_job is not None or budget.price_per_second is not None


# Asked for every job, and the same for all of one length.
@lru_cache(maxsize=64)
def price_of(budget: Budget, seconds: float | None) -> Decimal | None:
    """What submitting a job costs; a price per second says nothing of a video whose length is not known."""
    return None if budget.price_per_job is None and seconds is None else budget.price(seconds or 0.0)
