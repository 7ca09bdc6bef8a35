"""The table of faults, row by row: what a network or a service may do, and what the runner does about it.

Whatever happens: no job is accepted twice, none is lost, and the key reaches no other origin.
"""

import sqlite3
from contextlib import closing

import pytest

from runner.errors import Exit
from runner.model import Status
from runner.planning.selection import Selection
from tests.faults import service as faults
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import by_turns, few_frames, sampled, video_bytes, write_manifest

JOBS = 3


@pytest.fixture
def service():
    with FaultyService(few_frames()) as started:
        yield started


@pytest.fixture
def manifest(tmp_path):
    return write_manifest(tmp_path, pictures=JOBS)


def assert_promises(service, result, jobs=JOBS):
    """At most one accepted submission a job, every accepted one in a file or a state that says so."""
    contents = service.fingerprints()
    assert len(contents) == len(set(contents)), "a job was accepted twice"
    assert service.key_seen_by_files == 0
    videos = sorted((result.output_dir / "videos").rglob("*.mp4"))
    assert len(videos) == result.totals[Status.SUCCEEDED]
    assert all(path.read_bytes() == service.video for path in videos)
    assert sum(result.totals.values()) == jobs


def assert_all_done(service, result, jobs=JOBS):
    assert_promises(service, result, jobs)
    assert result.error is None
    assert result.totals[Status.SUCCEEDED] == jobs
    assert result.exit_code is Exit.DONE
    assert len(service.accepted) == jobs


NOT_ACCEPTED = {
    "429 without Retry-After": faults.status(429),
    "429 with seconds": faults.status(429, headers={"Retry-After": "0"}),
    "429 with a date": faults.status(429, headers={"Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"}),
}

# The answer to the POST is lost; the service may have accepted it or not. Both are tried.
LOST = {
    "closed after the body": lambda accepted: faults.drop_after(accepted=accepted),
    "reset after the body": lambda accepted: faults.reset_after(accepted=accepted),
    "time-out": lambda accepted: faults.hang(accepted=accepted),
    "408": lambda accepted: faults.status(408, accepted=accepted),
    "500": lambda accepted: faults.status(500, accepted=accepted),
    "502": lambda accepted: faults.status(502, accepted=accepted),
    "503": lambda accepted: faults.status(503, accepted=accepted),
    "504": lambda accepted: faults.status(504, accepted=accepted),
    "418": lambda accepted: faults.status(418, accepted=accepted),
    "200 with HTML": lambda accepted: faults.raw(b"<html>ok</html>", accepted=accepted),
    "200 with cut JSON": lambda accepted: faults.raw(b'{"request_id": "abc', accepted=accepted),
    "200 cut in the body": lambda accepted: faults.raw(b'{"request_id": "abc', accepted=accepted, length=4000),
    "200 with a list": lambda accepted: faults.raw(b"[]", accepted=accepted),
    "200 without an id": lambda accepted: faults.raw(b'{"status": "queued"}', accepted=accepted),
    "200 with a number for an id": lambda accepted: faults.raw(b'{"request_id": 7}', accepted=accepted),
    "204": lambda accepted: faults.raw(b"", accepted=accepted, code=204),
    "302 to the same host": lambda accepted: faults.redirect(lambda call: call.path, 302),
    "307 to another host": lambda accepted: faults.redirect(lambda call: call.service.files_url + "/steal"),
}


@pytest.mark.parametrize("fault", NOT_ACCEPTED.values(), ids=NOT_ACCEPTED)
def test_submit_not_accepted_is_repeated(service, manifest, fault):
    service.order("submit", fault, fault)
    result = run(manifest, service)
    assert_all_done(service, result)
    assert service.posts == JOBS + 2


@pytest.mark.parametrize(("name", "accepted"), by_turns(LOST))
def test_submit_lost_is_looked_for_and_never_blindly_repeated(service, manifest, name, accepted):
    service.order("submit", LOST[name](accepted))
    result = run(manifest, service)
    assert_all_done(service, result)
    was_accepted = accepted and service.posts == JOBS
    assert service.posts == (JOBS if was_accepted else JOBS + 1)
    assert service.calls.count("list") >= (1 if was_accepted else 2)


def test_submit_closed_before_the_body_is_unknown_too(service, manifest):
    service.order("submit", faults.drop_before)
    assert_all_done(service, run(manifest, service))


def test_submit_to_a_service_that_is_not_there(service, manifest):
    dead = FaultyService(b"")
    with dead:
        pass
    result = run(manifest, dead, wait=0.5)
    assert result.exit_code is Exit.UNAVAILABLE
    assert result.totals[Status.PENDING] == JOBS
    assert_all_done(service, run(manifest, service))


@pytest.mark.parametrize("code", [401, 403])
def test_submit_denied_stops_the_run_after_one_call(service, manifest, code):
    service.always["submit"] = faults.status(code, words="bad key")
    result = run(manifest, service)
    assert (result.exit_code, service.posts) == (Exit.ACCESS, 1)
    assert result.totals[Status.PENDING] == JOBS
    assert "bad key" in result.error.message
    service.always.clear()
    assert_all_done(service, run(manifest, service))


def test_an_account_without_credits_stops_submitting_and_what_was_accepted_is_fetched(service, tmp_path):
    """402 after the third of ten: nothing is rejected, and after topping up exactly the others are bought."""
    manifest = write_manifest(tmp_path, pictures=10, run={"concurrency": 1})
    service.first_status = "queued"
    service.order("submit", *[faults.accept] * 3)
    service.always["submit"] = faults.status(402, words="Insufficient credits")
    result = run(manifest, service)
    assert (result.exit_code, len(service.accepted)) == (Exit.ACCESS, 3)
    assert result.totals[Status.SUCCEEDED] == 3
    assert result.totals[Status.PENDING] == 7
    assert "Insufficient credits" in result.error.message
    assert "top up" in result.error.hint
    service.always.clear()
    assert_all_done(service, run(manifest, service), 10)
    assert len(service.accepted) == 10


@pytest.mark.parametrize("code", [404, 405])
def test_submit_refused_for_all_costs_one_call(service, manifest, code):
    service.always["submit"] = faults.status(code, words="no money")
    result = run(manifest, service)
    assert service.posts == 1
    assert result.totals[Status.FAILED] == 1
    assert result.totals[Status.PENDING] == JOBS - 1
    assert "no money" in result.error.message
    service.always.clear()
    assert_all_done(service, run(manifest, service, Selection(retry_failed=True, retry_rejected=True)))


@pytest.mark.parametrize(("code", "status"), [(400, "rejected"), (413, "failed"), (415, "failed"), (422, "failed")])
def test_submit_refused_for_one_is_final_for_that_one(service, manifest, code, status):
    service.order("submit", faults.status(code, words="content policy: no"))
    result = run(manifest, service)
    assert_promises(service, result)
    assert result.totals[Status(status)] == 1
    assert result.totals[Status.SUCCEEDED] == JOBS - 1
    assert result.exit_code is Exit.JOBS_FAILED
    (record,) = result.unfinished.first
    assert "content policy: no" in record.error
    assert service.posts == JOBS
    assert run(manifest, service).exit_code is Exit.JOBS_FAILED
    assert service.posts == JOBS, "a plain run never submits a final job again"
    assert_all_done(service, run(manifest, service, Selection(retry_failed=True, retry_rejected=True)))


POLLS = {
    "500": faults.status(500),
    "502 twice": faults.status(502),
    "429 with seconds": faults.status(429, headers={"Retry-After": "0"}),
    "404": faults.status(404),
    "HTML": faults.raw(b"<html>hello</html>"),
    "cut JSON": faults.raw(b'{"request_id": "'),
    "cut in the body": faults.raw(b'{"request_id": "', length=500),
    "list for an object": faults.raw(b"[1]"),
    "another request": faults.raw(b'{"request_id": "other", "status": "success"}'),
    "null": faults.raw(b"null"),
    "closed": faults.drop_before,
    "reset": faults.reset_after(accepted=False),
    "time-out": faults.hang(),
    "302 to another host": faults.redirect(lambda call: call.service.files_url + "/x", 302),
    "302 to the same host": faults.redirect(lambda call: call.service.base_url + "/elsewhere", 302),
}


@pytest.mark.parametrize("name", sampled(list(POLLS), 2))
def test_poll_trouble_is_waited_out(service, manifest, name):
    service.order("poll", POLLS[name], POLLS[name])
    assert_all_done(service, run(manifest, service))


def changed_status(status, **outcome):
    def fault(call):
        found = call.service.find(call.path.rsplit("/", 1)[1])
        document = call.service.document(found)
        call.answer(200, {**document, "status": status, "outcome": outcome})

    return fault


@pytest.mark.parametrize("status", ["queued", "created", "dispatched", "processing", "rendering-on-mars"])
def test_poll_of_an_unfinished_or_unknown_status_is_asked_again(service, manifest, status):
    service.order("poll", changed_status(status))
    assert_all_done(service, run(manifest, service))


def test_poll_success_without_a_link_is_asked_again(service, manifest):
    service.order("poll", changed_status("success"), changed_status("success", media_urls=[]))
    assert_all_done(service, run(manifest, service))


@pytest.mark.parametrize(("remote", "status"), [("failed", "failed"), ("cancelled", "cancelled")])
def test_poll_of_a_failure_is_final_for_that_job(service, manifest, remote, status):
    service.order("poll", changed_status(remote, message="policy"))
    result = run(manifest, service)
    assert_promises(service, result)
    assert result.totals[Status(status)] == 1
    assert result.exit_code is Exit.JOBS_FAILED
    assert result.unfinished.first[0].error == "policy"


@pytest.mark.parametrize("code", [401, 403])
def test_poll_denied_keeps_what_is_in_flight(service, manifest, code):
    service.always["poll"] = faults.status(code)
    result = run(manifest, service)
    assert result.exit_code is Exit.ACCESS
    service.always.clear()
    assert_all_done(service, run(manifest, service))


def test_poll_until_the_wait_is_over_leaves_the_job_attached(service, manifest):
    service.first_status = "processing"
    result = run(manifest, service, wait=0.5)
    assert result.exit_code is Exit.UNFINISHED
    assert result.totals[Status.WAITING] == JOBS
    for accepted in service.accepted:
        accepted.status = "success"
    assert_all_done(service, run(manifest, service))
    assert service.posts == JOBS


LISTS = {
    "500": faults.status(500),
    "429": faults.status(429, headers={"Retry-After": "0"}),
    "HTML": faults.raw(b"<html></html>"),
    "cut JSON": faults.raw(b'{"requests": [{"request_id": "a"'),
    "cut in the body": faults.raw(b'{"requests": [], "total": 0', length=500),
    "no requests": faults.raw(b'{"total": 0}'),
    "wrong shapes": faults.raw(b'{"requests": [1, null, "x"], "total": 3}'),
    "total larger": faults.raw(b'{"requests": [], "total": 7}'),
    "closed": faults.drop_before,
    "time-out": faults.hang(),
}


@pytest.mark.parametrize(("name", "accepted"), by_turns(LISTS))
def test_list_trouble_proves_nothing(service, manifest, name, accepted):
    service.order("submit", faults.status(502, accepted=accepted))
    service.order("list", LISTS[name])
    assert_all_done(service, run(manifest, service, settle=0.6))


def test_list_that_lags_behind_does_not_make_a_job_twice(service, manifest):
    service.lag = 1.0
    service.order("submit", faults.status(504, accepted=True))
    assert_all_done(service, run(manifest, service, settle=1.5))
    assert service.posts == JOBS


def test_list_that_never_tells_all_leaves_the_job_unknown(service, manifest):
    service.order("submit", faults.status(502))
    service.always["list"] = faults.raw(b'{"requests": [], "total": 7}')
    result = run(manifest, service)
    assert_promises(service, result)
    assert result.exit_code is Exit.UNFINISHED
    assert result.totals[Status.UNKNOWN] == 1
    assert result.totals[Status.SUCCEEDED] == JOBS - 1
    (record,) = result.unfinished.first
    assert record.reason == "the service lists 0 of 7 requests"
    again = run(manifest, service, Selection(resubmit_unknown=True))
    assert_all_done(service, again)
    assert service.posts == JOBS + 1


@pytest.mark.parametrize("echo", ["short", "none"])
def test_list_that_hides_pictures_attaches_only_what_can_be_told(service, manifest, echo):
    service.echo = echo
    service.order("submit", faults.status(502, accepted=True))
    assert_all_done(service, run(manifest, service))
    assert service.posts == JOBS


@pytest.mark.parametrize("echo", ["short", "none"])
def test_list_that_hides_pictures_leaves_two_lost_ones_unknown(service, manifest, echo):
    """Both lost requests differ in the picture alone, which the list does not show."""
    service.echo = echo
    service.order("submit", accept_plainly, faults.hang(accepted=True), faults.hang(accepted=True))
    result = run(manifest, service)
    assert_promises(service, result)
    assert result.totals[Status.UNKNOWN] == 2
    assert result.exit_code is Exit.UNFINISHED
    service.echo = "full"
    assert_all_done(service, run(manifest, service))
    assert service.posts == JOBS


def accept_plainly(call):
    call.read()
    accepted = call.accept()
    call.answer(200, {"request_id": accepted.id, "status": "queued"})


def test_list_of_another_organisation_stops_the_run(service, manifest):
    run(manifest, service)
    service.organisation = "org-2"
    service.order("submit", faults.status(502, accepted=True))
    write_manifest(manifest.parent, pictures=JOBS, prompts=[{"id": "plain", "text": "A slow pan left"}])
    result = run(manifest, service)
    assert result.exit_code is Exit.UNAVAILABLE
    assert "org-2" in result.error.message


def expired_link(code):
    """The link is dead; asking for the request again gives one that works."""

    def fault(call):
        call.service.link_version += 1
        call.answer(code, {"error": "expired"})

    return fault


def halfway(call):
    """The first half, then nothing: to be gone on with."""
    video = call.service.video
    headers = {"Content-Type": "video/mp4", "ETag": '"v1"', "Content-Length": str(len(video))}
    call.answer(200, video[: len(video) // 2], headers, length=len(video))


def endless(call):
    call.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n")
    try:
        for _ in range(64):
            call.handler.wfile.write(b"\0" * (1 << 20))
    except OSError:
        pass
    call.close()


DOWNLOADS = {
    "403": expired_link(403),
    "404": expired_link(404),
    "410": expired_link(410),
    "500": faults.status(500),
    "429": faults.status(429),
    "empty": faults.raw(b"", kind="video/mp4"),
    "corrupt": faults.raw(b"\0\0\0\x18ftypmp42" + b"\xff" * 4000, kind="video/mp4"),
    "HTML": faults.raw(b"<html>sign in</html>"),
    "XML error with 200": faults.raw(b"<Error/>", kind="application/xml"),
    "a picture": faults.raw(b"\xff\xd8\xff\xe0 jpeg", kind="image/jpeg"),
    "cut, length given": halfway,
    "closed": faults.drop_before,
    "reset": faults.reset_after(accepted=False),
    "too short a clip": lambda call: call.answer(200, video_bytes(2.0), {"Content-Type": "video/mp4"}),
    "time-out": faults.hang(),
    "endless": endless,
    "302 to the same host": faults.redirect(lambda call: call.service.files_url + "/elsewhere.mp4", 302),
    "302 to what is no address": faults.redirect(lambda call: "http://[::1", 302),
    "302 to a file of this machine": faults.redirect(lambda call: "file:///etc/passwd", 302),
}


@pytest.mark.parametrize("name", sampled(list(DOWNLOADS), 2))
def test_download_trouble_is_tried_again_with_a_fresh_link(service, manifest, name):
    service.order("download", DOWNLOADS[name])
    assert_all_done(service, run(manifest, service))
    assert service.posts == JOBS


def test_download_is_gone_on_with_where_it_broke_off(service, tmp_path):
    service.order("download", halfway)
    result = run(write_manifest(tmp_path), service)
    assert_all_done(service, result, 1)
    assert service.ranges[-1] == f"bytes={len(service.video) // 2}-"


def test_download_that_changed_meanwhile_starts_anew(service, tmp_path):
    service.order("download", halfway, lambda call: faults.serve_video(call, '"v2"'))
    result = run(write_manifest(tmp_path), service)
    assert_all_done(service, result, 1)


def test_download_over_a_redirect_to_another_host(service, manifest):
    service.order(
        "download", faults.redirect(lambda call: call.service.files_url.replace("127.0.0.1", "localhost") + "/x", 302)
    )
    assert_all_done(service, run(manifest, service))


def test_download_that_redirects_for_ever_is_left(service, tmp_path):
    service.always["download"] = faults.redirect(lambda call: call.path, 302)
    result = run(write_manifest(tmp_path), service, attempts=1)
    assert result.totals[Status.WAITING] == 1
    assert service.calls.count("download") <= 6
    service.always.clear()
    assert_all_done(service, run(write_manifest(tmp_path), service), 1)


def test_download_that_never_works_stays_waiting_and_is_fetched_by_the_next_run(service, manifest):
    service.always["download"] = faults.status(500)
    result = run(manifest, service, attempts=2)
    assert result.exit_code is Exit.UNFINISHED
    assert result.totals[Status.WAITING] == JOBS
    assert service.calls.count("download") == 2 * JOBS
    assert not list((result.output_dir / "videos").rglob("*.mp4"))
    service.always.clear()
    assert_all_done(service, run(manifest, service))
    assert service.posts == JOBS


UPLOADS = {
    "500 for the address": ("upload-url", faults.status(500)),
    "HTML for the address": ("upload-url", faults.raw(b"<html>")),
    "closed for the address": ("upload-url", faults.drop_before),
    "500": ("put", faults.status(500)),
    "expired, 403 with XML": ("put", faults.raw(faults.refusal("AccessDenied"), code=403, kind="application/xml")),
    "closed": ("put", faults.drop_after(accepted=False)),
    "stopped serving": ("look", faults.status(404)),
}


@pytest.mark.parametrize(("kind", "fault"), UPLOADS.values(), ids=UPLOADS)
def test_upload_trouble_is_waited_out_and_a_lost_answer_found_all_the_same(service, tmp_path, kind, fault):
    keys = {"pictures": JOBS, "side": 400, "model": "wan2.7-i2v", "uploads": {"to": "service"}}
    service.order(kind, fault, fault)
    service.order("submit", faults.status(502, accepted=True), faults.status(502))
    assert_all_done(service, run(write_manifest(tmp_path, **keys), service))
    assert len(set(service.kept())) == JOBS
    # A further run finds all of it: in the state, or anew where it stopped serving.
    with closing(sqlite3.connect(tmp_path / "out" / "state.sqlite")) as connection, connection:
        connection.execute("UPDATE uploads SET uploaded_at = uploaded_at - 100000")
    further = write_manifest(tmp_path, **keys, prompts=[{"id": "further", "text": "A slow tilt"}])
    result = run(further, service)
    assert (result.exit_code, len(service.accepted)) == (Exit.DONE, 2 * JOBS)
    assert service.calls.count("look") == JOBS
    assert service.key_seen_by_files == 0


def test_the_key_is_in_no_file(service, manifest):
    service.order("submit", faults.status(400, words="your key sk-test-key is odd"))
    result = run(manifest, service)
    assert "[key]" in result.unfinished.first[0].error
    for path in manifest.parent.rglob("*"):
        assert not path.is_file() or b"sk-test-key" not in path.read_bytes()
