"""Which service, with which key, for which organisation."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runner.errors import AccessError, UsageError

# The base URL that the vendor documents. Other clients of this API read the same environment variables.
DEFAULT_BASE = "https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey"
SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Service:
    """Where requests go. Time-outs are in seconds. The key is sent only to the origin of the base URL."""

    base_url: str
    key: str | None = field(default=None, repr=False)
    organisation: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0

    @property
    def origin(self) -> str:
        """Scheme, host and port. The key is sent nowhere else."""
        return origin_of(self.base_url)

    @property
    def is_loopback(self) -> bool:
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def name(self) -> str:
        """The service's name in a state. Paths of the base URL do not count, and every sandbox is `sandbox`."""
        return SANDBOX if self.is_loopback else self.origin

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], base_url: str | None = None) -> Service:
        """From GMI_BASE_URL, GMI_API_KEY and GMI_ORG_ID. Raises AccessError and UsageError; neither shows the key."""
        base = base_url or environment.get("GMI_BASE_URL") or DEFAULT_BASE
        organisation = (environment.get("GMI_ORG_ID") or "").strip() or None
        if organisation is not None and not _fits_a_header(organisation):
            raise UsageError("GMI_ORG_ID holds characters that no organisation has", "copy the id again")
        return cls(checked_base(base), checked_key(environment.get("GMI_API_KEY")), organisation)

    def require_key(self) -> None:
        """Raise AccessError if calls need a key and there is none."""
        if self.key is None and not self.is_loopback:
            raise AccessError(
                "there is no key for the service",
                "export GMI_API_KEY=... (it stays in the environment), or try it without a key: --sandbox",
            )


@dataclass(frozen=True, slots=True)
class Connection:
    """A service that is contacted only when it is needed: `open` checks the key, or starts the sandbox."""

    name: str
    organisation: str | None
    open: Callable[[], AbstractContextManager[Service]]
    is_paid: Callable[[], bool] = lambda: True

    @classmethod
    def to(cls, service: Service, is_paid: Callable[[], bool] = lambda: True) -> Connection:
        """A connection to this service. `is_paid` is called only before something is submitted."""

        @contextmanager
        def opened() -> Iterator[Service]:
            service.require_key()
            yield service

        return cls(service.name, service.organisation, opened, is_paid)


def checked_base(base: str) -> str:
    """The base URL without a trailing slash. Raises UsageError if it is not usable, or would leak the key."""
    unusable = UsageError(f"the base URL {base!r} is not usable", f"it looks like {DEFAULT_BASE}")
    try:
        parts = urlsplit(base)
        is_address = bool(parts.hostname) and parts.port != 0 and _fits_a_header(base)
    except ValueError:
        raise unusable from None
    if parts.username or parts.password:
        raise UsageError("the base URL must not carry a password", "the key goes into GMI_API_KEY")
    if parts.scheme not in ("http", "https") or not is_address or not parts.hostname or parts.query or parts.fragment:
        raise unusable
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError(f"the base URL {base!r} is not encrypted", "use https; http is for this machine alone")
    return base.rstrip("/")


def checked_key(key: str | None) -> str | None:
    """The key without white space around it. Raises AccessError if a header cannot contain it."""
    key = (key or "").strip()
    if not key:
        return None
    if not _fits_a_header(key):
        raise AccessError(
            "GMI_API_KEY holds characters that no key has", "copy the key again, without quotes or breaks"
        )
    return key


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
