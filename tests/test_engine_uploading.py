"""Uploads in runs against a real service: each content once, for all jobs and runs, and nothing is lost with one."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from contextlib import closing
from uuid import uuid4

import pytest

from runner.api import file_stores
from runner.buckets import bucket
from runner.engine import uploading
from runner.errors import BucketError, Exit, NotConfirmedError
from runner.model import Status
from runner.planning.selection import Selection
from tests.faults import service as faults
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import MODEL, few_frames, picture_bytes, sampled, sound_bytes, video_bytes, write_manifest
from tests.store_proxies import filled, hanging, refusing, resetting

# It takes addresses only.
WAN = "wan2.7-i2v"
NEEDED = {"to": "service"}


@pytest.fixture
def service():
    with FaultyService(few_frames()) as started:
        yield started


def manifest(folder, **keys):
    return write_manifest(folder, side=400, **{"model": WAN, "uploads": NEEDED, **keys})


def assert_done(service, result, jobs, contents):
    assert (result.exit_code, result.totals[Status.SUCCEEDED]) == (Exit.DONE, jobs)
    bought = service.fingerprints()
    assert len(bought) == len(service.accepted) == jobs
    assert len(set(service.kept())) == contents
    assert service.key_seen_by_files == 0


def statements(folder, sql):
    with closing(sqlite3.connect(folder / "out" / "state.sqlite")) as connection:
        rows = connection.execute(sql).fetchall()
        connection.commit()
        return rows


def test_each_content_is_uploaded_once_for_all_jobs_and_runs(service, tmp_path):
    # The second picture is the first under another name.
    images = [{"file": "p0.jpg"}, {"file": "again.jpg"}, {"file": "p1.jpg"}]
    path = manifest(tmp_path, pictures=2, images=images, takes=2, matrix={"n": [1, 2]}, prompts=[
        {"id": "a", "text": "A slow pan {{ n }} of {{ image.id }}", "params": {"last_frame": "p0.jpg"}}
    ])  # fmt: skip
    (tmp_path / "again.jpg").write_bytes(picture_bytes(0, 400, 400))
    assert_done(service, run(path, service), 12, 2)
    assert (service.calls.count("upload-url"), service.calls.count("put"), service.calls.count("look")) == (2, 2, 0)
    assert all(each.payload[name].startswith(service.files_url) for each in service.accepted for name in
               ("first_frame", "last_frame"))  # fmt: skip
    rows = statements(
        tmp_path, "SELECT attempt, count(*), count(DISTINCT address) FROM sent_addresses GROUP BY attempt"
    )
    assert len(rows) == 12, "each attempt keeps the addresses that it sent"
    calls = len(service.calls)
    assert run(path, service).exit_code is Exit.DONE
    assert len(service.calls) == calls, "a second run makes no call"
    # A later sweep of the same pictures uploads none.
    path = manifest(tmp_path, pictures=2, prompts=[{"id": "b", "text": "A slow tilt"}])
    assert run(path, service).exit_code is Exit.DONE
    assert service.calls.count("put") == 2


def test_a_picture_goes_out_once_where_uploads_are_always(service, tmp_path):
    path = manifest(tmp_path, model=MODEL, uploads={"to": "service", "when": "always"}, takes=3)
    assert_done(service, run(path, service), 3, 1)
    assert {each.payload["image"].partition("/public/")[0] for each in service.accepted} == {service.files_url}
    plain = manifest(tmp_path, model=MODEL, prompts=[{"id": "b", "text": "A slow tilt"}])
    assert run(plain, service).exit_code is Exit.DONE
    assert not service.accepted[-1].payload["image"].startswith("http")


def test_pictures_sounds_and_videos_of_one_job(service, tmp_path):
    (tmp_path / "voice.mp3").write_bytes(sound_bytes())
    (tmp_path / "clip.mp4").write_bytes(video_bytes(2.0))
    path = manifest(tmp_path, params={"driving_audio": "voice.mp3", "first_clip": "clip.mp4"})
    assert_done(service, run(path, service), 1, 3)
    (accepted,) = service.accepted
    assert service.stored(accepted.payload["driving_audio"]) == sound_bytes()
    assert service.stored(accepted.payload["first_clip"]) == video_bytes(2.0)


TROUBLE = {
    "500 for the address": ("upload-url", faults.status(500)),
    "429 for the address": ("upload-url", faults.status(429, headers={"Retry-After": "0"})),
    "HTML for the address": ("upload-url", faults.raw(b"<html>")),
    "no answer for the address": ("upload-url", faults.drop_before),
    "time-out for the address": ("upload-url", faults.hang()),
    "500": ("put", faults.status(500)),
    "expired": ("put", faults.raw(faults.refusal("AccessDenied"), code=403, kind="application/xml")),
    "closed": ("put", faults.drop_after(accepted=False)),
    "reset": ("put", faults.reset_after(accepted=False)),
    "time-out": ("put", faults.hang()),
}


@pytest.mark.parametrize(("kind", "fault"), TROUBLE.values(), ids=TROUBLE)
def test_trouble_is_waited_out(service, tmp_path, kind, fault):
    service.order(kind, fault, fault)
    assert_done(service, run(manifest(tmp_path, pictures=2), service), 2, 2)
    assert len(service.kept()) == 2


def test_an_address_that_came_too_late_is_asked_for_anew(service, tmp_path):
    def late(call):
        call.read()
        call.service.ahead += faults.LIFE_OF_AN_ADDRESS + 1
        faults.store(call)

    service.order("put", late)
    assert_done(service, run(manifest(tmp_path), service), 1, 1)
    assert (service.calls.count("upload-url"), service.calls.count("put")) == (2, 2)


def age(folder, days):
    statements(folder, f"UPDATE uploads SET uploaded_at = uploaded_at - {days * 86400}")


@pytest.mark.parametrize(
    ("days", "code", "looks", "puts"),
    [(0.9, 404, 0, 1), (1.1, None, 1, 1), (1.1, 404, 1, 2), (1.1, 403, 1, 2), (1.1, 500, 1, 1), (-1, None, 1, 1)],
)
def test_an_old_address_is_looked_at_once_a_run(service, tmp_path, days, code, looks, puts):
    assert run(manifest(tmp_path), service).exit_code is Exit.DONE
    age(tmp_path, days)
    if code is not None:
        service.always["look"] = faults.status(code)
    prompts = [{"id": name, "text": f"A slow pan {name}"} for name in "bcd"]
    assert run(manifest(tmp_path, prompts=prompts), service).exit_code is Exit.DONE
    assert (service.calls.count("look"), service.calls.count("put")) == (looks, puts)
    assert service.key_seen_by_files == 0
    addresses = {each.payload["first_frame"] for each in service.accepted}
    assert len(addresses) == puts


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_stops_the_run(service, tmp_path, code):
    service.always["upload-url"] = faults.status(code, words="bad key")
    result = run(manifest(tmp_path, pictures=3), service)
    assert (result.exit_code, result.totals[Status.PENDING]) == (Exit.ACCESS, 3)
    assert "bad key" in result.error.message
    assert service.posts == 0
    service.always.clear()
    assert_done(service, run(manifest(tmp_path, pictures=3), service), 3, 3)


def test_an_empty_account_uploads_no_more_and_what_was_accepted_is_fetched(service, tmp_path):
    keys = {"pictures": 3, "model": [MODEL, WAN], "run": {"concurrency": 1, "wait": 30}}
    service.first_status = "queued"
    service.always["upload-url"] = faults.status(402, words="Insufficient credits")
    result = run(manifest(tmp_path, **keys), service)
    assert result.exit_code is Exit.ACCESS
    assert "Insufficient credits" in result.error.message
    assert result.totals[Status.SUCCEEDED] == len(service.accepted)
    assert service.calls.count("upload-url") <= 3
    service.always.clear()
    assert_done(service, run(manifest(tmp_path, **keys), service), 6, 3)


def test_an_upload_that_fails_for_the_whole_wait_leaves_its_jobs_for_the_next_run(service, tmp_path):
    keys = {"model": [MODEL, WAN], "takes": 2}
    service.always["put"] = faults.status(500)
    result = run(manifest(tmp_path, **keys), service, wait=20.0)
    assert (result.exit_code, result.error) == (Exit.UNFINISHED, None)
    assert (result.totals[Status.SUCCEEDED], result.totals[Status.PENDING]) == (2, 2)
    assert [each.reason for each in result.unfinished.first] == [
        "p0.jpg could not be uploaded: the store answered 500"
    ] * 2
    assert 2 < service.calls.count("put") < 40
    service.always.clear()
    assert_done(service, run(manifest(tmp_path, **keys), service), 4, 1)


def test_a_store_that_refuses_a_file_is_not_asked_again(service, tmp_path):
    service.order("upload-url", faults.status(400, words="no such type"))
    result = run(manifest(tmp_path, takes=2), service)
    assert (result.exit_code, result.totals[Status.PENDING]) == (Exit.UNFINISHED, 2)
    assert "no such type" in result.unfinished.first[0].reason
    assert service.calls == ["other", "upload-url"]
    assert_done(service, run(manifest(tmp_path, takes=2), service), 2, 1)


def test_a_file_that_changes_meanwhile_is_not_uploaded(service, tmp_path):
    def change(plan):
        (tmp_path / "p0.jpg").write_bytes(picture_bytes(9, 400, 400))
        return True

    result = run(manifest(tmp_path), service, confirm=change)
    assert result.exit_code is Exit.UNAVAILABLE
    assert "p0 changed since the plan was made" in result.error.message
    assert (service.kept(), service.posts, result.totals[Status.PENDING]) == ([], 0, 1)


def test_nothing_is_uploaded_without_consent(service, tmp_path):
    path = manifest(tmp_path, uploads=NEEDED)
    path.write_text(path.read_text().replace("uploads:\n  to: service\n", ""))
    with pytest.raises(NotConfirmedError, match="1 file would be put where others can read"):
        run(path, service)
    # The price alone was asked for.
    assert service.calls == ["other"]
    assert_done(service, run(path, service, allow_uploads=True), 1, 1)
    # What was agreed to is used again, and not done again.
    age(tmp_path, 2)
    again = path.read_text().replace("A slow push-in", "A slow pan")
    path.write_text(again)
    assert run(path, service).exit_code is Exit.DONE
    service.always["look"] = faults.status(404)
    age(tmp_path, 2)
    path.write_text(again.replace("A slow pan", "A slow tilt"))
    result = run(path, service)
    assert (result.exit_code, service.calls.count("put")) == (Exit.UNFINISHED, 1)
    assert "nobody agreed" in result.unfinished.first[0].reason


def test_a_lost_answer_is_found_by_the_address_that_was_sent(service, tmp_path):
    service.order("submit", faults.status(502, accepted=True))
    assert_done(service, run(manifest(tmp_path, pictures=3), service), 3, 3)
    assert service.posts == 3


def test_addresses_are_in_no_file_but_the_state(service, tmp_path):
    result = run(manifest(tmp_path), service, Selection())
    assert_done(service, result, 1, 1)
    told = [path.name for path in tmp_path.rglob("*") if path.is_file() and b"/public/" in path.read_bytes()]
    assert {name.partition("-")[0] for name in told} == {"state.sqlite"}
    (job,) = json.loads(result.index.read_text())["jobs"]
    assert job["payload"]["first_frame"].startswith("sha256:")


def test_few_go_out_at_once_and_few_jobs_wait(service, tmp_path, monkeypatch):
    monkeypatch.setattr(uploading, "_MOST_UPLOADS", 1)
    monkeypatch.setattr(uploading, "_MOST_WAITING", 2)
    under_way, most = [0], [0]

    def slowly(call):
        with service.lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        call.read()
        faults.store(call)
        with service.lock:
            under_way[0] -= 1

    service.always["put"] = slowly
    assert_done(service, run(manifest(tmp_path, pictures=7, takes=2), service), 14, 7)
    assert most == [1]


@pytest.fixture(params=["moto", "seaweed"])
def servers(request, tmp_path, monkeypatch):
    with filled(request.param, f"runs-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(file_stores, "_RETRIED", 0.05)
    with filled("moto", f"runs-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


def to_bucket(made, **more):
    return {"to": f"{made.address}/clips", **more}


def fetched(address):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address) as answer:
        return answer.read()


def holders(folder, text):
    """The files of a run that have a text in them."""
    return sorted(each.name for each in folder.rglob("*") if each.is_file() and text in each.read_bytes())


def test_files_go_to_a_bucket_once_and_each_submission_has_an_address_that_outlives_the_wait(
    service, servers, tmp_path
):
    (tmp_path / "voice.mp3").write_bytes(sound_bytes())
    address = servers.put("looks/p1.jpg", picture_bytes(1, 400, 400))
    keys = {
        "images": [{"file": "p0.jpg"}, {"file": address}], "takes": 2, "uploads": to_bucket(servers),
        "params": {"driving_audio": "voice.mp3"}, "run": {"settle": 0.8, "wait": "2h"},
    }  # fmt: skip
    assert_done(service, run(manifest(tmp_path, **keys), service), 4, 0)
    objects = {each.path: each.size for each in servers.bucket.each("clips")}
    assert sorted(name.rpartition(".")[2] for name in objects) == ["jpg", "jpg", "mp3"]
    puts, heads = servers.proxy.count("PUT"), servers.proxy.count("HEAD")
    assert "upload-url" not in service.calls
    for each in service.accepted:
        assert "X-Amz-Expires=10800" in each.payload["first_frame"], "two hours, and one more"
        assert fetched(each.payload["driving_audio"]) == sound_bytes()
        assert fetched(each.payload["first_frame"]) in (picture_bytes(0, 400, 400), picture_bytes(1, 400, 400))
    assert statements(tmp_path, "SELECT count(*) FROM uploads WHERE address LIKE '%Signature%'") == [(0,)]
    assert set(holders(tmp_path / "out", b"X-Amz-Signature")) <= {"state.sqlite", "state.sqlite-wal"}
    # Another sweep of the same files: nothing is put, and what is fresh is not looked at.
    more = [{"id": "b", "text": "A slow tilt"}]
    assert run(manifest(tmp_path, **keys, prompts=more), service).exit_code is Exit.DONE
    assert (servers.proxy.count("PUT"), len(service.accepted)) == (puts, 8)
    assert servers.proxy.count("HEAD") == heads + 1, "the picture in the bucket is looked at for the plan"


@pytest.mark.parametrize(
    ("days", "is_gone", "heads", "puts"), [(0.9, False, 0, 1), (1.1, False, 1, 1), (1.1, True, 1, 2)]
)
def test_an_old_object_is_looked_at_once_a_run(service, store, tmp_path, days, is_gone, heads, puts):
    assert run(manifest(tmp_path, uploads=to_bucket(store)), service).exit_code is Exit.DONE
    age(tmp_path, days)
    if is_gone:
        for each in list(store.bucket.each()):
            store.bucket.remove(each.path)
    before = store.proxy.count("HEAD")
    prompts = [{"id": name, "text": f"A slow pan {name}"} for name in "bcd"]
    assert run(manifest(tmp_path, uploads=to_bucket(store), prompts=prompts), service).exit_code is Exit.DONE
    assert (store.proxy.count("HEAD") - before, store.proxy.count("PUT")) == (heads, puts)
    assert len(service.accepted) == 4
    assert all(fetched(each.payload["first_frame"]) for each in service.accepted)


def test_each_submission_is_signed_anew(service, store, tmp_path, monkeypatch):
    signed = []

    def sent(self, address, seconds):
        signed.append(f"http://127.0.0.1:9/{len(signed)}?X-Amz-Signature={len(signed)}")
        return signed[-1]

    monkeypatch.setattr(file_stores.BucketStore, "sent", sent)
    service.order("submit", faults.status(429, headers={"Retry-After": "0"}), faults.status(429))
    assert_done(service, run(manifest(tmp_path, uploads=to_bucket(store)), service), 1, 0)
    (accepted,) = service.accepted
    assert accepted.payload["first_frame"] == signed[-1]
    assert len(set(signed)) >= 3


STORES = {
    "full": refusing(507, "QuotaExceeded"),
    "slow": refusing(503, "SlowDown"),
    "forbidden": refusing(403, "AccessDenied"),
    "no bucket": refusing(404, "NoSuchBucket"),
    "silent": hanging,
    "gone": resetting,
}


@pytest.mark.parametrize("name", sampled(list(STORES), 2))
def test_a_bucket_in_trouble_stops_no_other_job_and_leaves_its_own_for_the_next_run(
    service, store, tmp_path, name, monkeypatch
):
    monkeypatch.setattr(bucket, "_SILENCE", 0.2)
    keys = {"model": [MODEL, WAN], "takes": 2, "uploads": to_bucket(store)}
    store.proxy.fault = STORES[name]
    result = run(manifest(tmp_path, **keys), service, wait=20.0)
    assert (result.exit_code, result.error) == (Exit.UNFINISHED, None)
    assert (result.totals[Status.SUCCEEDED], result.totals[Status.PENDING]) == (2, 2)
    assert all(each.reason.startswith("p0.jpg could not be uploaded: ") for each in result.unfinished.first)
    store.proxy.fault = None
    monkeypatch.setattr(bucket, "_SILENCE", 20.0)
    assert_done(service, run(manifest(tmp_path, **keys), service), 4, 0)


def test_trouble_with_a_bucket_is_waited_out(service, store, tmp_path):
    left = 3

    def fault(handler):
        nonlocal left
        left -= 1
        return left >= 0 and refusing(503, "SlowDown")(handler)

    store.proxy.fault = fault
    assert_done(service, run(manifest(tmp_path, uploads=to_bucket(store)), service), 1, 0)


def test_no_credentials_for_signing_leave_the_jobs(service, store, tmp_path, monkeypatch):
    assert run(manifest(tmp_path, uploads=to_bucket(store)), service).exit_code is Exit.DONE

    def sent(self, address, seconds):
        raise BucketError("cannot sign", "give credentials")

    monkeypatch.setattr(file_stores.BucketStore, "sent", sent)
    result = run(manifest(tmp_path, uploads=to_bucket(store), takes=3), service)
    assert (result.exit_code, result.totals[Status.PENDING]) == (Exit.UNFINISHED, 2)
    assert {each.reason for each in result.unfinished.first} == {"p0.jpg could not be uploaded: cannot sign"}


def test_words_of_the_service_are_kept_without_the_signature(service, store, tmp_path):
    def refuse(call):
        call.read()
        address = json.loads(call.body)["payload"]["first_frame"]
        call.answer(400, {"error": f"cannot fetch {address}"})

    service.always["submit"] = refuse
    result = run(manifest(tmp_path, uploads=to_bucket(store)), service)
    assert result.totals[Status.REJECTED] == 1
    (row,) = json.loads((tmp_path / "out" / "index.json").read_text())["jobs"]
    assert "cannot fetch http" in row["error"]
    assert "X-Amz-Signature=[signature]" in row["error"]
    ((sent,),) = statements(tmp_path, "SELECT address FROM sent_addresses")
    assert holders(tmp_path / "out", sent.partition("X-Amz-Signature=")[2].encode()) == ["state.sqlite"]


@pytest.mark.parametrize("echoes", ["as sent", "without the query"])
def test_a_lost_submission_with_signed_addresses_is_found_again(service, store, tmp_path, echoes):
    if echoes == "without the query":

        def lose(call):
            call.read()
            accepted = call.accept()
            for name in ("first_frame", "last_frame"):
                accepted.payload[name] = accepted.payload[name].partition("?")[0]
            call.close()

        service.order("submit", lose)
    else:
        service.order("submit", faults.drop_after(accepted=True))
    path = manifest(tmp_path, uploads=to_bucket(store), params={"last_frame": "p0.jpg"})
    assert run(path, service).totals[Status.SUCCEEDED] == 1
    assert len(service.accepted) == 1
