"""Kept-alive connections to wherever calls go: they tell what was sent when a call fails, and nothing is retried below
them."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import urllib.request
from collections.abc import Iterable, Mapping
from functools import cached_property
from http.client import HTTPException, InvalidURL
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError, ProtocolError, URLSchemeUnknown
from urllib3.response import HTTPResponse

from runner.api.service import is_loopback
from runner.errors import UsageError

# As many connections to one origin are kept as calls and downloads run at once.
_POOL = 64
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
        self._managers: dict[str | None, urllib3.PoolManager] = {}

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeout: urllib3.Timeout,
        body: bytes | Iterable[bytes] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """The answer, as a stream whose bytes are not decoded. Raises urllib3's HTTPError, and OSError."""
        if urlsplit(url).scheme.lower() not in self._pools:
            raise URLSchemeUnknown(urlsplit(url).scheme)
        return self._manager(proxy_for(url, self._proxies)).urlopen(
            method,
            url,
            headers=headers,
            body=body,
            timeout=timeout,
            retries=False,
            redirect=False,
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
        for manager in self._managers.values():
            manager.clear()

    def _manager(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy not in self._managers:
            self._managers[proxy] = self._made(proxy)
        return self._managers[proxy]

    def _made(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy is None:
            manager = urllib3.PoolManager(maxsize=_POOL, ssl_context=self._tls)
        else:
            address = _with_scheme(proxy)
            parts = urlsplit(address)
            login = None if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = urllib3.make_headers(proxy_basic_auth=login) if login else None
            manager = urllib3.ProxyManager(address, maxsize=_POOL, ssl_context=self._tls, proxy_headers=headers)
        manager.pool_classes_by_scheme = self._pools
        return manager

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One for all connections: reading the certificates takes longer than a call."""
        named = next((os.environ[name] for name in _CERTIFICATES if os.environ.get(name)), certifi.where())
        try:
            if os.path.isdir(named):
                return ssl.create_default_context(capath=named)
            return ssl.create_default_context(cafile=named)
        except OSError as error:
            raise UnpreparedError(f"the certificates in {named} cannot be read") from error


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
_UNSENT = (NotConnectedError, UnpreparedError, LocationValueError, InvalidURL)


def was_unsent(error: BaseException) -> bool:
    """Whether a failed call ended before any byte of the request was sent."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _UNSENT):
            return True
        inner = getattr(seen, "reason", None) or next((each for each in seen.args if isinstance(each, Exception)), None)
        seen = inner if isinstance(inner, BaseException) else None
    return False
