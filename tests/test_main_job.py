"""The main job, end to end, as a person does it: real pictures, the sandbox, real clips, one command at a time."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import av
import pytest
import requests

from runner.sandbox.server import Sandbox, SandboxSettings
from tests.command import call, spawn, start
from tests.kit import MODEL, write_manifest

ROOT = Path(__file__).parent.parent
PROBE = ("ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format")
SMALL = ("--sandbox", "--sandbox-height", "64", "--sandbox-seconds", "0", "--no-progress")


def reelrun(*words):
    ended = spawn(*words, "--json")
    return ended.code, ended.document, ended.err


def requests_at_the_sandbox(output_dir):
    settings = SandboxSettings(directory=output_dir / "sandbox", schemas=ROOT / "schemas" / "models")
    with Sandbox(settings) as sandbox:
        return requests.get(f"{sandbox.base_url}/requests?model_id={MODEL}", timeout=10).json()["total"]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """The quickstart of the README, run once at a small height."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "manifests", folder / "manifests")
    code, document, err = reelrun("run", folder / "manifests" / "quickstart.yaml", *SMALL)
    assert code == 0, err
    return folder, document


def test_every_clip_is_what_the_index_says(quickstart):
    _, document = quickstart
    index = json.loads(Path(document["index"]).read_text(encoding="utf-8"))
    assert len(index["jobs"]) == document["totals"]["succeeded"] == 8
    for job in index["jobs"]:
        path = Path(document["output_dir"]) / job["video"]["path"]
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            assert frames / stream.average_rate == pytest.approx(job["video"]["seconds"]) == 5.0
            assert (stream.width, stream.height) == (job["video"]["width"], job["video"]["height"])
            assert (stream.codec_context.name, stream.pix_fmt) == (job["video"]["codec"], "yuv420p")
            assert "sandbox" in container.metadata["comment"].lower()
        assert path.stat().st_size == job["video"]["bytes"]
        assert (Path(document["output_dir"]) / job["thumbnail"]["path"]).is_file()


def test_another_program_agrees_with_the_index(quickstart):
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is missing")
    _, document = quickstart
    index = json.loads(Path(document["index"]).read_text(encoding="utf-8"))
    for video in (job["video"] for job in index["jobs"]):
        told = subprocess.run(
            [*PROBE, str(Path(document["output_dir"]) / video["path"])],
            capture_output=True,
            check=True,
        )
        probed = json.loads(told.stdout)
        stream, container = probed["streams"][0], probed["format"]
        assert (stream["codec_name"], stream["width"], stream["height"]) == (
            video["codec"],
            video["width"],
            video["height"],
        )
        assert float(container["duration"]) == pytest.approx(video["seconds"], abs=0.05)
        assert int(container["size"]) == video["bytes"]
        assert stream["r_frame_rate"] == "24/1"


def test_pandas_reads_both_indexes(quickstart):
    import pandas  # most of a second, which other tests need not wait for

    _, document = quickstart
    folder = Path(document["output_dir"])
    table = pandas.read_csv(folder / "index.csv", dtype={"id": str})
    jobs = pandas.json_normalize(json.loads((folder / "index.json").read_text(encoding="utf-8"))["jobs"])
    assert list(table["id"]) == list(jobs["id"])
    assert list(table["variables.camera"]) == list(jobs["variables.camera"])
    assert (table["video.seconds"] == 5.0).all()


def test_a_second_run_does_nothing_at_all(quickstart):
    folder, document = quickstart
    before = (Path(document["output_dir"]) / "sandbox" / "sandbox.sqlite").stat().st_mtime_ns
    code, again, _ = reelrun("run", folder / "manifests" / "quickstart.yaml", *SMALL)
    assert (code, again["submitted"]) == (0, 0)
    assert (Path(document["output_dir"]) / "sandbox" / "sandbox.sqlite").stat().st_mtime_ns == before


def test_edits_buy_only_what_is_new(quickstart):
    folder, _ = quickstart
    manifest = folder / "manifests" / "quickstart.yaml"
    original = manifest.read_text(encoding="utf-8")

    def submits(text):
        manifest.write_text(text, encoding="utf-8")
        try:
            document = call("plan", manifest, "--sandbox", "--json").document
        finally:
            manifest.write_text(original, encoding="utf-8")
        return document["totals"], {job["reason"] for job in document["jobs"] if job["action"] == "submit"}

    assert submits(original) == ({"submit": 0, "attach": 0, "fetch": 0, "keep": 8, "skip": 0}, set())
    one_word = original.replace("smooth and steady", "smooth and gentle")
    assert submits(one_word) == (
        {"submit": 4, "attach": 0, "fetch": 0, "keep": 4, "skip": 0},
        {"changed: prompt 'alive'"},
    )
    a_value = original.replace("[slow push-in, slow pan right]", "[static, slow pan right, slow push-in]")
    a_value = a_value.replace("max_jobs: 8", "max_jobs: 12")
    assert submits(a_value) == ({"submit": 4, "attach": 0, "fetch": 0, "keep": 8, "skip": 0}, {"new"})
    lines = original.split("\nimages:\n")
    pictures, rest = lines[1].split("\nprompts:")
    reordered = f"{lines[0]}\nprompts:{rest}\nimages:\n{pictures}\n"
    assert submits(reordered) == ({"submit": 0, "attach": 0, "fetch": 0, "keep": 8, "skip": 0}, set())


def test_a_run_that_is_killed_half_way_is_resumed_by_the_same_command(tmp_path):
    manifest = write_manifest(tmp_path, pictures=4, run={"settle": 1, "concurrency": 2})
    process = start(("run", manifest, *SMALL), tmp_path / "said")
    videos = tmp_path / "out-sandbox" / "videos"
    deadline = time.monotonic() + 60
    while not list(videos.rglob("*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    ended = call("run", manifest, *SMALL, "--json")
    assert (ended.code, ended.document["totals"]["succeeded"]) == (0, 4), ended.err
    assert 0 <= ended.document["submitted"] < 4
    assert requests_at_the_sandbox(tmp_path / "out-sandbox") == 4
