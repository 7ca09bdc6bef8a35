from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import av
import pytest

from runner.errors import ServiceError
from runner.sandbox.server import Sandbox, SandboxSettings
from tests.test_sandbox_kit import (
    MODEL,
    SCHEMA,
    Client,
    encoded,
    in_base64,
    payload,
    running,
    scene,
    settings,
    video_url,
)

_SCRIPT = """
import sys
from pathlib import Path
from runner.sandbox.server import Sandbox, SandboxSettings
settings = SandboxSettings(directory=Path(sys.argv[1]), schemas=Path(sys.argv[2]), seconds=float(sys.argv[3]),
                           queue_seconds=0, clip_height=64, slots=1)
with Sandbox(settings) as sandbox:
    print(sandbox.base_url, flush=True)
    sandbox.wait()
"""


@contextmanager
def another_process(folder: Path, seconds: float) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """A sandbox in a process of its own, which the test may kill."""
    given = settings(folder)
    command = [sys.executable, "-c", _SCRIPT, str(given.directory), str(given.schemas), str(seconds)]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout
        client = Client(process.stdout.readline().strip())
        try:
            with client.session:
                yield process, client
        finally:
            process.kill()


def luma_bytes(frame: av.VideoFrame) -> bytes:
    """The brightness of a frame without the padding behind its lines, which is not defined."""
    plane = frame.planes[0]
    lines = bytes(plane)
    return b"".join(lines[start : start + frame.width] for start in range(0, len(lines), plane.line_size))


def test_it_serves_where_it_says(tmp_path: Path) -> None:
    sandbox = Sandbox(settings(tmp_path))
    sandbox.start()
    try:
        with Client(sandbox.base_url).session as session:
            assert session.get(f"{sandbox.base_url}/models", timeout=30).status_code == 200
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert sandbox.base_url.endswith("/api/v1/ie/requestqueue/apikey")
    finally:
        sandbox.stop()
    port = int(sandbox.base_url.split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_stop_may_be_called_twice_and_before_any_start(tmp_path: Path) -> None:
    sandbox = Sandbox(settings(tmp_path))
    sandbox.stop()
    sandbox.start()
    sandbox.stop()
    sandbox.stop()
    sandbox.start()
    sandbox.stop()
    assert (tmp_path / "sandbox" / "sandbox.sqlite").exists()


def test_wait_ends_with_the_stop(tmp_path: Path) -> None:
    with Sandbox(settings(tmp_path)) as sandbox:
        waiting = threading.Thread(target=sandbox.wait)
        waiting.start()
        assert waiting.is_alive()
        sandbox.stop()
        waiting.join(30)
        assert not waiting.is_alive()


@pytest.mark.usefixtures("whole_films")
def test_a_clip_is_720p_by_default(tmp_path: Path) -> None:
    assert SandboxSettings(directory=tmp_path, schemas=tmp_path).clip_height == 720
    picture = in_base64(encoded(scene(1400, 800), "JPEG"))
    with running(tmp_path, clip_height=72) as client:
        done = client.finished(client.submit(image=picture, prompt="static"))
        data = client.get(video_url(done["outcome"])).content
    (tmp_path / "clip.mp4").write_bytes(data)
    with av.open(tmp_path / "clip.mp4") as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.frames, video.average_rate) == (126, 72, 120, 24)
        assert container.duration == 5_000_000


def test_requests_of_every_status_go_on_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        finished = client.submit(prompt="first")
        before = client.finished(finished)
        video = client.get(video_url(before["outcome"])).content
    with running(tmp_path, slots=1, seconds=60.0) as client:
        working, waiting = client.submit(prompt="second"), client.submit(prompt="third")
        client.until(working, "dispatched")
    with running(tmp_path) as client:
        assert client.detail(finished)["status"] == "success"
        assert client.get(video_url(client.detail(finished)["outcome"])).content == video
        assert [client.finished(request_id)["status"] for request_id in (working, waiting)] == ["success", "success"]
        listed = client.get("/requests", params={"model_id": MODEL}).json()["requests"]
    assert [request["request_id"] for request in listed] == [finished, working, waiting]


def test_a_killed_sandbox_loses_nothing(tmp_path: Path) -> None:
    with another_process(tmp_path, seconds=2.0) as (process, client):
        ids = [client.submit(prompt=f"slow orbit {number}") for number in range(3)]
        client.until(ids[0], "processing")
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    with running(tmp_path) as client:
        assert [client.finished(request_id)["status"] for request_id in ids] == ["success"] * 3
        assert client.get("/requests").json()["total"] == 3
    media = {path.suffix for path in (tmp_path / "sandbox" / "media").iterdir()}
    assert media == {".mp4", ".jpg"}
    assert len(list((tmp_path / "sandbox" / "pictures").iterdir())) == 1


def test_nothing_is_printed(tmp_path: Path) -> None:
    with another_process(tmp_path, seconds=0.0) as (process, client):
        client.finished(client.submit())
        client.get("/nothing")
        host, port = "127.0.0.1", int(client.base_url.split(":")[2].split("/")[0])
        with socket.create_connection((host, port), timeout=30) as raw:
            raw.sendall(b"this is not HTTP\r\n\r\n")
            assert raw.recv(100)
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert (out, err) == ("", "")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            Sandbox(settings(tmp_path, port=port)).start()
    with running(tmp_path) as client:
        assert client.get("/models").status_code == 200


def test_a_folder_in_use(tmp_path: Path) -> None:
    with running(tmp_path), pytest.raises(ServiceError, match="in use by another sandbox"):
        Sandbox(settings(tmp_path)).start()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="cannot be used: Not a directory"):
        Sandbox(settings(tmp_path, directory=tmp_path / "file" / "sandbox")).start()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"slots": 0}, "slots must be at least 1"),
        ({"failure_rate": 1.5}, "failure rate must be between 0 and 1"),
        ({"clip_height": 1080}, "clip height must be between 32 and 720"),
        ({"certificate": Path("only.pem")}, "TLS needs both a certificate and its private key"),
        ({"certificate": Path("no.pem"), "private_key": Path("no.key")}, "certificate or its key cannot be used"),
        ({"port": 70000}, "port must be between 0 and 65535"),
        ({"host": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
        ({"schemas": Path("nowhere")}, "no model schemas in nowhere"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, more: dict[str, object], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        Sandbox(settings(tmp_path, **more)).start()


def test_every_shipped_model_and_those_beside_them_are_told(tmp_path: Path) -> None:
    own = {"properties": {"words": {"type": "string"}}}
    shipped = Path(__file__).parent.parent / "schemas" / "models"
    with running(tmp_path, schemas=shipped, documents={"vendor/my model.v1": own}) as client:
        names = client.get("/models").json()["model_ids"]
        assert len(names) == len(list(shipped.iterdir())) + 1
        for name in names:
            told = client.get(f"/models/{quote(name, safe='')}").json()
            assert told["model"] == name
            assert {"name", "type", "required"} <= set(told["parameters"][0])
        answer = client.post({"model": "vendor/my model.v1", "payload": {"words": "static"}})
        assert client.finished(answer.json()["request_id"])["status"] == "success"


def test_a_sync_model_answers_with_the_finished_record(tmp_path: Path) -> None:
    sync = SCHEMA | {"x-delivery": "sync"}
    with running(tmp_path, documents={"sync": sync}) as client:
        answer = client.post({"model": "sync", "payload": payload()})
        assert (answer.status_code, answer.json()["status"]) == (200, "success")
        assert client.get(video_url(answer.json()["outcome"])).status_code == 200
        refused = client.post({"model": "sync", "payload": payload(prompt="forbidden")})
        assert (refused.status_code, set(refused.json())) == (400, {"error", "request_id"})
        assert client.detail(refused.json()["request_id"])["status"] == "failed"


def test_failures_are_the_same_in_every_sandbox(tmp_path: Path) -> None:
    def statuses(folder: Path) -> list[object]:
        with running(folder, failure_rate=0.5, clip_height=32) as client:
            ids = [client.submit(prompt=f"static {number // 2}") for number in range(8)]
            return [client.finished(request_id)["status"] for request_id in ids]

    first = statuses(tmp_path / "a")
    assert set(first) == {"success", "failed"}
    assert statuses(tmp_path / "b") == first


def test_a_take_of_its_own_and_the_same_clip_on_every_machine(tmp_path: Path) -> None:
    def luma(folder: Path, take: int) -> bytes:
        with running(folder) as client:
            ids = [client.submit() for _ in range(take)]
            data = client.get(video_url(client.finished(ids[-1])["outcome"])).content
        path = folder / "clip.mp4"
        path.write_bytes(data)
        with av.open(path) as container:
            return b"".join(luma_bytes(frame) for frame in container.decode(video=0))

    first = luma(tmp_path / "a", take=1)
    assert luma(tmp_path / "b", take=1) == first
    assert luma(tmp_path / "c", take=2) != first
