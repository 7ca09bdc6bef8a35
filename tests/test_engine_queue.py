"""The queue over any sequence of events: equal requests never overlap, the order is kept, nothing is forgotten."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runner.engine.queue import Queue
from runner.model import Action, Planned
from tests.kit import make_job


def planned(number=1, take=1, model=None):
    job = make_job(number, take)
    return Planned(replace(job, model=model) if model else job, Action.SUBMIT, "new")


def equal(left, right):
    return left.fingerprint == right.fingerprint


def queue_of(jobs):
    return Queue(iter(jobs), len(jobs), equal)


def taken(queue):
    out = []
    while (one := queue.take()) is not None:
        out.append(one)
    return out


def test_jobs_leave_in_the_order_of_the_plan():
    jobs = [planned(number) for number in range(5)]
    queue = queue_of(jobs)
    assert (len(queue), taken(queue), len(queue)) == (5, jobs, 0)
    assert not queue.has_ready


def test_a_take_waits_for_the_one_before_it_and_then_goes_first():
    one, two, three, other = planned(1, 1), planned(1, 2), planned(1, 3), planned(2)
    queue = queue_of([one, two, other, three])
    assert taken(queue) == [one, other]
    assert len(queue) == 2
    assert not queue.has_ready
    queue.release(one.job.fingerprint)
    assert taken(queue) == [two]
    queue.release(two.job.fingerprint)
    assert taken(queue) == [three]


def test_a_request_of_an_earlier_run_holds_its_equals():
    one, other = planned(1), planned(2)
    queue = queue_of([one, other])
    queue.hold(one.job)
    assert taken(queue) == [other]
    queue.release(one.job.fingerprint)
    assert taken(queue) == [one]


def test_the_equals_of_an_abandoned_request_stay_pending_held_or_not():
    """Those that nobody took yet, too: a run would wait for them for ever."""
    one, two, three = planned(1, 1), planned(1, 2), planned(1, 3)
    queue = queue_of([one, two, three])
    assert queue.take() == one
    queue.abandon(one.job.fingerprint)
    assert taken(queue) == []
    assert len(queue) == 0


def test_what_is_put_back_goes_first_and_frees_its_equals():
    one, two, other = planned(1, 1), planned(1, 2), planned(2)
    queue = queue_of([one, two, other])
    assert taken(queue) == [one, other]
    queue.put_back(one)
    assert taken(queue) == [one]
    queue.release(one.job.fingerprint)
    assert taken(queue) == [two]


def test_a_withheld_model_is_left_alone_and_no_other():
    one, two, other = planned(1, 1, "m"), planned(1, 2, "m"), planned(2, 1, "n")
    queue = queue_of([one, two, other])
    assert queue.take() == one
    queue.withhold("m")
    queue.release(one.job.fingerprint)
    assert taken(queue) == [other]
    assert len(queue) == 0


def test_removed_and_cleared():
    one, two, three = planned(1, 1), planned(1, 2), planned(2)
    queue = queue_of([one, two, three])
    queue.exclude(three.job.id, is_planned=True)
    assert len(queue) == 2
    assert taken(queue) == [one]
    queue.close()
    assert len(queue) == 0
    queue.release(one.job.fingerprint)
    assert taken(queue) == []


def test_what_was_cleared_up_is_not_taken_from_the_plan_as_well():
    """A large plan asks the state when a job's turn comes: one that was put back would look new."""
    one, two = planned(1), planned(2)
    queue = queue_of([one, two])
    queue.hold(one.job)
    queue.exclude(one.job.id, is_planned=True)
    queue.put_back(one)
    assert taken(queue) == [one, two]
    queue.exclude("of-no-plan", is_planned=False)
    assert len(queue) == 0


def test_jobs_are_made_as_they_are_taken():
    made = []

    def source():
        for number in range(5):
            made.append(number)
            yield planned(number)

    queue = Queue(source(), 5, equal)
    assert (len(queue), made) == (5, [])
    queue.take()
    assert (len(queue), made) == (4, [0])


class QueueMachine(RuleBasedStateMachine):
    """Jobs wait, are out (their request open), or settled; the queue must agree with this at every moment."""

    @initialize(takes=st.lists(st.integers(1, 3), min_size=1, max_size=6), data=st.randoms(use_true_random=False))
    def fill(self, takes, data):
        self.plan = [planned(number, take) for number, count in enumerate(takes) for take in range(1, count + 1)]
        data.shuffle(self.plan)
        self.place = {each.job.id: index for index, each in enumerate(self.plan)}
        self.queue = queue_of(self.plan)
        self.out, self.settled, self.abandoned, self.again = [], [], set(), set()

    def waiting(self):
        gone = {each.job.id for each in (*self.out, *self.settled)}
        return [each for each in self.plan if each.job.id not in gone and each.job.fingerprint not in self.abandoned]

    @rule()
    def take(self):
        busy = {each.job.fingerprint for each in self.out}
        free = [each for each in self.waiting() if each.job.fingerprint not in busy]
        one = self.queue.take()
        if one is None:
            assert not free, "a job that may be submitted was forgotten"
            return
        assert one in free, "equal requests overlap, or one was handed out twice"
        equals = [each for each in free if each.job.fingerprint == one.job.fingerprint]
        if not self.again & {each.job.id for each in equals}:
            assert one == equals[0], "takes leave in their order"
        self.out.append(one)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def accept(self, data):
        one = data.draw(st.sampled_from(self.out))
        self.out.remove(one)
        self.settled.append(one)
        self.queue.release(one.job.fingerprint)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def refuse(self, data):
        one = data.draw(st.sampled_from(self.out))
        self.out.remove(one)
        self.again.add(one.job.id)
        self.queue.put_back(one)
        assert self.queue.has_ready

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def leave(self, data):
        one = data.draw(st.sampled_from(self.out))
        self.out.remove(one)
        self.settled.append(one)
        self.abandoned.add(one.job.fingerprint)
        self.queue.abandon(one.job.fingerprint)

    @invariant()
    def nothing_is_forgotten(self):
        if hasattr(self, "queue"):
            assert len(self.queue) >= len(self.waiting())

    def teardown(self):
        """Everything that may leave does, once what is out is answered."""
        if not hasattr(self, "queue"):
            return
        while True:
            for one in self.out:
                self.queue.release(one.job.fingerprint)
            self.settled += self.out
            self.out = taken(self.queue)
            if not self.out:
                break
        assert self.waiting() == []
        assert len(self.queue) == 0


TestQueue = QueueMachine.TestCase
