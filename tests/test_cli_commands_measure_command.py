"""`measure`, and what `status`, the index and --where make of it, over real runs against a service on loopback."""

import json
import sys
from dataclasses import replace

import pytest

from runner.cli.main import main
from runner.results import measuring
from runner.results.clip_reports import WARNING_CODES
from runner.shipped import install_line
from runner.video.defects import names
from runner.video.measures import MEASURES, unmeasured
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import write_manifest
from tests.measures.clips import FAULTS, handheld, write
from tests.test_results_measuring import Campaign

WITH_PREVIEWS = {"dir": "out", "previews": "2 GB"}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A clip that freezes, and whose camera does not push in."""
    clip = FAULTS["frozen"](handheld(1, (160, 90), 120))
    return write(tmp_path_factory.mktemp("clip") / "a.mp4", clip).read_bytes()


@pytest.fixture
def done(tmp_path, frozen):
    """A run of two jobs that got the same file."""
    with FaultyService(frozen) as service:
        manifest = write_manifest(tmp_path, pictures=2, output=WITH_PREVIEWS)
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


@pytest.fixture
def halfway(tmp_path):
    """Of four clips the first two were measured: the second is frozen."""
    campaign = Campaign(tmp_path, 4)
    with campaign.store() as store, store.transaction():
        for record, frozen in zip(list(store.records()), (0.0, 0.5), strict=False):
            store.keep_measured(record.video.sha256, replace(unmeasured(), values={"frozen": frozen}, has_flow=True))
    return campaign


# How many of the selected jobs are told, in the document of each command. A dry run tells of all.
SELECTED = {
    "plan": lambda found: found["totals"]["keep"],
    "run": lambda found: found["totals"]["succeeded"] - 3,
    "status": lambda found: found["totals"]["succeeded"],
    "index": lambda found: found["totals"]["succeeded"],
    "verify": lambda found: found["artifacts"],
    "measure": lambda found: found["defects"]["frozen"] + found["unmeasured"],
}


def test_every_command_selects_by_defect(capsys, halfway):
    for command, selected in SELECTED.items():
        flags = ("--dry-run",) if command == "run" else ()
        code, found = document(capsys, command, halfway.path, "--where", "defect=frozen", *flags)
        assert (command, code, selected(found)) == (command, 0, 1)
        code, found = document(capsys, command, halfway.path, "--where", "defect=black", *flags)
        assert (code, found["error"]["message"]) == (2, "no job is selected by --where defect=black")


def test_the_document_of_measure(capsys, halfway):
    code, found = document(capsys, "measure", halfway.path, "--processes", 2)
    defects = found.pop("defects")
    assert (list(defects), defects["frozen"], defects["black"]) == (list(names(None)), 1, 0)
    assert (code, found) == (
        0,
        {
            "manifest": str(halfway.path),
            "measured": 2,
            "previewed": 4,
            "kept": 0,
            "failed": [],
            "warnings": dict.fromkeys(WARNING_CODES, 0),
            "unmeasured": 0,
            "index": str(halfway.manifest.output.dir / "index.json"),
        },
    )


def test_what_people_read(capsys, halfway):
    assert main(["status", str(halfway.path)]) == 0
    assert f"2 clips not measured: reelrun measure {halfway.path}" in capsys.readouterr().out
    assert main(["measure", str(halfway.path), "--only", "p3/*"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("1 clip measured, 1 clip got previews.\n")


def test_without_opencv_it_is_told_how_to_get_it(capsys, halfway, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.delitem(sys.modules, "runner.video.looking.camera_path", raising=False)
    assert main(["measure", str(halfway.path), "--processes", "1"]) == 0
    assert (
        f"  2 clips without motion and camera: {install_line('measure')} (OpenCV), then reelrun measure {halfway.path}"
    ) in capsys.readouterr().out.splitlines()
    assert [each.values.get("pan") for each in halfway.measured().values()] == [None] * 4


def test_the_help_says_what_each_measure_is(capsys):
    with pytest.raises(SystemExit):
        main(["measure", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} ({what})" in told for name, what in MEASURES.items())
    assert install_line("measure") in " ".join(told.split())


def test_a_clip_that_is_broken_or_gone_is_told_with_a_way_on(capsys, halfway):
    paths = [halfway.manifest.output.dir / each.video.path for each in halfway.records()]
    paths[1].parent.rename(halfway.path.parent / "elsewhere")
    paths[1].parent.symlink_to(halfway.path.parent / "elsewhere")
    paths[2].write_bytes(paths[2].read_bytes()[:400])
    paths[3].unlink()
    code, found = document(capsys, "measure", halfway.path, "--processes", 1)
    assert (code, found["measured"], found["previewed"]) == (1, 0, 1)
    assert {each["key"]: each["reason"] for each in found["failed"]} == {
        "p1/plain/take-1": f"{paths[1]} leads out of {halfway.manifest.output.dir} through a link",
        "p2/plain/take-1": "it is not the file that was downloaded",
        "p3/plain/take-1": "No such file or directory",
    }
    assert main(["measure", str(halfway.path), "--processes", "1"]) == 1
    told = capsys.readouterr().out
    assert "  not measured: p3/plain/take-1: No such file or directory\n" in told
    assert f"Next: reelrun verify {halfway.path} --repair" in told


def test_an_interruption_keeps_what_was_measured(capsys, halfway, monkeypatch):
    keep, calls = measuring._keep, []

    def interrupted(*kept):
        calls.append(kept)
        if len(calls) == 2:
            raise KeyboardInterrupt
        keep(*kept)

    monkeypatch.setattr(measuring, "_keep", interrupted)
    assert main(["measure", str(halfway.path), "--processes", "1"]) == 130
    assert sum(each is not None for each in halfway.measured().values()) == 3


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
        manifest = write_manifest(tmp_path, pictures=1, output=WITH_PREVIEWS, measures={"defects": ["motion > 0.001"]})
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
        result = run(write_manifest(tmp_path, pictures=1, output=WITH_PREVIEWS), service)
    (job,) = jobs_of(result)
    assert (job["status"], job["measures"], job["defects"]) == ("succeeded", None, [])
    assert job["warnings"] == [{"code": "looking", "message": "not measured (RuntimeError: no)"}]
