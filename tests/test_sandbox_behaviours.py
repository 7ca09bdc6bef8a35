"""Each way of the queue, met by one real run of a small manifest: it ends as it should, and nothing is bought twice."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import fields

import pytest

from runner.errors import ServiceError
from runner.sandbox.behaviours import BEHAVIOURS, Mishap, Ways, ways_of
from runner.sandbox.server import Sandbox
from tests.command import call, spawn
from tests.kit import sampled, write_manifest
from tests.test_sandbox_kit import MODEL, SCHEMA, payload, running, settings

# How the run of a manifest with three pictures ends: exit code, jobs by status, requests that the sandbox has.
DONE = (0, {"succeeded": 3}, 3)
CONTAINERS = ("webm", "mov", "mkv", "gif")
ENDS = {
    "no-credits": (3, {"succeeded": 2, "pending": 1}, 2),
    "rate-limit": (0, {"succeeded": 3}, 4),
    "backend-error": (1, {"succeeded": 2, "failed": 1}, 3),
    "never-starts": (6, {"waiting": 3}, 3),
    "no-link": (6, {"waiting": 3}, 3),
}


def run(path, *behaviours, **flags):
    words = [word for name in behaviours for word in ("--sandbox-behave", name)]
    words += [word for name, value in flags.items() for word in (f"--sandbox-{name.replace('_', '-')}", value)]
    return call("run", path, "--sandbox", "--sandbox-height", 64, "--sandbox-seconds", 0, "--json", *words)


def manifest(folder, wait=30.0):
    return write_manifest(folder, pictures=3, run={"settle": 0.8, "wait": wait})


def records(folder):
    """What the sandbox has, by its own file."""
    with closing(sqlite3.connect(folder / "out-sandbox" / "sandbox" / "sandbox.sqlite")) as connection:
        return connection.execute("SELECT status, error FROM request ORDER BY number").fetchall()


def jobs(folder):
    return json.loads((folder / "out-sandbox" / "index.json").read_text())["jobs"]


def totals(ended):
    return {status: number for status, number in ended.document["totals"].items() if number}


@pytest.mark.parametrize("name", sampled(list(BEHAVIOURS), 2))
def test_a_run_ends_as_it_should_and_buys_nothing_twice(tmp_path, name):
    code, statuses, requests = ENDS.get(name, DONE)
    waits_in_vain = "waiting" in statuses
    ended = run(manifest(tmp_path, wait=2.0 if waits_in_vain else 30.0), name)
    assert (ended.code, totals(ended)) == (code, statuses), ended.err
    assert len(records(tmp_path)) == requests
    assert call("verify", tmp_path / "campaign.yaml", "--sandbox").code == 0
    assert "Traceback" not in ended.err
    videos = [job["video"] for job in jobs(tmp_path) if job["video"]]
    assert len(videos) == statuses.get("succeeded", 0)
    assert {video["path"].rpartition(".")[2] for video in videos} <= {name if name in CONTAINERS else "mp4"}
    assert {round(video["seconds"], 1) for video in videos} <= {5.0}
    assert all(
        (tmp_path / "out-sandbox" / job["thumbnail"]["path"]).is_file() for job in jobs(tmp_path) if job["video"]
    )


def test_a_topped_up_account_goes_on_and_buys_nothing_twice(tmp_path):
    path = manifest(tmp_path)
    ended = run(path, "no-credits")
    assert "Insufficient credits" in ended.document["error"]["message"]
    assert "top up" in ended.document["error"]["hint"]
    assert totals(run(path)) == {"succeeded": 3}
    assert len(records(tmp_path)) == 3


def test_a_sync_refusal_is_final_and_keeps_its_id(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "bad", "text": "A forbidden thing"}])
    ended = run(path, "sync")
    assert (ended.code, totals(ended)) == (1, {"rejected": 1})
    assert records(tmp_path) == [("failed", "content policy: the prompt was refused")]
    (job,) = jobs(tmp_path)
    assert job["request_id"]
    assert job["error"] == "400: content policy: the prompt was refused"


def test_a_reason_in_an_object_is_told(tmp_path):
    ended = run(manifest(tmp_path), "reason-object", failure_rate=1)
    assert (ended.code, totals(ended)) == (1, {"failed": 3})
    assert {job["error"] for job in jobs(tmp_path)} == {
        "simulated failure: this sandbox lets a share of its requests fail"
    }


def test_what_is_waited_for_in_vain_says_why(tmp_path):
    for name, wait, words in (("never-starts", 1, "the service never began with it"), ("no-link", 4, "gives no link")):
        run(write_manifest(tmp_path / name, run={"wait": wait}), name)
        assert all(words in job["reason"] for job in jobs(tmp_path / name))


def test_further_videos_are_kept_and_told(tmp_path):
    assert run(manifest(tmp_path), "several-videos").code == 0
    for job in jobs(tmp_path):
        further = f"others/{job['key']}-2.mp4"
        assert job["reason"] == f"the request made 2 videos; the others: {further}"
        first = (tmp_path / "out-sandbox" / job["video"]["path"]).read_bytes()
        assert (tmp_path / "out-sandbox" / further).read_bytes() == first


def test_several_behaviours_at_once(tmp_path):
    ended = run(manifest(tmp_path), "lost-answers", "paging", "hidden-picture", "opaque-ids", "media-urls-text", "webm")
    assert ended.code == 0, ended.err
    assert len(records(tmp_path)) == 3
    assert {job["request_id"][:3] for job in jobs(tmp_path)} == {"g7."}
    assert all(job["video"]["path"].endswith(".webm") for job in jobs(tmp_path))


def test_a_model_with_spaces_and_parameters_with_dots(tmp_path):
    name = "Chirstmas Postcard v1.0"
    properties = {**SCHEMA["properties"], "camera.speed": {"type": "number", "default": 1}, "a.b.c": {"type": "string"}}
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{name}.schema.json").write_text(json.dumps(SCHEMA | {"properties": properties}))
    path = write_manifest(
        tmp_path,
        model=name,
        models={name: f"models/{name}.schema.json"},
        matrix={"word": ["x", "y"]},
        params={"camera.speed": 2, "a.b.c": "{{ word }}"},
    )
    with Sandbox(settings(tmp_path / "sandbox", schemas=tmp_path / "models")) as sandbox:
        assert call("run", path, "--base-url", sandbox.base_url, "--json").code == 0
        assert call("requests", name, "--base-url", sandbox.base_url, "--json").document["total"] == 2
    head, first, _ = (tmp_path / "out-sandbox" / "index.csv").read_text().splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert (row["model"], row["payload.camera.speed"], row["payload.a.b.c"]) == (name, "2", "x")
    path.write_text(path.read_text().replace("camera.speed: 2", "camera.speed: 3"))
    changed = call("plan", path, "--sandbox", "--json").document["jobs"]
    assert {each["reason"] for each in changed if each["action"] == "submit"} == {"changed: camera.speed"}


# Over HTTP


def listed(client, **query):
    return client.get("/requests", params={"model_id": MODEL, **query}).json()


def test_the_list_comes_in_pages_with_a_total(tmp_path):
    with running(tmp_path) as client:
        ids = [client.submit(prompt=str(number)) for number in range(5)]
        pages = {
            query: listed(client, **dict(query))
            for query in [(), (("limit", 2),), (("limit", 2), ("offset", 4)), (("offset", 3),), (("offset", 9),)]
        }
        assert client.get("/requests?limit=few").json() == {"error": "limit: must be a whole number"}
        assert client.get("/requests?offset=-1").status_code == 400
    parts = [[each["request_id"] for each in page["requests"]] for page in pages.values()]
    assert parts == [ids, ids[:2], ids[4:], ids[3:], []]
    assert all(page["total"] == 5 and "has_more" not in page for page in pages.values())


@pytest.mark.parametrize("name", ["paging", "total"])
def test_a_page_has_at_most_a_hundred(tmp_path, name):
    with running(tmp_path, behaviours=(name, "never-starts")) as client:
        for number in range(101):
            client.submit(image="http://example.com/a.jpg", prompt=str(number))
        first, second = listed(client, limit=1000), listed(client, limit=1000, offset=100)
    assert [len(page["requests"]) for page in (first, second)] == [100, 1]
    ends = [{key: value for key, value in page.items() if key != "requests"} for page in (first, second)]
    assert ends == ([{"has_more": True}, {"has_more": False}] if name == "paging" else [{"total": 101}] * 2)


def test_what_lags_is_not_listed_yet_but_known_by_its_id(tmp_path):
    with running(tmp_path, behaviours=("lag",)) as client:
        request_id = client.submit()
        assert listed(client) == {"requests": [], "total": 0}
        assert client.detail(request_id)["request_id"] == request_id


def test_headers_and_answers_of_refusals(tmp_path):
    with running(tmp_path, behaviours=("wrong-date", "no-credits", "backend-error")) as client:
        answers = [client.post({"model": MODEL, "payload": payload()}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 500, 402]
    assert answers[1].json() == {"error": "Backend error (400)"}
    assert {(answer.headers["Date"], answer.headers["Age"]) for answer in answers} == {
        ("Wed, 01 Jan 2025 00:00:00 GMT", "31536000")
    }


# The table


@pytest.mark.parametrize("command", ["sandbox", "run", "verify"])
def test_an_unknown_name_is_a_usage_error_with_a_guess(tmp_path, command):
    words = [] if command == "sandbox" else [manifest(tmp_path), "--sandbox"]
    ended = call(command, *words, f"--{'' if command == 'sandbox' else 'sandbox-'}behave", "web-m")
    assert ended.code == 2
    assert "'web-m' is no behaviour of the sandbox; did you mean 'webm'?" in ended.err


def test_the_help_lists_every_name_with_its_words():
    shown = " ".join(spawn("sandbox", "--help", COLUMNS="9999").out.split())
    assert all(f"{name} ({each.about})" in shown for name, each in BEHAVIOURS.items())
    assert "'reelrun sandbox --help' lists them" in " ".join(spawn("run", "--help", COLUMNS="9999").out.split())


def test_names_are_plain_words_and_every_behaviour_changes_something():
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", name) for name in BEHAVIOURS)
    assert all(each.ways != Ways() for each in BEHAVIOURS.values())


def test_behaviours_add_up():
    assert ways_of(()) == Ways()
    both = ways_of(("rate-limit", "no-credits", "lost-answers", "empty-echo", "milliseconds"))
    assert (both.credits, both.mishaps, len(both.changes)) == (
        2,
        (Mishap(3, "rate limit exceeded(RPM)"), Mishap(10, is_lost=True)),
        2,
    )
    assert {field.name for field in fields(Ways) if getattr(both, field.name) != field.default} == {
        "credits", "mishaps", "changes",
    }  # fmt: skip
    with pytest.raises(ServiceError, match="no behaviour 'x'"):
        ways_of(("sync", "x"))
