"""`run --again KEY --as NAME`, and retakes that are bought, on real sockets and with processes that are killed.

`REELRUN_ALL=1 python -m pytest tests/test_engine_asks.py -k killed_at -n 0` also kills it at every step of buying.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from runner import campaign
from runner.engine.asks import Again
from runner.errors import BudgetError, NotConfirmedError
from runner.manifest.reader import load
from runner.model import Status
from runner.planning import lockfile
from runner.planning.plan import lowered
from runner.planning.selection import Selection
from runner.verdicts.verdict import Marking
from runner.verdicts.verdict_files import folder_of, read
from runner.verdicts.votes import verdicts_on
from tests.command import call, die_at
from tests.faults.harness import connection, without_waits
from tests.faults.killer import AGAIN_STEPS, STEPS
from tests.faults.service import FaultyService
from tests.kit import EVERYTHING, few_frames, write_manifest
from tests.reviewing import buy, open_store, planned, say

FIRST = "p0/plain/take-1"
KILLS = AGAIN_STEPS | STEPS if EVERYTHING else AGAIN_STEPS
# The clips are looked at elsewhere.
QUICK = {"run": {"settle": 0.8, "wait": 30, "verify": "header"}, "output": {"dir": "out", "previews": "none"}}
# The steps before the ask is committed.
TOO_EARLY = ("folder made", "ask written, not committed")


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    with FaultyService(few_frames()) as started:
        yield started


@pytest.fixture
def bought(tmp_path):
    """One take of one cell, and its clip."""
    path = write_manifest(tmp_path, budget={"price_per_job": 1}, **QUICK)
    buy(path)
    return path


def words(path, service, *more):
    return ["run", str(path), "--base-url", service.base_url, "--yes", "--json", "--no-progress", *more]


def run(path, service, *more):
    with without_waits(service):
        return call(*words(path, service, *more))


def killed_at(step, path, service, *more):
    die_at(step, words(path, service, *more), path.with_name("said"), GMI_API_KEY="sk-test")


def said(path):
    """The marks that count, and the asks."""
    with open_store(load(path)) as store:
        marks = [
            (by, str(each.mark)) for job in verdicts_on(load(path), store).marks.values() for by, each in job.items()
        ]
        return marks, [(each.take, each.number, each.by) for each in store.asked()]


def test_it_rejects_a_take_and_buys_one_more(bought, service):
    ended = run(bought, service, "--again", FIRST, "--as", "ann")
    assert (ended.code, ended.document["submitted"], ended.document["totals"]["succeeded"]) == (0, 1, 2)
    assert f"{FIRST}: take 2 is asked for in its place" in ended.err
    assert said(bought) == ([("ann", "reject")], [(1, 2, "ann")])
    again = run(bought, service, "--again", FIRST, "--as", "ann")
    assert (again.code, again.document["submitted"], len(service.accepted)) == (0, 0, 1)
    assert "take 2 was asked for before, by ann" in again.err
    assert len(read(folder_of(bought)).lines) == 1
    index = json.loads((bought.parent / "out" / "index.json").read_text())
    assert [(each["key"], each["orphaned"]) for each in index["jobs"]] == [(FIRST, False), ("p0/plain/take-2", False)]
    more = run(bought, service, "--again", "p0/plain/take-2", "--as", "bob")
    assert (more.document["submitted"], len(service.accepted)) == (1, 2)


@pytest.mark.parametrize("step", KILLS)
def test_killed_at_each_step_the_ask_is_kept_and_bought_once(tmp_path, service, step):
    # Bought from the service: it lists what the state knows, and so what it does not list is absent.
    path = write_manifest(tmp_path, **QUICK if step in AGAIN_STEPS else {})
    assert run(path, service).code == 0
    service.first_status = "queued" if step == "success observed" else "success"
    killed_at(step, path, service, "--again", FIRST, "--as", "ann")
    is_kept = step not in TOO_EARLY
    assert len(said(path)[1]) == is_kept
    plain = run(path, service)
    assert (plain.code, len(service.accepted)) == (0, 1 + is_kept)
    again = run(path, service, "--again", FIRST, "--as", "ann")
    assert (again.code, len(service.accepted)) == (0, 2)
    assert said(path) == ([("ann", "reject")], [(1, 2, "ann")])
    assert again.document["totals"]["succeeded"] == 2


@pytest.mark.parametrize("most", [None, 1])
def test_what_is_not_agreed_to_is_not_asked_for(bought, service, most):
    manifest = lowered(load(bought), None, None if most is None else Decimal(most))
    again = Again((FIRST,), "ann", lambda line: None)
    with pytest.raises(NotConfirmedError if most is None else BudgetError):
        campaign.run(manifest, connection(service), Selection(), confirm=lambda plan: False, again=again)
    assert service.posts == 0
    assert said(bought) == ([], [])
    assert planned(bought).notes == ()


def test_an_interruption_at_the_question_takes_the_ask_back(bought, service):
    def interrupted(plan):
        raise KeyboardInterrupt

    again = Again((FIRST,), "ann", lambda line: None)
    with pytest.raises(KeyboardInterrupt):
        campaign.run(load(bought), connection(service), Selection(), confirm=interrupted, again=again)
    assert (service.posts, said(bought)) == (0, ([], []))


def test_a_take_rejected_already_asks_for_nothing_more(bought, service):
    (job,) = (each.job for each in planned(bought).jobs)
    say(bought, job, by="bob")
    ended = run(bought, service, "--again", FIRST, "--as", "ann")
    assert (ended.code, service.posts) == (0, 0)
    assert "was rejected before, by bob: nothing more is asked for" in ended.err
    assert said(bought) == ([("ann", "reject"), ("bob", "reject")], [])


def test_two_takes_of_one_cell(tmp_path, service):
    path = write_manifest(tmp_path, takes=2, retake={"rejected": True, "most": 1}, **QUICK)
    buy(path)
    ended = run(path, service, "--again", FIRST, "--again", "p0/plain/take-2", "--as", "ann")
    assert (ended.document["submitted"], said(path)[1]) == (2, [(1, 3, "ann"), (2, 4, "ann")])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--again", "p0/plain/take-11", "--as", "ann"), f"did you mean '{FIRST}'"),
        (("--again", "p0/*", "--as", "ann"), "no job has this key"),
        (("--again", FIRST, "--as", "Ann B"), "--as ann-b"),
        (("--again", FIRST, "--as", "ann", "--locked"), "--locked buys none"),
        (("--again", FIRST, "--as", "ann", "--dry-run"), "--dry-run buys none"),
        (("--as", "ann"), "add --again KEY"),
    ],
)
def test_what_cannot_be_asked_for(bought, service, more, told):
    ended = call(*words(bought, service, *more))
    assert (ended.code, service.posts) == (2, 0)
    assert told in json.dumps(ended.document["error"])
    assert said(bought) == ([], [])


def test_what_has_no_clip_cannot_be_asked_for_again(tmp_path, service):
    path = write_manifest(tmp_path)
    buy(path, status=Status.FAILED)
    ended = call(*words(path, service, "--again", FIRST, "--as", "ann"))
    assert (ended.code, "there is no clip of it (failed" in ended.document["error"]["message"]) == (2, True)


def test_three_of_twelve_are_rejected_planned_bought_and_bought_once(tmp_path, service):
    """Reject 3 of 12: 3 to submit and told why, none with --locked, none over the budget, each bought once though the
    run is killed half way, and nothing the second time."""
    prompts = [{"id": name, "text": f"A slow push-in, {name}"} for name in ("plain", "mood")]
    path = write_manifest(
        tmp_path, pictures=3, prompts=prompts, takes=2, retake={"rejected": True, "most": 3},
        budget={"price_per_job": 1, "max_cost": 15}, output=QUICK["output"], run={**QUICK["run"], "concurrency": 1},
    )  # fmt: skip
    jobs = buy(path)
    assert len(jobs) == 12
    first = planned(path)
    lockfile.path_of(path).write_text("".join(lockfile.lines(first.manifest, first.each())))
    for job in jobs[::5]:
        say(path, job)
    plan = call("plan", path, "--json").document
    assert plan["totals"]["submit"] == 3
    assert {each["reason"] for each in plan["jobs"] if each["action"] == "submit"} == {"retake: rejected by ann"}
    assert "3 retakes among them" in call("plan", path).out
    locked = run(path, service, "--locked")
    assert (locked.code, locked.document["submitted"]) == (0, 0)
    assert "3 retakes are wanted, and not bought: --locked buys no new ones" in locked.err
    assert run(path, service, "--max-cost", "14").code == 4
    assert service.posts == 0
    killed_at("request id committed", path, service)
    assert len(service.accepted) == 1
    locked = run(path, service, "--locked")
    assert (locked.code, locked.document["totals"]["succeeded"], len(service.accepted)) == (0, 13, 1), "carried through"
    ended = run(path, service)
    assert (ended.code, ended.document["submitted"], ended.document["totals"]["succeeded"]) == (0, 2, 15)
    assert run(path, service).document["submitted"] == 0
    contents = service.fingerprints()
    assert len(contents) == len(set(contents)) == 3
    assert ended.document["cost"]["total"] == 15
    marks = {each["key"]: each["marks"] for each in json.loads((tmp_path / "out" / "index.json").read_text())["jobs"]}
    assert sum(each == {"ann": {"mark": str(Marking.REJECT), "stars": None}} for each in marks.values()) == 3
