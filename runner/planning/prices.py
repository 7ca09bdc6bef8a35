"""What submissions cost, as far as the manifest says."""

from __future__ import annotations

from decimal import Decimal

from runner.model import Budget, Job


def has_price(budget: Budget) -> bool:
    return budget.price_per_job is not None or budget.price_per_second is not None


def price_of(budget: Budget, job: Job) -> Decimal | None:
    """What submitting the job costs; a price per second says nothing of a video whose length is not known."""
    return None if budget.price_per_job is None and job.seconds is None else budget.price(job.seconds or 0.0)
