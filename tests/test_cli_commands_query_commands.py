from __future__ import annotations

import json

import pytest

from runner.sandbox.server import Sandbox, SandboxSettings
from runner.shipped import shipped
from tests.command import call
from tests.faults.service import FaultyService, hang, raw, status
from tests.kit import MODEL


@pytest.fixture
def service():
    with FaultyService(b"") as made:
        yield made


@pytest.mark.parametrize("words", [["models"], ["models", MODEL], ["requests", MODEL]])
def test_a_key_is_needed(words):
    ended = call(*words, "--json", "--base-url", "https://service.invalid")
    assert (ended.code, ended.document["error"]["code"]) == (3, "access")


@pytest.mark.parametrize("words", [["models"], ["models", MODEL], ["requests", MODEL], ["doctor"]])
def test_nobody_answers(words):
    ended = call(*words, "--base-url", "http://127.0.0.1:1")
    assert ended.code == 7
    assert "refused" in ended.err + ended.out
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("ftp://service.invalid", "not usable"),
        ("service.invalid", "not usable"),
        ("https://service.invalid/?key=1", "not usable"),
        ("https://me:secret@service.invalid", "password"),
        ("http://service.invalid", "not encrypted"),
        ("https://service.invalid:port", "not usable"),
        ("https://[::1", "not usable"),
    ],
)
def test_an_address_that_is_none(base, said):
    ended = call("models", "--base-url", base)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_what_the_service_answers_is_printed(service):
    ended = call("requests", MODEL, "--base-url", service.base_url, "--json")
    assert (ended.code, ended.document, ended.err) == (0, {"requests": [], "total": 0}, "")
    assert call("requests", MODEL, "--base-url", service.base_url).err == "0 requests\n"


def test_a_name_that_the_service_does_not_know(service):
    service.always["other"] = status(404, words="no such model")
    ended = call("models", "No/../Such?Model", "--base-url", service.base_url, "--json")
    assert ended.code == 7
    assert ended.document["error"]["code"] == "service"
    assert "404" in ended.document["error"]["message"]
    assert "no such model" in ended.document["error"]["message"]


def test_a_refused_key_is_in_no_message(service, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "very-secret")
    service.always["list"] = status(401, words="very-secret is no key")
    ended = call("requests", MODEL, "--base-url", service.base_url, "--json")
    assert (ended.code, ended.document["error"]["code"]) == (3, "access")
    assert "very-secret" not in ended.out + ended.err


def test_an_answer_that_is_not_json(service):
    service.always["list"] = raw(b"<html>")
    ended = call("requests", MODEL, "--base-url", service.base_url)
    assert ended.code == 7
    assert "error:" in ended.err


def test_the_answer_of_a_model_as_it_is(tmp_path):
    """The sandbox tells of models as the API does."""
    with Sandbox(SandboxSettings(tmp_path, shipped("schemas") / "models")) as sandbox:
        names = call("models", "--base-url", sandbox.base_url).out.split()
        assert MODEL in names
        assert call("models", "--base-url", sandbox.base_url, "--json").document["model_ids"] == names
        told = call("models", MODEL, "--base-url", sandbox.base_url)
        assert f"model: {MODEL}" in told.out
        document = json.loads(call("models", MODEL, "--base-url", sandbox.base_url, "--json").out)
        assert document["model"] == MODEL


def test_an_address_where_nothing_is():
    ended = call("models", "--base-url", "http://127.0.0.1:9")
    assert ended.code == 7
    assert "nothing answers at http://127.0.0.1:9" in ended.err
    assert "GMI_BASE_URL or --base-url" in ended.err


def test_an_answer_is_waited_for_as_long_as_patience(service):
    service.always["other"] = hang()
    ended = call("models", "--base-url", service.base_url, "--patience", "0.2")
    assert ended.code == 7
    assert "nothing answers" in ended.err


def test_signatures_of_what_was_sent_are_not_shown_and_links_to_clips_are(service):
    signed = "https://b.example.com/a.jpg?X-Amz-Signature=0f1e2d"
    listed = {"requests": [{"request_id": "r", "payload": {"image": [signed]}, "outcome": {"video_url": signed}}]}
    service.order("list", raw(json.dumps(listed).encode()))
    ended = call("requests", MODEL, "--base-url", service.base_url, "--json")
    (shown,) = ended.document["requests"]
    assert shown["payload"]["image"] == ["https://b.example.com/a.jpg?X-Amz-Signature=[signature]"]
    assert shown["outcome"]["video_url"] == signed
