"""The syntax trees of templates: what they may hold, and how their work is counted."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jinja2 import nodes
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from runner.planning.suggestions import did_you_mean
from runner.planning.template_environment import (
    COMPARE,
    CONCAT,
    COUNTED,
    ENVIRONMENT,
    MADE,
    RANGE,
    SLICE,
)
from runner.planning.template_filters import FILTERS, TESTS
from runner.planning.template_values import MAX_BITS

# Far below where Python's own limits on nesting begin.
MAX_DEPTH = 60

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.AssignBlock, nodes.With,
    nodes.FilterBlock, nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat,
    nodes.Compare, nodes.Operand, nodes.BinExpr, nodes.UnaryExpr,
)  # fmt: skip
_TAGS: dict[type[nodes.Node], str] = {
    nodes.Block: "{% block %}",
    nodes.CallBlock: "{% call %}",
    nodes.Extends: "{% extends %}",
    nodes.FromImport: "{% from %}",
    nodes.Import: "{% import %}",
    nodes.Include: "{% include %}",
    nodes.Macro: "{% macro %}",
    nodes.NSRef: "a name with a dot after 'set'",
    nodes.Scope: "{% autoescape %}",
}


class ForbiddenError(Exception):
    """A template holds what it may not hold, at `offset`; `word` is what stands there, where that is known."""

    def __init__(self, message: str, hint: str, offset: int, word: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.offset = offset
        self.word = word


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a template looks up `name`: a variable, or an attribute of `owner` (empty for no plain name)."""

    name: str
    offset: int
    owner: str | None = None


def parse(text: str) -> nodes.Template:
    """The tree of the text, whose nodes have offsets for line numbers. Raises what Jinja's parser raises."""
    return Parser(ENVIRONMENT, text).parse()


def check(tree: nodes.Template) -> None:
    """Raise ForbiddenError for the first thing in the tree that templates may not hold."""
    for node, depth in _walk(tree):
        if depth > MAX_DEPTH:
            message = "the template is nested too deeply"
            raise ForbiddenError(message, "split the expression up with set", _offset(node))
        if not isinstance(node, _ALLOWED):
            what = _TAGS.get(type(node), f"{type(node).__name__.lower()}")
            raise ForbiddenError(
                f"{what} is not available", "a template stands alone, and makes one text", _offset(node)
            )
        for kind, check_node in _CHECKS:
            if isinstance(node, kind):
                check_node(node)


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """All nodes with their depth, in the order of the text; without recursion, as the depth is not checked yet."""
    left = [(tree, 0)]
    while left:
        node, depth = left.pop()
        yield node, depth
        left.extend((child, depth + 1) for child in reversed(list(node.iter_child_nodes())))


def _offset(node: nodes.Node) -> int:
    """Where a node stands; some have no place of their own, but something in them has."""
    return next((each.lineno for each in (node, *node.find_all(nodes.Node)) if each.lineno is not None), 0)


def _check_name(node: nodes.Name) -> None:
    if unicodedata.normalize("NFKC", node.name) != node.name:
        # Python, which Jinja compiles to, takes such names for the same as their plain spelling.
        plain = unicodedata.normalize("NFKC", node.name)
        raise ForbiddenError(f"the name {node.name!r} has unusual letters", f"write {plain!r}", node.lineno, node.name)
    if node.name == "self":
        raise ForbiddenError("'self' means something else in Jinja2", "rename the variable", node.lineno, "self")


def _check_constant(node: nodes.Const) -> None:
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        raise ForbiddenError("the number is too large", "", node.lineno)
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ForbiddenError("the number is too large", "", node.lineno)


def _check_filter(node: nodes.Filter) -> None:
    if node.name not in FILTERS:
        message = f"there is no filter {node.name!r}"
        raise ForbiddenError(message, did_you_mean(node.name, FILTERS), node.lineno, node.name)
    _check_arguments(node)


def _check_test(node: nodes.Test) -> None:
    if node.name not in TESTS:
        names = [name for name in TESTS if name.isidentifier()]
        raise ForbiddenError(f"there is no test {node.name!r}", did_you_mean(node.name, names), node.lineno, node.name)
    _check_arguments(node)


def _check_call(node: nodes.Call) -> None:
    if isinstance(node.node, nodes.Name):
        name = node.node.name
        if name != "range":
            hint = f"did you mean the filter: ... | {name}" if name in FILTERS else "the one function is range"
            raise ForbiddenError(f"there is no function {name!r}", hint, node.node.lineno, name)
        if not 1 <= len(node.args) <= 3 or node.kwargs:
            raise ForbiddenError("range takes one to three numbers", "range(3) is 0, 1, 2", node.node.lineno, name)
    _check_arguments(node)


def _check_arguments(node: nodes.Filter | nodes.Test | nodes.Call) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise ForbiddenError("'*' before an argument is not available", "write the arguments out", node.lineno)


def _check_loop(node: nodes.For) -> None:
    if node.recursive:
        raise ForbiddenError("a recursive loop is not available", "use a loop inside a loop", node.lineno)


_CHECKS: tuple[tuple[type[nodes.Node], Callable[..., None]], ...] = (
    (nodes.Name, _check_name),
    (nodes.Const, _check_constant),
    (nodes.Filter, _check_filter),
    (nodes.Test, _check_test),
    (nodes.Call, _check_call),
    (nodes.For, _check_loop),
)


def uses(tree: nodes.Template, text: str) -> tuple[Use, ...]:
    """Where the names and attributes stand that the tree looks up, in the order of the text."""
    return tuple(use for node, _ in _walk(tree) for use in _uses_of(node, text))


def _uses_of(node: nodes.Node, text: str) -> Iterator[Use]:
    if isinstance(node, nodes.Name) and node.ctx == "load":
        yield Use(node.name, node.lineno)
    elif isinstance(node, nodes.Getattr):
        # The node stands at its dot; the name follows, perhaps after white space.
        yield Use(node.attr, text.index(node.attr, node.lineno), _owner(node))
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        yield Use(node.arg.value, node.arg.lineno + 1, _owner(node))


def _owner(node: nodes.Getattr | nodes.Getitem) -> str:
    return node.node.name if isinstance(node.node, nodes.Name) else ""


def fixed_text(tree: nodes.Template) -> str:
    """The text outside of all braces, which stands in whatever the template makes."""
    return "".join(part.data for part in _put_out(tree) if isinstance(part, nodes.TemplateData))


def whole_names(tree: nodes.Template) -> frozenset[str]:
    """The names whose values stand as they are in whatever the template makes."""
    return frozenset(part.name for part in _put_out(tree) if isinstance(part, nodes.Name))


def _put_out(tree: nodes.Template) -> Iterator[nodes.Node]:
    """What is put out in any case: outside of loops, conditions and other blocks."""
    return (part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes)


def counted(tree: nodes.Template) -> nodes.Template:
    """The checked tree, with every operation that can take long turned into one that counts."""
    _Counting().visit(tree)
    tree.set_environment(ENVIRONMENT)
    return tree


class _Counting(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        # A round costs what there is to do in it at most.
        cost = sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _call(COUNTED, node.iter, nodes.Const(cost))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(CONCAT, *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        rest = [part for each in node.ops for part in (nodes.Const(each.op), each.expr)]
        return _call(COMPARE, node.expr, *rest)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(RANGE, *node.args) if isinstance(node.node, nodes.Name) else node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            parts = (node.arg.start, node.arg.stop, node.arg.step)
            return _call(SLICE, node.node, *(part or nodes.Const(None) for part in parts))
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(MADE, node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(MADE, node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call(MADE, node) if node.ctx == "load" else node


def _call(operation: str, first: nodes.Node, *rest: nodes.Node) -> nodes.Filter:
    return nodes.Filter(first, operation, list(rest), [], None, None, lineno=first.lineno)
