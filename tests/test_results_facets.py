"""By what the page filters."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from runner.model import Json, Status, same_value
from runner.results.facets import Facet, facets, places

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -2.0]),
    st.text('1-n"[ a{}', max_size=3),
    st.sampled_from(["true", "null", "1", "1.0", "[1]", '"a"']),
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2)


def job(variables: dict[str, Json] | None = None, **changes: Json) -> dict[str, Json]:
    plain: dict[str, Json] = {
        "status": "succeeded",
        "image": "shoe",
        "prompt_id": "plain",
        "model": "m",
        "variables": variables or {},
        "take": 1,
        "orphaned": False,
    }
    return plain | changes


def shape(found: list[Facet]) -> dict[str, list[tuple[str, int]]]:
    return {facet.name: [(choice.label, choice.count) for choice in facet.choices] for facet in found}


def test_only_what_jobs_differ_in_is_a_facet() -> None:
    assert facets([job({"surface": "snow"}), job({"surface": "snow"})]) == []
    assert facets([]) == []


def test_facets_stand_in_the_order_of_the_page() -> None:
    first = job({"surface": "snow", "cfg": 1})
    second = job(
        {"cfg": 2, "surface": "sand"},
        status="failed",
        image="bag",
        prompt_id="mood",
        model="n",
        take=2,
        orphaned=True,
    )
    found = facets([first, second])
    assert [facet.name for facet in found] == (
        ["status", "image", "prompt_id", "model", "variables.surface", "variables.cfg", "take", "orphaned"]
    )
    assert [facet.label for facet in found] == [
        "status",
        "image",
        "prompt",
        "model",
        "surface",
        "cfg",
        "take",
        "orphaned",
    ]


def test_image_variables_that_pictures_share_are_facets() -> None:
    known = {"a": ("green", "1"), "b": ("green", "2"), "c": ("red", "3")}
    jobs = [job(image=image, image_vars={"colour": colour, "sku": sku}) for image, (colour, sku) in known.items()]
    found = facets([*jobs, *jobs])
    assert shape(found)["image_vars.colour"] == [("green", 4), ("red", 2)]
    assert [facet.label for facet in found] == ["image", "colour", "sku"]
    # It names each image, as the facet of images does: for rows and columns, and no filter.
    assert [facet.names_images for facet in found] == [False, False, True]


def test_choices_count_their_jobs() -> None:
    jobs = [job({"surface": "snow"}), job({"surface": "sand"}), job({"surface": "snow"})]
    assert shape(facets(jobs)) == {"variables.surface": [("snow", 2), ("sand", 1)]}


def test_a_variable_that_some_jobs_lack_has_a_choice_for_them() -> None:
    jobs = [job({"lens": ""}), job(), job({"lens": "35mm"})]
    (found,) = facets(jobs)
    assert shape([found]) == {"variables.lens": [('""', 1), ("35mm", 1), ("not set", 1)]}
    assert list(places([found], jobs)) == [[[0]], [[2]], [[1]]]


def test_statuses_read_from_done_to_not_begun() -> None:
    jobs = [job(status=str(status)) for status in Status]
    (found,) = facets(jobs)
    assert [choice.label for choice in found.choices] == (
        ["succeeded", "failed", "rejected", "cancelled", "unknown", "waiting", "pending"]
    )


def test_orphaned_is_a_yes_or_no() -> None:
    assert shape(facets([job(), job(orphaned=True)])) == {"orphaned": [("no", 1), ("yes", 1)]}


def test_plain_text_is_its_own_key_in_a_link() -> None:
    (found,) = facets([job({"surface": value}) for value in ("wet rock", "35mm", 35, "true", True)])
    assert [choice.key for choice in found.choices] == ["wet rock", '"35mm"', "35", '"true"', "true"]


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_jobs_share_a_choice_exactly_where_their_values_are_equal(values: list[Json]) -> None:
    values = [*values, None]
    jobs = [job({"v": value}) for value in values]
    found = [facet for facet in facets(jobs) if facet.name == "variables.v"]
    at = [place[0][0] for place in places(found, jobs)] if found else [0] * len(jobs)
    for one, other in combinations(range(len(values)), 2):
        assert (at[one] == at[other]) is same_value(values[one], values[other])
    for facet in found:
        assert sum(choice.count for choice in facet.choices) == len(jobs)
        assert [at.count(index) for index in range(len(facet.choices))] == [each.count for each in facet.choices]
