"""Which service, with which key, for which organisation."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from runner.errors import AccessError, UsageError
from runner.secret import NAME as KEY
from runner.secret import holds_key

# The base URL that the vendor documents. Other clients of this API read the same environment variables.
DEFAULT_BASE = "https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey"
SANDBOX = "sandbox"
# The metadata of machines at Azure have a public address. Those of others are link-local.
_METADATA = "168.63.129.16"
# IPv4 addresses behind a translator (RFC 6052).
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# Seconds that a service which has not answered once is waited for, unless the user says otherwise.
PATIENCE = 60.0
# What a guess of the key from its digest costs: a twentieth of a second, and 16 MB.
GUESS = 2**14


@dataclass(frozen=True, slots=True)
class Service:
    """Where requests go. The key is sent only to the origin of the base URL.

    Time-outs are in seconds. A run waits `patience` seconds for a service that has not answered once.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    organisation: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    patience: float = PATIENCE

    @property
    def submit_timeout(self) -> float:
        """Seconds until an answer to a POST is given up: a sync model holds it for two minutes while it works."""
        return 3.0 * self.read_timeout

    def digest(self, salt: bytes) -> str:
        """Tells this key and organisation from others, and nothing else of them."""
        secret = f"{self.key or ''}\n{self.organisation or ''}".encode()
        try:
            return hashlib.scrypt(secret, salt=salt, n=GUESS, r=8, p=1, dklen=16).hex()
        except ValueError as error:
            # OpenSSL takes these parameters; what it lacks are the 16 MB that they need.
            raise MemoryError(str(error)) from error

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
    def from_environment(
        cls, environment: Mapping[str, str], base_url: str | None = None, patience: float | None = None
    ) -> Service:
        """From GMI_BASE_URL, GMI_API_KEY and GMI_ORG_ID. Raises AccessError and UsageError; neither shows the key."""
        key = checked_key(environment.get(KEY))
        base = base_url or environment.get("GMI_BASE_URL") or DEFAULT_BASE
        organisation = (environment.get("GMI_ORG_ID") or "").strip() or None
        if organisation is not None and not _fits_a_header(organisation):
            raise UsageError("GMI_ORG_ID holds characters that no organisation has", "copy the id again")
        if holds_key(f"{base}\0{organisation}", key):
            raise UsageError(
                "the base URL or the organisation holds the key, and both are shown and stored",
                "take it out of --base-url, GMI_BASE_URL and GMI_ORG_ID: GMI_API_KEY alone is the place for it",
            )
        return cls(checked_base(base), key, organisation, patience=PATIENCE if patience is None else patience)

    def for_one_call(self) -> Service:
        """The same service, for a call that is not repeated: its answer is waited for as long as `patience`."""
        return replace(self, connect_timeout=min(self.connect_timeout, self.patience), read_timeout=self.patience)

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
    unusable = UsageError(f"the base URL {_without_secrets(base)} is not usable", f"it looks like {DEFAULT_BASE}")
    try:
        parts = urlsplit(base)
        is_address = bool(parts.hostname) and parts.port != 0 and _fits_a_header(base)
    except ValueError:
        raise unusable from None
    if parts.username or parts.password:
        raise UsageError("the base URL must not carry a password", "the key goes into GMI_API_KEY")
    if parts.query:
        raise UsageError("the base URL is not usable with a query", "the key goes into GMI_API_KEY")
    if parts.scheme not in ("http", "https") or not is_address or not parts.hostname or parts.fragment:
        raise unusable
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError(
            f"the base URL {_without_secrets(base)} is not encrypted", "use https; http is for this machine alone"
        )
    return base.rstrip("/")


def _without_secrets(base: str) -> str:
    """Scheme and host of a base URL: what follows, and what is before an @, may be a secret."""
    found = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.-]*(?::[0-9]+)?(?=[/?#]|$)", base)
    return repr(found.group()) if found and "@" not in base else "that is given"


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


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open network, also where it is an IPv4 address in the form of IPv6."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (_ipv4_in(found) if found in _TRANSLATED else None)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast and address != _METADATA


def _ipv4_in(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(address.packed[-4:])


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
