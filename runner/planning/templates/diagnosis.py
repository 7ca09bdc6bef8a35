"""Turns the errors of templates into diagnostics, with their place, for the person who wrote the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from traceback import clear_frames
from types import TracebackType

from jinja2 import TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.utils import missing

from runner.diagnostics.suggestions import known_here
from runner.diagnostics.words import literal
from runner.diagnostics.words import name as quoted
from runner.errors import ManifestError
from runner.manifest.files import UnreadableError
from runner.planning.templates.environment import Environment, MisleadingError, UnknownNameError
from runner.planning.templates.fragments import Fragments, MissingFragmentError
from runner.planning.templates.lexer import Token, as_written, spans, tokens, with_newlines
from runner.planning.templates.template_errors import (
    ExcessError,
    InvalidTemplateError,
    NotJsonError,
    NotNumberError,
    NotTextError,
    TemplateDiagnostic,
)
from runner.planning.templates.template_values import Assumed, kind_of

_BLOCKS_WITH_END = ("for", "if", "filter", "set", "with", "macro", "call", "block", "autoescape")
_BRACES = "to write braces as text, put them between {% raw %} and {% endraw %}"
_OPTIONAL = "write '| default(...)' after a name that may be missing"
_NO_SUCH = re.compile(r"No (filter|test) named '([^']*)'")
# A number with a comma in place of the point, or with a unit.
_NUMBER_AND_MORE = re.compile(r"([-+]?[0-9]+)(?:[.,]([0-9]+))?\s*([^\W\d_]{1,9}|[%$€£]|)")
# Hints for values that no text can hold, by their kind.
_AS_TEXT = {
    "a list": "join its items: ... | join(', ')",
    "a range": "join its items: ... | join(', ')",
    "a mapping": "name one of its keys, or write it as JSON: ... | tojson",
    "a truth value": "say what to write: {{ 'bright' if ... else '' }}",
    "none": "say what to write instead: ... or 'nothing'",
    "a function": "write () after its name",
}


@dataclass(frozen=True, slots=True)
class _Where:
    """The text with the error: the template itself, or the fragment `name`. `source` is it with plain newlines."""

    environment: Environment
    text: str
    fragments: Fragments | None = None
    name: str | None = None

    @property
    def source(self) -> str:
        return with_newlines(self.text)

    def error(
        self, code: str, message: str, hint: str, place: tuple[int, int], unknown: str = "", origin: str = ""
    ) -> InvalidTemplateError:
        start, end = (as_written(self.text, offset) for offset in place)
        fragment = self.fragments.texts.get(self.name) if self.fragments and self.name else None
        return InvalidTemplateError(
            TemplateDiagnostic(code, message, hint, start, end - start, unknown, fragment, origin)
        )


def syntax_error(environment: Environment, text: str, error: Exception) -> InvalidTemplateError:
    """The error for a template that does not compile (E301, or E314 if it is too long)."""
    return _syntax_error(_Where(environment, text), error)


def _syntax_error(where: _Where, error: Exception) -> InvalidTemplateError:
    whole = (0, len(where.source))
    if isinstance(error, ExcessError):
        return where.error("E314", str(error), "split the template up", whole)
    if isinstance(error, MisleadingError):
        return where.error("E301", str(error.message), error.hint, (error.lineno, error.lineno + len(error.word)))
    if isinstance(error, TemplateSyntaxError):
        return _jinja_error(where, error)
    if isinstance(error, SyntaxError):
        message, hint = f"the template cannot be compiled: {error.msg}", "split the expression up with set"
    elif isinstance(error, ValueError):
        message, hint = "the template has a number that is too long", "write it as text, in quotes"
    else:
        message, hint = "the template is nested too deeply", "split the expression up with set"
    return where.error("E301", message, hint, whole)


def _jinja_error(where: _Where, error: TemplateSyntaxError) -> InvalidTemplateError:
    source = where.source
    found = tokens(where.environment.lexer, source)
    message = (error.message or "the template cannot be read").rstrip(".")
    if message.startswith("Unexpected end of template") and (opener := _unclosed(found)):
        hint = f"write {{% end{opener.text} %}} where it ends"
        return where.error("E301", f"'{opener.text}' is never closed", hint, (opener.start, opener.end))
    start = min(error.lineno, max(len(source) - 1, 0))
    if (named := _NO_SUCH.match(message)) is not None:
        kind, name = named.groups()
        known = where.environment.filters if kind == "filter" else where.environment.tests
        hint = known_here(name, [each for each in known if each.isidentifier()])
        return where.error("E301", f"there is no {kind} {name!r}", hint, _word_at(found, start, name))
    return where.error("E301", message[0].lower() + message[1:], _BRACES, _word_at(found, start, ""))


def _unclosed(found: list[Token]) -> Token | None:
    """The token with the name of the innermost block that is opened but not closed."""
    names = [part for part in found if part.kind not in ("whitespace", "data")]
    opened: list[Token] = []
    for begin, name in pairwise(names):
        if begin.kind != "block_begin":
            continue
        if name.text in _BLOCKS_WITH_END and not _is_plain_set(names, name):
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
    """The start and end of the first token from `offset` on that is `word`, or of any token if `word` is empty."""
    for part in found:
        if part.start >= offset and (part.text == word or (not word and part.text.strip())):
            return part.start, part.end
    return offset, offset + max(len(word), 1)


@dataclass(frozen=True, slots=True)
class _Use:
    """A place where a template looks up `name`: as a variable (`owner` is None), or as an attribute.

    `owner` is the variable that should have the attribute. It is empty if the owner is not a plain variable.
    """

    name: str
    offset: int
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class _Map:
    """The places of names, and of the content of braces, in a template that compiles."""

    uses: tuple[_Use, ...]
    spans: tuple[tuple[int, int], ...]

    def around(self, offset: int) -> tuple[int, int]:
        """The content of the braces around `offset`, or else of the first ones.

        The offset of some nodes is where their braces close.
        """
        before = [span for span in self.spans if span[0] <= offset]
        return before[-1] if before else self.spans[0]

    def of_name(self, name: str, is_attribute: bool, span: tuple[int, int]) -> _Use | None:
        """Where `name` is looked up as a variable or an attribute, preferably inside the span."""
        found = [use for use in self.uses if use.name == name and (use.owner is not None) is is_attribute]
        inside = [use for use in found if span[0] <= use.offset < span[1]]
        return next(iter((*inside, *found)), None)


@lru_cache(maxsize=64)
def _map_of(environment: Environment, source: str) -> _Map:
    tree = environment.parse(source)
    uses = [use for node in tree.find_all(nodes.Expr) for use in _uses(node, source)]
    return _Map(tuple(sorted(uses, key=lambda use: use.offset)), tuple(spans(tokens(environment.lexer, source))))


def _uses(node: nodes.Expr, source: str) -> Iterator[_Use]:
    if isinstance(node, nodes.Name) and node.ctx == "load":
        yield _Use(node.name, node.lineno)
    elif isinstance(node, nodes.Getattr):
        # The offset of the node is that of its dot. The name follows, perhaps after white space.
        yield _Use(node.attr, source.index(node.attr, node.lineno), _owner(node))
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        yield _Use(node.arg.value, node.arg.lineno + 1, _owner(node))


def _owner(node: nodes.Getattr | nodes.Getitem) -> str:
    return node.node.name if isinstance(node.node, nodes.Name) else ""


def render_error(
    environment: Environment, fragments: Fragments, text: str, error: Exception, variables: Mapping[str, object]
) -> InvalidTemplateError:
    """The error for a render that raised `error`, with its place in the template or in a fragment of it.

    E101 for a fragment that cannot be read, E301 for one that does not compile, E311 for an unknown name, E314 for an
    exceeded limit, E315 for a value that JSON does not have, E316 for a value that no text can hold, E320 for one that
    is no number, and E313 for everything else.
    """
    name, offset = _innermost(error.__traceback__)
    # Free what the render made: it may fill the memory that is left.
    clear_frames(error.__traceback__)
    if isinstance(error, TemplateSyntaxError):
        name = error.name
    where = _Where(environment, fragments.texts[name].text if name else text, fragments, name)
    if isinstance(error, TemplateSyntaxError):
        return _syntax_error(where, error)
    found = _map_of(environment, where.source)
    span = found.around(offset)
    if isinstance(error, UnknownNameError):
        return _unknown(where, error, found, span, variables)
    if isinstance(error, NotNumberError):
        uses = (use for use in found.uses if span[0] <= use.offset < span[1])
        origin = next((use.name for use in uses if _value_of(use, variables) == error.value), "")
        return where.error(*_no_number(error, where.source[slice(*span)]), span, origin=origin)
    return where.error(*_explanation(error, where.source[slice(*span)]), span)


def _value_of(use: _Use, variables: Mapping[str, object]) -> object:
    """The value of a variable, or of a column of a row."""
    owner = variables if use.owner is None else variables.get(use.owner)
    return owner.get(use.name, missing) if isinstance(owner, Mapping) else missing


def _no_number(error: NotNumberError, written: str) -> tuple[str, str, str]:
    """Code, message and hint for a value that is no number. `written` is the text between the braces."""
    value, what = error.value, literal(error.value) if isinstance(error.value, str) else kind_of(error.value)
    text = value.strip() if isinstance(value, str) else ""
    hint = f"write a number there, or say what counts instead: | {error.filter}(0)"
    if (found := _NUMBER_AND_MORE.fullmatch(text)) is not None:
        whole, decimals, unit = found.groups()
        hint = f"write {whole}{f'.{decimals}' if decimals else ''}{', without ' + quoted(unit) if unit else ''}"
    return "E320", f"{what} is no number, and {{{{ {written} }}}} needs one", hint


def _innermost(traceback: TracebackType | None) -> tuple[str | None, int]:
    """The name of the innermost template among the frames, and the offset in it: its line numbers are offsets."""
    name, offset = None, 0
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            name, offset = template.name, template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return name, offset


def _explanation(error: Exception, written: str) -> tuple[str, str, str]:
    """Code, message and hint for what a render raised. `written` is the text between the braces."""
    if isinstance(error, ExcessError | OverflowError):
        message = f"the template makes or takes too much: {str(error.args[-1]).rstrip('.')}"
        return "E314", message, "shorten the texts, or go through fewer items"
    if isinstance(error, RecursionError):
        message = "the template calls or includes itself without an end, or is nested too deeply"
        return "E314", message, "end a recursion with an {% if %}"
    if isinstance(error, MemoryError):
        return "E314", "the template makes values that are too large", "make them smaller"
    if isinstance(error, NotTextError):
        kind = str(error)
        hint = _AS_TEXT.get(kind, "a text holds texts and numbers")
        return "E316", f"{written} is {kind}, and no text can hold it", hint
    if isinstance(error, NotJsonError):
        return "E315", str(error), "a template gives text, numbers, true, false, none, lists or mappings"
    if isinstance(error, MissingFragmentError):
        return "E101", f"the file {quoted(str(error.name))} does not exist", error.hint
    if isinstance(error, TemplateNotFound):
        return "E101", str(error).rstrip("."), "write 'ignore missing' after it where all of them may be missing"
    if isinstance(error, UnreadableError):
        return error.code, f"the file {error.message}", error.hint
    if isinstance(error, ManifestError):
        diagnostic = error.diagnostics[0]
        place = diagnostic.position
        return diagnostic.code, f"{place.file}:{place.line}: {diagnostic.message}", diagnostic.hint
    return "E313", f"the template fails: {_python_message(error)}", ""


def _unknown(
    where: _Where, error: UnknownNameError, found: _Map, span: tuple[int, int], variables: Mapping[str, object]
) -> InvalidTemplateError:
    name, owner = error.name, error.owner
    if not isinstance(name, str):
        return where.error("E313", f"the template fails: {kind_of(owner)} has no item {name!r}", _OPTIONAL, span)
    use = found.of_name(name, owner is not missing, span)
    place = span if use is None else (use.offset, use.offset + len(name))
    if owner is missing:
        known = [each for each, value in variables.items() if not isinstance(value, Assumed)]
        is_filter = name in where.environment.filters and where.source[place[1] :].lstrip().startswith("(")
        hint = f"did you mean the filter: ... | {name}" if is_filter else known_here(name, known)
        if name in known:
            hint = "the fragment does not see it: write 'with context' where it is imported or included"
        elif name == "image" and "prompt" in known:
            hint = "there is no picture: the manifest has no images, or its model gets none"
        return where.error("E311", f"unknown variable {name!r}", hint, place, name)
    names = owner if isinstance(owner, Mapping) else dir(owner)
    known = [each for each in names if isinstance(each, str) and where.environment.is_safe_attribute(owner, each, None)]
    called = use.owner if use is not None and use.owner else kind_of(owner)
    return where.error("E311", f"{called} has no {name!r}", known_here(name, known), place)


def _python_message(error: Exception) -> str:
    """The message of a Python or Jinja error, without function names and without line numbers, which are offsets."""
    message = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    message = re.sub(r" \(imported on .*?\)", "", message)
    return re.sub(r"^_?(\w+)\(\) ", r"'\1' ", message).rstrip(".") or type(error).__name__
