from __future__ import annotations

import tomllib
from pathlib import Path

from tests.command import ROOT, call, spawn
from tests.faults.service import FaultyService, status
from tests.kit import write_manifest


def checks(ended):
    return {each["name"]: each for each in ended.document["checks"]}


def test_without_a_key():
    ended = call("doctor", "--json", "--base-url", "https://service.invalid")
    found = checks(ended)
    assert ended.code == 3
    assert list(found) == ["versions", "extras", "sandbox", "disk", "key"]
    assert all(list(each) == ["name", "ok", "found", "hint"] for each in found.values())
    assert [each["ok"] for each in found.values()] == [True, True, True, True, False]
    assert "export GMI_API_KEY" in found["key"]["hint"]


def test_every_extra_of_the_project_is_known(tmp_path, monkeypatch):
    """Held to the project's own file, as the metadata of a package have it: what is here, and how to have the rest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"nothing": ["no-such-package>=1"], **project["optional-dependencies"]}
    lines = [*project["dependencies"]]
    lines += [f'{each}; extra == "{extra}"' for extra, needed in wanted.items() for each in needed]
    named = [f"Provides-Extra: {extra}" for extra in wanted] + [f"Requires-Dist: {each}" for each in lines]
    (tmp_path / "reelrun-9.dist-info").mkdir()
    text = "\n".join(("Metadata-Version: 2.1", "Name: reelrun", "Version: 9", *named, ""))
    (tmp_path / "reelrun-9.dist-info" / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = checks(call("doctor", "--json", "--base-url", "https://service.invalid"))
    there, may_be_added = found["extras"]["found"].split(". may be added: ")
    assert may_be_added == "nothing: pip install 'no-such-package>=1'"
    users = wanted.keys() - {"nothing", "bench", "lint", "test"}
    assert set(there.removeprefix("there: ").split(", ")) == users
    for package in project["dependencies"]:
        assert f" {package.split('>=')[0]} " in found["versions"]["found"]


def test_with_a_manifest_its_output_folder_counts_and_not_the_current_one(tmp_path, monkeypatch):
    path = write_manifest(tmp_path)
    monkeypatch.chdir("/proc")
    found = checks(call("doctor", path, "--json", "--base-url", "https://service.invalid"))
    assert "disk" not in found
    assert found["output"]["ok"]


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
