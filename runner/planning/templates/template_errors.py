"""The errors of templates."""

from __future__ import annotations

from dataclasses import dataclass

from runner.diagnostics.text import Text


@dataclass(frozen=True, slots=True)
class TemplateDiagnostic:
    """A diagnostic of a template. `offset` and `length` are its place, in characters of the template's text.

    `unknown` is the unknown variable, if the diagnostic is about one. `fragment` is the file that the place is in, or
    None for the template itself. `origin` is the variable whose value is wrong, where that is known. `is_of_value`: it
    is about the value that was made, so that others at its place are others.
    """

    code: str
    message: str
    hint: str
    offset: int
    length: int
    unknown: str = ""
    fragment: Text | None = None
    origin: str = ""
    is_of_value: bool = False


class InvalidTemplateError(Exception):  # an error in the text, not in the program
    """A template cannot be compiled, or its render fails."""

    def __init__(self, diagnostic: TemplateDiagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class ExcessError(Exception):
    """A template exceeds a limit on size or time."""


class NotJsonError(Exception):
    """A value that JSON does not have."""


class NotNumberError(Exception):
    """A value that the filter `float` or `int` cannot make a number of, and no default."""

    def __init__(self, value: object, filter_: str) -> None:
        super().__init__(value)
        self.value = value
        self.filter = filter_


class NotTextError(Exception):
    """A value that no text can hold: a list, a mapping, a truth value, none, a function. The argument is its kind."""
