"""From a file to a table: which kind of table it is, by its content, and which encoding its text has."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.bucket_words import missing_hint, reason_of
from runner.diagnostics.suggestions import closest, did_you_mean
from runner.diagnostics.text import Text, decode, file_error, shown, with_lines
from runner.diagnostics.words import name, size
from runner.errors import BucketError, DiskError, UsageError
from runner.manifest.files import UnreadableError, bytes_below, check_key
from runner.manifest.tables.delimited_text import is_delimited, read_delimited
from runner.manifest.tables.image_table import Table
from runner.manifest.tables.json_lines import is_json_lines, read_json_lines
from runner.manifest.tables.spreadsheets import is_workbook, read_workbook

MAX_BYTES = 20 * 2**20
_USUAL = ("cp1252", "cp1250", "cp1251", "latin-1", "mac-roman", "shift_jis", "gb18030", "utf-8", "utf-16")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table as an entry of the manifest names it: its path as spelled there, and what else it says of the file."""

    table: str
    encoding: str | None = None
    sheet: str | None = None


def read_table(named: TableFile, base: Path, folders: Sequence[Path]) -> Table:
    """Read a table from below `folders`. Raises UnreadableError, and ManifestError with the errors in the file."""
    path = base / named.table
    data, _ = bytes_below(path, folders, named.table, MAX_BYTES)
    return _table(named, data, shown(path))


def stored_table(named: TableFile, address: BucketAddress, objects: BucketFiles) -> Table:
    """Read a table from a bucket. Raises as `read_table` does, with E421 where the bucket cannot be read."""
    try:
        stored = objects.find(address)
        if stored is None:
            raise UnreadableError("E101", "does not exist", missing_hint(address, objects))
        if stored.size > MAX_BYTES:
            message = f"has {size(stored.size)}; at most {size(MAX_BYTES)} are read"
            raise UnreadableError("E105", message, "split it into several; a table this large is rarely meant")
        data = objects.copy(address, stored).path.read_bytes()
    except (BucketError, DiskError, UsageError) as error:
        raise UnreadableError("E421", f"cannot be read: {reason_of(error)}", error.hint) from None
    return _table(named, data, str(address))


def _table(named: TableFile, data: bytes, file: str) -> Table:
    """`file` is the name of the table in messages."""
    if is_workbook(data):
        found = read_workbook(data, file, named.sheet)
        check_key(found.text)
        return found.checked()
    text = _text(data, file, named.encoding)
    check_key(text)
    return (read_json_lines if text.text.lstrip().startswith("{") else read_delimited)(text).checked()


def _is_table(text: str) -> bool:
    """Whether lines of the file may be in messages: of another file they may hold secrets."""
    return is_delimited(text) or is_json_lines(text)


def _text(data: bytes, file: str, encoding: str | None) -> Text:
    if encoding is None:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _decoded(data, file, "utf-16")
        return decode(data, file, _is_table, _hint(data))
    if _is_unknown(encoding):
        guess = closest(encoding, _USUAL)
        hint = did_you_mean(guess, f"such as {', '.join(_USUAL[:4])}; without it the table is UTF-8 or UTF-16")
        raise UnreadableError("E413", f"cannot be read as {name(encoding)}: there is no such encoding", hint)
    actual = _actual(data)
    if actual is not None and not codecs.lookup(encoding).name.startswith("utf"):
        message = f"is {actual.upper()}, and would be garbled as {encoding}"
        raise UnreadableError("E413", message, "delete encoding from its entry")
    return _decoded(data, file, encoding)


def _is_unknown(encoding: str) -> bool:
    """Whether no text has such an encoding."""
    try:
        # Codecs that compress or encrypt are none of a text.
        b"a".decode(encoding)
    except UnicodeError:
        return False
    except (LookupError, ValueError):
        return True
    return False


def _actual(data: bytes) -> str | None:
    """The encoding that a file tells by its mark, or by characters that no other encoding has; None if it does not."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        return None if data.decode("utf-8").isascii() else "utf-8"
    except UnicodeDecodeError:
        return None


def _decoded(data: bytes, file: str, encoding: str) -> Text:
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        text = data.decode(encoding, "replace")
        whole = with_lines(text, file, _is_table)
        place = whole.at(len(with_lines(data[: error.start].decode(encoding, "replace"), file).text))
        message = f"the byte 0x{data[error.start]:02x} is not {encoding}"
        raise file_error("E104", whole, place, message, "name the encoding that the table was saved in") from None
    return with_lines(text, file, _is_table)


def _hint(data: bytes) -> str:
    """What to do about a table that is not UTF-8: most are from Excel for Windows."""
    wrong = next((each for each in data if each >= 0x80), 0)
    seen = bytes([wrong]).decode("cp1252", "replace")
    as_seen = f" (0x{wrong:02x} is {seen} there)" if seen.isprintable() and seen != "\ufffd" else ""
    return f"add encoding: cp1252 to its entry{as_seen}, or export it as CSV UTF-8"
