"""Which jobs a command is asked to care for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.manifest.reader import load
from runner.model import Status
from runner.planning.selection import (
    EVERYTHING,
    STATUS,
    Selection,
    conditions,
    is_written,
    known_variable,
    stands_for,
    text_of,
    value_of,
    variables_of,
)
from tests.kit import make_attempt, make_job, write_manifest
from tests.test_planning_plan import plan, state_of

JOB = make_job(3)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)


def test_everything_is_selected_where_nothing_is_asked():
    assert EVERYTHING.is_everything
    assert EVERYTHING.has(JOB)
    assert not Selection(only=("*",)).is_everything


@pytest.mark.parametrize(
    ("selection", "has"),
    [
        (Selection(only=("p0/*",)), True),
        (Selection(only=("p1/*", "*/n=3/*")), True),
        (Selection(only=("plain",)), False),
        (Selection(skip=("p0/*",)), False),
        (Selection(only=("p0/*",), skip=("*/take-2",)), True),
        (Selection(where={"n": ("3",)}), True),
        (Selection(where={"n": ("4", "3")}), True),
        (Selection(where={"n": ("3.0",)}), True),
        (Selection(where={"n": ("4",)}), False),
        (Selection(where={"n": ("3",), "image": ("p1",)}), False),
        (Selection(where={"n": ("3",), "image": ("p0",), "prompt": ("plain",), "take": ("1",)}), True),
        (Selection(where={"absent": ("3",)}), False),
        (Selection(where={"product": ("shoe",)}, pictures={"p0": {"product": "shoe"}}), True),
        (Selection(where={"product": ("shoe",)}, pictures={"p0": {"product": "bag"}}), False),
    ],
)
def test_a_job_and_its_attempt_are_chosen_alike(selection, has):
    assert selection.has(JOB) is has
    assert selection.has(make_attempt(3)) is has


@given(VALUES)
def test_every_value_is_selected_by_its_own_text(value):
    assert is_written(value, text_of(value))


@given(VALUES, VALUES)
def test_two_values_are_selected_by_one_text_only_where_people_write_them_alike(left, right):
    if is_written(right, text_of(left)):
        assert text_of(left) == text_of(right) or json.loads(text_of(left)) == right


def test_conditions(tmp_path):
    manifest = load(write_manifest(tmp_path, matrix={"s": ["a=b", "c"], "include": [{"s": "c", "extra": 1}]}))
    assert conditions(["s=a=b", "s=c", "extra=1", "image="], manifest) == {
        "s": ("a=b", "c"), "extra": ("1",), "image": ("",),
    }  # fmt: skip
    with pytest.raises(UsageError, match="is no condition"):
        conditions(["s"], manifest)
    with pytest.raises(UsageError) as caught:
        conditions(["extre=1"], manifest)
    assert "did you mean 'extra'?" in caught.value.hint


def test_the_variables_that_tell_jobs_apart(tmp_path):
    manifest = load(
        write_manifest(
            tmp_path, images=[{"file": "p0.jpg", "vars": {"product": "shoe"}}], matrix={"s": [1]}, vars={"season": "x"}
        )
    )
    assert variables_of(manifest) == ["image", "prompt", "model", "take", "s", "product"]
    assert known_variable("product", manifest, "--by") == "product"
    with pytest.raises(UsageError, match="--by names the unknown variable 'season'"):
        known_variable("season", manifest, "--by")


@pytest.mark.parametrize(
    ("statuses", "chosen"),
    [
        ((Status.SUCCEEDED,), {0}),
        ((Status.FAILED, Status.SUCCEEDED), {0, 1}),
        ((Status.PENDING,), {2}),
        ((Status.PENDING, Status.FAILED), {1, 2}),
        ((Status.UNKNOWN,), set()),
    ],
)
def test_jobs_are_chosen_by_the_status_that_they_have_when_the_command_begins(tmp_path, statuses, chosen):
    made = plan(tmp_path, takes=3)
    jobs = [each.job for each in made.jobs]
    with state_of(made, Status.SUCCEEDED, Status.FAILED) as store:
        selection = Selection(statuses=statuses).at(store)
    assert {number for number, job in enumerate(jobs) if selection.has(job)} == chosen
    # Before the first run every job is pending.
    assert Selection(statuses=statuses).at(None).has(jobs[0]) is (Status.PENDING in statuses)


def test_a_variable_named_status_goes_before_the_status_of_jobs(tmp_path):
    own = load(write_manifest(tmp_path / "own", matrix={"status": ["draft", "final"]}))
    assert not stands_for(STATUS, "status", own)
    assert conditions(["status=draft"], own) == {"status": ("draft",)}
    other = load(write_manifest(tmp_path / "other"))
    assert stands_for(STATUS, "status", other)
    assert conditions(["status=failed"], other) == {"status": ("failed",)}
    with pytest.raises(UsageError) as caught:
        conditions(["status=fialed"], other)
    assert "did you mean 'failed'?" in caught.value.hint


def test_columns_of_a_table_tell_jobs_apart_by_any_name(tmp_path):
    (tmp_path / "t.csv").write_text("image;id;Product Name;name;take\np0.jpg;a;Shoe;x;7\n", encoding="utf-8")
    manifest = load(write_manifest(tmp_path, images=[{"table": "t.csv"}]))
    assert variables_of(manifest) == ["image", "prompt", "model", "take", "Product Name", "name"]
    pictures = {image.id: image.known for image in manifest.images}
    assert value_of(JOB, "Product Name", {JOB.image: pictures["a"]}) == (True, "Shoe")
    assert value_of(JOB, "take", {JOB.image: pictures["a"]}) == (True, JOB.take), "a column does not hide the take"
