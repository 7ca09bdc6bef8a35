"""Finds the pictures that the entries of a manifest name. No picture is opened here."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import quote, unquote, urlsplit

from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.diagnostics.suggestions import inside, misread, nearby
from runner.diagnostics.words import flow, joined, name, quoted, shortened
from runner.manifest.files import on_disk
from runner.manifest.json_values import mapping
from runner.manifest.pictures.bucket_entries import object_address, object_beside, objects_of_glob
from runner.manifest.pictures.glob_search import MOST_ENTRIES, TooManyEntriesError, matching, near
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.tables.image_table import Row, Table
from runner.manifest.tables.table_files import TableFile, read_table, stored_table
from runner.manifest.variable_names import RESERVED, is_variable
from runner.model import Image, Json, Origin, Route, Variables

Entry: TypeAlias = Mapping[str, Json]

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]|=(?=[^=])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DATA = re.compile(r"data:[^,]*,", re.IGNORECASE)
_URL_SIGNS = ":/?#[]@!$&'()*+,;=~"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that is not inspected yet, so its reference and sizes are missing. `pattern` is the glob that found it.

    `place` is the route of the value that names the picture, `id_place` that of the value that gives its id. `kind` and
    `label` are key and value in the manifest: `file` and `images/shoe.jpg`. In a table, `kind` is the column `image`.
    """

    image: Image
    kind: str
    label: str
    place: Route
    id_place: Route
    pattern: str = ""


Candidates: TypeAlias = Iterator[Candidate]


def candidates(entry: Json, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    """The pictures of an entry that can be inspected. Errors in the entry itself are reported."""
    written = mapping(entry)
    kind = next((each for each in _KINDS if isinstance(written.get(each), str)), None)
    return iter(()) if kind is None else _KINDS[kind](written, route, base, found)


def _file(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    written, place = str(entry["file"]), (*route, "file")
    if is_bucket_address(written):
        address = object_address(written, place, found)
        if address is not None:
            yield _stored(entry, route, "file", address)
    elif _is_path(place, written, found):
        yield _local(entry, route, "file", written, base)


def _is_path(place: Route, written: str, found: ReadingDiagnostics) -> bool:
    """Whether this may be the path of a file. An address or the bytes of a picture are reported."""
    if _DATA.match(written):
        hint = "write base64: with what follows the comma, and an id: {base64: iVBOR..., id: dot}"
        found.error("E412", place, "this is a picture in Base64, not a path", hint)
    elif written.startswith("file://"):
        hint = f"write the path alone: {flow(unquote(urlsplit(written).path))}"
        found.error("E412", place, f"{name(written)} is an address of a file, not its path", hint)
    elif _SCHEME.match(written):
        hint = "download it, and write the path of the file"
        if place[-1] == "file":
            hint = f"write url: {quoted(_masked(written))}"
        found.error("E412", place, f"{name(_masked(written))} is an address, not a path", hint)
    else:
        return True
    return False


def _url(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    url = str(entry["url"])
    reason = _url_error(url)
    if reason:
        found.error("E412", (*route, "url"), f"{name(_masked(url))} is not usable: {reason}", _url_hint(url))
        return
    yield _candidate(entry, route, "url", url, Origin.URL, url, _url_stem(url))


def _base64(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    text = str(entry["base64"])
    error = _base64_error(text)
    if error is not None:
        message, hint, offset = error
        found.error("E411", (*route, "base64"), message, hint, offset=offset)
        return
    label = str(entry.get("id") or "the picture")
    yield _candidate(entry, route, "base64", label, Origin.INLINE, text, "")


def _base64_error(text: str) -> tuple[str, str, int] | None:
    """Message, hint and index of the wrong character of an invalid Base64 text; None if it is valid."""
    if text[:5].lower() == "data:":
        return "the API takes Base64 without a data: prefix", "delete all up to the comma", 0
    wrong = _NOT_BASE64.search(text)
    if wrong is not None:
        message = f"character {wrong.start() + 1} ({ascii(wrong.group())[1:-1]}) is not Base64"
        hint = "write it on one line, as base64 -w0 FILE does" if wrong.group().isspace() else "copy it anew"
        return message, hint, wrong.start()
    if len(text) % 4 or text.count("=") > 2:
        return f"Base64 has a multiple of 4 characters; this has {len(text):,}", "copy it anew", 0
    return None


def _glob(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    pattern, place = str(entry["glob"]), (*route, "glob")
    if is_bucket_address(pattern):
        for each in objects_of_glob(pattern, place, found):
            yield replace(_stored(entry, route, "glob", each), pattern=pattern)
        return
    if not _is_path(place, pattern, found):
        return
    try:
        files = matching(pattern, base)
        others = near(pattern, base, files)
    except TooManyEntriesError:
        message = f"the glob {name(pattern)} looks at more than {MOST_ENTRIES:,} files and folders"
        found.error("E105", place, message, "begin it with the folder that holds the pictures")
        return
    _tell_of_others(pattern, files, others, base, place, found)
    yield from (replace(_local(entry, route, "glob", written, base), pattern=pattern) for written in files)


def _tell_of_others(
    pattern: str, files: list[str], others: list[str], base: Path, place: Route, found: ReadingDiagnostics
) -> None:
    """Report a glob that matches nothing, or leaves out files with nearly such names."""
    told = joined(map(os.path.basename, others), "and", limit=6)
    hint = _wider(pattern, [*files, *others], base) if others else ""
    if files and others:
        found.warning("W413", place, f"{name(pattern)} leaves out {told}", hint)
    elif not files:
        fixed = os.path.dirname(re.split(r"[*?\[{]", pattern, maxsplit=1)[0])
        if others:
            hint = f"it nearly matches {told}; {hint}"
        else:
            hint = nearby(base / pattern, pattern) if misread(pattern) else inside(on_disk(base / fixed), fixed)
        found.error("E408", place, f"no file matches {name(pattern)}", hint)


def _wider(pattern: str, wanted: list[str], base: Path) -> str:
    """A hint how to match all these files."""
    stem, _ = os.path.splitext(pattern)
    endings = sorted({os.path.splitext(each)[1].removeprefix(".") for each in wanted})
    ending = endings[0] if len(endings) == 1 else "{" + ",".join(endings) + "}"
    wider = f"{stem}.{ending}"
    with suppress(TooManyEntriesError):
        if set(matching(wider, base)) >= set(wanted):
            return f"to take all of them write glob: {quoted(wider)}"
    return "capital and small letters count: write them as the files have them, or [Aa] for both"


def _table(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    table = TableFile(**{key: str(entry[key]) for key in ("table", "encoding", "sheet") if entry.get(key) is not None})
    place, own = (*route, "table"), mapping(entry.get("vars"))
    is_stored = is_bucket_address(table.table)
    address = object_address(table.table, place, found) if is_stored else None
    if address is None and (is_stored or not _is_path(place, table.table, found)):
        return
    with found.reading(place, f"the table {name(table.table)}", missing="E409"):
        content = (
            read_table(table, base, found.folders) if address is None else stored_table(table, address, found.objects)
        )
        found.attach(place, content)
        found.extend(content.diagnostics)
        yield from _rows(content, own, place, base if address is None else address.parent, found)


def _rows(
    table: Table, own: Variables, place: Route, base: Path | BucketAddress, found: ReadingDiagnostics
) -> Candidates:
    """The pictures of a table. Paths in it are relative to `base`."""
    names = [column for column in table.columns if _is_variable_column(column, own, place, found)]
    for index, row in enumerate(table.rows):
        variables = {**own, **{column: row.cells[column] for column in names}}
        yield from _row(row, variables, (*place, index), base, found)


def _is_variable_column(column: str, own: Variables, place: Route, found: ReadingDiagnostics) -> bool:
    """Whether templates know a column by its name alone. Every other one they know as `row["NAME"]`."""
    if not column:
        hint = "give it a name in the header, or delete it"
        found.warning("W902", (*place, column), "a column without a name is left out", hint, key=True)
    if column in ("id", *RESERVED) or not is_variable(column):
        return False
    if column in own:
        message = f"the variable {name(column)} is set by the table and by vars"
        found.error("E312", (*place, column), message, "delete it from vars, or rename the column", key=True)
    return True


def _row(
    row: Row, variables: Variables, route: Route, base: Path | BucketAddress, found: ReadingDiagnostics
) -> Candidates:
    written, given = row.text("image"), row.text("id")
    error = _row_error(written)
    if error is not None:
        code, message, hint = error
        found.error(code, (*route, "image"), message, hint)
        return
    named: Entry = {"id": given} if given else {}
    entry: Entry = {"vars": variables, "row": row.cells, **named}
    if is_bucket_address(written):
        address = object_address(written, (*route, "image"), found)
    elif _SCHEME.match(written):
        yield _candidate(entry, route, "image", written, Origin.URL, written, _url_stem(written))
        return
    elif isinstance(base, Path):
        yield _local(entry, route, "image", written, base)
        return
    else:
        address = object_beside(base, written, (*route, "image"), found)
    if address is not None:
        yield _stored(entry, route, "image", address)


def _row_error(written: str) -> tuple[str, str, str] | None:
    if not written:
        return "E409", "the row has no image", "write a path or an address in the column image, or delete the row"
    if _CONTROL.search(written):
        return "E409", f"{name(written)} has control characters", "write the path on one line"
    if _DATA.match(written):
        return "E412", "this is a picture in Base64", "save the picture as a file, and write its path here"
    if _SCHEME.match(written) and not is_bucket_address(written) and _url_error(written):
        return "E412", f"{name(_masked(written))} is not usable: {_url_error(written)}", _url_hint(written)
    return None


def _local(entry: Entry, route: Route, kind: str, written: str, base: Path) -> Candidate:
    location = os.path.realpath(on_disk(base / written))
    # An id is the same on every machine, however its disk spells the name.
    stem = unicodedata.normalize("NFC", Path(written).stem)
    return _candidate(entry, route, kind, written, Origin.FILE, location, stem)


def _stored(entry: Entry, route: Route, kind: str, address: BucketAddress) -> Candidate:
    """A picture in a bucket. Its location is its address until it is read."""
    stem = unicodedata.normalize("NFC", PurePosixPath(address.path).stem)
    return _candidate(entry, route, kind, str(address), Origin.FILE, str(address), stem)


def _candidate(
    entry: Entry, route: Route, kind: str, label: str, origin: Origin, location: str, stem: str
) -> Candidate:
    image = Image(
        id=str(entry.get("id", stem) or ""),
        origin=origin,
        location=location,
        reference="",
        vars=mapping(entry.get("vars")),
        route=route,
        row=mapping(entry["row"]) if "row" in entry else None,
    )
    place, id_place = (*route, kind), (*route, "id" if "id" in entry else kind)
    return Candidate(image, kind, label, place, id_place)


def _url_error(url: str) -> str:
    """Why an address cannot be used; empty if it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https:// or http://"
    if not host:
        return "it has no host"
    if parts.username is not None or parts.password is not None:
        return "it carries a user name or a password, which would be stored"
    return "it has spaces or control characters" if re.search(r"[\s\x00-\x1f\x7f-\x9f]", url) else ""


def _masked(url: str) -> str:
    """The address without the user name and the password in it."""
    return re.sub(r"//[^/@]*@", "//…@", url)


def _url_hint(url: str) -> str:
    url = url.strip()
    if not _url_error(url):
        return f"write {url}"
    if _DATA.match(url):
        return "write base64: with what follows the comma, and an id"
    if "@" in url.partition("://")[2].partition("/")[0]:
        return "use an address that needs no password, or download the picture"
    if url.startswith("file://"):
        return f"write file: {flow(unquote(urlsplit(url).path))}"
    if is_bucket_address(url):
        return f"it lies in a bucket: write file: {quoted(url)}"
    if not _SCHEME.match(url):
        return f"write https://{shortened(url)}, or for a file file: {shortened(url)}"
    if re.match(r"https?://[^/?#\s]", url) and re.search(r"\s", url):
        # What is encoded already stays.
        return f"write {quote(url, safe='%' + _URL_SIGNS)}"
    return "it looks like https://example.com/bag.jpg"


def _url_stem(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).stem


_KINDS: Mapping[str, Callable[[Entry, Route, Path, ReadingDiagnostics], Candidates]] = {
    "file": _file,
    "glob": _glob,
    "url": _url,
    "table": _table,
    "base64": _base64,
}
