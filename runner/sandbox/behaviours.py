"""The ways of the real queue that the sandbox plays when it is told to, beside its plain one.

The help of the command line lists them, so this imports none of the packages that the sandbox needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from runner.errors import ServiceError

if TYPE_CHECKING:
    from runner.sandbox.records import Request

Document: TypeAlias = dict[str, Any]  # JSON
Change: TypeAlias = Callable[[Document, "Request"], Document]


@dataclass(frozen=True, slots=True)
class Mishap:
    """What befalls the second of every so many submissions, each of which is accepted.

    With `error` its request fails with these words. The answer has `status`, or is lost on its way.
    """

    every: int = 0
    error: str = ""
    status: int = 200
    is_lost: bool = False

    def befalls(self, number: int) -> bool:
        return self.every > 0 and number % self.every == 2


@dataclass(frozen=True, slots=True)
class Ways:
    """How the queue behaves. The defaults are the plain way."""

    changes: tuple[Change, ...] = ()  # of a request as answers show it
    mishaps: tuple[Mishap, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()  # in place of a Date
    is_sync: bool = False  # a POST is held until its request is final
    has_workers: bool = True
    credits: int | None = None  # so many requests are accepted
    most_listed: int | None = None  # requests on a page of the list
    tells_total: bool = True  # else the list tells whether it goes on
    lag: float = 0.0  # seconds until the list shows a request
    id_prefix: str = ""
    container: str = "mp4"

    def shown(self, document: Document, request: Request) -> Document:
        """A request as this queue shows it."""
        for change in self.changes:
            document = change(document, request)
        return document

    def mishap(self, number: int) -> Mishap:
        """What befalls the submission with this number."""
        return next((each for each in self.mishaps if each.befalls(number)), Mishap())


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way of the queue that differs, in words and in what it changes."""

    about: str
    ways: Ways


def ways_of(names: Sequence[str]) -> Ways:
    """All of these ways at once. Raises ServiceError for a name that is not in the table."""
    unknown = [name for name in names if name not in BEHAVIOURS]
    if unknown:
        raise ServiceError(f"the sandbox has no behaviour {unknown[0]!r}", f"it has {', '.join(BEHAVIOURS)}")
    merged: Document = {}
    for ways in (BEHAVIOURS[name].ways for name in names):
        for name, value in _differences(ways).items():
            merged[name] = merged.get(name, ()) + value if isinstance(value, tuple) else value
    return Ways(**merged)


def _differences(ways: Ways) -> Document:
    values = {field.name: (getattr(ways, field.name), field.default) for field in fields(ways)}
    return {name: value for name, (value, default) in values.items() if value != default}


def _echo(change: Callable[[Document, Request], Document]) -> Ways:
    """The payload of a request is echoed otherwise than it was sent."""

    def changed(document: Document, request: Request) -> Document:
        echo = document.get("payload")
        return document if echo is None else document | {"payload": change(echo, request)}

    return Ways(changes=(changed,))


def _outcome(change: Callable[[str, Document], Document]) -> Ways:
    """The outcome of a success has another shape: `change` is told the link of the video."""

    def changed(document: Document, request: Request) -> Document:
        outcome = document.get("outcome")
        return document | {"outcome": change(_link(outcome), outcome)} if outcome else document

    return Ways(changes=(changed,))


def _link(outcome: Document) -> str:
    return str(outcome["video_url"] if "video_url" in outcome else outcome["media_urls"][0]["url"])


def _nothing(echo: Document, request: Request) -> Document:
    return {}


def _without_pictures(echo: Document, request: Request) -> Document:
    return {name: value for name, value in echo.items() if name not in json.loads(request.pictures)}


def _prompt_alone(echo: Document, request: Request) -> Document:
    return {name: value for name, value in echo.items() if name == "prompt"}


def _rewritten(echo: Document, request: Request) -> Document:
    return echo | {"prompt": f"Cinematic: {echo.get('prompt')}"}


def _two_videos(link: str, outcome: Document) -> Document:
    return {"media_urls": [{"id": str(number), "url": f"{link}?{number}"} for number in range(2)]}


def _video_as_thumbnail(link: str, outcome: Document) -> Document:
    return outcome | {"thumbnail_image_url": link}


def _milliseconds(document: Document, request: Request) -> Document:
    return document | {name: document[name] * 1000 for name in ("created_at", "updated_at", "queued_at")}


def _reason_object(document: Document, request: Request) -> Document:
    words = document.pop("error", None)
    reason = {"code": 400, "message": words, "status": "INVALID_ARGUMENT"}
    return document | {"outcome": {"error": reason}} if words else document


def _id_alone(document: Document, request: Request) -> Document:
    return {"id" if name == "request_id" else name: value for name, value in document.items()}


def _alias(document: Document, request: Request) -> Document:
    return document | {"model": f"vendor/{request.model.lower()}"}


_RATE_LIMIT = Mishap(3, "rate limit exceeded(RPM)")
_BACKEND_ERROR = Mishap(3, "Backend error (400)", 500)
_OLD_DATE = (("date", "Wed, 01 Jan 2025 00:00:00 GMT"), ("age", "31536000"))
BEHAVIOURS = {
    "sync": Behaviour("a POST is held and answers with the finished record", Ways(is_sync=True)),
    "no-credits": Behaviour("402 from the third request on", Ways(credits=2)),
    "rate-limit": Behaviour("some requests fail by a rate limit", Ways(mishaps=(_RATE_LIMIT,))),
    "backend-error": Behaviour("some POSTs answer 500 and leave a failed record", Ways(mishaps=(_BACKEND_ERROR,))),
    "lost-answers": Behaviour("a tenth of the answers to POSTs is lost", Ways(mishaps=(Mishap(10, is_lost=True),))),
    "never-starts": Behaviour("requests stay queued", Ways(has_workers=False)),
    "paging": Behaviour("pages of at most 100, with has_more", Ways(most_listed=100, tells_total=False)),
    "total": Behaviour("pages of at most 100, with a total", Ways(most_listed=100)),
    "lag": Behaviour("the list shows a request after 30 seconds", Ways(lag=30.0)),
    "milliseconds": Behaviour("times are in milliseconds", Ways(changes=(_milliseconds,))),
    "wrong-date": Behaviour("the Date header is an old one", Ways(headers=_OLD_DATE)),
    "empty-echo": Behaviour("the payload is echoed as {}", _echo(_nothing)),
    "hidden-picture": Behaviour("pictures are left out of the echo", _echo(_without_pictures)),
    "short-echo": Behaviour("the echo has the prompt alone", _echo(_prompt_alone)),
    "rewritten-prompt": Behaviour("the echo has another prompt", _echo(_rewritten)),
    "model-alias": Behaviour("records name the model otherwise", Ways(changes=(_alias,))),
    "opaque-ids": Behaviour("request ids are texts of any kind", Ways(id_prefix="g7.\N{SNOWMAN} %41+=~:")),
    "id-alone": Behaviour("request ids are told as 'id'", Ways(changes=(_id_alone,))),
    "reason-object": Behaviour("failures tell their reason in an object", Ways(changes=(_reason_object,))),
    "media-urls": Behaviour("videos in media_urls", _outcome(lambda link, _: {"media_urls": [{"url": link}]})),
    "media-urls-text": Behaviour("links as plain texts", _outcome(lambda link, _: {"media_urls": [link]})),
    "several-videos": Behaviour("two videos in an outcome", _outcome(_two_videos)),
    "thumbnail-is-video": Behaviour("the thumbnail is the video", _outcome(_video_as_thumbnail)),
    "no-link": Behaviour("a success without any media", _outcome(lambda link, _: {"status": "success"})),
    "webm": Behaviour("videos are WebM, in links that say mp4", Ways(container="webm")),
    "mov": Behaviour("videos are QuickTime, in links that say mp4", Ways(container="mov")),
    "mkv": Behaviour("videos are Matroska, in links that say mp4", Ways(container="matroska")),
    "gif": Behaviour("videos are GIFs, in links that say mp4", Ways(container="gif")),
}
