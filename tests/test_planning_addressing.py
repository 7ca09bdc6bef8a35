"""Which files are sent as addresses, and what is said of them before anything is sent."""

from __future__ import annotations

import pytest

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.planning.addressing import Addressing
from runner.planning.plan import make_plan
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.kit import MODEL, make_job, picture_bytes, sound_bytes, write_manifest

ADDRESSES = "wan2.7-i2v"
ALWAYS, NEEDED = {"to": "service", "when": "always"}, {"to": "service"}


def plan(folder, store=None, selection=None, **keys):
    return make_plan(load(write_manifest(folder, side=400, **keys)), store, selection or Selection())


def codes(plan):
    return [each.code for each in plan.diagnostics if each.code != "W804"]


@pytest.mark.parametrize(
    ("model", "uploads", "count"),
    [
        (MODEL, None, 0),
        (MODEL, NEEDED, 0),
        (MODEL, ALWAYS, 2),
        (ADDRESSES, None, 2),
        (ADDRESSES, NEEDED, 2),
        ([MODEL, ADDRESSES], NEEDED, 2),
    ],
)
def test_a_content_is_counted_once(tmp_path, model, uploads, count):
    keys = {} if uploads is None else {"uploads": uploads}
    made = plan(tmp_path, pictures=2, takes=3, model=model, **keys)
    assert len(made.uploads) == count
    assert codes(made) == (["W421"] if count and uploads is None else [])


def test_addresses_of_the_manifest_are_sent_as_they_are(tmp_path):
    made = plan(tmp_path, model=ADDRESSES, images=[{"url": "https://example.com/a.jpg"}])
    assert (made.uploads, codes(made)) == ((), [])


def test_a_consent_may_be_ignored_as_any_warning(tmp_path):
    (found,) = [each for each in plan(tmp_path, model=ADDRESSES).diagnostics if each.code == "W421"]
    assert found.message == "1 file would be put where everybody with the address can read: p0.jpg"
    assert codes(plan(tmp_path, model=ADDRESSES, lint={"ignore": ["W421", "W802", "W804"]})) == []


def test_only_what_is_submitted_and_not_there_yet_is_uploaded(tmp_path):
    keys = {"pictures": 3, "model": ADDRESSES, "uploads": NEEDED}
    assert len(plan(tmp_path, **keys, selection=Selection(only=("p1/*",))).uploads) == 1
    assert len(plan(tmp_path, **keys, selection=Selection(first=2)).uploads) == 2
    first, *others = plan(tmp_path, **keys).uploads
    with Store.open(tmp_path / "state.sqlite") as store:
        with store.transaction():
            store.keep_upload(first, "service", "https://example.com/0.jpg", 1.0)
        assert plan(tmp_path, store=store, **keys).uploads == tuple(others)


def test_media_of_parameters_count_too(tmp_path):
    (tmp_path / "voice.mp3").write_bytes(sound_bytes())
    made = plan(
        tmp_path, model=ADDRESSES, uploads=NEEDED, params={"driving_audio": "voice.mp3", "last_frame": "p0.jpg"}
    )
    assert [made.manifest.media[each].written for each in made.uploads] == ["p0.jpg", "voice.mp3"]


def test_a_file_that_the_store_does_not_take(tmp_path):
    (tmp_path / "shoe.webp").write_bytes(picture_bytes(1, 400, 400, "WEBP"))
    with pytest.raises(ManifestError) as caught:
        plan(tmp_path, model=ADDRESSES, images=[{"file": "shoe.webp"}], uploads=NEEDED)
    found = [each for each in caught.value.diagnostics if each.code == "E418"]
    assert [each.message for each in found] == ["shoe.webp would have to be uploaded, and the store takes no such file"]
    # A model that takes it within the request gets it.
    made = plan(tmp_path, model="vidu-q2-pro-r2v", images=[{"file": "shoe.webp"}])
    assert (made.uploads, codes(made)) == ((), [])


def test_a_model_that_the_manifest_has_no_longer_needs_nothing(tmp_path):
    addressing = Addressing(load(write_manifest(tmp_path)))
    assert addressing.references("gone", make_job().payload) == []


def test_a_bucket_of_ones_own_takes_any_file_and_is_a_destination_of_its_own(tmp_path):
    (tmp_path / "shoe.webp").write_bytes(picture_bytes(1, 400, 400, "WEBP"))
    keys = {"model": ADDRESSES, "images": [{"file": "shoe.webp"}]}
    with pytest.raises(ManifestError) as caught:
        plan(tmp_path, **keys, uploads=NEEDED)
    (found,) = caught.value.diagnostics
    assert (found.code, "uploads: {to: s3://...}" in found.hint) == ("E418", True)
    made = plan(tmp_path, **keys, uploads={"to": "s3://campaigns/uploads/"})
    assert (len(made.uploads), codes(made)) == (1, [])
    assert made.manifest.uploads.to == "s3://campaigns/uploads"
    with Store.open(tmp_path / "state") as store:
        with store.transaction():
            store.keep_upload(made.uploads[0], "service", "https://example.com/1", 0.0)
        assert plan(tmp_path, store, **keys, uploads={"to": "s3://campaigns/uploads"}).uploads == made.uploads
        with store.transaction():
            store.keep_upload(made.uploads[0], "s3://campaigns/uploads", "s3://campaigns/uploads/1.webp", 0.0)
        assert plan(tmp_path, store, **keys, uploads={"to": "s3://campaigns/uploads"}).uploads == ()
