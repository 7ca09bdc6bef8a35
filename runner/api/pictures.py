"""Pictures that are sent more than once: their Base64 is made once, and kept for as long as their files stay as they
were."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from runner.api.body import BLOCK, Body, base64_length
from runner.model import Image, Origin

# Enough for the largest picture of any model that we know, 10 MB; what does not fit is read anew each time.
MOST_BYTES = 16 << 20

# What tells that a file was written since: its device, its number there, size and times. None: it is no file.
_Stamp = tuple[int, int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: _Stamp
    encoded: bytes


class Pictures:
    """The Base64 of the pictures that were sent last. Safe to use from several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        # By reference, the one used last at the end; None was sent once, and is encoded when it comes again.
        self._kept: OrderedDict[str, _Kept | None] = OrderedDict()

    def stream(self, body: Body) -> Iterator[bytes | memoryview]:
        """The bytes of a body, block by block. Raises PictureChangedError before the last one, as `Body` does."""
        encoded = self._encoded(body)
        if encoded is None:
            yield from body
            return
        head, tail = body.around
        yield head
        view = memoryview(encoded)
        size = base64_length(BLOCK)
        yield from (view[at : at + size] for at in range(0, len(view), size))
        yield tail

    def _encoded(self, body: Body) -> bytes | None:
        image = body.image
        if image.size is None or base64_length(image.size) > self._most:
            return None
        with self._lock:
            is_known, kept = image.reference in self._kept, self._kept.pop(image.reference, None)
            stamp = _stamp(image)
            # Encoded under the lock: those that wait for it want the same picture, as a rule.
            if is_known and (kept is None or kept.stamp != stamp):
                kept = _Kept(stamp, b"".join(body.picture()))
            self._kept[image.reference] = kept
            self._make_room()
        return None if kept is None else kept.encoded

    def _make_room(self) -> None:
        while sum(len(each.encoded) for each in self._kept.values() if each is not None) > self._most:
            self._kept.popitem(last=False)


def _stamp(image: Image) -> _Stamp:
    if image.origin is not Origin.FILE:
        return None
    try:
        status = os.stat(image.location)
    except OSError:
        # Reading it tells what is wrong with it.
        return (0, 0, 0, 0, 0)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
