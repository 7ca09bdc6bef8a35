"""Explains YAML syntax errors. The parser's own message and place rarely show what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from yaml.error import MarkedYAMLError

from runner.diagnostics.suggestions import suggestion
from runner.diagnostics.text import Text, file_error
from runner.diagnostics.words import literal, name, only_names, shortened
from runner.errors import ManifestError

# A character that YAML does not allow in a stream (YAML 1.2.2, section 5.1). The C parser refuses it, too.
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\'\'|[^\'])*\'')
_WORD = re.compile(r"[^\s,\[\]{}]*")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the parser gave up (`index`), and where the construct that it was reading began (`context`)."""

    text: Text
    index: int
    context: int

    @property
    def character(self) -> str:
        return self.text.text[self.index : self.index + 1]

    @property
    def begins_line(self) -> bool:
        return not self.before.strip()

    @property
    def before(self) -> str:
        """The part of the line before `index`."""
        return self.text.text[self.text.text.rfind("\n", 0, self.index) + 1 : self.index]

    def word(self, index: int) -> str:
        found = _WORD.match(self.text.text, index)
        return found.group() if found else ""

    def rest(self, index: int) -> str:
        """The part of the line from `index` on."""
        return self.text.text[index:].split("\n", 1)[0]


# Index, length of the caret, message, hint.
Explanation: TypeAlias = tuple[int, int, str, str]


def unreadable(text: Text) -> ManifestError:
    """The error for a character that YAML forbids."""
    found = _FORBIDDEN.search(text.text)
    index = found.start() if found else 0
    message = f"the character U+{ord(text.text[index]):04X} is not allowed in YAML"
    return file_error("E102", text, text.at(index), message, "delete it; is this a text file?")


def explained(text: Text, error: MarkedYAMLError) -> ManifestError:
    """The error for a text that the parser could not read."""
    mark = error.problem_mark or error.context_mark
    index = min(_index(mark), len(text.text))
    cursor = Cursor(text, index, _index(error.context_mark) if error.context_mark else index)
    what = error.problem or ""
    explain = next((explain for part, explain in _EXPLAIN if part in what or part in (error.context or "")), None)
    at, length, message, hint = _template(cursor) or (explain(cursor) if explain else _other(cursor, what))
    if not text.is_shown:
        message, hint = only_names(message), only_names(hint)
    return file_error("E102", text, text.at(at, length), message, hint)


def _index(mark: object) -> int:
    index = getattr(mark, "index", 0)
    return index if isinstance(index, int) else 0


def _template(cursor: Cursor) -> Explanation | None:
    """The explanation if the line has a template without quotes."""
    line = cursor.before + cursor.rest(cursor.index)
    # Quoted parts are replaced by spaces, so that only text outside of quotes is found.
    bare = _QUOTED.sub(lambda found: " " * len(found.group()), line)
    found = re.search(r"(?<=[:,\[-]) +(?P<value>[^ :,{\"'#|>][^:,{]*)?\{\{.*?\}\}", bare)
    if found is None:
        return None
    at = found.end() - len(found.group().lstrip())
    hint = f'put the whole value in quotes: "{shortened(line[at : found.end()])} …"'
    return (
        cursor.index - len(cursor.before) + at,
        found.end() - at,
        "a template without quotes is a mapping in YAML",
        hint,
    )


def _tab(cursor: Cursor) -> Explanation:
    tab = cursor.text.text.find("\t", cursor.index)
    return max(tab, cursor.index), 1, "a tab cannot indent in YAML", "use spaces"


def _token(cursor: Cursor) -> Explanation:
    if cursor.character == "\t":
        return _tab(cursor)
    word = cursor.word(cursor.index)
    message = f"a value without quotes cannot begin with {cursor.character}"
    return cursor.index, len(word), message, f"write it in quotes: {literal(word)}"


def _colon(cursor: Cursor) -> Explanation:
    earlier = re.search(r":\s+(?=\S)", _QUOTED.sub(lambda found: "x" * len(found.group()), cursor.before))
    if earlier is not None:
        start = cursor.index - len(cursor.before) + earlier.end()
        hint = f"put the value in quotes: {literal(cursor.rest(start).strip())}"
        return cursor.index, 1, "a value without quotes holds a second ': '", hint
    start = cursor.index - len(cursor.before.lstrip())
    above = re.search(r"(?:^|\n)[ -]*(?P<key>[\w-]+:)(?P<value>[^\s:][^\n]*)\n\s*$", cursor.text.text[:start])
    if above is not None:
        key, value = above.group("key"), shortened(above.group("value"))
        length = len(above.group("key")) + 1
        return above.start("key"), length, "a space is missing after the colon", f"write {key} {value}"
    message = "a key cannot stand here"
    hint = "check the indentation; and in the line above, the space after the colon"
    return start, max(1, cursor.index - start), message, hint


def _no_colon(cursor: Cursor) -> Explanation:
    length = len(cursor.rest(cursor.context))
    hint = "a key ends with a colon and a space; a text of several lines goes after | or in quotes"
    return cursor.context, length, "this line is neither a key nor a value", hint


def _flow(cursor: Cursor) -> Explanation:
    opening = cursor.text.text[cursor.context : cursor.context + 1]
    closing = {"[": "]", "{": "}"}.get(opening, "]")
    line = cursor.text.at(cursor.index).line
    if line == cursor.text.at(cursor.context).line and cursor.character:
        hint = f"separate the entries by commas; close with {closing}; put text with brackets or quotes in quotes"
        return cursor.index, len(cursor.word(cursor.index)), f"a comma or {closing} is missing before this", hint
    message = f"this {opening} is not closed"
    comment = re.search(r" (#\S.*)", cursor.rest(cursor.context))
    if comment is not None:
        rest = shortened(comment.group(1).rstrip(" ,}]"))
        hint = f"# after a blank begins a comment, and {rest} is one: put such a value in quotes"
        return cursor.context, 1, message, hint
    return cursor.context, 1, message, f"close it with {closing}, or mend a missing comma; noticed in line {line}"


def _quote(cursor: Cursor) -> Explanation:
    quote = cursor.text.text[cursor.context : cursor.context + 1]
    inside = "\\" + quote if quote == '"' else "''"
    return (
        cursor.context,
        1,
        f"this {quote} is not closed",
        f"close it with {quote}; inside, write {inside} for the sign",
    )


def _escape(cursor: Cursor) -> Explanation:
    sign = cursor.text.text[cursor.index : cursor.index + 2]
    hint = "write \\\\ for a backslash, or use single quotes"
    return cursor.index, 2, f"{sign} is no escape in double quotes", hint


def _alias(cursor: Cursor) -> Explanation:
    word = cursor.word(cursor.context)
    anchors = re.findall(r"(?:^|[\s\[{,:-])&([^\s,\[\]{}]+)", cursor.text.text)
    hint = suggestion(word[1:], anchors, f"for a text write it in quotes: {literal(word)}")
    if word[1:] in anchors:
        hint = "its anchor stands further down; an anchor comes before its aliases"
    return cursor.context, len(word), f"* begins an alias, and no anchor above is called {name(word[1:])}", hint


def _key(cursor: Cursor) -> Explanation:
    if cursor.begins_line:
        hint = "keys of one mapping begin in one column, items of one list too"
        return cursor.index, len(cursor.word(cursor.index)), "the indentation fits nothing above", hint
    quote = cursor.before.rstrip()[-1:]
    if quote in ("'", '"'):
        inside = "'' for a ' inside" if quote == "'" else '\\" for a " inside'
        hint = f"put the whole value in quotes, and write {inside}"
        return cursor.index, len(cursor.word(cursor.index)), "the text goes on after its closing quote", hint
    hint = "put the value in quotes, or end the line here"
    return cursor.index, len(cursor.word(cursor.index)), "the value should have ended before this", hint


def _content(cursor: Cursor) -> Explanation:
    sign = cursor.character
    if sign.strip():
        hint = f"write a value before it, or delete it; text goes in quotes: {literal(sign)}"
        return cursor.index, 1, f"{sign} stands where a value should", hint
    return cursor.index, 1, "a value is missing here", "write one; a # begins a comment"


def _fixed(message: str, hint: str, at_context: bool = False) -> Callable[[Cursor], Explanation]:
    return lambda cursor: (cursor.context if at_context else cursor.index, 1, message, hint)


def _other(cursor: Cursor, what: str) -> Explanation:
    return cursor.index, 1, f"YAML cannot be read here: {what}", "check the quotes, brackets and indentation above"


# Parts of the parser's messages, and their explanations. The first part that occurs in the message is used.
_EXPLAIN: tuple[tuple[str, Callable[[Cursor], Explanation]], ...] = (
    ("tab character", _tab),
    ("scanning an alias", _alias),
    ("undefined alias", _alias),
    (
        "scanning an anchor",
        _fixed("& begins an anchor, and its name is missing", "for a text write it in quotes", at_context=True),
    ),
    ("cannot start any token", _token),
    ("mapping values are not allowed", _colon),
    ("could not find expected ':'", _no_colon),
    ("expected ',' or", _flow),
    ("unexpected end of stream", _quote),
    ("unknown escape", _escape),
    (
        "another document",
        _fixed("a second document begins here", "one manifest a file: split it, or delete this line"),
    ),
    ("expected <document start>", _fixed("text stands after the end of the document", "delete the line with ...")),
    (
        "expected comment or line break",
        _fixed("the text after | or > begins on the next line", "break the line here, and indent the text"),
    ),
    (
        "block sequence entries",
        _fixed("a list item cannot stand here", "begin it on a line of its own, or write [a, b]"),
    ),
    ("expected key", _key),
    ("expected '-' indicator", _key),
    ("expected node content", _content),
)
