"""The tally: sums by action and reason, and those jobs that are held, whatever the order in which they pass by."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from runner.model import Action, Planned
from runner.planning.comparison import NEW, RESUBMITTED
from runner.planning.tally import HELD, KEPT, Tally
from tests.kit import make_job

CASES = st.sampled_from(
    [
        (Action.SUBMIT, NEW, Decimal(2), Decimal(0)),
        (Action.SUBMIT, NEW, None, Decimal(0)),
        (Action.SUBMIT, RESUBMITTED, Decimal(2), Decimal(1)),
        (Action.KEEP, "done", None, Decimal("0.25")),
        (Action.ATTACH, "in flight", None, Decimal(1)),
        (Action.FETCH, "finished, not downloaded yet", None, Decimal(1)),
        (Action.SKIP, "not selected", None, Decimal(0)),
    ]
)


def tally_of(planned):
    tally = Tally()
    for each in planned:
        tally.add(each)
    return tally


@given(st.lists(CASES, max_size=12))
def test_groups_are_the_sums_of_their_jobs(cases):
    planned = [Planned(make_job(n), action, why, price, spent) for n, (action, why, price, spent) in enumerate(cases)]
    tally = tally_of(planned)
    groups = tally.groups()
    assert Counter({(each.action, each.reason): each.jobs for each in groups}) == Counter(each[:2] for each in cases)
    assert [each.action for each in groups] == sorted((each.action for each in groups), key=list(Action).index)
    for group in groups:
        its = [each for each in cases if each[:2] == (group.action, group.reason)]
        prices = [price for _, _, price, _ in its]
        assert group.price == (None if None in prices else sum(prices))
        assert group.spent == sum(spent for *_, spent in its)
    assert tally.kept == planned
    assert tally.submits == [each for each in planned if each.action is Action.SUBMIT]
    assert tally.opened == [
        each for each in planned if each.action in (Action.ATTACH, Action.FETCH) or each.reason == RESUBMITTED
    ]
    assert tally.others is None


def test_of_a_large_plan_the_first_submissions_are_held_and_the_place_of_the_next():
    done, new = Planned(make_job(1), Action.KEEP, "done"), Planned(make_job(2), Action.SUBMIT, NEW)
    tally = tally_of([*[done] * KEPT, *[new] * (HELD + 3)])
    assert tally.kept is None
    assert len(tally.submits) == HELD
    assert tally.others == KEPT + HELD


def test_a_request_that_moved_to_another_key_is_no_change():
    former = make_job(1)
    moved = Planned(make_job(2), Action.SUBMIT, "changed: prompt 'a'", Decimal(3), former=former.id)
    tally = tally_of([moved])
    tally.finish({int(former.id, 16)}, lambda job: job)
    (group,) = tally.groups()
    assert (group.reason, group.jobs, group.price) == (NEW, 1, Decimal(3))
    assert [each.reason for each in tally.submits] == [NEW]
    unmoved = tally_of([moved])
    unmoved.finish(set(), lambda job: job)
    assert [group.reason for group in unmoved.groups()] == ["changed: prompt 'a'"]
