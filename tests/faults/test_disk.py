"""A full disk, a read-only folder, a vanished picture: the run stops cleanly, and goes on once that is mended."""

import contextlib
import os
import subprocess

import pytest

from runner.errors import DiskError, Exit
from runner.model import Status
from tests.command import call
from tests.faults import service as faults
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import few_frames, picture_bytes, video_bytes, write_manifest


@pytest.fixture
def service():
    with FaultyService(few_frames()) as started:
        yield started


def mount(target, size):
    target.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(target)], capture_output=True)
    if done.returncode:
        pytest.skip("mount needs root")


@pytest.fixture
def small_disk(tmp_path):
    target = tmp_path / "small"
    mount(target, "800k")
    yield target
    subprocess.run(["umount", "-l", str(target)], check=True)


def attempt_run(manifest, service):
    """A run that ends in disk trouble, as a result or before it has one."""
    try:
        return run(manifest, service).exit_code
    except DiskError as error:
        return error.exit_code


def test_a_full_disk_loses_and_repeats_nothing(service, tmp_path, small_disk):
    manifest = write_manifest(tmp_path, pictures=3, output={"dir": str(small_disk)})
    ballast = small_disk / "ballast"
    code = Exit.DONE
    # The less room there is, the earlier the run stops: every step of it meets a full disk once.
    for left in (20, 80, 160, 240, 400):
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        os.truncate(ballast, max(ballast.stat().st_size - left * 1024, 0))
        code = attempt_run(manifest, service)
        assert code in (Exit.UNAVAILABLE, Exit.DONE, Exit.UNFINISHED)
    ballast.unlink()
    result = run(manifest, service)
    assert result.exit_code is Exit.DONE
    assert service.fingerprints() == sorted(set(service.fingerprints()))
    assert len(service.accepted) == 3
    assert len(list((small_disk / "videos").rglob("*.mp4"))) == 3


def test_a_video_that_does_not_fit_is_fetched_later(service, tmp_path, small_disk):
    service.video = video_bytes(5.0, 7, 24) + b"\0" * 700_000
    manifest = write_manifest(tmp_path, pictures=2, output={"dir": str(small_disk), "state": "state.sqlite"})
    assert attempt_run(manifest, service) is Exit.UNAVAILABLE
    subprocess.run(["mount", "-o", "remount,size=4M", str(small_disk)], check=True)
    assert run(manifest, service).exit_code is Exit.DONE
    assert len(service.accepted) == 2


def test_a_read_only_folder_stops_the_run_before_anything_is_sent(service, tmp_path):
    target = tmp_path / "closed"
    mount(target, "1M")
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(target)], check=True)
        manifest = write_manifest(tmp_path, output={"dir": str(target / "out")})
        with pytest.raises(DiskError, match="Read-only"):
            run(manifest, service)
        assert service.posts == 0
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


def test_a_state_on_a_read_only_disk_can_be_read(service, tmp_path):
    target = tmp_path / "closed"
    mount(target, "2M")
    try:
        manifest = write_manifest(tmp_path, output={"dir": str(target)})
        assert run(manifest, service).exit_code is Exit.DONE
        subprocess.run(["mount", "-o", "remount,ro", str(target)], check=True)
        status = call("status", manifest, "--json")
        assert (status.code, status.document["totals"]["succeeded"]) == (0, 1)
        assert call("verify", manifest).code == 0
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


def test_a_picture_that_vanishes_or_changes_meanwhile_is_never_bought(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=2)

    def change_the_other(call):
        (tmp_path / "p1.jpg").write_bytes(picture_bytes(99))
        call.read()
        accepted = call.accept()
        call.answer(200, {"request_id": accepted.id, "status": "queued"})

    service.order("submit", change_the_other)
    result = run(manifest, service)
    assert result.exit_code is Exit.UNAVAILABLE
    assert "changed since the plan" in result.error.message
    assert len(service.accepted) == 1
    (tmp_path / "p1.jpg").unlink()
    with pytest.raises(Exception, match=r"p1\.jpg"):
        run(manifest, service)
    (tmp_path / "p1.jpg").write_bytes(picture_bytes(1))
    result = run(manifest, service)
    assert result.totals[Status.SUCCEEDED] == 2
    assert len(service.accepted) == 2


def test_the_index_of_a_stopped_run_is_written_by_the_next(service, tmp_path):
    service.order("submit", faults.status(401))
    manifest = write_manifest(tmp_path)
    assert run(manifest, service).exit_code is Exit.ACCESS
    assert run(manifest, service).index.is_file()
