from __future__ import annotations

from types import MappingProxyType

import pytest
from jinja2 import Undefined, nodes
from jinja2.utils import missing
from runner.planning.template_environment import (
    ENVIRONMENT,
    OPERATIONS,
    TextGenerator,
    UnknownNameError,
    ValueGenerator,
    attributes_of,
)
from runner.planning.template_filters import FILTERS
from runner.planning.template_syntax import counted, parse


def test_keys_of_a_mapping_come_before_its_methods() -> None:
    image = {"id": "shoe", "items": "keys", "get": None}
    assert [ENVIRONMENT.getattr(image, name) for name in ("id", "items", "get")] == ["shoe", "keys", None]
    assert ENVIRONMENT.getattr(MappingProxyType(image), "id") == "shoe"
    assert callable(ENVIRONMENT.getattr({}, "items"))


@pytest.mark.parametrize("value", ["", 1, 1.5, True, None, [], (), {}, range(3), MappingProxyType({})])
def test_only_listed_attributes_are_seen(value: object) -> None:
    seen = {name for name in dir(value) if not isinstance(ENVIRONMENT.getattr(value, name), Undefined)}
    assert seen == attributes_of(value)
    assert not any(name.startswith("_") for name in seen)


@pytest.mark.parametrize(
    ("owner", "key", "expected"),
    [({"a": 1}, "a", 1), ({1: 2}, 1, 2), ([5, 6], -1, 6), ("ab", 1, "b"), (range(5, 9), 0, 5)],
)
def test_items(owner: object, key: object, expected: object) -> None:
    assert ENVIRONMENT.getitem(owner, key) == expected


@pytest.mark.parametrize(
    ("owner", "key"), [({"a": 1}, "b"), ([5], 1), ([5], "x"), ("ab", "upper"), (1, 0), ({(1,): 2}, (1,)), ([1], 1.5)]
)
def test_items_that_are_not_there_are_unknown(owner: object, key: object) -> None:
    found = ENVIRONMENT.getitem(owner, key)
    with pytest.raises(UnknownNameError) as caught:
        str(found)
    assert (caught.value.name, caught.value.owner) == (key, owner)


def test_an_unknown_name_is_told_when_it_is_used() -> None:
    unknown = ENVIRONMENT.undefined(name="x")
    for use in (str, bool, list, len, hash):
        with pytest.raises(UnknownNameError) as caught:
            use(unknown)
        assert (caught.value.name, caught.value.owner) == ("x", missing)
    with pytest.raises(UnknownNameError):
        ENVIRONMENT.getattr(unknown, "y")


def test_only_methods_can_be_called() -> None:
    scope = ENVIRONMENT.scope({})
    assert ENVIRONMENT.call(scope, "ab".upper) == "AB"
    assert ENVIRONMENT.call(scope, {"a": 1}.items) == [("a", 1)]
    for callee in (1, "ab", str, lambda: 1):
        with pytest.raises(TypeError, match="cannot be called"):
            ENVIRONMENT.call(scope, callee)


def test_names_of_operations_cannot_be_written_in_a_template() -> None:
    assert all(name.startswith("(") for name in OPERATIONS)
    assert not FILTERS.keys() & OPERATIONS.keys()


@pytest.mark.parametrize("generator", [TextGenerator, ValueGenerator])
def test_nothing_is_evaluated_while_a_template_is_compiled(generator: type[TextGenerator]) -> None:
    text = "{{ 'a' * 10**9 ~ 10**10**10 }}{{ 'a' | center(10**9) }}{{ [1] * 10**9 }}{{ '%99999d' % 1 }}"
    compiled = ENVIRONMENT.assemble(counted(parse(text)), generator)
    assert compiled.root_render_func is not None


def test_an_assembled_template_tells_offsets_for_lines() -> None:
    text = "a\n{{ x }}\n{{ y }}"
    compiled = ENVIRONMENT.assemble(counted(parse(text)), TextGenerator)
    assert {text.index("x"), text.index("y")} <= {offset for offset, _ in compiled.debug_info}


def test_one_expression_yields_its_own_value() -> None:
    tree = counted(parse("{{ x }}"))
    compiled = ENVIRONMENT.assemble(tree, ValueGenerator)
    value = ["a"]
    assert isinstance(tree, nodes.Template)
    assert next(compiled.root_render_func(ENVIRONMENT.scope({"x": value}))) is value
