from __future__ import annotations

from pathlib import Path

from tests.command import call, spawn
from tests.faults.service import FaultyService, status
from tests.kit import write_manifest


def checks(ended):
    return {each["name"]: each for each in ended.document["checks"]}


def test_without_a_key():
    ended = call("doctor", "--json", "--base-url", "https://service.invalid")
    found = checks(ended)
    assert ended.code == 3
    assert list(found) == ["versions", "sandbox", "disk", "key"]
    assert all(list(each) == ["name", "ok", "found", "hint"] for each in found.values())
    assert [each["ok"] for each in found.values()] == [True, True, True, False]
    assert "export GMI_API_KEY" in found["key"]["hint"]


def test_for_people():
    ended = call("doctor", "--base-url", "https://service.invalid")
    lines = ended.out.splitlines()
    assert lines[0].startswith("  ok   versions   reelrun ")
    assert lines[-2] == "  BAD  key        there is no key for the service"
    assert lines[-1].strip().startswith("help: export GMI_API_KEY")


def test_an_address_that_is_none():
    ended = call("doctor", "--json", "--base-url", "ftp://x")
    assert ended.code == 2
    assert not checks(ended)["key"]["ok"]


def test_a_service_that_does_not_answer():
    ended = call("doctor", "--json", "--base-url", "http://127.0.0.1:1")
    found = checks(ended)
    assert ended.code == 7
    assert found["key"]["found"] == "is not needed on this machine"
    assert not found["service"]["ok"]


def test_a_refused_key(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "very-secret")
    with FaultyService(b"") as service:
        service.always["other"] = status(403, words="very-secret is no key")
        ended = call("doctor", "--json", "--base-url", service.base_url)
    assert "very-secret" not in ended.out + ended.err
    assert (ended.code, checks(ended)["service"]["ok"]) == (3, False)


def test_a_folder_that_cannot_be_written():
    """Not even by root."""
    found = checks(spawn("doctor", "--json", cwd=Path("/proc")))
    assert not found["disk"]["ok"]
    assert found["disk"]["found"].startswith("/proc cannot be written")
    assert found["disk"]["hint"] == "use a folder of your own, or ask its owner for the right to write"


def test_all_is_well():
    with FaultyService(b"") as service:
        ended = call("doctor", "--json", "--base-url", service.base_url)
    assert ended.code == 0
    assert all(each["ok"] for each in ended.document["checks"])


def test_the_output_folder_of_the_manifest_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_manifest(tmp_path)
    assert checks(call("doctor", "--json"))["output"]["ok"]
    (tmp_path / "out").write_text("a file")
    assert not checks(call("doctor", "campaign.yaml", "--json"))["output"]["ok"]
    (tmp_path / "campaign.yaml").write_text("version: 1\n")
    assert not checks(call("doctor", "--json"))["manifest"]["ok"]
