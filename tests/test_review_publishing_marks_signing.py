"""Marked clips: what others read in them, and that a seal is one. exiftool and Chromium look at them, too."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess

import c2pa
import pytest

from runner.errors import Exit
from runner.model import Credentials, fingerprint
from runner.results.atomic_files import index_path
from runner.state.store import Store
from runner.video.credentials import credentials_of
from tests.command import call
from tests.delivered import SERVICE, clip_bytes, deliver, mark
from tests.kit import write_manifest

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """Two clips, published with marks and a certificate for trying. The second came with credentials."""
    folder = tmp_path_factory.mktemp("marks")
    first = published(folder / "first", [clip_bytes(1)])
    signed = next((folder / "first/to").rglob("*.mp4")).read_bytes()
    return published(folder / "second", [clip_bytes(1), signed]), first


def published(folder, clips, *words, service=SERVICE, suffix=".mp4"):
    path = write_manifest(
        folder, takes=len(clips), prompts=[{"id": "plain", "text": "A slow push-in, <soft> & calm"}],
    )  # fmt: skip
    manifest, jobs = deliver(path, clips, service=service, suffix=suffix)
    for job in jobs:
        mark(manifest, job)
    words = words or ("--mark", "--certificate", "self", "--name", "clip-{{ take }}")
    before = {each: each.read_bytes() for each in (manifest.output.dir / "videos").rglob("*") if each.is_file()}
    ended = call("publish", path, "--to", folder / "to", *words)
    assert ended.code == 0, ended.err
    assert {each: each.read_bytes() for each in before} == before, "bit for bit"
    return manifest, jobs, ended


def root_of(manifest):
    return (manifest.output.dir / "trial-certificate/root.pem").read_text()


def read(path, anchors=""):
    """What c2pa's own reader says of a file."""
    settings = {"version": 1, "trust": {"trust_anchors": anchors}} if anchors else {"version": 1}
    context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
    with path.open("rb") as file, c2pa.Reader("video/mp4", file, context=context) as reader:
        return reader.get_validation_state(), json.loads(reader.json())


def test_a_seal_is_valid_trusted_by_its_root_and_broken_by_one_byte(marked, tmp_path):
    (manifest, _, ended), _ = marked
    assert "which nobody trusts" in ended.err
    path = manifest.path.parent / "to/clip-1.mp4"
    assert read(path)[0] == "Valid"
    assert read(path, root_of(manifest))[0] == "Trusted"
    content = path.read_bytes()
    for place in (content.index(b"mdat") + 100, content.index(b"DigitalSourceType") + 3, len(content) - 30):
        changed = tmp_path / "changed.mp4"
        changed.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert read(changed)[0] == "Invalid", place
        assert credentials_of(changed, root_of(manifest)).state == "invalid"
    assert credentials_of(path) == Credentials(True, "valid", "reelrun trial", "trainedAlgorithmicMedia")
    assert credentials_of(path, root_of(manifest)).state == "trusted"


def test_what_is_claimed(marked):
    (manifest, jobs, _), _ = marked
    _, document = read(manifest.path.parent / "to/clip-1.mp4")
    claim = document["manifests"][document["active_manifest"]]
    assert (claim["title"], claim["claim_generator_info"][0]["name"]) == ("clip-1", "reelrun")
    said = {each["label"]: each["data"] for each in claim["assertions"]}
    (action,) = said["c2pa.actions.v2"]["actions"]
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.created", AI)
    assert action["softwareAgent"]["name"] == jobs[0].model
    picture = hashlib.sha256((manifest.path.parent / "p0.jpg").read_bytes()).hexdigest()
    assert said["org.reelrun.job"] == {
        "model": jobs[0].model,
        "request_id": "request-0",
        "job": jobs[0].id,
        "fingerprint": fingerprint(jobs[0].model, jobs[0].payload),
        "pictures": [f"sha256:{picture}"],
    }
    assert "slow push-in" not in json.dumps(document)


def test_credentials_that_a_clip_came_with_are_its_parents(marked):
    (manifest, _, _), (first, _, _) = marked
    path = manifest.path.parent / "to/clip-2.mp4"
    state, document = read(path, root_of(manifest) + root_of(first))
    assert state == "Trusted"
    assert len(document["manifests"]) == 2
    active = document["manifests"][document["active_manifest"]]
    (parent,) = active["ingredients"]
    assert parent["relationship"] == "parentOf"
    before = document["manifests"][parent["active_manifest"]]
    assert before["title"] == "clip-1"
    assert before["assertions"][-1]["data"]["request_id"] == "request-0"
    (said,) = (each for each in active["assertions"] if each["label"].startswith("c2pa.actions"))
    assert said["data"]["actions"][0]["action"] == "c2pa.opened"
    assert credentials_of(path).source_type == "trainedAlgorithmicMedia"


def test_a_mark_is_small(marked):
    (manifest, _, _), _ = marked
    path = manifest.path.parent / "to/clip-1.mp4"
    assert 3_000 < path.stat().st_size - len(clip_bytes(1)) < 8_000


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_finds_the_mark_and_no_fault(marked, tmp_path):
    (manifest, _, _), _ = marked
    files = [manifest.path.parent / f"to/clip-{number}.mp4" for number in (1, 2)]
    command = ["exiftool", "-validate", "-warning", "-all", "-a", "-j", "-G1", *files]
    for found, title in zip(json.loads(subprocess.check_output(command)), ("clip-1", "clip-2"), strict=True):
        assert found["ExifTool:Validate"] == "OK"
        assert found["XMP-iptcExt:DigitalSourceType"] == AI
        assert found["XMP-iptcExt:AISystemUsed"] == "Kling-Image2Video-V1.6-Standard"
        assert found["XMP-dc:Title"] == title
        assert not [name for name in found if "Prompt" in name]


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_the_prompt_is_told_only_on_request(tmp_path):
    _manifest, _, _ = published(tmp_path, [clip_bytes(1)], "--mark", "--with-prompt", "--name", "it")
    (found,) = json.loads(subprocess.check_output(["exiftool", "-j", "-validate", "-all", tmp_path / "to/it.mp4"]))
    assert found["AIPromptInformation"] == "A slow push-in, <soft> & calm"
    assert found["Validate"] == "OK"
    assert not credentials_of(tmp_path / "to/it.mp4").present


def test_clips_of_the_sandbox_are_not_said_to_be_made_by_ai(tmp_path):
    _manifest, _, _ = published(tmp_path, [clip_bytes(1)], "--mark", "--name", "it", service="sandbox")
    content = (tmp_path / "to/it.mp4").read_bytes()
    assert b"digitalsourcetype/algorithmicMedia<" in content
    assert b"trainedAlgorithmicMedia" not in content
    assert "not AI video" in (tmp_path / "to/index.html").read_text()


def test_other_containers_have_a_file_beside_them(tmp_path):
    content = clip_bytes(1, kind="webm")
    manifest, jobs, _ = published(tmp_path, [content], "--mark", "--name", "it", suffix=".webm")
    to = tmp_path / "to"
    assert (to / "it.webm").read_bytes() == content
    assert AI in (to / "it.webm.xmp").read_text()
    mark(manifest, jobs[0], said="none")
    assert call("publish", manifest.path, "--to", to, "--mark").code == 0
    assert sorted(each.name for each in to.iterdir()) == ["index.html", "published.csv", "published.json"]


def test_a_seal_that_a_clip_came_with_is_not_broken(marked, tmp_path):
    (_, _, _), (first, _, _) = marked
    sealed = (first.path.parent / "to/clip-1.mp4").read_bytes()
    published(tmp_path, [sealed], "--mark", "--name", "it")
    assert (tmp_path / "to/it.mp4").read_bytes() == sealed
    assert AI in (tmp_path / "to/it.mp4.xmp").read_text()
    assert read(tmp_path / "to/it.mp4")[0] == "Valid"


def test_a_clip_that_cannot_be_marked_is_not_published(tmp_path):
    path = write_manifest(tmp_path, takes=2)
    manifest, jobs = deliver(path, [clip_bytes(1), b"no clip at all"])
    for job in jobs:
        mark(manifest, job)
    ended = call("publish", path, "--to", tmp_path / "to", "--mark", "--json")
    assert ended.code == Exit.JOBS_FAILED
    assert ended.document["failed"] == [{"path": "p0/plain/take-2.mp4", "message": "its boxes do not fill it"}]
    assert [each.name for each in (tmp_path / "to").rglob("*.mp4")] == ["take-1.mp4"]
    assert len(json.loads((tmp_path / "to/published.json").read_text())["clips"]) == 1


def test_verify_tells_the_credentials_of_clips(marked, tmp_path):
    (manifest, jobs, _), _ = marked
    ended = call("verify", manifest.path, "--credentials")
    assert ended.code == 0, ended.err
    assert "1 clip with credentials: 1 valid" in ended.out
    assert f"valid     videos/{jobs[1].output}.mp4" in ended.out
    told = call("verify", manifest.path, "--credentials", "--json").document["credentials"]
    assert [(each["present"], each["state"], each["key"]) for each in told] == [
        (False, None, jobs[0].key),
        (True, "valid", jobs[1].key),
    ]
    assert "credentials" not in call("verify", manifest.path, "--json").document


def test_the_state_keeps_credentials(marked):
    (manifest, jobs, _), _ = marked
    with Store.open(manifest.output.state, index_path(manifest.output.dir)) as store:
        store.seen_from(manifest.path)
        found = credentials_of(manifest.output.dir / f"videos/{jobs[1].output}.mp4")
        with store.transaction():
            record = next(each for each in store.records() if each.id == jobs[1].id)
            assert record.credentials is None, "nobody looked"
            store.keep_credentials(record.video.sha256, found)
        record = next(each for each in store.records() if each.id == jobs[1].id)
        assert record.credentials == found
    assert call("index", manifest.path).code == 0
    document = json.loads((manifest.output.dir / "index.json").read_text())["jobs"][1]["credentials"]
    assert document == {
        "present": True,
        "state": "valid",
        "issuer": "reelrun trial",
        "source_type": "trainedAlgorithmicMedia",
    }
