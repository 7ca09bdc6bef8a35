"""`verify`, over a real run against a service on loopback."""

import json

import pytest

from runner.cli.main import main
from tests.faults.harness import run
from tests.faults.service import FaultyService, status
from tests.kit import few_frames, write_manifest


@pytest.fixture
def service():
    with FaultyService(few_frames()) as started:
        yield started


@pytest.fixture
def done(tmp_path, service):
    manifest = write_manifest(tmp_path, pictures=2)
    return manifest, run(manifest, service)


def verify(capsys, manifest, *flags):
    code = main(["verify", str(manifest), "--json", *flags])
    return code, json.loads(capsys.readouterr().out)


def test_all_is_as_recorded(capsys, done):
    code, document = verify(capsys, done[0])
    assert code == 0
    assert document == {"artifacts": 4, "missing": [], "changed": [], "foreign": [], "stale": []}


def test_before_any_run_there_is_nothing_to_verify(capsys, tmp_path):
    assert main(["verify", str(write_manifest(tmp_path))]) == 7
    assert "there is no state" in capsys.readouterr().err


def test_repair_fetches_again_and_buys_nothing(capsys, done, service):
    manifest, result = done
    first, second = sorted((result.output_dir / "videos").rglob("*.mp4"))
    first.unlink()
    second.write_bytes(b"trimmed by hand")
    code, document = verify(capsys, manifest)
    assert (code, len(document["missing"]), len(document["changed"])) == (7, 1, 1)
    code, document = verify(capsys, manifest, "--repair", "--base-url", service.base_url)
    assert code == 0
    assert first.read_bytes() == second.read_bytes() == service.video
    aside = result.output_dir / document["foreign"][0]["path"]
    assert aside.read_bytes() == b"trimmed by hand"
    assert service.posts == 2
    assert run(manifest, service).submitted == 0


def test_what_the_service_no_longer_has_is_told_and_never_bought_again(capsys, done, service):
    manifest, result = done
    next((result.output_dir / "videos").rglob("*.mp4")).unlink()
    service.always["download"] = status(410)
    code = main(["verify", str(manifest), "--repair", "--base-url", service.base_url, "--no-progress"])
    assert code == 7
    assert "not repaired: p0/plain/take-1: download 3 of 3: the link is no longer good (410)" in capsys.readouterr().err
    service.always.clear()
    assert run(manifest, service).exit_code == 0
    assert service.posts == 2


def test_only_the_selected_are_hashed(capsys, done):
    manifest, result = done
    (folder,) = {path.parent.parent for path in (result.output_dir / "videos").rglob("*.mp4") if "p1" in str(path)}
    next(folder.rglob("*.mp4")).unlink()
    code, document = verify(capsys, manifest, "--only", "p0/*")
    assert (code, document["artifacts"], document["missing"], document["foreign"]) == (0, 2, [], [])
    code, document = verify(capsys, manifest, "--where", "image=p1")
    assert (code, document["artifacts"], len(document["missing"])) == (7, 2, 1)
