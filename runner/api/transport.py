"""Kept-alive connections to wherever calls go: they tell what was sent when a call fails, and nothing is retried below
them."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProtocolError,
    URLSchemeUnknown,
)
from urllib3.response import HTTPResponse

from runner.api.heads import Response
from runner.api.service import is_loopback
from runner.errors import UsageError

# As many connections to one origin are kept as calls and downloads run at once.
_POOL = 64
# A second POST is billed again.
_NEVER = urllib3.Retry(False, redirect=False)
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class UnpreparedError(HTTPError):
    """There is nothing to connect with: not a byte of the request was sent."""


class NotConnectedError(NewConnectionError):
    """DNS, connect or TLS failed: not a byte of the request was sent."""

    def __init__(self, connection: HTTPConnection, error: Exception) -> None:
        self.words = f"no connection to {connection.host}: {str(error).removeprefix(f'{connection}: ')}"
        super().__init__(connection, self.words)

    def __str__(self) -> str:
        return self.words


class StaleError(ConnectionError):
    """A connection that had served before ended without an answer: the other end may have closed it meanwhile."""


class _Connection(HTTPConnection):
    response_class = Response
    _has_answered = False

    def connect(self) -> None:
        self._has_answered = False
        try:
            super().connect()
        except (OSError, HTTPError, HTTPException) as error:
            raise NotConnectedError(self, error) from error

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        try:
            response = super().getresponse()
        except ConnectionError as error:
            if self._has_answered:
                raise StaleError(*error.args) from error
            raise
        self._has_answered = True
        return response


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _PublicConnection(_SecureConnection):
    """A link of the service must not make this machine ask its own network (server-side request forgery)."""

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        address = ipaddress.ip_address(made.getpeername()[0])
        # What a proxy may reach is the proxy's to decide.
        if self.proxy is None and not address.is_global:
            made.close()
            raise NewConnectionError(self, "it is an address inside a private network")
        return made


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _Adapter(HTTPAdapter):
    """requests' adapter over our connections: which of them lead where.

    It sends nothing. What requests does around each call (cookies, .netrc, redirects, errors of its own) must not
    happen here, and takes most of a call's time.
    """

    def __init__(self, pools: dict[str, type[HTTPConnectionPool]]) -> None:
        self._pools = pools
        super().__init__(pool_connections=_POOL, pool_maxsize=_POOL)

    # Any: requests hands on whatever urllib3's managers take.
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.PoolManager:
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **kwargs, ssl_context=_tls())
        manager.pool_classes_by_scheme = self._pools
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        # The context says which certificates count: requests would read them anew for each connection.
        return host, {"ssl_context": _tls()} if host["scheme"] == "https" else {}

    def pool_of(self, url: str, proxies: dict[str, str]) -> HTTPConnectionPool:
        """The connections that lead to this address. Raises LocationValueError and requests' InvalidURL."""
        request = requests.PreparedRequest()
        request.url = url
        pool = self.get_connection_with_tls_context(request, verify=True, proxies=proxies)
        assert isinstance(pool, HTTPConnectionPool), "a pool of ours"
        return pool


@dataclass(frozen=True, slots=True)
class _Route:
    """How an origin is reached; a proxy for plain http takes whole addresses."""

    pool: HTTPConnectionPool
    takes_addresses: bool

    def target(self, url: str) -> str:
        """What the request line names."""
        if self.takes_addresses:
            return str(requests.utils.urldefragauth(url))
        parts = urlsplit(url)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


class Transport:
    """Calls, each of them once: no redirect is followed, no cookie kept, no .netrc read. Safe to use from several
    threads.

    The proxies and certificates of the environment count. `public_only` refuses plain http and every address that is
    not a public one, as it is for links of a service that is not on this machine.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self._pools: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}
        if public_only:
            self._pools = {"https": _PublicPool}
        self._proxies = urllib.request.getproxies_environment()
        self._adapter = _Adapter(self._pools)
        self._route = lru_cache(_POOL)(self._found_route)

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeout: urllib3.Timeout,
        body: Iterable[bytes | memoryview] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """The answer, as a stream whose bytes are not decoded. The length of a body is among the headers.

        Raises urllib3's HTTPError, and OSError.
        """
        parts = urlsplit(url)
        route = self._route(parts.scheme, parts.netloc)
        return route.pool.urlopen(
            method,
            route.target(url),
            body=body,  # type: ignore[arg-type]  # any iterable of what a socket takes is sent
            headers=dict(headers),
            retries=_NEVER,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )

    def get(self, url: str, headers: Mapping[str, str], timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        """GET, and again at once for as long as a connection turns out to be stale. A GET costs nothing; what does is
        never repeated here."""
        while True:
            try:
                return self.call("GET", url, headers, timeout)
            except ProtocolError as error:
                if not any(isinstance(each, StaleError) for each in error.args):
                    raise

    def close(self) -> None:
        self._adapter.close()

    def _found_route(self, scheme: str, netloc: str) -> _Route:
        if scheme not in self._pools:
            raise URLSchemeUnknown(scheme)
        origin = f"{scheme}://{netloc}"
        proxy = proxy_for(origin, self._proxies)
        proxies = {} if proxy is None else {scheme: _with_scheme(proxy)}
        return _Route(self._adapter.pool_of(origin, proxies), proxy is not None and scheme == "http")


def _tls() -> ssl.SSLContext:
    """The certificates of the environment."""
    usual = requests.utils.DEFAULT_CA_BUNDLE_PATH
    return _context(next((os.environ[name] for name in _CERTIFICATES if os.environ.get(name)), usual))


@cache
def _context(certificates: str) -> ssl.SSLContext:
    """One for all connections: reading the certificates takes longer than a call."""
    try:
        if os.path.isdir(certificates):
            return ssl.create_default_context(capath=certificates)
        return ssl.create_default_context(cafile=certificates)
    except OSError as error:
        raise UnpreparedError(f"the certificates in {certificates} cannot be read") from error


def proxy_for(url: str, proxies: Mapping[str, str] | None = None) -> str | None:
    """The proxy of the environment for this address; none for this machine and what NO_PROXY names."""
    proxies = urllib.request.getproxies_environment() if proxies is None else proxies
    parts = urlsplit(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or is_loopback(parts.hostname or ""):
        return None
    host = parts.netloc.rpartition("@")[2]
    return None if urllib.request.proxy_bypass(host, proxies) else proxy


def check_environment(url: str) -> None:
    """Raise UsageError where the environment names a proxy or certificates for this address that cannot be used."""
    proxy = proxy_for(url)
    if proxy is not None and not _is_usable(proxy):
        raise UsageError(
            "the environment names a proxy that cannot be used",
            "HTTPS_PROXY and ALL_PROXY look like http://host:port (SOCKS is not supported)",
        )
    for name in _CERTIFICATES:
        if os.environ.get(name) and not os.path.exists(os.environ[name]):
            raise UsageError(f"{name} names a file that does not exist", "correct it, or unset it")


def _with_scheme(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_usable(proxy: str) -> bool:
    try:
        parts = urlsplit(_with_scheme(proxy))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


# What is said before there is a connection.
_UNSENT = (NotConnectedError, UnpreparedError, LocationValueError, InvalidURL, requests.exceptions.InvalidURL)


def was_unsent(error: BaseException) -> bool:
    """Whether a failed call ended before any byte of the request was sent."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _UNSENT):
            return True
        inner = getattr(seen, "reason", None) or next((each for each in seen.args if isinstance(each, Exception)), None)
        seen = inner if isinstance(inner, BaseException) else None
    return False
