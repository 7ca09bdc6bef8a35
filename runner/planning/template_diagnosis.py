"""What is wrong with a template, and where, in words for the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from jinja2 import TemplateSyntaxError
from jinja2.utils import missing

from runner.planning.suggestions import did_you_mean
from runner.planning.template_environment import ENVIRONMENT, UnknownNameError, attributes_of
from runner.planning.template_faults import ExcessError, NotJsonError, TemplateFault, TemplateProblem
from runner.planning.template_lexer import Token, as_written, spans, tokens, with_newlines
from runner.planning.template_syntax import ForbiddenError, Use, parse, uses
from runner.planning.template_values import kind_of

_CLOSED = ("for", "if", "filter", "set", "with")
_BRACES = "to write braces as text, put them between {% raw %} and {% endraw %}"
_OPTIONAL = "write '| default(...)' after a name that may be missing"


def syntax_fault(text: str, error: Exception) -> TemplateFault:
    """The fault of a template that does not compile (E301, or E314 for one that is too long)."""
    source = with_newlines(text)
    found = tokens(ENVIRONMENT.lexer, source)
    if isinstance(error, ExcessError):
        return _fault(text, "E314", str(error), "split the template up", (0, len(source)))
    if isinstance(error, ForbiddenError):
        place = _word_at(found, error.offset, error.word)
        return _fault(text, "E301", str(error), error.hint, place)
    if isinstance(error, TemplateSyntaxError):
        return _jinja_fault(text, source, error, found)
    return _fault(text, "E301", *_python_words(error), (0, len(source)))


def _python_words(error: Exception) -> tuple[str, str]:
    """Message and hint for what Python says of the code that a template becomes."""
    if isinstance(error, SyntaxError):
        return f"the template cannot be compiled: {error.msg}", "split the expression up with set"
    if isinstance(error, ValueError):
        return "the template has a number that is too long", "write it as text, in quotes"
    return "the template is nested too deeply", "split the expression up with set"


def _jinja_fault(text: str, source: str, error: TemplateSyntaxError, found: list[Token]) -> TemplateFault:
    message = (error.message or "the template cannot be read").rstrip(".")
    if message.startswith("Unexpected end of template") and (opener := _unclosed(found)):
        message = f"'{opener.text}' is never closed"
        hint = f"write {{% end{opener.text} %}} where it ends"
        return _fault(text, "E301", message, hint, (opener.start, opener.end))
    start = min(error.lineno, max(len(source) - 1, 0))
    return _fault(text, "E301", message[0].lower() + message[1:], _BRACES, _word_at(found, start, ""))


def _unclosed(found: list[Token]) -> Token | None:
    """The name of the innermost block that is opened and not closed."""
    names = [part for part in found if part.kind not in ("whitespace", "data")]
    opened: list[Token] = []
    for begin, name in pairwise(names):
        if begin.kind != "block_begin":
            continue
        if name.text in _CLOSED and not _is_plain_set(names, name):
            opened.append(name)
        elif name.text.startswith("end") and opened:
            opened.pop()
    return opened[-1] if opened else None


def _is_plain_set(names: list[Token], name: Token) -> bool:
    """Whether this is `{% set x = ... %}`, which needs no end."""
    if name.text != "set":
        return False
    rest = names[names.index(name) :]
    end = next((number for number, part in enumerate(rest) if part.kind == "block_end"), len(rest))
    return any(part.text == "=" for part in rest[:end])


def _word_at(found: list[Token], offset: int, word: str) -> tuple[int, int]:
    """From where to where the token at `offset` goes, or the next that is `word`."""
    for part in found:
        if part.start >= offset and (part.text == word or (not word and part.text.strip())):
            return part.start, part.end
    return offset, offset + max(len(word), 1)


@dataclass(frozen=True, slots=True)
class _Map:
    """Where things stand in a template that compiles."""

    uses: tuple[Use, ...]
    spans: tuple[tuple[int, int], ...]

    def around(self, offset: int) -> tuple[int, int]:
        """The content of the braces around `offset`, or the first ones."""
        inside = (span for span in self.spans if span[0] <= offset < span[1])
        return next(inside, self.spans[0])

    def of_name(self, name: str, is_attribute: bool, span: tuple[int, int]) -> Use | None:
        """Where `name` is looked up as a variable or an attribute, rather inside the span than elsewhere."""
        found = [use for use in self.uses if use.name == name and (use.owner is not None) is is_attribute]
        inside = [use for use in found if span[0] <= use.offset < span[1]]
        return next(iter((*inside, *found)), None)


@lru_cache(maxsize=64)
def _map_of(source: str) -> _Map:
    return _Map(uses(parse(source), source), tuple(spans(tokens(ENVIRONMENT.lexer, source))))


def render_fault(text: str, error: Exception, offset: int, variables: Mapping[str, object]) -> TemplateFault:
    """The fault of a render that raised `error` at `offset`, which counts newlines as one character.

    E311 for an unknown name, E314 for too much, E315 for what JSON does not have, E313 for everything else.
    """
    found = _map_of(with_newlines(text))
    span = found.around(offset)
    if isinstance(error, UnknownNameError):
        return _unknown(text, error, found, span, variables)
    if isinstance(error, ExcessError):
        return _fault(text, "E314", str(error), "shorten the texts, or go through fewer items", span)
    if isinstance(error, MemoryError | RecursionError):
        return _fault(text, "E314", "the template makes values that are nested too deeply", "", span)
    if isinstance(error, NotJsonError):
        return _fault(text, "E315", str(error), "a template gives text, numbers, true, false, none, or lists", span)
    return _fault(text, "E313", f"the template fails: {_words(error)}", "", span)


def _unknown(
    text: str, error: UnknownNameError, found: _Map, span: tuple[int, int], variables: Mapping[str, object]
) -> TemplateFault:
    name, owner = error.name, error.owner
    if not isinstance(name, str):
        return _fault(text, "E313", f"the template fails: {kind_of(owner)} has no item {name!r}", _OPTIONAL, span)
    use = found.of_name(name, owner is not missing, span)
    place = span if use is None else (use.offset, use.offset + len(name))
    if owner is missing:
        hint = did_you_mean(name, variables.keys())
        return _fault(text, "E311", f"unknown variable {name!r}", hint, place, unknown=name)
    known = [key for key in owner if isinstance(key, str)] if isinstance(owner, Mapping) else attributes_of(owner)
    called = use.owner if use is not None and use.owner else kind_of(owner)
    return _fault(text, "E311", f"{called} has no {name!r}", did_you_mean(name, known), place)


def _words(error: Exception) -> str:
    """Python's words for an error, without the names of its functions."""
    message = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    return re.sub(r"^_?(\w+)\(\) ", r"'\1' ", message).rstrip(".") or type(error).__name__


def _fault(
    text: str, code: str, message: str, hint: str, place: tuple[int, int], *, unknown: str = ""
) -> TemplateFault:
    start, end = (as_written(text, offset) for offset in place)
    return TemplateFault(TemplateProblem(code, message, hint, start, end - start, unknown))
