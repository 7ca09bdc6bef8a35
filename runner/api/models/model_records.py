"""What the service tells of a model: its parameters and its price.

Facts of `GET /models/{model}`: every member is optional, `price_info.price` is in millionths of a dollar, and prices of
single resolutions stand only in the text `pricing_details`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import quote

from runner.api.answers import Answer, text_of
from runner.api.client import Client, Reply
from runner.api.service import Service
from runner.manifest.json_values import items, mapping
from runner.model import Json, Price

# Seconds within which the service tells a price. A run goes on without it.
_PATIENCE = 5.0
_MILLION = Decimal(1_000_000)
# The units of a price, each with whether it is one of seconds of video. One of images is no price of a video.
_UNITS = {"second": True, "seconds": True, "request": False, "video": False, "": False}
_AMOUNT = re.compile(r"\$\s*(\d+(?:\.\d+)?)")
# One tier: `480P: $0.05/second` or `480p=$0.07`.
_TIER = re.compile(
    r"(\d{3,4}p|[248]k)\s*[:=]\s*\$\s*(\d+(?:\.\d+)?)\s*(?:(?:/|per )\s*(second|request|video|s))?", re.IGNORECASE
)
_LEAD = re.compile(r"per (second|request|video)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToldParameter:
    """A parameter as the service tells it. `default`, `least` and `most` are None where it tells none."""

    name: str
    title: str
    description: str
    type: str
    is_required: bool
    default: Json
    options: tuple[Json, ...]
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as the service tells it. `price` is None where it is not certain."""

    name: str
    description: str
    parameters: tuple[ToldParameter, ...]
    price: Price | None


class ServicePrices:
    """Asks the service for the price of a model, in dollars. Once it was silent, it is not asked again."""

    def __init__(self, open_client: Callable[[], Client | None]) -> None:
        """`open_client` gives None where the service is free, or must not be asked."""
        self._open_client = open_client
        self._is_silent = False

    def __call__(self, model: str) -> Price | None:
        client = None if self._is_silent else self._open_client()
        if client is None:
            return None
        found = asked_record(client, model)
        self._is_silent = isinstance(found, Answer)
        return found.price if isinstance(found, ModelRecord) else None


def patient_for_price(service: Service) -> Service:
    """The same service, for a price that a run can do without."""
    limit = min(_PATIENCE, service.patience)
    # A whole answer may take twice as long as a pause in it.
    return replace(service, connect_timeout=limit, read_timeout=limit / 2)


def asked_record(client: Client, model: str) -> ModelRecord | Reply | Answer:
    """What the service tells of a model; its reply where that is an error, or what is no record."""
    reply = client.fetch_json(f"/models/{quote(model, safe='')}")
    if isinstance(reply, Answer) or reply.status != 200 or not isinstance(reply.document, dict):
        return reply
    return record_of(reply.document, model)


def record_of(document: Mapping[str, Json], model: str) -> ModelRecord:
    """Read a record. What has a wrong type is as if it were not told."""
    details = text_of(document.get("pricing_details")) or ""
    return ModelRecord(
        text_of(document.get("model")) or model,
        text_of(document.get("brief_description")) or "",
        tuple(
            _parameter(mapping(each))
            for each in items(document.get("parameters"))
            if text_of(mapping(each).get("name"))
        ),
        _price(mapping(document.get("price_info")), details),
    )


def _parameter(told: Mapping[str, Json]) -> ToldParameter:
    return ToldParameter(
        name=str(told["name"]).removeprefix("payload."),
        title=text_of(told.get("display_name")) or "",
        description=text_of(told.get("description")) or "",
        type=(text_of(told.get("type")) or "").lower(),
        is_required=told.get("required") is True,
        default=told.get("default_value"),
        options=tuple(items(told.get("options"))),
        least=_number(told.get("min_value")),
        most=_number(told.get("max_value")),
    )


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _price(info: Mapping[str, Json], details: str) -> Price | None:
    """The price, and those of single resolutions where the text has them in one of its known forms.

    A text with other amounts in another form makes the price uncertain: then it is not known.
    """
    amount, unit = info.get("price"), text_of(info.get("unit")) or ""
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0 or unit.lower() not in _UNITS:
        return None
    price = Price(amount / _MILLION, _UNITS[unit.lower()])
    if {Decimal(each) for each in _AMOUNT.findall(details)} <= {price.amount}:
        return price
    tiers = _tiers(details, price)
    return replace(price, tiers=tiers) if tiers else None


def _tiers(details: str, price: Price) -> dict[str, Decimal]:
    """The prices by resolution. Empty where the text has anything else, or does not agree with the price."""
    lead = _LEAD.match(details)
    found = [
        _TIER.fullmatch(each.strip()) for each in re.split(r"[;,\n]", details[lead.end() if lead else 0 :].strip(" .;"))
    ]
    tiers: dict[str, Decimal] = {}
    for each in found:
        unit = (each.group(3) or (lead.group(1) if lead else "") if each else "").lower()
        if each is None or unit not in (("second", "s") if price.is_per_second else ("request", "video", "")):
            return {}
        tiers[each.group(1).casefold()] = Decimal(each.group(2))
    return tiers if price.amount in tiers.values() and len(tiers) == len(found) else {}
