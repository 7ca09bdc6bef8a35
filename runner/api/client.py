"""The calls of the API, each of them once: what an answer means for the job is decided elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from urllib.parse import quote

import urllib3

from runner.api import classes
from runner.api.answers import Answer, Listing, Submission, message_of, parsed, remote_of
from runner.api.body import Body, PictureChangedError
from runner.api.classes import Verdict
from runner.api.listing import read_listing
from runner.api.pictures import Pictures
from runner.api.service import Service
from runner.api.transport import Transport, check_environment, was_unsent
from runner.version import RELEASE

# An answer may echo a picture of 10 MB in Base64; nothing sound is longer than this.
_ANSWER_BYTES = 64 * 1024 * 1024
# How many read time-outs a whole body may take: each of its bytes comes in time where it drips.
_ANSWER_PATIENCE, _LISTING_PATIENCE = 2.0, 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer: the JSON document (None where there is none), its words, and the times in its headers."""

    status: int
    document: object
    message: str
    retry_after: float | None
    date: float | None
    server: str = ""


class Client:
    """Talks to one service. Safe to use from several threads; pickles to a client with connections of its own."""

    def __init__(self, service: Service) -> None:
        """Raises UsageError where the environment's proxy or certificates cannot be used."""
        check_environment(service.base_url)
        self.service = service
        self._transport = Transport()
        self._pictures = Pictures()
        self._timeout = urllib3.Timeout(connect=service.connect_timeout, read=service.read_timeout)
        self._headers = {
            "User-Agent": f"reelrun/{RELEASE}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        if service.key is not None:
            self._headers["Authorization"] = f"Bearer {service.key}"
        if service.organisation is not None:
            self._headers["X-Organization-ID"] = service.organisation

    def __reduce__(self) -> tuple[type[Client], tuple[Service]]:
        return Client, (self.service,)

    def submit(self, body: Body) -> Submission:
        """POST a request, once. Never raises for what a network can do: what cannot be known is Verdict.UNKNOWN."""
        try:
            with self._post("/requests", body) as response:
                reply = self._reply(response)
        except PictureChangedError as error:
            return Submission(Verdict.CHANGED, message=f"{error.message}; {error.hint}")
        except _NETWORK as error:
            return Submission(Verdict.UNSENT if was_unsent(error) else Verdict.UNKNOWN, message=self._words(error))
        return _submission(reply)

    def get(self, request_id: str) -> Answer:
        """GET one request."""
        reply = self._ask(f"/requests/{quote(request_id, safe='')}")
        if isinstance(reply, Answer):
            return reply
        remote = remote_of(reply.document) if reply.status == 200 else None
        verdict = classes.ASK.get(reply.status, Verdict.UNKNOWN)
        message = reply.message
        if verdict is Verdict.ACCEPTED and (remote is None or remote.request_id != request_id or remote.status is None):
            verdict, remote, message = Verdict.UNKNOWN, None, "the service gave an answer without a sound request in it"
        if remote is not None and remote.error:
            remote = replace(remote, error=self._redacted(remote.error))
        return Answer(verdict, remote, message, reply.retry_after, reply.date)

    def list(self, model: str) -> Listing:
        """GET the requests of a model, read as a stream and reduced on the way."""
        try:
            with self._get(f"/requests?model_id={quote(model, safe='')}") as response:
                if response.status == 200:
                    arrived = time.monotonic()
                    deadline = arrived + _LISTING_PATIENCE * self.service.read_timeout
                    listing = read_listing(response, _times(response)[1], deadline=deadline)
                    return replace(listing, skew_from=_carried_on(listing.skew_from, arrived))
                reply = self._reply(response)
        except _NETWORK as error:
            return Listing(Verdict.UNKNOWN, message=self._words(error))
        verdict = classes.ASK.get(reply.status, Verdict.UNKNOWN)
        return Listing(
            Verdict.UNKNOWN if verdict is Verdict.ACCEPTED else verdict,
            message=reply.message,
            retry_after=reply.retry_after,
            skew_from=reply.date,
        )

    def is_sandbox(self) -> bool:
        """Whether the service is our sandbox, which never costs anything: on this machine, and saying so."""
        if not self.service.is_loopback:
            return False
        reply = self._ask("/models")
        return isinstance(reply, Reply) and reply.server == "reelrun-sandbox"

    def fetch_json(self, path: str) -> Reply | Answer:
        """GET any other resource of the API, such as `/models`; an Answer tells of trouble on the way."""
        return self._ask(path)

    def _ask(self, path: str) -> Reply | Answer:
        try:
            with self._get(path) as response:
                return self._reply(response)
        except _NETWORK as error:
            return Answer(Verdict.UNSENT if was_unsent(error) else Verdict.UNKNOWN, message=self._words(error))

    def _post(self, path: str, body: Body) -> AbstractContextManager[urllib3.BaseHTTPResponse]:
        """POST, once."""
        headers = {**self._headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
        blocks = self._pictures.stream(body)
        return closing(self._transport.call("POST", self.service.base_url + path, headers, self._timeout, blocks))

    def _get(self, path: str) -> AbstractContextManager[urllib3.BaseHTTPResponse]:
        return closing(self._transport.get(self.service.base_url + path, self._headers, self._timeout))

    def _reply(self, response: urllib3.BaseHTTPResponse) -> Reply:
        arrived = time.monotonic()
        document = parsed(_bounded(response, arrived + _ANSWER_PATIENCE * self.service.read_timeout))
        retry_after, date = _times(response)
        date = _carried_on(date, arrived)
        is_sound = response.status == 200 and isinstance(document, dict)
        words = "" if is_sound else message_of(document) or f"{response.status} {response.reason or ''}".strip()
        server = response.headers.get("Server", "")
        return Reply(response.status, document, self._redacted(words), retry_after, date, server)

    def _words(self, error: Exception) -> str:
        """Why a call failed, without the noise of the libraries and without the key."""
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            return "the service did not answer in time"
        inner: BaseException = error
        while nested := next((each for each in (getattr(inner, "reason", None), *inner.args) if _is_error(each)), None):
            inner = nested
        return self._redacted(" ".join(str(inner).split())[:300]) or type(inner).__name__

    def _redacted(self, words: str) -> str:
        return words.replace(self.service.key, "[key]") if self.service.key else words


# What a network can do to a call, whoever of the libraries says it.
_NETWORK = (urllib3.exceptions.HTTPError, OSError)


def _is_error(value: object) -> bool:
    return isinstance(value, BaseException)


def _submission(reply: Reply) -> Submission:
    request_id = status = None
    verdict = classes.SUBMIT.get(reply.status, Verdict.UNKNOWN)
    message = reply.message
    if 200 <= reply.status < 300:
        remote = remote_of(reply.document)
        if remote is None:
            message = f"the service answered {reply.status} without a request id"
        else:
            verdict, request_id, status, message = Verdict.ACCEPTED, remote.request_id, remote.status, ""
    return Submission(verdict, request_id, status, reply.status, message, reply.retry_after, reply.date)


def _times(response: urllib3.BaseHTTPResponse) -> tuple[float | None, float | None]:
    """Retry-After in seconds, and the service's time of the answer in Unix seconds."""
    date = classes.http_date(response.headers.get("Date"))
    return classes.retry_after(response.headers.get("Retry-After"), date if date is not None else time.time()), date


def _carried_on(date: float | None, arrived: float) -> float | None:
    """The service's time now, by what it was when the headers arrived: a long body takes its time."""
    return None if date is None else date + time.monotonic() - arrived


def _bounded(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """All of an answer's bytes, or none of them where it is longer, or takes longer, than any sound answer."""
    content = bytearray()
    while chunk := response.read1(1 << 16, decode_content=True):
        content += chunk
        if len(content) > _ANSWER_BYTES or time.monotonic() > deadline:
            return b""
    return bytes(content)
