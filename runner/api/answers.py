"""Answers of the service as records. Nothing in an answer is trusted: a value of the wrong type is left out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field

from runner.api.answer_classes import AnswerClass
from runner.media import encoded_replaced
from runner.model import Variables
from runner.secret import REMOVED, cleaned, without_signatures

# Texts of the service are shown to people. They are cut to this many characters.
_WORDS = 500
_MESSAGES = ("error", "message", "detail", "reason", "error_message")
# The most levels of a document. An answer has about five; what compares payloads calls itself for each.
MOST_DEPTH = 100
_FINAL = frozenset(("success", "failed", "cancelled"))


@dataclass(frozen=True, slots=True)
class Told:
    """What every call tells. `retry_after` is in seconds, None if it is not told. `is_silent`: there was no answer."""

    kind: AnswerClass
    _: KW_ONLY
    message: str = ""
    retry_after: float | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Submission(Told):
    """The answer to a POST. `remote` is the request that it tells of: a sync model answers with the finished one."""

    remote: Remote | None = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """A request as the service reports it.

    `payload` is the echo of what was sent, with each picture replaced by its reference or by CUT_SHORT; None if there
    is no echo. The links may be signed, so they are kept in memory only. `further_urls` are those of more videos.
    """

    request_id: str
    model: str | None = None
    status: str | None = None
    organisation: str | None = None
    created_at: float | None = None
    updated_at: float | None = None
    payload: Variables | None = None
    video_url: str | None = field(default=None, repr=False)
    further_urls: tuple[str, ...] = field(default=(), repr=False)
    thumbnail_url: str | None = field(default=None, repr=False)
    error: str = ""

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL


@dataclass(frozen=True, slots=True)
class Answer(Told):
    """The answer to a GET of one request. `remote` is set if `kind` is ACCEPTED."""

    remote: Remote | None = None


@dataclass(frozen=True, slots=True)
class Listing(Told):
    """The answer to a listing. `is_whole`: it was read to its end, and every entry of it has a valid shape.

    `total` and `has_more` are None if the service does not tell them.
    """

    requests: tuple[Remote, ...] = ()
    total: int | None = None
    has_more: bool | None = None
    is_whole: bool = False


def text_of(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def words_of(value: object) -> str:
    """A text of the service that is safe to show and store: without signatures, control characters and lone
    surrogates."""
    text = " ".join(without_signatures(value).split())[:_WORDS] if isinstance(value, str) else ""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def number_of(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e15 else None  # type: ignore[arg-type]


def message_of(document: object, depth: int = 4) -> str:
    """The message of an error answer or a failed request: a text under one of several names, maybe a few levels in."""
    if isinstance(document, dict) and depth:
        for name in _MESSAGES:
            words = message_of(document.get(name), depth - 1)
            if words:
                return words
    if isinstance(document, list) and document and depth:
        return message_of(document[0], depth - 1)
    return words_of(document)


def remote_of(document: object) -> Remote | None:
    """Read a request object of the service. None if it has no valid request id."""
    if not isinstance(document, dict):
        return None
    request_id = text_of(document.get("request_id")) or text_of(document.get("id"))
    # Two ids from which the key was taken out might be one.
    if request_id is None or len(request_id) > 200 or not request_id.isprintable() or REMOVED in request_id:
        return None
    outcome = document.get("outcome")
    outcome = outcome if isinstance(outcome, dict) else {}
    video_url, *further_urls = _video_urls(outcome) or (None,)
    return Remote(
        request_id=request_id,
        model=text_of(document.get("model")),
        status=words_of(document.get("status"))[:100] or None,
        organisation=words_of(document.get("org_id")) or None,
        created_at=number_of(document.get("created_at")),
        updated_at=number_of(document.get("updated_at")),
        payload=_echo(document.get("payload")),
        video_url=video_url,
        further_urls=tuple(each for each in further_urls if each is not None),
        thumbnail_url=text_of(outcome.get("thumbnail_image_url")),
        error=message_of(document) or message_of(outcome),
    )


def _video_urls(outcome: dict[str, object]) -> tuple[str, ...]:
    """The links to the videos of an outcome, each once. The thumbnail is one of them only where it is the sole link."""
    told = [outcome.get("video_url")]
    for several in (outcome.get("media_urls"), outcome.get("medias")):
        told += several if isinstance(several, list) else [several]
    links = [link for each in [*told, outcome.get("url")] if (link := _link(each))]
    still = text_of(outcome.get("thumbnail_image_url"))
    return tuple(dict.fromkeys(link for place, link in enumerate(links) if place == 0 or link != still))


def _link(media: object) -> str | None:
    return text_of(media.get("url")) if isinstance(media, dict) else text_of(media)


def _echo(payload: object) -> Variables | None:
    if not isinstance(payload, dict):
        return None
    return {str(name): encoded_replaced(value, reference_of) for name, value in payload.items()}


# Stands for an echoed picture that is neither a URL nor a complete picture.
CUT_SHORT = "cut short"


def reference_of(encoded: str) -> str:
    """The reference of an echoed file: the hash of a complete one, or CUT_SHORT."""
    try:
        content = base64.b64decode(encoded.partition(",")[2] if encoded.startswith("data:") else encoded, validate=True)
    except (binascii.Error, ValueError):
        return CUT_SHORT
    return f"sha256:{hashlib.sha256(content).hexdigest()}" if _is_whole(content) else CUT_SHORT


def _is_whole(content: bytes) -> bool:
    """Whether a picture ends as its format does: JPEG with EOI, PNG with IEND, WebP and BMP where they say.

    The hash of a picture that was cut short would look like the hash of another picture.
    """
    if content.startswith(b"\xff\xd8"):
        return content.rstrip(b"\0\r\n").endswith(b"\xff\xd9")
    if content.startswith(b"\x89PNG"):
        return b"IEND\xaeB`\x82" in content[-64:]
    if content.startswith(b"RIFF"):
        return len(content) >= int.from_bytes(content[4:8], "little") + 8
    if content.startswith(b"BM"):
        return len(content) >= int.from_bytes(content[2:6], "little")
    return content.startswith(b"GIF8") and content.rstrip(b"\0").endswith(b";")


def parsed(content: bytes, key: str | None = None) -> object:
    """The parsed JSON document without the key; None if it is not valid, or has more than MOST_DEPTH levels."""
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return cleaned(document, key) if _is_shallow(document) else None


def _is_shallow(document: object) -> bool:
    level = [document]
    for _ in range(MOST_DEPTH):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, (dict, list))]
        if not level:
            return True
    return False


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
