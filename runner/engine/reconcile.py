"""What a listing says about submissions whose answer was lost. Pure functions: evidence goes in, findings come out.

These rules keep a job from being paid for twice: if there is any doubt, an attempt stays unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from runner.api.answers import CUT_SHORT, Listing, Remote
from runner.media import FIRST_PICTURE, without_media
from runner.model import Attempt, Json, ModelSchema, Variables, same_value

# Tolerance in seconds. The service cuts its times to whole seconds, also in the Date header, from which the skew is
# computed. So a request may seem a little older than its intent, and the service's clock up to a second slow.
EARLY = LATE = 2.0
# In seconds. A listing proves an absence only if it shows our requests that were accepted this near to the lost one.
NEARBY = 300.0


class Likeness(Enum):
    """How an echoed request compares with ours. HIDDEN: equal in all that the echo shows, but it hides a part."""

    EQUAL = "equal"
    HIDDEN = "hidden"
    DIFFERENT = "different"


class Conclusion(Enum):
    """FOUND: attach. ABSENT: certainly never accepted. MISSED: not listed, look once more. UNCLEAR: stays unknown."""

    FOUND = "found"
    ABSENT = "absent"
    MISSED = "missed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Finding:
    attempt: Attempt
    conclusion: Conclusion
    remote: Remote | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A listing of one model, with what is needed to judge it.

    `open_attempts` are all attempts of this model without a request id, also those whose POST still runs. `claimed` are
    the request ids that already belong to attempts. `nearby` has the request ids that must be listed, by the number of
    the attempt. `started` is when the listing was requested, `skew` the service's clock minus ours, according to that
    answer. `is_ours`: the organisation is that of the state, if the state has recorded one.
    """

    listing: Listing
    open_attempts: Sequence[Attempt]
    claimed: frozenset[str]
    nearby: Mapping[int, frozenset[str]]
    schema: ModelSchema | None
    started: float
    settle: float
    skew: float | None = None
    is_ours: bool = True

    @property
    def requests(self) -> Mapping[str, Remote]:
        """The listed requests by id. If an id is listed twice, the first one counts."""
        return {each.request_id: each for each in reversed(self.listing.requests)}


def findings(evidence: Evidence) -> list[Finding]:
    """A finding for each attempt whose POST is known to have ended."""
    lost = sorted(
        (each for each in evidence.open_attempts if each.lost_at is not None),
        key=lambda each: (each.intended_at, each.number),
    )
    free = sorted(
        (each for each in evidence.requests.values() if each.request_id not in evidence.claimed),
        key=lambda each: (each.created_at or 0.0, each.request_id),
    )
    found: dict[int, Remote] = {}
    for attempt in lost:
        match = next((each for each in free if _likeness(evidence, attempt, each) is Likeness.EQUAL), None)
        if match is not None:
            found[attempt.number] = match
            free.remove(match)
    unclear: set[int] = set()
    for remote in free:
        group = [
            each
            for each in evidence.open_attempts
            if each.number not in found and _likeness(evidence, each, remote) is Likeness.HIDDEN
        ]
        lost_ones = [each for each in group if each.lost_at is not None]
        if len({each.fingerprint for each in group}) == 1 and lost_ones:
            found[lost_ones[0].number] = remote
        else:
            unclear.update(each.number for each in group)
    return [_finding(evidence, attempt, found.get(attempt.number), attempt.number in unclear) for attempt in lost]


def _finding(evidence: Evidence, attempt: Attempt, remote: Remote | None, is_unclear: bool) -> Finding:
    if remote is not None:
        return Finding(attempt, Conclusion.FOUND, remote)
    if is_unclear:
        return Finding(attempt, Conclusion.UNCLEAR, reason="the service shows requests that may be this one or another")
    doubt = _doubt(evidence, attempt)
    if doubt:
        return Finding(attempt, Conclusion.UNCLEAR, reason=doubt)
    if attempt.absent_at is not None and evidence.started - attempt.absent_at >= evidence.settle:
        return Finding(attempt, Conclusion.ABSENT)
    return Finding(attempt, Conclusion.MISSED, reason="not in the service's list; looked for once more after settling")


def _doubt(evidence: Evidence, attempt: Attempt) -> str:
    """Why this listing cannot prove that the attempt was not accepted; empty if it can."""
    listing = evidence.listing
    if not listing.is_whole:
        return listing.message or "the service's list could not be read wholly"
    if attempt.lost_at is None or evidence.started < attempt.lost_at:
        return "the list is older than the loss"
    if not evidence.is_ours:
        return "the service's list does not tell whose requests it shows"
    listed = evidence.requests
    if listing.total is not None and listing.total != len(listed):
        return f"the service lists {len(listed)} of {listing.total} requests"
    if listing.total is None and not any(
        (each.created_at or math.inf) < _earliest(evidence, attempt) for each in listing.requests
    ):
        return "the service's list does not reach back before the submission"
    if not evidence.nearby.get(attempt.number, frozenset()) <= listed.keys():
        return "the service's list lacks other requests of that time"
    if _skew(evidence, attempt) is None and any(_is_like(evidence, attempt, each) for each in listed.values()):
        return "the service shows requests like this one, and does not tell its time"
    return ""


def _is_like(evidence: Evidence, attempt: Attempt, remote: Remote) -> bool:
    """Whether a remote request is not claimed and, its time aside, may be ours."""
    is_free = remote.request_id not in evidence.claimed and remote.model in (None, attempt.model)
    return is_free and likeness(attempt.payload, remote.payload, evidence.schema) is not Likeness.DIFFERENT


def _likeness(evidence: Evidence, attempt: Attempt, remote: Remote) -> Likeness:
    if remote.created_at is None or remote.model not in (None, attempt.model):
        return Likeness.DIFFERENT
    if not _earliest(evidence, attempt) <= remote.created_at <= _latest(evidence, attempt):
        return Likeness.DIFFERENT
    return likeness(attempt.payload, remote.payload, evidence.schema)


def _skew(evidence: Evidence, attempt: Attempt) -> float | None:
    return evidence.skew if attempt.skew is None else attempt.skew


def _earliest(evidence: Evidence, attempt: Attempt) -> float:
    return attempt.intended_at + (_skew(evidence, attempt) or 0.0) - EARLY


def _latest(evidence: Evidence, attempt: Attempt) -> float:
    """When it may have been accepted at the latest. A POST that still runs may be accepted at any time."""
    if attempt.lost_at is None:
        return math.inf
    return attempt.lost_at + evidence.settle + (_skew(evidence, attempt) or 0.0) + LATE


def likeness(ours: Variables, echo: Variables | None, schema: ModelSchema | None) -> Likeness:
    """Compare our payload with an echoed one. Defaults are filled in, and numbers are compared by value.

    A name that we did not send and that is not in the model's schema was added by the service. It is ignored.
    """
    if echo is None:
        return Likeness.HIDDEN
    defaults = schema.defaults if schema else {}
    known = set(ours) | set(schema.properties if schema else ())
    for name in without_media(known):
        left, right = (side[name] if side.get(name) is not None else defaults.get(name) for side in (ours, echo))
        if not _equal(left, right):
            return Likeness.DIFFERENT
    return _picture(ours.get(FIRST_PICTURE), echo.get(FIRST_PICTURE))


def _equal(left: Json, right: Json) -> bool:
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        # A service that stores single precision echoes 0.3 as 0.30000001192092896.
        return isinstance(left, bool) == isinstance(right, bool) and math.isclose(left, right, rel_tol=1e-6)
    return same_value(left, right)


def _picture(ours: Json, echo: Json) -> Likeness:
    if not isinstance(echo, str) or not echo or echo == CUT_SHORT:
        return Likeness.HIDDEN
    if ours == echo:
        return Likeness.EQUAL
    # The service may store an uploaded picture and echo its own address for it. Such an address does not identify the
    # bytes.
    was_uploaded = isinstance(ours, str) and ours.startswith("sha256:")
    return Likeness.HIDDEN if was_uploaded and not echo.startswith("sha256:") else Likeness.DIFFERENT
