"""A sitting of a reviewer. One that was cut goes on when the review is started again: an open page finds its server."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runner.errors import UsageError
from runner.state.disk import unfollowed
from runner.verdicts.verdict import time_text

_SECRET_BYTES = 32
# A sitting that was cut longer ago, in seconds, is over.
_LONGEST = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Sitting:
    """`secret` makes the token, the names and the order. `port` is where it was served; 0 if nowhere yet."""

    secret: bytes = field(repr=False)
    since: str
    port: int = 0

    @property
    def token(self) -> str:
        return hmac.new(self.secret, b"token", hashlib.sha256).hexdigest()[:32]


def new_sitting() -> Sitting:
    return Sitting(secrets.token_bytes(_SECRET_BYTES), time_text(datetime.now(UTC)))


class SittingFile:
    """Where a sitting is kept for the case that it is cut: a file that only this user can read."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def resumed(self) -> Sitting:
        """The sitting that was cut, else a new one."""
        if self._descriptor is not None and time.time() - os.fstat(self._descriptor).st_mtime < _LONGEST:
            with suppress(ValueError, KeyError, TypeError):
                found = json.loads(os.pread(self._descriptor, 4096, 0))
                return Sitting(bytes.fromhex(found["secret"]), str(found["since"]), int(found["port"]))
        return new_sitting()

    def keep(self, sitting: Sitting, port: int) -> None:
        if self._descriptor is not None:
            text = json.dumps({"secret": sitting.secret.hex(), "since": sitting.since, "port": port})
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)


@contextmanager
def sitting_file(folder: Path, by: str) -> Iterator[SittingFile]:
    """The file of a reviewer's sitting, in the output folder. It goes when the sitting ends; only a kill leaves it.

    Raises UsageError if this reviewer's sitting is being served already.
    """
    path = folder / f".review-{by}.json"
    try:
        descriptor = unfollowed(str(path), os.O_RDWR | os.O_CREAT)
        os.fchmod(descriptor, 0o600)
    except OSError:
        # In a folder of somebody else, a sitting that is cut does not go on.
        yield SittingFile(None)
        return
    with os.fdopen(descriptor, "rb+"):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            hint = "go on there, or end it with Ctrl-C; for another person write --as NAME"
            raise UsageError(f"a review by {by} of this campaign is being served already", hint) from None
        try:
            yield SittingFile(descriptor)
        finally:
            path.unlink(missing_ok=True)
