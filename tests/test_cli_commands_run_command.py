from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from unittest.mock import Mock
from urllib.parse import unquote
from uuid import uuid4

import pytest
import yaml

from runner.cli.commands.run_command import _where_to
from runner.cli.screen import shown_path
from runner.manifest.reader import load
from runner.model import Uploads
from runner.state.runlock import run_lock
from tests.command import SANDBOX, call, environment, spawn, terminal
from tests.faults.service import FaultyService, raw
from tests.faults.service import status as refuse
from tests.kit import few_frames, picture_bytes, write_manifest
from tests.store_proxies import filled, refusing

TWO = {"prompts": [{"id": "a", "text": "{{ s }}"}], "matrix": {"s": ["wet rock", "warm sand"]}}
DOCUMENT = ["manifest", "totals", "submitted", "cost", "index", "output_dir"]
TOTALS = ["pending", "waiting", "unknown", "succeeded", "failed", "rejected", "cancelled"]


@pytest.fixture(scope="module")
def service():
    with FaultyService(few_frames()) as made:
        yield made


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "a-key-for-tests")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A manifest that was run on the sandbox, and how the run ended."""
    path = write_manifest(tmp_path_factory.mktemp("finished"), **TWO)
    return path, call("run", path, *SANDBOX)


def test_a_run_says_what_is_there_and_what_is_next(finished):
    path, ended = finished
    page = shown_path(path.parent / "out-sandbox" / "index.html")
    assert ended.code == 0
    assert "2 jobs: 2 succeeded. 2 submitted now.\n" in ended.out
    assert f"Page: {page}\nNext: open {page}\n" in ended.out
    assert ended.err.startswith("0/2\n")
    assert not (path.parent / "out").exists()


def test_the_page_leads_to_the_pictures_that_clips_were_made_from(finished):
    path, _ = finished
    out = path.parent / "out-sandbox"
    sources = re.findall(r'"source":"(.+?)"', (out / "index.html").read_text())
    assert len(sources) == 2
    assert all((out / unquote(source)).is_file() for source in sources)


def test_a_finished_run_makes_no_call_and_starts_no_sandbox(finished):
    path, _ = finished
    (path.parent / "out-sandbox" / "sandbox").rename(path.parent / "away")
    try:
        code = (
            "import sys\nfrom runner.cli.main import main\ncode = main(sys.argv[1:])\n"
            "print(*sys.modules, file=sys.stderr)\nsys.exit(code)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "run", path, "--sandbox", "--json"],
            env=environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        (path.parent / "away").rename(path.parent / "out-sandbox" / "sandbox")
    document = json.loads(done.stdout)
    assert (document["submitted"], document["totals"]["succeeded"]) == (0, 2)
    assert "runner.cli.commands.run_command" in done.stderr
    assert "uvicorn" not in done.stderr
    assert "runner.sandbox.server" not in done.stderr


def test_the_document_of_a_run(finished):
    path, _ = finished
    document = call("run", path, *SANDBOX, "--json").document
    assert list(document) == DOCUMENT
    assert list(document["totals"]) == TOTALS
    assert document["manifest"] == str(path.resolve())
    assert document["index"] == str(path.parent.resolve() / "out-sandbox" / "index.json")
    assert document["output_dir"] == str(path.parent.resolve() / "out-sandbox")
    assert document["cost"] is None


def test_only_what_is_new_is_submitted(tmp_path):
    path = write_manifest(tmp_path, **TWO)
    assert call("run", path, *SANDBOX, "--json").document["submitted"] == 2
    manifest = yaml.safe_load(path.read_text())
    # Another order of everything.
    manifest["matrix"]["s"].reverse()
    path.write_text(yaml.safe_dump(dict(reversed(manifest.items())), sort_keys=False))
    assert call("run", path, *SANDBOX, "--json").document["submitted"] == 0
    # A value more.
    manifest["matrix"]["s"].append("snow")
    path.write_text(yaml.safe_dump(manifest))
    assert call("run", path, *SANDBOX, "--json").document["submitted"] == 1
    # Another word in the one arm: the former jobs are orphaned, and stay in the index.
    manifest["prompts"][0]["text"] = "dark {{ s }}"
    path.write_text(yaml.safe_dump(manifest))
    plan = call("plan", path, "--sandbox", "--json").document
    assert {job["reason"] for job in plan["jobs"]} == {"changed: prompt 'a'"}
    document = call("run", path, *SANDBOX, "--json", "--only", "*snow*").document
    assert (document["submitted"], document["totals"]["succeeded"]) == (1, 4)
    index = json.loads((tmp_path / "out-sandbox" / "index.json").read_text())
    assert [job["orphaned"] for job in index["jobs"]] == [False] * 3 + [True] * 3


def test_a_refused_prompt_is_told_with_its_picture_and_prompt(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "fine", "text": "fog"}, {"id": "bad", "text": "forbidden"}])
    ended = call("run", path, *SANDBOX)
    assert ended.code == 1
    assert "2 jobs: 1 succeeded, 1 rejected." in ended.out
    assert re.search(r"rejected\s+p0/bad/take-1: 400: content policy", ended.out)
    assert f"Next: reelrun run {path} --sandbox --retry-rejected" in ended.out
    assert call("run", path, *SANDBOX, "--json").code == 1
    assert call("run", path, *SANDBOX, "--json", "--only", "*/fine/*").code == 0, "codes judge the selected jobs"
    assert call("run", path, *SANDBOX, "--json", "--retry-rejected").document["submitted"] == 1


def test_failed_jobs_are_bought_again_only_on_request(tmp_path):
    path = write_manifest(tmp_path, **TWO)
    ended = call("run", path, *SANDBOX, "--sandbox-failure-rate", "1")
    assert ended.code == 1
    assert "2 failed" in ended.out
    assert "simulated failure" in ended.out
    again = call("run", path, *SANDBOX, "--json")
    assert (again.code, again.document["submitted"]) == (1, 0)
    retried = call("run", path, *SANDBOX, "--json", "--retry-failed")
    assert (retried.code, retried.document["submitted"]) == (0, 2)


def test_attach_is_refused_if_nothing_is_unknown(tmp_path):
    path = write_manifest(tmp_path, **TWO)
    assert call("run", path, *SANDBOX).code == 0
    ended = call("run", path, *SANDBOX, "--attach", "p0/plain/take-1=r-1")
    assert ended.code == 2
    assert "--attach p0/plain/take-1=r-1 names no job whose answer was lost" in ended.err


def test_a_dry_run_calls_nobody(tmp_path):
    path = write_manifest(tmp_path, **TWO)
    ended = call("run", path, "--dry-run", "--base-url", "https://service.invalid/api")
    assert ended.code == 0
    assert "2 jobs: 2 pending. Nothing was submitted." in ended.out
    assert "Next: reelrun run" in ended.out
    assert "Page" not in ended.out, "there is none yet"


def test_words_that_exclude_each_other(tmp_path):
    ended = call("run", write_manifest(tmp_path), "--sandbox", "--base-url", "https://service.invalid", "--json")
    assert (ended.code, ended.document["error"]["code"]) == (2, "usage")


def test_without_a_key_nobody_is_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("GMI_API_KEY")
    path = write_manifest(tmp_path)
    for words in ([], ["--yes"]):
        ended = call("run", path, "--json", "--base-url", "https://service.invalid", *words)
        assert (ended.code, ended.document["error"]["code"]) == (3, "access")
        assert "--sandbox" in ended.document["error"]["hint"]


def test_paid_jobs_need_a_word_where_nobody_can_answer(tmp_path):
    path = write_manifest(tmp_path, **TWO, budget={"price_per_job": 0.25})
    ended = spawn("run", path, "--json", "--base-url", "https://service.invalid", GMI_API_KEY="k-1")
    assert ended.code == 4
    error = ended.document["error"]
    assert error["code"] == "not_confirmed"
    assert "Submit 2 jobs for $0.50 to https://service.invalid" in error["message"]
    assert "--yes" in error["hint"]


def test_over_budget_submits_nothing(tmp_path, service):
    path = write_manifest(tmp_path, **TWO, budget={"price_per_job": 1, "max_cost": 5})
    before = service.posts
    ended = call("run", path, "--yes", "--json", "--max-cost", "1.50", "--base-url", service.base_url)
    assert (ended.code, ended.document["error"]["code"]) == (4, "budget")
    assert service.posts == before


def test_on_a_terminal_a_person_decides(tmp_path, service):
    path = write_manifest(tmp_path, **TWO, budget={"price_per_job": 0.25})
    words = ("run", path, "--base-url", service.base_url, "--json")
    more = {"GMI_API_KEY": "k-1"}
    before = service.posts
    with terminal(*words, **more) as screen:
        seen = screen.until(r"\[y/N\] ")
        assert "  submit       2   new" in seen, "the plan stands above the question"
        assert "--prompts shows all):\r\n  wet rock\r\n  warm sand\r\n" in seen
        assert "Submit 2 jobs for $0.50 to " in seen
        screen.press("n\n")
        assert screen.ended() == 4
    assert "nothing was sent" in screen.seen
    assert service.posts == before
    with terminal(*words, out=tmp_path / "document.json", **more) as screen:
        screen.until(r"\[y/N\] ")
        screen.press("y\n")
        assert screen.ended() == 0
    assert service.posts == before + 2
    assert json.loads((tmp_path / "document.json").read_text())["submitted"] == 2, "the question is no part of it"


def test_ctrl_c_at_the_question(tmp_path, service):
    with terminal("run", write_manifest(tmp_path), "--base-url", service.base_url, GMI_API_KEY="k-1") as screen:
        screen.until(r"\[y/N\] ")
        screen.press("\x03")
        assert screen.ended() == 130
    assert "interrupted" in screen.seen
    assert "Traceback" not in screen.seen


def test_a_state_of_another_service(finished):
    path, _ = finished
    out = path.parent / "out-sandbox"
    ended = call("run", path, "--yes", "--json", "--output", out, "--base-url", "https://service.invalid/api")
    assert (ended.code, ended.document["error"]["code"]) == (7, "state")
    assert "https://service.invalid:443" in ended.document["error"]["message"]


def test_two_runs_at_once(tmp_path):
    path = write_manifest(tmp_path)
    state = load(path).output.dir.with_name("out-sandbox") / "state.sqlite"
    with run_lock(state, time.time()):
        ended = call("run", path, *SANDBOX, "--json")
        assert call("status", path, "--sandbox").code == 0
        assert call("plan", path, "--sandbox").code == 0
    assert (ended.code, ended.document["error"]["code"]) == (5, "locked")
    assert re.search(r"process \d+ on \S+, since \d{4}-", ended.document["error"]["message"])


def test_what_stops_a_run_half_way_is_in_its_document(tmp_path):
    path = write_manifest(tmp_path, **TWO)
    with FaultyService(few_frames()) as service:
        service.always["submit"] = refuse(401, words="bad key")
        ended = call("run", path, "--yes", "--json", "--base-url", service.base_url)
    assert ended.code == 3
    assert list(ended.document) == [*DOCUMENT, "error"]
    assert ended.document["error"]["code"] == "access"
    assert ended.document["totals"]["pending"] == 2
    assert "bad key" in ended.err
    assert "a-key-for-tests" not in ended.out + ended.err


def test_unknown_jobs_say_how_to_go_on(tmp_path):
    path = write_manifest(tmp_path, run={"settle": 0.1, "wait": 0.5})
    with FaultyService(few_frames()) as service:
        service.always["submit"] = raw(b"<html>", code=502)
        service.always["list"] = raw(b"{}", code=500)
        ended = call("run", path, "--yes", "--base-url", service.base_url)
    assert ended.code == 6
    assert "1 unknown" in ended.out
    assert f"Next: reelrun run {path} --base-url " in ended.out
    assert "--resubmit-unknown pays for them again" in ended.out


@pytest.fixture
def busy():
    """A service that works on what it was given."""
    with FaultyService(few_frames(), first_status="processing") as made:
        yield made


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c(tmp_path, busy, presses):
    path = write_manifest(tmp_path, **TWO)
    words = ("run", path, "--base-url", busy.base_url)
    with terminal(*words, "--yes", GMI_API_KEY="k-1") as screen:
        screen.until(r" 2 (accepted|queued|processing)")
        screen.press("\x03")
        screen.until("Press Ctrl-C again")
        if presses == 2:
            screen.press("\x03")
        assert screen.ended() == 130
    if presses == 1:
        assert "Interrupted, with 2 requests in flight at the service: the next run takes them up." in screen.seen
        assert f"Next: reelrun run {path} --base-url {busy.base_url}" in screen.seen.replace("\r\n", "\n")
        assert "(goes on from here)" in screen.seen
    assert "Traceback" not in screen.seen
    # The next run attaches: nothing is submitted twice.
    for accepted in busy.accepted:
        accepted.status = "success"
    again = call(*words, "--yes", "--json")
    assert (again.code, again.document["totals"]["succeeded"], busy.posts) == (0, 2, 2)


def test_a_signal_to_end_is_an_interruption(tmp_path, busy):
    path = write_manifest(tmp_path, **TWO)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "run", path, "--base-url", busy.base_url, "--yes", "--json"],
        env=environment(GMI_API_KEY="k-1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert list(json.loads(out)) == DOCUMENT


def test_progress_goes_to_stderr_or_nowhere(tmp_path):
    path = write_manifest(tmp_path)
    ended = call("run", path, *SANDBOX, "--json", "--no-progress")
    assert ended.err == ""
    assert ended.document["totals"]["succeeded"] == 1


def test_the_results_cannot_be_where_a_file_is(tmp_path):
    path = write_manifest(tmp_path)
    (tmp_path / "out-sandbox").write_text("a file")
    ended = call("run", path, *SANDBOX, "--json")
    assert (ended.code, ended.document["error"]["code"]) == (7, "disk")


def test_resubmitting_says_that_it_may_pay_twice(tmp_path):
    with FaultyService(few_frames()) as lossy:
        manifest = write_manifest(tmp_path, run={"settle": 0.2, "wait": 5})
        lossy.order("submit", refuse(502))
        lossy.always["list"] = raw(b'{"requests": [], "total": 7}')
        words = ("run", manifest, "--base-url", lossy.base_url, "--yes", "--no-progress")
        ended = call(*words)
        assert ended.code == 6
        assert "may be paid" not in ended.err
        ended = call(*words, "--resubmit-unknown")
        assert ended.code == 0
        assert "1 unknown job: looked for once more; what is not found is submitted again" in ended.err
        assert "may be paid for a second time" in ended.err


def addressed(folder):
    """A manifest for a model that takes addresses only, without a word about uploads."""
    return write_manifest(folder, side=400, model="wan2.7-i2v")


def test_nothing_is_uploaded_unless_somebody_agrees(service, tmp_path):
    path, calls = addressed(tmp_path), len(service.calls)
    ended = call("run", path, "--base-url", service.base_url, "--yes", "--json")
    assert ended.code == 4
    error = ended.document["error"]
    assert error["message"] == "1 file would be put where others can read; nothing was sent"
    assert "--allow-uploads" in error["hint"]
    assert not {"submit", "upload-url", "put"} & set(service.calls[calls:])
    ended = call("run", path, "--base-url", service.base_url, "--yes", "--json", "--allow-uploads")
    assert (ended.code, ended.document["totals"]["succeeded"]) == (0, 1)
    assert service.calls.count("put") == 1


def test_the_question_tells_of_uploads(service, tmp_path):
    path, puts = addressed(tmp_path), service.calls.count("put")
    with terminal("run", path, "--base-url", service.base_url, columns=200, GMI_API_KEY="k-1") as screen:
        seen = screen.until(r"\[y/N\] ")
        assert "  upload       1   p0.jpg" in seen
        assert ", and put 1 file where anybody with the address can read? [y/N]" in seen
        screen.press("y\n")
        assert screen.ended() == 0
    assert service.calls.count("put") == puts + 1


def test_pictures_of_a_bucket_go_by_a_bucket_to_the_sandbox_which_fetches_them(tmp_path, monkeypatch):
    with filled("seaweed", f"run-{uuid4().hex}", tmp_path / "cache", monkeypatch) as store:
        picture = store.put("looks/shoe.jpg", picture_bytes(1, 400, 400))
        keys = {"model": "wan2.7-i2v", "images": [{"file": picture}], "params": {"duration": 2}}
        path = write_manifest(tmp_path / "m", pictures=0, **keys, uploads={"to": f"{store.address}/up"})
        ended = call("run", path, *SANDBOX)
        assert (ended.code, "1 job: 1 succeeded" in ended.out) == (0, True), ended.err
        (sent,) = [each.path for each in store.bucket.each("up")]
        assert ("GET", f"/{store.address[5:]}/{sent}") in [
            (way, at.partition("?")[0]) for way, at in store.proxy.requests
        ]
        out = path.parent / "out-sandbox"
        (job,) = json.loads((out / "index.json").read_text())["jobs"]
        assert job["measures"]["first_frame"] > 0.5, "the clip begins with the picture"
        for each in (*out.glob("index.*"), out / "state.sqlite.journal"):
            assert not re.search(rb"Signature|reelrun/objects", each.read_bytes()), each


def test_a_sandbox_that_cannot_fetch_says_so_without_the_signature(tmp_path, monkeypatch):
    with filled("moto", f"run-{uuid4().hex}", tmp_path / "cache", monkeypatch) as store:
        keys = {"model": "wan2.7-i2v", "side": 400, "uploads": {"to": f"{store.address}/up"}}
        path = write_manifest(tmp_path / "m", **keys)

        def fault(handler):
            return "X-Amz-Signature" in handler.path and refusing(403)(handler)

        store.proxy.fault = fault
        ended = call("run", path, *SANDBOX)
        assert ended.code == 1
        (job,) = json.loads((path.parent / "out-sandbox" / "index.json").read_text())["jobs"]
        assert "cannot be fetched" in job["error"]
        assert "X-Amz-Signature=[signature]" in job["error"]


def test_the_question_names_the_bucket_of_uploads():
    def asked(**keys):
        return _where_to(Mock(uploads=Uploads(**keys)))

    assert asked(to="s3://campaigns/up") == "into s3://campaigns/up"
    assert asked() == "where anybody with the address can read"
