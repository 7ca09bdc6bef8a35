"""Calls over kept-alive connections, each of them once: they tell whether a request was begun when a call fails."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.exceptions import ProxyError, RequestException
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError
from urllib3.util import parse_url

from runner.api.service import is_loopback
from runner.errors import UsageError

# As many connections to one origin are kept as calls and downloads run at once.
_POOL = 64
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class CallError(Exception):
    """A call brought no answer, or no whole one. `is_begun`: a byte of its request may have left this machine."""

    def __init__(self, message: str, is_begun: bool) -> None:
        super().__init__(message)
        self.is_begun = is_begun


@dataclass(slots=True)
class _Mark:
    is_begun: bool = False


# The mark of the call that a thread is at: nothing else leads from a call to the connection that urllib3 picks for it.
_mark: ContextVar[_Mark] = ContextVar("mark")


class _Connection(HTTPConnection):
    """Marks a call as begun when the first byte of its request is about to leave. What a proxy is sent to open a tunnel
    is none of the request."""

    def endheaders(self, *args: Any, **kwargs: Any) -> None:  # Any: whatever http.client takes
        if self.sock is None:
            self.connect()
        _mark.get().is_begun = True
        super().endheaders(*args, **kwargs)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _PublicConnection(_SecureConnection):
    """A link of the service must not make this machine ask its own network (server-side request forgery)."""

    def _new_conn(self) -> socket:
        made = super()._new_conn()
        # What a proxy may reach is the proxy's to decide.
        if self.proxy is None and not ip_address(made.getpeername()[0]).is_global:
            made.close()
            raise NewConnectionError(self, "it is an address inside a private network")
        return made


class _Adapter(HTTPAdapter):
    """requests' adapter, which never retries, over our connections."""

    def __init__(self, connection: type[HTTPConnection]) -> None:
        self._connection = connection
        super().__init__(pool_maxsize=_POOL)

    # Any: the types of requests know less of a pool.
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._connection
        return pool


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing is followed. Of a redirect that it does not follow, requests would still read the whole body."""

    def merge_environment_settings(self, url: Any, *args: Any) -> Any:  # Any: as the types of requests have it
        return {**super().merge_environment_settings(url, *args), "proxies": _proxies(url)}


class _Key(AuthBase):
    """Without an `auth` of ours, requests would look into .netrc and overwrite the header."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Transport:
    """Calls, each of them once: nothing is repeated, no redirect is followed, no cookie kept, no .netrc read.

    `timeouts` are those of a connect and of a read, in seconds; `key` goes with every call. The environment's proxies
    and certificates count. `public_only` refuses plain http and every address that is not a public one, as it is for
    links of a service that is not on this machine. Safe to use from several threads: no call changes anything of the
    session that they share, and urllib3's pools are made to be shared.
    """

    def __init__(
        self,
        timeouts: tuple[float, float],
        headers: Mapping[str, str],
        key: str | None = None,
        *,
        public_only: bool = False,
    ) -> None:
        self._timeouts = timeouts
        self._session = _Session()
        self._session.headers.update(headers)
        self._session.auth = _Key(key)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.adapters.clear()
        self._session.mount("https://", _Adapter(_PublicConnection if public_only else _SecureConnection))
        if not public_only:
            self._session.mount("http://", _Adapter(_Connection))

    @contextmanager
    def call(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: Iterable[bytes] | None = None
    ) -> Iterator[BaseHTTPResponse]:
        """The answer, as a stream whose bytes are not decoded. A body has a length.

        Raises CallError, also where the answer breaks off while it is read.
        """
        mark = _Mark()
        _mark.set(mark)
        try:
            response = self._session.request(
                method, url, headers=headers, data=body, timeout=self._timeouts, stream=True, allow_redirects=False
            )
            with closing(response.raw) as answer:
                yield answer
        except (RequestException, HTTPError) as error:
            words = _words(error)
            if not mark.is_begun:
                way = "through the proxy" if isinstance(error, ProxyError) else f"to {urlsplit(url).hostname}"
                words = f"no connection {way}: {words}"
            raise CallError(words, mark.is_begun) from error


def _words(error: BaseException) -> str:
    """Why a call failed: what lies at the bottom of an error that the libraries wrapped several times."""
    while inner := next((each for each in (error.__cause__, *error.args) if isinstance(each, BaseException)), None):
        error = inner
    if isinstance(error, TimeoutError):
        return "the service did not answer in time"
    return " ".join(str(error).split())[:300] or type(error).__name__


def _proxies(url: str) -> dict[str, str]:
    """The proxies of the environment for this address; none for this machine and what NO_PROXY names."""
    return {} if is_loopback(urlsplit(url).hostname or "") else get_environ_proxies(url)


def check_environment(url: str) -> None:
    """Raise UsageError where the environment names a proxy or certificates for this address that cannot be used."""
    proxy = select_proxy(url, _proxies(url))
    if proxy is not None and not _is_usable(proxy):
        raise UsageError(
            "the environment names a proxy that cannot be used",
            "HTTPS_PROXY and ALL_PROXY look like http://host:port (SOCKS is not supported)",
        )
    for name in _CERTIFICATES:
        if os.environ.get(name) and not os.path.exists(os.environ[name]):
            raise UsageError(f"{name} names a file that does not exist", "correct it, or unset it")


def _is_usable(proxy: str) -> bool:
    try:
        parts = parse_url(proxy)
    except LocationParseError:
        return False
    return parts.scheme in (None, "http", "https") and bool(parts.host) and parts.port != 0
