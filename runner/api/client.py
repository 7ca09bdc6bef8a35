"""The calls of the API. None is repeated here, and what an answer means for the job is decided elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from urllib.parse import quote

from urllib3 import BaseHTTPResponse

from runner.api import answer_classes as classes
from runner.api.answer_classes import AnswerClass
from runner.api.answers import Answer, Listing, Remote, Submission, message_of, parsed, remote_of, words_of
from runner.api.body import Body, PictureChangedError
from runner.api.listing import read_listing
from runner.api.service import Connection, Service
from runner.api.transport import CallError, Transport, check_environment
from runner.secret import holds_key, without_key
from runner.version import RELEASE

# The most bytes of an answer. It may echo a picture of 10 MB in Base64, but no valid answer is longer than this.
_ANSWER_BYTES = 64 * 1024 * 1024
# Requests on a page of a list: more than this was never seen to be heeded.
PAGE = 100
# How many read time-outs a whole body may take: each of its bytes comes in time where it drips.
_ANSWER_PATIENCE, _LISTING_PATIENCE = 2.0, 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer: the JSON document (None if there is none), its words, and seconds to wait by its headers."""

    status: int
    document: object
    message: str
    retry_after: float | None
    server: str = ""


class Client:
    """Talks to one service. Thread-safe. An unpickled client opens its own connections."""

    def __init__(self, service: Service) -> None:
        """Raises UsageError if the environment's proxy or certificates cannot be used."""
        check_environment(service.base_url)
        self.service = service
        headers = {
            "User-Agent": f"reelrun/{RELEASE}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        if service.organisation is not None:
            headers["X-Organization-ID"] = service.organisation
        self._transport = Transport((service.connect_timeout, service.read_timeout), headers, service.key)

    def __reduce__(self) -> tuple[type[Client], tuple[Service]]:
        return Client, (self.service,)

    def submit(self, body: Body, permit: Callable[[], None] = lambda: None) -> Submission:
        """POST a request, once. Never raises for what a network can do: what cannot be known is UNKNOWN.

        `permit` is called right before its first byte is sent: where it raises a ReelrunError, none is.
        """
        if holds_key(body.frame().decode(), self.service.key):
            return Submission(AnswerClass.KEY_INSIDE, message="the request would hold the key of the service")
        try:
            with self._call("POST", "/requests", body, permit) as response:
                reply = self._reply(response, self.service.submit_timeout)
        except PictureChangedError as error:
            return Submission(AnswerClass.CHANGED, message=f"{error.message}; {error.hint}")
        except CallError as error:
            return Submission(_unanswered(error), message=str(error), is_silent=True)
        return self._submission(reply)

    def get(self, request_id: str) -> Answer:
        """GET one request."""
        reply = self.fetch_json(f"/requests/{quote(request_id, safe='')}")
        if isinstance(reply, Answer):
            return reply
        remote = remote_of(reply.document) if reply.status == 200 else None
        kind = classes.ASK.get(reply.status, AnswerClass.UNKNOWN)
        message = reply.message
        if kind is AnswerClass.ACCEPTED and (
            remote is None or remote.request_id != request_id or remote.status is None
        ):
            message = "the service gave an answer without a valid request in it"
            kind, remote = AnswerClass.UNKNOWN, None
        return Answer(kind, remote, message=message, retry_after=reply.retry_after)

    def list(self, model: str) -> Listing:
        """GET all requests of a model, page by page, each read as a stream and reduced on the way.

        A page that brings nothing new is the last, whatever the service says of further ones.
        """
        found: dict[str, Remote] = {}
        offset = 0
        deadline = time.monotonic() + _LISTING_PATIENCE * self.service.read_timeout
        while True:
            page = self._page(model, offset, deadline)
            before = len(found)
            found.update((each.request_id, each) for each in page.requests)
            merged = replace(page, requests=tuple(found.values()))
            if not page.is_whole or _is_last(page, len(found)) or len(found) == before:
                return merged
            offset += len(page.requests)

    def page(self, model: str, *, patience: float) -> Listing:
        """GET some requests of a model: at most a hundred if the service heeds that, within `patience` seconds."""
        return self._page(model, 0, time.monotonic() + patience)

    def _page(self, model: str, offset: int, deadline: float) -> Listing:
        place = f"&offset={offset}" if offset else ""
        try:
            with self._call("GET", f"/requests?model_id={quote(model, safe='')}&limit={PAGE}{place}") as response:
                if response.status == 200:
                    return read_listing(response, deadline=deadline, key=self.service.key)
                reply = self._reply(response, self.service.read_timeout)
        except CallError as error:
            return Listing(AnswerClass.UNKNOWN, message=str(error), is_silent=True)
        kind = classes.ASK.get(reply.status, AnswerClass.UNKNOWN)
        return Listing(
            AnswerClass.UNKNOWN if kind is AnswerClass.ACCEPTED else kind,
            message=reply.message,
            retry_after=reply.retry_after,
        )

    def is_sandbox(self) -> bool:
        """Whether the service is our sandbox, which is free: it is on this machine, and its Server header says so."""
        if not self.service.is_loopback:
            return False
        reply = self.fetch_json("/models")
        return isinstance(reply, Reply) and reply.server == "reelrun-sandbox"

    def post_json(self, path: str, document: Mapping[str, str]) -> Reply | Answer:
        """POST to another resource than the requests: to none that buys anything. Returns an Answer if it failed."""
        try:
            with self._transport.call(
                "POST",
                self.service.base_url + path,
                {"Content-Type": "application/json"},
                json.dumps(document).encode(),
            ) as response:
                return self._reply(response, self.service.read_timeout)
        except CallError as error:
            return Answer(_unanswered(error), message=str(error), is_silent=True)

    def fetch_json(self, path: str) -> Reply | Answer:
        """GET any other resource of the API, such as `/models`. Returns an Answer if the call failed."""
        try:
            with self._call("GET", path) as response:
                return self._reply(response, self.service.read_timeout)
        except CallError as error:
            return Answer(_unanswered(error), message=str(error), is_silent=True)

    def _call(
        self, method: str, path: str, body: Body | None = None, permit: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[BaseHTTPResponse]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        timeout = None if body is None else self.service.submit_timeout
        return self._transport.call(
            method, self.service.base_url + path, headers, body, read_timeout=timeout, permit=permit
        )

    def _reply(self, response: BaseHTTPResponse, timeout: float) -> Reply:
        content = _read_bounded(response, time.monotonic() + _ANSWER_PATIENCE * timeout)
        document = parsed(content, self.service.key)
        is_valid = response.status == 200 and isinstance(document, dict)
        words = "" if is_valid else message_of(document) or self._status_line(response)
        headers = response.headers
        retry_after = classes.retry_after(headers.get("Retry-After"), headers.get("Date"))
        return Reply(response.status, document, words, retry_after, headers.get("Server", ""))

    def _status_line(self, response: BaseHTTPResponse) -> str:
        return words_of(without_key(f"{response.status} {response.reason or ''}", self.service.key))

    def _submission(self, reply: Reply) -> Submission:
        kind = classes.SUBMIT.get(reply.status, AnswerClass.UNKNOWN)
        remote, message = remote_of(reply.document), reply.message
        if 200 <= reply.status < 300:
            if remote is None:
                message = f"the service answered {reply.status} without a request id"
            else:
                kind, message = AnswerClass.ACCEPTED, ""
        return Submission(kind, remote, reply.status, message=message, retry_after=reply.retry_after)


def connection_to(service: Service) -> Connection:
    """A connection to a service that is paid unless it is our sandbox. Asking raises AccessError without a key."""

    def is_paid() -> bool:
        # Without a key nothing can be sent, so the user need not be asked.
        service.require_key()
        return not Client(service).is_sandbox()

    return Connection.to(service, is_paid)


def _unanswered(error: CallError) -> AnswerClass:
    return AnswerClass.UNKNOWN if error.is_begun else AnswerClass.UNSENT


def _is_last(page: Listing, count: int) -> bool:
    """Whether the service has no further page. Without a word of it, only a full page is followed by others."""
    if page.has_more is not None:
        return not page.has_more
    return count >= page.total if page.total is not None else len(page.requests) < PAGE


def _read_bounded(response: BaseHTTPResponse, deadline: float) -> bytes:
    """All bytes of an answer; none if it is larger, or takes longer, than any valid answer."""
    content = bytearray()
    while chunk := response.read1(1 << 16, decode_content=True):
        content += chunk
        if len(content) > _ANSWER_BYTES or time.monotonic() > deadline:
            return b""
    return bytes(content)
