"""`--set` over several commands: what a run was given is kept, told, and asked about."""

from __future__ import annotations

import json

import pytest

from runner.state.store import Store
from tests.command import SANDBOX, call, spawn, terminal
from tests.faults.service import FaultyService
from tests.kit import few_frames, write_manifest

KEYS = {"prompts": [{"id": "a", "text": "In {{ season }}"}], "vars": {"season": "spring", "size": 5}}
# Every command that reads a campaign.
READING = ("plan", "status", "index", "verify")


@pytest.fixture(scope="module")
def service():
    with FaultyService(few_frames()) as made:
        yield made


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "a-key-for-tests")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory, service):
    """A manifest that was run with --set, once."""
    path = write_manifest(tmp_path_factory.mktemp("set"), **KEYS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMI_API_KEY", "a-key-for-tests")
        ended = call("run", path, "--yes", "--set", "season=winter", "--base-url", service.base_url, "--json")
    assert (ended.code, ended.document["submitted"]) == (0, 1)
    return path


def prompt_of(path):
    index = json.loads((path.parent / "out" / "index.json").read_text())
    return [each["payload"]["prompt"] for each in index["jobs"]]


def test_the_state_keeps_it(campaign):
    assert prompt_of(campaign) == ["In winter"]
    with Store.read(campaign.parent / "out" / "state.sqlite") as store:
        assert store.last_set("../campaign.yaml") == {"season": "winter"}


@pytest.mark.parametrize("command", READING)
def test_later_commands_use_it_and_say_so(campaign, command):
    ended = call(command, campaign)
    assert ended.code == 0
    assert "As in the last run: --set season=winter (the manifest has spring)\n" in ended.err
    assert "orphaned" not in ended.out
    assert "As in the last run" not in call(command, campaign, "--set", "season=winter").err


@pytest.mark.parametrize("words", [["--yes"], []])
def test_a_run_without_it_is_asked_about(campaign, service, words):
    before = service.posts
    ended = spawn("run", campaign, *words, "--base-url", service.base_url, "--json", GMI_API_KEY="a-key-for-tests")
    error = ended.document["error"]
    assert (ended.code, error["code"], service.posts) == (4, "not_confirmed", before)
    assert "the last run had --set season=winter (the manifest has spring)" in error["message"]
    assert error["hint"] == "--set season=winter goes on with it, --set season=spring takes what the manifest has"


def test_on_a_terminal_the_one_question_has_it(campaign, service):
    path = campaign.with_name("more.yaml")
    path.write_text(campaign.read_text() + "takes: 2\n")
    with Store.open(campaign.parent / "out" / "state.sqlite") as store, store.transaction():
        store.remember_set("../more.yaml", {"season": "winter"})
    before = service.posts
    with terminal("run", path, "--base-url", service.base_url, GMI_API_KEY="a-key-for-tests") as screen:
        seen = screen.until(r"\[y/N\] ")
        assert "As the last run had --set season=winter (the manifest has spring)" in seen
        asked = seen[seen.index("Submit 1 job") :].replace("\r\n", " ")
        assert "as in the last run with --set season=winter (the manifest has spring)?" in " ".join(asked.split())
        screen.press("n\n")
        assert screen.ended() == 4
    assert "takes what the manifest has" in " ".join(screen.seen.split())
    assert service.posts == before


def test_a_value_that_is_given_is_taken_and_leads_back(tmp_path, service):
    path = write_manifest(tmp_path, **KEYS)
    words = ("run", path, "--yes", "--base-url", service.base_url)
    assert call(*words, "--set", "season=winter").code == 0
    assert call(*words, "--set", "season=spring").code == 0
    assert prompt_of(path) == ["In spring", "In winter"]
    assert call(*words).code == 0, "what was set last is what the manifest has"
    path.write_text(path.read_text().replace("spring", "autumn"))
    ended = call(*words)
    assert ended.code == 4, "the constant changed in the manifest"
    assert "--set season=spring (the manifest has autumn)" in ended.err


def test_the_sandbox_never_asks_and_has_its_own(tmp_path):
    path = write_manifest(tmp_path, **KEYS)
    assert call("run", path, *SANDBOX, "--set", "season=winter").code == 0
    ended = call("run", path, *SANDBOX)
    assert ended.code == 0
    assert "As the last run had --set season=winter (the manifest has spring)" in ended.err
    assert "As in the last run" not in call("plan", path).err


def test_a_constant_that_is_gone_is_left_out_and_told(tmp_path):
    path = write_manifest(tmp_path, **KEYS)
    assert call("run", path, *SANDBOX, "--set", "season=winter", "--set", "size=7", "--dry-run").code == 0
    path.write_text(path.read_text().replace("  size: 5\n", ""))
    ended = call("plan", path, "--sandbox")
    assert ended.code == 0
    assert "The last run had --set size=7; it is not under vars any more, and left out" in ended.err


def test_validate_takes_it_for_each_manifest(tmp_path):
    path = write_manifest(tmp_path, **KEYS, lint={"ignore": ["W332", "W801", "W802", "W804"]})
    ended = call("validate", path, "--set", "season={{ x }}", "--json")
    assert [(each["code"], each["file"]) for each in ended.document["diagnostics"]] == [("E106", "--set season")]
    ended = call("validate", path, "--set", "season='{{ x }}'")
    assert (ended.code, "--set season:1:4: error[E311]" in ended.err) == (2, True)
    ended = call("validate", path, "--set", "season=late fall")
    assert (ended.code, ended.out) == (
        0,
        f"{path} is valid: 1 job. Next: reelrun plan {path} --set 'season=late fall'\n",
    )
    ended = call("validate", path, "--set", "sesaon=fall", "--json")
    assert (ended.code, ended.document["error"]["code"]) == (2, "usage")
