"""Reads YAML text to JSON values, within limits. A value that JSON does not have is an error."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from yaml import CSafeLoader
from yaml.constructor import SafeConstructor
from yaml.error import MarkedYAMLError
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from runner.diagnostics.diagnostic_limit import MOST, ending, omitted
from runner.diagnostics.text import Text, file_error
from runner.diagnostics.words import described, name
from runner.errors import Diagnostic, ManifestError, Severity
from runner.manifest.yaml import pitfalls
from runner.manifest.yaml.source import MERGE, Source
from runner.manifest.yaml.syntax import explained, unreadable
from runner.model import Json

MAX_DEPTH = 100
# The most values that aliases and merge keys may stand for. A manifest that shares its settings among 10,000 prompts
# needs fewer. A file whose aliases multiply each other has far more.
MAX_ALIASED = 250_000

# The messages about nesting that is too deep: ours, and a part of the one from newer versions of libyaml.
_TOO_DEEP = "too deep"
_TOO_DEEP_FOR_LIBYAML = "nesting depth"

_TAG = "tag:yaml.org,2002:"
_TEXT = _TAG + "str"
# The tags of texts. In YAML 1.1 `=` and `<<` have tags of their own, but they are texts unless they are keys.
_TEXTS = (_TEXT, _TAG + "value", MERGE)
_PLAIN = {MappingNode: _TAG + "map", SequenceNode: _TAG + "seq"}
_LARGEST = 2**63 - 1
_SCALARS = SafeConstructor()

_Expanded: TypeAlias = "tuple[Json, int]"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as JSON values. `surprises` are scalars that YAML reads unexpectedly, by the `id` of their node.

    `defaults` is the document that it is merged with.
    """

    source: Source
    value: Json
    surprises: Mapping[int, pitfalls.Pitfall]
    defaults: Document | None = None


class _Loader(CSafeLoader):
    """The C loader with a limit on nesting: its recursion would overflow the stack of the process."""

    depth = 0

    # The loader calls these two methods around each node, even if no path resolvers are registered.
    def descend_resolver(self, current_node: Node, current_index: object) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise MarkedYAMLError(problem=_TOO_DEEP, problem_mark=current_node.start_mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1


def parse(text: Text) -> Document:
    """Read the one document of a text. Raises ManifestError with the first syntax error, or with all other errors."""
    with _collector_paused():
        source = Source(text, _compose(text))
        constructor = _Constructor(source)
        value = constructor.value(source.root)
    if constructor.diagnostics:
        # A scalar is converted once more for each of its aliases, and reports the same error again.
        raise ManifestError(dict.fromkeys(constructor.diagnostics))
    return Document(source, value, constructor.surprises)


def _compose(text: Text) -> Node:
    try:
        root = _root(text.text)
    except ReaderError:
        raise unreadable(text) from None
    except MarkedYAMLError as error:
        if error.problem != _TOO_DEEP or error.problem_mark is None:
            raise explained(text, error) from None
        place, message = text.at(error.problem_mark.index), f"more than {MAX_DEPTH} levels of nesting"
        raise file_error("E105", text, place, message, "a manifest needs about six; is a bracket not closed?") from None
    if root is None:
        hint = "reelrun init writes a manifest to start from"
        raise file_error("E102", text, text.at(0), "the manifest is empty", hint)
    return root


def _root(text: str) -> Node | None:
    try:
        root: Node | None = _Loader(text).get_single_node()
    except MarkedYAMLError as error:
        if error.problem_mark is None or _TOO_DEEP_FOR_LIBYAML not in (error.problem or ""):
            raise
        # Newer versions of libyaml have a limit of 1,000 levels, and reach it early: if a bracket may begin a key, they
        # look ahead. Our own limit is lower, so the text before that place breaks it and gives our error.
        root = _Loader(text[: error.problem_mark.index]).get_single_node()
    return root


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: a growing node tree has no garbage, and a search takes longer than composing it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # These two calls move the tree to the oldest generation, so that the next collection does not traverse it.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


@dataclass(slots=True)
class _Constructor:
    """Makes values from nodes. An alias shares the value of its anchor, but is counted as if the value were copied."""

    source: Source
    diagnostics: list[Diagnostic] = field(default_factory=list)
    surprises: dict[int, pitfalls.Pitfall] = field(default_factory=dict)
    made: dict[int, _Expanded | None] = field(default_factory=dict)
    count: int = 0
    aliased: int = 0
    # The places of the keys of the mapping that was last seen to have one twice.
    keys: tuple[Node | None, Mapping[str, int]] = (None, {})

    def value(self, node: Node) -> Json:
        if isinstance(node, ScalarNode):
            # A fast path: nearly all scalars of a manifest are quoted texts or words.
            if node.tag == _TEXT and (node.style or node.value[:1] not in pitfalls.FIRST):
                text: str = node.value
                return text
            return self._scalar(node)
        key = id(node)
        if key in self.made:
            return self._again(node, self.made[key])
        self.made[key] = None
        before = self.count
        value = self._collection(node) if isinstance(node, CollectionNode) else None
        self.made[key] = (value, self.count - before)
        return value

    def _again(self, node: Node, made: _Expanded | None) -> Json:
        if made is None:
            raise self._refused(node, "an alias stands inside what it names", "write the value out")
        value, expanded = made
        self._charge(node, expanded)
        return value

    def _charge(self, node: Node, count: int) -> None:
        """Count the values that stand here through an alias or a merge."""
        self.count += count
        self.aliased += count
        if self.aliased > MAX_ALIASED:
            message = f"the aliases of this file stand for more than {MAX_ALIASED:,} values"
            raise self._refused(node, message, "use fewer of them, and no aliases of aliases")

    def _refused(self, node: Node, message: str, hint: str) -> ManifestError:
        return file_error("E105", self.source.text, self.source.place(node), message, hint)

    def _collection(self, node: CollectionNode) -> Json:
        self.count += len(node.value)
        if node.tag != _PLAIN[type(node)]:
            self._report("E106", node, *pitfalls.of_tag(node.tag))
            return None
        if not isinstance(node, MappingNode):
            return [self.value(each) for each in node.value]
        text = self.source.text.text
        if pitfalls.is_template(text, node):
            self._report("E106", node, *pitfalls.of_template(text, node))
            return None
        return self._mapping(node)

    def _mapping(self, node: MappingNode) -> Json:
        own: dict[str, Json] = {}
        merged: list[tuple[Node, Node]] = []
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.tag == _TEXT:
                if key.value in own:
                    self._twice(node, key)
                own[key.value] = self.value(value)
            elif key.tag == MERGE:
                merged.append((key, value))
            else:
                self._report("E106", key, *pitfalls.of_key(self.source.text.text, key))
                self.value(value)
        return self._merge(merged, own) if merged else own

    def _merge(self, merges: list[tuple[Node, Node]], own: dict[str, Json]) -> Json:
        """The merged keys, then the mapping's own keys, which win over merged ones (yaml.org/type/merge)."""
        result: dict[str, Json] = {}
        for key, _ in merges[1:]:
            self._report("E103", key, "<< is given twice", "merge several mappings at once: <<: [*one, *two]")
        for _, value in merges:
            for each in value.value if isinstance(value, SequenceNode) else [value]:
                mapping = self.value(each)
                if isinstance(mapping, Mapping):
                    self._charge(each, len(mapping))
                    result = {**mapping, **result}
                else:
                    hint = "write <<: *name, where name is the anchor of a mapping"
                    self._report("E204", each, f"<< merges mappings; this is {described(mapping)}", hint)
        return {**result, **own}

    def _twice(self, node: MappingNode, key: ScalarNode) -> None:
        if self.keys[0] is not node:
            written = reversed([(each, each.start_mark.index) for each, _ in node.value if each.tag == _TEXT])
            self.keys = (node, {each.value: index for each, index in written})
        line = self.source.text.at(self.keys[1][key.value]).line
        message = f"the key {name(key.value)} is given twice; the first is in line {line}"
        self._report("E103", key, message, "keep one of the two")

    def _scalar(self, node: ScalarNode) -> Json:
        try:
            value = _converted(node)
        except (ValueError, KeyError, OverflowError):
            self._report("E106", node, *pitfalls.of_scalar(node))
            return None
        doubt = pitfalls.doubt(node, value)
        if doubt is not None:
            self.surprises[id(node)] = doubt
        return value

    def _report(self, code: str, node: Node, message: str, hint: str) -> None:
        """Record an error of a node. The rest of the document is checked, too."""
        if len(self.diagnostics) >= MOST:
            found = sorted(dict.fromkeys(self.diagnostics), key=lambda each: each.position)
            raise ManifestError(ending(found, omitted(MOST, 0)))
        position = self.source.place(node)
        line = self.source.text.line(position)
        self.diagnostics.append(Diagnostic(code, Severity.ERROR, position, message, hint, line))


def _converted(node: ScalarNode) -> Json:
    """The value of a scalar by YAML 1.1. Raises ValueError or KeyError if JSON has no such value."""
    if node.tag in _TEXTS:
        text: str = node.value
        return text
    kind = node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        truth: bool = _SCALARS.construct_yaml_bool(node)
        return truth
    # Python refuses to read integers of thousands of digits, and is slow with somewhat shorter ones.
    if kind == "int" and len(node.value) <= 200:
        integer: int = _SCALARS.construct_yaml_int(node)
        if abs(integer) <= _LARGEST:
            return integer
    if kind == "float":
        number: float = _SCALARS.construct_yaml_float(node)
        if math.isfinite(number):
            return number
    raise ValueError(node.tag)
