"""Files that are put at signed links and served to everybody, as the store of the service does."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException

from runner.sandbox.album import Album
from runner.sandbox.behaviours import Document
from runner.sandbox.records import Records

# By file type, what a link signs. The odd type of jpg is the service's own.
CONTENT_TYPES = {
    "jpeg": "image/jpeg",
    "jpg": "image/jpg",
    "png": "image/png",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
}
LIFETIME = 899  # seconds that a link can be used
_NAME = re.compile(r"/uploads/([0-9a-f]{32}\.[a-z0-9]+)")


class LinkError(Exception):
    """A file is not taken. `status` and `code` are those of the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def uploaded(records: Records, address: str) -> str | None:
    """The sha256 of the file at a public address; None if no file was put there. The port differs at each start."""
    found = _NAME.search(address)
    return records.upload(found.group(1)) if found else None


@dataclass(frozen=True, slots=True)
class UploadStore:
    """`clock` gives Unix seconds. Links are void when the sandbox stops, what was put at them stays."""

    records: Records
    album: Album
    clock: Callable[[], float]
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def link(self, file_type: object, origin: str) -> Document:
        """Where to put a file, and where it can then be read. Raises HTTPException (400) for another type."""
        if not isinstance(file_type, str) or file_type not in CONTENT_TYPES:
            raise HTTPException(400, f"file_type: must be {' or '.join(CONTENT_TYPES)}")
        name, expires = f"{uuid.uuid4().hex}.{file_type}", str(int(self.clock()) + LIFETIME)
        signature = self._signature(name, expires, CONTENT_TYPES[file_type])
        address = f"{origin}/uploads/{name}"
        return {"upload_url": f"{address}?expires={expires}&signature={signature}", "public_url": address}

    def check(self, name: str, expires: str, signature: str, content_type: str) -> None:
        """Raise LinkError if a file of this type must not be put at a link."""
        if not hmac.compare_digest(signature.encode(), self._signature(name, expires, content_type).encode()):
            raise LinkError(403, "SignatureDoesNotMatch", "the address or the Content-Type is not what was signed")
        if int(expires) < self.clock():
            raise LinkError(403, "ExpiredToken", "the link can be used no more")

    def put(self, name: str, data: bytes) -> None:
        """Keep a file. It is on the disk when this returns."""
        digest = hashlib.sha256(data).hexdigest()
        self.album.add(data, digest)
        self.records.keep_upload(name, digest)

    def _signature(self, *parts: str) -> str:
        return hmac.new(self.key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
