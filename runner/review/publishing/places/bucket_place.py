"""A bucket that is published to.

There are no locks in buckets, and no journal that could be appended to. The list is both: first of all a publish writes
into it, under compare-and-swap, that it is at work and what it may put, and each later step looks whether that still
stands. So the last one that began wins, and one that crashed stops nobody. What each object is stands beside its bytes,
put together with them.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from runner.buckets.bucket import Bucket, Stored
from runner.buckets.bucket_address import BucketAddress
from runner.errors import LockedError, ObjectChangedError, UsageError
from runner.model import canonical_json
from runner.review.publishing.places.published_place import FOREIGN, LIST, Made, bytes_of
from runner.state.disk import disk_errors
from runner.video.file_types import TYPES

# A member of the list while a publish is at work: who it is, and the paths that it may have put.
_AT_WORK = "publishing"
_NOTE = "reelrun"
_KINDS = {
    **TYPES,
    ".xmp": "application/rdf+xml",
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}

_Words = ParamSpec("_Words")
_Answer = TypeVar("_Answer")


class BucketPlace:
    """Objects below an address. `held` locks nothing: `_begin` is where another publish is met."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._calls = ThreadPoolExecutor(1, "reelrun-bucket")
        # The list as it was found, and the version of the one that is there.
        self._found: bytes | None = None
        self._version = ""
        self._is_begun = False
        self._folder = Path()
        # What the list says while this publish is at work.
        self._start: Mapping[str, Any] = {}
        self._paths: Collection[str] = ()
        # The list to end with, where something is removed after it is written.
        self._last = b""

    def __str__(self) -> str:
        return str(self._bucket)

    def _call(self, call: Callable[_Words, _Answer], *words: _Words.args, **more: _Words.kwargs) -> _Answer:
        """A thread that waits for a store hears no Ctrl-C. So it is not this one."""
        return self._calls.submit(call, *words, **more).result()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Copies are made in a folder of this machine, one at a time."""
        with ExitStack() as opened:
            with disk_errors("make a folder for copies"):
                self._folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="reelrun-publish-")))
            yield

    def read_list(self) -> bytes | None:
        found = self._call(self._bucket.read, LIST)
        self._found, self._version = found if found is not None else (None, "")
        return self._found

    def noted(self) -> Iterator[tuple[str, Made]]:
        for path in self._left():
            stored = self._call(self._bucket.find, path)
            if stored is not None and (made := _vouched(path, stored)) is not None:
                yield path, made

    def _left(self) -> list[str]:
        """The paths that a publish that did not end may have put."""
        at_work = json.loads(self._found or b"{}").get(_AT_WORK) or {}
        return list(map(str, at_work.get("paths", ())))

    def expect(self, empty: Mapping[str, Any], paths: Collection[str]) -> None:
        for path in paths:
            try:
                BucketAddress.of(str(self._bucket.address.below(path)))
            except UsageError as error:
                raise UsageError(error.message, f"let --name make another name: {error.hint}") from None
        self._start = json.loads(self._found or b"{}") or {**empty, "files": {}}
        self._paths = sorted({*paths, *self._left()})

    def _begin(self) -> None:
        """Note that we are at work; later, see whether no other publish is since."""
        if self._is_begun:
            found = self._call(self._bucket.find, LIST)
            if found is None or found.version != self._version:
                raise _taken_over(self)
            return
        self._put_list(self._at_work(self._start, self._paths))
        self._is_begun = True

    def _at_work(self, document: Mapping[str, Any], paths: Collection[str]) -> bytes:
        return bytes_of({**document, _AT_WORK: {"id": uuid4().hex, "paths": list(paths)}})

    def _put_list(self, content: bytes) -> None:
        kind = _KINDS[".json"]
        try:
            if self._version:
                self._version = self._call(self._bucket.replace, LIST, content, self._version, kind)
            else:
                self._version = self._call(self._bucket.put_new, LIST, content, kind)
        except ObjectChangedError:
            raise _taken_over(self) from None

    def actual(self, path: str, known: Sequence[Made]) -> Made | None:
        stored = self._call(self._bucket.find, path)
        if stored is None:
            return None
        same = next((made for made in known if made.version == stored.version), None)
        if same is not None:
            return same
        vouched = _vouched(path, stored)
        candidates = [*known, *([vouched] if vouched is not None else [])]
        digest = self._call(self._bucket.sha256_of, path)
        return next((replace(made, version=stored.version) for made in candidates if made.sha256 == digest), FOREIGN)

    @contextmanager
    def staged(self, path: str) -> Iterator[Path]:
        staged = self._folder / uuid4().hex
        try:
            with disk_errors(f"make the copy of {path}"):
                yield staged
        finally:
            staged.unlink(missing_ok=True)

    def put(self, staged: Path, path: str, made: Made, before: Made | None) -> Made:
        self._begin()
        kind = _KINDS.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")
        notes = {_NOTE: canonical_json({**replace(made, version="").document(), "path": _digest(path)})}
        bucket = self._bucket.patient(staged.stat().st_size)
        if before is None:
            version = self._call(bucket.put_new, path, staged, kind, notes)
        else:
            version = self._call(bucket.replace, path, staged, before.version, kind, notes)
        return replace(made, version=version)

    def remove(self, path: str) -> None:
        self._begin()
        self._call(self._bucket.remove, path)

    def blocks(self, path: str, made: Made) -> Iterator[bytes]:
        return self._bucket.blocks(path, made.version)

    def write_list(self, content: bytes, going: Mapping[str, Made]) -> bool:
        self._last = content if going else b""
        if content != self._found or self._is_begun or going:
            self._begin()
            self._put_list(self._still_with(going, json.loads(content)) if going else content)
        return content != self._found

    def _still_with(self, going: Mapping[str, Made], document: Mapping[str, Any]) -> bytes:
        files = {**document["files"], **{path: made.document() for path, made in going.items()}}
        return self._at_work({**document, "files": files}, ())

    def clear(self) -> None:
        if self._last:
            self._put_list(self._last)


def _taken_over(place: BucketPlace) -> LockedError:
    return LockedError(f"another publish writes to {place}", "run the same command again when it has ended")


def _vouched(path: str, stored: Stored) -> Made | None:
    """What an object says that it was when a publish put it. Its content is still to be held to that."""
    try:
        document = json.loads(stored.notes[_NOTE])
        return Made.of(document) if document["path"] == _digest(path) else None
    except (ValueError, KeyError, TypeError):
        return None


def _digest(path: str) -> str:
    """A path of ours has any letters; beside an object stand only those of ASCII."""
    return hashlib.sha256(path.encode()).hexdigest()[:16]
