"""A whole run against a service on real sockets: from the plan to the index."""

import json
import threading
from dataclasses import replace

import pytest

from runner import campaign
from runner.api.service import Connection, Service
from runner.engine.loop import Engine
from runner.errors import (
    AccessError,
    BudgetError,
    DiskError,
    Exit,
    LockedError,
    NotConfirmedError,
    StateError,
    UsageError,
)
from runner.manifest.reader import load
from runner.model import Status
from runner.planning.selection import Selection
from runner.state.runlock import run_lock
from tests.faults import service as diagnostics
from tests.faults.harness import connection, run
from tests.faults.service import FaultyService
from tests.kit import EVERYTHING, few_frames, write_manifest


@pytest.fixture
def service():
    with FaultyService(few_frames()) as started:
        yield started


def start(manifest, service, selection=Selection(), **options):  # noqa: B008 - frozen
    options.setdefault("confirm", lambda plan: True)
    return campaign.run(load(manifest), connection(service), selection, **options)


def test_a_second_run_of_a_finished_manifest_makes_no_call(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=2)
    first = run(manifest, service)
    assert (first.exit_code, first.submitted, first.totals[Status.SUCCEEDED]) == (Exit.DONE, 2, 2)
    calls = list(service.calls)
    second = run(manifest, service)
    assert (second.exit_code, second.submitted, len(second.unfinished)) == (Exit.DONE, 0, 0)
    assert service.calls == calls
    jobs = json.loads(second.index.read_text(encoding="utf-8"))["jobs"]
    assert [each["status"] for each in jobs] == ["succeeded", "succeeded"]
    assert all((second.output_dir / each["video"]["path"]).read_bytes() == service.video for each in jobs)


def test_a_finished_manifest_does_not_even_open_the_service(service, tmp_path):
    manifest = write_manifest(tmp_path)
    run(manifest, service)
    closed = Connection("sandbox", None, lambda: pytest.fail("it was opened"))
    assert campaign.run(load(manifest), closed, Selection(), confirm=lambda plan: False).exit_code is Exit.DONE


def test_nothing_is_sent_without_consent(service, tmp_path):
    manifest = write_manifest(tmp_path)
    with pytest.raises(NotConfirmedError):
        start(manifest, service, confirm=lambda plan: False)
    # The price alone was asked for.
    assert service.calls == ["other"]
    assert start(manifest, service).exit_code is Exit.DONE


def test_consent_is_asked_for_submissions_alone(service, tmp_path):
    manifest = write_manifest(tmp_path)
    service.first_status = "processing"
    assert run(manifest, service, wait=0.2).exit_code is Exit.UNFINISHED
    service.accepted[0].status = "success"
    assert start(manifest, service, confirm=lambda plan: pytest.fail("asked")).exit_code is Exit.DONE


def test_a_dry_run_sends_nothing_and_leaves_a_state(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=2)
    result = start(manifest, service, dry=True, confirm=lambda plan: pytest.fail("asked"))
    assert service.calls == []
    assert (result.totals[Status.PENDING], result.exit_code) == (2, Exit.DONE)
    assert not result.index.exists()
    assert run(manifest, service).index == result.index
    assert result.index.exists()


def test_over_budget_nothing_is_sent(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=3, budget={"price_per_job": 1, "max_cost": 2})
    with pytest.raises(BudgetError):
        start(manifest, service)
    assert service.calls == []


def test_without_a_key_nothing_is_sent_and_the_state_is_kept(tmp_path):
    manifest = load(write_manifest(tmp_path))
    elsewhere = Connection.to(Service("https://api.service.invalid"))
    with pytest.raises(AccessError):
        campaign.run(manifest, elsewhere, Selection(), confirm=lambda plan: True)
    with pytest.raises(StateError, match="belongs to service"):
        campaign.run(manifest, Connection.to(Service("http://127.0.0.1:1")), Selection(), confirm=lambda plan: True)


def test_two_runs_of_one_state_do_not_meet(service, tmp_path):
    manifest = write_manifest(tmp_path)
    with run_lock(load(manifest).output.state, 0.0), pytest.raises(LockedError):
        start(manifest, service)
    assert service.calls == []


def test_only_what_is_selected_is_submitted_and_judged(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=3)
    service.order("submit", diagnostics.status(400))
    result = run(manifest, service, Selection(only=("p0/*",)))
    assert (result.exit_code, service.posts) == (Exit.JOBS_FAILED, 1)
    result = run(manifest, service, Selection(only=("p1/*", "p2/*")))
    assert (result.exit_code, service.posts) == (Exit.DONE, 3)


def test_an_orphaned_job_in_flight_is_carried_through(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=2)
    service.first_status = "processing"
    run(manifest, service, wait=0.2)
    for accepted in service.accepted:
        accepted.status = "success"
    manifest = write_manifest(tmp_path, pictures=1)
    result = run(manifest, service)
    assert (result.exit_code, service.posts) == (Exit.DONE, 2)
    jobs = json.loads(result.index.read_text(encoding="utf-8"))["jobs"]
    assert [(each["orphaned"], each["status"]) for each in jobs] == [(False, "succeeded"), (True, "succeeded")]


def test_takes_never_overlap_at_the_service(service, tmp_path):
    """Asserted where it counts: no POST of a request begins while an equal one is being answered."""
    busy, overlaps, lock = set(), [], threading.Lock()

    def watched(call):
        call.read()
        content = json.loads(call.body)["payload"]["image"][-200:]
        with lock:
            overlaps.extend([content] * (content in busy))
            busy.add(content)
        accepted = call.accept()
        with lock:
            busy.discard(content)
        call.answer(200, {"request_id": accepted.id, "status": "queued"})

    service.always["submit"] = watched
    manifest = write_manifest(tmp_path, pictures=4, takes=4)
    result = run(manifest, service)
    assert (result.exit_code, overlaps, len(service.accepted)) == (Exit.DONE, [], 16)


def test_many_jobs_at_once(service, tmp_path, monkeypatch):
    """Many jobs, 64 at once: each is accepted once, and the loop turns no more often than there is something to do."""
    turns = []
    turn = Engine._turn
    monkeypatch.setattr(Engine, "_turn", lambda self: (turns.append(1), turn(self))[1])
    jobs = 300 if EVERYTHING else 140
    matrix = {"n": list(range(jobs // 4))}
    prompts = [{"id": "plain", "text": "Push in {{ n }}"}]
    settings = {"concurrency": 64, "wait": 120, "verify": "header"}
    manifest = write_manifest(tmp_path, pictures=4, matrix=matrix, prompts=prompts, run=settings)
    result = run(manifest, service)
    assert (result.exit_code, result.totals[Status.SUCCEEDED]) == (Exit.DONE, jobs)
    assert len(set(service.fingerprints())) == len(service.accepted) == jobs
    assert len(turns) < 3 * len(service.calls)


def test_an_interruption_leaves_a_state_that_goes_on(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=6)
    handles = []

    def interrupting(call):
        call.read()
        accepted = call.accept()
        handles[0]()
        call.answer(200, {"request_id": accepted.id, "status": "queued"})

    service.order("submit", interrupting)
    result = start(manifest, service, on_start=handles.append)
    assert (result.exit_code, result.interrupted) == (Exit.INTERRUPTED, True)
    assert (result.totals[Status.WAITING], service.posts) == (1, 1)
    result = run(manifest, service)
    assert (result.exit_code, len(service.accepted)) == (Exit.DONE, 6)


def test_a_plan_against_a_state_writes_nothing(service, tmp_path):
    manifest = load(write_manifest(tmp_path, pictures=2))
    assert len(campaign.plan(manifest, Selection()).jobs) == 2
    assert not manifest.output.dir.exists()


def test_a_manifest_that_is_gone_at_the_end_is_disk_trouble(service, tmp_path):
    path = write_manifest(tmp_path)
    manifest = load(path)

    def vanish(plan):
        path.unlink()
        return True

    with pytest.raises(DiskError) as caught:
        campaign.run(manifest, connection(service), Selection(), confirm=vanish)
    assert "campaign.yaml" in caught.value.message
    write_manifest(tmp_path)
    assert run(path, service).exit_code is Exit.DONE
    assert service.posts == 1


def test_a_changed_picture_is_not_bought_and_the_next_run_buys_the_new_one(service, tmp_path):
    manifest = load(write_manifest(tmp_path))
    (image,) = manifest.images
    changed = replace(manifest, images=(replace(image, size=image.size + 1),))
    result = campaign.run(changed, connection(service), Selection(), confirm=lambda plan: True)
    assert (result.exit_code, service.accepted) == (Exit.UNAVAILABLE, [])
    assert isinstance(result.error, DiskError)
    assert run(manifest.path, service).exit_code is Exit.DONE
    assert len(service.accepted) == 1


def test_the_first_jobs_are_bought_and_the_next_run_goes_on(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=4)
    first = run(manifest, service, Selection(first=3))
    assert (first.exit_code, first.submitted, first.later, len(first.unfinished)) == (Exit.DONE, 3, 1, 0)
    assert [each.status for each in first.unfinished.first] == []
    rest = run(manifest, service)
    assert (rest.exit_code, rest.submitted, rest.later) == (Exit.DONE, 1, 0)
    assert len(service.accepted) == 4


def test_a_run_of_failed_jobs_is_judged_by_these_jobs(service, tmp_path):
    manifest = write_manifest(tmp_path, pictures=3)
    service.order("submit", diagnostics.status(422))
    assert run(manifest, service).exit_code is Exit.JOBS_FAILED
    again = run(manifest, service, Selection(statuses=(Status.FAILED,), retry_failed=True))
    assert (again.exit_code, again.submitted, len(service.accepted)) == (Exit.DONE, 1, 3)
    with pytest.raises(UsageError, match="no job is selected by --where status=failed"):
        run(manifest, service, Selection(statuses=(Status.FAILED,), retry_failed=True))


def test_a_refused_content_is_bought_again_only_where_that_is_asked_for(service, tmp_path):
    manifest = write_manifest(tmp_path)
    service.first_status = "failed"
    service.changes = {"error": "Content policy violation: the picture shows a person"}
    assert run(manifest, service).exit_code is Exit.JOBS_FAILED
    service.first_status, service.changes = "success", {}
    assert run(manifest, service, Selection(retry_failed=True)).submitted == 0
    again = run(manifest, service, Selection(retry_rejected=True))
    assert (again.exit_code, again.submitted) == (Exit.DONE, 1)
