"""Files of the service, fetched from wherever its links lead, without the key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from urllib.parse import urljoin, urlsplit

import urllib3

from runner.api.service import Service, is_loopback
from runner.api.transport import Transport

_MOST_HOPS = 5
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


class BadLinkError(Exception):
    """A link that must not, or cannot, be followed."""


class Files:
    """Opens links. `trusted` allows plain http and private addresses: the API itself is on this machine.

    `timeouts` are those of a connect and of a read, in seconds.
    """

    def __init__(self, trusted: bool, timeouts: tuple[float, float] = (10.0, 60.0)) -> None:
        self._trusted = trusted
        self._timeouts = timeouts
        self._timeout = urllib3.Timeout(connect=timeouts[0], read=timeouts[1])
        self._transport = Transport(public_only=not trusted)

    @classmethod
    def of(cls, service: Service) -> Files:
        """The files that this service links to."""
        return cls(service.is_loopback, (service.connect_timeout, service.read_timeout))

    def __reduce__(self) -> tuple[type[Files], tuple[bool, tuple[float, float]]]:
        return Files, (self._trusted, self._timeouts)

    def open(self, url: str, headers: Mapping[str, str]) -> AbstractContextManager[urllib3.BaseHTTPResponse]:
        """GET a link, following at most five redirects. The answer is a stream of bytes as they are stored.

        Raises BadLinkError, urllib3's HTTPError and OSError.
        """
        # A Range counts bytes as they are stored.
        headers = {"User-Agent": "reelrun", "Accept-Encoding": "identity", **headers}
        for _ in range(_MOST_HOPS + 1):
            self._check(url)
            try:
                response = self._transport.get(url, headers, self._timeout)
            except ValueError as error:
                # Some of urllib3's own errors are ValueErrors, too; what is left is a host or port that is none.
                if isinstance(error, urllib3.exceptions.HTTPError):
                    raise
                raise BadLinkError("the link is no address") from None
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or target is None:
                return closing(response)
            response.close()
            url = _joined(url, target)
        raise BadLinkError(f"the link leads on more than {_MOST_HOPS} times")

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise BadLinkError("the link is no address") from None
        if parts.scheme not in ("https", "http") or not host:
            raise BadLinkError(f"the link is no web address but {parts.scheme or 'something'}:")
        if not self._trusted and (parts.scheme == "http" or is_loopback(host)):
            raise BadLinkError("the link is not encrypted, or leads to this machine")


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        raise BadLinkError("the link leads on to what is no address") from None
