"""`measure`, and what `status`, the index and --where make of it, over real runs against a service on loopback."""

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from runner.cli.main import main
from runner.results import measuring
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import video_bytes, write_manifest
from tests.measures.clips import FAULTS, handheld, write


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A clip that freezes, and whose camera does not push in."""
    clip = FAULTS["frozen"](handheld(1, (160, 90), 120))
    return write(tmp_path_factory.mktemp("clip") / "a.mp4", clip).read_bytes()


@pytest.fixture
def done(tmp_path, frozen):
    """A run of two jobs that got the same file."""
    with FaultyService(frozen) as service:
        manifest = write_manifest(tmp_path, pictures=2)
        yield manifest, run(manifest, service), service


def document(capsys, *arguments):
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def jobs_of(result):
    return json.loads(result.index.read_text())["jobs"]


def test_a_run_measures_what_it_downloads_and_the_index_tells_it(done):
    _, result, _ = done
    first, second = jobs_of(result)
    assert first["measures"]["frozen"] == pytest.approx(0.5, abs=0.05)
    assert (first["defects"][0]["measure"], first["defects"][0]["limit"]) == ("frozen", 0.3)
    assert first["defects"][0]["spans"][0][0] == pytest.approx(2.6, abs=0.2)
    assert first["previews"] == second["previews"]
    assert all((result.output_dir / each["path"]).is_file() for each in first["previews"].values())
    assert (first["measures"]["duplicate_of"], second["measures"]["duplicate_of"]) == (None, first["id"])
    assert [each["code"] for each in first["warnings"]] == ["camera"]
    assert [each["code"] for each in second["warnings"]] == ["duplicate", "camera"]


def test_status_counts_defects_and_jobs_are_selected_by_them(capsys, done):
    manifest, _, _ = done
    code, found = document(capsys, "status", manifest)
    assert (code, found["defects"]["frozen"], found["defects"]["black"], found["unmeasured"]) == (0, 2, 0, 0)
    assert found["warnings"] == {"duplicate": 1, "sound": 0, "camera": 2, "looking": 0}
    _, found = document(capsys, "status", manifest, "--where", "defect=frozen")
    assert found["totals"]["succeeded"] == 2
    code, found = document(capsys, "status", manifest, "--where", "defect=black")
    assert (code, "no job is selected" in found["error"]["message"]) == (2, True)
    code, found = document(capsys, "status", manifest, "--where", "defect=frozn")
    assert (code, found["error"]["hint"].startswith("did you mean 'frozen'?")) == (2, True)
    main(["status", str(manifest)])
    assert "to look at: frozen 2" in capsys.readouterr().out


def test_a_defect_buys_nothing(done):
    manifest, _, service = done
    assert (run(manifest, service).submitted, service.posts) == (0, 2)


def test_nothing_is_measured_twice(capsys, done):
    manifest, _, _ = done
    _, found = document(capsys, "measure", manifest, "--processes", 1)
    assert (found["measured"], found["previewed"], found["kept"]) == (0, 0, 1)


def test_previews_that_were_deleted_are_made_anew_without_measuring(capsys, done):
    manifest, result, _ = done
    for path in (result.output_dir / "previews").iterdir():
        path.unlink()
    _, found = document(capsys, "measure", manifest, "--processes", 1)
    assert (found["measured"], found["previewed"]) == (0, 1)
    assert jobs_of(result)[0]["previews"] is not None
    assert jobs_of(result)[0]["measures"]["frozen"] == pytest.approx(0.5, abs=0.05)


def test_older_runs_are_measured_by_processes_and_a_broken_clip_is_told(capsys, tmp_path, frozen):
    with FaultyService(frozen) as service:
        manifest = write_manifest(tmp_path, pictures=1, run={"verify": "header", "settle": 0.8, "wait": 30})
        result = run(manifest, service)
    (job,) = jobs_of(result)
    assert (job["measures"], job["previews"]) == (None, None)
    assert document(capsys, "status", manifest)[1]["unmeasured"] == 1
    path = result.output_dir / job["video"]["path"]
    path.write_bytes(frozen[: len(frozen) // 2])
    code, found = document(capsys, "measure", manifest, "--processes", 1)
    assert (code, found["measured"], found["failed"][0]["key"]) == (1, 0, job["key"])
    path.unlink()
    code, found = document(capsys, "measure", manifest, "--processes", 1)
    assert (code, found["failed"][0]["reason"]) == (1, "No such file or directory")
    path.write_bytes(frozen)
    code, found = document(capsys, "measure", manifest, "--processes", 2)
    assert (code, found["measured"], found["failed"]) == (0, 1, [])
    assert jobs_of(result)[0]["measures"]["frozen"] == pytest.approx(0.5, abs=0.05)


def test_an_interruption_keeps_what_was_measured(capsys, tmp_path, frozen, monkeypatch):
    with FaultyService(frozen) as service:
        manifest = write_manifest(tmp_path, pictures=2, run={"verify": "header", "settle": 0.8, "wait": 30})
        result = run(manifest, service)
    # Another clip for one of the jobs.
    job = jobs_of(result)[0]
    (result.output_dir / job["video"]["path"]).write_bytes(video_bytes())
    with closing(sqlite3.connect(result.output_dir / "state.sqlite")) as state, state:
        sha256 = hashlib.sha256(video_bytes()).hexdigest()
        state.execute("UPDATE artifacts SET sha256 = ? WHERE job_id = ? AND kind = 'video'", (sha256, job["id"]))
    keep, calls = measuring._keep, []

    def interrupted(*kept):
        calls.append(kept)
        if len(calls) == 2:
            raise KeyboardInterrupt
        keep(*kept)

    monkeypatch.setattr(measuring, "_keep", interrupted)
    assert main(["measure", str(manifest), "--processes", "1"]) == 130
    capsys.readouterr()
    _, found = document(capsys, "measure", manifest, "--processes", 1)
    assert (found["measured"], found["kept"], found["failed"]) == (1, 1, [])


def test_room_for_previews_is_kept_and_none_makes_none(tmp_path, frozen):
    with FaultyService(frozen) as service:
        off = write_manifest(tmp_path / "off", pictures=1, output={"dir": "out", "previews": "none"})
        result = run(off, service)
        assert not (result.output_dir / "previews").exists()
        assert jobs_of(result)[0]["measures"] is not None
        tight = write_manifest(tmp_path / "tight", pictures=1, output={"dir": "out", "previews": "1 kB"})
        result = run(tight, service)
        assert sum(path.stat().st_size for path in (result.output_dir / "previews").iterdir()) <= 1000


def test_thresholds_of_the_manifest_count(tmp_path, frozen):
    with FaultyService(frozen) as service:
        manifest = write_manifest(tmp_path, pictures=1, measures={"defects": ["motion > 0.001"]})
        (job,) = jobs_of(run(manifest, service))
    assert [each["measure"] for each in job["defects"]] == ["motion"]


def test_before_any_run_there_is_nothing_to_measure(capsys, tmp_path):
    assert main(["measure", str(write_manifest(tmp_path))]) == 7
    assert "there is no state" in capsys.readouterr().err


def test_a_clip_that_cannot_be_measured_is_paid_for_and_kept(tmp_path, frozen, monkeypatch):
    def broken(*_):
        raise RuntimeError("no")

    monkeypatch.setattr("runner.video.looking.lumas.Lumas.see", broken)
    with FaultyService(frozen) as service:
        result = run(write_manifest(tmp_path, pictures=1), service)
    (job,) = jobs_of(result)
    assert (job["status"], job["measures"], job["defects"]) == ("succeeded", None, [])
    assert job["warnings"] == [{"code": "looking", "message": "not measured (RuntimeError: no)"}]
