"""Finds the pictures that the entries of a manifest name. No picture is opened here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from runner.diagnostics.suggestions import inside
from runner.diagnostics.words import name, shortened
from runner.manifest.files import read_below
from runner.manifest.json_values import mapping
from runner.manifest.pictures.glob_search import MOST_ENTRIES, TooManyEntriesError, matching
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.tables import MAX_BYTES, Row, Table, is_table, read_table
from runner.manifest.variable_names import RULE, is_variable
from runner.model import Image, Json, Origin, Route, Variables

Entry: TypeAlias = Mapping[str, Json]

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]|=(?=[^=])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that is not inspected yet, so its reference and sizes are missing.

    `place` is the route of the value that names the picture, `id_place` that of the value that gives its id. `kind` and
    `label` are key and value in the manifest: `file` and `images/shoe.jpg`. In a table, `kind` is the column `image`.
    """

    image: Image
    kind: str
    label: str
    place: Route
    id_place: Route


Candidates: TypeAlias = Iterator[Candidate]


def candidates(entry: Json, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    """The pictures of an entry that can be inspected. Errors in the entry itself are reported."""
    written = mapping(entry)
    kind = next((each for each in _KINDS if isinstance(written.get(each), str)), None)
    return iter(()) if kind is None else _KINDS[kind](written, route, base, found)


def _file(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    yield _local(entry, route, "file", str(entry["file"]), base)


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
    pattern = str(entry["glob"])
    try:
        files = matching(pattern, base)
    except TooManyEntriesError:
        message = f"the glob {name(pattern)} looks at more than {MOST_ENTRIES:,} files and folders"
        found.error("E105", (*route, "glob"), message, "begin it with the folder that holds the pictures")
        return
    if not files:
        fixed = os.path.dirname(re.split(r"[*?\[]", pattern, maxsplit=1)[0])
        found.error("E408", (*route, "glob"), f"no file matches {name(pattern)}", inside(base / fixed, fixed))
    yield from (_local(entry, route, "glob", written, base) for written in files)


def _table(entry: Entry, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    written, place, own = str(entry["table"]), (*route, "table"), mapping(entry.get("vars"))
    with found.reading(place, f"the table {name(written)}", missing="E409"):
        table = read_table(read_below(base / written, found.folders, written, MAX_BYTES, is_table))
        found.attach(place, table)
        found.extend(table.diagnostics)
        yield from _rows(table, own, place, base, found)


def _rows(table: Table, own: Variables, place: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    names = [column for column in table.columns if _is_variable_column(column, own, place, found)]
    for index, row in enumerate(table.rows):
        variables = {**own, **{column: row.cells[column] for column in names}}
        yield from _row(row, variables, (*place, index), base, found)


def _is_variable_column(column: str, own: Variables, place: Route, found: ReadingDiagnostics) -> bool:
    if column in ("image", "id"):
        return False
    if not is_variable(column):
        what = f"the column {name(column)}" if column else "a column without a name"
        found.warning("W902", (*place, column), f"{what} is left out: templates cannot name it", RULE, key=True)
        return False
    if column in own:
        message = f"the variable {name(column)} is set by the table and by vars"
        found.error("E312", (*place, column), message, "delete it from vars, or rename the column", key=True)
    return True


def _row(row: Row, variables: Variables, route: Route, base: Path, found: ReadingDiagnostics) -> Candidates:
    written, given = row.cells["image"].strip(), row.cells.get("id", "").strip()
    error = _row_error(written)
    if error is not None:
        code, message, hint = error
        found.error(code, (*route, "image"), message, hint)
        return
    entry: Entry = {"vars": variables, "id": given} if given else {"vars": variables}
    if _SCHEME.match(written):
        yield _candidate(entry, route, "image", written, Origin.URL, written, _url_stem(written))
    else:
        yield _local(entry, route, "image", written, base)


def _row_error(written: str) -> tuple[str, str, str] | None:
    if not written:
        return "E409", "the row has no image", "write a path or an address in the column image, or delete the row"
    if _CONTROL.search(written):
        return "E409", f"{name(written)} has control characters", "write the path on one line"
    if _SCHEME.match(written) and _url_error(written):
        return "E412", f"{name(_masked(written))} is not usable: {_url_error(written)}", _url_hint(written)
    return None


def _local(entry: Entry, route: Route, kind: str, written: str, base: Path) -> Candidate:
    location = os.path.realpath(base / written)
    return _candidate(entry, route, kind, written, Origin.FILE, location, Path(written).stem)


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
    if "@" in url:
        return "use an address that needs no password, or download the picture"
    if _SCHEME.match(url):
        return "it looks like https://example.com/bag.jpg; a space in it is written %20"
    return f"write https://{shortened(url)}, or for a file file: {shortened(url)}"


def _url_stem(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).stem


_KINDS: Mapping[str, Callable[[Entry, Route, Path, ReadingDiagnostics], Candidates]] = {
    "file": _file,
    "glob": _glob,
    "url": _url,
    "table": _table,
    "base64": _base64,
}
