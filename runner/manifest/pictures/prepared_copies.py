"""Copies of pictures in `prepared/` beside a manifest, and the lines of the manifest and its tables to change then."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePosixPath

from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.bucket_words import reason_of
from runner.diagnostics.words import flow
from runner.errors import BucketError, DiskError, Position, UsageError
from runner.manifest.files import open_media
from runner.manifest.pictures.conversion import UnfixableError, converted, note_in
from runner.manifest.pictures.entries import Candidate
from runner.manifest.pictures.glob_search import TooManyEntriesError, matching
from runner.manifest.pictures.inspection import Picture, Rules, inspect
from runner.manifest.yaml.source import Source
from runner.model import Origin
from runner.state.disk import make_folder, sync_folder

FOLDER = "prepared"
# What stands in a copy, and tells what it was made from.
_NOTE = "prepared from sha256:"
_SUFFIXES = (".jpg", ".png")
# A larger file is no photo.
_MOST_BYTES = 256 * 2**20
_TOO_LARGE = f"it has more than {_MOST_BYTES // 2**20} MB"
_UNFIT = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture of the manifest after it was looked at.

    `path` is that of its copy, relative to the manifest; empty if it needs none, or none can be made. `problem` says
    why none can be made. `is_new` says that the copy was made just now.
    """

    candidate: Candidate
    path: str = ""
    problem: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line of a manifest or a table as it is, and the lines to write instead."""

    file: str
    line: int
    old: str
    new: tuple[str, ...]


def prepare(
    candidates: Sequence[Candidate],
    rules: Sequence[Rules],
    base: Path,
    tell: Callable[[str], None] = lambda path: None,
) -> Iterator[Prepared]:
    """Look at each picture, and make a copy where one is needed. Raises MissingHeifError, and OSError of the disk.

    Of a glob with such pictures each one gets a copy, so that another glob finds them all. `tell` is called with the
    path of each new copy.
    """
    copies = _Copies(rules, base, tell)
    done = [copies.of(each) for each in candidates]
    globs = {each.candidate.image.route for each in done if each.candidate.kind == "glob" and each.path}
    for each in done:
        is_in_glob = each.candidate.kind == "glob" and each.candidate.image.route in globs
        yield copies.equal(each.candidate) if is_in_glob and not each.path and not each.problem else each


class _Copies:
    """Makes copies, one for each source."""

    def __init__(self, rules: Sequence[Rules], base: Path, tell: Callable[[str], None]) -> None:
        self._rules = rules
        self._base = base
        self._objects = BucketFiles()
        self._tell = tell

    def of(self, candidate: Candidate) -> Prepared:
        if candidate.image.origin is Origin.URL:
            return Prepared(candidate)
        try:
            data = _bytes_of(candidate, self._objects)
        except (BucketError, DiskError, UsageError) as error:
            return Prepared(candidate, problem=f"cannot be read ({reason_of(error)})")
        except (OSError, ValueError) as error:
            return Prepared(candidate, problem=f"cannot be read ({getattr(error, 'strerror', None) or error})")
        if not _is_wrong(self._seen(data)):
            return Prepared(candidate)
        note = _NOTE + hashlib.sha256(data).hexdigest()
        for path in self._paths(candidate, note, _SUFFIXES):
            if self._is_made(path, note):
                return Prepared(candidate, path)
        try:
            fixed = converted(data, self._rules, note)
        except UnfixableError as error:
            return Prepared(candidate, problem=str(error))
        return self._written(candidate, note, fixed.content, fixed.suffix)

    def equal(self, candidate: Candidate) -> Prepared:
        """A copy of a picture that is right as it is: the same bytes, and so the same request."""
        data = _bytes_of(candidate, self._objects)
        digest = hashlib.sha256(data).hexdigest()
        suffix = ".png" if data.startswith(b"\x89PNG") else ".jpg"
        for path in self._paths(candidate, digest, (suffix,)):
            if (self._base / path).is_file() and (self._base / path).read_bytes() == data:
                return Prepared(candidate, path)
        return self._written(candidate, digest, data, suffix)

    def _written(self, candidate: Candidate, note: str, content: bytes, suffix: str) -> Prepared:
        """Write a copy where nothing is. What is there already may be the picture of a clip that was bought."""
        *_, last = paths = self._paths(candidate, note, (suffix,))
        further = (f"{last.removesuffix(suffix)}-{number}{suffix}" for number in count(2))
        path = next(each for each in chain(paths, further) if not os.path.lexists(self._base / each))
        _write(self._base / path, content)
        self._tell(path)
        return Prepared(candidate, path, is_new=True)

    def _paths(self, candidate: Candidate, note: str, suffixes: Sequence[str]) -> list[str]:
        """Where a copy may be, the plain name first: with its stem, the picture keeps its id."""
        if candidate.image.origin is Origin.INLINE:
            folder, stem = PurePosixPath(FOLDER), _UNFIT.sub("-", candidate.image.id)
        else:
            path = PurePosixPath(unicodedata.normalize("NFC", _path_in(candidate.label)))
            folder, stem = _below_folder(path.parent), path.stem
        ends = ("", f"-{note[-8:]}")
        return [str(folder / f"{stem}{end}{suffix}") for end in ends for suffix in suffixes]

    def _seen(self, data: bytes) -> Picture:
        return inspect(io.BytesIO(data), len(data), self._rules)

    def _is_made(self, path: str, note: str) -> bool:
        """Whether the copy is there, and as good as a new one."""
        try:
            data = (self._base / path).read_bytes()
        except OSError:
            return False
        return note_in(data) == note and not _is_wrong(self._seen(data))


def _bytes_of(candidate: Candidate, objects: BucketFiles) -> bytes:
    location = candidate.image.location
    if candidate.image.origin is Origin.INLINE:
        return base64.b64decode(location)
    if is_bucket_address(location):
        return _read_object(BucketAddress.of(location), objects)
    with open_media(Path(location)) as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(_TOO_LARGE)
    return data


def _read_object(address: BucketAddress, objects: BucketFiles) -> bytes:
    stored = objects.find(address)
    if stored is None:
        raise ValueError("it does not exist")
    if stored.size > _MOST_BYTES:
        raise ValueError(_TOO_LARGE)
    return objects.copy(address, stored).path.read_bytes()


def _path_in(written: str) -> str:
    """The path in a bucket without the bucket; that of a file as it is."""
    return written.partition("://")[2].partition("/")[2] if is_bucket_address(written) else written


def _is_wrong(picture: Picture) -> bool:
    return bool(picture.diagnostics or picture.warnings)


def _write(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def changed_lines(prepared: Sequence[Prepared], source: Source, base: Path) -> list[ChangedLine]:
    """The lines to change, those of the manifest first. A glob is one line, if another glob finds its copies."""
    copies = [each for each in prepared if each.path]
    found = [_changed(each, source) for each in copies if each.candidate.kind != "glob"]
    globs = {each.candidate.image.route: each.candidate for each in copies if each.candidate.kind == "glob"}
    for route, candidate in globs.items():
        paths = [each.path for each in copies if each.candidate.image.route == route]
        found.append(_changed_glob(candidate, paths, source, base))
    return sorted(found, key=lambda each: (each.file != source.text.file, each.file, each.line))


def _changed(copy: Prepared, source: Source) -> ChangedLine:
    candidate, path = copy.candidate, copy.path
    place = source.position(candidate.place)
    line = source.line(place)
    before, token, after = _parts(line, place)
    if place.file != source.text.file:
        new = before + _as_cell(path, token, line) + after
        return ChangedLine(place.file, place.line, line, (new,))
    before = re.sub(r"base64(\W*)$", r"file\1", before)
    key, is_named = re.search(r"[\"']?file\W*$", before), candidate.id_place[-1] == "id"
    if is_named or PurePosixPath(path).stem == candidate.image.id or key is None:
        return ChangedLine(place.file, place.line, line, (before + flow(path) + after,))
    named = f"id: {flow(candidate.image.id)}"
    if "{" in before:
        return ChangedLine(place.file, place.line, line, (f"{before}{flow(path)}, {named}{after}",))
    return ChangedLine(place.file, place.line, line, (before + flow(path) + after, " " * key.start() + named))


def _parts(line: str, place: Position) -> tuple[str, str, str]:
    start = place.column - 1
    return line[:start], line[start : start + place.length], line[start + place.length :]


def _as_cell(path: str, old: str, line: str) -> str:
    """The path as the table spells it: as JSON, or as a cell of CSV."""
    if line.lstrip().startswith("{"):
        return json.dumps(path, ensure_ascii=False)
    return '"' + path.replace('"', '""') + '"' if old.startswith('"') or re.search('[,;\t"]', path) else path


def _changed_glob(candidate: Candidate, paths: Sequence[str], source: Source, base: Path) -> ChangedLine:
    place = source.position((*candidate.image.route, "glob"))
    line = source.line(place)
    before, _, after = _parts(line, place)
    pattern = _prepared_glob(candidate.pattern, paths)
    try:
        is_same = set(matching(pattern, base)) == set(paths)
    except TooManyEntriesError:
        is_same = False
    if is_same:
        return ChangedLine(place.file, place.line, line, (before + flow(pattern) + after,))
    indent = " " * (len(line) - len(line.lstrip()))
    own = {"vars": candidate.image.vars} if candidate.image.vars else {}
    entries = tuple(f"{indent}- {flow({'file': each, **own})}" for each in paths)
    return ChangedLine(place.file, place.line, line, entries)


def _prepared_glob(pattern: str, paths: Sequence[str]) -> str:
    stem, _ = os.path.splitext(_path_in(pattern))
    endings = sorted({os.path.splitext(each)[1].removeprefix(".") for each in paths})
    ending = endings[0] if len(endings) == 1 else "{" + ",".join(endings) + "}"
    return str(_below_folder(PurePosixPath(stem).parent) / f"{PurePosixPath(stem).name}.{ending}")


def _below_folder(parent: PurePosixPath) -> PurePosixPath:
    """The folder of copies for pictures in a folder as the manifest spells it."""
    above = [each for each in parent.parts if each not in ("..", "/")]
    return PurePosixPath(FOLDER, *(above[1:] if above[:1] == [FOLDER] else above))
