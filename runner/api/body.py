"""The body of a submission, streamed: files are read, hashed and encoded block by block."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from runner.buckets.bucket_address import is_bucket_address
from runner.errors import ReelrunError
from runner.model import Image, Variables, canonical_json
from runner.video.file_types import opened

# A multiple of three, so that the Base64 texts of the blocks, joined, are the Base64 text of the whole file.
BLOCK = 3 * 64 * 1024
# A text of the payload that is nothing but the reference of a file.
_REFERENCE = re.compile(r'"(sha256:[0-9a-f]{64})"')


class PictureChangedError(ReelrunError):
    """A file's bytes differ from the plan. Raised before its last block is sent, so the body is never complete."""

    code = "picture_changed"


@dataclass(frozen=True, slots=True)
class FileText:
    """A file as the text that is sent: its Base64, after `prefix`, such as that of a data URI."""

    image: Image
    prefix: str = ""

    def __len__(self) -> int:
        return len(self.prefix) + base64_length(self.image.size or 0)


@dataclass(frozen=True)
class Body:
    """`{"model": ..., "payload": {...}}` as bytes of a known length.

    `payload` is the job's, with references in place of its files. `files` says what is sent for each reference: the
    file as text, or the address that it was put at. Requests with the same fingerprint and the same addresses have the
    same bytes.
    """

    model: str
    payload: Variables
    files: Mapping[str, FileText | str]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield part.prefix.encode()
                yield from map(base64.b64encode, blocks_of(part.image))

    def frame(self) -> bytes:
        """The body without what files hold."""
        return b"".join(part for part in self._parts if isinstance(part, bytes))

    @cached_property
    def _parts(self) -> list[bytes | FileText]:
        """The body in order. Parameters with files come last, so that an incomplete body is not valid JSON."""
        texts = {name: canonical_json({name: value})[1:-1] for name, value in self.payload.items()}
        last = {name: value for name, value in self.payload.items() if _REFERENCE.search(texts[name])}
        others = {name: value for name, value in self.payload.items() if name not in last}
        members = ",".join(filter(None, (canonical_json(others)[1:-1], canonical_json(last)[1:-1])))
        parts: list[bytes | FileText] = []
        text = f'{{"model":{canonical_json(self.model)},"payload":{{{members}}}}}'
        for place, piece in enumerate(_REFERENCE.split(text)):
            sent = self.files.get(piece, piece) if place % 2 else piece
            if isinstance(sent, FileText):
                parts += [b'"', sent, b'"']
            else:
                parts.append((canonical_json(sent) if place % 2 else sent).encode())
        return parts


def blocks_of(image: Image) -> Iterator[bytes]:
    """The bytes of a file, in blocks. The last one is yielded only if the hash of the whole file is that of the plan.

    Raises PictureChangedError.
    """
    digest = hashlib.sha256()
    left = image.size or 0
    try:
        with opened(image) as file:
            while left > 0:
                wanted = min(BLOCK, left)
                block = file.read(wanted)
                digest.update(block)
                left -= wanted
                is_wrong = f"sha256:{digest.hexdigest()}" != image.reference
                # A short block: the file is shorter than planned.
                if len(block) < wanted or (left == 0 and (is_wrong or file.read(1))):
                    raise PictureChangedError(
                        f"the file {image.id} changed since the plan was made", "run the same command again"
                    )
                yield block
    except OSError as error:
        is_copy = is_bucket_address(image.written)
        where = image.written if is_copy else image.location
        raise PictureChangedError(
            f"the file {image.id} cannot be read any more: {error.strerror} ({where})",
            "run the same command again" if is_copy else "put it back, then run the same command again",
        ) from error


def base64_size(text: str) -> int:
    """How many bytes a valid Base64 text decodes to."""
    return len(text) // 4 * 3 - text[-2:].count("=")


def base64_length(size: int) -> int:
    """How many characters the Base64 text of `size` bytes has."""
    return (size + 2) // 3 * 4
