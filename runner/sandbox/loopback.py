"""Pictures that a payload names by URL: fetched from this machine only, never from anywhere else."""

from __future__ import annotations

import http.client
import ipaddress
from contextlib import closing
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

_SECONDS = 5.0


def on_loopback(url: str) -> bool:
    """Whether a plain http URL names this machine, by an address or as localhost; no name is looked up."""
    try:
        parts = urlsplit(url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        return parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fetched(url: str, max_bytes: int, field: str) -> bytes:
    """The answer to one GET; redirects are not followed. Raises HTTPException when there is none.

    One byte more than `max_bytes` is read at most.
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
