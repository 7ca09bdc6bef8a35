"""The names of clips, whole runs on the sandbox: the current clip has the plain name, and no file is overwritten."""

import json
from pathlib import Path

import pytest
import yaml

from tests.command import SANDBOX, call
from tests.kit import write_manifest
from tests.test_sandbox_kit import running


def arms(*texts):
    return [{"id": f"a{number}", "text": text} for number, text in enumerate(texts)]


def names(out):
    """The prompt of each clip by its path below videos/, as the indices have them; and no other clip is there."""
    found = {}
    for path in sorted(out.glob("index*.json")):
        for job in json.loads(path.read_text(encoding="utf-8"))["jobs"]:
            if job["video"]:
                assert (out / job["video"]["path"]).is_file()
                found[job["video"]["path"].removeprefix("videos/").removesuffix(".mp4")] = job["payload"]["prompt"]
    on_disk = {path.relative_to(out / "videos").as_posix() for path in (out / "videos").rglob("*.mp4")}
    assert {f"{name}.mp4" for name in found} == on_disk
    return found


def test_the_current_clip_has_the_plain_name_and_a_job_that_comes_back_gets_it_again(tmp_path):
    out, ids = tmp_path / "out-sandbox", {}
    for text in ("A slow pan", "A slow tilt", "A slow pan"):
        path = write_manifest(tmp_path, prompts=arms(text), output={"dir": "out", "file": "hero"})
        ended = call("run", path, *SANDBOX, "--json")
        assert ended.code == 0
        (planned,) = call("plan", path, "--sandbox", "--json").document["jobs"]
        ids[text] = planned["id"][:8]
        assert names(out)["hero"] == text
    assert ended.document["submitted"] == 0, "it was bought before"
    assert names(out) == {"hero": "A slow pan", f"orphaned/hero-{ids['A slow tilt']}": "A slow tilt"}
    verified = call("verify", path, "--sandbox")
    assert verified.out == "4 artifacts hashed: all as recorded.\n"


def test_another_manifest_s_clip_keeps_its_name_and_the_plan_says_what_the_new_one_gets(tmp_path):
    output = {"dir": "out", "file": "hero"}
    first = write_manifest(tmp_path, prompts=arms("A slow pan"), output=output)
    assert call("run", first, *SANDBOX).code == 0
    second = write_manifest(tmp_path, name="b.yaml", prompts=arms("A slow tilt"), output=output)
    plan = call("plan", second, "--sandbox")
    (job,) = call("plan", second, "--sandbox", "--json").document["jobs"]
    spare = f"hero-{job['id'][:8]}"
    told = f"1 new clip gets 8 digits more: its name has another holder (hero will be {spare})"
    assert told in plan.out
    assert told in call("plan", second, "--sandbox", "--markdown").out.replace("\\", "")
    ended = call("run", second, *SANDBOX, "--json")
    out = tmp_path / "out-sandbox"
    assert ended.document["index"] == str(out / "index.b.json")
    assert ended.document["totals"]["succeeded"] == 1
    assert names(out) == {"hero": "A slow pan", spare: "A slow tilt"}
    assert {path.name for path in out.glob("index.*")} == {
        f"index{own}.{kind}" for own in ("", ".b") for kind in ("json", "csv", "html")
    }
    for path, text in ((first, "A slow pan"), (second, "A slow tilt")):
        assert call("status", path, "--sandbox", "--json").document["totals"]["succeeded"] == 1
        index = json.loads(Path(call("index", path, "--sandbox", "--json").document["index"]).read_text())
        assert [(each["payload"]["prompt"], each["orphaned"]) for each in index["jobs"]] == [(text, False)]
        assert call("verify", path, "--sandbox").out == "2 artifacts hashed: all as recorded.\n"
    # The first one goes: its clip is nobody's, and makes room.
    first.unlink()
    assert call("index", second, "--sandbox", "--rename").code == 0
    assert call("status", second, "--sandbox", "--json").document["totals"]["succeeded"] == 2
    jobs = json.loads((out / "index.b.json").read_text())["jobs"]
    assert {each["video"]["path"]: each["orphaned"] for each in jobs} == {
        "videos/hero.mp4": False,
        next(f"videos/orphaned/hero-{each['id'][:8]}.mp4" for each in jobs if each["orphaned"]): True,
    }


SWEEP = {"prompts": arms("A slow pan", "A slow tilt", "A slow push-in")}


def test_new_names_are_given_where_they_are_asked_for_also_in_a_circle(tmp_path):
    path = write_manifest(tmp_path, **SWEEP, output={"dir": "out", "file": "{{ prompt.id }}"})
    assert call("run", path, *SANDBOX).code == 0
    out = tmp_path / "out-sandbox"
    before = names(out)
    turned = "{{ 'a1' if prompt.id == 'a0' else 'a2' if prompt.id == 'a1' else 'a0' }}"
    write_manifest(tmp_path, **SWEEP, output={"dir": "out", "file": turned})
    plan = call("plan", path, "--sandbox").out
    assert "3 finished clips have other names than output.file gives today (a0 would be a1)" in plan
    assert "'reelrun index MANIFEST --rename'" in plan
    assert call("run", path, *SANDBOX).code == 0
    assert names(out) == before, "a run renames no finished clip"
    ended = call("index", path, "--sandbox", "--rename")
    assert (ended.code, "3 clips renamed" in ended.err) == (0, True)
    assert names(out) == {"a1": "A slow pan", "a2": "A slow tilt", "a0": "A slow push-in"}
    assert "other names" not in call("plan", path, "--sandbox").out
    assert call("verify", path, "--sandbox").out == "6 artifacts hashed: all as recorded.\n"
    (out / "videos" / "mine.mp4").write_text("mine")
    write_manifest(tmp_path, **SWEEP, output={"dir": "out", "file": "{{ 'mine' if prompt.id == 'a0' else prompt.id }}"})
    ended = call("index", path, "--sandbox", "--rename")
    assert "Not renamed: p0/a0/take-1: something else is at mine" in ended.err
    assert (out / "videos" / "mine.mp4").read_text() == "mine"


def test_a_clip_that_was_deleted_is_noticed_without_reading_any(tmp_path, monkeypatch):
    path = write_manifest(tmp_path, **SWEEP)
    assert call("run", path, *SANDBOX).code == 0
    out = tmp_path / "out-sandbox"
    (out / "videos/p0/a1/take-1.mp4").unlink()
    monkeypatch.setattr("runner.state.disk.hash_file", lambda path: pytest.fail("a file was read"))
    status = call("status", path, "--sandbox")
    repair = f"reelrun verify {path} --sandbox --repair"
    assert f"  1 clip not in the folder any more: p0/a1/take-1\n  {repair}" in status.out
    assert call("status", path, "--sandbox", "--json").document["gone"] == ["p0/a1/take-1"]
    plan = call("plan", path, "--sandbox")
    assert "  keep         1   done, but its clip is gone\n" in plan.out
    assert f"Next: {repair}        (nothing is left to submit)" in plan.out
    assert call("plan", path, "--sandbox", "--json").document["totals"]["keep"] == 3
    assert call("index", path, "--sandbox").code == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count('"is_gone":true') == 1
    monkeypatch.undo()
    assert call("verify", path, "--repair", *SANDBOX).code == 0
    assert "gone" not in call("status", path, "--sandbox", "--json").document


def test_a_sandbox_on_a_port_of_its_own_keeps_its_clips_apart(tmp_path, monkeypatch):
    path = write_manifest(tmp_path)
    with running(tmp_path / "served", seconds=0.0) as client:
        ended = call("run", path, "--base-url", client.base_url, "--json")
        assert (ended.code, ended.document["output_dir"]) == (0, str(tmp_path / "out-sandbox")), ended.err
        told = call("run", path, "--base-url", client.base_url)
        assert "out-sandbox" in told.out
        monkeypatch.setenv("GMI_BASE_URL", client.base_url)
        assert call("run", path, "--json").document["totals"]["succeeded"] == 1
        (tmp_path / "out-sandbox/videos/p0/plain/take-1.mp4").unlink()
        repaired = call("verify", path, "--sandbox", "--repair", "--base-url", client.base_url, "--json")
        assert (repaired.code, repaired.document["missing"]) == (0, [])
    assert not (tmp_path / "out").exists()
    assert call("status", path, "--sandbox", "--json").document["totals"]["succeeded"] == 1


def manifest(folder, name, **keys):
    """A manifest whose output folder has its name."""
    path = write_manifest(folder, name=name, **keys)
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({key: each for key, each in content.items() if key != "output"}))
    return path


def test_a_manifest_under_another_name_finds_what_was_bought(tmp_path):
    first = manifest(tmp_path, "spring.yaml", **SWEEP)
    assert call("run", first, *SANDBOX).code == 0
    first.rename(tmp_path / "summer.yaml")
    second = manifest(tmp_path, "summer.yaml", prompts=arms("A slow pan", "A slow tilt", "A slow orbit"))
    plan = call("plan", second, "--sandbox")
    assert "2 jobs of this plan were bought before: " in plan.out
    assert "write output: {dir: outputs/spring} in the manifest" in plan.out
    elsewhere = call("plan", second, "--sandbox", "--json").document["elsewhere"]
    assert elsewhere == {"output_dir": str(tmp_path / "outputs/spring-sandbox"), "jobs": 2}
    assert "elsewhere" not in call("plan", second, "--json").document, "the sandbox's clips are none of the service's"
    refused = call("run", second, *SANDBOX, "--yes", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (4, "not_confirmed")
    assert "--new-state" in refused.document["error"]["hint"]
    assert not (tmp_path / "outputs/summer-sandbox/videos").exists()
    second.write_text(second.read_text() + "output: {dir: outputs/spring}\n")
    went_on = call("run", second, *SANDBOX, "--yes", "--json").document
    assert (went_on["submitted"], went_on["index"]) == (1, str(tmp_path / "outputs/spring-sandbox/index.json"))


def test_a_copy_begins_anew_where_that_is_asked_for(tmp_path):
    assert call("run", manifest(tmp_path, "spring.yaml"), *SANDBOX).code == 0
    copy = manifest(tmp_path, "autumn.yaml")
    told = call("run", copy, *SANDBOX, "--yes", "--new-state")
    assert (told.code, "1 submitted now" in told.out) == (0, True)
    assert "bought before" not in call("plan", copy, "--sandbox").out
    third = manifest(tmp_path, "winter.yaml")
    asked = call("run", third, *SANDBOX)
    assert (asked.code, "1 job of this plan was bought before" in asked.err) == (0, True), "the sandbox never asks"
