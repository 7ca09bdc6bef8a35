from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model import Json, Matrix, Sample, Variables, canonical_json, same_value
from runner.planning.expansion import matrix
from runner.planning.expansion.matrix import MAX_PRODUCT, OUTSIDE, MatrixDiagnostic, Variant

# Values that are easily taken for each other.
VALUES: list[Json] = [1, 1.0, "1", True, 0, False, None, "", [1], [1.0], ["1"], {"x": 1}, 2]
values = st.sampled_from(VALUES)


@st.composite
def matrices(draw: st.DrawFn, zipped: bool = True) -> Matrix:
    axes = draw(st.dictionaries(st.sampled_from("abcd"), st.lists(values, min_size=1, max_size=3), max_size=4))
    groups: list[tuple[str, ...]] = []
    names = list(axes)
    if zipped and len(names) >= 2 and draw(st.booleans()):
        group = draw(st.permutations(names))[: draw(st.integers(2, len(names)))]
        length = min(len(axes[name]) for name in group)
        axes.update({name: axes[name][:length] for name in group})
        groups.append(tuple(group))
    exclude = draw(st.lists(_entries([*names, *OUTSIDE], lists=True), max_size=3)) if names else []
    include = draw(st.lists(_entries([*names, "x", "y"]), max_size=4))
    return Matrix({name: tuple(items) for name, items in axes.items()}, tuple(include), tuple(exclude), tuple(groups))


def _entries(names: list[str], lists: bool = False) -> st.SearchStrategy[Variables]:
    def value(name: str) -> st.SearchStrategy[Json]:
        one = st.sampled_from(["p", "q"]) if name in OUTSIDE else values
        return one | st.lists(one, min_size=1, max_size=3) if lists else one

    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({name: value(name) for name in some}))


def slowly(made: Matrix) -> Iterator[Variant]:
    """The documented rules, one after the other, on lists."""
    rows: list[dict[str, Json]] = [{}] if made.axes else []
    done: set[str] = set()
    for axis in made.axes:
        if axis in done:
            continue
        group = next((group for group in made.zip if axis in group), (axis,))
        done |= set(group)
        rows = [
            {**row, **{name: made.axes[name][place] for name in group}}
            for row in rows
            for place in range(len(made.axes[axis]))
        ]
    rows = [{name: row[name] for name in made.axes} for row in rows]
    excludes = [entry for entry in made.exclude if not set(entry) & set(OUTSIDE)]
    rows = [row for row in rows if not any(matches(entry, row, made) for entry in excludes)]
    originals = [dict(row) for row in rows]
    created = []
    for entry in made.include:
        added = False
        for original, row in zip(originals, rows, strict=True):
            if agrees({name: value for name, value in entry.items() if name in original}, original):
                row.update({name: value for name, value in entry.items() if name not in original})
                added = True
        if not added:
            created.append(entry)
    if not made.axes and not made.include:
        rows = [{}]
    yield from (Variant(row, False) for row in rows)
    for entry in created:
        own = {name: entry[name] for name in made.axes if name in entry}
        yield Variant(own | dict(entry), True)


def agrees(entry: Variables, row: Variables) -> bool:
    return all(name in row and same_value(value, row[name]) for name, value in entry.items())


def matches(entry: Variables, row: Variables, made: Matrix) -> bool:
    """Whether an exclude matches: of a list, with one of its values, unless the axis has that list."""

    def meant(name: str, value: Json) -> Sequence[Json]:
        on_axis = any(same_value(value, each) for each in made.axes.get(name, ()))
        return value if isinstance(value, list) and not on_axis else [value]

    return any(
        agrees(dict(zip(entry, values, strict=True)), row)
        for values in product(*(meant(name, value) for name, value in entry.items()))
    )


def exact(found: Iterator[Variant]) -> list[tuple[str, bool]]:
    """With the order of the names, and 1 apart from 1.0 and true."""
    return [(repr(list(each.variables.items())), each.created) for each in found]


def variables(made: Matrix) -> list[dict[str, Json]]:
    return [dict(each.variables) for each in matrix.variants(made)]


@given(matrices())
def test_variants_are_those_of_the_documented_rules(made: Matrix) -> None:
    assert exact(matrix.variants(made)) == exact(slowly(made))


@given(matrices(), st.sampled_from(["p", "q", "r"]), st.sampled_from(["p", "r"]), st.sampled_from(["q", "r"]))
def test_cells_are_excluded_as_the_entries_say(made: Matrix, image: str, prompt: str, model: str) -> None:
    is_excluded = matrix.excluded(made)
    cell = {"image": image, "prompt": prompt, "model": model}
    for variant in matrix.variants(made):
        expected = False
        for entry in made.exclude:
            outer = {name: value for name, value in entry.items() if name in OUTSIDE}
            inner = {name: value for name, value in entry.items() if name not in OUTSIDE}
            if outer and matches(outer, cell, made):
                expected |= not inner or (not variant.created and matches(inner, variant.variables, made))
        assert is_excluded(image, prompt, model, variant) is expected


def test_the_example_of_the_documentation() -> None:
    made = Matrix(
        {"fruit": ("apple", "pear"), "animal": ("cat", "dog")},
        include=(
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ),
    )
    assert variables(made) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert [each.created for each in matrix.variants(made)] == [False] * 4 + [True] * 2


def test_the_second_example_of_the_documentation() -> None:
    made = Matrix(
        {"os": ("windows", "ubuntu"), "node": (14, 16)},
        include=({"os": "windows", "node": 16, "npm": 6},),
    )
    assert variables(made)[1] == {"os": "windows", "node": 16, "npm": 6}
    assert len(variables(made)) == 4


def test_the_documented_include_of_a_new_combination() -> None:
    made = Matrix(
        {"os": ("macos", "windows", "ubuntu"), "version": (12, 14, 16)},
        include=({"os": "windows", "version": 17},),
    )
    assert len(variables(made)) == 10
    assert list(matrix.variants(made))[-1] == Variant({"os": "windows", "version": 17}, True)


def test_the_documented_exclude() -> None:
    made = Matrix(
        {"os": ("macos", "windows"), "version": (12, 14, 16), "environment": ("staging", "production")},
        exclude=({"os": "macos", "version": 12, "environment": "production"}, {"os": "windows", "version": 16}),
    )
    assert [tuple(each.values()) for each in variables(made)] == [
        ("macos", 12, "staging"),
        ("macos", 14, "staging"),
        ("macos", 14, "production"),
        ("macos", 16, "staging"),
        ("macos", 16, "production"),
        ("windows", 12, "staging"),
        ("windows", 12, "production"),
        ("windows", 14, "staging"),
        ("windows", 14, "production"),
    ]


def test_filter_only_includes_change_nothing() -> None:
    axes: dict[str, tuple[Json, ...]] = {"a": (1, 2), "b": (3, 4)}
    made = Matrix(axes, include=({"a": 1}, {"b": 4, "a": 2}))
    assert list(matrix.variants(made)) == list(matrix.variants(Matrix(axes)))
    assert variables(made) == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]


def test_includes_that_share_only_an_extra_key_overwrite_each_other() -> None:
    made = Matrix({"a": (1, 2)}, include=({"a": 1, "x": "first"}, {"x": "second", "y": 0}))
    assert variables(made) == [{"a": 1, "x": "second", "y": 0}, {"a": 2, "x": "second", "y": 0}]


def test_an_include_is_not_added_to_what_an_include_created() -> None:
    made = Matrix({"a": (1,)}, include=({"a": 2, "x": 1}, {"x": 3}, {"a": 2, "y": 4}))
    assert variables(made) == [{"a": 1, "x": 3}, {"a": 2, "x": 1}, {"a": 2, "y": 4}]


def test_an_include_restores_an_excluded_combination() -> None:
    made = Matrix({"a": (1, 2), "b": (3,)}, include=({"a": 2, "b": 3},), exclude=({"a": 2},))
    assert list(matrix.variants(made)) == [Variant({"a": 1, "b": 3}, False), Variant({"a": 2, "b": 3}, True)]


def test_without_any_combination_left_every_include_is_its_own() -> None:
    made = Matrix({"a": (1,)}, include=({"x": 1}, {"x": 1}), exclude=({"a": 1},))
    assert variables(made) == [{"x": 1}, {"x": 1}]


def test_a_matrix_of_includes_only() -> None:
    made = Matrix({}, include=({"site": "one"}, {"site": "two", "x": 1}))
    assert list(matrix.variants(made)) == [Variant({"site": "one"}, True), Variant({"site": "two", "x": 1}, True)]


def test_an_empty_matrix_has_one_variant() -> None:
    assert list(matrix.variants(Matrix({}))) == [Variant({}, False)]


def test_the_original_of_an_equal_value_stays() -> None:
    made = Matrix({"cfg": (1.0,)}, include=({"cfg": 1, "x": 0},))
    assert exact(matrix.variants(made)) == [("[('cfg', 1.0), ('x', 0)]", False)]


def test_an_exclude_matches_in_part_and_by_type() -> None:
    made = Matrix({"a": (1, "1", True), "b": (5, 6)}, exclude=({"a": 1.0}, {"a": "1", "b": 6}))
    assert variables(made) == [{"a": "1", "b": 5}, {"a": True, "b": 5}, {"a": True, "b": 6}]


def test_zipped_axes_advance_together_at_the_place_of_the_first() -> None:
    made = Matrix({"a": (1, 2), "b": ("x", "y"), "c": (3, 4)}, zip=(("c", "a"),))
    assert exact(matrix.variants(made)) == exact(
        iter(Variant({"a": a, "b": b, "c": c}, False) for a, c in ((1, 3), (2, 4)) for b in ("x", "y"))
    )


def test_a_value_that_stands_twice_comes_twice() -> None:
    assert variables(Matrix({"a": (1, 1.0)})) == [{"a": 1}, {"a": 1.0}]


def test_variants_stream() -> None:
    hundred: tuple[Json, ...] = tuple(range(100))
    made = Matrix(dict.fromkeys("abcdefghij", hundred), include=({"x": 1},))
    first = list(islice(matrix.variants(made), 2))
    assert [each.variables["j"] for each in first] == [0, 1]
    assert first[0].variables["x"] == 1


@given(matrices(zipped=False), st.integers(1, 12), st.sampled_from([7, "seed", None]))
def test_a_sample_is_the_lowest_digests_in_order(made: Matrix, count: int, seed: Json) -> None:
    everything = list(matrix.variants(made))
    found = list(matrix.variants(Matrix(made.axes, made.include, made.exclude, sample=Sample(count, seed))))

    def digest(place: int) -> bytes:
        return hashlib.sha256(canonical_json([seed, everything[place].variables]).encode()).digest()

    lowest = sorted(range(len(everything)), key=digest)[:count]
    assert exact(iter(found)) == exact(everything[place] for place in sorted(lowest))


@given(
    st.lists(st.text(max_size=3), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(), min_size=1, max_size=4, unique=True),
    st.text(max_size=3),
    st.integers(1, 20),
    st.integers(),
)
def test_a_new_value_redraws_nothing(old: list[str], other: list[int], new: str, count: int, seed: int) -> None:
    if new in old:
        return
    sample = Sample(count, seed)
    before = variables(Matrix({"a": tuple(old), "b": tuple(other)}, sample=sample))
    after = variables(Matrix({"b": tuple(other), "a": (new, *old)}, sample=sample))
    kept = [each for each in after if each["a"] != new]
    assert all(each in before for each in kept)
    assert len(after) == min(count, (len(old) + 1) * len(other))


def test_a_sample_of_more_than_there_are_keeps_all() -> None:
    made = Matrix({"a": (1, 2, 3)}, sample=Sample(99, 1))
    assert variables(made) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_names_and_values_that_utf8_cannot_write_can_be_sampled() -> None:
    made = Matrix({"a\ud800": ("\udfff", "x")}, sample=Sample(1, "\ud800"))
    assert len(variables(made)) == 1


@given(matrices())
def test_the_size_is_that_of_the_product(made: Matrix) -> None:
    plain = Matrix(made.axes, zip=made.zip)
    assert matrix.product_size(made) == len(variables(plain))


def diagnose(made: Matrix) -> list[MatrixDiagnostic]:
    return matrix.diagnose(made, images=["shoe", "bag"], prompts=("plain",), models={"kling"})


@given(matrices())
def test_a_sound_matrix_has_no_problems(made: Matrix) -> None:
    known = ["p", "q"]
    assert matrix.diagnose(made, images=known, prompts=known, models=known) == []


AXES: dict[str, tuple[Json, ...]] = {"surface": ("a", "b"), "camera": ("c", "d", "e"), "cfg": (1, 2)}


@pytest.mark.parametrize(
    ("made", "code", "route", "key", "hint"),
    [
        (Matrix(AXES, zip=(("surface", "camera"),)), "E501", ("zip", 0), False, "values that belong together"),
        (Matrix(AXES, zip=(("surface", "cgf"),)), "E501", ("zip", 0, 1), False, "did you mean 'cfg'?"),
        (Matrix(AXES, zip=(("surface", "cfg"), ("cfg",))), "E501", ("zip", 1, 0), False, "one group only"),
        (Matrix(AXES, exclude=({"cfg": 1}, {"surfce": "a"})), "E502", ("exclude", 1, "surfce"), True, "'surface'?"),
        (Matrix(AXES, exclude=({"image": "sheo"},)), "E502", ("exclude", 0, "image"), False, "'shoe'?"),
        (Matrix(AXES, exclude=({"prompt": "plane"},)), "E502", ("exclude", 0, "prompt"), False, "'plain'?"),
        (Matrix(AXES, exclude=({"model": 7},)), "E502", ("exclude", 0, "model"), False, "known here: kling"),
        (Matrix(AXES, exclude=({"image": ["shoe", "hat"]},)), "E502", ("exclude", 0, "image", 1), False, "bag, shoe"),
        (Matrix(AXES, exclude=({"image": [["shoe"]]},)), "E502", ("exclude", 0, "image", 0), False, "bag, shoe"),
        (Matrix(AXES, exclude=({"image": []},)), "E206", ("exclude", 0, "image"), False, "at least one"),
        (Matrix(AXES, exclude=({"cfg": []},)), "E206", ("exclude", 0, "cfg"), False, "at least one"),
        (Matrix(AXES, exclude=({},)), "E206", ("exclude", 0), False, "at least one"),
        (Matrix(AXES, include=({"x": 1}, {"image": "bag"})), "E503", ("include", 1, "image"), True, "use exclude"),
        (Matrix({"a": tuple(range(2001)), "b": tuple(range(2500))}), "E505", (), True, "leave out"),
    ],
)
def test_problems(made: Matrix, code: str, route: tuple[str | int, ...], key: bool, hint: str) -> None:
    (found,) = diagnose(made)
    assert (found.code, found.route, found.key) == (code, route, key)
    assert hint in found.hint


def test_an_exclude_with_an_unknown_key_is_an_error() -> None:
    (found,) = diagnose(Matrix(AXES, exclude=({"surface": "a", "lens": "wide"},)))
    assert (found.code, found.route, found.key) == ("E502", ("exclude", 0, "lens"), True)
    assert found.message == "exclude names 'lens', which is no axis of the matrix"
    assert found.hint == "known here: camera, cfg, image, model, prompt, surface"


def test_a_key_that_only_an_include_adds_is_unknown_to_exclude() -> None:
    (found,) = diagnose(Matrix(AXES, include=({"mood": "calm"},), exclude=({"mood": "calm"},)))
    assert found.code == "E502"
    assert "exclude comes first" in found.hint


def test_all_problems_are_found_at_once() -> None:
    made = Matrix(AXES, include=({"model": "x"},), exclude=({"x": 1, "image": "y"},), zip=(("z", "camera", "cfg"),))
    assert [each.code for each in diagnose(made)] == ["E501", "E501", "E502", "E502", "E503"]


def test_the_size_is_refused_before_anything_is_expanded() -> None:
    made = Matrix({name: tuple(range(1000)) for name in "abcdef"})
    (found,) = diagnose(made)
    assert matrix.product_size(made) == 10**18
    assert found.code == "E505"
    assert f"{MAX_PRODUCT:,}" in found.message


def test_a_product_of_exactly_the_limit_is_allowed() -> None:
    assert diagnose(Matrix({"a": tuple(range(5000)), "b": tuple(range(1000))})) == []


def test_a_matrix_without_what_has_problems():
    whole = Matrix(
        {"a": (1, 2), "b": (1, 2, 3)},
        include=({"image": "p", "x": 1}, {"x": 2}),
        exclude=({"c": 1}, {"a": 1}, {}),
        zip=(("a", "b"), ("b", "d")),
    )
    found = matrix.diagnose(whole, images=["p"], prompts=["q"], models=["m"])
    assert {each.code for each in found} == {"E206", "E501", "E502", "E503"}
    left = matrix.without(whole, found)
    assert left == Matrix(whole.axes, include=({"x": 1}, {"x": 2}), exclude=({"a": 1},), zip=())
    assert matrix.diagnose(left, images=["p"], prompts=["q"], models=["m"]) == []
    assert matrix.without(left, []) == left
