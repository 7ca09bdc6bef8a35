"""Copies beside a run: every file in the mirror once, whatever the store does, and the run ends as it would."""

import pytest

from runner import campaign
from runner.api.service import Connection
from runner.engine.mirror import mirroring
from runner.errors import Exit
from runner.manifest.reader import load
from runner.model import Status
from runner.planning.selection import Selection
from tests import object_stores
from tests.command import call
from tests.faults.harness import connection, run
from tests.faults.service import FaultyService
from tests.kit import video_bytes, write_manifest
from tests.mirrors import StandInStore, assert_mirrored, each_its_own, hashes_in, hashes_on_disk

MIRROR = "s3://campaigns/spring"


@pytest.fixture
def service():
    with FaultyService(video_bytes()) as started:
        started.always["download"] = each_its_own
        yield started


@pytest.fixture
def store(monkeypatch):
    """A store that behaves as it is told."""
    with StandInStore() as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started


def manifest_of(folder, **keys):
    return write_manifest(folder, output={"dir": "out", "previews": "none", "mirror": MIRROR}, **keys)


@pytest.fixture
def real(monkeypatch):
    with object_stores.seaweed() as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        started.make_bucket("campaigns")
        yield started


def test_every_file_is_in_the_mirror_once(service, real, tmp_path):
    manifest = manifest_of(tmp_path, pictures=3)
    ended = run(manifest, service)
    assert (ended.exit_code, ended.mirror.missing) == (Exit.DONE, 0)
    copies = assert_mirrored(MIRROR, ended.output_dir)
    assert len(copies) == len(set(copies.values())), "files with one content have one copy"
    assert len([path for path in copies if path.startswith("videos/")]) == 3
    service.calls.clear()
    assert run(manifest, service).exit_code is Exit.DONE
    assert service.calls == []


def test_a_campaign_that_gets_its_mirror_later_is_copied_without_asking(service, store, tmp_path):
    run(write_manifest(tmp_path, pictures=2, output={"dir": "out", "previews": "none"}), service)
    closed = Connection("sandbox", None, lambda: pytest.fail("it was opened"))
    manifest = manifest_of(tmp_path, pictures=2)
    ended = campaign.run(load(manifest), closed, Selection(), confirm=lambda plan: pytest.fail("asked"))
    assert ended.exit_code is Exit.DONE
    assert_mirrored(MIRROR, ended.output_dir)


def test_a_name_that_another_content_has_gets_digits_of_the_hash(service, store, tmp_path):
    first, second = (manifest_of(tmp_path / name) for name in ("one", "other"))
    run(first, service)
    ended = run(second, service)
    assert ended.exit_code is Exit.DONE
    (clip,) = (each for path, each in hashes_on_disk(ended.output_dir).items() if path.startswith("videos/"))
    copies = hashes_in(MIRROR)
    assert copies[f"videos/p0/plain/take-1-{clip[:8]}.mp4"] == clip
    assert len([path for path in copies if path.startswith("videos/")]) == 2


def test_orphans_are_copied_and_keep_their_names_there(service, store, tmp_path):
    run(manifest_of(tmp_path), service)
    # The mirror keeps the name that the clip had first.
    prompts = [{"id": "plain", "text": "A slow tilt"}]
    ended = run(manifest_of(tmp_path, prompts=prompts), service)
    assert ended.exit_code is Exit.DONE
    clips = {path: each for path, each in hashes_on_disk(ended.output_dir).items() if path.startswith("videos/")}
    assert sorted(clips)[0].startswith("videos/orphaned/")
    copies = hashes_in(MIRROR)
    new = clips["videos/p0/plain/take-1.mp4"]
    assert set(copies.values()) >= set(clips.values())
    assert {path for path in copies if path.startswith("videos/")} == {
        "videos/p0/plain/take-1.mp4", f"videos/p0/plain/take-1-{new[:8]}.mp4",
    }  # fmt: skip


def test_further_videos_are_copied_too(service, store, tmp_path):
    def outcome(record):
        name = record["request_id"]
        links = [{"id": str(n), "url": f"{service.files_url}/{n}{name[1:]}.mp4"} for n in (0, 1)]
        return {"video_url": links[0]["url"], "media_urls": links}

    service.changes = {"outcome": outcome}
    ended = run(manifest_of(tmp_path), service)
    assert ended.exit_code is Exit.DONE
    files = hashes_on_disk(ended.output_dir)
    assert any(path.startswith("others/") for path in files)
    assert_mirrored(MIRROR, ended.output_dir)


def test_a_file_that_was_changed_here_is_told_and_not_copied(service, store, tmp_path):
    run(write_manifest(tmp_path, pictures=2, output={"dir": "out", "previews": "none"}), service)
    changed = tmp_path / "out" / "videos" / "p0" / "plain" / "take-1.mp4"
    changed.write_bytes(b"x" * changed.stat().st_size)
    ended = run(manifest_of(tmp_path, pictures=2), service)
    assert (ended.exit_code, ended.mirror.missing) == (Exit.UNFINISHED, 1)
    assert ended.mirror.reason == "videos/p0/plain/take-1.mp4 was changed since it was delivered, and is not copied"
    assert "spring/videos/p0/plain/take-1.mp4" not in store.objects
    assert "spring/videos/p1/plain/take-1.mp4" in store.objects


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("refuse", "the store answers AccessDenied"),
        ("full", "the store answers QuotaExceeded"),
        ("slow down", "the store answers SlowDown"),
        ("gone", "there is no such bucket"),
        ("damage", "other files have its names"),
    ],
)
def test_a_store_that_refuses_stops_no_run_and_gets_the_rest_later(service, store, tmp_path, monkeypatch, way, reason):
    monkeypatch.setattr(mirroring, "PATIENCE", 0.5)
    monkeypatch.setattr("runner.engine.mirror.mirror._RETRIED", 0.1)
    store.way = way
    manifest = manifest_of(tmp_path, pictures=2)
    ended = run(manifest, service)
    files = hashes_on_disk(ended.output_dir)
    assert (ended.exit_code, ended.totals[Status.SUCCEEDED]) == (Exit.UNFINISHED, 2)
    assert ended.error is None
    assert ended.mirror.missing == len(set(files.values()))
    assert reason in ended.mirror.reason
    store.way, before = "", dict(store.objects)
    assert run(manifest, service).exit_code is (Exit.UNFINISHED if way == "damage" else Exit.DONE)
    assert set(before.items()) <= set(store.objects.items()), "nothing there is replaced"
    assert way == "damage" or set(hashes_in(MIRROR).values()) == set(files.values())


def test_a_store_that_is_only_slow_is_waited_for(service, store, tmp_path, monkeypatch):
    monkeypatch.setattr(mirroring, "PATIENCE", 0.0)
    store.way = "slow"
    ended = run(manifest_of(tmp_path, pictures=2), service)
    assert (ended.exit_code, ended.mirror.missing) == (Exit.DONE, 0)
    assert_mirrored(MIRROR, ended.output_dir)


@pytest.mark.parametrize("way", ["hang", "trickle"])
def test_a_store_that_hangs_is_left_for_the_next_run(service, store, tmp_path, monkeypatch, way):
    monkeypatch.setattr(mirroring, "PATIENCE", 0.1)
    monkeypatch.setattr("runner.engine.mirror.mirror._SECONDS", 0.5)
    store.way = way
    manifest = manifest_of(tmp_path, pictures=2)
    ended = run(manifest, service)
    assert (ended.exit_code, ended.totals[Status.SUCCEEDED]) == (Exit.UNFINISHED, 2)
    assert "no answer in time" in ended.mirror.reason
    store.way = ""
    assert run(manifest, service).exit_code is Exit.DONE
    assert set(hashes_in(MIRROR).values()) == set(hashes_on_disk(ended.output_dir).values())


def test_a_bucket_that_goes_half_way_leaves_what_it_has(service, store, tmp_path):
    store.after = {3: "gone"}
    manifest = manifest_of(tmp_path, pictures=4)
    ended = run(manifest, service)
    assert (ended.exit_code, ended.totals[Status.SUCCEEDED]) == (Exit.UNFINISHED, 4)
    assert 0 < ended.mirror.missing <= 3
    store.way = ""
    assert run(manifest, service).exit_code is Exit.DONE
    assert max(store.puts.values()) == 1, "what was there was not put again"


def test_nobody_listens_and_the_run_ends_after_its_patience(service, store, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("runner.engine.mirror.mirror._RETRIED", 0.1)
    ended = call_run(manifest_of(tmp_path), service)
    assert ended.code == Exit.UNFINISHED
    assert ended.document["mirror"]["missing"] == 2
    assert "nothing answers there" in ended.document["mirror"]["reason"]
    assert ended.document["totals"]["succeeded"] == 1


def call_run(manifest, service, *words):
    from tests.faults.harness import without_waits

    with without_waits(service):
        return call("run", manifest, "--base-url", service.base_url, "--yes", "--no-progress", "--json", *words)


def test_a_run_and_status_say_what_the_mirror_lacks(service, store, tmp_path):
    store.way = "refuse"
    manifest = manifest_of(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mirroring, "PATIENCE", 0.1)
        ended = call("run", manifest, "--base-url", service.base_url, "--yes", "--no-progress")
    assert ended.code == Exit.UNFINISHED
    assert "Mirror: s3://campaigns/spring lacks 2 files: cannot write s3://campaigns/spring/" in ended.out
    assert "help: check the credentials of the environment" in ended.out
    assert "Next: reelrun run" in ended.out
    assert "(copies what the mirror lacks)" in ended.out
    store.way = ""
    status = call("status", manifest)
    assert "2 files not in s3://campaigns/spring yet" in status.out
    assert "Next: reelrun run" in status.out
    assert call("status", manifest, "--json").document["mirror"] == {"missing": 2}
    again = call("run", manifest, "--base-url", service.base_url, "--no-progress")
    assert (again.code, "Mirror: s3://campaigns/spring has every file" in again.out) == (Exit.DONE, True)


def test_ctrl_c_leaves_the_rest_for_the_next_run(service, store, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.engine.loop.DRAIN", 0.2)
    monkeypatch.setattr("runner.engine.mirror.mirror._SECONDS", 2.0)
    store.way = "hang"
    manifest = load(manifest_of(tmp_path))
    ends = []

    def snapshot(seen):
        if seen.uncopied and seen.done == seen.total and not ends[1:]:
            ends.append(True)
            ends[0]()

    ended = campaign.run(
        manifest, connection(service), Selection(), confirm=lambda plan: True, progress=snapshot, on_start=ends.append
    )
    assert (ended.exit_code, ended.interrupted, ended.mirror.missing) == (Exit.INTERRUPTED, True, 2)
    store.way = ""
    assert run(manifest.path, service).exit_code is Exit.DONE


def test_clips_of_the_sandbox_have_a_mirror_of_their_own(store, tmp_path):
    manifest = manifest_of(tmp_path)
    quick = ("--sandbox", "--sandbox-height", "64", "--sandbox-seconds", "0")
    ended = call("run", manifest, *quick, "--no-progress", "--json")
    assert (ended.code, ended.document["mirror"]) == (Exit.DONE, {"missing": 0, "reason": None})
    assert {path.partition("/")[0] for path in store.objects} == {"spring-sandbox"}
    assert call("status", manifest, "--sandbox", "--json").document["mirror"] == {"missing": 0}


def test_without_the_packages_for_it_nothing_is_sent(service, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.buckets.bucket.find_spec", lambda name: None)
    ended = call("run", manifest_of(tmp_path), "--base-url", service.base_url, "--yes")
    assert ended.code == Exit.INVALID
    assert "pip install" in ended.err
    assert set(service.calls) <= {"other"}


def test_copying_holds_nothing_up(service, store, tmp_path, monkeypatch):
    """Copies that hang leave all slots of submissions, polls and downloads free."""
    monkeypatch.setattr(mirroring, "PATIENCE", 0.1)
    monkeypatch.setattr("runner.engine.mirror.mirror._SECONDS", 1.0)
    store.way = "hang"
    finished = []
    manifest = load(manifest_of(tmp_path, pictures=6))

    def snapshot(seen):
        if seen.done == seen.total and not finished:
            finished.append(sum(store.puts.values()))

    ended = campaign.run(manifest, connection(service), Selection(), confirm=lambda plan: True, progress=snapshot)
    assert (finished, ended.exit_code, ended.totals[Status.SUCCEEDED]) == ([0], Exit.UNFINISHED, 6)
