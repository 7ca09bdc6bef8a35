"""What can go wrong, for the person who starts a sandbox and for the client that asks it."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox cannot start; the message says why and what to do."""


class RefusedError(Exception):
    """A request is answered with an error: the HTTP status and a message that names the field."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
