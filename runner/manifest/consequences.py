"""What planning may find wrong with a manifest only because reading found something wrong before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from runner.errors import Diagnostic, Position, Severity
from runner.manifest.mending import Loss
from runner.manifest.source import Source
from runner.manifest.values import items, mapping
from runner.model import Json, Manifest, Origin, Route

# A line and a column.
_Spot = tuple[int, int]

_WORD = re.compile(r"[^\W\d]\w*")
# What stands before an attribute: `product.` or `product.size[`.
_PATH = re.compile(r"""([^\W\d]\w*)(?:\.\w+|\[[^\]]*\])*(?:\.|\[["']?)$""")
# The text itself is wrong, whatever the values of variables are.
_OF_TEXT = ("E301", "E312", "E601")
_ALL = ((0, 0), (1 << 60, 0))


@dataclass(frozen=True, slots=True)
class Consequences:
    """Tells what is a consequence: by its code, by the exact place, or by a place in a value that is uncertain.

    `names` are variables without certain values.
    """

    names: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    places: frozenset[tuple[str, _Spot]] = frozenset()
    uncertain: tuple[tuple[str, _Spot, _Spot], ...] = ()

    def have(self, diagnostic: Diagnostic) -> bool:
        """Whether this problem, found by planning, may merely follow from those that reading found."""
        code, file, spot = diagnostic.code, diagnostic.position.file, _spot(diagnostic.position)
        if code in self.codes:
            return True
        if code in _OF_TEXT:
            return False
        if (file, spot) in self.places:
            return True
        if code == "E311" and _owner(diagnostic) not in self.names:
            # Planning knows all names that may have been variables; what they have it cannot know.
            return False
        return any(file == other and first <= spot < last for other, first, last in self.uncertain)


NOTHING = Consequences()


def consequences_of(
    found: Iterable[Diagnostic], manifest: Manifest, source: Source, loss: Loss, unknown: Collection[str]
) -> Consequences:
    """What may follow from the problems found.

    `unknown` names those of image, prompt and model of which not all are known.
    """
    names = {*loss.variables, *loss.guessed}
    if any(image.size is None and image.origin != Origin.URL for image in manifest.images):
        names |= {"width", "height"}
    routes = [route for route, value in _templates(manifest) if names & set(_words(value))]
    wrong = (each.position for each in found if each.severity is Severity.ERROR)
    places = [*wrong, *(source.position(route, key=key) for route, key in _guesses(manifest, source, unknown))]
    return Consequences(
        frozenset(names),
        frozenset(loss.codes) | ({"E504"} if unknown or loss.guessed else set()),
        frozenset((place.file, _spot(place)) for place in places),
        tuple(_span(source, route) for route in (*loss.doubtful, *routes)),
    )


def _spot(position: Position) -> _Spot:
    return position.line, position.column


def _owner(diagnostic: Diagnostic) -> str:
    """The variable whose attribute the diagnostic is about; empty where it is about a variable."""
    before = _PATH.search(diagnostic.source[: diagnostic.position.column - 1])
    return before.group(1) if before else ""


def _templates(manifest: Manifest) -> Iterator[tuple[Route, Json]]:
    """All values that may hold templates, with their routes."""
    yield ("output", "file"), manifest.output.file
    yield from (((("params", name)), value) for name, value in manifest.params.items())
    for prompt in manifest.prompts:
        yield (*prompt.route, "text"), prompt.text
        yield from (((*prompt.route, "params", name), value) for name, value in prompt.params.items())


def _words(value: Json) -> Iterator[str]:
    """The words in the templates of a value."""
    if isinstance(value, str) and "{" in value:
        yield from _WORD.findall(value)
    for each in mapping(value).values() if isinstance(value, Mapping) else items(value):
        yield from _words(each)


def _guesses(manifest: Manifest, source: Source, unknown: Collection[str]) -> Iterator[tuple[Route, bool]]:
    """The places of texts that stand for prompts, and of names in exclude that may be known after all."""
    for prompt in manifest.prompts:
        route = (*prompt.route, "text")
        if source.node(route) is None and route not in source.attached:
            yield route, False
    for index, entry in enumerate(manifest.matrix.exclude):
        yield from ((("matrix", "exclude", index, name), False) for name in entry if name in unknown)


def _span(source: Source, route: Route) -> tuple[str, _Spot, _Spot]:
    """Where a value begins and ends. The text of a file is uncertain as a whole."""
    node = source.node(route)
    if route in source.attached:
        return source.attached[route].file, *_ALL
    if node is None:
        place = source.position(route)
        return place.file, _spot(place), (place.line, place.column + 1)
    first, last = (source.text.at(mark.index) for mark in (node.start_mark, node.end_mark))
    return source.text.file, _spot(first), _spot(last)
