"""Finds the line and column of a route in a manifest. A place is looked up in the YAML node tree only if needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from runner.diagnostics.text import Text
from runner.errors import Position
from runner.manifest.yaml.offsets import index_of
from runner.model import Route, SourceMap

_ANCHOR = re.compile(r"&\S+\s+")
MERGE = "tag:yaml.org,2002:merge"

# The node of the key, None if the value is not in a mapping, and the node of the value.
Found = tuple[Node | None, Node]


class Attached(SourceMap, Protocol):
    """A file that a manifest names and that diagnostics can point into: a prompt file or a table."""

    @property
    def file(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest's text and its node tree.

    `attached` maps a route to the file that the value there comes from; it is filled while the manifest is read.
    `defaults` is the file whose mappings are merged with those of the manifest.
    """

    text: Text
    root: Node
    attached: dict[Route, Attached] = field(default_factory=dict)
    defaults: Source | None = None
    # A cache of the children of mappings: many places may be looked up in one of many keys.
    _children: dict[Node, Mapping[str, Found]] = field(default_factory=dict, repr=False, compare=False)

    def position(self, route: Route, *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """The place of the value at `route`; with `key`, of its key. If there is none, the place of its nearest parent.

        `offset` and `length` count characters of a text value; without them the caret covers the value's token.
        """
        for size in range(len(route), 0, -1):
            other = self.attached.get(route[:size])
            if other is not None:
                return other.position(route[size:], key=key, offset=offset, length=length)
        source, (name, value), rest = self._seek(route)
        if key and name is not None and not rest:
            return source.place(name)
        if (offset or length) and isinstance(value, ScalarNode) and not rest:
            return source._inside(value, offset, length)
        return source.place(value if name is None or _width(value) else name)

    def line(self, position: Position) -> str:
        """The text of the line at `position`, in the manifest or in a file that it names."""
        for other in self.attached.values():
            if other.file == position.file != self.text.file:
                return other.line(position)
        if self.defaults is not None and position.file == self.defaults.text.file:
            return self.defaults.line(position)
        return self.text.line(position) if position.file == self.text.file else ""

    def has(self, route: Route) -> bool:
        """Whether there is a value at `route`, in the manifest or in a file that it names."""
        for size in range(len(route), 0, -1):
            other = self.attached.get(route[:size])
            if other is not None:
                return other.has(route[size:])
        return self.node(route) is not None

    def written(self, route: Route) -> str | None:
        """The plain scalar at `route` as it is spelled: `no`, `017`. None if it is quoted or not a scalar."""
        node = self.node(route)
        return node.value if isinstance(node, ScalarNode) and not node.style else None

    def place(self, node: Node) -> Position:
        """The place of a node's token: its first line, without the anchor."""
        start = node.start_mark.index
        anchor = _ANCHOR.match(self.text.text, start, node.end_mark.index)
        start = anchor.end() if anchor else start
        return self.text.at(start, _token_width(node, node.end_mark.index - start))

    def node(self, route: Route) -> Node | None:
        """The node of the value at `route`."""
        _, (_, value), rest = self._seek(route)
        return None if rest else value

    def below(self, route: Route) -> Sequence[Node]:
        """The node at `route` and all nodes below it; empty if there is no such value."""
        node = self.node(route)
        return [] if node is None else _below(node)

    def _inside(self, node: ScalarNode, offset: int, length: int) -> Position:
        raw = self.text.text[node.start_mark.index : node.end_mark.index]
        first = index_of(raw, node.style, node.value, offset)
        last = index_of(raw, node.style, node.value, offset + length - 1) if length > 1 else first
        return self.text.at(node.start_mark.index + first, last - first + 1)

    def _seek(self, route: Route) -> tuple[Source, Found, Route]:
        """The value at `route` or its nearest parent, the file that has it, and the rest of the route from there."""
        found, rest = self._find(route)
        # Mappings are merged; a list of the manifest hides that of the defaults.
        is_merged = all(isinstance(step, str) for step in route[: len(route) - len(rest)])
        if rest and self.defaults is not None and is_merged and isinstance(found[1], MappingNode):
            other, left = self.defaults._find(route)
            if len(left) < len(rest):
                return self.defaults, other, left
        return self, found, rest

    def _find(self, route: Route) -> tuple[Found, Route]:
        """The value at `route` or its nearest parent, and the rest of the route from there."""
        found: Found = (None, self.root)
        for index, step in enumerate(route):
            child = self._child(found[1], step)
            if child is None:
                return found, route[index:]
            found = child
        return found, ()

    def _child(self, node: Node, step: str | int) -> Found | None:
        if isinstance(node, SequenceNode) and isinstance(step, int):
            return (None, node.value[step]) if 0 <= step < len(node.value) else None
        if not isinstance(node, MappingNode) or not isinstance(step, str):
            return None
        if node not in self._children:
            self._children[node] = _own_children(node)
        found = self._children[node].get(step)
        return found or next(filter(None, (self._child(each, step) for each in merged(node))), None)


def _own_children(node: MappingNode) -> Mapping[str, Found]:
    """The children of a mapping by their keys, without merged ones. Of a key that is given twice it is the first."""
    found: dict[str, Found] = {}
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.tag != MERGE:
            found.setdefault(key.value, (key, value))
    return found


def _width(node: Node) -> int:
    width: int = node.end_mark.index - node.start_mark.index
    return width


def _token_width(node: Node, width: int) -> int:
    """The caret's width: a block collection's first key or dash, a block scalar's `|` or `>`, else the whole token."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _width(node.value[0][0])
    is_block = (isinstance(node, SequenceNode) and not node.flow_style) or getattr(node, "style", "") in ("|", ">")
    return 1 if is_block else width


def merged(node: MappingNode) -> list[Node]:
    """The mappings that `<<` merges into this one. Earlier ones win over later ones."""
    found: list[Node] = []
    for key, value in node.value:
        if key.tag == MERGE:
            found.extend(value.value if isinstance(value, SequenceNode) else [value])
    return found


def _below(node: Node) -> list[Node]:
    found = [node]
    for each in found:
        if isinstance(each, SequenceNode):
            found.extend(each.value)
        elif isinstance(each, MappingNode):
            found.extend(value for _, value in each.value)
    return found
