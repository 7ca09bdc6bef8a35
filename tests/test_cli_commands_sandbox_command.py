from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from tests.command import call, environment
from tests.kit import MODEL, picture_bytes, write_manifest


@contextmanager
def serving(folder, *words):
    """A sandbox in a process of its own, and its address."""
    flags = ("--port", "0", "--dir", folder, "--seconds", "0", "--height", "64", *words)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "sandbox", *flags],
        env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        yield process, found.group()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """That of a sandbox which serves all along."""
    with serving(tmp_path_factory.mktemp("shared")) as (_, at):
        yield at


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sandbox_serves_until_it_is_told_to_end(tmp_path, number):
    with serving(tmp_path / "requests") as (process, address):
        assert json.loads(call("models", "--base-url", address, "--json").out)["model_ids"]
        assert process.stderr is not None
        next_step = process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert address in next_step
    assert "its requests are kept" in err
    assert "Traceback" not in err


def test_a_run_on_a_sandbox_of_its_own_asks_nobody(tmp_path, address):
    path = write_manifest(tmp_path)
    ended = call("run", path, "--base-url", address, "--json")
    assert ended.code == 0
    assert ended.document["submitted"] == 1
    listed = call("requests", MODEL, "--base-url", address)
    assert listed.err == "1 request\n"
    assert re.fullmatch(r"[0-9a-f-]{36}  success     A slow push-in\n", listed.out)
    assert call("requests", MODEL, "--base-url", address, "--json").document["total"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--certificate", "nowhere.pem"], "TLS needs both"),
        (["--certificate", "nowhere.pem", "--private-key", "nowhere.pem"], "the certificate or its key cannot be used"),
    ],
)
def test_a_sandbox_that_cannot_start(tmp_path, words, said):
    ended = call("sandbox", "--dir", tmp_path / "requests", "--port", 0, *words)
    assert (ended.code, ended.out) == (7, "")
    assert said in ended.err


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    ended = call("sandbox", "--dir", tmp_path / "file", "--port", 0)
    assert ended.code == 7
    assert "Not a directory" in ended.err


def test_a_port_that_is_taken(tmp_path, address):
    port = re.search(r":(\d+)/", address)
    assert port
    ended = call("sandbox", "--dir", tmp_path / "other", "--port", port.group(1))
    assert ended.code == 7
    assert "in use" in ended.err
    assert "--port" in ended.err


def test_without_its_packages_the_sandbox_says_what_to_install(tmp_path):
    (tmp_path / "uvicorn.py").write_text("raise ImportError('no', name='uvicorn')")
    path = write_manifest(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from runner.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", path, "--sandbox", "--json"],
        env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == {
        "code": "usage",
        "message": "the sandbox needs uvicorn",
        "hint": "pip install 'starlette>=0.42' 'uvicorn>=0.30'",
    }


OWN = {
    "type": "object",
    "required": ["prompt", "frames"],
    "additionalProperties": False,
    "properties": {
        "prompt": {"type": "string"},
        "frames": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "picture": {"type": "string", "x-media": {"kind": "image", "role": "first", "encodings": ["data"]}},
                    "at": {"const": "start"},
                },
            },
        },
    },
}  # fmt: skip


def test_a_model_of_ones_own_is_rehearsed(tmp_path):
    (tmp_path / "own.schema.json").write_text(json.dumps(OWN))
    path = write_manifest(tmp_path, model="vendor/own.v1", models={"vendor/own.v1": {"schema": "own.schema.json"}})
    ended = call("run", path, "--sandbox", "--sandbox-height", 64, "--sandbox-seconds", 0, "--json")
    assert (ended.code, ended.document["totals"]["succeeded"]) == (0, 1), ended.err


def test_models_of_every_shape_share_a_manifest_and_each_picture_is_uploaded_once(tmp_path):
    models = {
        "vidu-q3-pro-t2v": {"images": "none"},
        "vidu-q2-pro-r2v": {"params": {"images": ["p1.jpg", "https://example.com/bag.jpg"]}},
        "kling-v3-image-to-video": {"params": {"image_tail": "p1.jpg", "sound": "on", "duration": "3"}},
        "ltx-2-fast-image-to-video": {"params": {"duration": 6, "resolution": "1920x1080"}},
    }
    path = write_manifest(
        tmp_path, pictures=2, model=[MODEL, "wan2.7-i2v", *models], models=models,
    )  # fmt: skip
    for number in range(2):
        (tmp_path / f"p{number}.jpg").write_bytes(picture_bytes(number, 400, 400))
    words = ("run", path, "--sandbox", "--sandbox-height", 64, "--sandbox-seconds", 0, "--json")
    ended = call(*words)
    assert (ended.code, ended.document["totals"]["succeeded"], ended.document["submitted"]) == (0, 11, 11), ended.err
    assert call(*words).document["submitted"] == 0
    assert call("verify", path, "--sandbox").code == 0
    with closing(sqlite3.connect(tmp_path / "out-sandbox" / "sandbox" / "sandbox.sqlite")) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT sha256) FROM upload").fetchone() == (2, 2)
        assert connection.execute("SELECT count(*) FROM request").fetchone() == (11,)
        (sent,) = connection.execute("SELECT payload FROM request WHERE model = 'vidu-q2-pro-r2v' LIMIT 1").fetchone()
    assert len(json.loads(sent)["images"]) == 3
