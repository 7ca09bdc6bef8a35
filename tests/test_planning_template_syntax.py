from __future__ import annotations

import pytest
from jinja2 import nodes
from runner.planning.template_syntax import MAX_DEPTH, ForbiddenError, Use, check, counted, parse, uses

TEXT = "{{ a.b }} {% for c in d['e'] if c > f %}{{ loop . index }}{{ g | default(h.i.j) }}{% endfor %}"


def test_uses_are_found_with_their_places_and_owners() -> None:
    found = uses(parse(TEXT), TEXT)
    assert all(TEXT[use.offset : use.offset + len(use.name)] == use.name for use in found)
    assert {(use.name, use.owner) for use in found} == {
        ("a", None), ("b", "a"), ("c", None), ("d", None), ("e", "d"), ("f", None), ("loop", None), ("index", "loop"),
        ("g", None), ("h", None), ("i", "h"), ("j", ""),
    }  # fmt: skip


def test_a_use_is_plain_data() -> None:
    assert Use("a", 3) == Use("a", 3, None)


def test_nothing_that_can_take_long_is_left_in_the_tree() -> None:
    tree = parse("{% for x in [a, (b, c)] %}{{ {'k': x ~ d} }}{{ x[1:] < e in f }}{{ range(3) }}{% endfor %}")
    check(tree)
    counted(tree)
    assert not list(tree.find_all((nodes.Concat, nodes.Compare, nodes.Slice, nodes.Call)))
    names = [node.name for node in tree.find_all(nodes.Filter)]
    assert sorted(set(names)) == ["(compare)", "(concat)", "(counted)", "(made)", "(range)", "(slice)"]
    assert names.count("(made)") == 3
    (loop,) = tree.find_all(nodes.For)
    assert isinstance(loop.iter, nodes.Filter)
    assert loop.iter.name == "(counted)"


def test_a_round_of_a_loop_costs_what_is_in_it() -> None:
    def cost(text: str) -> int:
        (loop,) = counted(parse(text)).find_all(nodes.For)
        assert isinstance(loop.iter, nodes.Filter)
        (found,) = loop.iter.args
        assert isinstance(found, nodes.Const)
        return int(found.value)

    assert 0 < cost("{% for x in a %}{% endfor %}") < cost("{% for x in a %}{{ x }}{{ x }}{% endfor %}")


def test_targets_of_assignments_stay_what_they_are() -> None:
    tree = counted(parse("{% for a, b in c %}{% endfor %}{% set d, e = f %}"))
    assert [node.ctx for node in tree.find_all(nodes.Tuple)] == ["store", "store"]


def test_depth_is_limited() -> None:
    check(parse("{{ " + "-" * (MAX_DEPTH - 3) + "1 }}"))
    with pytest.raises(ForbiddenError):
        check(parse("{{ " + "-" * MAX_DEPTH + "1 }}"))


def test_the_first_thing_that_is_forbidden_is_told() -> None:
    with pytest.raises(ForbiddenError) as caught:
        check(parse("{{ a | upper }} {{ a | urlize }} {{ a | safe }}"))
    assert (caught.value.word, caught.value.offset) == ("urlize", 23)
