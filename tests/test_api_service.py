"""Which service, with which key: what the environment may say, and what is refused before a call is made."""

import hashlib
import runpy

import pytest

from runner.api import service as module
from runner.api.service import DEFAULT_BASE, Connection, Service, checked_base, is_loopback, origin_of
from runner.errors import AccessError, UsageError


def test_without_a_word_it_is_the_vendors_documented_base():
    service = Service.from_environment({})
    assert (service.base_url, service.key, service.organisation) == (DEFAULT_BASE, None, None)
    assert service.name == "https://console.gmicloud.ai:443"


def test_the_environment_says_where_who_and_for_whom():
    environment = {"GMI_BASE_URL": "https://a.example/v1/", "GMI_API_KEY": " sk-1\n", "GMI_ORG_ID": " org-1 "}
    service = Service.from_environment(environment)
    assert (service.base_url, service.key, service.organisation) == ("https://a.example/v1", "sk-1", "org-1")
    assert Service.from_environment(environment, "https://b.example/v1").base_url == "https://b.example/v1"


@pytest.mark.parametrize(
    "base",
    [
        "",
        "a.example/v1",
        "ftp://a.example",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://a.example/v1?key=1",
        "https://a.example/v1#x",
        "https://[::1",
        "https://a.example:99999",
        "https://a.example:port",
        "https://a.example:0",
        "https://a example",
        "https://a.example/\r\nX: y",
        "https://ä.example\udcff",
    ],
)
def test_a_base_that_cannot_be_used_is_a_usage_error(base):
    with pytest.raises(UsageError, match="not usable"):
        checked_base(base)


@pytest.mark.parametrize("base", ["https://user:pw@a.example", "https://pw@a.example", "ftp://u:pw@a.example"])
def test_a_base_with_a_password_is_refused_without_repeating_it(base):
    with pytest.raises(UsageError, match="password") as caught:
        checked_base(base)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("host", ["a.example", "10.0.0.1", "169.254.169.254", "[2001:db8::1]", "127.0.0.1.a.example"])
def test_plain_http_is_for_this_machine_alone(host):
    with pytest.raises(UsageError, match="not encrypted"):
        checked_base(f"http://{host}/v1")


@pytest.mark.parametrize("host", ["localhost", "x.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_this_machine_is_the_sandbox_whatever_its_name(host):
    service = Service(checked_base(f"http://{host}:8000/v1"))
    assert (service.is_loopback, service.name) == (True, "sandbox")
    service.require_key()


def test_both_prefixes_and_both_ways_to_write_a_port_are_one_service():
    bases = [
        "https://a.example/api/v1/apikey",
        "https://a.example:443/api/v1/ie/requestqueue/apikey",
        "https://A.example",
    ]
    assert {Service(base).name for base in bases} == {"https://a.example:443"}
    assert origin_of("http://a.example") == "http://a.example:80"


@pytest.mark.parametrize("key", ["sk 1", "sk-1\nX: y", "sk-\u0416", "sk-\u200b1", "\x7fsk", "sk\x00"])
def test_a_key_that_no_header_carries_is_refused_without_repeating_it(key):
    with pytest.raises(AccessError) as caught:
        Service.from_environment({"GMI_API_KEY": key})
    assert key not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("organisation", ["o 1", "o\r\nX: y", "\u0416"])
def test_an_organisation_that_no_header_carries_is_refused(organisation):
    with pytest.raises(UsageError, match="GMI_ORG_ID"):
        Service.from_environment({"GMI_ORG_ID": organisation})


def test_a_service_elsewhere_needs_a_key():
    service = Service("https://a.example")
    with pytest.raises(AccessError, match="no key"), Connection.to(service).open():
        pytest.fail("it was opened")
    with Connection.to(Service("https://a.example", "sk-1")).open() as opened:
        assert opened.key == "sk-1"
    assert Connection.to(service).name == service.name


def test_whoever_guesses_a_key_pays_for_each_guess():
    as_shipped = runpy.run_path(module.__file__)["Service"]("https://a.example", "sk-1", "org-1")
    dear = hashlib.scrypt(b"sk-1\norg-1", salt=b"salt", n=2**14, r=8, p=1, dklen=16)
    assert as_shipped.digest(b"salt") == dear.hex()


@pytest.mark.parametrize("host", ["", "example.com", "0.0.0.0", "10.0.0.1", "localhost.example", "127.1", "::2"])
def test_what_is_not_this_machine(host):
    assert not is_loopback(host)
