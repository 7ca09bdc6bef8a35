"""--quiet and --verbose, in every command: what stays, what goes, and what comes."""

import re
import shutil

import pytest

from runner.api.transport import LOG
from runner.cli import screen
from runner.cli.arguments import parser
from tests.command import SANDBOX, Ended, call, terminal
from tests.faults.service import FaultyService, status
from tests.kit import video_bytes, write_manifest

# Without `lint`, the prompt is warned of.
WARNED = {"lint": {}, "budget": {"price_per_job": 0.25}}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert call("run", "-q", write_manifest(folder, **WARNED), *SANDBOX) == Ended(0, "", "")
    return folder


@pytest.fixture
def path(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "campaign")
    return tmp_path / "campaign" / "campaign.yaml"


@pytest.mark.parametrize("name", parser().commands)
def test_every_command_takes_both_after_and_before_it_and_not_together(name):
    for words in (["-q", name, "-v"], [name, "--quiet", "--verbose"], ["-qv", name]):
        ended = call(*words, *["x"] * (name in ("init", "requests", "completion")))
        assert (ended.code, ended.out) == (2, "")
        if name != "publish":
            assert "exclude each other" in ended.err or "invalid choice" in ended.err


@pytest.mark.parametrize(
    "words",
    [["plan"], ["status"], ["fix-pictures"], ["status", "--json"], ["index", "--json"]],
    ids=" ".join,
)
def test_data_stays_when_quiet(path, words):
    sandbox = [] if words[0] == "fix-pictures" else ["--sandbox"]
    usual, quiet = (call(*words, path, *sandbox, *flag) for flag in ([], ["-q"]))
    assert (quiet.code, quiet.err) == (usual.code, "")
    if words[0] == "plan":
        assert len(quiet.out) > 100
        assert usual.out.startswith(quiet.out)
    elif words[0] != "fix-pictures":
        assert quiet.out == usual.out


@pytest.mark.parametrize(
    "words", [["validate"], ["verify"], ["index"], ["measure"], ["run", *SANDBOX]], ids=lambda words: words[0]
)
def test_what_went_well_is_not_told_when_quiet(path, words):
    sandbox = [] if words[0] in ("validate", "run") else ["--sandbox"]
    assert call("-q", words[0], path, *words[1:], *sandbox) == Ended(0, "", "")


def test_a_new_folder_is_made_in_silence(tmp_path):
    assert call("init", tmp_path / "demo", "-q").out == ""
    assert (tmp_path / "demo" / "campaign.yaml").is_file()


def test_errors_are_told_and_warnings_are_not(tmp_path):
    path = write_manifest(tmp_path, lint={}, params={"duration": 5})
    assert "warning[" in call("validate", write_manifest(tmp_path / "w", lint={})).err
    for words in (["validate", path], ["plan", path]):
        ended = call(*words, "-q")
        assert (ended.code, ended.out) == (2, "")
        assert "error[E204]" in ended.err
        assert "warning" not in ended.err
        assert "Nothing was sent" not in ended.err
    assert call("explain", "E999", "-q").err.startswith("error: ")


def test_a_run_that_did_not_go_well_is_told_in_a_line(tmp_path):
    ended = call("run", "-q", write_manifest(tmp_path), *SANDBOX, "--sandbox-failure-rate", "1")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == "1 job: 1 failed. 1 submitted now.\n"


def test_a_changed_clip_is_told_when_quiet(path):
    (clip,) = path.parent.glob("out-sandbox/videos/**/*.mp4")
    clip.write_bytes(b"other")
    ended = call("verify", "-q", path, "--sandbox")
    assert (ended.code, ended.err) == (7, "")
    assert re.fullmatch(r"  changed  .*\n2 artifacts hashed: 1 changed\.\n", ended.out)


def test_money_is_asked_about_when_quiet(tmp_path):
    path = write_manifest(tmp_path, **WARNED)
    with FaultyService(video_bytes()) as service:
        with terminal("run", "-q", path, "--base-url", service.base_url, columns=200, GMI_API_KEY="k-1") as shown:
            seen = shown.until(r"Submit 1 job for \$0.25 to .*\? \[y/N\] ")
            shown.press("n\n")
            assert shown.ended() == 4
        assert service.posts == 0
    assert "A slow push-in" in seen, "what it is about"
    assert "warning" not in seen


def test_each_step_and_call_of_a_run_with_its_time(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-very-secret")
    path = write_manifest(tmp_path, **WARNED)
    with FaultyService(video_bytes()) as service:
        ended = call("run", path, "--yes", "-v", "--no-progress", "--base-url", service.base_url)
        (request,) = service.accepted
    assert ended.code == 0
    told = [re.sub(rf"^{TIME} ", "", line) for line in ended.err.splitlines() if re.match(TIME, line)]
    key = "p0/plain/take-1"
    steps = [line for line in told if line.startswith(key)]
    assert steps[0].startswith(f"{key}: submitted as {request.id}, ")
    assert re.fullmatch(rf"{key}: downloaded and verified: videos/{key}\.mp4, [\d,]+ bytes", steps[-1])
    calls = [re.sub(r", \d+ ms$", "", line) for line in told if line not in steps]
    assert f"POST {service.base_url}/requests: 200" in calls
    assert f"GET {service.base_url}/requests/{request.id}: 200" in calls
    assert "model_id" not in ended.err
    assert "sk-very" not in ended.err
    assert f"manifest {path}\n" in ended.err
    assert f"service {service.base_url} with a key\n" in ended.err
    assert ended.err.startswith("reelrun ")
    assert "warning[" in ended.err, "all that is told else is told, too"


def test_retries_are_told_with_their_reasons(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "k-1")
    with FaultyService(video_bytes()) as service:
        service.order("submit", status(429, headers={"Retry-After": "0"}, words="too many"))
        ended = call("run", write_manifest(tmp_path), "--yes", "-v", "--base-url", service.base_url)
    assert ended.code == 0
    assert re.search(
        rf"^{TIME} p0/plain/take-1: not accepted: too many.*trying again in \d+ s$", ended.err, re.MULTILINE
    )
    assert ended.err.count("trying again in") == 1, "once, and not again as a note"


def test_where_there_is_nothing_to_tell_verbose_says_what_this_is():
    usual, loud = call("explain", "E204"), call("explain", "E204", "-v")
    assert (loud.code, loud.out, len(loud.err.splitlines())) == (usual.code, usual.out, 1)


def test_a_command_leaves_the_volume_as_it_was(path):
    call("status", path, "-v")
    assert (screen.is_loud(), LOG.handlers, LOG.isEnabledFor(10)) == (False, [], False)
    call("status", path, "-q")
    assert not screen.is_quiet()
