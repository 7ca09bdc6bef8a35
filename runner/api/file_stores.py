"""Where files are put for models that take addresses only: the store of the service, or a bucket of one's own."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Protocol

from runner.api.answer_classes import AnswerClass
from runner.api.body import PictureChangedError, blocks_of
from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.api.uploads import Uploaded, is_gone, upload
from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.errors import BucketError, BucketRefusedError, ObjectChangedError, UsageError
from runner.model import Image
from runner.video.file_types import SUFFIXES, content_type

# A larger file goes a block at a time, and does not fit into memory as a whole. Two parts on their way are as large.
_WHOLE = 16 << 20
_UNKNOWN_TYPE = "application/octet-stream"
# So many seconds are tried before the engine tries again: meanwhile it does other things.
_RETRIED = 5.0
# In seconds: what a signed address lives longer than `run.wait`, and the most that stores sign for.
SPARE, LONGEST_LIFE = 3600.0, 7 * 86400.0


class FileStore(Protocol):
    """A store that files are put into. All but `sent` may take long, and run on the executor."""

    # Whether the service has nothing to do with it.
    is_own: bool

    def put(self, image: Image) -> Uploaded:
        """Put a file there. It may happen twice: nothing is billed for it."""

    def is_gone(self, address: str, *, is_fresh: bool) -> bool:
        """Whether a file that was put there surely is there no more. One that is fresh need not be looked at."""

    def sent(self, address: str, seconds: float) -> str:
        """What is sent to the service for a file at an address. It can be read for so long. Raises BucketError."""


class ServiceStore:
    """The store of the service itself, whose addresses everybody can read for good."""

    is_own = False

    def __init__(self, client: Client, files: LinkedFiles) -> None:
        self._client = client
        self._files = files

    def put(self, image: Image) -> Uploaded:
        return upload(self._client, self._files, image)

    def is_gone(self, address: str, *, is_fresh: bool) -> bool:
        return not is_fresh and is_gone(self._files, address)

    def sent(self, address: str, seconds: float) -> str:
        return address


class BucketStore:
    """A bucket of one's own: who has no signed address cannot read there. Objects are named by their content."""

    is_own = True

    def __init__(self, place: BucketAddress) -> None:
        self._place = place
        self._guard = Lock()

    def put(self, image: Image) -> Uploaded:
        try:
            kind = content_type(image) or _UNKNOWN_TYPE
            name = image.reference.removeprefix("sha256:") + SUFFIXES.get(kind, "")
            size = image.size or 0
            bucket = self._opened.patient(min(size, _WHOLE))
            if size <= _WHOLE:
                bucket.put_new(name, b"".join(blocks_of(image)), kind)
            elif bucket.find(name) is None:
                bucket.put_blocks(name, blocks_of(image), kind)
            return Uploaded(AnswerClass.ACCEPTED, address=str(self._place.below(name)))
        except PictureChangedError as error:
            return Uploaded(AnswerClass.CHANGED, message=f"{error.message}; {error.hint}")
        except (BucketRefusedError, ObjectChangedError, UsageError) as error:
            return Uploaded(AnswerClass.REFUSED, message=f"{error.message}; {error.hint}")
        except BucketError as error:
            return Uploaded(AnswerClass.UNKNOWN, message=error.message)
        except OSError as error:
            words = f"the file {image.id} cannot be read any more: {error.strerror}"
            return Uploaded(AnswerClass.CHANGED, message=words)

    def is_gone(self, address: str, *, is_fresh: bool) -> bool:
        path = self._path(address)
        # Signing needs credentials, which may have to be asked for: that happens here, where it may take long.
        self._opened.signed(path, SPARE)
        return not is_fresh and self._opened.find(path) is None

    def sent(self, address: str, seconds: float) -> str:
        return self._opened.signed(self._path(address), min(seconds, LONGEST_LIFE))

    def _path(self, address: str) -> str:
        return BucketAddress.of(address).path[len(self._place.path) :].lstrip("/")

    @property
    def _opened(self) -> Bucket:
        with self._guard:
            return self._bucket

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket.open(self._place, retried=_RETRIED)


def store_of(destination: str, client: Client, files: LinkedFiles) -> FileStore:
    """The store that a manifest names."""
    if is_bucket_address(destination):
        return BucketStore(BucketAddress.of(destination))
    return ServiceStore(client, files)
