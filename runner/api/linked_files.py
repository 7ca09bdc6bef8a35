"""Opens the files that the service or a manifest links to, on any server. The key is never sent there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse

from runner.api.service import Service, is_loopback, is_public
from runner.api.transport import Transport
from runner.secret import holds_key

_MOST_HOPS = 5
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


class BadLinkError(Exception):
    """A link that must not, or cannot, be followed."""


class LinkedFiles:
    """Opens links. `trusted` allows private addresses and plain http, for an API that is on this machine.

    `plain` allows plain http alone: pictures of a manifest may lie there. `timeouts` are the connect and the read
    time-out, in seconds.
    """

    def __init__(self, trusted: bool, timeouts: tuple[float, float] = (10.0, 60.0), *, plain: bool = False) -> None:
        self._trusted = trusted
        self._plain = plain or trusted
        self._timeouts = timeouts
        # No compression: a Range header counts the bytes of the stored file.
        headers = {"User-Agent": "reelrun", "Accept-Encoding": "identity"}
        self._transport = Transport(timeouts, headers, public_only=not trusted, plain=self._plain)

    @classmethod
    def of(cls, service: Service) -> LinkedFiles:
        """For the links of this service."""
        return cls(service.is_loopback, (service.connect_timeout, service.read_timeout))

    def __reduce__(self) -> tuple[type[LinkedFiles], tuple[bool, tuple[float, float]]]:
        return LinkedFiles, (self._trusted, self._timeouts)

    @contextmanager
    def open(self, url: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
        """GET a link, following at most five redirects. The answer is a stream of the file's bytes as stored.

        Raises BadLinkError and CallError.
        """
        url = self._checked("", url)
        for _ in range(_MOST_HOPS + 1):
            with self._transport.call("GET", url, headers) as response:
                target = response.headers.get("Location")
                if response.status not in _REDIRECTS or target is None:
                    yield response
                    return
            url = self._checked(url, target)
        raise BadLinkError(f"the link redirects more than {_MOST_HOPS} times")

    def put(
        self, url: str, headers: Mapping[str, str], content: Iterable[bytes]
    ) -> AbstractContextManager[BaseHTTPResponse]:
        """PUT bytes of a known length to a link, which is not followed elsewhere. Raises BadLinkError and CallError."""
        return self._transport.call("PUT", self._checked("", url), headers, content)

    def head(self, url: str) -> AbstractContextManager[BaseHTTPResponse]:
        """HEAD of a link, which is not followed elsewhere. Raises BadLinkError and CallError."""
        return self._transport.call("HEAD", self._checked("", url))

    def check(self, url: str) -> None:
        """Raises BadLinkError if a link must not be followed."""
        self._checked("", url)

    def _checked(self, url: str, target: str) -> str:
        """The address of a link, or of a redirect from `url`. Raises BadLinkError if it must not be followed."""
        try:
            joined = urljoin(url, target)
            parts = urlsplit(joined)
            host = parts.hostname or ""
        except ValueError:
            raise BadLinkError("the link is no address") from None
        if parts.scheme not in ("https", "http") or not host:
            raise BadLinkError(f"the link is not a web address but {parts.scheme or 'something'}:")
        if parts.scheme == "http" and not self._plain:
            raise BadLinkError("the link is not encrypted")
        if not self._trusted and _is_private(host):
            raise BadLinkError("the link leads to this machine, or into a private network")
        if holds_key(joined):
            raise BadLinkError("the link holds the key of the service")
        return joined


def _is_private(host: str) -> bool:
    """Whether a host is one by its name. The address that another name leads to is seen when it is connected to."""
    try:
        return is_loopback(host) or not is_public(host)
    except ValueError:
        return False
