"""Which kind of table a file is, and its encoding."""

import codecs

import pytest

from runner.errors import ManifestError
from runner.manifest.files import UnreadableError
from runner.manifest.tables.table_files import TableFile, read_table

TEXT = "image;Größe\nBär.jpg;groß – 5 €\n"


def read(folder, data, **more):
    (folder / "t.csv").write_bytes(data)
    return read_table(TableFile("t.csv", **more), folder.resolve(), [folder.resolve()])


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), None),
        (TEXT.encode("utf-8-sig"), None),
        (TEXT.replace("\n", "\r\n").encode("utf-16"), None),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), None),
        (TEXT.replace("\n", "\r").encode("cp1252"), "cp1252"),
        (TEXT.encode("mac-roman"), "mac-roman"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
    ],
)
def test_texts_of_any_encoding(tmp_path, data, encoding):
    table = read(tmp_path, data, encoding=encoding)
    assert [dict(row.cells) for row in table.rows] == [{"image": "Bär.jpg", "Größe": "groß – 5 €"}]
    assert (table.position((0,)).line, table.diagnostics) == (2, ())


def test_a_table_that_is_not_utf_8_says_what_to_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, TEXT.encode("cp1252"))
    (found,) = caught.value.diagnostics
    assert (found.code, found.position.line, found.position.column) == ("E104", 1, 9)
    assert found.hint == "add encoding: cp1252 to its entry (0xf6 is ö there), or export it as CSV UTF-8"


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        (TEXT.encode(), "cp1252", "is UTF-8, and would be garbled as cp1252"),
        (TEXT.encode("utf-16"), "latin-1", "is UTF-16, and would be garbled as latin-1"),
        (TEXT.encode("cp1252"), "cp1253x", "cannot be read as 'cp1253x': there is no such encoding"),
        (TEXT.encode("cp1252"), "zip", "cannot be read as 'zip': there is no such encoding"),
    ],
)
def test_encodings_that_do_not_fit(tmp_path, data, encoding, said):
    with pytest.raises(UnreadableError) as caught:
        read(tmp_path, data, encoding=encoding)
    assert (caught.value.code, caught.value.message) == ("E413", said)


def test_a_byte_that_the_encoding_does_not_have(tmp_path):
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, b"image;a\nx;\x81\n", encoding="cp1252")
    (found,) = caught.value.diagnostics
    assert (found.code, found.position.line, found.message) == ("E104", 2, "the byte 0x81 is not cp1252")


def test_json_lines_are_known_by_their_content(tmp_path):
    table = read(tmp_path, '{"image": "a.jpg", "n": 1}\n'.encode("utf-8-sig"))
    assert dict(table.rows[0].cells) == {"image": "a.jpg", "n": 1}


def test_a_table_outside_is_not_read(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "t.csv").write_text(TEXT)
    with pytest.raises(UnreadableError, match="outside"):
        read_table(TableFile("../t.csv"), tmp_path.resolve() / "in", [tmp_path.resolve() / "in"])
