"""The body of a submission, streamed: a picture is read, hashed and encoded block by block."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runner.errors import ReelrunError
from runner.media import FIRST_PICTURE, without_media
from runner.model import Image, Origin, Variables, canonical_json

# A multiple of three, so that the Base64 texts of the blocks, joined, are the Base64 text of the whole picture.
BLOCK = 3 * 64 * 1024


class PictureChangedError(ReelrunError):
    """The picture's bytes differ from the plan. Raised before the last block is sent, so the body is never complete."""

    code = "picture_changed"


@dataclass(frozen=True, slots=True)
class Body:
    """`{"model": ..., "payload": {...}}` as bytes of a known length, with the picture as raw Base64 unless it is a URL.

    `payload` is the job's, with the picture as its reference. `image` says where the picture's bytes are. Requests
    with the same fingerprint have the same bytes.
    """

    model: str
    payload: Variables
    image: Image

    def __len__(self) -> int:
        return len(self.frame()) + base64_length(self.image.size or 0)

    def __iter__(self) -> Iterator[bytes]:
        frame = self.frame()
        yield frame[:-3]
        if self.image.size is not None:
            yield from self._picture()
        yield frame[-3:]

    def frame(self) -> bytes:
        """The body without the picture's Base64. The picture comes last, so an incomplete body is not valid JSON."""
        others = {name: self.payload[name] for name in without_media(self.payload)}
        text = "" if self.image.size is not None else self.image.reference
        names = canonical_json(others)[:-1] + ("," if others else "")
        picture = f"{canonical_json(FIRST_PICTURE)}:{canonical_json(text)}"
        return f'{{"model":{canonical_json(self.model)},"payload":{names}{picture}}}}}'.encode()

    def _picture(self) -> Iterator[bytes]:
        """The picture's Base64. The last block is yielded only if the hash of the whole picture is that of the plan."""
        digest = hashlib.sha256()
        left = self.image.size or 0
        try:
            with self._open() as file:
                while left > 0:
                    wanted = min(BLOCK, left)
                    block = file.read(wanted)
                    digest.update(block)
                    left -= wanted
                    is_wrong = f"sha256:{digest.hexdigest()}" != self.image.reference
                    # A short block: the file is shorter than planned.
                    if len(block) < wanted or (left == 0 and (is_wrong or file.read(1))):
                        raise PictureChangedError(
                            f"the picture {self.image.id} changed since the plan was made", "run the same command again"
                        )
                    yield base64.b64encode(block)
        except OSError as error:
            raise PictureChangedError(
                f"the picture {self.image.id} cannot be read any more: {error.strerror} ({self.image.location})",
                "put it back, then run the same command again",
            ) from error

    def _open(self) -> BinaryIO:
        if self.image.origin is Origin.INLINE:
            return io.BytesIO(base64.b64decode(self.image.location))
        return Path(self.image.location).open("rb")


def base64_size(text: str) -> int:
    """How many bytes a valid Base64 text decodes to."""
    return len(text) // 4 * 3 - text[-2:].count("=")


def base64_length(size: int) -> int:
    """How many characters the Base64 text of `size` bytes has."""
    return (size + 2) // 3 * 4
