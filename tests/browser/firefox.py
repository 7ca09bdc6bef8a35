"""Firefox, by the protocol that it speaks itself: WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), headless."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import websocket

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
_ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """One window of it."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(f"{address}/session", timeout=60, suppress_origin=True)
        self._sent = 0
        self.call("session.new", capabilities={})
        self.version = str(self.call("session.status").get("message", ""))
        self._tab = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **params: object) -> dict[str, object]:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") != self._sent:
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
            return answer["result"]

    def close(self) -> None:
        self._socket.close()

    def resize(self, width: int, height: int) -> None:
        self.call("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})

    def open(self, url: str) -> None:
        self.call("browsingContext.navigate", context=self._tab, url=url, wait="interactive")

    def run(self, body: str) -> object:
        """What an asynchronous function with this body returns, by way of JSON."""
        answer = self.call(
            "script.callFunction",
            functionDeclaration=f"async () => JSON.stringify(await (async () => {{ {body} }})() ?? null)",
            target={"context": self._tab},
            awaitPromise=True,
        )
        if answer["type"] != "success":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def screenshot(self) -> bytes:
        return b64decode(self.call("browsingContext.captureScreenshot", context=self._tab)["data"])


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Firefox with a fresh profile in `folder`."""
    command = [str(PROGRAM), "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    (folder / "user.js").write_text('user_pref("app.update.enabled", false);\n', encoding="utf-8")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            found = next(match for line in process.stderr if (match := _ADDRESS.search(line)))
            with closing(Firefox(found[1])) as browser:
                yield browser
        finally:
            process.terminate()
