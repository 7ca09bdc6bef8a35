"""What an answer to a call means. The one table of it."""

from __future__ import annotations

import email.utils
from datetime import UTC
from enum import Enum


class AnswerClass(Enum):
    """What is known after a call."""

    ACCEPTED = "accepted"  # a POST: it has a request id; a GET: it has an answer
    BUSY = "busy"  # certainly not accepted; to be repeated later
    UNSENT = "unsent"  # not a byte of the request left; to be repeated later
    CHANGED = "changed"  # the picture changed since the plan; the body was never completed
    DENIED = "denied"  # the key or the access is refused: the whole run stops
    REJECTED = "rejected"  # 400: the request itself is refused, for good
    REFUSED = "refused"  # refused for good for another cause
    MISSING = "missing"  # a GET: the service does not know it
    UNKNOWN = "unknown"  # a POST: accepted or not, nobody can say; a GET: no usable answer, ask again


# HTTP statuses of a POST /requests. What is not here is UNKNOWN: it must never be repeated blindly, because the service
# has no idempotency key and a second POST is billed again. That holds for 408, every 3xx (a POST follows no redirect),
# every 5xx (a gateway may answer after the service accepted), and a 2xx without a readable request id.
SUBMIT: dict[int, AnswerClass] = {
    400: AnswerClass.REJECTED,
    401: AnswerClass.DENIED,
    402: AnswerClass.REFUSED,
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
GENERAL = frozenset((402, 404, 405))

# HTTP statuses of a GET. What is not here is UNKNOWN: a GET costs nothing and is asked again.
ASK: dict[int, AnswerClass] = {
    200: AnswerClass.ACCEPTED,
    401: AnswerClass.DENIED,
    403: AnswerClass.DENIED,
    404: AnswerClass.MISSING,
    429: AnswerClass.BUSY,
}

# Statuses of a file server that call for a fresh link (signed links expire).
EXPIRED = frozenset((401, 403, 404, 410))

# No sane pause is longer; a larger Retry-After is a mistake or malice, and waiting ends with run.wait anyhow.
_LONGEST_PAUSE = 3600.0


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header, in either form (RFC 9110 10.2.3); None where there is no sound one."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _LONGEST_PAUSE)
    at = http_date(value)
    return None if at is None else min(max(at - now, 0.0), _LONGEST_PAUSE)


def http_date(value: str | None) -> float | None:
    """An HTTP date (RFC 9110 5.6.7) in Unix seconds; None where it is none."""
    if value is None:
        return None
    try:
        at = email.utils.parsedate_to_datetime(value)
        # An HTTP date is in GMT, whether it says so or not.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
