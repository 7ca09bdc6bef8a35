"""Files from wherever links lead: never with the key, never far, never inside a private network."""

import pickle

import pytest

from runner.api.linked_files import BadLinkError, LinkedFiles
from runner.api.transport import CallError
from tests import wire

VIDEO = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5\r\n\r\nvideo"


def redirect(location, status=302):
    return b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location.encode("latin-1"))


def content(files, url, **headers):
    with files.open(url, headers) as response:
        return response.read()


def test_a_link_is_opened_as_it_is_stored_and_without_any_key(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with wire.listening(lambda peer: wire.answer(peer, VIDEO)) as host:
        assert content(LinkedFiles(True), f"{host.url}/a.mp4?sig=1", Range="bytes=3-") == b"video"
    seen = bytes(host.received[0])
    assert seen.startswith(b"GET /a.mp4?sig=1 HTTP/1.1\r\n")
    assert b"\r\nRange: bytes=3-\r\n" in seen
    assert b"\r\nAccept-Encoding: identity\r\n" in seen
    assert b"Authorization" not in seen
    assert b"Cookie" not in seen


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_to_other_hosts_and_relative_ones(status):
    def serve(peer):
        while True:
            head = peer.head()
            if b"GET /a " in head:
                peer.send(redirect("../b?x=1", status))
            elif b"GET /b?x=1 " in head:
                peer.send(redirect(f"http://localhost:{host.port}/c", status))
            else:
                peer.send(VIDEO)

    with wire.listening(serve) as host:
        assert content(LinkedFiles(True), f"{host.url}/a") == b"video"


def test_a_redirect_is_followed_before_its_body_came():
    def serve(peer):
        if b"GET /a " in peer.head():
            peer.send(b"HTTP/1.1 302 x\r\nLocation: /b\r\nContent-Length: 900\r\n\r\n")
            peer.drain()
        else:
            peer.send(VIDEO)

    with wire.listening(serve) as host:
        assert content(LinkedFiles(True, (1.0, 1.0)), f"{host.url}/a") == b"video"


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_answers_are_given_as_they_are(status):
    with (
        wire.listening(lambda peer: wire.answer(peer, redirect("/b", status))) as host,
        LinkedFiles(True).open(host.url, {}) as response,
    ):
        assert response.status == status


def test_a_redirect_to_nowhere_is_given_as_it_is():
    with (
        wire.listening(lambda peer: wire.answer(peer, b"HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n")) as host,
        LinkedFiles(True).open(host.url, {}) as response,
    ):
        assert response.status == 302


def test_following_has_an_end():
    def serve(peer):
        while True:
            peer.head()
            peer.send(redirect("/again"))

    with wire.listening(serve) as host:
        with pytest.raises(BadLinkError, match="more than 5 times"):
            content(LinkedFiles(True), host.url)
        assert b"".join(map(bytes, host.received)).count(b"GET ") == 6


BAD = [
    "",
    "no link",
    "/relative",
    "//127.0.0.1/x",
    "http://",
    "http:///x",
    "http://[::1",
    "http://[x]/",
    "ftp://127.0.0.1/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/plain,x",
    "http://h:port/",
]


@pytest.mark.parametrize("link", BAD)
def test_what_is_no_web_address_is_a_bad_link(link):
    with pytest.raises((BadLinkError, CallError)):
        content(LinkedFiles(True), link)


@pytest.mark.parametrize("no_proxy", ["", "a.example"])
@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:99999/",
        "http://exa\udcffmple.invalid/",
        "http://a b.invalid/",
        "http://\x00/",
        "http://.../",
        "http://" + "a" * 300 + ".invalid/",
        "https://xn--a.invalid/",
        "http://127.0.0.1:1/\udcff",
    ],
)
def test_any_other_link_is_trouble_that_is_known(monkeypatch, link, no_proxy):
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with pytest.raises((BadLinkError, CallError)):
        content(LinkedFiles(True), link)


@pytest.mark.parametrize("target", [each for each in BAD if ":" in each and not each.startswith("//")])
def test_a_redirect_leads_to_web_addresses_alone(target):
    with (
        wire.listening(lambda peer: wire.answer(peer, redirect(target))) as host,
        pytest.raises((BadLinkError, CallError)),
    ):
        content(LinkedFiles(True), host.url)


@pytest.mark.parametrize(
    "link",
    [
        "http://example.com/a.mp4",
        "http://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://a.localhost/x",
    ],
)
def test_links_of_a_service_elsewhere_are_encrypted_and_lead_away_from_this_machine(link):
    with pytest.raises(BadLinkError):
        content(LinkedFiles(False), link)


def test_files_travel_to_another_process_with_what_they_trust():
    assert pickle.loads(pickle.dumps(LinkedFiles(True)))._trusted is True
    with pytest.raises(BadLinkError):
        content(pickle.loads(pickle.dumps(LinkedFiles(False))), "http://127.0.0.1/")
