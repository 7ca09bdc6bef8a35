"""What a listing says about lost submissions. In doubt unknown: a wrong "absent" is paid for twice, a wrong "found"
loses a video."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.api.answer_classes import AnswerClass
from runner.api.answers import CUT_SHORT, Listing, Remote
from runner.engine.reconcile import EARLY, LATE, Conclusion, Evidence, Likeness, findings, likeness
from runner.model import ModelSchema
from tests.kit import MODEL, make_attempt, make_job

SETTLE = 60.0
SCHEMA = ModelSchema(
    MODEL,
    {
        "properties": {
            "image": {},
            "prompt": {"default": ""},
            "negative_prompt": {"default": ""},
            "duration": {"default": "5"},
            "cfg_scale": {"default": 0.5},
        }
    },
)
A, B = (f"sha256:{letter * 64}" for letter in "ab")


def remote(request_id="r-1", number=1, at=1000.0, **changes):
    values = {"payload": make_job(number).payload, "model": MODEL, "status": "queued", "created_at": at, **changes}
    return Remote(request_id, **values)


def listing(*requests, total="all", is_whole=True):
    return Listing(AnswerClass.ACCEPTED, requests, len(requests) if total == "all" else total, is_whole)


def evidence(attempts, *requests, started=2000.0, **changes):
    values = {"claimed": frozenset(), "nearby": {}, "skew": 0.0, **changes}
    shown = values.pop("listing", None) or listing(*requests)
    return Evidence(shown, attempts, values.pop("claimed"), values.pop("nearby"), SCHEMA, started, SETTLE, **values)


def conclude(attempts, *requests, **changes):
    return {each.attempt.number: each for each in findings(evidence(attempts, *requests, **changes))}


def conclusion(attempt, *requests, **changes):
    return conclude([attempt], *requests, **changes)[attempt.number].conclusion


ONCE_MISSED = {"absent_at": 1900.0}


def test_one_that_is_shown_is_found():
    found = conclude([make_attempt(1)], remote("r-7"))[1]
    assert (found.conclusion, found.remote.request_id) == (Conclusion.FOUND, "r-7")


def test_absence_needs_two_listings_and_a_settling_wait_between_them():
    attempt = make_attempt(1)
    assert conclusion(attempt) is Conclusion.MISSED
    assert conclusion(replace(attempt, absent_at=2000.0 - SETTLE + 1)) is Conclusion.MISSED
    assert conclusion(replace(attempt, absent_at=2000.0 - SETTLE)) is Conclusion.ABSENT


MISSED = make_attempt(1, **ONCE_MISSED)
OLD = remote("r-old", 9, at=10.0)


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("not whole", {"listing": listing(is_whole=False)}),
        ("total larger", {"listing": listing(OLD, total=2)}),
        ("total smaller", {"listing": listing(OLD, total=0)}),
        ("one told twice stands for one that is not shown", {"listing": listing(OLD, OLD, total=2)}),
        ("no total, nothing older", {"listing": listing(total=None)}),
        ("no total, only later ones", {"listing": listing(remote("r-2", 2, at=1500.0), total=None)}),
        ("one of that time is lacking", {"nearby": {1: frozenset({"r-3"})}}),
        ("older than the loss", {"started": 1000.5}),
        ("another organisation, perhaps", {"is_ours": False}),
        ("its time is not known, and one like it is shown", {"skew": None, "listing": listing(remote("r-1", at=9e5))}),
    ],
)
def test_absence_is_not_believed(why, changes):
    attempt = replace(MISSED, skew=None) if "skew" in changes else MISSED
    assert conclusion(attempt, **changes) is Conclusion.UNCLEAR, why
    assert conclude([attempt], **changes)[1].reason


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("an empty whole listing", {}),
        ("no total, but older ones", {"listing": listing(OLD, total=None)}),
        ("all of that time are shown", {"listing": listing(remote("r-3", 3)), "nearby": {1: frozenset({"r-3"})}}),
        ("one told twice is one", {"listing": listing(OLD, OLD, total=1)}),
        ("an equal one that is claimed", {"listing": listing(remote("r-1")), "claimed": frozenset({"r-1"})}),
        ("an equal one of another model", {"listing": listing(remote("r-1", model="other"))}),
        ("another take's time", {"listing": listing(remote("r-1", at=100.0))}),
        ("its time is not known, but nothing is like it", {"skew": None, "listing": listing(remote("r-2", 2))}),
    ],
)
def test_absence_is_believed(why, changes):
    attempt = replace(MISSED, skew=None) if "skew" in changes else MISSED
    assert conclusion(attempt, **changes) is Conclusion.ABSENT, why


def test_while_the_post_runs_nothing_is_said_of_it():
    running = make_attempt(1, lost_at=None)
    assert findings(evidence([running], remote("r-1"))) == []


@pytest.mark.parametrize("skew", [0.0, -7200.0, 7200.0])
@pytest.mark.parametrize(
    ("at", "is_found"),
    [
        (1000 - EARLY - 0.01, False),
        (1000 - EARLY, True),
        (1000, True),
        (1001 + SETTLE + LATE, True),
        (1001 + SETTLE + LATE + 0.01, False),
    ],
)
def test_the_window_is_in_the_services_time(skew, at, is_found):
    attempt = make_attempt(1, intended_at=1000.0, skew=skew)
    expected = Conclusion.FOUND if is_found else Conclusion.MISSED
    assert conclusion(attempt, remote("r-1", at=at + skew), skew=12345.0) is expected
    assert conclusion(replace(attempt, skew=None), remote("r-1", at=at + skew), skew=skew) is expected


def test_equal_ones_are_taken_in_the_order_of_their_times_and_ids():
    first, second = make_attempt(1, intended_at=1000.0), replace(make_attempt(1, intended_at=1001.0), number=2)
    found = conclude([second, first], remote("r-2", at=1003.0), remote("r-9", at=1002.0), remote("r-1", at=1003.0))
    assert [found[number].remote.request_id for number in (1, 2)] == ["r-9", "r-1"]


# Pictures that the echo hides


def hidden(request_id="r-1", number=1, at=1000.0, image=CUT_SHORT):
    payload = dict(make_job(number).payload)
    payload.pop("image")
    return remote(request_id, at=at, payload=payload if image is None else {**payload, "image": image})


def with_picture(number, image, **values):
    job = make_job(1, image=image)
    return replace(make_attempt(number, **values), job_id=job.id, fingerprint=job.fingerprint, payload=job.payload)


HIDING = pytest.mark.parametrize("image", [None, CUT_SHORT, "", "https://cdn.example/uploaded/1.jpg"])


@HIDING
def test_a_hidden_picture_is_no_matter_where_only_one_can_be_meant(image):
    assert conclusion(make_attempt(1), hidden(image=image)) is Conclusion.FOUND


@HIDING
def test_where_attempts_differ_in_a_hidden_picture_alone_none_is_attached(image):
    found = conclude([with_picture(1, A), with_picture(2, B)], hidden(image=image))
    assert {each.conclusion for each in found.values()} == {Conclusion.UNCLEAR}
    assert all(each.remote is None for each in found.values())


@pytest.mark.parametrize("lost_at", [None, 1001.0])
def test_one_whose_post_still_runs_may_be_meant_too(lost_at):
    found = conclude([with_picture(1, A), with_picture(2, B, lost_at=lost_at)], hidden())
    assert found[1].conclusion is Conclusion.UNCLEAR


def test_one_that_shows_its_picture_is_attached_and_leaves_the_other_for_the_other():
    shown = remote("r-1", payload=make_job(1, image=A).payload)
    found = conclude([with_picture(1, A), with_picture(2, B)], shown, hidden("r-2"))
    assert [found[number].remote.request_id for number in (1, 2)] == ["r-1", "r-2"]


def test_no_candidate_counts_as_absence_even_where_pictures_are_hidden():
    other = hidden("r-2", number=2)
    attempts = [with_picture(1, A, **ONCE_MISSED), with_picture(2, B, **ONCE_MISSED)]
    assert {each.conclusion for each in conclude(attempts, other).values()} == {Conclusion.ABSENT}


# Likeness


@pytest.mark.parametrize(
    ("echo", "expected"),
    [
        ({}, Likeness.EQUAL),
        ({"cfg_scale": 0.5000000001}, Likeness.EQUAL),
        ({"cfg_scale": None}, Likeness.EQUAL),
        ({"negative_prompt": None}, Likeness.EQUAL),
        ({"seed": 7}, Likeness.EQUAL),
        ({"cfg_scale": 0.51}, Likeness.DIFFERENT),
        ({"cfg_scale": "0.5"}, Likeness.DIFFERENT),
        ({"cfg_scale": True}, Likeness.DIFFERENT),
        ({"duration": 5}, Likeness.DIFFERENT),
        ({"duration": "10"}, Likeness.DIFFERENT),
        ({"prompt": "prompt 1 "}, Likeness.DIFFERENT),
        ({"image": A}, Likeness.DIFFERENT),
        ({"image": CUT_SHORT}, Likeness.HIDDEN),
        ({"image": None}, Likeness.HIDDEN),
        ({"image": 7}, Likeness.HIDDEN),
        ({"image": "https://cdn.example/1.jpg"}, Likeness.HIDDEN),
        ({"image": CUT_SHORT, "prompt": "x"}, Likeness.DIFFERENT),
    ],
)
def test_how_an_echo_compares(echo, expected):
    ours = make_job(1).payload
    assert likeness(ours, {**ours, **echo}, SCHEMA) is expected


def test_an_echo_may_leave_out_defaults_or_fill_them_in():
    ours = {"image": A, "prompt": "p"}
    filled = {**ours, "negative_prompt": "", "duration": "5", "cfg_scale": 0.5}
    assert likeness(ours, filled, SCHEMA) is Likeness.EQUAL
    assert likeness(filled, ours, SCHEMA) is Likeness.EQUAL
    assert likeness(filled, ours, None) is Likeness.DIFFERENT, "without a schema a default is not known"
    assert likeness(ours, None, SCHEMA) is Likeness.HIDDEN


def test_a_url_is_an_identity_by_itself():
    ours = {"image": "https://example.com/a.jpg"}
    assert likeness(ours, dict(ours), SCHEMA) is Likeness.EQUAL
    assert likeness(ours, {"image": "https://example.com/b.jpg"}, SCHEMA) is Likeness.DIFFERENT


# Any world: requests that the service accepted, of us and of others, some of them shown

IMAGES = (A, B)


@st.composite
def worlds(draw):
    """Lost attempts, each truly accepted or not; what the listing shows of that, and of others' requests."""
    echo = draw(st.sampled_from(["full", "none", "short", "mixed"]))
    attempts, truth, requests = [], {}, []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        job = make_job(draw(st.integers(1, 2)), image=draw(st.sampled_from(IMAGES)))
        begun = 1000.0 + 10.0 * number
        attempt = replace(
            make_attempt(number, intended_at=begun, lost_at=begun + draw(st.floats(0, 5))),
            job_id=job.id,
            fingerprint=job.fingerprint,
            payload=job.payload,
            absent_at=draw(st.sampled_from([None, 1200.0])),
        )
        if any(each.fingerprint == attempt.fingerprint for each in attempts):
            continue  # equal requests never overlap
        attempts.append(attempt)
        if draw(st.booleans()):
            truth[number] = f"r-{draw(st.integers(0, 99)):02}-{number}"
            requests.append((truth[number], job.payload, begun + draw(st.floats(0, 5))))
    for other in range(draw(st.integers(0, 3))):
        job = make_job(draw(st.integers(1, 2)), image=draw(st.sampled_from(IMAGES)))
        requests.append((f"x-{other}", job.payload, 1000.0 + draw(st.floats(0, 80))))
    shown = []
    for request_id, payload, at in requests:
        how = draw(st.sampled_from(["full", "none", "short"])) if echo == "mixed" else echo
        image = {"full": payload["image"], "short": CUT_SHORT, "none": None}[how]
        shown.append(remote(request_id, at=float(int(at)), payload={**payload, "image": image}))
    return attempts, truth, draw(st.permutations(shown)), draw(st.permutations(shown))


@settings(max_examples=150)
@given(worlds(), st.booleans())
def test_in_any_world(world, is_whole):
    attempts, truth, one_order, other_order = world
    told = conclude(attempts, listing=listing(*one_order, is_whole=is_whole))
    assert told == conclude(attempts[::-1], listing=listing(*other_order, is_whole=is_whole)), "no order matters"
    found = [each.remote.request_id for each in told.values() if each.conclusion is Conclusion.FOUND]
    assert len(found) == len(set(found)), "one remote request to at most one attempt"
    for number, finding in told.items():
        if finding.conclusion is Conclusion.ABSENT:
            assert number not in truth, "what was accepted would be paid for twice"
            assert is_whole
        if finding.conclusion is Conclusion.FOUND:
            echoed = finding.remote.payload["image"]
            assert echoed in (finding.attempt.payload["image"], CUT_SHORT, None), "another job's video"


@given(worlds(), st.data())
def test_claimed_requests_are_never_attached_again(world, data):
    attempts, _, shown, _ = world
    claimed = (
        frozenset(data.draw(st.sets(st.sampled_from([each.request_id for each in shown])))) if shown else frozenset()
    )
    told = conclude(attempts, listing=listing(*shown), claimed=claimed)
    assert not {each.remote.request_id for each in told.values() if each.remote} & claimed


@given(worlds())
def test_a_request_told_twice_is_attached_once(world):
    attempts, _, shown, _ = world
    twice = conclude(attempts, listing=listing(*shown, *shown, total=len(shown)))
    assert twice == conclude(attempts, listing=listing(*shown))


@given(worlds(), st.integers(1, 3))
def test_a_total_that_disagrees_proves_no_absence(world, more):
    attempts, _, shown, _ = world
    told = conclude(attempts, listing=listing(*shown, total=len(shown) + more))
    assert Conclusion.ABSENT not in {each.conclusion for each in told.values()}
