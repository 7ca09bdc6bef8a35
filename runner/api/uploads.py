"""Puts a file where the service can read it: an address is asked for with the key, the bytes go there without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse

from runner.api.answer_classes import SUBMIT, AnswerClass
from runner.api.answers import Answer, Told, text_of
from runner.api.body import PictureChangedError, blocks_of
from runner.api.client import Client
from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from runner.model import Image
from runner.video.file_types import STORED, content_type

# What a file server answers where there is nothing any more.
_GONE = frozenset((403, 404, 410))
# Stores answer with XML; its code says why.
_CODE, _ERROR_BYTES = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>"), 4096


@dataclass(frozen=True, slots=True)
class Uploaded(Told):
    """How an upload ended. `address` is where the file is, if it is ACCEPTED.

    What is UNKNOWN, BUSY or UNSENT may be tried again.
    """

    address: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    """The bytes of a file, of a known length."""

    image: Image

    def __len__(self) -> int:
        return self.image.size or 0

    def __iter__(self) -> Iterator[bytes]:
        return blocks_of(self.image)


def upload(client: Client, files: LinkedFiles, image: Image) -> Uploaded:
    """Put a file into the store of the service. It may happen twice: nothing is billed for it."""
    try:
        kind = content_type(image)
        if kind is None or kind not in STORED:
            return Uploaded(AnswerClass.REFUSED, message=f"the store takes no file such as {image.id}")
        given = _address(client, STORED[kind])
        return given if isinstance(given, Uploaded) else _put(files, *given, image, kind)
    except PictureChangedError as error:
        return Uploaded(AnswerClass.CHANGED, message=f"{error.message}; {error.hint}")
    except OSError as error:
        words = f"the file {image.id} cannot be read any more: {error.strerror}"
        return Uploaded(AnswerClass.CHANGED, message=words)


def _address(client: Client, type: str) -> tuple[str, str] | Uploaded:
    """Where to put a file of this type, and where it is read then."""
    reply = client.post_json("/upload-url", {"file_type": type})
    if isinstance(reply, Answer):
        return Uploaded(reply.kind, message=reply.message, is_silent=reply.is_silent)
    kind = SUBMIT.get(reply.status, AnswerClass.UNKNOWN)
    document = reply.document if isinstance(reply.document, dict) else {}
    target, address = (text_of(document.get(name)) for name in ("upload_url", "public_url"))
    if 200 <= reply.status < 300 and target and address:
        return target, address
    return Uploaded(kind, message=reply.message or "the service gave no address", retry_after=reply.retry_after)


def _put(files: LinkedFiles, target: str, address: str, image: Image, kind: str) -> Uploaded:
    try:
        files.check(address)
        with files.put(target, {"Content-Type": kind}, _Content(image)) as response:
            if 200 <= response.status < 300:
                return Uploaded(AnswerClass.ACCEPTED, address=address)
            return Uploaded(AnswerClass.UNKNOWN, message=f"the store answered {_said(response)}")
    except (BadLinkError, CallError) as error:
        return Uploaded(AnswerClass.UNKNOWN, message=f"the store cannot be used: {error}")


def _said(response: BaseHTTPResponse) -> str:
    found = _CODE.search(response.read(_ERROR_BYTES))
    return f"{response.status} {found[1].decode()}" if found else str(response.status)


def is_gone(files: LinkedFiles, address: str) -> bool:
    """Whether an address surely serves its file no more. What cannot be told is left to the service."""
    try:
        with files.head(address) as response:
            return response.status in _GONE
    except (BadLinkError, CallError):
        return False
