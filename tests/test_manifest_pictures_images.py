"""Every kind of picture source, to images."""

import base64
import hashlib
import io
import os
import threading
import unicodedata

import pytest
from PIL import Image as Pictures

from runner.diagnostics.text import Text
from runner.manifest.pictures.images import read_images
from runner.manifest.pictures.inspection import Rules
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.yaml.document import parse
from runner.model import Image, Origin
from tests.kit import picture_bytes

RULES = [Rules(10 * 2**20, 300, (0.4, 2.5))]


class Room:
    """A folder with pictures, and what is read from entries beside them."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        self.diagnostics = ()

    def put(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def read(self, *entries, rules=RULES, fetch=None):
        text = "images:\n" + "".join(f"  - {entry}\n" for entry in entries)
        document = parse(Text("m.yaml", text))
        found = ReadingDiagnostics(document.source, [self.folder])
        images = read_images(document.value["images"], self.folder, rules, found, fetch)
        self.diagnostics = found.ordered()
        return images

    def diagnose(self, *entries, **options):
        self.read(*entries, **options)
        return [(each.code, each.position.line, each.message) for each in self.diagnostics]


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_a_file(room):
    data = picture_bytes(1)
    room.put("in/shoe.red.jpg", data)
    (image,) = room.read("{file: in/shoe.red.jpg, vars: {product: shoe}}")
    assert image == Image(
        id="shoe.red",
        origin=Origin.FILE,
        location=str(room.folder / "in/shoe.red.jpg"),
        reference="sha256:" + hashlib.sha256(data).hexdigest(),
        vars={"product": "shoe"},
        route=("images", 0),
        size=len(data),
        width=320,
        height=320,
        written="in/shoe.red.jpg",
    )
    assert room.diagnostics == ()
    assert room.read("{file: in/shoe.red.jpg, id: other}")[0].id == "other"


def test_a_glob_is_sorted_and_has_one_image_a_file(room):
    for number, name in enumerate(["b.png", "a.png", "sub/c.png", ".hidden.png", "d.jpg"]):
        room.put(f"looks/{name}", picture_bytes(number, kind="PNG"))
    (room.folder / "looks/folder.png").mkdir()
    images = room.read("{glob: looks/*.png, vars: {season: spring}}")
    assert [(each.id, each.vars, each.route) for each in images] == [
        ("a", {"season": "spring"}, ("images", 0)),
        ("b", {"season": "spring"}, ("images", 0)),
    ]
    assert [each.id for each in room.read("{glob: looks/**/*.png}")] == ["a", "b", "c"]
    assert [each.id for each in room.read(f"{{glob: {room.folder}/looks/d.*}}")] == ["d"]


def test_urls_are_passed_on(room):
    (image,) = room.read('{url: "https://example.com/in/red%20bag.jpg?size=2"}')
    assert (image.id, image.origin, image.reference) == ("red bag", Origin.URL, image.location)
    assert image.location == "https://example.com/in/red%20bag.jpg?size=2"
    assert (image.size, image.width, image.height) == (None, None, None)


def test_urls_are_checked_when_they_are_fetched(room):
    pictures = {
        "https://example.com/a.jpg": picture_bytes(1),
        "https://example.com/b.jpg": picture_bytes(2, width=200),
    }
    threads = set()

    def fetch(url):
        threads.add(threading.get_ident())
        if url not in pictures:
            raise OSError("404 Not Found")
        return pictures[url]

    images = room.read(*(f'{{url: "https://example.com/{name}.jpg"}}' for name in "abc"), fetch=fetch)
    assert [(each.id, each.width, each.reference) for each in images] == [
        ("a", 320, "https://example.com/a.jpg"),
        ("b", None, "https://example.com/b.jpg"),
        ("c", None, "https://example.com/c.jpg"),
    ]
    assert [(each.code, each.position.line) for each in room.diagnostics] == [("E404", 3), ("E401", 4)]
    assert room.diagnostics[1].message == "https://example.com/c.jpg cannot be fetched: 404 Not Found"
    assert threading.get_ident() not in threads


def test_inline(room):
    data = picture_bytes(1)
    text = base64.b64encode(data).decode()
    (image,) = room.read(f'{{base64: "{text}", id: dot}}')
    assert (image.id, image.origin, image.location) == ("dot", Origin.INLINE, text)
    assert image.reference == "sha256:" + hashlib.sha256(data).hexdigest()
    assert (image.size, image.width) == (len(data), 320)


def test_a_table(room):
    room.put("in/shoe.jpg", picture_bytes(1))
    room.put("lists/products.csv", b'\xef\xbb\xbfimage,id,product,price\r\nin/shoe.jpg,,"shoe, red",\r\n')
    room.put("more.csv", "id,image\nbag,https://example.com/b.jpg\n")
    shoe, bag = room.read("{table: lists/products.csv, vars: {season: spring}}", "{table: more.csv}")
    assert (shoe.id, shoe.vars) == ("shoe", {"season": "spring", "product": "shoe, red", "price": ""})
    assert shoe.location == str(room.folder / "in/shoe.jpg")
    assert shoe.route == ("images", 0, "table", 0)
    assert (bag.id, bag.origin, bag.vars) == ("bag", Origin.URL, {})


def test_a_picture_is_inspected_once(room, monkeypatch):
    room.put("a.jpg", picture_bytes(1))
    seen = []
    from runner.manifest.pictures import images
    from runner.manifest.pictures import inspection as pictures

    def inspect_file(path, rules):
        seen.append(path)
        return pictures.inspect_file(path, rules)

    monkeypatch.setattr(images, "inspect_file", inspect_file)
    found = room.read("{file: a.jpg}", "{file: ./a.jpg, id: b}")
    assert [(each.id, each.reference) for each in found] == [("a", found[0].reference), ("b", found[0].reference)]
    assert seen == [room.folder / "a.jpg"]


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ("{file: b.jpg}", "E401", "b.jpg does not exist"),
        ("{file: pipe}", "E401", "pipe is not a regular file"),
        ("{glob: 'p*e'}", "E401", "pipe is not a regular file"),
        ("{file: /proc/self/environ, id: x}", "E401", "nothing below /proc is read"),
        ("{glob: '*.gif'}", "E408", "no file matches '*.gif'"),
        ("{table: none.csv}", "E409", "the table 'none.csv' does not exist"),
        ("{table: folder}", "E409", "the table 'folder' cannot be read: Is a directory"),
        ("{base64: 'AA AA', id: x}", "E411", "character 3 ( ) is not Base64"),
        ("{base64: 'AA=A', id: x}", "E411", "character 3 (=) is not Base64"),
        ("{base64: AAAAA, id: x}", "E411", "Base64 has a multiple of 4 characters; this has 5"),
        ("{base64: 'A===', id: x}", "E411", "Base64 has a multiple of 4 characters; this has 4"),
        ("{base64: 'DATA:image/png;base64,AAAA', id: x}", "E411", "the API takes Base64 without a data: prefix"),
        ("{base64: AAAA, id: x}", "E402", "x is neither JPEG nor PNG by its content"),
        ("{url: 'ftp://example.com/a.jpg'}", "E412", "'ftp://example.com/a.jpg' is not usable"),
        ("{url: 'https:///a.jpg'}", "E412", "it has no host"),
        ("{url: 'https://[::1/a.jpg'}", "E412", "Invalid IPv6 URL"),
        ("{url: 'https://example.com:port/a.jpg'}", "E412", "Port could not be cast"),
        ("{url: 'https://user:word@example.com/a.jpg'}", "E412", "'https://…@example.com/a.jpg' is not usable"),
        ("{url: 'https://example.com'}", "E202", "https://example.com has no name to take an id from"),
    ],
)
def test_what_is_wrong(room, entry, code, message):
    room.put("a.jpg", picture_bytes(1))
    (room.folder / "folder").mkdir()
    os.mkfifo(room.folder / "pipe")
    ((found, line, said),) = room.diagnose(entry)
    assert (found, line) == (code, 2)
    assert message in said
    assert room.diagnostics[0].hint


def test_a_wrong_character_of_base64_is_marked(room):
    room.read("{base64: 'AAAAAAAA AAA', id: x}")
    assert (room.diagnostics[0].position.column, room.diagnostics[0].position.length) == (23, 1)


def test_ids_stand_once(room):
    for name in ("a/shoe.jpg", "b/shoe.png"):
        room.put(name, picture_bytes(1))
    assert room.diagnose("{file: a/shoe.jpg}", "{file: b/shoe.png}", "{file: b/shoe.png, id: x}") == [
        ("E210", 3, "the image id 'shoe' is given twice; the first is in line 2, of a/shoe.jpg")
    ]
    assert room.diagnostics[0].hint == "give one of them another id: {file: b/shoe.png, id: shoe-2}"
    assert room.diagnose("{glob: '*/shoe.*'}") == [
        ("E210", 2, "a/shoe.jpg and b/shoe.png have the same image id 'shoe'")
    ]


def test_ids_of_pictures_with_problems_count_too(room):
    room.put("a.jpg", picture_bytes(1))
    room.put("small.jpg", picture_bytes(2, width=200))
    found = room.diagnose("{file: a.jpg}", "{file: small.jpg}", "{file: none.jpg, id: n}", "{file: a.jpg, id: small}")
    assert [(code, line) for code, line, _ in found] == [("E404", 3), ("E401", 4), ("E210", 5)]


@pytest.mark.parametrize("entry", ["5", "{vars: {a: 1}}", "{file: null}", "{file: a.jpg, id: null}"])
def test_entries_whose_problem_is_told_already(room, entry):
    room.put("a.jpg", picture_bytes(1))
    assert room.diagnose(entry) == []


def test_addresses_that_cannot_be_used_go_nowhere(room):
    def fetch(url):
        raise AssertionError(url)

    room.read("{url: 'https://user:word@example.com/a.jpg', id: a}", "{base64: '?', id: b}", fetch=fetch)
    assert [each.code for each in room.diagnostics] == ["E412", "E411"]


def test_a_ragged_row_hides_no_other(room):
    room.put("ragged.csv", "image,id\na.jpg,b\na.jpg,c,d\nb.jpg,e\n")
    assert [(code, line) for code, line, _ in room.diagnose("{table: ragged.csv}")] == [
        ("E401", 2),
        ("E409", 3),
        ("E401", 4),
    ]


def test_rows_are_placed_in_their_table(room, monkeypatch):
    monkeypatch.chdir(room.folder)
    room.put("t.csv", 'image,id,price,two words\nnone.jpg,a,5,x\n,b,5,x\nhttp://,c,5,x\n"a\nb.jpg",d,5,x\n')
    assert room.diagnose("{table: t.csv, vars: {price: 3}}") == [
        ("E312", 1, "the variable 'price' is set by the table and by vars"),
        ("E401", 2, "none.jpg does not exist"),
        ("E409", 3, "the row has no image"),
        ("E412", 4, "'http://' is not usable: it has no host"),
        ("E409", 5, "'a\\nb.jpg' has control characters"),
    ]
    assert {each.position.file for each in room.diagnostics} == {"t.csv"}
    assert [each.source for each in room.diagnostics][1] == "none.jpg,a,5,x"


def test_links_are_followed_and_their_own_names_are_ids(room):
    room.put("real.jpg", picture_bytes(1))
    (room.folder / "link.jpg").symlink_to("real.jpg")
    (image,) = room.read("{file: link.jpg}")
    assert (image.id, image.location) == ("link", str(room.folder / "real.jpg"))


def test_unusual_file_names(room):
    room.put("\u0007.jpg", picture_bytes(1))
    assert room.diagnose("{glob: '*.jpg'}") == [
        ("E207", 2, "the image id '\\u0007' has characters that no id has, or more than 300 of them")
    ]
    long = "x" * 240
    room.put(f"more/{long}.jpg", picture_bytes(1))
    assert [each.id for each in room.read("{glob: more/*.jpg}")] == [long]


def phone(orientation=6):
    exif = Pictures.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Pictures.new("RGB", (400, 320), (orientation, 60, 80)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_pictures_that_phones_save_alike_are_one_warning_an_entry(room):
    for number in (1, 2, 3):
        room.put(f"in/{number}.jpg", phone(5 + number))
    room.put("t.csv", "image,id\nin/1.jpg,a\nin/2.jpg,b\n")
    found = room.diagnose("{glob: in/*.jpg}", "{table: t.csv}", "{file: in/3.jpg, id: c}")
    turned, rest = "is turned to the right by a note in it", " (EXIF); the service may not heed that"
    assert sorted(found, key=lambda each: len(each[2])) == [
        ("W414", 4, f"in/3.jpg {turned.replace('right', 'left')}{rest}"),
        ("W414", 2, f"in/1.jpg {turned}{rest} (1 more of this entry is so, too)"),
        ("W414", 2, f"in/1.jpg {turned}{rest} (2 more of this entry are so, too)"),
    ]
    assert room.diagnostics[0].hint.startswith("reelrun fix-pictures m.yaml writes")


def test_names_match_in_either_unicode_form_and_ids_are_one(room):
    composed, apart = (unicodedata.normalize(form, "Müller") for form in ("NFC", "NFD"))
    room.put(f"{apart}.jpg", picture_bytes(1))
    room.put("t.csv", f"image\n{composed}.jpg\n")
    for entry in (f"{{file: {composed}.jpg}}", "{table: t.csv}", "{glob: '*.jpg'}"):
        (image,) = room.read(entry)
        assert (room.diagnostics, image.id) == ((), composed)
        assert image.location == str(room.folder / f"{apart}.jpg")


def test_a_row_holds_all_its_columns_and_variables_are_those_that_have_names(room):
    room.put("a.jpg", picture_bytes(1))
    room.put("t.csv", "image;id;Product Name;name;take;row;colour\na.jpg;x;Shoe;Ann;3;r;red\n")
    (image,) = room.read("{table: t.csv, vars: {season: spring}}")
    assert image.vars == {"season": "spring", "colour": "red"}
    assert image.row == {
        "image": "a.jpg",
        "id": "x",
        "Product Name": "Shoe",
        "name": "Ann",
        "take": "3",
        "row": "r",
        "colour": "red",
    }
    assert set(image.known) == {"Product Name", "name", "take", "row", "colour", "season"}
    (other,) = room.read("{file: a.jpg}")
    assert other.row is None


def test_one_picture_in_two_rows_asks_for_a_column_id(room):
    room.put("a.jpg", picture_bytes(1))
    room.put("t.csv", "image,product\na.jpg,x\na.jpg,y\n")
    assert [each[0] for each in room.diagnose("{table: t.csv}")] == ["E210"]
    assert room.diagnostics[0].hint == "add a column id to the table, with an id of its own in each row"
    room.put("t.csv", "image,id,product\na.jpg,one,x\na.jpg,two,y\n")
    assert [each.id for each in room.read("{table: t.csv}")] == ["one", "two"]


def test_what_a_glob_leaves_out(room):
    for name in ("a.jpg", "IMG_2.JPG", "c.jpeg"):
        room.put(f"in/{name}", picture_bytes(1))
    room.put("in/Thumbs.db", b"\xd0\xcf\x11\xe0")
    assert room.diagnose("{glob: in/*.jpg}") == [("W413", 2, "'in/*.jpg' leaves out IMG_2.JPG and c.jpeg")]
    assert room.diagnostics[0].hint == 'to take all of them write glob: "in/*.{JPG,jpeg,jpg}"'
    assert room.diagnose("{glob: 'in/*.{JPG,jpeg,jpg}'}") == []
    ((code, _, message),) = room.diagnose("{glob: in/*}")
    assert (code, message) == ("E402", "in/Thumbs.db is neither JPEG nor PNG by its content")
    assert room.diagnostics[0].hint == 'if it is no picture, leave it out: write glob: "in/*.{jpg,png}"'
