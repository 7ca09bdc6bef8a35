"""Pictures that a payload names by URL: fetched from this machine only, never from anywhere else."""

from __future__ import annotations

import http.client
import ipaddress
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

from runner.sandbox.errors import RefusedError

_SECONDS = 5.0


def on_loopback(url: str) -> bool:
    """Whether a plain http URL names this machine, by an address or as localhost; no name is looked up."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() == "http" and (parts.hostname == "localhost" or _address(parts).is_loopback)
    except ValueError:
        return False


def fetched(url: str, max_bytes: int, field: str) -> bytes:
    """The answer to one GET; redirects are not followed. Raises RefusedError when there is none, or one too large."""
    parts = urlsplit(url)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    try:
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            data = answer.read(max_bytes + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RefusedError(400, f"{field}: {url} cannot be fetched: {error}") from error
    if answer.status != http.client.OK:
        raise RefusedError(400, f"{field}: {url} cannot be fetched: status {answer.status}")
    return data


def _address(parts: SplitResult) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(parts.hostname or "")
