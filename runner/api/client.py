"""The calls of the API. None is repeated here, and what an answer means for the job is decided elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from urllib.parse import quote

from urllib3 import BaseHTTPResponse

from runner.api import answer_classes as classes
from runner.api.answer_classes import AnswerClass
from runner.api.answers import Answer, Listing, Submission, message_of, parsed, remote_of
from runner.api.body import Body, PictureChangedError
from runner.api.listing import read_listing
from runner.api.service import Service
from runner.api.transport import CallError, Transport, check_environment
from runner.version import RELEASE

# The most bytes of an answer. It may echo a picture of 10 MB in Base64, but no valid answer is longer than this.
_ANSWER_BYTES = 64 * 1024 * 1024
# The time limit of a whole body, in read time-outs. A read time-out does not end a body that arrives byte by byte.
_ANSWER_PATIENCE, _LISTING_PATIENCE = 2.0, 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP answer: its JSON document (None if there is none), its error message, the times in headers."""

    status: int
    document: object
    message: str
    retry_after: float | None
    date: float | None
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

    def submit(self, body: Body) -> Submission:
        """POST a request, once. Network errors are not raised: if the request may have been accepted, `kind` is
        AnswerClass.UNKNOWN."""
        try:
            with self._call("POST", "/requests", body) as response:
                reply = self._reply(response)
        except PictureChangedError as error:
            return Submission(AnswerClass.CHANGED, message=f"{error.message}; {error.hint}")
        except CallError as error:
            return Submission(_unanswered(error), message=self._redacted(str(error)))
        return _submission(reply)

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
            kind, remote, message = (
                AnswerClass.UNKNOWN,
                None,
                "the service gave an answer without a valid request in it",
            )
        if remote is not None and remote.error:
            remote = replace(remote, error=self._redacted(remote.error))
        return Answer(kind, remote, message=message, retry_after=reply.retry_after, skew_from=reply.date)

    def list(self, model: str) -> Listing:
        """GET the requests of a model. The answer is read as a stream, and only what is needed is kept."""
        try:
            with self._call("GET", f"/requests?model_id={quote(model, safe='')}") as response:
                if response.status == 200:
                    arrived = time.monotonic()
                    deadline = arrived + _LISTING_PATIENCE * self.service.read_timeout
                    listing = read_listing(response, deadline=deadline)
                    return replace(listing, skew_from=_service_time(_times(response)[1], arrived))
                reply = self._reply(response)
        except CallError as error:
            return Listing(AnswerClass.UNKNOWN, message=self._redacted(str(error)))
        kind = classes.ASK.get(reply.status, AnswerClass.UNKNOWN)
        return Listing(
            AnswerClass.UNKNOWN if kind is AnswerClass.ACCEPTED else kind,
            message=reply.message,
            retry_after=reply.retry_after,
            skew_from=reply.date,
        )

    def is_sandbox(self) -> bool:
        """Whether the service is our sandbox, which is free: it is on this machine, and its Server header says so."""
        if not self.service.is_loopback:
            return False
        reply = self.fetch_json("/models")
        return isinstance(reply, Reply) and reply.server == "reelrun-sandbox"

    def fetch_json(self, path: str) -> Reply | Answer:
        """GET any other resource of the API, such as `/models`. Returns an Answer if the call failed."""
        try:
            with self._call("GET", path) as response:
                return self._reply(response)
        except CallError as error:
            return Answer(_unanswered(error), message=self._redacted(str(error)))

    def _call(self, method: str, path: str, body: Body | None = None) -> AbstractContextManager[BaseHTTPResponse]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self._transport.call(method, self.service.base_url + path, headers, body)

    def _reply(self, response: BaseHTTPResponse) -> Reply:
        arrived = time.monotonic()
        document = parsed(_read_bounded(response, arrived + _ANSWER_PATIENCE * self.service.read_timeout))
        retry_after, date = _times(response)
        date = _service_time(date, arrived)
        is_valid = response.status == 200 and isinstance(document, dict)
        words = "" if is_valid else message_of(document) or f"{response.status} {response.reason or ''}".strip()
        server = response.headers.get("Server", "")
        return Reply(response.status, document, self._redacted(words), retry_after, date, server)

    def _redacted(self, words: str) -> str:
        return words.replace(self.service.key, "[key]") if self.service.key else words


def _unanswered(error: CallError) -> AnswerClass:
    return AnswerClass.UNKNOWN if error.is_begun else AnswerClass.UNSENT


def _submission(reply: Reply) -> Submission:
    request_id = status = None
    kind = classes.SUBMIT.get(reply.status, AnswerClass.UNKNOWN)
    message = reply.message
    if 200 <= reply.status < 300:
        remote = remote_of(reply.document)
        if remote is None:
            message = f"the service answered {reply.status} without a request id"
        else:
            kind, request_id, status, message = AnswerClass.ACCEPTED, remote.request_id, remote.status, ""
    return Submission(
        kind,
        request_id,
        status,
        reply.status,
        message=message,
        retry_after=reply.retry_after,
        skew_from=reply.date,
    )


def _times(response: BaseHTTPResponse) -> tuple[float | None, float | None]:
    """Retry-After in seconds, and the service's time of the answer in Unix seconds."""
    date = classes.http_date(response.headers.get("Date"))
    return classes.retry_after(response.headers.get("Retry-After"), date if date is not None else time.time()), date


def _service_time(date: float | None, arrived: float) -> float | None:
    """The service's time now, from its time when the headers arrived: reading a long body takes time."""
    return None if date is None else date + time.monotonic() - arrived


def _read_bounded(response: BaseHTTPResponse, deadline: float) -> bytes:
    """All bytes of an answer; none if it is larger, or takes longer, than any valid answer."""
    content = bytearray()
    while chunk := response.read1(1 << 16, decode_content=True):
        content += chunk
        if len(content) > _ANSWER_BYTES or time.monotonic() > deadline:
            return b""
    return bytes(content)
