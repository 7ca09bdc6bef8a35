"""What a list says about submissions whose answer was lost. Pure: a list and what is known go in, findings come out.

The rules keep a job from being paid for twice: what cannot be told stays unknown. Times of the service are compared
with times of the service alone.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from runner.api.answers import CUT_SHORT, Listing, Remote
from runner.media import is_reference, media_names
from runner.model import Attempt, Json, ModelFacts, ModelSchema, Variables, same_value

# How far apart two numbers may be, relative to the larger: a service that stores single precision echoes 0.3 as
# 0.30000001192092896.
_TOLERANCE = 1e-6
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*")
# A window begins so many seconds before a time that the service told earlier; its times may be so far out of order.
SLACK = 60.0


class Likeness(Enum):
    """How an echoed request compares with ours.

    EQUAL: in all that was sent. HIDDEN: in all that the echo shows, and it does not show all. UNCLEAR: not equal, and
    not certainly different. DIFFERENT: certainly another request.
    """

    EQUAL = "equal"
    HIDDEN = "hidden"
    UNCLEAR = "unclear"
    DIFFERENT = "different"


class Conclusion(Enum):
    """What a list says about an attempt.

    FOUND: attach it to `remote`. ABSENT: surely not accepted. FAILED: surely nothing but the failed `remote`. MISSED:
    not in this list, and a further list is needed. UNCLEAR: it stays unknown.
    """

    FOUND = "found"
    ABSENT = "absent"
    FAILED = "failed"
    MISSED = "missed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Finding:
    """`records` are the requests that people can choose from with --attach. `is_whole`: the list was read wholly."""

    attempt: Attempt
    conclusion: Conclusion
    remote: Remote | None = None
    reason: str = ""
    records: tuple[Remote, ...] = ()
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """A list of one model, with what is needed to judge it.

    `open_attempts` are all of this model without a request id, also those whose POST still runs. `accepted` are our
    requests that the list must show, with the service's time of each as it was told; `later` are those of them whose
    POST began after that of an attempt was over, by the attempt's number. `claimed` are the listed ids that belong to
    attempts already, `seen` the listed ids that were listed before, with the highest attempt number of that time.
    `started` is when the list was asked for, `settle` how long after the first a second one has to be. `strangers` are
    the numbers of attempts whose organisation the list is not known to be of.
    """

    listing: Listing
    open_attempts: Sequence[Attempt]
    accepted: Mapping[str, float | None]
    later: Mapping[int, frozenset[str]]
    claimed: frozenset[str]
    seen: Mapping[str, int]
    schema: ModelSchema | None
    facts: ModelFacts
    started: float
    boot: str
    settle: float
    strangers: frozenset[int] = frozenset()

    @property
    def unclaimed(self) -> list[Remote]:
        """The listed requests that belong to no attempt, in the order of their times, each of them once."""
        listed = {each.request_id: each for each in reversed(self.listing.requests)}
        free = (each for each in listed.values() if each.request_id not in self.claimed)
        return sorted(free, key=lambda each: (each.created_at or 0.0, each.request_id))


@dataclass(slots=True)
class _Shown:
    """What the list shows for one open attempt.

    `candidates` may be its request. `others` are neither candidates nor certainly different.
    """

    attempt: Attempt
    candidates: list[Remote] = field(default_factory=list)
    others: list[Remote] = field(default_factory=list)


def findings(evidence: Evidence) -> list[Finding]:
    """A finding for each attempt whose POST is known to be over."""
    unclaimed = evidence.unclaimed
    cases = [_case(evidence, attempt, unclaimed) for attempt in evidence.open_attempts]
    attached = _attached(cases)
    taken = {remote.request_id for remote in attached.values()}
    return [
        _finding(evidence, case, attached.get(case.attempt.number), taken)
        for case in cases
        if case.attempt.lost_at is not None
    ]


def _case(evidence: Evidence, attempt: Attempt, unclaimed: Sequence[Remote]) -> _Shown:
    case = _Shown(attempt)
    for remote in unclaimed:
        # What was listed before the intent is not the answer to it.
        if evidence.seen.get(remote.request_id, attempt.number) < attempt.number:
            continue
        found = likeness(attempt, remote, evidence.schema, evidence.facts)
        if not _is_in_window(evidence, attempt, remote):
            if found is Likeness.EQUAL:
                case.others.append(remote)
        elif found in (Likeness.EQUAL, Likeness.HIDDEN):
            case.candidates.append(remote)
        elif found is Likeness.UNCLEAR:
            case.others.append(remote)
    return case


def _is_in_window(evidence: Evidence, attempt: Attempt, remote: Remote) -> bool:
    if attempt.window_start is None or evidence.facts.is_untimed or not is_time(remote.created_at):
        return True
    return remote.created_at is not None and remote.created_at >= attempt.window_start


def _attached(cases: Sequence[_Shown]) -> dict[int, Remote]:
    """The request of each attempt of which there is no doubt, by the attempt's number."""
    groups: dict[str, list[_Shown]] = {}
    for case in cases:
        groups.setdefault(case.attempt.fingerprint, []).append(case)
    # How many different requests of ours each listed one may be.
    wanted = Counter(each for group in groups.values() for each in _candidates(group))
    found: dict[int, Remote] = {}
    for group in groups.values():
        candidates = _candidates(group)
        is_doubtful = (
            len(candidates) > len(group)
            or any(wanted[each] > 1 for each in candidates)
            or any(case.attempt.lost_at is None for case in group)
            or all(remote.status == "failed" for remote in candidates.values())
        )
        if not is_doubtful:
            found.update(_in_order(group, candidates.values()))
    return found


def _candidates(group: Sequence[_Shown]) -> dict[str, Remote]:
    """The requests that some attempt of the group may be, by id, in the order of their times."""
    every = {remote.request_id: remote for case in group for remote in case.candidates}
    return dict(sorted(every.items(), key=lambda item: (item[1].created_at or 0.0, item[0])))


def _in_order(group: Sequence[_Shown], candidates: Iterable[Remote]) -> dict[int, Remote]:
    """Equal attempts with equal requests: the earliest of those that it may be gets each request."""
    left = sorted(group, key=lambda case: case.attempt.number)
    found: dict[int, Remote] = {}
    for remote in candidates:
        case = next((each for each in left if remote in each.candidates), None)
        if case is not None:
            found[case.attempt.number] = remote
            left.remove(case)
    return found


def _finding(evidence: Evidence, case: _Shown, remote: Remote | None, taken: set[str]) -> Finding:
    attempt = case.attempt
    if attempt.number in evidence.strangers:
        return Finding(
            attempt, Conclusion.UNCLEAR, reason="the service's list is not known to be of the same organisation"
        )
    if remote is not None:
        return Finding(attempt, Conclusion.FOUND, remote)
    candidates = [each for each in case.candidates if each.request_id not in taken]
    failed = [each for each in candidates if each.status == "failed"]
    others = [each for each in case.others if each.request_id not in taken]
    if len(failed) < len(candidates) or others:
        records, is_whole = (*candidates, *others), not _why_not_whole(evidence, attempt)
        return Finding(attempt, Conclusion.UNCLEAR, reason=_told(records), records=records, is_whole=is_whole)
    reason = _why_not_whole(evidence, attempt)
    if reason:
        return Finding(attempt, Conclusion.UNCLEAR, reason=reason)
    ids = tuple(each.request_id for each in failed)
    if not _is_settled(evidence, attempt, ids):
        reason = "not in the service's list; looked for once more after settling"
        return Finding(attempt, Conclusion.MISSED, reason=reason, records=tuple(failed))
    if failed:
        return Finding(attempt, Conclusion.FAILED, failed[0])
    if attempt.is_inherited:
        reason = "it is not in the service's list, and the machine that may have sent it did not end its run; "
        return Finding(attempt, Conclusion.UNCLEAR, reason=reason + _BY_HAND, is_whole=True)
    return Finding(attempt, Conclusion.ABSENT)


_BY_HAND = "--attach KEY=ID tells which request it is, --resubmit-unknown submits it again"


def _told(records: Sequence[Remote]) -> str:
    ids = ", ".join(each.request_id for each in records[:3])
    more = f" and {len(records) - 3} more" if len(records) > 3 else ""
    return f"the service shows requests that may be this one: {ids}{more}; --attach KEY=ID tells which"


def _is_settled(evidence: Evidence, attempt: Attempt, failed: tuple[str, ...]) -> bool:
    """Whether an earlier whole list showed the same, long enough ago."""
    return (
        attempt.looked_at is not None
        and attempt.looked_boot == evidence.boot
        and attempt.looked_failed == failed
        and evidence.started - attempt.looked_at >= evidence.settle
    )


def _why_not_whole(evidence: Evidence, attempt: Attempt) -> str:
    """Why this list cannot prove that the attempt was not accepted; empty if it can."""
    listing, is_untimed = evidence.listing, evidence.facts.is_untimed
    if not listing.is_whole:
        return listing.message or "the service's list could not be read to its end"
    listed = {each.request_id: each for each in listing.requests}
    if listing.has_more:
        return "the service says that it has further requests, and does not list them"
    if listing.total is not None and listing.total != len(listed):
        return f"the service lists {len(listed)} of {listing.total} requests"
    start = None if is_untimed else attempt.window_start
    expected = {
        each: told for each, told in evidence.accepted.items() if start is None or told is None or told >= start
    }
    if not expected.keys() <= listed.keys():
        return "the service's list lacks other requests of ours"
    if not is_untimed and any(told is not None and listed[each].created_at != told for each, told in expected.items()):
        return "the service's list tells other times of our requests than it did before"
    if listing.total is None and listing.has_more is None and not _is_on_both_sides(evidence, listed, attempt):
        return "the service's list does not tell whether it is whole"
    return ""


def _is_on_both_sides(evidence: Evidence, listed: Mapping[str, Remote], attempt: Attempt) -> bool:
    """Whether the list shows requests of ours from before the window, and from after the attempt's POST."""
    start = attempt.window_start
    is_before = start is not None and any((listed[each].created_at or math.inf) < start for each in evidence.claimed)
    return is_before and not evidence.later.get(attempt.number, frozenset()).isdisjoint(listed)


def is_time(value: float | None) -> bool:
    """Whether this can be a time of the service: whole Unix seconds, as its documentation has it."""
    return value is not None and value.is_integer() and 1e9 <= value <= 1e10


def likeness(attempt: Attempt, remote: Remote, schema: ModelSchema | None, facts: ModelFacts) -> Likeness:
    """Compare a request of ours with one of the list.

    Null, absent and the default are one. A name that we did not send tells nothing, nor does a parameter that the
    service rewrites. A picture never makes a difference, as services keep and re-encode them.
    """
    if not _is_same_model(attempt.model, remote.model, facts):
        return Likeness.DIFFERENT
    if remote.payload is None:
        return Likeness.HIDDEN
    media = media_names(attempt.payload, schema)
    found = [
        _compared(attempt.payload[name], remote.payload.get(name), schema.defaults.get(name) if schema else None)
        for name in attempt.payload
        if name not in media and name not in facts.rewritten and name not in rewritten_by(attempt.payload, schema)
    ]
    is_hidden = Likeness.HIDDEN in found
    if Likeness.DIFFERENT in found:
        # An echo that lacks something may be of anything.
        return Likeness.UNCLEAR if is_hidden else Likeness.DIFFERENT
    shown = [_compared_sent(attempt.payload[name], remote.payload.get(name), attempt.addresses) for name in media]
    if Likeness.UNCLEAR in (*found, *shown):
        return Likeness.UNCLEAR
    return Likeness.HIDDEN if is_hidden or Likeness.HIDDEN in shown else Likeness.EQUAL


def _compared_sent(ours: Json, theirs: Json, addresses: Variables) -> Likeness:
    """Compare a parameter with media.

    The echo may show a file, or the address that was sent in place of it, also without the signature in it: who keeps
    requests for long has no use for that, and the name of an object is that of its content.
    """
    unsigned = {reference: str(address).partition("?")[0] for reference, address in addresses.items()}
    found = _compared_media(ours, theirs)
    for sent in (unsigned, addresses) if addresses else ():
        if found is not Likeness.EQUAL:
            found = _compared_media(_sent(ours, sent), theirs)
    return found


def _sent(value: Json, addresses: Variables) -> Json:
    if isinstance(value, str):
        return addresses.get(value, value)
    if isinstance(value, Mapping):
        return {name: _sent(each, addresses) for name, each in value.items()}
    return [_sent(each, addresses) for each in value] if isinstance(value, Sequence) else value


def rewritten_by(payload: Variables, schema: ModelSchema | None) -> frozenset[str]:
    """The parameters that the service may rewrite: `x-rewrites` of the schema, by a switch that is not off.

    Where a switch is not sent, the service's own default counts, and that may be on.
    """
    rules = schema.document.get("x-rewrites") if schema else None
    if not isinstance(rules, Mapping):
        return frozenset()
    switched = (
        names for switch, names in rules.items() if payload.get(switch) is not False and isinstance(names, Sequence)
    )
    return frozenset(str(name) for names in switched for name in names)


def hidden_in(
    payload: Variables, echo: Variables | None, schema: ModelSchema | None, addresses: Variables | None = None
) -> frozenset[str]:
    """The parameters of a request of ours that its echo does not show. `addresses` were sent in place of files."""
    shown, media = echo or {}, media_names(payload, schema)
    defaults = schema.defaults if schema else {}
    return frozenset(
        name
        for name, ours in payload.items()
        if (
            _compared_sent(ours, shown.get(name), addresses or {})
            if name in media
            else _compared(ours, shown.get(name), defaults.get(name))
        )
        is Likeness.HIDDEN
    )


def rewritten_in(payload: Variables, echo: Variables | None, schema: ModelSchema | None) -> frozenset[str]:
    """The parameters of a request of ours that its echo shows with another value."""
    defaults, media = schema.defaults if schema else {}, media_names(payload, schema)
    return frozenset(
        name
        for name in payload
        if name not in media
        and echo is not None
        and _compared(payload[name], echo.get(name), defaults.get(name)) in (Likeness.DIFFERENT, Likeness.UNCLEAR)
    )


def model_name(name: str) -> str:
    """The name of a model as names are compared."""
    return name.strip().casefold()


def _is_same_model(ours: str, theirs: str | None, facts: ModelFacts) -> bool:
    return theirs is None or model_name(theirs) in {model_name(ours), *facts.aliases}


def _compared(ours: Json, theirs: Json, default: Json) -> Likeness:
    if theirs is None:
        is_usual = ours is None or (default is not None and _values(ours, default) is Likeness.EQUAL)
        return Likeness.EQUAL if is_usual else Likeness.HIDDEN
    return _values(default if ours is None else ours, theirs)


def _values(left: Json, right: Json) -> Likeness:
    first, second = _number(left), _number(right)
    if first is not None and second is not None:
        return _numbers(first, second)
    if isinstance(left, str) and isinstance(right, str):
        same = unicodedata.normalize("NFC", left.strip()) == unicodedata.normalize("NFC", right.strip())
    else:
        same = same_value(left, right)
    return Likeness.EQUAL if same else Likeness.DIFFERENT


def _number(value: Json) -> float | None:
    if isinstance(value, str) and len(value) < 40 and _NUMBER.fullmatch(value):
        return float(value)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _numbers(left: float, right: float) -> Likeness:
    if left == right:
        return Likeness.EQUAL
    if not math.isclose(left, right, rel_tol=_TOLERANCE):
        return Likeness.DIFFERENT
    return Likeness.UNCLEAR if left.is_integer() and right.is_integer() else Likeness.EQUAL


def _compared_media(ours: Json, theirs: Json) -> Likeness:
    """Compare a parameter with media, which is a text, or has texts in lists and objects. It is never DIFFERENT."""
    if not theirs or theirs == CUT_SHORT or (isinstance(ours, str) and not isinstance(theirs, str)):
        return Likeness.HIDDEN
    if isinstance(ours, str) and isinstance(theirs, str):
        if ours == theirs:
            return Likeness.EQUAL
        # The service may keep a file of ours and echo its own address for it.
        return Likeness.HIDDEN if is_reference(ours) and not is_reference(theirs) else Likeness.UNCLEAR
    pairs = _pairs(ours, theirs)
    if pairs is None:
        return Likeness.EQUAL if same_value(ours, theirs) else Likeness.UNCLEAR
    found = {_compared_media(left, right) for left, right in pairs}
    return next((each for each in (Likeness.UNCLEAR, Likeness.HIDDEN) if each in found), Likeness.EQUAL)


def _pairs(ours: Json, theirs: Json) -> list[tuple[Json, Json]] | None:
    """What corresponds in two lists of one length, or in an object and one that has all of its members."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return [(value, theirs.get(name)) for name, value in ours.items()]
    are_lists = not isinstance(ours, (str, Mapping)) and not isinstance(theirs, (str, Mapping))
    if are_lists and isinstance(ours, Sequence) and isinstance(theirs, Sequence) and len(ours) == len(theirs):
        return list(zip(ours, theirs, strict=True))
    return None
