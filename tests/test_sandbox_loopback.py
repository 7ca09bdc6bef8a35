from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from starlette.exceptions import HTTPException

from runner.sandbox.loopback import fetched, on_loopback


class LinkedFiles(BaseHTTPRequestHandler):
    """Answers /N with N bytes, /away with a redirect, and everything else with 404."""

    def do_GET(self) -> None:
        name = self.path.lstrip("/").split("?")[0]
        self.send_response(302 if name == "away" else 200 if name.isdigit() else 404)
        self.send_header("Location", "/5")
        self.end_headers()
        if name.isdigit():
            self.wfile.write(b"x" * int(name))

    def log_message(self, format: str, *args: object) -> None:
        """Quietly."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), LinkedFiles) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a", "http://localhost:80/", "HTTP://127.9.9.9:8080/x", "http://[::1]/"]
)
def test_addresses_of_this_machine(url: str) -> None:
    assert on_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.com/a.jpg",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[::ffff:8.8.8.8]/",
        "http://127.0.0.1@example.com/",
        "https://127.0.0.1/",
        "http://[broken",
        "file:///etc/passwd",
    ],
)
def test_everything_else_is_left_alone(url: str) -> None:
    assert not on_loopback(url)


def test_a_file_is_fetched_whole(origin: str) -> None:
    assert fetched(f"{origin}/7?a=b#c", 100, "payload.image") == b"x" * 7


def test_no_more_than_one_byte_over_the_limit_is_read(origin: str) -> None:
    assert len(fetched(f"{origin}/5000", 100, "payload.image")) == 101


@pytest.mark.parametrize("path", ["away", "nothing"])
def test_redirects_and_errors_are_refused(origin: str, path: str) -> None:
    with pytest.raises(HTTPException, match=r"payload\.image: .*cannot be fetched: status (302|404)"):
        fetched(f"{origin}/{path}", 100, "payload.image")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://127.0.0.1/a b", "http://127.0.0.1:99999/", "http://127.0.0.1/\u00e9"]
)
def test_an_address_that_does_not_work_is_refused(url: str) -> None:
    with pytest.raises(HTTPException, match="cannot be fetched"):
        fetched(url, 100, "payload.image")
