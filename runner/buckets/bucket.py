"""Objects of a bucket (S3, Google Cloud Storage, Azure): read, written under conditions, listed and signed.

Credentials and endpoints come from where each provider's own tools take them, and stand in no file of ours.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from runner.buckets.bucket_address import BucketAddress
from runner.errors import BucketError, BucketRefusedError, ObjectChangedError, ObjectGoneError, UsageError
from runner.secret import without_key, without_signatures
from runner.shipped import install_line

if TYPE_CHECKING:
    from datetime import datetime

    from obstore import Attributes, UpdateVersion
    from obstore.store import AzureStore, GCSStore, S3Store

# A call is repeated for so many seconds, and takes at most so long, with all that it transfers.
_RETRIED, _LONGEST = 20.0, 900.0
# Without a byte of an answer, or until a connection is there, in seconds. What is sent is no answer: with a large
# object the whole upload must fit.
_SILENCE, _CONNECT = 20.0, 10.0
# So many bytes go over a slow line (100 kB a second) meanwhile.
_SENT = 2_000_000
_BLOCK = 4 << 20
# Larger files are put in parts, which stores cannot refuse where something is there already.
WHOLE = 64 << 20
# In bytes, but for the last one.
PART = 8 << 20
# The environment allows http, as for a server of one's own, by these names.
_PLAIN = ("AWS_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP", "AZURE_ALLOW_HTTP")
_GENERIC = re.compile(r"^Generic \w+ error: ")
_CODE_START, _CODE_END = "<Code>", "</Code>"
# What stores call it, S3 and Google's as Azure.
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: its path below the place of its bucket, its length in bytes, and its version (ETag) for conditions.

    `notes` is what was put beside its bytes, known only of one that was looked at by itself.
    """

    path: str
    size: int
    version: str
    modified: datetime
    notes: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """The objects below an address. Paths are relative to it. Thread-safe.

    Everything raises BucketError where the store refuses, is out of reach or does not answer in time.
    """

    def __init__(
        self,
        address: BucketAddress,
        store: S3Store | GCSStore | AzureStore,
        *,
        longest: float = _LONGEST,
        retried: float = _RETRIED,
    ) -> None:
        self.address = address
        self._store = store
        self._longest, self._retried = longest, retried
        self._patient: dict[int, Self] = {}

    @classmethod
    def open(
        cls,
        address: BucketAddress,
        *,
        longest: float = _LONGEST,
        retried: float = _RETRIED,
        silence: float | None = None,
    ) -> Self:
        """Makes no call. One call may take `longest` seconds, and is repeated for `retried`.

        It fails where no byte of an answer comes for `silence` seconds, with which the sending of an object counts.

        Raises UsageError where the packages for it, or settings of the environment, are missing.
        """
        if not can_be_opened():
            raise UsageError(f"{address}: buckets are used with obstore, which is missing", install_line("cloud"))
        # Imported here: only manifests that name buckets need it.
        from obstore.exceptions import BaseError

        with _words_of(f"open {address}", BaseError):
            store = _opened(address, longest, retried, silence or _SILENCE)
        return cls(address, store, longest=longest, retried=retried)

    def __str__(self) -> str:
        return str(self.address)

    def patient(self, size: int) -> Self:
        """The same for sending so many bytes: until a slow line has sent them, the store says nothing.

        What does not need it is not waited for longer. Raises as `open` does.
        """
        doublings = (size // _SENT).bit_length()
        if doublings and doublings not in self._patient:
            silence = _SILENCE * 2**doublings
            self._patient[doublings] = type(self).open(
                self.address, longest=self._longest + silence, retried=self._retried, silence=silence
            )
        return self._patient.get(doublings, self)

    def read(self, path: str, most_bytes: int | None = None) -> tuple[bytes, str] | None:
        """Content and version of an object; None if there is none. Of a larger one than `most_bytes` only a part."""
        import obstore

        with self._errors("read", path), suppress(FileNotFoundError):
            found = obstore.get(self._store, path)
            parts, size = [], 0
            for part in found.stream(_BLOCK):
                parts.append(bytes(part))
                size += len(part)
                if most_bytes is not None and size > most_bytes:
                    break
            return b"".join(parts), _version(found.meta)
        return None

    def blocks(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """The bytes of an object, of this version if one is given, a block at a time.

        Raises ObjectChangedError where it is another version, and ObjectGoneError where there is none.
        """
        import obstore

        try:
            with self._errors("read", path):
                options = {"if_match": version} if version else None
                found = obstore.get(self._store, path, options=options)  # type: ignore[arg-type]
                yield from map(bytes, found.stream(_BLOCK))
        except FileNotFoundError:
            reason = "it is not there any more"
            raise ObjectGoneError(f"{self.address.below(path)}: {reason}", "see who removed it", reason) from None

    def find(self, path: str) -> Stored | None:
        import obstore

        with self._errors("look at", path), suppress(FileNotFoundError):
            found = obstore.get(self._store, path, options={"head": True})
            meta, notes = found.meta, {str(name): value for name, value in found.attributes.items()}
            return Stored(path, meta["size"], _version(meta), meta["last_modified"], notes)
        return None

    def each(self, folder: str = "") -> Iterator[Stored]:
        """The objects below a folder, however deep, in no order that could be relied on."""
        import obstore

        with self._errors("list", folder):
            for page in obstore.list(self._store, folder or None):
                for meta in page:
                    yield Stored(meta["path"], meta["size"], _version(meta), meta["last_modified"])

    def put_new(
        self, path: str, content: bytes | Path, kind: str = "", notes: Mapping[str, str] = MappingProxyType({})
    ) -> str:
        """Put an object where none is, and return its version. One with the same content may be there.

        `kind` is its media type; `notes` are kept beside it: ASCII, names of small letters, 2 KB in all. Raises
        ObjectChangedError where another content is there.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        attributes = _attributes(kind, notes)
        with self._errors("write", path, is_read=False):
            is_whole = isinstance(content, bytes) or content.stat().st_size <= WHOLE
            if not is_whole and self.find(path) is None:
                return _version(obstore.put(self._store, path, content, attributes=attributes))
            with suppress(AlreadyExistsError):
                if is_whole:
                    return _version(obstore.put(self._store, path, content, mode="create", attributes=attributes))
            return self._kept(path, content)

    def put_blocks(self, path: str, blocks: Iterator[bytes], kind: str = "") -> str:
        """Put an object in parts of PART bytes, and return its version. It is never held in memory whole.

        An error of `blocks` leaves nothing there. What there is is replaced: look first.
        """
        import obstore

        with self._errors("write", path, is_read=False):
            put = obstore.put(
                self._store, path, blocks, attributes=_attributes(kind, {}),
                use_multipart=True, chunk_size=PART, max_concurrency=2,
            )  # fmt: skip
            return _version(put)

    def replace(
        self,
        path: str,
        content: bytes | Path,
        version: str,
        kind: str = "",
        notes: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Put an object in place of this version of it, and return the new version. Its kind and notes are new, too.

        Raises ObjectChangedError where another one is there.
        """
        import obstore

        with self._errors("write", path, is_read=False):
            condition = self._condition(path, version)
            try:
                if condition is not None:
                    attributes = _attributes(kind, notes)
                    return _version(obstore.put(self._store, path, content, mode=condition, attributes=attributes))
            except (obstore.exceptions.PreconditionError, FileNotFoundError) as error:
                # A call that was repeated may have been done the first time. S3 answers 404 where nothing is there.
                if _lacks_bucket(str(error)):
                    raise
            return self._kept(path, content)

    def _condition(self, path: str, version: str) -> UpdateVersion | None:
        """That an object is of this version; None if it is not. Google's store has numbers for that, not its ETags."""
        import obstore

        if self.address.scheme != "gs":
            return {"e_tag": version}
        with suppress(FileNotFoundError):
            meta = obstore.head(self._store, path)
            if meta["e_tag"] == version:
                return {"e_tag": version, "version": meta["version"]}
        return None

    def _kept(self, path: str, content: bytes | Path) -> str:
        """The version of what is there already, if it has this content."""
        found = self.find(path)
        if found is not None and self.sha256_of(path) == _sha256(content):
            return found.version
        raise something_else(self.address.below(path))

    def remove(self, path: str) -> None:
        """Remove an object, if it is there."""
        import obstore

        with self._errors("remove", path), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def sha256_of(self, path: str) -> str | None:
        """Of the bytes of an object, in hex; None if there is none. They are read for it."""
        digest = hashlib.sha256()
        with suppress(ObjectGoneError):
            for block in self.blocks(path):
                digest.update(block)
            return digest.hexdigest()
        return None

    def signed(self, path: str, seconds: float) -> str:
        """An address with which anybody can read an object for so long. It is a secret. Makes no call."""
        import obstore

        with self._errors("sign", path):
            return obstore.sign(self._store, "GET", path, timedelta(seconds=seconds))

    @contextmanager
    def _errors(self, doing: str, path: str, *, is_read: bool = True) -> Iterator[None]:
        from obstore.exceptions import BaseError

        with _words_of(f"{doing} {self.address.below(path) if path else self.address}", BaseError, is_read=is_read):
            yield


def something_else(address: BucketAddress) -> ObjectChangedError:
    """The error where an object has not the content that it should have."""
    return ObjectChangedError(f"{address} holds something else", "see who wrote it")


def can_be_opened() -> bool:
    """Whether the packages for buckets are there."""
    return find_spec("obstore") is not None


def start_threads() -> None:
    """Start the threads that carry out calls. Where the memory of the process is limited, they might not start."""
    if can_be_opened():
        import obstore
        from obstore.store import MemoryStore

        obstore.put(MemoryStore(), "x", b"")


def _opened(address: BucketAddress, longest: float, retried: float, silence: float) -> S3Store | GCSStore | AzureStore:
    from obstore import store

    options = {
        "timeout": timedelta(seconds=longest),
        "read_timeout": timedelta(seconds=silence),
        "connect_timeout": timedelta(seconds=_CONNECT),
        # Read here: options that are given take the place of all that the environment says of connections.
        "allow_http": any(os.environ.get(name, "").lower() in ("1", "true") for name in _PLAIN),
    }
    retry = {"max_retries": 8, "retry_timeout": timedelta(seconds=retried)}
    shared = {"client_options": options, "retry_config": retry, "prefix": address.path or None}
    # Each kind of store has its own arguments: their types have no common form.
    if address.scheme == "s3":
        return store.S3Store(address.bucket, **_credentials_of_s3(), **shared)  # type: ignore[arg-type]
    kind = store.GCSStore if address.scheme == "gs" else store.AzureStore
    return kind(address.bucket, **shared)  # type: ignore[arg-type]


def _credentials_of_s3() -> dict[str, object]:
    """Where the environment has no keys, profiles and sign-ons of the AWS tools, which boto3 knows how to read."""
    if os.environ.get("AWS_ACCESS_KEY_ID") or find_spec("boto3") is None:
        return {}
    from obstore.auth.boto3 import Boto3CredentialProvider

    with suppress(ValueError):
        return {"credential_provider": Boto3CredentialProvider()}
    return {}


def _attributes(kind: str, notes: Mapping[str, str]) -> Attributes | None:
    return {**notes, **({"Content-Type": kind} if kind else {})} or None


def _version(meta: object) -> str:
    version = meta["e_tag"] if isinstance(meta, dict) else None
    if not isinstance(version, str):
        raise BucketError("the store tells no version of an object", "reelrun needs ETags; use another store")
    return version


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _words_of(doing: str, base: type[Exception], *, is_read: bool = True) -> Iterator[None]:
    """Turn the errors of obstore into ours. That of a missing object that is read stays a FileNotFoundError."""
    try:
        yield
    except (base, FileNotFoundError) as error:
        text, kind = without_signatures(without_key(str(error))), type(error).__name__
        if _lacks_bucket(text):
            why, hint = "there is no such bucket", "make it, or correct its name"
            raise BucketRefusedError(f"cannot {doing}: {why}", hint, why) from None
        if isinstance(error, FileNotFoundError) and is_read:
            raise FileNotFoundError(doing) from None
        if kind == "PreconditionError":
            raise ObjectChangedError(
                f"cannot {doing}: it was changed meanwhile", "run the same command again"
            ) from None
        why, failure = _reason(text, kind), BucketRefusedError if _is_refused(text, kind) else BucketError
        raise failure(f"cannot {doing}: {why}", _remedy(text, kind), why) from None


def _lacks_bucket(text: str) -> bool:
    return any(code in text for code in _NO_BUCKET)


def _reason(text: str, kind: str) -> str:
    """Why a call failed, in a few words: obstore's own text has the whole answer, and all causes."""
    if _CODE_START in text:
        code = text.partition(_CODE_START)[2].partition(_CODE_END)[0][:60]
        return f"the store answers {code}"
    if kind in ("PermissionDeniedError", "UnauthenticatedError"):
        return "the store refuses access"
    for sign, words in (
        ("status code: ", "the store answers "),
        ("timed out", "no answer in time"),
        ("TimedOut", "no answer in time"),
        ("onnection refused", "nothing answers there"),
        ("dns error", "its host is not found"),
        ("builder error", "its address is no https (AWS_ALLOW_HTTP=true allows http)"),
        ("error sending request", "there is no connection"),
    ):
        if sign in text:
            after = text.partition(sign)[2].split(":")[0].split("\n")[0].strip()[:40]
            return f"{words}{after}" if words.endswith("answers ") else words
    return " ".join(_GENERIC.sub("", text).split("\n")[0].split())[:200]


def _is_refused(text: str, kind: str) -> bool:
    return kind in ("PermissionDeniedError", "UnauthenticatedError") or "AccessDenied" in text


def _remedy(text: str, kind: str) -> str:
    if _is_refused(text, kind):
        return "check the credentials of the environment (AWS_ACCESS_KEY_ID and the like), and what they may do there"
    if any(sign in text.lower() for sign in ("169.254.169.254", "metadata.google", "credential", "account must be")):
        names = "AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME"
        return f"give credentials as the tools of the provider take them: {names}, ..."
    return "check the network, the region (AWS_REGION) and the endpoint (AWS_ENDPOINT_URL)"
