"""Reads the media that parameters name: a path, an address or Base64 becomes a reference, once it is checked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.bucket_words import missing_hint, reason_of
from runner.diagnostics.suggestions import misread, nearby
from runner.diagnostics.words import joined, size
from runner.errors import BucketError, DiskError, UsageError
from runner.manifest.files import on_disk, open_media
from runner.manifest.json_values import items
from runner.manifest.pictures.bucket_pictures import bucket_picture
from runner.manifest.pictures.inspection import FIXING, Picture, Rules, inspect, inspect_file
from runner.media import MediaKind, MediaParameter
from runner.model import Image, Origin

if TYPE_CHECKING:
    from runner.video.recordings import Recording

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_DATA = re.compile(r"data:[^,]{0,100},", re.IGNORECASE)
# No path of so many letters without a dot is meant.
_BASE64 = re.compile(r"[A-Za-z0-9+/]{100,}={0,2}")
# Said in hints: it makes copies of the images of a manifest alone.
_OF_IMAGES = re.compile(rf"(?:; | \(){FIXING} does that\)?")
# The most that is read from a bucket where the model sets no limit.
_MOST_BYTES = 2 * 2**30
_HINT = "name a file beside the manifest, an http or https address, or give the Base64 of a file"


class UnfitMediaError(Exception):
    """A medium that cannot be sent. `message` continues a sentence that begins with the name of its parameter."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class MediaFiles:
    """The files that parameters name. Each is opened once. `found` has what was read, by its reference."""

    def __init__(self, base: Path) -> None:
        """`base` is the folder of the manifest, which paths are relative to."""
        self._base = base
        self._objects = BucketFiles()
        self._known: dict[tuple[str, tuple[str, ...]], str | UnfitMediaError] = {}
        self.found: dict[str, Image] = {}

    @property
    def all(self) -> tuple[Image, ...]:
        """The files that were named so far, each once."""
        return tuple(self.found.values())

    def reference(self, text: str, parameter: MediaParameter) -> str:
        """What stands for a medium in payloads: its address, or `sha256:<hex>` of its bytes. Raises UnfitMediaError."""
        index = text, parameter.steps
        if index not in self._known:
            try:
                self._known[index] = self._read(text, parameter)
            except UnfitMediaError as error:
                self._known[index] = error
        known = self._known[index]
        if isinstance(known, UnfitMediaError):
            raise known
        return known

    def _read(self, text: str, parameter: MediaParameter) -> str:
        if _ADDRESS.fullmatch(text):
            return text
        if is_bucket_address(text):
            return self._stored(text, parameter)
        prefix = _DATA.match(text)
        path = self._base / text
        if prefix is None and _is_short(text) and (os.path.exists(path) or not _BASE64.fullmatch(text)):
            return self._file(text, on_disk(path), parameter)
        return self._inline(text[prefix.end() :] if prefix else text, parameter)

    def _file(self, text: str, path: Path, parameter: MediaParameter) -> str:
        if not os.path.isfile(path):
            hint = nearby(path, text) if text and not os.path.exists(path) else misread(text) or _HINT
            what = "is empty" if not text else f"names {text!r}, which is {'a folder' if path.is_dir() else 'no file'}"
            raise UnfitMediaError("E401", what, hint)
        if parameter.kind is MediaKind.IMAGE:
            picture = _fit(text, inspect_file(path, [Rules.of(parameter)]))
            image = Image(text, Origin.FILE, str(path), f"sha256:{picture.sha256}", {}, (), written=text)
            return self._keep(image, picture)
        return self._recording(text, path, parameter)

    def _stored(self, text: str, parameter: MediaParameter) -> str:
        """A file in a bucket."""
        try:
            address = BucketAddress.of(text)
        except UsageError as error:
            raise UnfitMediaError("E412", f"cannot be used: {error.message}", error.hint) from None
        if parameter.kind is MediaKind.IMAGE:
            found = bucket_picture(address, [Rules.of(parameter)], self._objects)
            picture = _fit(text, found.picture)
            image = Image(text, Origin.FILE, str(found.path), f"sha256:{picture.sha256}", {}, (), written=text)
            return self._keep(image, picture)
        try:
            stored = self._objects.find(address)
            if stored is None:
                raise UnfitMediaError("E401", f"{text} does not exist", missing_hint(address, self._objects) or _HINT)
            _check_size(text, stored.size, parameter, _MOST_BYTES)
            path = self._objects.copy(address, stored).path
        except (BucketError, DiskError, UsageError) as error:
            raise UnfitMediaError("E421", f"{text} cannot be read: {reason_of(error)}", error.hint) from None
        return self._recording(text, path, parameter)

    def _inline(self, text: str, parameter: MediaParameter) -> str:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise UnfitMediaError("E412", "is neither a path, an address nor Base64", _HINT) from None
        if parameter.kind is not MediaKind.IMAGE:
            raise UnfitMediaError("E416", "takes no Base64 of a video or a sound", "name its file, or its address")
        picture = _fit("the Base64", inspect(BytesIO(data), len(data), [Rules.of(parameter)]))
        reference = f"sha256:{picture.sha256}"
        return self._keep(Image(reference[:19], Origin.INLINE, text, reference, {}, ()), picture)

    def _keep(self, image: Image, picture: Picture) -> str:
        kept = replace(image, size=picture.size, width=picture.width, height=picture.height)
        self.found.setdefault(kept.reference, kept)
        return kept.reference

    def _recording(self, text: str, path: Path, parameter: MediaParameter) -> str:
        """A video or a sound, opened by FFmpeg's libraries."""
        from runner.video.recordings import UnreadableRecordingError, recording

        length = path.stat().st_size
        _check_size(text, length, parameter)
        try:
            with open_media(path) as stream:
                reference = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
            _check(text, recording(path), parameter)
        except OSError as error:
            hint = "check its permissions, and those of its folder"
            raise UnfitMediaError("E401", f"{text} cannot be read: {error.strerror}", hint) from None
        except UnreadableRecordingError as error:
            raise UnfitMediaError("E406", f"{text} cannot be read: {error}", "save or copy it anew") from None
        image = Image(text, Origin.FILE, str(path), reference, {}, (), length, written=text)
        self.found.setdefault(reference, image)
        return reference


def _check_size(text: str, length: int, parameter: MediaParameter, otherwise: int | None = None) -> None:
    """`otherwise` is the most where the parameter says nothing."""
    told = parameter.rules.get("maxBytes")
    most = told if isinstance(told, int) else otherwise
    if most is not None and length > most:
        raise UnfitMediaError("E403", f"{text} has {size(length)}; the API takes at most {size(most)}", "cut it")


def _check(text: str, facts: Recording, parameter: MediaParameter) -> None:
    """Hold a video or a sound to the rules of its parameter. Raises UnfitMediaError."""
    rules, formats = parameter.rules, [str(each).lower() for each in items(parameter.rules.get("formats"))]
    if parameter.kind is MediaKind.VIDEO and facts.fps is None:
        raise UnfitMediaError("E402", f"{text} is no video", "name a video file")
    if parameter.kind is MediaKind.AUDIO and not facts.has_sound:
        raise UnfitMediaError("E402", f"{text} has no sound", "name a sound file")
    if formats and not facts.formats & set(formats):
        raise UnfitMediaError("E402", f"{text} is {joined(sorted(facts.formats))}", f"save it as {joined(formats)}")
    _check_range(text, facts.seconds, rules.get("minSeconds"), rules.get("maxSeconds"), "s")
    _check_range(text, facts.fps, rules.get("minFps"), rules.get("maxFps"), "frames a second")


def _is_short(text: str) -> bool:
    """Whether a text can be a path: none of its parts is longer than a name on a disk may be."""
    return len(text) < 4096 and all(len(part.encode(errors="replace")) < 256 for part in text.split("/"))


def _fit(name: str, picture: Picture) -> Picture:
    for each in picture.diagnostics:
        raise UnfitMediaError(each.code, f"{name} {each.message}", _OF_IMAGES.sub("", each.hint) or _HINT)
    return picture


def _check_range(name: str, value: float | None, least: object, most: object, unit: str) -> None:
    if value is None:
        return
    if isinstance(least, (int, float)) and value < least:
        raise UnfitMediaError("E417", f"{name} has {value:.3g} {unit}; the API takes at least {least:g}", "use another")
    if isinstance(most, (int, float)) and value > most:
        raise UnfitMediaError("E417", f"{name} has {value:.3g} {unit}; the API takes at most {most:g}", "cut it")
