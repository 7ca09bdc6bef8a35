"""The table of what HTTP answers mean. There is no other."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC
from enum import Enum


class AnswerClass(Enum):
    """What is known after a call."""

    ACCEPTED = "accepted"  # POST: the answer has a request id; GET: there is an answer
    BUSY = "busy"  # certainly not accepted; repeat it later
    UNSENT = "unsent"  # no byte of the request was sent; repeat it later
    CHANGED = "changed"  # the picture changed since the plan; the body was never completed
    KEY_INSIDE = "key inside"  # the request holds the key, so it was not sent
    DENIED = "denied"  # the key or the access is refused: the whole run stops
    REJECTED = "rejected"  # 400: the request itself is refused, for good
    UNPAID = "unpaid"  # the account has no credits: nothing more is submitted
    REFUSED = "refused"  # refused for good for another cause
    MISSING = "missing"  # a GET: the service does not know it
    UNKNOWN = "unknown"  # a POST: accepted or not, nobody can say; a GET: no usable answer, ask again


# HTTP statuses of POST /requests. A status that is not listed is UNKNOWN. Such a POST must never be repeated blindly:
# the service has no idempotency keys, and a second POST is billed again. UNKNOWN are 408, every 3xx (a POST follows no
# redirect), every 5xx (a gateway may answer after the service accepted), and a 2xx without a readable request id.
SUBMIT: dict[int, AnswerClass] = {
    400: AnswerClass.REJECTED,
    401: AnswerClass.DENIED,
    402: AnswerClass.UNPAID,
    403: AnswerClass.DENIED,
    404: AnswerClass.REFUSED,
    405: AnswerClass.REFUSED,
    413: AnswerClass.REFUSED,
    415: AnswerClass.REFUSED,
    422: AnswerClass.REFUSED,
    429: AnswerClass.BUSY,
}

# A refusal with one of these is about the account, the model or the address, not about one job: the next one would
# meet it, too, and so submitting stops when it meets the first submission.
GENERAL = frozenset((404, 405))

# HTTP statuses of a GET. A status that is not listed is UNKNOWN: a GET costs nothing and is repeated.
ASK: dict[int, AnswerClass] = {
    200: AnswerClass.ACCEPTED,
    401: AnswerClass.DENIED,
    403: AnswerClass.DENIED,
    404: AnswerClass.MISSING,
    429: AnswerClass.BUSY,
}

# Statuses of a file server after which a fresh link is needed: signed links expire.
EXPIRED = frozenset((401, 403, 404, 410))

# What services say when they refuse a request for what it shows or says, in failed records and in 500s around a 400.
_CONTENT = re.compile(
    r"content.?(?:policy|polic|filter|moderat|safety|violat)|moderation|sensitive|risk.?control|nsfw|inappropriate"
    r"|prohibited|safety (?:filter|system|policy|check)|violates? (?:our|the)|usage polic|copyright|likeness of",
    re.IGNORECASE,
)

# The longest Retry-After that is obeyed, in seconds. A longer one is a mistake or an attack, and `run.wait` limits the
# waiting anyway.
_LONGEST_PAUSE = 3600.0


def is_refusal_of_content(words: str) -> bool:
    """Whether a failure says that the content was refused: submitted again as it is, it would be refused again."""
    return _CONTENT.search(words) is not None


def retry_after(value: str | None, date: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, in either form (RFC 9110 10.2.3); None if there is no valid one.

    `date` is the Date header of the same answer: a time of the service is compared with its own clock alone.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _LONGEST_PAUSE)
    at, now = _http_date(value), _http_date(date)
    return None if at is None or now is None else min(max(at - now, 0.0), _LONGEST_PAUSE)


def _http_date(value: str | None) -> float | None:
    """An HTTP date (RFC 9110 5.6.7) in Unix seconds; None where it is none."""
    if value is None:
        return None
    try:
        at = email.utils.parsedate_to_datetime(value)
        # An HTTP date is in GMT, whether it says so or not.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
