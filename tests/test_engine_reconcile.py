"""What a list says about lost submissions. In doubt unknown: a wrong "absent" is paid for twice, a wrong "found" loses
a video."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.api.answer_classes import AnswerClass
from runner.api.answers import CUT_SHORT, Listing, Remote
from runner.engine.reconcile import Conclusion, Evidence, Likeness, findings, hidden_in, likeness, rewritten_in
from runner.model import ModelFacts, ModelSchema
from tests.kit import MODEL, make_attempt, make_job

SETTLE, BOOT = 60.0, "boot-1"
T = 1_700_000_000.0
DOCUMENT = {
    "properties": {
        "image": {},
        "prompt": {"default": ""},
        "negative_prompt": {"default": ""},
        "duration": {"default": "5"},
        "cfg_scale": {"default": 0.5},
        "seed": {},
    }
}
SCHEMA = ModelSchema(MODEL, DOCUMENT)
A, B = (f"sha256:{letter * 64}" for letter in "ab")


def remote(request_id="r-1", number=1, at=T, **changes):
    values = {"payload": make_job(number).payload, "model": MODEL, "status": "queued", "created_at": at, **changes}
    return Remote(request_id, **values)


def listing(*requests, total="all", has_more=None, is_whole=True):
    return Listing(AnswerClass.ACCEPTED, requests, len(requests) if total == "all" else total, has_more, is_whole)


def evidence(attempts, *requests, started=2000.0, **changes):
    values = {
        "listing": listing(*requests),
        "accepted": {},
        "later": {},
        "claimed": frozenset(),
        "seen": {},
        "schema": SCHEMA,
        "facts": ModelFacts(),
        "boot": BOOT,
        "settle": SETTLE,
        **changes,
    }
    return Evidence(open_attempts=attempts, started=started, **values)


def conclude(attempts, *requests, **changes):
    return {each.attempt.number: each for each in findings(evidence(attempts, *requests, **changes))}


def conclusion(attempt, *requests, **changes):
    return conclude([attempt], *requests, **changes)[attempt.number].conclusion


def test_what_a_lost_machine_may_have_sent_is_never_believed_absent():
    """It may only sleep: a POST of it may leave long after every list."""
    settled = {"looked_boot": BOOT, "looked_at": 2000.0 - SETTLE, "looked_failed": ()}
    lost = make_attempt(**settled, is_inherited=True)
    found = conclude([lost])[1]
    assert found.conclusion is Conclusion.UNCLEAR
    assert "--resubmit-unknown" in found.reason
    assert conclude([make_attempt(**settled)])[1].conclusion is Conclusion.ABSENT
    assert conclude([lost], remote())[1].conclusion is Conclusion.FOUND
    failed = make_attempt(**{**settled, "looked_failed": ("r-1",)}, is_inherited=True)
    assert conclude([failed], remote(status="failed"))[1].conclusion is Conclusion.FAILED


def test_one_that_is_shown_is_found():
    found = conclude([make_attempt(1)], remote("r-7"))[1]
    assert (found.conclusion, found.remote.request_id) == (Conclusion.FOUND, "r-7")


LOOKED = {"looked_boot": BOOT, "looked_at": 2000.0 - SETTLE}
MISSED = make_attempt(1, window_start=T - 60, **LOOKED)


@pytest.mark.parametrize(
    ("looked", "expected"),
    [
        ({"looked_at": None, "looked_boot": None}, Conclusion.MISSED),
        ({"looked_at": 2000.0 - SETTLE + 1}, Conclusion.MISSED),
        ({"looked_at": 2000.0 - SETTLE}, Conclusion.ABSENT),
        # The clock of another boot tells nothing.
        ({"looked_boot": "boot-0"}, Conclusion.MISSED),
    ],
)
def test_absence_needs_two_whole_lists_and_a_settling_wait_between_them(looked, expected):
    assert conclusion(replace(MISSED, **looked)) is expected


OLD = remote("r-old", 9, at=T - 1000)
OURS = {"r-3": T}


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("not whole", {"listing": listing(is_whole=False)}),
        ("total larger", {"listing": listing(OLD, total=2)}),
        ("total smaller", {"listing": listing(OLD, total=0)}),
        ("one told twice stands for one that is not shown", {"listing": listing(OLD, OLD, total=2)}),
        ("neither total nor has_more", {"listing": listing(total=None)}),
        ("further pages that are not shown", {"listing": listing(OLD, total=None, has_more=True)}),
        ("further pages, whatever the total", {"listing": listing(OLD, has_more=True)}),
        ("nothing of ours before it", {"listing": listing(OLD, total=None), "later": {1: frozenset({"r-old"})}}),
        ("nothing of ours after it", {"listing": listing(OLD, total=None), "claimed": frozenset({"r-old"})}),
        ("one of ours is lacking", {"accepted": OURS}),
        (
            "one of ours has another time",
            {"accepted": OURS, "listing": listing(remote("r-3", 3, at=T + 1)), "claimed": frozenset({"r-3"})},
        ),
        ("another organisation, perhaps", {"strangers": frozenset({1})}),
        ("an equal one from before the window", {"listing": listing(remote(at=T - 1000))}),
        ("two equal ones", {"listing": listing(remote("r-1"), remote("r-2"))}),
        ("one that may be equal", {"listing": listing(remote(payload={"cfg_scale": 0.51}))}),
        ("nothing is known of one", {"listing": listing(remote("r-1", payload={}), remote("r-2", payload={}))}),
        ("a number that is nearly the same", {"listing": listing(remote(payload={**make_job(1).payload, "seed": 1}))}),
        ("its picture is another one", {"listing": listing(remote(payload=make_job(1, image=A).payload))}),
    ],
)
def test_absence_is_not_believed(why, changes):
    attempt = MISSED
    if "number" in why:
        job = make_job(1, seed=1_000_001)
        shown = remote(payload={**job.payload, "seed": 1_000_002})
        attempt, changes = replace(MISSED, payload=job.payload), {"listing": listing(shown)}
    found = conclude([attempt], **changes)[1]
    assert found.conclusion is Conclusion.UNCLEAR, why
    assert found.reason


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("an empty whole list", {}),
        ("no total, but no more", {"listing": listing(OLD, total=None, has_more=False)}),
        (
            "ours before it and after it",
            {
                "listing": listing(OLD, remote("r-3", 3), total=None),
                "accepted": OURS,
                "claimed": frozenset({"r-old", "r-3"}),
                "later": {1: frozenset({"r-3"})},
            },
        ),
        (
            "all of that time are shown",
            {"listing": listing(remote("r-3", 3)), "accepted": OURS, "claimed": frozenset({"r-3"})},
        ),
        (
            "of one whose time is not known only the id counts",
            {"listing": listing(remote("r-3", 3)), "accepted": {"r-3": None}, "claimed": frozenset({"r-3"})},
        ),
        ("older ones of ours need not be listed", {"accepted": {"r-0": T - 1000}}),
        ("one told twice is one", {"listing": listing(OLD, OLD, total=1)}),
        ("an equal one that is claimed", {"listing": listing(remote("r-1")), "claimed": frozenset({"r-1"})}),
        ("an equal one of another model", {"listing": listing(remote("r-1", model="other"))}),
        ("one that was listed before the intent", {"listing": listing(remote("r-1")), "seen": {"r-1": 0}}),
        ("nothing is known of one from before the window", {"listing": listing(remote(payload={}, at=T - 1000))}),
    ],
)
def test_absence_is_believed(why, changes):
    assert conclusion(MISSED, **changes) is Conclusion.ABSENT, why


def test_times_that_are_not_trusted_decide_nothing():
    facts = ModelFacts(is_untimed=True)
    assert conclusion(MISSED, remote(at=T - 1000), facts=facts) is Conclusion.FOUND
    shown = {"accepted": OURS, "claimed": frozenset({"r-3"}), "facts": facts}
    assert conclusion(MISSED, remote("r-3", 3, at=T + 1), **shown) is Conclusion.ABSENT
    assert conclusion(MISSED, accepted={"r-0": T - 1000}, facts=facts) is Conclusion.UNCLEAR, "all of ours are expected"


@pytest.mark.parametrize("at", [None, 0.0, 1_700_000.5, 1.7e12])
def test_what_is_no_time_may_be_of_any(at):
    assert conclusion(MISSED, remote(at=at)) is Conclusion.FOUND


def test_while_the_post_runs_nothing_is_said_of_it():
    running = make_attempt(1, lost_at=None)
    assert findings(evidence([running], remote("r-1"))) == []


def test_the_window_begins_where_the_intent_says():
    attempt = make_attempt(1, window_start=T)
    assert conclusion(attempt, remote(at=T)) is Conclusion.FOUND
    assert conclusion(attempt, remote(at=T - 1)) is Conclusion.UNCLEAR, "equal and outside: it forbids absence"
    assert conclusion(replace(attempt, window_start=None), remote(at=T - 1e6)) is Conclusion.FOUND


def test_equal_ones_are_taken_in_the_order_of_their_times_and_ids():
    first, second = make_attempt(1), replace(make_attempt(1), number=2)
    found = conclude([second, first], remote("r-9", at=T + 3), remote("r-1", at=T + 2))
    assert [found[number].remote.request_id for number in (1, 2)] == ["r-1", "r-9"]


def test_where_more_match_than_were_sent_none_is_attached_and_they_are_listed():
    first, second = make_attempt(1), replace(make_attempt(1), number=2)
    found = conclude([first, second], *(remote(f"r-{number}") for number in range(3)))
    assert {each.conclusion for each in found.values()} == {Conclusion.UNCLEAR}
    assert [each.request_id for each in found[1].records] == ["r-0", "r-1", "r-2"]
    assert "r-0, r-1, r-2" in found[1].reason
    assert "--attach" in found[1].reason


# Failed records


FAILED = remote("r-1", status="failed", error="no capacity")


def test_a_failed_record_alone_is_the_end_once_absence_would_be_believed():
    assert conclusion(replace(MISSED, looked_at=None, looked_boot=None), FAILED) is Conclusion.MISSED
    assert conclusion(MISSED, FAILED) is Conclusion.MISSED, "the first list did not show it"
    found = conclude([replace(MISSED, looked_failed=("r-1",))], FAILED)[1]
    assert (found.conclusion, found.remote.request_id) == (Conclusion.FAILED, "r-1")


def test_a_failed_record_beside_one_that_did_not_fail_is_in_doubt():
    assert conclusion(replace(MISSED, looked_failed=("r-1",)), FAILED, remote("r-2")) is Conclusion.UNCLEAR


# Pictures that the echo hides


def hidden(request_id="r-1", number=1, at=T, image=CUT_SHORT):
    payload = dict(make_job(number).payload)
    payload.pop("image")
    return remote(request_id, at=at, payload=payload if image is None else {**payload, "image": image})


def with_picture(number, image, **values):
    job = make_job(1, image=image)
    return replace(make_attempt(number, **values), job_id=job.id, fingerprint=job.fingerprint, payload=job.payload)


HIDING = pytest.mark.parametrize("image", [None, CUT_SHORT, "", "https://cdn.example/uploaded/1.jpg"])


@HIDING
def test_a_hidden_picture_is_no_matter_if_only_one_can_be_meant(image):
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


def test_one_that_shows_its_picture_is_attached():
    shown = remote("r-1", payload=make_job(1, image=A).payload)
    found = conclude([with_picture(1, A), with_picture(2, B)], shown)
    assert found[1].remote.request_id == "r-1"
    assert found[2].conclusion is Conclusion.MISSED


# Likeness


@pytest.mark.parametrize(
    ("echo", "expected"),
    [
        ({}, Likeness.EQUAL),
        ({"cfg_scale": 0.5000000001}, Likeness.EQUAL),
        ({"cfg_scale": None}, Likeness.EQUAL),
        ({"negative_prompt": None}, Likeness.EQUAL),
        ({"style": 7}, Likeness.EQUAL),
        ({"cfg_scale": "0.5"}, Likeness.EQUAL),
        ({"duration": 5}, Likeness.EQUAL),
        ({"duration": "5.0"}, Likeness.EQUAL),
        ({"prompt": " prompt 1\n"}, Likeness.EQUAL),
        ({"cfg_scale": 0.51}, Likeness.DIFFERENT),
        ({"cfg_scale": True}, Likeness.DIFFERENT),
        ({"duration": "10"}, Likeness.DIFFERENT),
        ({"prompt": "Prompt 1"}, Likeness.DIFFERENT),
        ({"prompt": None}, Likeness.HIDDEN),
        ({"prompt": None, "cfg_scale": 0.7}, Likeness.UNCLEAR),
        ({"image": A}, Likeness.UNCLEAR),
        ({"image": CUT_SHORT}, Likeness.HIDDEN),
        ({"image": None}, Likeness.HIDDEN),
        ({"image": 7}, Likeness.HIDDEN),
        ({"image": "https://cdn.example/1.jpg"}, Likeness.HIDDEN),
        ({"image": CUT_SHORT, "prompt": "x"}, Likeness.DIFFERENT),
    ],
)
def test_how_an_echo_compares(echo, expected):
    attempt = make_attempt(1)
    shown = remote(payload={**attempt.payload, **echo})
    assert likeness(attempt, shown, SCHEMA, ModelFacts()) is expected


def test_texts_are_compared_as_unicode_means_them():
    attempt = replace(make_attempt(1), payload={**make_job(1).payload, "prompt": "caf\u00e9"})
    shown = remote(payload={**attempt.payload, "prompt": "cafe\u0301"})
    assert likeness(attempt, shown, SCHEMA, ModelFacts()) is Likeness.EQUAL


def test_an_echo_may_leave_out_defaults_or_fill_them_in():
    bare, filled = {"image": A, "prompt": "p"}, {"negative_prompt": "", "duration": "5", "cfg_scale": 0.5}
    attempt, whole = replace(MISSED, payload=bare), replace(MISSED, payload={**bare, **filled})
    assert likeness(attempt, remote(payload={**bare, **filled}), SCHEMA, ModelFacts()) is Likeness.EQUAL
    assert likeness(whole, remote(payload=bare), SCHEMA, ModelFacts()) is Likeness.EQUAL
    assert likeness(whole, remote(payload=bare), None, ModelFacts()) is Likeness.HIDDEN, "a default is not known"
    assert likeness(whole, remote(payload=None), SCHEMA, ModelFacts()) is Likeness.HIDDEN


@pytest.mark.parametrize(
    ("name", "facts", "is_same"),
    [
        (MODEL, ModelFacts(), True),
        (f" {MODEL.upper()} ", ModelFacts(), True),
        (None, ModelFacts(), True),
        ("other", ModelFacts(), False),
        ("Other", ModelFacts(aliases=frozenset({"other"})), True),
    ],
)
def test_what_another_model_is(name, facts, is_same):
    found = likeness(make_attempt(1), remote(model=name), SCHEMA, facts)
    assert found is (Likeness.EQUAL if is_same else Likeness.DIFFERENT)


@pytest.mark.parametrize(
    ("switch", "found"),
    [
        ({"prompt_extend": False}, Likeness.DIFFERENT),
        ({}, Likeness.EQUAL),
        ({"prompt_extend": None}, Likeness.EQUAL),
        ({"prompt_extend": True}, Likeness.EQUAL),
    ],
)
def test_a_prompt_that_the_service_may_rewrite_makes_no_difference_unless_that_is_off(switch, found):
    attempt = replace(make_attempt(1), payload={**make_job(1).payload, **switch})
    shown = remote(payload={**attempt.payload, "prompt": "a longer one"})
    rewriting = ModelSchema(MODEL, {**DOCUMENT, "x-rewrites": {"prompt_extend": ["prompt"]}})
    assert likeness(attempt, shown, rewriting, ModelFacts()) is found


def test_what_the_service_rewrites_makes_no_difference():
    attempt = replace(make_attempt(1), payload={**make_job(1).payload, "prompt_extend": True})
    shown = remote(payload={**attempt.payload, "prompt": "a longer one"})
    rewriting = ModelSchema(MODEL, {**DOCUMENT, "x-rewrites": {"prompt_extend": ["prompt"]}})
    assert likeness(attempt, shown, SCHEMA, ModelFacts()) is Likeness.DIFFERENT
    assert likeness(attempt, shown, rewriting, ModelFacts()) is Likeness.EQUAL
    assert likeness(attempt, shown, SCHEMA, ModelFacts(rewritten=frozenset({"prompt"}))) is Likeness.EQUAL


def test_what_an_echo_of_ours_shows_of_others():
    payload = make_job(1).payload
    assert hidden_in(payload, payload, SCHEMA) == rewritten_in(payload, payload, SCHEMA) == frozenset()
    assert hidden_in(payload, {}, SCHEMA) == {"prompt", "image"}, "what has its default is not hidden"
    assert hidden_in(payload, None, None) == set(payload)
    assert rewritten_in(payload, {**payload, "prompt": "x", "cfg_scale": 0.9, "image": A}, SCHEMA) == {
        "prompt",
        "cfg_scale",
    }


def test_a_url_is_an_identity_by_itself():
    attempt = replace(make_attempt(1), payload={"image": "https://example.com/a.jpg"})
    other = remote(payload={"image": "https://example.com/b.jpg"})
    assert likeness(attempt, remote(payload=dict(attempt.payload)), SCHEMA, ModelFacts()) is Likeness.EQUAL
    assert likeness(attempt, other, SCHEMA, ModelFacts()) is Likeness.UNCLEAR


# Any world: requests that the service accepted, of us and of others, some of them shown

IMAGES = (A, B)


@st.composite
def worlds(draw):
    """Lost attempts, each truly accepted or not; what the listing shows of that, and of others' requests."""
    echo = draw(st.sampled_from(["full", "none", "short", "mixed"]))
    attempts, truth, requests = [], {}, []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        job = make_job(draw(st.integers(1, 2)), image=draw(st.sampled_from(IMAGES)))
        begun = T + 10.0 * number
        attempt = replace(
            make_attempt(number),
            job_id=job.id,
            fingerprint=job.fingerprint,
            payload=job.payload,
            window_start=draw(st.sampled_from([None, T - 60, T])),
            **draw(st.sampled_from([{}, LOOKED])),
        )
        if any(each.fingerprint == attempt.fingerprint for each in attempts):
            continue  # equal requests never overlap
        attempts.append(attempt)
        if draw(st.booleans()):
            truth[number] = f"r-{draw(st.integers(0, 99)):02}-{number}"
            requests.append((truth[number], job.payload, begun + draw(st.floats(0, 5))))
    for other in range(draw(st.integers(0, 3))):
        job = make_job(draw(st.integers(1, 2)), image=draw(st.sampled_from(IMAGES)))
        requests.append((f"x-{other}", job.payload, T + draw(st.floats(-2000, 80))))
    shown = []
    for request_id, payload, at in requests:
        how = draw(st.sampled_from(["full", "none", "short"])) if echo == "mixed" else echo
        image = {"full": payload["image"], "short": CUT_SHORT, "none": None}[how]
        shown.append(remote(request_id, at=float(int(at)), payload={**payload, "image": image}))
    return attempts, truth, draw(st.permutations(shown)), draw(st.permutations(shown))


@settings(max_examples=60)
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


URL, OTHER = "https://example.com/a.jpg", "https://example.com/b.jpg"
SIGNED, SIGNED_LATER = f"{URL}?X-Amz-Date=1&X-Amz-Signature=1", f"{URL}?X-Amz-Date=2&X-Amz-Signature=2"
NESTED = ModelSchema(
    MODEL,
    {
        "properties": {
            "list": {"items": {"properties": {"url": {"x-media": {"kind": "image"}}, "tag": {}}}},
            "tail": {"x-media": {"kind": "image"}},
        }
    },
)


@pytest.mark.parametrize(
    ("ours", "addresses", "theirs", "expected"),
    [
        ({"list": [{"url": A, "tag": "x"}]}, {}, {"list": [{"url": A, "tag": "x"}]}, Likeness.EQUAL),
        ({"list": [{"url": A, "tag": "x"}]}, {A: URL}, {"list": [{"url": URL, "tag": "x"}]}, Likeness.EQUAL),
        ({"list": [{"url": A, "tag": "x"}]}, {A: URL}, {"list": [{"url": A, "tag": "x"}]}, Likeness.EQUAL),
        ({"tail": A}, {A: URL}, {"tail": URL}, Likeness.EQUAL),
        ({"tail": A}, {A: URL}, {"tail": OTHER}, Likeness.UNCLEAR),
        ({"tail": A}, {}, {"tail": URL}, Likeness.HIDDEN),
        ({"tail": A}, {A: URL}, {}, Likeness.HIDDEN),
        ({"list": [{"url": A, "tag": "x"}]}, {A: URL}, {"list": [{"url": URL, "tag": "y"}]}, Likeness.UNCLEAR),
        ({"list": [{"url": A}]}, {A: URL}, {"list": [{"url": URL}, {"url": OTHER}]}, Likeness.UNCLEAR),
        ({"list": [{"url": A}]}, {A: URL}, {"list": [{"url": CUT_SHORT}]}, Likeness.HIDDEN),
        ({"list": [A]}, {}, {"list": []}, Likeness.HIDDEN),
        ({"list": [A, B]}, {A: URL}, {"list": [URL, B]}, Likeness.EQUAL),
        # A signature may be left out of the echo; another one is of another submission, or nobody knows.
        ({"tail": A}, {A: SIGNED}, {"tail": SIGNED}, Likeness.EQUAL),
        ({"tail": A}, {A: SIGNED}, {"tail": URL}, Likeness.EQUAL),
        ({"tail": A}, {A: SIGNED}, {"tail": OTHER}, Likeness.UNCLEAR),
        ({"tail": A}, {A: SIGNED}, {"tail": SIGNED_LATER}, Likeness.UNCLEAR),
        ({"list": [{"url": A}]}, {A: SIGNED}, {"list": [{"url": URL}]}, Likeness.EQUAL),
    ],
)
def test_media_at_any_depth_match_by_file_or_by_the_address_that_was_sent(ours, addresses, theirs, expected):
    attempt = replace(make_attempt(1), payload=ours, addresses=addresses)
    assert likeness(attempt, remote(payload=theirs), NESTED, ModelFacts()) is expected
    hidden = hidden_in(ours, theirs, NESTED, addresses)
    assert (hidden == set(ours)) is (expected is Likeness.HIDDEN)


def test_two_lost_submissions_with_signed_addresses_get_each_its_request():
    """Takes of one request: their POSTs came one after the other, and only the signatures tell them apart."""
    payload = {**make_job(1).payload, "image": A}
    attempts = [
        replace(make_attempt(1), number=number, payload=payload, addresses={A: address})
        for number, address in ((1, SIGNED), (2, SIGNED_LATER))
    ]
    shown = [
        remote(name, payload={**payload, "image": each}) for name, each in (("r-2", SIGNED_LATER), ("r-1", SIGNED))
    ]
    told = conclude(attempts, *shown)
    assert {number: each.remote.request_id for number, each in told.items() if each.remote} == {1: "r-1", 2: "r-2"}
    # Only the later one was accepted: the first is not taken for it.
    told = conclude(attempts, shown[0])
    assert (told[2].conclusion, told[1].conclusion) == (Conclusion.FOUND, Conclusion.MISSED)
