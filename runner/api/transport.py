"""HTTP sessions: one for the API, which tells what was sent, and one for files, which never carries the key."""

from __future__ import annotations

import ipaddress
import os
import socket
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from runner.api.service import is_loopback
from runner.errors import UsageError

_POOL = 64
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class NotConnectedError(NewConnectionError):
    """DNS, connect or TLS failed: not a byte of the request was sent."""

    def __init__(self, connection: HTTPConnection, error: Exception) -> None:
        self.words = f"no connection to {connection.host}: {str(error).removeprefix(f'{connection}: ')}"
        super().__init__(connection, self.words)

    def __str__(self) -> str:
        return self.words


class _Connection(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError, HTTPException) as error:
            raise NotConnectedError(self, error) from error


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError, HTTPException) as error:
            raise NotConnectedError(self, error) from error


def _refuse_private(connection: HTTPConnection, made: socket.socket) -> socket.socket:
    """A link of the service must not make this machine ask its own network (server-side request forgery)."""
    address = ipaddress.ip_address(made.getpeername()[0])
    # What a proxy may reach is the proxy's to decide.
    if connection.proxy is None and not address.is_global:
        made.close()
        raise NewConnectionError(connection, "it is an address inside a private network")
    return made


class _PublicConnection(_Connection):
    def _new_conn(self) -> socket.socket:
        return _refuse_private(self, super()._new_conn())


class _PublicSecureConnection(_SecureConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_private(self, super()._new_conn())


class _Adapter(HTTPAdapter):
    """requests' adapter over our connections. Nothing is ever retried below us: a second POST is billed again."""

    def __init__(self, plain: type[HTTPConnection], secure: type[HTTPSConnection]) -> None:
        self._pools = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(pool_connections=_POOL, pool_maxsize=_POOL, max_retries=0)

    # Any: requests hands on whatever urllib3's managers take.
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.PoolManager:
        if not _is_usable(proxy):
            raise requests.exceptions.InvalidProxyURL("a proxy of the environment is none that can be used")
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def session(*, public_only: bool = False) -> requests.Session:
    """A session without cookies, .netrc or redirects of its own.

    `public_only` refuses plain http and every address that is not a public one, as it is for links of a service that
    is not on this machine.
    """
    made = requests.Session()
    # A .netrc entry would stand in for our Authorization header. Proxies and certificates of the environment count.
    made.trust_env = False
    made.verify = next((os.environ[name] for name in _CERTIFICATES if os.environ.get(name)), True)
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if public_only:
        adapter = _Adapter(_PublicConnection, _PublicSecureConnection)
        made.adapters.clear()
    else:
        adapter = _Adapter(_Connection, _SecureConnection)
        made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


def proxies_for(url: str) -> dict[str, str]:
    """The proxies of the environment for this address; none for this machine."""
    return {} if is_loopback(urlsplit(url).hostname or "") else dict(requests.utils.get_environ_proxies(url))


def check_environment(url: str) -> None:
    """Raise UsageError where the environment names a proxy or certificates for this address that cannot be used."""
    for proxy in (proxy for scheme, proxy in proxies_for(url).items() if scheme in (urlsplit(url).scheme, "all")):
        if not _is_usable(proxy):
            raise UsageError(
                "the environment names a proxy that cannot be used",
                "HTTPS_PROXY and ALL_PROXY look like http://host:port (SOCKS is not supported)",
            )
    for name in _CERTIFICATES:
        if os.environ.get(name) and not os.path.exists(os.environ[name]):
            raise UsageError(f"{name} names a file that does not exist", "correct it, or unset it")


def _is_usable(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


# What requests says while it prepares a call, before there is a connection.
_UNPREPARED = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


def was_unsent(error: BaseException) -> bool:
    """Whether a failed call ended before any byte of the request was sent."""
    if isinstance(error, _UNPREPARED):
        return True
    seen: BaseException | None = error
    while seen is not None:
        inner = getattr(seen, "reason", None) or next((each for each in seen.args if isinstance(each, Exception)), None)
        if isinstance(seen, NotConnectedError):
            return True
        seen = inner if isinstance(inner, BaseException) else None
    return False
