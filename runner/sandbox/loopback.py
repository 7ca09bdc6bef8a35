"""Pictures that a payload gives by URL. They are fetched only from this machine, never from elsewhere."""

from __future__ import annotations

import http.client
import ipaddress
from contextlib import closing
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

_SECONDS = 5.0


def on_loopback(url: str) -> bool:
    """Whether a plain http URL names this machine, by its IP address or as localhost. No name is resolved."""
    try:
        parts = urlsplit(url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fetched(url: str, max_bytes: int, field: str) -> bytes:
    """The body of the answer to one GET. Redirects are not followed. Raises HTTPException if there is no answer.

    Reads at most one byte more than `max_bytes`, so that the caller sees that a body is too large.
    """
    parts = urlsplit(url)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    try:
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise ValueError(f"status {answer.status}")
            return answer.read(max_bytes + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise HTTPException(400, f"{field}: {url} cannot be fetched: {error}") from error
