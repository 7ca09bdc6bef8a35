"""What was sent when a call fails: each kind of trouble on a real socket. UNSENT is repeated, so it must be certain."""

import re
import socket
import ssl

import pytest
import trustme

from runner.api.answer_classes import AnswerClass
from runner.api.body import Body
from runner.api.client import Client
from runner.api.service import Service
from runner.api.transport import CallError, Transport, check_environment
from runner.errors import UsageError
from tests import wire

URL = "https://example.com/shoe.jpg"
BODY = Body("m", {"prompt": "p", "image": URL}, {})
ELSEWHERE = "https://api.service.invalid/v1"
PATIENCE = (2.0, 2.0)


def submit(base, **changes):
    return Client(Service(base, "sk-key", connect_timeout=0.3, read_timeout=0.3, **changes)).submit(BODY)


@pytest.fixture
def authority(tmp_path, monkeypatch):
    made = trustme.CA()
    path = tmp_path / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return made


@pytest.fixture
def proxy(monkeypatch):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    return lambda url: [monkeypatch.setenv(name, url) for name in ("HTTPS_PROXY", "https_proxy")]


def tls(authority, name="localhost"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_call_is_logged_without_what_may_be_secret(caplog):
    caplog.set_level("DEBUG", "runner.api.transport")
    with wire.listening(wire.answer) as server:
        signed = f"{server.url}/clip.mp4?X-Amz-Signature=secret"
        with Transport(PATIENCE, {"X-Secret": "secret"}, "sk-secret").call("POST", signed, body=b"secret"):
            assert re.fullmatch(rf"POST {server.url}/clip\.mp4\?\.\.\.: 200, \d+ ms", caplog.messages[0])
    with pytest.raises(CallError), Transport(PATIENCE, {}).call("GET", f"http://127.0.0.1:{wire.closed_port()}/x"):
        pass
    assert "no connection to 127.0.0.1" in caplog.messages[1]
    assert "secret" not in caplog.text


def test_a_closed_port_is_unsent():
    told = submit(f"http://127.0.0.1:{wire.closed_port()}")
    assert told.kind is AnswerClass.UNSENT
    assert told.message.startswith("no connection to 127.0.0.1: ")


def test_a_name_that_nobody_knows_is_unsent(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    told = submit(ELSEWHERE)
    assert told.kind is AnswerClass.UNSENT
    assert "api.service.invalid" in told.message


def test_a_connection_that_times_out_is_unsent():
    with wire.full_port() as port:
        assert submit(f"http://127.0.0.1:{port}").kind is AnswerClass.UNSENT


@pytest.mark.parametrize("greeting", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_tls_to_a_port_that_speaks_none_is_unsent(greeting):
    def plain(peer):
        peer.send(greeting)
        peer.read()

    with wire.listening(plain) as server:
        assert submit(f"https://localhost:{server.port}").kind is AnswerClass.UNSENT


def test_tls_to_a_silent_port_is_unsent():
    with wire.listening(wire.Peer.drain) as server:
        assert submit(f"https://localhost:{server.port}").kind is AnswerClass.UNSENT


def test_a_certificate_that_nobody_trusts_is_unsent_and_the_key_stays_here():
    with wire.listening(wire.Peer.drain, tls(trustme.CA())) as server:
        told = submit(f"https://localhost:{server.port}")
    assert told.kind is AnswerClass.UNSENT
    assert "certificate" in told.message.lower()
    assert not any(b"sk-key" in each for each in server.received)


def test_a_certificate_of_another_host_is_unsent(authority):
    with wire.listening(wire.Peer.drain, tls(authority, "elsewhere.example")) as server:
        assert submit(f"https://localhost:{server.port}").kind is AnswerClass.UNSENT


def test_trouble_after_the_handshake_is_unknown(authority):
    def hang_up(peer):
        peer.request()

    with wire.listening(hang_up, tls(authority)) as server:
        assert submit(f"https://localhost:{server.port}").kind is AnswerClass.UNKNOWN
        assert any(b"sk-key" in each for each in server.received), "the request did arrive"


@pytest.mark.parametrize("end", [wire.Peer.reset, lambda peer: None], ids=["reset", "closed"])
@pytest.mark.parametrize("when", [wire.Peer.head, wire.Peer.request], ids=["after the head", "after the body"])
def test_an_end_without_an_answer_is_unknown(when, end):
    def handle(peer):
        when(peer)
        end(peer)

    with wire.listening(handle) as server:
        assert submit(server.url).kind is AnswerClass.UNKNOWN
        assert server.connections == 1, "nothing below us repeats a POST"


def test_a_connection_reset_before_a_byte_was_read_is_unknown():
    def unread(peer):
        peer.socket.recv(1, socket.MSG_PEEK)
        peer.reset()

    with wire.listening(unread) as server:
        assert submit(server.url).kind is AnswerClass.UNKNOWN
        assert server.connections == 1


def test_no_answer_in_time_is_unknown():
    with wire.listening(wire.Peer.drain) as server:
        told = submit(server.url)
    assert told.kind is AnswerClass.UNKNOWN
    assert told.message == "the service did not answer in time"


def test_a_reset_on_a_reused_connection_is_unknown():
    def once(peer):
        wire.answer(peer)
        peer.head()
        peer.reset()

    with wire.listening(once) as server:
        client = Client(Service(server.url, read_timeout=2))
        assert client.fetch_json("/models").status == 200
        assert client.submit(BODY).kind is AnswerClass.UNKNOWN
        assert server.connections == 1, "the connection was reused, and the POST was not repeated on a new one"


def test_a_get_is_not_repeated_either():
    def once(peer):
        wire.answer(peer)
        peer.head()
        peer.reset()

    with wire.listening(once) as server:
        client = Client(Service(server.url, read_timeout=2))
        assert client.fetch_json("/models").status == 200
        assert client.get("r-1").kind is AnswerClass.UNKNOWN
        assert server.connections == 1, "whoever asks decides when to ask again"


def test_a_connection_that_died_while_it_was_idle_is_replaced_before_anything_is_sent():
    def once(peer):
        wire.answer(peer)

    with wire.listening(once) as server:
        client = Client(Service(server.url, read_timeout=2))
        for _ in range(3):
            assert client.fetch_json("/models").status == 200
            assert session_sees_the_end(client)


def session_sees_the_end(client):
    """Wait until the end of the pooled connection has arrived."""
    pools = client._transport._session.get_adapter("http://").poolmanager.pools
    connection = pools[next(iter(pools.keys()))].pool.queue[-1]
    return connection.sock.recv(1) == b""


def test_a_proxy_that_is_not_there_is_unsent(proxy):
    proxy(f"http://user:secret@127.0.0.1:{wire.closed_port()}")
    told = submit(ELSEWHERE)
    assert told.kind is AnswerClass.UNSENT
    assert "secret" not in told.message


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_unsent(proxy, reply):
    def refuse(peer):
        peer.head()
        peer.send(reply)

    with wire.listening(refuse) as server:
        proxy(server.url)
        assert submit(ELSEWHERE).kind is AnswerClass.UNSENT
        assert not any(b"sk-key" in each for each in server.received), "the key is not the proxy's"


def test_a_proxy_that_never_answers_is_unsent(proxy):
    with wire.listening(wire.Peer.drain) as server:
        proxy(server.url)
        assert submit(ELSEWHERE).kind is AnswerClass.UNSENT


def test_trouble_inside_a_tunnel_is_told_from_trouble_on_the_way(proxy, authority):
    """The tunnel stands and the handshake is done: what ends after that is unknown."""
    context = tls(authority, "api.service.invalid")

    def tunnel(peer):
        peer.head()
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(peer.socket, server_side=True) as inner:
            inner.recv(100)

    with wire.listening(tunnel) as server:
        proxy(server.url)
        assert submit(ELSEWHERE).kind is AnswerClass.UNKNOWN


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "http://", "://::", "ftp://host", "http://h:99999"])
def test_a_proxy_that_cannot_be_used_is_a_usage_error_before_anything_is_sent(proxy, value):
    proxy(value)
    with pytest.raises(UsageError, match="proxy"):
        check_environment(ELSEWHERE)
    with pytest.raises(UsageError):
        Client(Service(ELSEWHERE, "sk-key"))


def test_a_proxy_without_a_scheme_can_be_used(proxy):
    proxy("127.0.0.1:8080")
    check_environment(ELSEWHERE)


def test_certificates_that_do_not_exist_are_a_usage_error(monkeypatch):
    monkeypatch.setenv("CURL_CA_BUNDLE", "/does/not/exist.pem")
    with pytest.raises(UsageError, match="CURL_CA_BUNDLE"):
        Client(Service(ELSEWHERE, "sk-key"))


def test_this_machine_is_reached_without_a_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{wire.closed_port()}")
    monkeypatch.setenv("NO_PROXY", "elsewhere.example")
    with wire.listening(wire.answer) as server:
        assert submit(server.url).http_status == 200
        assert submit(f"http://localhost:{server.port}").http_status == 200


def test_a_name_in_no_proxy_is_reached_without_one(proxy, monkeypatch):
    with wire.listening(wire.Peer.drain) as server:
        proxy(server.url)
        monkeypatch.setenv("NO_PROXY", "service.invalid")
        assert submit(ELSEWHERE).kind is AnswerClass.UNSENT
        assert server.connections == 0


def test_a_password_for_the_proxy_is_for_the_proxy(proxy):
    def refuse(peer):
        peer.head()
        peer.send(b"HTTP/1.1 407 No\r\n\r\n")

    with wire.listening(refuse) as server:
        proxy(server.url.replace("http://", "http://user:secret@"))
        told = submit(ELSEWHERE)
        assert b"Proxy-Authorization: Basic " in server.received[0]
    assert told.message == "no connection through the proxy: Tunnel connection failed: 407 No"


@pytest.mark.parametrize(
    "url", ["nonsense", "http://", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http://exa mple/"]
)
def test_what_cannot_be_prepared_is_unsent(url):
    with pytest.raises(CallError) as caught, Transport(PATIENCE, {}).call("POST", url):
        pass
    assert not caught.value.is_begun


def test_a_netrc_does_not_stand_in_for_the_key(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with wire.listening(wire.answer) as server:
        submit(server.url)
        Client(Service(server.url)).submit(BODY)
    with_key, without = server.received
    assert b"Authorization: Bearer sk-key\r\n" in with_key
    assert b"Basic" not in with_key
    assert b"authorization" not in without.lower()


def test_cookies_are_not_kept():
    def with_cookie(peer):
        wire.answer(peer, wire.OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: track=1; Path=/\r\n\r\n"))
        wire.answer(peer)

    with wire.listening(with_cookie) as server:
        client = Client(Service(server.url, read_timeout=2))
        client.fetch_json("/models")
        client.fetch_json("/models")
    assert b"cookie" not in b"".join(server.received).lower()
    assert b"".join(server.received).count(b"GET ") == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_session_for_the_public_asks_nothing_of_a_private_network(authority, host):
    with wire.listening(wire.answer, tls(authority)) as server:
        transport = Transport(PATIENCE, {}, public_only=True)
        with (
            pytest.raises(CallError, match="private network"),
            transport.call("GET", f"https://{host}:{server.port}/latest/meta-data"),
        ):
            pass
        assert not any(server.received), "not a byte was sent"


def test_a_session_for_the_public_speaks_no_plain_http():
    with wire.listening(wire.answer) as server:
        with pytest.raises(CallError), Transport(PATIENCE, {}, public_only=True).call("GET", server.url):
            pass
        assert server.connections == 0
