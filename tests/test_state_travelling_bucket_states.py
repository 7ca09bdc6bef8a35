"""A state in a bucket, as the commands show it; machines that are lost are in tests/faults/test_machine_lost.py."""

import importlib.util
import json
import os
import shutil
import signal
import sqlite3
import time
from types import SimpleNamespace

import pytest

import runner
from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
from runner.errors import LockedError, StateError
from runner.model import Action
from runner.state.travelling import bucket_states, travelling_store
from runner.state.travelling.bucket_states import StateClocks, housed, opened
from runner.state.travelling.lease import read_lease
from tests.command import SANDBOX, call
from tests.faults.service import FaultyService
from tests.kit import video_bytes, write_manifest
from tests.store_proxies import proxy as proxied
from tests.store_proxies import shared


@pytest.fixture(scope="module")
def store():
    started = shared("moto")
    started.make_bucket("states")
    return started


@pytest.fixture
def address(store, request, monkeypatch):
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://states/{request.node.name}"


@pytest.fixture
def bucket(address):
    return Bucket.open(BucketAddress.of(address))


def run(manifest, address, *flags):
    return call("run", manifest, "--state", address, *SANDBOX, "--no-progress", *flags)


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    with FaultyService(video_bytes()) as started:
        yield started


def to(service):
    return ("--base-url", service.base_url, "--yes", "--no-progress")


def output_of(manifest):
    return runner.load(manifest).output


def test_a_disk_that_forgets_buys_nothing_again(tmp_path, address, bucket):
    manifest = write_manifest(tmp_path / "one", pictures=2)
    begun = run(manifest, address)
    assert (begun.code, f"no state at {address} yet: a new one begins" in begun.err) == (0, True)
    assert "a new one begins" not in run(manifest, address).err
    assert sorted(each.path for each in bucket.each() if "intents" not in each.path) == ["lease.json", "state.sqlite"]
    lease = json.loads(bucket.read("lease.json")[0])
    assert (lease["is_handed_back"], lease["term"], lease["batch"]) == (True, 2, lease["batch"])
    other = write_manifest(tmp_path / "other", pictures=2)
    shown = call("plan", other, "--state", address, "--sandbox", "--json").document
    assert shown["totals"]["submit"] == 0
    assert {each["action"] for each in shown["jobs"]} == {"fetch"}
    assert call("status", other, "--state", address, "--sandbox", "--json").document["totals"]["succeeded"] == 2


def test_who_only_reads_downloads_a_state_once(tmp_path, address, monkeypatch):
    manifest = write_manifest(tmp_path)
    assert run(manifest, address).code == 0
    shutil.rmtree(tmp_path / "out-sandbox" / "bucket-state")
    read = []
    blocks = Bucket.blocks
    monkeypatch.setattr(Bucket, "blocks", lambda self, *words: read.append(words) or blocks(self, *words))
    for _ in range(2):
        assert call("status", manifest, "--state", address, "--sandbox").code == 0
    assert len(read) == 1


def test_a_clip_whose_thumbnail_the_mirror_lacks_is_not_left_half(tmp_path, address, service):
    """As where a machine died between the two copies: the next one has neither file."""
    output = {"dir": "out", "previews": "none", "mirror": f"{address}-clips"}
    one = write_manifest(tmp_path / "one", output=output)
    assert call("run", one, "--state", address, *to(service)).code == 0
    placed = housed(output_of(one), address, time.time())
    with opened(placed, placed.dir / "index.json", StateClocks(time.monotonic, time.time)) as state:
        (picture,) = (each for each in state.files_of(next(state.records()).id) if each.path.endswith(".jpg"))
        with state.transaction():
            state.forget_copy(f"{address}-clips", picture.sha256)
    mirror = Bucket.open(BucketAddress.of(f"{address}-clips"))
    mirror.remove(picture.path)
    two = write_manifest(tmp_path / "two", output=output)
    planned = call("plan", two, "--state", address, "--json").document
    assert [each["action"] for each in planned["jobs"]] == ["fetch"]
    ended = call("run", two, "--state", address, *to(service))
    assert (ended.code, len(service.accepted)) == (0, 1), ended
    assert mirror.find(picture.path) is not None
    third = write_manifest(tmp_path / "third", output=output)
    planned = call("plan", third, "--state", address, "--json").document
    assert [each["action"] for each in planned["jobs"]] == ["keep"]


def test_a_state_of_this_disk_moves_into_the_bucket(tmp_path, address):
    manifest = write_manifest(tmp_path)
    assert call("run", manifest, *SANDBOX, "--no-progress").code == 0
    moved = run(manifest, address, "--json")
    assert (moved.code, moved.document["submitted"], moved.document["totals"]["succeeded"]) == (0, 0, 1)
    assert not (tmp_path / "out-sandbox" / "state.sqlite").exists()
    assert (tmp_path / "out-sandbox" / "state.sqlite.old-1").exists(), "nothing is deleted"
    without = call("run", manifest, *SANDBOX, "--no-progress")
    assert without.code == 7
    assert f"add --state {address}" in without.err


def test_another_state_on_this_disk_is_not_passed_over(tmp_path, address, service):
    assert call("run", write_manifest(tmp_path / "one"), "--state", address, *to(service)).code == 0
    other = write_manifest(tmp_path / "other", prompts=[{"id": "tilt", "text": "A slow tilt"}])
    assert call("run", other, *to(service)).code == 0
    refused = call("run", other, "--state", address, *to(service))
    assert refused.code == 7
    assert "is another state than the one in the bucket" in refused.err
    assert call("run", write_manifest(tmp_path / "third"), "--state", address, *to(service)).code == 0, (
        "the lease was handed back"
    )


def test_a_folder_has_the_state_of_one_bucket(tmp_path, address):
    manifest = write_manifest(tmp_path)
    assert run(manifest, address).code == 0
    refused = run(manifest, f"{address}-other")
    assert refused.code == 7
    assert f"has the state of {address}, not of {address}-other" in refused.err


def test_while_a_run_has_the_lease_others_only_read(tmp_path, address, service):
    manifest = write_manifest(tmp_path / "one")
    assert call("run", manifest, "--state", address, *to(service)).code == 0
    output = housed(output_of(manifest), address, time.time())
    with opened(output, output.dir / "index.json", StateClocks(time.monotonic, time.time)):
        other = write_manifest(tmp_path / "other")
        refused = call("run", other, "--state", address, *to(service))
        assert refused.code == 5
        assert "another runner works with" in refused.err
        assert "--take-over" in refused.err
        assert call("measure", other, "--state", address).code == 5
        assert call("status", other, "--state", address).code == 0
        told = call("doctor", other, "--state", address)
        assert "since " in told.out
    assert call("run", write_manifest(tmp_path / "third"), "--state", address, *to(service)).code == 0
    assert "no run works with it" in call("doctor", other, "--state", address).out


def test_a_lease_that_is_taken_over_is_lost_at_once(tmp_path, address):
    output = housed(output_of(write_manifest(tmp_path / "one")), address, time.time())
    clocks = StateClocks(time.monotonic, time.time)
    with opened(output, output.dir / "x", clocks) as held:
        held.permit()
        later = housed(output_of(write_manifest(tmp_path / "two")), address, time.time())
        with opened(later, later.dir / "x", clocks, takes_over=True) as other:
            other.permit()
            for look in (held.permit, held.check_in_place):
                with pytest.raises(LockedError, match="was taken over"):
                    look()


@pytest.mark.parametrize(
    ("gone", "said"),
    [("state.sqlite", "is gone, and it was there before"), ("lease.json", "has a state, and no lease")],
)
def test_what_is_gone_from_the_bucket_is_told(tmp_path, address, bucket, service, gone, said):
    assert call("run", write_manifest(tmp_path / "one"), "--state", address, *to(service)).code == 0
    bucket.remove(gone)
    ended = call("run", write_manifest(tmp_path / "two"), "--state", address, *to(service))
    assert (ended.code, said in ended.err) == (7, True), ended
    if gone == "lease.json":
        assert (
            call("run", write_manifest(tmp_path / "three"), "--state", address, *to(service), "--take-over").code == 0
        )


def test_an_index_of_a_later_state_shows_that_this_one_is_stale(tmp_path, address, bucket):
    manifest = write_manifest(tmp_path)
    assert run(manifest, address).code == 0
    index = tmp_path / "out-sandbox" / "index.json"
    document = json.loads(index.read_text())
    index.write_text(json.dumps({**document, "intents": document["intents"] + 1}))
    ended = run(manifest, address)
    assert ended.code == 7
    assert "--new-state" not in ended.err
    index.write_text(json.dumps(document))
    assert run(manifest, address).code == 0, "the lease was handed back"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--state", "s3://"), "names no bucket"),
        (("--state", "outputs/state"), "is no address in a bucket"),
        (("--take-over",), "add --state"),
        (("--state", "s3://states/x", "--new-state"), "name another prefix"),
    ],
)
def test_flags_that_mean_nothing(tmp_path, address, flags, said):
    ended = call("run", write_manifest(tmp_path), *SANDBOX, *flags)
    assert (ended.code, said in ended.err) == (2, True), ended


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch, address):
    found = importlib.util.find_spec
    monkeypatch.setattr("runner.buckets.bucket.find_spec", lambda name: None if name == "obstore" else found(name))
    ended = run(write_manifest(tmp_path), address)
    assert ended.code == 2
    assert "pip install" in ended.err
    assert "obstore" in ended.err


def test_python_has_it_too(tmp_path, address):
    manifest = runner.load(write_manifest(tmp_path / "one"))
    ways = {"height": 64, "seconds": 0}
    assert runner.run(manifest, sandbox=ways, progress=False, state=address).exit_code == 0
    other = runner.load(write_manifest(tmp_path / "two"))
    assert runner.plan(other, sandbox=True, state=address).totals[Action.SUBMIT] == 0
    assert len(runner.results(other, sandbox=True, state=address).jobs) == 1
    with pytest.raises(StateError, match="add --state"):
        runner.run(manifest, sandbox=ways, progress=False)


@pytest.fixture
def proxy(store, address, monkeypatch):
    with proxied(store) as between:
        for name, value in between.environment.items():
            monkeypatch.setenv(name, value)
        # What is repeated, is repeated soon.
        monkeypatch.setattr("runner.state.travelling.bucket_states._RETRIED", 0.2)
        yield between


def refuse(code, *, when):
    return lambda method, path: (code, "Refused") if when(method, path) else None


def test_where_intents_cannot_be_put_nothing_is_sent(tmp_path, address, proxy, service):
    manifest = write_manifest(tmp_path, pictures=2)
    proxy.before = refuse(403, when=lambda method, path: method == "PUT" and "/intents/" in path)
    ended = call("run", manifest, "--state", address, *to(service))
    assert ended.code == 7, ended
    assert "intents/1.json" in ended.err
    assert service.posts == 0
    proxy.clear()
    assert call("run", manifest, "--state", address, *to(service)).code == 0
    assert len(service.accepted) == 2


def test_a_state_that_cannot_be_put_is_kept_here(tmp_path, address, proxy, service):
    manifest = write_manifest(tmp_path, pictures=2)

    def gone(method, path):
        if method == "PUT" and len(service.accepted) and "/intents/" not in path:
            raise OSError("the store is gone")

    proxy.before = gone
    ended = call("run", manifest, "--state", address, *to(service))
    assert ended.code == 7, ended
    assert "2 jobs: 2 succeeded" in ended.out
    assert "run the same command again on this machine" in ended.err
    proxy.clear()
    again = call("run", manifest, "--state", address, *to(service))
    assert (again.code, len(service.accepted)) == (0, 2), again
    other = write_manifest(tmp_path / "other", pictures=2)
    assert call("run", other, "--state", address, *to(service)).code == 0
    assert len(service.accepted) == 2


def test_without_a_look_at_the_lease_nothing_is_sent(tmp_path, address, proxy, service):
    manifest = write_manifest(tmp_path, run={"settle": 0.2, "wait": 1})
    lost = []

    def hidden(method, path):
        if "/intents/1.json" in path:
            lost.append(path)
        return (503, "SlowDown") if lost and method == "GET" and path.endswith("lease.json") else None

    proxy.before = hidden
    ended = call("run", manifest, "--state", address, *to(service))
    assert service.posts == 0
    assert ended.code in (6, 7)
    assert "lease" in ended.out + ended.err


@pytest.mark.parametrize(
    ("name", "repeated"), [("lease.json", 5.0), ("intents/1.json", 5.0), ("state.sqlite", 5.0), ("state.sqlite", 0.01)]
)
def test_an_answer_of_the_store_that_is_lost_is_no_other_runner(
    tmp_path, address, proxy, service, monkeypatch, name, repeated
):
    """The store has written, and nobody was told: the call is made again."""
    lost = []
    most = 2 if repeated > 1 else 1000
    monkeypatch.setattr("runner.state.travelling.bucket_states._RETRIED", repeated)

    def after(method, path):
        if method == "PUT" and path.endswith(name) and len(lost) < most:
            lost.append(path)
            raise OSError("the answer is lost")

    proxy.after = after
    words = ("run", write_manifest(tmp_path, pictures=2), "--state", address, *to(service))
    ended = call(*words)
    if repeated < 1:
        # Given up before anything was sent: the next run finds what was put.
        assert (ended.code, service.posts) == (7, 0), ended
        proxy.clear()
        ended = call(*words)
    assert (ended.code, len(service.accepted)) == (0, 2), ended
    assert lost


def test_a_take_over_that_failed_hands_nothing_back(tmp_path, address, proxy, bucket, service):
    """What the former holder may have sent was not replayed: the next one must not take the lease for a free one."""
    assert call("run", write_manifest(tmp_path / "one"), "--state", address, *to(service)).code == 0
    bucket.remove("lease.json")
    taken = []

    def unreadable(method, path):
        if method == "PUT" and path.endswith("lease.json"):
            taken.append(path)
        return (403, "AccessDenied") if taken and path.endswith("state.sqlite") else None

    proxy.before = unreadable
    assert call("run", write_manifest(tmp_path / "two"), "--state", address, *to(service), "--take-over").code == 7
    proxy.clear()
    assert taken
    assert call("run", write_manifest(tmp_path / "three"), "--state", address, *to(service)).code == 5


def test_a_copied_folder_does_not_have_the_lease_of_the_one_that_it_is_of(tmp_path, address, service):
    """The run that it was copied from may still go on: what it sends must not be believed absent."""
    manifest = write_manifest(tmp_path / "one")
    output = housed(output_of(manifest), address, time.time())
    with opened(output, output.dir / "x", StateClocks(time.monotonic, time.time)):
        copied = shutil.copytree(tmp_path / "one", tmp_path / "two") / manifest.name
        assert call("run", copied, "--state", address, *to(service)).code == 5


def test_a_state_of_this_disk_that_knows_more_is_not_set_aside(tmp_path, address, service):
    one = write_manifest(tmp_path / "one")
    assert call("run", one, *to(service)).code == 0
    two = shutil.copytree(tmp_path / "one", tmp_path / "two") / one.name
    assert call("run", one, "--state", address, *to(service)).code == 0
    write_manifest(tmp_path / "two", pictures=2)
    assert call("run", two, *to(service)).code == 0
    (tmp_path / "two" / "out" / "index.json").unlink()
    refused = call("run", two, "--state", address, *to(service))
    assert (refused.code, len(service.accepted)) == (7, 2), refused
    assert "knows of submissions that the state in the bucket does not know" in refused.err
    assert (tmp_path / "two" / "out" / "state.sqlite").exists()


@pytest.mark.parametrize("is_put_back", [False, True])
def test_a_bucket_that_lost_what_it_had_is_told_by_the_copy(tmp_path, address, bucket, service, is_put_back):
    manifest = write_manifest(tmp_path)
    words = ("run", manifest, "--state", address, *to(service))
    assert call(*words).code == 0
    before = {each.path: bucket.read(each.path)[0] for each in bucket.each()}
    write_manifest(tmp_path, pictures=2)
    assert call(*words).code == 0
    for each in list(bucket.each()):
        bucket.remove(each.path)
    for path, content in before.items() if is_put_back else ():
        bucket.put_new(path, content)
    # It may be removed, and would tell, too.
    (tmp_path / "out" / "index.json").unlink()
    for command in ("status", "run"):
        refused = call(command, *words[1:4], *(to(service) if command == "run" else ()))
        assert (refused.code, len(service.accepted)) == (7, 2), refused
        assert "put " in refused.err
    copy = tmp_path / "out" / "bucket-state" / "state.sqlite"
    found = bucket.find("state.sqlite")
    if found is None:
        bucket.put_new("state.sqlite", copy)
    else:
        bucket.replace("state.sqlite", copy, found.version)
    ended = call(*words, "--take-over")
    assert (ended.code, len(service.accepted)) == (0, 2), ended


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_who_is_ended_before_anything_was_sent_hands_back_the_lease(
    tmp_path, address, bucket, service, monkeypatch, end
):
    monkeypatch.setattr(bucket_states, "check_latest", lambda *_: os.kill(os.getpid(), end))
    assert call("run", write_manifest(tmp_path / "one"), "--state", address, *to(service)).code == 130
    assert read_lease(bucket)[0].is_handed_back
    assert service.posts == 0


def test_a_disk_that_takes_no_snapshot_ends_a_run_in_order(tmp_path, address, service, monkeypatch):
    def full(path):
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA max_page_count = 2")
        return connection

    manifest = write_manifest(tmp_path)
    monkeypatch.setattr(travelling_store, "sqlite3", SimpleNamespace(connect=full))
    ended = call("run", manifest, "--state", address, *to(service))
    assert (ended.code, service.posts) == (7, 0), ended
    assert "database or disk is full" in ended.err
