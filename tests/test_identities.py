"""An upgrade re-buys nothing: the jobs of every valid example keep the ids that they were bought under."""

import json

import pytest

import runner
from tests.tools.example_header import EXAMPLES, FILES

RELEASED = json.loads((EXAMPLES / "identities.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RELEASED)
def test_every_id_is_as_it_was_released(name):
    planned = runner.plan(runner.load(EXAMPLES / "valid" / f"{name}.yaml", allow_outside=[FILES]))
    # By name where it is the same: how keys are written is no part of an identity.
    now = {each.job.key: each.job.id for each in planned.jobs}
    assert {key: now.get(key, identity) for key, identity in RELEASED[name].items()} == RELEASED[name]
    assert sorted(now.values()) == sorted(RELEASED[name].values())


def test_there_are_the_released_ones():
    assert len(RELEASED) >= 80
    assert sum(map(len, RELEASED.values())) >= 500
