"""HTTP calls over kept-alive connections. None is repeated, and a failed call says whether its request was begun."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
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

from runner.api.service import is_loopback, is_public
from runner.diagnostics.words import printable
from runner.errors import ReelrunError, UsageError
from runner.secret import without_key, without_signatures

# A line a call, for whoever listens: no header, body or query, which may hold secrets.
LOG = logging.getLogger(__name__)
# Connections kept for one origin: enough for all calls and downloads that run at once.
_POOL = 64
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class CallError(Exception):
    """A call got no answer, or not all of it. `is_begun`: a byte of its request may have left this machine."""

    def __init__(self, message: str, is_begun: bool) -> None:
        super().__init__(message)
        self.is_begun = is_begun


@dataclass(slots=True)
class _Mark:
    permit: Callable[[], None] = lambda: None
    is_begun: bool = False


# The mark of the call that this thread makes. Nothing else links a call to the connection that urllib3 picks for it.
_mark: ContextVar[_Mark] = ContextVar("mark")


class _Connection(HTTPConnection):
    """Marks a call as begun just before the first byte of its request is sent. The bytes that open a tunnel through a
    proxy are not part of the request."""

    def endheaders(self, *args: Any, **kwargs: Any) -> None:  # Any: whatever http.client takes
        if self.sock is None:
            self.connect()
        mark = _mark.get()
        mark.permit()
        mark.is_begun = True
        super().endheaders(*args, **kwargs)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _PublicConnection(_Connection):
    """Refuses private addresses: a link must not make us call our own network (server-side request forgery)."""

    def _new_conn(self) -> socket:
        made = super()._new_conn()
        # If there is a proxy, the proxy decides what may be reached.
        if self.proxy is None and not is_public(made.getpeername()[0]):
            made.close()
            raise NewConnectionError(self, "it is an address inside a private network")
        return made


class _PublicSecureConnection(_PublicConnection, _SecureConnection):
    """The same over TLS."""


class _Adapter(HTTPAdapter):
    """The adapter of requests, which never retries, with our connection classes."""

    def __init__(self, connection: type[HTTPConnection]) -> None:
        self._connection = connection
        super().__init__(pool_maxsize=_POOL)

    # Any: the types of requests do not have all attributes of a pool.
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._connection
        return pool


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, always: otherwise requests reads the whole body of a redirect, even of one that it does not follow."""

    def merge_environment_settings(self, url: Any, *args: Any) -> Any:  # Any: as in the types of requests
        return {**super().merge_environment_settings(url, *args), "proxies": _proxies(url)}


class _Key(AuthBase):
    """Adds the key. Without an `auth` object, requests would overwrite the header from .netrc."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Transport:
    """Makes HTTP calls. It repeats no call, follows no redirect, keeps no cookies and reads no .netrc.

    `timeouts` are the connect and the read time-out, in seconds. `key` is sent with every call. The environment's
    proxies and certificates are used. `public_only` refuses every address that is not public; it is for links of others
    where the service is not on this machine. It refuses plain http, too, unless `plain` is given. Thread-safe: no call
    changes the shared session, and urllib3's pools are thread-safe.
    """

    def __init__(
        self,
        timeouts: tuple[float, float],
        headers: Mapping[str, str],
        key: str | None = None,
        *,
        public_only: bool = False,
        plain: bool = False,
    ) -> None:
        self._timeouts = timeouts
        self._key = key
        self._session = _Session()
        self._session.headers.update(headers)
        self._session.auth = _Key(key)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.adapters.clear()
        self._session.mount("https://", _Adapter(_PublicSecureConnection if public_only else _SecureConnection))
        if plain or not public_only:
            self._session.mount("http://", _Adapter(_PublicConnection if public_only else _Connection))

    @contextmanager
    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] | bytes | None = None,
        *,
        read_timeout: float | None = None,
        permit: Callable[[], None] = lambda: None,
    ) -> Iterator[BaseHTTPResponse]:
        """The answer, as a stream of bytes that are not decoded. `body` must have a length.

        `read_timeout` is in seconds, in place of that of the transport. `permit` is called right before the first byte
        is sent: where it raises a ReelrunError, none is.

        Raises CallError, also where the answer breaks off while it is read.
        """
        mark, started = _Mark(permit), time.monotonic()
        _mark.set(mark)
        connect, read = self._timeouts
        timeouts = connect, read_timeout or read
        try:
            response = self._session.request(
                method, url, headers=headers, data=body, timeout=timeouts, stream=True, allow_redirects=False
            )
            _log(method, url, started, str(response.status_code))
            with closing(response.raw) as answer:
                yield answer
        except ReelrunError as error:
            if mark.is_begun:
                raise
            raise CallError(f"not sent: {error.message}", is_begun=False) from error
        except (RequestException, HTTPError) as error:
            words = _words(error, self._key)
            if not mark.is_begun:
                way = "through the proxy" if isinstance(error, ProxyError) else f"to {urlsplit(url).hostname}"
                words = f"no connection {way}: {words}"
            _log(method, url, started, words)
            raise CallError(words, mark.is_begun) from error


def _log(method: str, url: str, started: float, how: str) -> None:
    if LOG.isEnabledFor(logging.DEBUG):
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}{parts.path}{'?...' if parts.query else ''}"
        LOG.debug("%s %s: %s, %.0f ms", method, place, how, 1000 * (time.monotonic() - started))


def _words(error: BaseException, key: str | None) -> str:
    """Why a call failed: the message of the innermost error. The libraries wrap errors several times.

    It may quote the answer or the address, so the key and signatures are taken out before it is cut.
    """
    while inner := next((each for each in (error.__cause__, *error.args) if isinstance(each, BaseException)), None):
        error = inner
    if isinstance(error, TimeoutError):
        return "the service did not answer in time"
    text = without_signatures(without_key(str(error), key))
    return printable(" ".join(text.split())[:300]) or type(error).__name__


def _proxies(url: str) -> dict[str, str]:
    """The environment's proxies for this address. There are none for this machine and for hosts in NO_PROXY."""
    return {} if is_loopback(urlsplit(url).hostname or "") else get_environ_proxies(url)


def check_environment(url: str) -> None:
    """Raise UsageError if the environment's proxy or certificates for this address cannot be used."""
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
