"""Puts a file where the service can read it: an address is asked for with the key, the bytes go there without it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from runner.api.answer_classes import ASK, AnswerClass
from runner.api.answers import Answer, text_of
from runner.api.body import PictureChangedError, opened
from runner.api.client import Client
from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from runner.model import Image
from runner.video.file_types import CONTENT_TYPES, type_of

_BLOCK = 1 << 16
_HEAD = 16
# What a file server answers where there is nothing any more.
_GONE = frozenset((403, 404, 410))


@dataclass(frozen=True, slots=True)
class Uploaded:
    """How an upload ended. `address` is where the file is, if it is ACCEPTED. What is neither final nor about the
    account may be tried again after `retry_after` seconds."""

    kind: AnswerClass
    address: str = ""
    message: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    """The bytes of a file, of a known length. Raises PictureChangedError before the last block of a changed file."""

    image: Image

    def __len__(self) -> int:
        return self.image.size or 0

    def __iter__(self) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), len(self)
        with opened(self.image) as file:
            while left > 0:
                block = file.read(min(_BLOCK, left))
                digest.update(block)
                left -= len(block)
                is_wrong = left == 0 and f"sha256:{digest.hexdigest()}" != self.image.reference
                if not block or is_wrong or (left == 0 and file.read(1)):
                    raise PictureChangedError(
                        f"the file {self.image.id} changed since the plan was made", "run the same command again"
                    )
                yield block


def upload(client: Client, files: LinkedFiles, image: Image) -> Uploaded:
    """Put a file into the store of the service. It may happen twice: nothing is billed for it."""
    try:
        with opened(image) as file:
            kind = type_of(file.read(_HEAD))
    except OSError as error:
        return Uploaded(AnswerClass.CHANGED, message=f"the file {image.id} cannot be read any more: {error.strerror}")
    if kind is None:
        return Uploaded(AnswerClass.REFUSED, message=f"the store of the service takes no file such as {image.id}")
    reply = client.post_json("/upload-url", {"file_type": kind})
    if isinstance(reply, Answer):
        return Uploaded(reply.kind, message=reply.message)
    target, address = (_member(reply.document, name) for name in ("upload_url", "public_url"))
    if reply.status == 402:
        return Uploaded(AnswerClass.UNPAID, message=reply.message)
    if reply.status != 200 or target is None or address is None:
        known = ASK.get(reply.status, AnswerClass.UNKNOWN)
        kind_of_failure = AnswerClass.UNKNOWN if known is AnswerClass.ACCEPTED else known
        return Uploaded(kind_of_failure, message=reply.message or "no address", retry_after=reply.retry_after)
    return _put(files, target, address, image, CONTENT_TYPES[kind])


def _member(document: object, name: str) -> str | None:
    return text_of(document.get(name)) if isinstance(document, dict) else None


def _put(files: LinkedFiles, target: str, address: str, image: Image, content_type: str) -> Uploaded:
    try:
        with files.put(target, {"Content-Type": content_type}, _Content(image)) as response:
            status = response.status
    except PictureChangedError as error:
        return Uploaded(AnswerClass.CHANGED, message=f"{error.message}; {error.hint}")
    except OSError as error:
        return Uploaded(AnswerClass.CHANGED, message=f"the file {image.id} cannot be read any more: {error.strerror}")
    except (BadLinkError, CallError) as error:
        return Uploaded(AnswerClass.UNKNOWN, message=f"the store cannot be used: {error}")
    if status in (200, 201, 204):
        return Uploaded(AnswerClass.ACCEPTED, address)
    return Uploaded(AnswerClass.UNKNOWN, message=f"the store answered {status}")


def is_gone(files: LinkedFiles, address: str) -> bool:
    """Whether an address surely serves its file no more. What cannot be told is left to the service."""
    try:
        with files.head(address) as response:
            return response.status in _GONE
    except (BadLinkError, CallError):
        return False
