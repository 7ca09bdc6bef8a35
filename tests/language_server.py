"""A client of the YAML language server, in the place of an editor: JSON-RPC over the server's standard streams."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_PATIENCE = 60.0
ERROR = 1
# What an editor would answer. The server may look nothing up on the web: its proxy is a port that nobody listens on.
_SETTINGS = {
    "yaml": {"schemaStore": {"enable": False}, "validate": True, "hover": True, "completion": True},
    "http": {"proxy": "http://127.0.0.1:9", "proxyStrictSSL": True},
}


class LanguageServer:
    """A running server. Documents are named by their paths; lines and columns count from 0, as in the protocol."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._arrived: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, folder: Path) -> None:
        """The handshake, in a workspace."""
        capabilities = {
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
            "textDocument": {
                "publishDiagnostics": {},
                "completion": {"completionItem": {"documentationFormat": ["markdown"], "snippetSupport": True}},
                "hover": {"contentFormat": ["markdown"]},
            },
        }
        root = folder.as_uri()
        self._request(
            "initialize",
            processId=os.getpid(),
            rootUri=root,
            workspaceFolders=[{"uri": root, "name": folder.name}],
            capabilities=capabilities,
        )
        self._notify("initialized")
        self._notify("workspace/didChangeConfiguration", settings=_SETTINGS)
        self._wait(lambda message: message.get("method") == "workspace/configuration")

    def stop(self) -> None:
        self._request("shutdown")
        self._notify("exit")

    def open(self, path: Path, text: str | None = None) -> list[dict[str, Any]]:
        """Open a document, by default with the text on the disk; what the server finds wrong with it."""
        content = path.read_text(encoding="utf-8") if text is None else text
        # The server remembers what it made of a version, even of a document that was closed.
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": next(self._numbers), "text": content}
        self._notify("textDocument/didOpen", textDocument=document)
        found = self._wait(lambda message: _is_about(message, path))["params"]["diagnostics"]
        assert isinstance(found, list)
        return found

    def close(self, path: Path) -> None:
        self._notify("textDocument/didClose", textDocument={"uri": path.as_uri()})
        # An empty list of problems ends what the server has to say about the document.
        self._wait(lambda message: _is_about(message, path))

    def complete(self, path: Path, line: int, column: int) -> list[dict[str, Any]]:
        answer = self._at("textDocument/completion", path, line, column)
        items = answer["items"] if isinstance(answer, dict) else answer
        assert isinstance(items, list)
        return items

    def hover(self, path: Path, line: int, column: int) -> str:
        answer = self._at("textDocument/hover", path, line, column)
        return str(answer["contents"]["value"]) if answer else ""

    def _at(self, method: str, path: Path, line: int, column: int) -> Any:
        position = {"line": line, "character": column}
        return self._request(method, textDocument={"uri": path.as_uri()}, position=position)

    def _request(self, method: str, **parameters: object) -> Any:
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": parameters})
        answer = self._wait(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in answer, answer
        return answer["result"]

    def _notify(self, method: str, **parameters: object) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._process.stdin.flush()

    def _wait(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message of this kind. Whatever the server asks is answered; all else is passed over."""
        while True:
            message = self._arrived.get(timeout=_PATIENCE)
            assert message is not None, "the server has ended"
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": _answer(message)})
            if is_wanted(message):
                return message

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream
        while head := stream.readline():
            length = int(head.removeprefix(b"Content-Length: "))
            assert stream.readline() == b"\r\n"
            self._arrived.put(json.loads(stream.read(length)))
        self._arrived.put(None)


def _is_about(message: dict[str, Any], path: Path) -> bool:
    is_diagnostics = message.get("method") == "textDocument/publishDiagnostics"
    return is_diagnostics and message["params"]["uri"] == path.as_uri()


def _answer(request: dict[str, Any]) -> Any:
    if request["method"] == "workspace/configuration":
        return [_SETTINGS.get(item.get("section")) for item in request["params"]["items"]]
    return None


@contextlib.contextmanager
def language_server(node: str, program: str, folder: Path) -> Iterator[LanguageServer]:
    """A server of its own, ended afterwards."""
    process = subprocess.Popen([node, program, "--stdio"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        server = LanguageServer(process)
        server.start(folder)
        yield server
        server.stop()
        assert process.wait(_PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream
            stream.close()
