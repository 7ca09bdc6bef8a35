"""The manifest need not be named where the current folder has one."""

import pytest

from tests.command import call
from tests.kit import write_manifest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    return tmp_path


@pytest.mark.parametrize("command", ["plan", "status", "validate"])
def test_the_only_manifest_need_not_be_named(folder, command):
    write_manifest(folder)
    ended = call(command)
    assert ended.code == 0
    assert "campaign.yaml" in ended.out + ended.err


@pytest.mark.parametrize("command", ["plan", "run", "validate"])
def test_which_one_is_asked_where_there_are_several(folder, command):
    write_manifest(folder)
    write_manifest(folder, name="other.yml")
    ended = call(command)
    assert ended.code == 2
    assert "which manifest? this folder has campaign.yaml, other.yml" in ended.err


def test_a_folder_without_any(folder):
    ended = call("plan", "--json")
    assert ended.code == 2
    assert ended.document["error"]["message"] == "no manifest is named, and this folder has none"
