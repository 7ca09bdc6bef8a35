"""`fix-pictures`, and the campaign whose pictures need it: from the table to clips and back."""

import csv
import io
import json
import shutil
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from runner.shipped import install_line, shipped
from tests.command import SANDBOX, call
from tests.kit import picture_bytes, write_manifest
from tests.store_proxies import filled, refusing


@pytest.fixture
def katalog(tmp_path, monkeypatch):
    """The campaign that ships, in a folder of its own, without the warnings that it ignores."""
    shutil.copytree(shipped("manifests"), tmp_path / "m")
    path = tmp_path / "m" / "katalog.yaml"
    path.write_text(path.read_text("utf-8").replace("ignore: [W414]", "ignore: [W801]"), "utf-8")
    monkeypatch.chdir(tmp_path / "m")
    return path


def apply(path, lines):
    text = path.read_bytes().decode("utf-8-sig").splitlines()
    for each in lines:
        assert text[each["line"] - 1] == each["old"]
        (text[each["line"] - 1],) = each["new"]
    path.write_text("\n".join(text), "utf-8")


def test_the_campaign_of_a_table_with_semicolons_umlauts_and_phone_pictures(katalog):
    """From the warnings to the lines to change, then a rehearsal, and what the index says of its products."""
    found = call("validate", "katalog.yaml", "--json").document["diagnostics"]
    assert [(each["code"], each["file"], each["line"]) for each in found] == [("W414", "katalog.csv", 2)]
    told = call("fix-pictures", "katalog.yaml")
    assert told.code == 0
    assert told.err.splitlines() == [
        f"  made prepared/images/{name}.jpg" for name in ("Müller-Tasse", "Blumenvase", "Honigglas")
    ]
    assert told.out.splitlines()[:5] == [
        "3 new pictures in prepared. Change these lines:",
        "",
        "katalog.csv:2",
        "  - images/Müller-Tasse.jpg;tasse;Müllers Teetasse;türkis;9,5;Frühstück",
        "  + prepared/images/Müller-Tasse.jpg;tasse;Müllers Teetasse;türkis;9,5;Frühstück",
    ]
    assert told.out.endswith("Then: reelrun validate katalog.yaml\n")
    again = call("fix-pictures", "katalog.yaml", "--json").document
    assert [(each["source"], each["copy"], each["new"]) for each in again["pictures"]][1:] == [
        ("images/Blumenvase.jpg", "prepared/images/Blumenvase.jpg", False),
        ("images/Honigglas.jpg", "prepared/images/Honigglas.jpg", False),
    ]
    apply(katalog.with_name("katalog.csv"), again["lines"])
    assert call("validate", "katalog.yaml", "--json").document["diagnostics"] == []
    assert call("fix-pictures", "katalog.yaml").out == "No picture needs a copy.\n"

    assert call("run", "katalog.yaml", *SANDBOX, "--no-progress").code == 0
    folder = katalog.parents[1] / "outputs" / "katalog-sandbox"
    jobs = json.loads((folder / "index.json").read_text("utf-8"))["jobs"]
    assert len(jobs) == 6
    assert jobs[2]["video"]["path"] == "videos/vase-glück-hoch/slow-push-in.mp4"
    (vase,) = {json.dumps(each["image_vars"]) for each in jobs if each["image"] == "vase"}
    assert json.loads(vase) == {
        "Produkt Name": 'Vase "Glück"; hoch', "Farbe": "grün", "Größe (cm)": "31", "name": "Wohnzimmer",
    }  # fmt: skip
    prompts = {each["payload"]["prompt"] for each in jobs}
    assert "Müllers Teetasse, türkis, 9.5 cm tall, in a bright room (Frühstück), slow push-in" in prompts
    assert "image_vars" in (folder / "index.html").read_text("utf-8")

    by = call("status", "katalog.yaml", "--sandbox", "--by", "Farbe", "--where", "Größe (cm)=31", "--json").document
    assert {value: totals["succeeded"] for value, totals in by["groups"]["Farbe"].items()} == {"grün": 2}
    assert call("index", "katalog.yaml", "--sandbox", "--excel", "--where", "name=Küche").code == 0
    text = (folder / "index.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfid;key;")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))
    assert [row["image_vars.Produkt Name"] for row in rows] == ["Honigglas", "Honigglas"]


def test_what_no_copy_can_mend_is_exit_1(tmp_path):
    path = write_manifest(tmp_path, images=[{"file": "a.jpg"}, {"glob": "*.jpg"}])
    (tmp_path / "a.jpg").write_bytes(picture_bytes(1, 1200, 300))
    (tmp_path / "p0.jpg").unlink()
    ended = call("fix-pictures", path)
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "  left: a.jpg is too long and narrow (1200 x 300 px): crop it by hand",
        "No copy was made.",
    ]


def test_a_manifest_that_is_no_yaml_is_exit_2(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("images: [")
    assert call("fix-pictures", path).code == 2
    assert call("fix-pictures", path, "--json").document["error"]["code"] == "manifest"
    assert call("fix-pictures", tmp_path / "none.yaml").code == 2


def test_errors_that_are_not_of_pictures_are_told_too(tmp_path):
    path = write_manifest(tmp_path, images=[{"file": "p0.jpg"}, {"table": "none.csv"}])
    ended = call("fix-pictures", path)
    assert (ended.code, "error[E409]" in ended.err) == (2, True)


def test_without_the_extra_heic_is_exit_2_with_its_pip_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = write_manifest(tmp_path)
    (tmp_path / "p0.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 600)
    ended = call("fix-pictures", path)
    assert ended.code == 2
    assert ended.err.splitlines()[-2:] == [
        "error: HEIC pictures are read with pillow-heif, which is missing",
        f"  help: {install_line('heic')}",
    ]


def test_a_folder_that_cannot_be_written_is_exit_7(tmp_path):
    path = write_manifest(tmp_path)
    (tmp_path / "p0.jpg").write_bytes(picture_bytes(1, 200, 250))
    (tmp_path / "prepared").write_text("a file")
    ended = call("fix-pictures", path)
    assert (ended.code, "Traceback" in ended.err) == (7, False)
    assert "prepared" in ended.err


def test_copies_of_pictures_in_buckets_lie_beside_the_manifest(tmp_path, monkeypatch):
    with filled("moto", f"fix-{uuid4().hex}", tmp_path / "cache", monkeypatch) as store:
        store.put("looks/one.webp", picture_bytes(1, kind="WEBP"))
        lone = store.put("two.webp", picture_bytes(2, kind="WEBP"))
        images = [{"glob": f"{store.address}/looks/*.webp"}, {"file": lone}, {"file": f"{store.address}/none.jpg"}]
        path = write_manifest(tmp_path / "m", images=images)
        monkeypatch.chdir(tmp_path / "m")
        told = call("fix-pictures", path)
        assert told.code == 1
        assert f"  left: {store.address}/none.jpg cannot be read (it does not exist)\n" in told.out
        assert sorted(str(each.relative_to("prepared")) for each in Path("prepared").rglob("*.png")) == [
            "looks/one.png", "two.png",
        ]  # fmt: skip
        assert "+ - glob: prepared/looks/*.png" in told.out
        assert "+ - file: prepared/two.png" in told.out
        store.proxy.fault = refusing(403)
        assert (
            "(the store refuses access)" in call("fix-pictures", write_manifest(tmp_path / "m", images=images[1:])).out
        )
