"""Pictures in buckets: the same requests as from the disk, read once, and told where they are wrong."""

from __future__ import annotations

import io
import json
from uuid import uuid4

import pytest
from openpyxl import Workbook

from runner.buckets import bucket, bucket_files
from runner.manifest.pictures import bucket_globs, bucket_pictures
from runner.manifest.pictures.inspection import Rules
from runner.manifest.reader import load, read
from runner.planning.plan import make_plan
from tests.kit import picture_bytes, write_manifest
from tests.store_proxies import filled, hanging, refusing, resetting


@pytest.fixture(params=["moto", "seaweed"])
def servers(request, tmp_path, monkeypatch):
    with filled(request.param, f"pictures-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


@pytest.fixture
def store(tmp_path, monkeypatch):
    with filled("moto", f"pictures-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


def workbook(*rows):
    book, buffer = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def said(path):
    return [(each.code, each.message, each.hint) for each in read(path).diagnostics]


def test_a_picture_moved_to_a_bucket_buys_nothing_again_and_a_second_plan_reads_nothing(servers, tmp_path):
    table = "image,id,product\n{},shoe,trail shoe\n{},bag,bag\n"
    keys = {"pictures": 4, "prompts": [{"id": "a", "text": "A pan over {{ product | default('x') }}"}]}
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "products.csv").write_text(table.format("p2.jpg", "p3.jpg"))
    images = [{"file": "p0.jpg"}, {"glob": "p1*.jpg"}, {"table": "products.csv"}]
    before = make_plan(load(write_manifest(tmp_path / "disk", **{**keys, "images": images})))
    for number in range(4):
        servers.put(f"looks/p{number}.jpg", picture_bytes(number))
    base = servers.put("t/products.csv", table.format("../looks/p2.jpg", f"{servers.address}/looks/p3.jpg").encode())
    images = [
        {"file": f"{servers.address}/looks/p0.jpg"},
        {"glob": f"{servers.address}/looks/p1*.jpg"},
        {"table": base},
    ]
    path = write_manifest(tmp_path / "m", **{**keys, "images": images})
    first = make_plan(load(path))
    assert [each.job.id for each in first.jobs] == [each.job.id for each in before.jobs]
    assert [each.job.key for each in first.jobs] == [each.job.key for each in before.jobs]
    assert servers.proxy.count("GET") == 5
    again = load(path)
    assert [each.job.id for each in make_plan(again).jobs] == [each.job.id for each in before.jobs]
    assert servers.proxy.count("GET") == 5
    assert [each.written for each in again.images] == [f"{servers.address}/looks/p{number}.jpg" for number in range(4)]
    assert [file.path for file in again.inputs if str(file.kind) == "table"] == [base]


def test_a_picture_that_was_replaced_is_another(servers, tmp_path):
    address = servers.put("shoe.jpg", picture_bytes(1))
    path = write_manifest(tmp_path, pictures=0, images=[{"file": address}])
    (first,) = load(path).images
    servers.bucket.replace("shoe.jpg", picture_bytes(2), servers.bucket.find("shoe.jpg").version)
    (second,) = load(path).images
    assert (first.id, second.id, first.reference == second.reference) == ("shoe", "shoe", False)


def test_many_pictures_are_found_by_lists(store, tmp_path, monkeypatch):
    monkeypatch.setattr(bucket_files, "_MANY", 3)
    monkeypatch.setattr(bucket_pictures, "_READERS", 1)
    rows = [json.dumps({"image": f"p{number}.jpg", "id": f"n{number}"}) for number in range(9)]
    for number in range(9):
        store.bucket.put_new(f"many/p{number}.jpg", picture_bytes(number % 3))
    images = [{"table": store.put("many/rows.jsonl", "\n".join(rows).encode())}]
    path = write_manifest(tmp_path, pictures=0, images=images)
    assert len(load(path).images) == 9
    assert store.proxy.count("GET") == 10
    store.proxy.requests.clear()
    assert len(load(path).images) == 9
    assert (store.proxy.count("GET"), store.proxy.count("HEAD"), store.proxy.lists) == (0, 2, 1)


def test_tables_of_every_kind_may_lie_in_buckets(store, tmp_path):
    store.put("p0.jpg", picture_bytes(0))
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "t.csv").write_text(f"image,size\n{store.address}/p0.jpg,7\n")
    tables = [
        store.put("t/a.csv", b"image;size\n../p0.jpg;7\n"),
        store.put("t/a.xlsx", workbook(["image", "size"], ["../p0.jpg", 7])),
        store.put("a.jsonl", b'{"image": "p0.jpg", "size": 7}\n'),
        "t.csv",
    ]
    for table in tables:
        (image,) = load(write_manifest(tmp_path / "local", pictures=0, images=[{"table": table}])).images
        assert (image.id, str(image.vars["size"]), image.written) == ("p0", "7", f"{store.address}/p0.jpg")


def test_no_path_of_a_table_in_a_bucket_leads_to_a_disk(store, tmp_path):
    table = store.put("t/a.csv", b"image,id\n/etc/hostname,a\n../../x.jpg,b\nno.jpg,c\n")
    reading = read(write_manifest(tmp_path, pictures=0, images=[{"table": table}]))
    assert [(each.code, each.position.file, each.position.line) for each in reading.diagnostics] == [
        ("E412", table, 2), ("E412", table, 3), ("E401", table, 4),
    ]  # fmt: skip
    assert (
        reading.diagnostics[0].hint
        == f"paths of a table in a bucket lead from its folder, {store.address}/t, or are addresses"
    )


# Entry, code, message and hint. B is the bucket.
WRONG = [
    ({"file": "B/looks/shoes.jpg"}, "E401", "B/looks/shoes.jpg does not exist", "did you mean B/looks/shoe.jpg?"),
    ({"file": "B/looks/x"}, "E401", "B/looks/x does not exist", "B/looks holds Bag.JPG, notes.txt, shoe.jpg and small"),
    ({"file": "B/looks/notes.txt"}, "E402", "is a text file; the API takes JPEG or PNG", "save it as JPEG or PNG"),
    ({"file": "B/looks/small.jpg"}, "E404", "has width 200 px; the API takes at least 300 px", "use a larger picture"),
    ({"file": "B"}, "E412", "is a whole bucket", "name an object in it: B/shoe.jpg"),
    ({"file": "s3://me:secret@b/x.jpg"}, "E412", "an address in a bucket has no user or password in it", "environment"),
    ({"url": "B/shoe.jpg"}, "E412", "it does not begin with https:// or http://", 'write file: "B/shoe.jpg"'),
    (
        {"glob": "B/looks/*.png"},
        "E408",
        "no object matches",
        "B/looks holds Bag.JPG, notes.txt, shoe.jpg and small.jpg",
    ),
    ({"glob": "B/looks/bag.*"}, "E408", "no object matches", "it nearly matches Bag.JPG; capital and small letters"),
    ({"glob": "s3://*/x.jpg"}, "E412", "'s3://*/x.jpg' names no bucket", "s3://BUCKET/PATH"),
    ({"glob": "s3://not-there/*.jpg"}, "E421", "s3://not-there cannot be read: there is no such bucket", "make it"),
    ({"file": "s3://not-there/a.jpg"}, "E401", "does not exist", "s3://not-there cannot be listed: there is no such"),
    ({"table": "B/looks/t.csv"}, "E409", "does not exist", "B/looks holds Bag.JPG"),
    ({"table": "B/looks/shoe.jpg"}, "E104", "is not UTF-8", ""),
]


def test_what_is_not_there_or_no_picture_is_told_at_its_place(store, tmp_path):
    store.put("looks/shoe.jpg", picture_bytes())
    store.put("looks/notes.txt", b"hello")
    store.put("looks/small.jpg", picture_bytes(2, 200, 320))
    store.put("looks/Bag.JPG", picture_bytes(3))
    for entry, code, message, hint in WRONG:
        written = {key: text.replace("B", store.address, 1) if text[0] == "B" else text for key, text in entry.items()}
        (found,) = said(write_manifest(tmp_path, pictures=0, images=[written]))
        shown = [each.replace(store.address, "B") for each in found]
        assert (shown[0], message in shown[1], hint in shown[2]) == (code, True, True), shown
        assert "secret" not in str(found)


def test_a_glob_leaves_out_what_it_nearly_matches_with_a_word(store, tmp_path):
    for name in ("a.jpg", "B.JPG"):
        store.put(f"looks/{name}", picture_bytes())
    reading = read(write_manifest(tmp_path, pictures=0, images=[{"glob": f"{store.address}/looks/*.jpg"}]))
    assert [image.id for image in reading.valid().images] == ["a"]
    assert [(each.code, each.message.partition(" leaves")[2]) for each in reading.diagnostics] == [
        ("W413", " out B.JPG")
    ]


def test_an_object_that_is_too_large_is_not_read(store, tmp_path, monkeypatch):
    store.put("large.jpg", bytes(11 * 2**20))
    (found,) = said(write_manifest(tmp_path, pictures=0, images=[{"file": f"{store.address}/large.jpg"}]))
    assert (found[0], "has 11 MB" in found[1]) == ("E403", True)
    monkeypatch.setattr(bucket_pictures, "_MOST", Rules(max_bytes=10))
    (found,) = said(write_manifest(tmp_path, pictures=0, images=[{"file": store.put("a.jpg", picture_bytes())}]))
    assert found[0] == "E403"
    (found,) = said(write_manifest(tmp_path, pictures=0, images=[{"table": store.put("t.csv", bytes(21 * 2**20))}]))
    assert found[:1] == ("E105",)
    assert store.proxy.count("GET") == 0


def test_a_glob_over_a_huge_bucket_is_refused(store, tmp_path, monkeypatch):
    for number in range(4):
        store.put(f"looks/{number}.jpg", picture_bytes())
    monkeypatch.setattr(bucket_globs, "MOST_OBJECTS", 3)
    (found,) = said(write_manifest(tmp_path, pictures=0, images=[{"glob": f"{store.address}/looks/*.jpg"}]))
    assert (found[0], found[2]) == ("E105", "begin it with the folder that holds the pictures")


FAULTS = {
    "403": (refusing(403, "AccessDenied"), "the store refuses access"),
    "503": (refusing(503, "SlowDown"), "the store answers"),
    "hangs": (hanging, "no answer in time"),
    "resets": (resetting, "there is no connection"),
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS)
def test_a_bucket_that_does_not_serve_is_told_once_for_each_and_given_up(store, tmp_path, monkeypatch, fault, words):
    monkeypatch.setattr(bucket_files, "_RETRIED", 0.1)
    monkeypatch.setattr(bucket, "_SILENCE", 0.2)
    rows = "".join(f"{store.address}/p{number}.jpg\n" for number in range(40))
    (tmp_path / "t.csv").write_text(f"image\n{rows}")
    path = write_manifest(tmp_path, pictures=0, images=[{"table": "t.csv"}])
    store.proxy.fault = fault
    found = said(path)
    assert {each[0] for each in found} == {"E421"}
    assert len(found) == 40
    assert words in found[0][1]
    assert found[0][2] != ""
    assert "is not asked again" in found[-1][1]
    store.proxy.fault = None
    monkeypatch.setattr(bucket, "_SILENCE", 20.0)
    assert {each[0] for each in said(path)} == {"E401"}


def test_no_package_is_told_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bucket, "can_be_opened", lambda: False)
    for images in (
        [{"file": "s3://campaigns/a.jpg"}],
        [{"glob": "gs://campaigns/*.jpg"}],
        [{"table": "az://campaigns/t.csv"}],
    ):
        (found,) = said(write_manifest(tmp_path, pictures=0, images=images))
        assert (found[0], "obstore, which is missing" in found[1], "pip install" in found[2]) == ("E421", True, True)


def test_other_texts_of_a_manifest_are_read_from_the_disk_alone(tmp_path):
    keys = {"prompts": [{"id": "a", "file": "s3://campaigns/a.txt"}], "matrix": {"x": {"file": "s3://campaigns/x.txt"}}}
    found = said(write_manifest(tmp_path, **keys))
    assert [each[0] for each in found] == ["E412", "E412"]
    assert all("pictures and tables may lie in buckets" in each[2] for each in found)
    (found,) = said(write_manifest(tmp_path, defaults="s3://campaigns/base.yaml"))
    assert found[0] == "E412"


def test_no_bucket_is_asked_where_none_is_named_and_a_plan_writes_nothing_but_copies(store, tmp_path, monkeypatch):
    def opened(*words, **more):
        raise AssertionError("a bucket was opened")

    address = store.put("shoe.jpg", picture_bytes())
    path = write_manifest(tmp_path / "m", images=[{"file": address}])
    before = sorted(tmp_path.rglob("*"))
    make_plan(load(path))
    new = {each for each in tmp_path.rglob("*") if each not in before}
    assert new
    assert {each.relative_to(tmp_path).parts[0] for each in new} == {"cache"}
    monkeypatch.setattr(bucket.Bucket, "open", opened)
    make_plan(load(write_manifest(tmp_path / "m", uploads={"to": f"{store.address}/up"})))
