from __future__ import annotations

import pytest

import runner
from runner.api.service import Connection, Service
from runner.errors import AccessError, Exit, ManifestError, NotConfirmedError, UsageError
from runner.model import Action, Status
from runner.planning.selection import Selection
from tests.faults.service import FaultyService
from tests.kit import video_bytes, write_manifest


def test_the_public_names():
    assert runner.__all__ == ["connect", "load", "plan", "run"]


def test_load_raises_with_every_problem(tmp_path):
    path = write_manifest(tmp_path, takes=0, params={"duration": 5})
    with pytest.raises(ManifestError) as caught:
        runner.load(path)
    # Those that planning finds as well.
    assert sorted(each.code for each in caught.value.diagnostics) == ["E204", "E205"]
    with pytest.raises(ManifestError):
        runner.load(str(tmp_path / "none.yaml"))


def test_plan_writes_nothing(tmp_path):
    manifest = runner.load(str(write_manifest(tmp_path, takes=2)))
    made = runner.plan(manifest)
    assert made.totals[Action.SUBMIT] == 2
    assert runner.plan(manifest, Selection(only=("*take-1",))).totals[Action.SUBMIT] == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["campaign.yaml", "p0.jpg"]


def test_connect_reads_the_environment(monkeypatch):
    monkeypatch.setenv("GMI_BASE_URL", "https://service.invalid/queue/")
    monkeypatch.setenv("GMI_ORG_ID", "org-7")
    made = runner.connect()
    assert (made.name, made.organisation) == ("https://service.invalid:443", "org-7")
    with pytest.raises(AccessError), made.open():
        pass
    monkeypatch.setenv("GMI_API_KEY", "k-1")
    with runner.connect().open() as service:
        assert service.base_url == "https://service.invalid/queue"
    with pytest.raises(UsageError):
        runner.connect("http://service.invalid")


def test_a_run_from_its_plan_to_its_index(tmp_path):
    manifest = runner.load(write_manifest(tmp_path, takes=2))
    asked, seen = [], []

    def confirm(plan):
        asked.append(plan.totals[Action.SUBMIT])
        return True

    with FaultyService(video_bytes()) as service:
        connection = Connection.to(Service(service.base_url))
        result = runner.run(manifest, connection, confirm=confirm, progress=seen.append)
        assert (result.exit_code, result.submitted, result.totals[Status.SUCCEEDED]) == (Exit.DONE, 2, 2)
        assert result.index.is_file()
        assert seen[-1].total == 2
        calls = len(service.calls)
        again = runner.run(manifest, connection, confirm=confirm)
        assert (again.submitted, again.exit_code, len(service.calls)) == (0, Exit.DONE, calls)
    assert asked == [2], "nothing is asked where nothing is bought"
    assert runner.plan(manifest).totals[Action.KEEP] == 2


def test_a_run_that_is_not_confirmed(tmp_path):
    manifest = runner.load(write_manifest(tmp_path))
    with FaultyService(video_bytes()) as service:
        with pytest.raises(NotConfirmedError):
            runner.run(manifest, Connection.to(Service(service.base_url)), confirm=lambda plan: False)
        assert service.calls == ["other"], "the price alone was asked for"


def test_consent_to_uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    manifest = runner.load(write_manifest(tmp_path, side=400, model="wan2.7-i2v", lint={"ignore": ["W421", "W804"]}))
    with FaultyService(video_bytes()) as service:
        connection = runner.connect(service.base_url)
        with pytest.raises(NotConfirmedError):
            runner.run(manifest, connection, confirm=lambda plan: True)
        assert service.calls == ["other"], "the price alone was asked for"
        result = runner.run(manifest, connection, confirm=lambda plan: True, allow_uploads=True)
        assert (result.exit_code, len(service.kept())) == (Exit.DONE, 1)
