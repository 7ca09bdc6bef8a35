"""What jobs cost: as the manifest says, else as the service does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from runner.model import Job, Manifest, Price

# The price of a model, in dollars, as the service tells it; None if it does not.
AskPrice = Callable[[str], Price | None]
_CURRENCY = "USD"


def nobody(model: str) -> None:
    """Asks nobody."""


class Prices:
    """The prices of jobs that would be submitted. The service is asked once a model, where the manifest has none."""

    def __init__(self, manifest: Manifest, ask: AskPrice = nobody) -> None:
        self._manifest = manifest
        self._ask = ask if manifest.budget.currency == _CURRENCY else nobody
        self._known: dict[str, Price | None] = {}
        self._told: dict[str, Price] = {}

    def of(self, job: Job) -> Decimal | None:
        """What submitting a job costs; None if that is not known."""
        price = self.of_model(job.model)
        return None if price is None else price.of(job.payload, job.seconds)

    def of_model(self, model: str) -> Price | None:
        if model not in self._known:
            stated, _ = self._manifest.price_of(model)
            told = self._ask(model) if stated is None else None
            if told is not None:
                self._told[model] = told
            self._known[model] = stated or told
        return self._known[model]

    @property
    def told(self) -> dict[str, Price]:
        """The prices that the service told, by model."""
        return dict(self._told)
