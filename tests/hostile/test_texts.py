"""Hostile texts in every place: no command prints what a terminal would obey, nor any form of the key."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.api import linked_files, transport
from tests import wire
from tests.command import Ended, call
from tests.hostile.texts import FORGED, FORMS, KEY, OBEYED, TEXTS, traces_in
from tests.kit import MODEL, write_manifest

Write = Callable[[Path, str], list[list[object]]]


def by_name(table: Any) -> Any:
    return pytest.mark.parametrize("name", table, ids=lambda name: name.replace(" ", "-"))


def manifest(**keys: Callable[[str], object]) -> Write:
    """A place in a manifest. JSON escapes what a text file could not hold."""

    def write(folder: Path, text: str) -> list[list[object]]:
        path = write_manifest(folder)
        whole: dict[str, object] = {
            "version": 1,
            "model": MODEL,
            "images": [{"file": "p0.jpg"}],
            "prompts": [{"id": "p", "text": "slow push-in {{ x }}"}],
            "vars": {"x": "y"},
            **{name: make(text) for name, make in keys.items()},
        }
        path.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in whole.items()), encoding="utf-8")
        ways: list[list[object]] = [["validate", path, "--format", each] for each in ("text", "json", "github")]
        plans: list[list[object]] = [["plan", path, each] for each in ("--jobs", "--json", "--markdown")]
        return [*ways, *plans, ["status", path]]

    return write


def schema(document: Callable[[str], object]) -> Write:
    def write(folder: Path, text: str) -> list[list[object]]:
        path = write_manifest(folder, model="mine", models={"mine": "mine.json"}, params={"style": "other"})
        (folder / "mine.json").write_text(json.dumps(document(text)), encoding="utf-8")
        return [["validate", path], ["plan", path, "--json"]]

    return write


def rules(**style: object) -> dict[str, object]:
    properties = {"image": {"type": "string", "x-image": {}}, "prompt": {"type": "string"}, "style": style}
    return {"type": "object", "properties": properties}


def table(content: Callable[[str], str]) -> Write:
    def write(folder: Path, text: str) -> list[list[object]]:
        path = write_manifest(folder, images=[{"table": "t.csv"}])
        (folder / "t.csv").write_bytes(content(text).encode("utf-8", "surrogatepass"))
        return [["validate", path], ["plan", path]]

    return write


def file_name(folder: Path, text: str) -> list[list[object]]:
    path = write_manifest(folder)
    named = folder / text.replace("/", "|").replace("\0", "").replace("\ud800", "\udcff")
    os.rename(path, named)
    return [["validate", named], ["plan", named], ["validate", f"{named}x", "--json"], ["init", named]]


def argument(*words: str) -> Write:
    def write(folder: Path, text: str) -> list[list[object]]:
        path = write_manifest(folder)
        text = text.replace("\ud800", "\udcff").replace("\0", "")
        return [[each.format(path=path, text=text) for each in words]]

    return write


PLACES: dict[str, Write] = {
    "name": manifest(name=lambda text: text),
    "model": manifest(model=lambda text: text),
    "unknown key": manifest(**{"x-a": lambda text: {text: 1}, "takes": lambda text: {text: text}}),
    "key at the top": manifest(budget=lambda text: {text: 1}),
    "id of a picture": manifest(images=lambda text: [{"file": "p0.jpg", "id": text}]),
    "path of a picture": manifest(images=lambda text: [{"file": text}]),
    "glob": manifest(images=lambda text: [{"glob": text + "*.png"}]),
    "address": manifest(images=lambda text: [{"url": f"https://a.example/{text}"}]),
    "id of a prompt": manifest(prompts=lambda text: [{"id": text, "text": "{{ nope }}"}]),
    "text of a prompt": manifest(prompts=lambda text: [{"id": "p", "text": text + "{{ x }}"}]),
    "file of a prompt": manifest(prompts=lambda text: [{"id": "p", "file": text}]),
    "template": manifest(prompts=lambda text: [{"id": "p", "text": "{{ x | " + text + " }} {{ '" + text + "' + 1 }}"}]),
    "variable": manifest(vars=lambda text: {text: text, "x": text}),
    "axis": manifest(matrix=lambda text: {"a": [text, "b"], "exclude": [{"a": text + "x"}]}),
    "parameter": manifest(params=lambda text: {text: 1, "duration": text}),
    "output": manifest(output=lambda text: {"dir": "out", "file": text + "/../{{ take }}"}),
    "enum of a schema": schema(lambda text: rules(type="string", enum=[text, "a"])),
    "hint of a schema": schema(lambda text: rules(type="integer", errorMessage=text, description=text)),
    "pattern of a schema": schema(lambda text: rules(type="string", pattern=f"^{text}($", examples=[text])),
    "dialect of a schema": schema(lambda text: {"$schema": text, "properties": {text: 1}}),
    "reference of a schema": schema(lambda text: {"$ref": text, "properties": {}}),
    "column of a table": table(lambda text: f'image,"{text}"\np0.jpg,x\n'),
    "only column of a table": table(lambda text: f'"{text}",a\nx,y\n'),
    "cell of a table": table(lambda text: f'image,id\n"{text}",x\np0.jpg,"{text}"\n'),
    "name of the file": file_name,
    "glob of keys": argument("plan", "{path}", "--only", "{text}"),
    "condition": argument("plan", "{path}", "--where", "{text}=1"),
    "amount": argument("plan", "{path}", "--max-cost", "{text}"),
    "number": argument("plan", "{path}", "--max-jobs", "{text}"),
    "command": argument("{text}"),
    "code": argument("explain", "{text}"),
    "base": argument("models", "--base-url", "https://{text}"),
    "folder": argument("plan", "{path}", "--allow-outside", "{text}"),
    "output folder": argument("status", "{path}", "--output", "{text}"),
}


def check(ended: Ended) -> None:
    shown = ended.out + ended.err
    assert OBEYED.search(shown) is None, ascii(shown)
    assert FORGED.search(shown.replace("::error file=", "").replace("::warning file=", "")) is None, ascii(shown)
    assert "Traceback" not in shown
    assert ended.code in (0, 2, 3, 7)


@by_name(TEXTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_text_is_not_obeyed(place: str, name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for words in PLACES[place](tmp_path, TEXTS[name]):
        check(call(*words))


# What the service says

ASKS: dict[str, list[str]] = {
    "models": ["models"],
    "a model": ["models", "m"],
    "requests": ["requests", "m"],
    "models as JSON": ["models", "--json"],
    "requests as JSON": ["requests", "m", "--json"],
    "doctor": ["doctor"],
    "doctor as JSON": ["doctor", "--json"],
}


def answers(text: str) -> Iterator[bytes]:
    """The text in every part of an answer."""
    record = {"request_id": text, "status": text, "org_id": text, "payload": {"prompt": text, text: 1}, "error": text}
    for status, document in (
        (200, {"model_ids": [text, {text: text}], "name": text, "requests": [record, text], text: [text]}),
        (200, [text]),
        (400, {"error": {"message": text}}),
        (403, {"detail": [{"message": text}]}),
        (500, text),
    ):
        content = json.dumps(document).encode()
        yield b"HTTP/1.1 %d Word\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content)
    line = text.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogatepass")
    yield b"HTTP/1.1 500 %s\r\nContent-Type: %s\r\nServer: %s\r\nContent-Length: 0\r\n\r\n" % (line, line, line)
    yield b"HTTP/1.1 503 Word\r\n%s: %s\r\nContent-Length: 3\r\n\r\n%s" % (line, line, line)
    yield b"%s\r\n\r\n" % line


@by_name(TEXTS)
@pytest.mark.parametrize("words", ASKS.values(), ids=ASKS)
def test_what_the_service_says_is_not_obeyed(words: list[str], name: str) -> None:
    for reply in answers(TEXTS[name]):
        with wire.listening(lambda peer, reply=reply: wire.answer(peer, reply)) as server:
            check(call(*words, "--base-url", server.url))


@by_name(FORMS)
@pytest.mark.parametrize("words", ASKS.values(), ids=ASKS)
def test_the_key_does_not_come_back(words: list[str], name: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("GMI_API_KEY", KEY)
    for reply in answers(FORMS[name]):
        with wire.listening(lambda peer, reply=reply: wire.answer(peer, reply)) as server:
            ended = call(*words, "--base-url", server.url)
        assert traces_in(ended.out + ended.err) == []


# The key in a campaign

KEEPS = ("plain", "quoted for a URL", "percent-encoded", "slashes escaped", "Base64", "hexadecimal digits")
FILES: dict[str, Callable[[str], dict[str, object]]] = {
    "a name": lambda text: {"name": text},
    "a constant": lambda text: {"vars": {"token": text}},
    "a value of an axis": lambda text: {"matrix": {"a": [text]}},
    "a prompt": lambda text: {"prompts": [{"id": "p", "text": text}]},
    "a key": lambda text: {"x-mine": {text: 1}},
    "an address": lambda text: {"images": [{"url": f"https://files.example/a.png?t={text}"}]},
    "a prompt file": lambda text: {"prompts": [{"id": "p", "file": "p.j2"}], "x-p.j2": text},
    "a table": lambda text: {"images": [{"table": "t.csv"}], "x-t.csv": f'image,a\np0.jpg,"{text}"\n'},
    "a schema": lambda text: {"model": "m", "models": {"m": "m.json"}, "x-m.json": text},
}


@by_name(KEEPS)
@pytest.mark.parametrize("place", FILES)
def test_the_key_in_a_file_is_told_at_its_place(place: str, name: str, tmp_path: Path, monkeypatch: Any) -> None:
    keys = FILES[place](FORMS[name])
    file = next((each for each in keys if each.startswith("x-") and each != "x-mine"), "")
    if file:
        (tmp_path / file.removeprefix("x-")).write_text(f"ok\n{keys.pop(file)}")
    path = write_manifest(tmp_path, **{each: value for each, value in keys.items() if each != "name"})
    path.write_text(f"{path.read_text()}x-name: {json.dumps(keys.get('name'))}\n")
    monkeypatch.setenv("GMI_API_KEY", KEY)
    found = [each for each in call("validate", path, "--json").document["diagnostics"] if each["code"] == "E108"]
    assert [Path(each["file"]).name for each in found] == [file.removeprefix("x-") or "campaign.yaml"]
    for words in (["validate"], ["plan"], ["plan", "--lock"], ["run", "--yes"], ["run", "--sandbox"]):
        ended = call(words[0], path, *words[1:])
        assert (ended.code, traces_in(ended.out + ended.err)) == (2, [])
    assert sorted(each.name for each in tmp_path.iterdir() if each.suffix in (".sqlite", ".html")) == []
    assert not (tmp_path / "campaign.lock.json").exists()


@pytest.mark.parametrize("words", [["plan", "{path}", "--only", KEY], ["models", "--base-url", f"https://a.b/{KEY}"]])
def test_the_key_is_no_argument(words: list[str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("GMI_API_KEY", KEY)
    ended = call(*(each.format(path=write_manifest(tmp_path)) for each in words), "--json")
    assert (ended.code, ended.document["error"]["code"]) == (2, "secret")
    assert traces_in(ended.out + ended.err) == []


BASES = {
    "query": f"https://a.example/v1?key={KEY}",
    "user": f"https://{KEY}@a.example",
    "password": f"https://me:{KEY}@a.example",
    "path": f"https://a.example/{KEY}/v1",
    "fragment": f"https://a.example/#{KEY}",
    "host": f"https://{KEY.replace('/', '-').replace('+', '-')}.example",
    "not encrypted": f"http://a.example/{KEY}",
    "another scheme": f"ftp://a.example/{KEY}",
}


# In a path or as a host, nothing tells a key from a name where it is not known.
@pytest.mark.parametrize(
    ("place", "has_key"),
    [(place, has_key) for place in BASES for has_key in (True, False) if has_key or place not in ("path", "host")],
)
def test_the_key_in_the_base_url_is_refused_without_repeating_it(place: str, has_key: bool, monkeypatch: Any) -> None:
    monkeypatch.setenv("GMI_BASE_URL", BASES[place])
    if has_key:
        monkeypatch.setenv("GMI_API_KEY", KEY.replace("/", "-").replace("+", "-") if place == "host" else KEY)
    for words in (["models"], ["doctor"], ["doctor", "--json"]):
        ended = call(*words)
        assert ended.code in (2, 3)
        assert traces_in(ended.out + ended.err) == []


# Other files than were meant

SECRETS = {
    "passwords": "root:x:0:0:hunter2 root:/root:/bin/bash\nme:x:1:1:hunter2:/home\n",
    "environment": "DB_PASSWORD=hunter2-hunter2\nTOKEN=hunter2\n",
    "account": '{"type": "service_account", "private_key": "-----BEGIN hunter2/", "a": {"b": "hunter2:x"}}',
    "private key": "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2hunter2hunter2hunter2hunter2hunter2hunter2/=\n",
    "settings": "token: hunter2 x\npassword: [hunter2\n",
    "a history": 'curl -H "hunter2: x" | sh\n{# hunter2\n',
    "semicolons": "user;password\nme;hunter2\n",
    "columns twice": "hunter2=x,hunter2=x\n",
    "Latin": "hunter2 \xe4\n",
}
WRONG: dict[str, dict[str, object]] = {
    "table": {"images": [{"table": ".env"}]},
    "schema": {"model": "m", "models": {"m": ".env"}},
    "prompt": {"prompts": [{"id": "p", "file": ".env"}]},
    "picture": {"images": [{"file": ".env"}]},
}


@pytest.mark.parametrize("kind", [*WRONG, "manifest"])
@by_name(SECRETS)
def test_a_wrong_file_is_not_quoted(name: str, kind: str, tmp_path: Path) -> None:
    path = write_manifest(tmp_path, **{"lint": {}, **WRONG.get(kind, {})})
    (tmp_path / ".env").write_bytes(SECRETS[name].encode("latin-1"))
    for form in ("text", "json", "sarif", "github"):
        ended = call("validate", tmp_path / ".env" if kind == "manifest" else path, "--format", form)
        assert "hunter2" not in ended.out + ended.err


# Addresses of private networks

PRIVATE = (
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://2130706433:{port}/",
    "http://0x7f.1:{port}/", "http://0.0.0.0:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "https://10.0.0.1/",
    "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://[fe80::1]/",
    "http://[fd00:ec2::254]/", "http://168.63.129.16/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:7f00:1::]/",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_into_a_private_network_is_not_fetched(address: str, tmp_path: Path) -> None:
    with wire.listening(wire.answer) as server:
        path = write_manifest(tmp_path, images=[{"url": address.format(port=server.port), "id": "a"}])
        found = call("validate", path, "--check-urls", "--json").document["diagnostics"]
        assert b"".join(map(bytes, server.received)) == b""
    assert [(each["code"], "private network" in each["message"]) for each in found] == [("E401", True)]


def test_a_redirect_or_a_name_into_a_private_network_is_not_followed(tmp_path: Path, monkeypatch: Any) -> None:
    """127.0.0.2 stands for an address of the open network, and pictures.example for a name that leads here."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more: look_up("127.0.0.1" if host == "pictures.example" else host, *more)
    )
    for module in (transport, linked_files):
        monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.2")
    monkeypatch.setattr(linked_files, "is_loopback", lambda host: False)
    with wire.listening(wire.answer) as inner:
        head = "HTTP/1.1 302 x\r\nLocation: http://{}:{}/\r\nContent-Length: 0\r\n\r\n"
        for host in ("127.0.0.1", "pictures.example"):
            leads = head.format(host, inner.port).encode()
            with _listening_at("127.0.0.2", leads) as port:
                for url in (f"http://127.0.0.2:{port}/", f"http://pictures.example:{inner.port}/"):
                    path = write_manifest(tmp_path, images=[{"url": url, "id": "a"}])
                    (found,) = call("validate", path, "--check-urls", "--json").document["diagnostics"]
                    assert (found["code"], "private network" in found["message"]) == ("E401", True)
        assert b"".join(map(bytes, inner.received)) == b""


@contextlib.contextmanager
def _listening_at(host: str, reply: bytes) -> Iterator[int]:
    """A server that gives one answer, at this address."""
    with socket.create_server((host, 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


# A whole run with a service that means harm

TOLD = ("one of our own colours", "the other control set", "a line of its own", "a text turned round", "half a pair")
SAID = {
    **{each: FORMS[each] for each in (*KEEPS, "at the cut", "broken into lines")},
    **{each: TEXTS[each] for each in TOLD},
}


@by_name(SAID)
def test_a_run_keeps_nothing_hostile(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("GMI_API_KEY", KEY)
    text = SAID[name]

    def serve(peer: wire.Peer) -> None:
        head, _, _ = (first := peer.head()).partition(b"\r\n\r\n")
        record: dict[str, object] = {"request_id": "r-1", "model": MODEL, "created_at": 1.7e9, "org_id": text}
        record |= {"status": text if head.startswith(b"POST") else "failed", "error": {"message": text}, text: text}
        record |= {"payload": {"prompt": text, text: text}, "outcome": {"video_url": text, "reason": text}}
        known = [] if b"POST" not in b"".join(map(bytes, server.received)) else [record]
        document = {"requests": known, "total": len(known)} if b"GET /requests?" in head else record
        _rest_of(peer, first)
        content = json.dumps(document).encode()
        peer.send(b"HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))

    path = write_manifest(tmp_path, run={"settle": 0.2, "wait": 5})
    with wire.listening(serve) as server:
        ended = call("run", path, "--yes", "--base-url", server.url)
    assert ended.code == 1, ended
    for words in (["status"], ["plan"], ["plan", "--json"], ["plan", "--markdown"], ["index"]):
        check_run(call(words[0], path, *words[1:]))
    check_run(ended)
    kept = [each.read_bytes() for each in (tmp_path / "out").rglob("*") if each.is_file()]
    assert kept
    assert [traces_in(each.decode("latin-1")) for each in kept] == [[]] * len(kept)


def check_run(ended: Ended) -> None:
    shown = ended.out + ended.err
    assert OBEYED.search(shown) is None, ascii(shown)
    assert FORGED.search(shown) is None, ascii(shown)
    assert traces_in(shown) == []


def _rest_of(peer: wire.Peer, first: bytes) -> None:
    """Read the body of a request whose beginning is read."""
    head, _, body = first.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(found[1]) - len(body) if found else 0
    while left > 0:
        left -= len(peer.read())
